"""kill -9 of a CUPS that prints to a box: of its backend, and of cupsd itself."""

from __future__ import annotations

import contextlib
import os
import random
import signal
from pathlib import Path

from tests.printing.cupsd import Cups


def printed(cups: Cups, title: str, document: Path) -> str:
    """Prints; the job, once cupsd has it on its disk: before that, one that is killed may lose it."""
    job = cups.lp("-d", "Fax", "-t", title, str(document))
    control = cups.root / "spool" / f"c{int(job.rpartition('-')[2]):05}"
    cups.until(lambda: control.exists() and b"document-format" in control.read_bytes(), title)
    return job


def kill_backend(cups: Cups, chance: random.Random) -> bool:
    """Kills one of the two processes of a backend of ours, if both run now; whether it did.

    Before there are two, cupsd takes the job for done: that is its rule for what was killed.
    """
    assert cups.process is not None
    for child in _children(cups.process.pid):
        with contextlib.suppress(OSError):
            if str(cups.backends / "faxbox").encode() not in Path(f"/proc/{child}/cmdline").read_bytes():
                continue
            if workers := _children(child):
                os.kill(chance.choice([child, *workers]), signal.SIGKILL)
                return True
    return False


def _children(parent: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    except OSError:
        return []


def kill_cupsd(cups: Cups) -> None:
    """Kills cupsd and starts it again."""
    cups.kill()
    cups.start()
