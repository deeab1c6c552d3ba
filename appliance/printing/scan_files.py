"""The files of a scan folder: which are complete, and where each goes.

A device writes a file into the folder itself.  Complete, it is moved into ``taken/<id>/`` under its own name,
and stays there until the box has made its pages.  Then it goes to ``faxed/<number of the fax>/``, or to
``refused/<moment>_<id>/`` with the reason in a file beside it.  Each move is one rename: a file is always in
one place, and its id is fixed before the box hears of it.

Whoever may write to the folder is not trusted: names are never opened through links, sizes are bounded.
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

TAKEN, FAXED, REFUSED = "taken", "faxed", "refused"
# The sentence beside a file that was set aside; the second name is for a scan that has the first.
_REASONS = ("reason.txt", "_reason.txt")
# Files looked at in one folder, and taken at one look.
MOST_LOOKED_AT, AT_ONCE = 10_000, 100
# Names of files that a program is still writing, or that are no documents.
_PASSING_SUFFIXES = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".swp", ".lock")
_PASSING_NAMES = frozenset({"thumbs.db", "desktop.ini"})
# A PDF's last mark stands within so many octets of its end (ISO 32000-1 Annex H, note 18: 1024; some
# devices fill up the last block).
_PDF_END_WITHIN = 8192
_PIECE = 1 << 16


class ScanError(Exception):
    """This file cannot be a fax; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Look:
    """What tells a file that grows from one that is complete."""

    inode: int
    octets: int
    changed_ns: int

    @classmethod
    def at(cls, state: os.stat_result) -> Look:
        return cls(state.st_ino, state.st_size, state.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that was taken: ``id`` is its own for ever, ``folder`` holds it alone."""

    id: str
    folder: Path
    path: Path

    @property
    def name(self) -> str:
        """Its name as one line, whatever octets that is made of."""
        return clean_line(self.path.name.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))

    def pieces(self, limit: int) -> Iterator[bytes]:
        """The file.  Raises ScanError, OSError."""
        with open_plain(self.path, limit) as descriptor, open(descriptor, "rb", closefd=False) as file:
            while piece := file.read(_PIECE):
                yield piece


@contextlib.contextmanager
def open_plain(path: Path, limit: int) -> Iterator[int]:
    """A descriptor of a plain file.

    Raises ScanError for anything else and for more than ``limit`` octets, OSError.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):  # a device may do something when it is opened
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


def is_passing(name: str) -> bool:
    """Whether a file of this name is not meant for us, or not yet."""
    plain = name.lower()
    return (
        plain.startswith((".", "~")) or plain.endswith(("~", *_PASSING_SUFFIXES)) or plain in _PASSING_NAMES
    )


def has_writer(descriptor: int) -> bool:
    """Whether some program of this machine has the file open for writing, as far as the kernel tells us.

    It gives a read lease on a file alone that nobody writes (fcntl(2), F_SETLEASE); none at all on files of
    other users and on network file systems: there it is not known, and the answer is no.
    """
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def is_cut_off(descriptor: int) -> bool:
    """Whether it is a PDF whose end has not come."""
    if os.pread(descriptor, 5, 0) != b"%PDF-":
        return False
    size = os.fstat(descriptor).st_size
    return b"%%EOF" not in os.pread(descriptor, _PDF_END_WITHIN, max(size - _PDF_END_WITHIN, 0))


class ScanFiles:
    """Raises OSError, as every method does, when the folder cannot be used."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Who may use the folder may look into those that we make in it.
        self._mode = stat.S_IMODE(folder.stat().st_mode)
        for name in (TAKEN, FAXED, REFUSED):
            if not os.path.lexists(folder / name):
                self._make(folder / name)
            if not stat.S_ISDIR((folder / name).lstat().st_mode):
                raise NotADirectoryError(errno.ENOTDIR, "must be a folder", str(folder / name))

    def _make(self, path: Path) -> None:
        path.mkdir()
        path.chmod(self._mode)

    def waiting(self) -> dict[str, Look]:
        """The files that may be scans, the first names of them, each as it is now."""
        found: dict[str, Look] = {}
        with os.scandir(self.folder) as entries:
            for entry in islice(entries, MOST_LOOKED_AT):
                if entry.is_dir(follow_symlinks=False) or is_passing(entry.name):
                    continue
                with contextlib.suppress(FileNotFoundError):
                    found[entry.name] = Look.at(entry.stat(follow_symlinks=False))
        return {name: found[name] for name in nsmallest(AT_ONCE, found)}

    def take(self, name: str) -> Claim:
        """Moves a file out of the device's reach, durably.  Raises FileNotFoundError when it has gone."""
        number = uuid4().hex
        own = self.folder / TAKEN / number
        self._make(own)
        try:
            os.rename(self.folder / name, own / name)
        except OSError:
            own.rmdir()
            raise
        # What was handed in must never come back under its old name after a power cut.
        for folder in (own, own.parent, self.folder):
            fsync_folder(folder)
        return Claim(number, own, own / name)

    def claims(self) -> list[Claim]:
        """What was taken and is not done with; what a kill left empty is cleared away."""
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
        """The fax's pages are made."""
        self._move(claim, self.folder / FAXED / fax)

    def refuse(self, claim: Claim, why: str) -> Path:
        """Sets a file aside with a sentence beside it; where it is now."""
        reason = claim.folder / next(name for name in _REASONS if name != claim.path.name)
        with contextlib.suppress(FileNotFoundError):  # of a try that was killed
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
        """Deletes what was done with before these moments (Unix time)."""
        for kind, before in ((FAXED, faxed_before), (REFUSED, refused_before)):
            for own in (self.folder / kind).iterdir():
                state = own.lstat()
                if stat.S_ISDIR(state.st_mode) and state.st_ctime < before:
                    shutil.rmtree(own, ignore_errors=True)
