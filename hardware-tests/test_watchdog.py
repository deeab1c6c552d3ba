"""systemd's watchdog: the unit configures it, and it restarts a box that hangs (--watchdog)."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable

import pytest

from appliance.hardware.rig import BrokenError, Rig

UNIT = "faxbox.service"
_ANSWER_S = 30.0


@pytest.fixture
def state(rig: Rig) -> dict[str, str]:
    if not (rig.machine / "run/systemd/system").is_dir() or shutil.which("systemctl") is None:
        pytest.skip("systemd does not run this machine")
    found = _show()
    if found["LoadState"] != "loaded":
        pytest.skip("the box is not installed as a service")
    return found


def test_is_on(state: dict[str, str], measured: Callable[[str], None]) -> None:
    """The unit makes systemd restart the box when its signs of life cease."""
    measured(f"watchdog {state['WatchdogUSec']}, restart {state['Restart']}")
    if state["WatchdogUSec"] in ("0", "infinity", "") or state["Restart"] not in ("on-failure", "always"):
        raise BrokenError("The box is not watched.", "Look at drop-ins: systemctl cat faxbox.service.")
    if state["ActiveState"] != "active":
        raise BrokenError("The service is not running.", "systemctl status faxbox says why.")


def test_brings_back(rig: Rig, state: dict[str, str], measured: Callable[[str], None]) -> None:
    """A box that hangs is restarted."""
    if not rig.watchdog:
        pytest.skip("the box may not be stopped dead (--watchdog)")
    if state["ActiveState"] != "active":
        pytest.skip("the box is not running")
    if _ask("kill", "--kill-whom=main", "--signal=SIGSTOP", UNIT).returncode:
        pytest.skip("this user may not stop the box: run this part as root")
    begun = time.monotonic()
    while time.monotonic() < begun + rig.watchdog_s:
        now = _show()
        if now["NRestarts"] != state["NRestarts"] and now["ActiveState"] == "active":
            measured(f"after {time.monotonic() - begun:.0f} s")
            return
        time.sleep(0.5)
    _ask("kill", "--kill-whom=main", "--signal=SIGCONT", UNIT)
    raise BrokenError("The box was stopped dead and stayed so.", "Look at the journal of faxbox.")


def _show() -> dict[str, str]:
    names = "LoadState,ActiveState,WatchdogUSec,Restart,NRestarts"
    lines = _ask("show", f"--property={names}", UNIT).stdout.splitlines()
    return dict.fromkeys(names.split(","), "") | dict(line.split("=", 1) for line in lines if "=" in line)


def _ask(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemctl", *words], capture_output=True, text=True, timeout=_ANSWER_S, check=False
    )
