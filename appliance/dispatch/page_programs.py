"""Programs that read a page: run apart, within a time, and again when something ended them from outside."""

from __future__ import annotations

import logging
import signal
import subprocess
from collections.abc import Mapping, Sequence

_log = logging.getLogger(__name__)

# How often a page is read when the machine ends the program each time, as it does when memory runs out.
TRIES = 3


def output_of(
    command: Sequence[str], limit_s: float, environment: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """The exit code (negative for a signal) and output of a program that has ``limit_s`` seconds a try.

    Raises OSError, subprocess.TimeoutExpired.
    """
    code, said = 0, b""
    for _ in range(TRIES):
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=limit_s,
            check=False,
        )
        code, said = done.returncode, done.stdout
        if code != -signal.SIGKILL:
            break
        _log.warning("what reads a page was ended from outside")
    return code, said
