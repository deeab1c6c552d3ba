"""The files of a scan folder: which are complete, and where each is kept.

A device writes a file into the folder.  Once complete, it is moved into ``taken/<id>/`` under its own name,
and stays there until its pages are made.  Then it goes to ``faxed/<number of the fax>/``, or to
``refused/<moment>_<id>/`` with a file beside it that says why.  Each move is one rename: a file is always in
exactly one place, and its id is fixed before it is handed in.

Whoever can write to the folder is not trusted: links are never followed, sizes are limited.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import nsmallest
from itertools import islice
from pathlib import Path
from uuid import uuid4

from appliance.documents.options import clean_line
from appliance.durable import fsync_folder
from appliance.language import said
from appliance.printing.entries import has_pdf_end

TAKEN, FAXED, REFUSED = "taken", "faxed", "refused"
# The file with the reason beside a refused scan; the second name is for a scan that has the first.
_REASONS = ("reason.txt", "_reason.txt")
# The most files looked at in one folder, and taken at one look.
MOST_LOOKED_AT, AT_ONCE = 10_000, 100
# Suffixes of files that are still being written, or are no documents.
_PASSING_SUFFIXES = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".swp", ".lock")
_PASSING_NAMES = frozenset({"thumbs.db", "desktop.ini"})
_PIECE = 1 << 16


class ScanError(Exception):
    """This file cannot be a fax; the message is a sentence for the user."""


@dataclass(frozen=True, slots=True)
class FileState:
    """The state of a file at one moment: two equal ones say that it did not change in between."""

    inode: int
    octets: int
    changed_ns: int

    @classmethod
    def at(cls, state: os.stat_result) -> FileState:
        """From the result of ``stat``."""
        return cls(state.st_ino, state.st_size, state.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that was taken: ``id`` never changes, ``folder`` holds only this file."""

    id: str
    folder: Path
    path: Path

    @property
    def name(self) -> str:
        """The file's name as one line of text, whatever octets it consists of."""
        return clean_line(self.path.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))

    def pieces(self, limit: int) -> Iterator[bytes]:
        """The file's octets.  Raises ScanError, also beyond ``limit`` octets, and OSError."""
        with open_plain(self.path, limit) as descriptor, open(descriptor, "rb", closefd=False) as file:
            while piece := file.read(_PIECE):
                yield piece


@contextlib.contextmanager
def open_plain(path: Path, limit: int) -> Iterator[int]:
    """A read-only descriptor of a regular file, closed at the end of the block.

    Raises ScanError for anything else and for more than ``limit`` octets, OSError.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):  # opening a device may have effects
            raise ScanError(said("It is no plain file."))
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        raise ScanError(said("The box may not read it.")) from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise ScanError(said("It is no plain file.")) from None
        raise
    try:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise ScanError(said("It is no plain file."))
        if state.st_nlink != 1:
            raise ScanError(said("It is a link to another file."))
        if state.st_size > limit:
            raise ScanError(said("It is too large for a fax."))
        yield descriptor
    finally:
        os.close(descriptor)


def is_temporary(name: str) -> bool:
    """Whether a file of this name is temporary or hidden and not to be taken."""
    plain = name.lower()
    return (
        plain.startswith((".", "~")) or plain.endswith(("~", *_PASSING_SUFFIXES)) or plain in _PASSING_NAMES
    )


def has_writer(descriptor: int) -> bool:
    """Whether a program on this machine has the file open for writing, as far as the kernel tells.

    A read lease is granted only on a file that nobody has open for writing (fcntl(2), F_SETLEASE).  On files
    of other users and on network file systems it is never granted: then the answer is no.
    """
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def is_cut_off(descriptor: int) -> bool:
    """Whether it is a PDF whose end is missing."""
    return os.pread(descriptor, 5, 0) == b"%PDF-" and not has_pdf_end(
        descriptor, os.fstat(descriptor).st_size
    )


class ScanFiles:
    """A scan folder.  Each method raises OSError when the folder cannot be used."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Subfolders have the same access rights as the scan folder.
        self._mode = stat.S_IMODE(folder.stat().st_mode)
        for name in (TAKEN, FAXED, REFUSED):
            if not os.path.lexists(folder / name):
                self._make(folder / name)
            if not stat.S_ISDIR((folder / name).lstat().st_mode):
                raise NotADirectoryError(errno.ENOTDIR, "must be a folder", str(folder / name))

    def _make(self, path: Path) -> None:
        path.mkdir()
        path.chmod(self._mode)

    def waiting(self) -> dict[str, FileState]:
        """The files that may be scans, the first ones by name, each with its present state."""
        found: dict[str, FileState] = {}
        with os.scandir(self.folder) as entries:
            for entry in islice(entries, MOST_LOOKED_AT):
                if entry.is_dir(follow_symlinks=False) or is_temporary(entry.name):
                    continue
                with contextlib.suppress(FileNotFoundError):
                    found[entry.name] = FileState.at(entry.stat(follow_symlinks=False))
        return {name: found[name] for name in nsmallest(AT_ONCE, found)}

    def take(self, name: str) -> Claim:
        """Moves a file into ``taken``, durably.  Raises FileNotFoundError when it has gone."""
        number = uuid4().hex
        own = self.folder / TAKEN / number
        self._make(own)
        try:
            os.rename(self.folder / name, own / name)
        except OSError:
            own.rmdir()
            raise
        # After a power cut, a file that was handed in must not be back under its old name.
        for folder in (own, own.parent, self.folder):
            fsync_folder(folder)
        return Claim(number, own, own / name)

    def claims(self) -> list[Claim]:
        """The files in ``taken``; empty folders, left by a kill, are removed."""
        found = []
        for own in sorted((self.folder / TAKEN).iterdir()):
            if not stat.S_ISDIR(own.lstat().st_mode):
                continue
            inside = sorted(own.iterdir(), key=lambda path: (path.name in _REASONS, path.name != _REASONS[0]))
            if inside:
                found.append(Claim(own.name, own, inside[0]))
            else:
                own.rmdir()
        return found

    def done(self, claim: Claim, fax: str) -> None:
        """Moves a file to ``faxed``: the pages of the fax numbered ``fax`` are made."""
        self._move(claim, self.folder / FAXED / fax)

    def refuse(self, claim: Claim, why: str) -> Path:
        """Moves a file to ``refused`` with the sentence ``why`` beside it; returns its new place."""
        reason = claim.folder / next(name for name in _REASONS if name != claim.path.name)
        with contextlib.suppress(FileNotFoundError):  # left by an attempt that was killed
            reason.unlink()
        descriptor = os.open(reason, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, self._mode & 0o666)
            file.write(f"{claim.name}\n{why}\n")
        moment = datetime.now().strftime("%Y-%m-%d_%H%M%S")
        target = self.folder / REFUSED / f"{moment}_{claim.id[:8]}"
        self._move(claim, target)
        return target

    @staticmethod
    def _move(claim: Claim, target: Path) -> None:
        try:
            os.rename(claim.folder, target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                raise
            os.rename(claim.folder, target.with_name(f"{target.name}_{claim.id}"))

    def sweep(self, faxed_before: float, refused_before: float) -> None:
        """Deletes faxed and refused files that are older than these moments (Unix time)."""
        for kind, before in ((FAXED, faxed_before), (REFUSED, refused_before)):
            for own in (self.folder / kind).iterdir():
                state = own.lstat()
                if stat.S_ISDIR(state.st_mode) and state.st_ctime < before:
                    shutil.rmtree(own, ignore_errors=True)
