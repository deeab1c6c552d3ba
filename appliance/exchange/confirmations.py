"""Notes of the pages that the far end has confirmed, written by the exchange: they survive the box's death.

A file for each call, whose path is part of the order, has a line with the number of each confirmed page, and
a last one if the call was left before the end of its last page was signalled, written at once: to hang up may
take longer than the exchange has.  The exchange holds a lock
on it until the call has ended, also if the box has died meanwhile; the next start of the box waits for it,
then reads the notes (``read_notes``).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from appliance.exchange.messages import FAREWELL_S

# How long after the box's end the exchange has certainly ended, seconds.
GONE_S = FAREWELL_S + 1.5
# The end of a line; a line without it was not written completely.
_END = b"\n"
_KEPT = b"last page kept"
# Interval of the tries to get a lock, seconds.
_LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class CallNotes:
    """What the exchange noted of a call: how many pages were confirmed, and whether it was left before the
    end of the last one.
    """

    pages: int = 0
    last_page_kept: bool = False


class Confirmations:
    """Writes the notes of one call.  No method blocks: the single thread of ``writer`` writes in order."""

    def __init__(self, path: Path, writer: ThreadPoolExecutor) -> None:
        self._writer = writer
        self._file: int | None = None
        self._last: Future[None] = writer.submit(self._open, path)

    def confirmed(self, page: int) -> None:
        """Notes that the far end has confirmed this page, counted from 1 in this call."""
        self._last = self._writer.submit(self._add, b"%d" % page)

    def last_page_kept(self) -> None:
        """Notes that the end of the last page is not signalled any more in this call."""
        self._last = self._writer.submit(self._add, _KEPT)

    def close(self) -> Future[None]:
        """Ends the notes with the call.  The future is done when everything is on disk."""
        self._last = self._writer.submit(self._close)
        return self._last

    def _open(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def _add(self, line: bytes) -> None:
        if self._file is not None:
            os.write(self._file, line + _END)
            os.fsync(self._file)

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def read_notes(path: Path, wait_s: float = 0.0) -> CallNotes:
    """What was noted of a call, nothing without a file.

    Waits up to ``wait_s`` seconds if the call has not ended yet.
    """
    try:
        with path.open("rb") as file:
            _await_end(file.fileno(), wait_s)
            whole = file.read().split(_END)[:-1]
    except OSError:
        return CallNotes()
    return CallNotes(max((int(line) for line in whole if line.isdigit()), default=0), _KEPT in whole)


def _await_end(file: int, wait_s: float) -> None:
    until = time.monotonic() + wait_s
    while time.monotonic() < until:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(_LOOK_S)
