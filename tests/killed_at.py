"""A process that kills itself at a step: when it is about to change files for the n-th time."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_STEPS = frozenset({"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod"})


def die_at(number: int, *more: str) -> None:
    """Dies at step ``number``, counted from here; 0 is never.  ``more``: audit events that are steps, too."""
    steps = 0

    def step(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal steps
        writes = (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        )
        if event in _STEPS or event in more or writes:
            steps += 1
            if steps == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(step)


def lived(work: Callable[[Path, int], None], root: Path, dies_at: int) -> bool:
    """Whether a process of its own that does ``work(root, dies_at)`` reached its end."""
    child = os.fork()
    if not child:
        work(root, dies_at)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status):
        sys.exit("a child failed")
    return not os.WIFSIGNALED(status)
