"""Power cut: the plug is pulled while the box writes; what was confirmed before is there afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from appliance.hardware import power_cut
from appliance.hardware.rig import BrokenError, Rig

# Seconds that the person has to pull the plug.
CUT_LIMIT_S = 300.0
_EVERY = 10  # records between two lines on the screen


def test_power_cut(rig: Rig, measured: Callable[[str], None]) -> None:
    """After a power cut every confirmed record is intact: one run before it, one after."""
    if power_cut.waits_for_check(rig.data):
        if rig.person is None:
            pytest.skip("a power cut waits to be checked: run again with --person")
        seen = rig.person.reads("Which number did the screen show last before the power cut?", "power cut")
        if not seen.isdecimal():
            raise BrokenError(f"{seen!r} is no number.", "Run the part again and type the number.")
        try:
            measured(f"{power_cut.check(rig.data, int(seen))} records whole")
        finally:
            power_cut.forget(rig.data)
        return
    if not rig.power_cut or rig.person is None:
        pytest.skip("nobody is here to pull the plug (--power-cut --person)")
    rig.person.does("Remember the numbers that are shown, and pull the plug.  Then start again.", "power cut")
    end = time.monotonic() + CUT_LIMIT_S
    for number in power_cut.write(rig.data):
        if number % _EVERY == 0:
            print(f"safe: {number}", flush=True)
        if time.monotonic() > end:
            power_cut.forget(rig.data)
            pytest.skip("the plug was not pulled within five minutes")
