"""Temperature and supply voltage of the board with all cores busy."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from appliance.doctor import machine
from appliance.doctor.findings import Severity
from appliance.hardware.rig import BrokenError, Rig

LOOK_EVERY_S = 1.0


@pytest.fixture
def load(rig: Rig) -> Iterator[None]:
    """One busy process for each core; they also end by themselves."""
    counts = f"import time\nend = time.monotonic() + {rig.heat_s}\nwhile time.monotonic() < end: pass"
    cores = len(os.sched_getaffinity(0))
    workers = [subprocess.Popen(["nice", "-n", "19", sys.executable, "-c", counts]) for _ in range(cores)]
    yield
    for worker in workers:
        worker.kill()
        worker.wait()


@pytest.mark.usefixtures("load")
def test_under_load(rig: Rig, measured: Callable[[str], None]) -> None:
    """With all cores busy the board neither overheats nor reports under-voltage."""
    end = time.monotonic() + rig.heat_s
    heats: list[str] = []
    while True:
        warmth = list(machine.temperature(rig.machine))
        heats += [each.detail for each in warmth if each.detail]
        broken = [each for each in (*warmth, *machine.power(rig.machine)) if each.state is Severity.BROKEN]
        if broken:
            measured(broken[0].detail)
            raise BrokenError(broken[0].sentence, broken[0].advice)
        if time.monotonic() >= end:
            break
        time.sleep(min(LOOK_EVERY_S, rig.heat_s))
    if not heats:
        pytest.skip("this machine does not tell its temperature")
    measured(f"at most {max(heats, key=lambda text: float(text.split()[0]))}")
