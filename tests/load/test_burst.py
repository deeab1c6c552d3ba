"""Many faxes at once through the REST API of a real box, identified at the far end by their content.

Sixty always; four thousand with FAXBOX_SWEEP=1.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from bench import burst, marked
from bench.running import running

SWEEP = bool(os.environ.get("FAXBOX_SWEEP"))
FAXES = 4000 if SWEEP else 60
LIMIT_S = 3000.0 if SWEEP else 400.0
CALLS = "40" if SWEEP else "16"
SETTINGS = {"practice.speed": "10", "practice.calls_at_once": CALLS, "practice.wait_s": "0.5"}
# Accepting the slowest tenth may take so many times as long as the median: the spool must not get slower
# as it fills.
STEADY = 3.0


@pytest.mark.timeout(LIMIT_S + 120)
def test_every_fax_of_a_burst_reaches_the_right_end_once(tmp_path: Path) -> None:
    with running(tmp_path / "box", SETTINGS) as box:
        result = burst.measure(box, FAXES, tmp_path / "kept", LIMIT_S)
    print(result)
    assert result.wrong == ()
    kinds = Counter(number for number, _ in burst.plan(FAXES))
    assert result.delivered == FAXES - kinds[burst.BUSY]
    assert result.arrived > result.delivered, "some faxes have two pages"
    if SWEEP:
        ordered = sorted(result.accept_s)
        assert ordered[-1] <= STEADY * ordered[len(ordered) // 2]


def test_the_check_of_what_arrived_notices_a_mix_up(tmp_path: Path) -> None:
    """What the test above trusts can tell faxes apart."""
    path = tmp_path / "a.tif"
    path.write_bytes(marked.document(1234, pages=2))
    assert marked.marks(path) == [(1234, 0), (1234, 1)]
    sending = [("9990", 1), ("9990", 1), ("9991", 1)]
    states = {0: "delivered", 1: "delivered", 2: "failed"}
    right = Counter({("9990", 0, 0): 1, ("9990", 1, 0): 1})
    assert burst.wrong(sending, states, right) == []
    assert burst.wrong(sending, states, right + Counter({("9990", 0, 0): 1}))
    assert burst.wrong(sending, states, Counter({("9990", 0, 0): 1, ("9998", 1, 0): 1}))
    assert burst.wrong(sending, {**states, 1: "failed"}, right)
