"""Lock files for serial ports, as mgetty, minicom, efax and HylaFAX keep them (FHS 5.9, HDB UUCP format).

The kernel's lock works only between programs that use it; these programs use lock files instead.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

LOCK_DIRECTORY = Path("/run/lock")
_MODE = 0o644
_MAX_OCTETS = 64  # a process number in ten places and a newline; more is no lock of anyone's
# The locks of this process.  A lock file with its number that is none of these is of a dead process: numbers
# come again, in containers with each start.
_held: set[Path] = set()


class PortInUseError(Exception):
    """Another living process holds the lock; the message names its number."""


class PortHeldHereError(PortInUseError):
    """This process holds the lock."""


class PortLock:
    """The lock file of one port, ours until ``release``.

    Where the lock directory cannot be written nothing is locked: the kernel's lock must do.
    """

    def __init__(self, port: str, directory: Path = LOCK_DIRECTORY) -> None:
        """Takes the lock.  Raises PortInUseError; a lock whose owner is dead is removed."""
        device = str(Path(port).resolve()).removeprefix("/dev/").replace("/", "_")
        self._path = directory / f"LCK..{device}"
        if self._path in _held:
            raise PortHeldHereError("this process has locked it")
        self._write()
        self._held = True
        _held.add(self._path)

    def _write(self) -> None:
        for _ in range(2):
            try:
                descriptor = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _MODE)
            except FileExistsError:
                owner = _owner(self._path)
                if owner is not None and owner != os.getpid() and _lives(owner):
                    raise PortInUseError(f"process {owner} has locked it") from None
                with contextlib.suppress(OSError):
                    self._path.unlink()
                continue
            except OSError:
                return
            with os.fdopen(descriptor, "w") as file:
                file.write(f"{os.getpid():10d}\n")
            return

    def release(self) -> None:
        """Gives the lock back.  Again does nothing."""
        if self._held:
            self._held = False
            _held.discard(self._path)
            if _owner(self._path) == os.getpid():
                with contextlib.suppress(OSError):
                    self._path.unlink()


def _owner(path: Path) -> int | None:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_OCTETS)
    except OSError:
        return None
    number = text.split()[0] if text.split() else b""
    return int(number) if number.isdigit() and len(number) <= 10 else None


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
