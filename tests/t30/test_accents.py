"""Every conformance case again, with the far end's frames as machines and gateways outside send them."""

from __future__ import annotations

import pytest

from appliance.t30.parameters import CallParameters, Role
from tests.t30.linked import Pages
from tests.t30.script import Accent, Far, white_page
from tests.t30.test_conformance import PLAIN, RECEIVES, RECEIVES_ECM, SENDS, SENDS_ECM

ACCENTS = pytest.mark.parametrize(
    "accent", [a for a in Accent if a is not Accent.PLAIN], ids=lambda a: a.name
)


@ACCENTS
@pytest.mark.parametrize("name", [*SENDS, *SENDS_ECM])
def test_the_sender_understands_far_ends_of_each_accent(name: str, accent: Accent) -> None:
    count, cause, confirmed, script = SENDS.get(name) or SENDS_ECM[name]
    parameters = (
        CallParameters(Role.CALLS, "+1", PLAIN) if name in SENDS else CallParameters(Role.CALLS, "+1")
    )
    far = Far(parameters, Pages([white_page() for _ in range(count)]), accent=accent)
    result = far.run(script)
    assert (result.cause.code, result.pages_sent) == (cause, confirmed), far.account()


@ACCENTS
@pytest.mark.parametrize("name", [*RECEIVES, *RECEIVES_ECM])
def test_the_receiver_understands_far_ends_of_each_accent(name: str, accent: Accent) -> None:
    cause, confirmed, script = RECEIVES.get(name) or RECEIVES_ECM[name]
    parameters = (
        CallParameters(Role.ANSWERS, "+2", PLAIN) if name in RECEIVES else CallParameters(Role.ANSWERS, "+2")
    )
    far = Far(parameters, accent=accent)
    result = far.run(script)
    assert (result.cause.code, result.pages_received) == (cause, confirmed), far.account()
    assert len(far.store.pages) == confirmed
