"""Files that survive a pulled plug: written beside their place, fsynced, renamed, folder fsynced.

A file has its final name only when its content is on disk, and the caller returns only when the
name is too.  A database row that names a file is written after that, so a row never points at
nothing.  What lies under a ``.part`` name at the start is the rest of an interrupted write and is
swept away.

The disk's refusal is ``DiskFullError`` or the OSError itself.  A leaf module, for spool and settings.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import stat
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

_log = logging.getLogger(__name__)

PART_SUFFIX = ".part"
# Octets overwritten at once.
_SHRED_PIECE = 1 << 20
# Errors that mean "no room": the file system, the quota, or the file size limit.
FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# What opening a link (with O_NOFOLLOW) and a socket or a device without driver ends in.
_NO_FILE = frozenset({errno.ELOOP, errno.ENXIO, errno.ENODEV})


class DiskFullError(Exception):
    """There is no room left for what was to be written (HTTP 507)."""


class ReadOnlyError(DiskFullError):
    """The file system takes nothing any more, as one does whose disk is failing."""


class TooLargeError(Exception):
    """More octets than the caller allowed."""


class NotAFileError(OSError):
    """Something else lies where a file belongs; the message says what, and what to do."""


def require_file(path: Path) -> None:
    """Raises NotAFileError unless ``path`` is a file, leads to one, or is not there at all.

    Before it is opened: a pipe would be waited for, and a link to a disk that is not mounted be taken for
    a file that never was.
    """
    what = _instead_of_file(path)
    if what:
        raise NotAFileError(
            f"{path} is {what} where a file belongs. Nothing was changed. Put the file back,"
            " or mount the disk that it is on; to go on without it, move away what is there."
        )


def open_file(path: Path) -> BinaryIO:
    """Opens a file that the box wrote, for reading.

    Raises NotAFileError for what it never puts there (links, folders, pipes, sockets, devices) instead of
    waiting for it or reading what is elsewhere; OSError.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _NO_FILE:
            raise NotAFileError(f"{path.name} is no file") from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotAFileError(f"{path.name} is no file")
    return os.fdopen(descriptor, "rb")


def _instead_of_file(path: Path) -> str:
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            mode = path.stat().st_mode
    except OSError:
        return "a link that leads nowhere" if path.is_symlink() else ""
    if stat.S_ISREG(mode):
        return ""
    return "a folder" if stat.S_ISDIR(mode) else "a pipe, socket or device"


def fsync_folder(folder: Path) -> None:
    """Makes the names in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path) -> None:
    """Makes ``folder`` (mode 700, whatever the umask) and what is missing above it, durably."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    fsync_folder(folder.parent)


def oldest_first(paths: Iterable[Path]) -> list[Path]:
    """These files by when they were written; first those from a time to come, which a wrong clock wrote.

    So whoever keeps the newest few never keeps these instead of what is written now.
    """
    now = time.time()
    written = {path: path.stat().st_mtime for path in paths}
    return sorted(written, key=lambda path: (written[path] <= now, written[path]))


# The umask of who started the process, for what is meant for others.
_started_with = [0o022]


def keep_private() -> None:
    """From now on whatever this process and its children make is for its user alone (umask 077)."""
    _started_with[0] = os.umask(0o077)


def shared_mode() -> int:
    """The mode of files that are put where others read them: as whoever started the process wants it."""
    return 0o666 & ~_started_with[0]


def make_private(folder: Path) -> None:
    """Takes ``folder`` and all in it away from everybody else: 700 and 600, however they came to be.

    What belongs to another user is left, and told of in the log.
    """
    found = [folder, *folder.rglob("*")]
    for path in found:
        try:
            state = path.lstat()
            wanted = 0o700 if stat.S_ISDIR(state.st_mode) else 0o600
            if stat.S_ISLNK(state.st_mode) or not state.st_mode & 0o077:
                continue
            path.chmod(wanted)
        except FileNotFoundError:
            continue  # it was a passing name
        except PermissionError:
            _log.warning("%s belongs to somebody else and can be read by others", path)


def place(path: Path, fill: Callable[[Path], object]) -> int:
    """Lets ``fill`` write a new file under a passing name, then gives it its own name durably.

    Returns its size in octets.  Raises DiskFullError without space, and whatever ``fill`` raises;
    then nothing is left behind.
    """
    part = path.with_name(path.name + PART_SUFFIX)
    try:
        fill(part)
        descriptor = os.open(part, os.O_RDWR)
        try:
            os.fsync(descriptor)
            size = os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
        part.rename(path)
        fsync_folder(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):  # read-only: it stays, and is swept away at the next start
            part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in FULL_ERRNOS:
            raise DiskFullError(f"no room for {path.name}") from error
        if isinstance(error, OSError) and error.errno == errno.EROFS:
            raise ReadOnlyError(f"{path.name} cannot be written") from error
        raise
    return size


def write_file(
    path: Path, content: bytes | Iterable[bytes], limit: int | None = None, mode: int = 0o600
) -> int:
    """Writes a file of ``mode`` durably; returns its size in octets.

    Somebody else may write to the folder, too: a link that lies under the passing name is not followed.
    Raises TooLargeError past ``limit`` octets, DiskFullError without space.
    """

    def fill(part: Path) -> None:
        total = 0
        part.unlink(missing_ok=True)  # of an interrupted write
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        os.fchmod(descriptor, mode)
        with open(descriptor, "wb") as file:
            for chunk in (content,) if isinstance(content, bytes) else content:
                total += len(chunk)
                if limit is not None and total > limit:
                    raise TooLargeError(f"more than {limit} octets")
                file.write(chunk)

    return place(path, fill)


def create(path: Path) -> None:
    """Makes an empty file that only we may read (mode 600), whatever the umask."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    os.fchmod(descriptor, 0o600)
    os.close(descriptor)


def _all_of(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def shred(path: Path, octets_of: Callable[[BinaryIO], int] = _all_of) -> None:
    """Overwrites a file, or all in a folder, and deletes it: as far as the medium writes in place.

    ``octets_of`` says of an open file how many of its first octets are overwritten.  Flash memory and copying
    file systems may keep the old blocks.  What is not there is no error; of what is no file the name alone
    goes: nothing is written through a link or into a device.
    """
    if path.is_dir() and not path.is_symlink():
        for inner in path.iterdir():
            shred(inner, octets_of)
        path.rmdir()
        return
    try:
        state = path.lstat()
        if not stat.S_ISREG(state.st_mode):
            path.unlink()
            return
        if not state.st_mode & stat.S_IWUSR:
            path.chmod(0o600)  # whoever took the right away, it is the box's file
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return
    with open(descriptor, "r+b") as file:
        left = octets_of(file)
        file.seek(0)
        while left > 0:
            left -= file.write(bytes(min(left, _SHRED_PIECE)))
        file.flush()
        os.fsync(descriptor)
    path.unlink(missing_ok=True)
    fsync_folder(path.parent)


def sweep_parts(folder: Path) -> int:
    """Deletes the rests of interrupted writes in ``folder``; returns how many."""
    rests = [path for path in folder.iterdir() if path.name.endswith(PART_SUFFIX)]
    for path in rests:
        path.unlink(missing_ok=True)
    return len(rests)
