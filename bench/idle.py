"""An idle box: the time from its start to its first answer, and its use of memory and processor."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.running import pss_mib, running

STARTS = 5
# Delay after the start, and the duration of the measurement of the idle box, seconds.
SETTLE_S = 5.0
QUIET_S = 30.0


@dataclass(frozen=True, slots=True)
class Idle:
    """``ready_s``: from the start of the process to the first HTTP response, the median of ``STARTS``."""

    first_s: float  # the first start, which creates the keys and the database
    ready_s: float
    memory_mib: float  # of all its processes
    panel_mib: float  # of the front panel's process, with simulated pins
    processes: int
    cpu_share: float  # of one core


def measure(scratch: Path, quiet_s: float = QUIET_S) -> Idle:
    """Starts a box several times, and the last time leaves it idle for ``quiet_s`` seconds."""
    data = scratch / "idle"
    ready = []
    for _ in range(STARTS):
        with running(data) as box:
            ready.append(box.ready_s)
    with running(data) as box, _panel(data) as panel:
        ready.append(box.ready_s)
        time.sleep(SETTLE_S)
        cpu, begun = box.cpu_s(), time.monotonic()
        time.sleep(quiet_s)
        share = (box.cpu_s() - cpu) / (time.monotonic() - begun)
        own = box.memory_mib()
        return Idle(ready[0], statistics.median(ready[1:]), own, pss_mib(panel.pid), len(box.tree()), share)


@contextlib.contextmanager
def _panel(data: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "appliance.cli", "panel", "--data", str(data)],
        env={**os.environ, "GPIOZERO_PIN_FACTORY": "mock"},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
