"""What the far end has confirmed, noted by the process that hears it: the box's death loses none of it.

One small file for each call, named by whoever places it, has a line for each page that was confirmed: its
number.  The process that carries the call holds a lock on it until the call has ended, also where the box
has gone meanwhile; the next start of the box waits for that, and reads the notes (``confirmed``).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from appliance.exchange.messages import FAREWELL_S

# The process that carries the calls is surely gone so long after the box, seconds.
GONE_S = FAREWELL_S + 1.5
# A line that is torn has no end.
_END = b"\n"
# How often a lock is looked at, seconds.
_LOOK_S = 0.02


class Confirmations:
    """The notes of one call.  Nothing here waits for the disk: one thread writes, in order."""

    def __init__(self, path: Path, writer: ThreadPoolExecutor) -> None:
        self._writer = writer
        self._file: int | None = None
        self._last: Future[None] = writer.submit(self._open, path)

    def confirmed(self, page: int) -> None:
        """The far end has confirmed this page, counted from 1 in this call."""
        self._last = self._writer.submit(self._add, page)

    def close(self) -> Future[None]:
        """The call has ended.  Done when everything is on the disk."""
        self._last = self._writer.submit(self._close)
        return self._last

    def _open(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def _add(self, page: int) -> None:
        if self._file is not None:
            os.write(self._file, b"%d" % page + _END)
            os.fsync(self._file)

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def confirmed(path: Path, wait_s: float = 0.0) -> int:
    """How many pages of a call were confirmed: 0 where nothing was noted.

    Waits up to ``wait_s`` seconds for a call that has not ended yet.
    """
    try:
        with path.open("rb") as file:
            _await_end(file.fileno(), wait_s)
            whole = file.read().split(_END)[:-1]
    except OSError:
        return 0
    return max((int(line) for line in whole if line.isdigit()), default=0)


def _await_end(file: int, wait_s: float) -> None:
    until = time.monotonic() + wait_s
    while time.monotonic() < until:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(_LOOK_S)
