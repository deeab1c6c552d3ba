"""When a refused offer is made again."""

from __future__ import annotations

import pytest

from appliance.lines.sip.retries import (
    GLARE_OTHER_S,
    GLARE_OWNER_S,
    MAX_GLARE,
    MAX_RETRY_AFTER_S,
    Retries,
)


@pytest.mark.parametrize(("caller", "bounds"), [(True, GLARE_OWNER_S), (False, GLARE_OTHER_S)])
def test_after_491_the_owner_of_the_call_id_waits_longer(caller: bool, bounds: tuple[float, float]) -> None:
    assert Retries(caller=caller, pick=min).wait_s(491, None) == bounds[0]
    assert Retries(caller=caller, pick=max).wait_s(491, None) == bounds[1]


@pytest.mark.parametrize(
    ("code", "retry_after_s", "wait_s"),
    [
        (500, 3.0, 3.0),
        (500, 999.0, MAX_RETRY_AFTER_S),
        (500, None, None),
        (488, None, None),
        (503, 3.0, None),
    ],
)
def test_other_refusals_are_final_unless_a_500_says_when(
    code: int, retry_after_s: float | None, wait_s: float | None
) -> None:
    assert Retries(caller=True, pick=max).wait_s(code, retry_after_s) == wait_s


def test_rounds_are_bounded() -> None:
    retries = Retries(caller=True, pick=max)
    for _ in range(MAX_GLARE):
        assert not retries.exhausted
        retries.rounds += 1
    assert retries.exhausted
