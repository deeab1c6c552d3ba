"""HTTP Basic on every call, as published clients of this style send it."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.api.ictfax.basic import credentials
from tests.api_ictfax.client import JSON, PREFIX
from tests.api_ifax.running import PASSWORD, USER, RunningBox

pytestmark = pytest.mark.realtime


def basic(name: str, password: str) -> dict[str, str]:
    coded = base64.b64encode(f"{name}:{password}".encode()).decode()
    return {"Authorization": f"Basic {coded}", "Accept": JSON}


def test_name_and_password_are_good_for_every_call(box: RunningBox) -> None:
    for path in ("/accounts", "/transmissions", "/accounts"):
        assert box.call("GET", f"{PREFIX}{path}", None, basic(USER, PASSWORD)).status == 200
    made = box.call(
        "POST",
        f"{PREFIX}/documents",
        b'{"name": "by basic"}',
        {**basic(USER, PASSWORD), "Content-Type": JSON},
    )
    assert made.status == 200
    assert made.body.isdigit()


def test_a_wrong_password_is_refused_although_the_right_one_was_just_used(box: RunningBox) -> None:
    assert box.call("GET", f"{PREFIX}/accounts", None, basic(USER, PASSWORD)).status == 200
    assert box.call("GET", f"{PREFIX}/accounts", None, basic(USER, f"{PASSWORD}x")).status == 401
    assert box.call("GET", f"{PREFIX}/accounts", None, {"Authorization": "Basic nonsense"}).status == 401


@given(st.text(max_size=100))
def test_any_authorization_header_is_read_as_credentials_or_ignored(text: str) -> None:
    for header in (text, f"Basic {text}", "Basic " + base64.b64encode(text.encode()).decode()):
        found = credentials(header)
        assert found is None or len(found) == 2
