"""``Wake``: waits until a CUPS backend reports through the folder's pipe that it has written an entry."""

from __future__ import annotations

import os
import select
import stat
from pathlib import Path

from appliance.printing.cups_backend import WAKE_NAME

# Octets read at once; a backend writes one for each print job.
_PIECE = 4096


class Wake:
    """One thread waits; any other may end its waiting."""

    def __init__(self) -> None:
        self._ended, self._end = os.pipe()
        self._pipe: int | None = None
        self._known: tuple[Path, int] | None = None  # path and inode of the open pipe

    @property
    def hears(self) -> bool:
        """Whether backends can report: there is a pipe."""
        return self._pipe is not None

    def wait(self, folder: str, seconds: float) -> bool:
        """Waits for a backend, at most ``seconds``, and so long if there is no pipe.  False after ``end``."""
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
        """Ends ``wait``, also any later one."""
        os.write(self._end, b"\n")

    def close(self) -> None:
        """Closes the pipes; no ``wait`` may follow."""
        for descriptor in (self._ended, self._end, self._pipe):
            if descriptor is not None:
                os.close(descriptor)

    def _open(self, path: Path) -> None:
        """Opens the pipe at ``path`` if there is one and it is not the open one."""
        try:
            state = path.lstat()
            found = (path, state.st_ino) if stat.S_ISFIFO(state.st_mode) else None
        except OSError:
            found = None  # not installed, or by an older version
        if found == self._known:
            return
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
        self._known = found
        if found is not None:
            try:  # also for writing: then reading never meets end-of-file
                self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW)
            except OSError:
                self._known = None
