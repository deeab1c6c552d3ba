"""Programs that read a page: run apart, within a time, and again when something ended them from outside."""

from __future__ import annotations

import logging
import signal
import subprocess
from collections.abc import Mapping, Sequence

from appliance.limited import CPU_GRACE_S

_log = logging.getLogger(__name__)

# How often a page is read when the machine ends the program each time, as it does when memory runs out.
TRIES = 3
_MEMORY_OCTETS = 700 << 20  # of address space


def output_of(
    command: Sequence[str],
    *,
    cpu_s: int,
    clock_s: float,
    environment: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    """The exit code (negative for a signal) and output of a program.

    Each try has so many seconds of processor time, and by the clock.  Raises OSError,
    subprocess.TimeoutExpired.
    """
    cpu = f"--cpu={cpu_s}:{cpu_s + CPU_GRACE_S}"
    limits = ["prlimit", f"--as={_MEMORY_OCTETS}", cpu, "--core=0", "--"]
    code, said = 0, b""
    for _ in range(TRIES):
        done = subprocess.run(
            [*limits, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=clock_s,
            check=False,
        )
        code, said = done.returncode, done.stdout
        if code != -signal.SIGKILL:
            break
        _log.warning("what reads a page was ended from outside")
    return code, said
