"""Files that survive a power cut: written under a temporary name, fsynced, renamed, folder fsynced.

A file has its final name only when its content is on disk, and the functions return only when the name is
on disk, too.  A database row that names a file is written after that, so that a row never names a missing
file.  A ``.part`` name found at the start is the remains of an interrupted write and is deleted.

A failing write raises ``DiskFullError`` or the OSError itself.  A leaf module, for spool and settings.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

_log = logging.getLogger(__name__)

PART_SUFFIX = ".part"
# Octets that are read at once, and that are overwritten with one write.
_PIECE, _SHRED_PIECE = 1 << 16, 1 << 20
# Errors that mean "no room": the file system, the quota, or the file size limit.
FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# What opening a link (with O_NOFOLLOW) and a socket or a device without driver ends in.
_NO_FILE = frozenset({errno.ELOOP, errno.ENXIO, errno.ENODEV})


class DiskFullError(Exception):
    """The disk has no space for a write (HTTP 507)."""


class ReadOnlyError(DiskFullError):
    """The file system refuses all writes, as after a disk error."""


class TooLargeError(Exception):
    """More octets than the caller allowed."""


class NotAFileError(OSError):
    """Something other than a file is in the place of a file; the message says what, and what to do."""


def require_file(path: Path) -> None:
    """Raises NotAFileError unless ``path`` is a file, a link to one, or does not exist.

    To be called before opening: opening a pipe blocks, and a link to a disk that is not mounted looks like a
    missing file.
    """
    what = _instead_of_file(path)
    if what:
        raise NotAFileError(
            f"{path} is {what} where a file belongs. Nothing was changed. Put the file back,"
            " or mount the disk that it is on; to go on without it, move away what is there."
        )


def pieces(path: Path) -> Iterator[bytes]:
    """The octets of a file, some at a time.  Raises OSError."""
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def open_file(path: Path) -> BinaryIO:
    """Opens a file that the box wrote, for reading.

    Raises NotAFileError for links, folders, pipes, sockets and devices, which the box never makes there;
    OSError.
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


def fsync_together(paths: Iterable[Path]) -> None:
    """Makes the content of these files and the names in these folders durable.

    At the same time, so that the file system writes its journal once for all of them, not once for each.
    """
    with contextlib.ExitStack() as opened:
        descriptors = []
        for path in paths:
            descriptors.append(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC))
            opened.callback(os.close, descriptors[-1])
        with ThreadPoolExecutor(len(descriptors)) as threads:
            list(threads.map(os.fsync, descriptors))


def make_folder(folder: Path) -> None:
    """Makes ``folder`` (mode 700, whatever the umask) and its missing parents, durably."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    fsync_folder(folder.parent)


def oldest_first(paths: Iterable[Path]) -> list[Path]:
    """These files by time of writing; those with a future time, which a wrong clock wrote, come first.

    So a caller that keeps the newest few does not keep those.
    """
    now = time.time()
    written = {path: path.stat().st_mtime for path in paths}
    return sorted(written, key=lambda path: (written[path] <= now, written[path]))


# The umask at the start of the process, for files that are meant for other users.
_started_with = [0o022]


def keep_private() -> None:
    """Sets umask 077 for this process and its children: new files are for its user alone."""
    _started_with[0] = os.umask(0o077)


def shared_mode() -> int:
    """The mode of files for other users, by the umask at the start of the process."""
    return 0o666 & ~_started_with[0]


def make_private(folder: Path) -> None:
    """Sets the modes of ``folder`` and all in it to 700 and 600.

    What belongs to another user is not changed, and is reported in the log.
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
            continue  # it was a temporary file
        except PermissionError:
            _log.warning("%s belongs to somebody else and can be read by others", path)


def place(path: Path, fill: Callable[[Path], object]) -> int:
    """Lets ``fill`` write a new file under a temporary name, then renames it durably.

    Returns its size in octets.  Raises DiskFullError without space, and whatever ``fill`` raises;
    then the temporary file is deleted.
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
        with contextlib.suppress(OSError):  # read-only: the next start deletes it
            part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in FULL_ERRNOS:
            raise DiskFullError(f"no room for {path.name}") from error
        if isinstance(error, OSError) and error.errno == errno.EROFS:
            raise ReadOnlyError(
                f"{error.filename or path.name} cannot be written, the disk is read-only"
            ) from error
        raise
    return size


def write_file(
    path: Path, content: bytes | Iterable[bytes], limit: int | None = None, mode: int = 0o600
) -> int:
    """Writes a file of ``mode`` durably; returns its size in octets.

    Another user may write to the folder, too: a link in the place of the temporary name is not followed.
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


def try_write(folder: Path) -> None:
    """Writes a file and deletes it again.  Raises DiskFullError, ReadOnlyError, OSError."""
    path = folder / "try-write"
    write_file(path, bytes(_PIECE))
    path.unlink()


def create(path: Path) -> None:
    """Makes an empty file of mode 600, whatever the umask."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    os.fchmod(descriptor, 0o600)
    os.close(descriptor)


def _all_of(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def shred(path: Path, octets_of: Callable[[BinaryIO], int] = _all_of) -> None:
    """Overwrites a file, or all in a folder, and deletes it: as far as the medium writes in place.

    ``octets_of`` gives the number of first octets of an open file to overwrite.  Flash memory and
    copy-on-write file systems may keep the old blocks.  A missing file is no error.  Of anything else than a
    file only the name is deleted: nothing is written through a link or into a device.
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
            path.chmod(0o600)  # it is the box's own file, whatever its mode
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
    """Deletes the remains of interrupted writes in ``folder``; returns their number."""
    rests = [path for path in folder.iterdir() if path.name.endswith(PART_SUFFIX)]
    for path in rests:
        path.unlink(missing_ok=True)
    return len(rests)
