"""``Wake``: waiting for a CUPS backend to say through the folder's pipe that it left an entry there."""

from __future__ import annotations

import os
import select
import stat
from pathlib import Path

from appliance.printing.cups_backend import WAKE_NAME

# Octets that are read at once; each print job is one.
_PIECE = 4096


class Wake:
    """One thread waits; any may end its waiting."""

    def __init__(self) -> None:
        self._ended, self._end = os.pipe()
        self._pipe: int | None = None
        self._known: tuple[Path, int] | None = None  # the pipe that is open, and its inode

    def wait(self, folder: str, seconds: float) -> bool:
        """Waits for a backend, at most ``seconds``; without a pipe so long.  False when it was ended."""
        self._open(Path(folder, WAKE_NAME))
        poller = select.poll()
        poller.register(self._ended, select.POLLIN)
        if self._pipe is not None:
            poller.register(self._pipe, select.POLLIN)
        found = {descriptor for descriptor, _ in poller.poll(seconds * 1000)}
        if self._pipe in found:
            os.read(self._pipe, _PIECE)
        return self._ended not in found

    def end(self) -> None:
        os.write(self._end, b"\n")

    def close(self) -> None:
        """After the last ``wait``."""
        for descriptor in (self._ended, self._end, self._pipe):
            if descriptor is not None:
                os.close(descriptor)

    def _open(self, path: Path) -> None:
        """Opens the pipe at ``path``, if there is one and it is another than before."""
        try:
            state = path.lstat()
            found = (path, state.st_ino) if stat.S_ISFIFO(state.st_mode) else None
        except OSError:
            found = None  # not set up, or by an older version
        if found == self._known:
            return
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
        self._known = found
        if found is not None:
            try:  # also for writing: so it is never at its end
                self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW)
            except OSError:
                self._known = None
