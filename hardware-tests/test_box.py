"""The box runs and accepts faxes."""

from __future__ import annotations

from appliance.hardware.rig import BrokenError, Rig


def test_runs(rig: Rig) -> None:
    """The box runs and accepts faxes."""
    if rig.box is None:
        raise BrokenError("No box is running on this folder.", "systemctl status faxbox says why.")
    if not rig.box.get("/status")["accepting"]:
        raise BrokenError("The box takes no faxes.", "faxbox doctor says why; often the disk is full.")
