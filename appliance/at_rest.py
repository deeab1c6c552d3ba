"""Encryption at rest: files below a locked folder are encrypted when written and decrypted when read.

A file is a header and pieces of 64 KiB, each AES-256-GCM with a key of the file's own, which the header
carries wrapped in the box's key.  A piece's nonce is its number and whether it is the last one, so pieces can
be read in any order, and none can be changed, left out, moved or cut off.  Overwriting the header alone makes
the rest unreadable for good.  Files that were written before the folder was locked are read as they are.

Keys are registered by their id for the whole process, which may run several boxes (in tests).
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import os
import secrets
import shutil
import struct
import tempfile
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from appliance import durable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_OCTETS = 32
# Octets of content in one piece: a piece is the unit of reading.
PIECE = 1 << 16
_MAGIC = b"FAXSEAL1"
_ID_OCTETS = 8
_NONCE_OCTETS = 12
_TAG_OCTETS = 16
_WRAPPED_OCTETS = KEY_OCTETS + _TAG_OCTETS
HEADER_OCTETS = len(_MAGIC) + _ID_OCTETS + _NONCE_OCTETS + _WRAPPED_OCTETS
_TEXT_MARK = "sealed:"
# The replacement of a text whose key is missing.
UNREADABLE = "(encrypted with a key that is not here)"
# A file system in memory, for temporary plain copies.
_MEMORY = Path("/dev/shm")
# Free octets that a disk needs for temporary copies: a long fax as a PDF takes some megabytes.
_COPIES_OCTETS = 32 << 20


class SealedError(OSError):
    """An encrypted file cannot be read: its key is missing, or the file was changed."""


class _ChangedError(Exception):
    """The encrypted content was changed."""


def _aes(key: bytes) -> AESGCM:
    # Imported here: it takes megabytes, which a box without encryption does not need.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    return AESGCM(key)


def _decrypt(cipher: AESGCM, nonce: bytes, coded: bytes, bound: bytes | None = None) -> bytes:
    """Decrypts; ``bound``: associated data, which is not encrypted.  Raises _ChangedError."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415

    try:
        return cipher.decrypt(nonce, coded, bound)
    except (InvalidTag, ValueError) as error:
        raise _ChangedError from error


_lock = threading.Lock()
_keys: dict[bytes, AESGCM] = {}
_folders: dict[Path, bytes] = {}


def id_of(key: bytes) -> bytes:
    """The id of a key, from which the key cannot be derived."""
    return hashlib.sha256(b"faxbox key id" + key).digest()[:_ID_OCTETS]


def know(key: bytes) -> bytes:
    """Registers ``key`` (32 octets) for decryption; returns its id."""
    key_id = id_of(key)
    with _lock:
        _keys[key_id] = _aes(key)
    return key_id


def lock_folder(folder: Path, key: bytes) -> None:
    """Encrypts with ``key`` what is written below ``folder`` from now on."""
    key_id = know(key)
    with _lock:
        _folders[folder.absolute()] = key_id


def unlock_folder(folder: Path) -> None:
    """Ends encryption of what is written below ``folder``."""
    with _lock:
        _folders.pop(folder.absolute(), None)


def locked(path: Path) -> bool:
    """Whether a file written there is encrypted."""
    return _key_for(path) is not None


def _key_for(path: Path) -> bytes | None:
    with _lock:
        root = _root_of(path)
        return None if root is None else _folders[root]


def _root_of(path: Path) -> Path | None:
    whole = path.absolute()
    return next((folder for folder in _folders if whole.is_relative_to(folder)), None)


def _cipher(key_id: bytes) -> AESGCM:
    with _lock:
        found = _keys.get(key_id)
    if found is None:
        raise SealedError("it is encrypted with a key that is not here")
    return found


# -- writing -----------------------------------------------------------------------------------------


def _nonce(number: int, last: bool) -> bytes:
    return struct.pack(">QI", number, last)


def _seal(key_id: bytes, content: Iterable[bytes]) -> Iterator[bytes]:
    file_key, nonce = secrets.token_bytes(KEY_OCTETS), secrets.token_bytes(_NONCE_OCTETS)
    head = _MAGIC + key_id + nonce
    yield head + _cipher(key_id).encrypt(nonce, file_key, head)
    cipher, pending, number = _aes(file_key), bytearray(), 0
    for chunk in content:
        pending += chunk
        while len(pending) > PIECE:
            yield cipher.encrypt(_nonce(number, False), bytes(pending[:PIECE]), None)
            del pending[:PIECE]
            number += 1
    yield cipher.encrypt(_nonce(number, True), bytes(pending), None)


def write_file(path: Path, content: bytes | Iterable[bytes], limit: int | None = None) -> int:
    """``durable.write_file``, encrypted where the folder is locked; returns the octets of the content."""
    key_id = _key_for(path)
    if key_id is None:
        return durable.write_file(path, content, limit)
    total = 0

    def counted() -> Iterator[bytes]:
        nonlocal total
        for chunk in (content,) if isinstance(content, bytes) else content:
            total += len(chunk)
            if limit is not None and total > limit:
                raise durable.TooLargeError(f"more than {limit} octets")
            yield chunk

    durable.write_file(path, _seal(key_id, counted()))
    return total


def seal_file(path: Path, *, overwrite: bool) -> bool:
    """Encrypts a file that was written before its folder was locked; returns False when it is encrypted.

    After a power cut there is the old file or the new one.  ``overwrite``: the old content is overwritten on
    the disk; only for files that nobody is reading.
    """
    key_id = _key_for(path)
    if key_id is None:
        return False
    with path.open("r+b") as old:
        if old.read(len(_MAGIC)) == _MAGIC:
            return False
        old.seek(0)
        state = os.fstat(old.fileno())

        def fill(part: Path) -> None:
            part.unlink(missing_ok=True)
            durable.create(part)
            with part.open("wb") as new:
                new.writelines(_seal(key_id, iter(lambda: old.read(PIECE), b"")))
            os.utime(part, (state.st_atime, state.st_mtime))

        durable.place(path, fill)
        if overwrite and os.fstat(old.fileno()).st_nlink == 0:  # otherwise it has another hard link
            old.seek(0)
            left = state.st_size
            while left > 0:
                left -= old.write(bytes(min(left, PIECE)))
            old.flush()
            os.fsync(old.fileno())
    return True


def settle(made: Path, place: Path) -> None:
    """Moves a folder of files from ``temporary_root`` to ``place``, durably, once they are on disk."""
    if locked(place):
        beside = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
        try:
            for path in made.iterdir():
                with path.open("rb") as file:
                    write_file(beside / path.name, iter(lambda: file.read(PIECE), b""))
            shutil.rmtree(made)
            made = beside
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
    durable.fsync_together([made, *made.iterdir()])
    made.chmod(0o750)
    made.rename(place)
    durable.fsync_folder(place.parent)


def temporary_root(folder: Path) -> Path:
    """The folder for temporary plain copies: in memory when ``folder`` is locked, else ``folder`` itself."""
    with _lock:
        root = _root_of(folder)
    return folder if root is None or not _MEMORY.is_dir() else _in_memory(root)


def reading_root(data: Path) -> Path:
    """The folder for temporary copies of what the box has, made to be read and deleted at once.

    In memory also where the disk is full or read-only: then an owner wants to save what is there.
    """
    place = temporary_root(data)
    return _in_memory(data) if place == data and _MEMORY.is_dir() and not _takes_copies(data) else place


def _takes_copies(folder: Path) -> bool:
    try:
        os.utime(folder)  # the flags of a file system that failed may allow writing all the same
        state = os.statvfs(folder)
    except OSError:
        return False
    return state.f_bavail * state.f_frsize >= _COPIES_OCTETS


def _in_memory(folder: Path) -> Path:
    """A folder in memory for ``folder``, for this user alone.  Raises SealedError."""
    place = _memory_of(folder)
    with contextlib.suppress(FileExistsError):
        place.mkdir(mode=0o700)
    state = place.lstat()
    if not place.is_dir() or place.is_symlink() or state.st_uid != os.getuid() or state.st_mode & 0o077:
        raise SealedError(f"{place} is somebody else's")
    return place


def _memory_of(folder: Path) -> Path:
    digest = hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:16]
    return _MEMORY / f"faxbox-{os.getuid()}-{digest}"


def clear_temporary(folder: Path) -> None:
    """Deletes plain copies that a crash left, at start, before anything writes."""
    shutil.rmtree(_memory_of(folder), ignore_errors=True)


def shred(path: Path) -> None:
    """``durable.shred``; of an encrypted file it overwrites the header only, which has its key."""
    durable.shred(path, _to_overwrite)


def _to_overwrite(file: BinaryIO) -> int:
    sealed = file.read(len(_MAGIC)) == _MAGIC
    return HEADER_OCTETS if sealed else os.fstat(file.fileno()).st_size


# -- reading -----------------------------------------------------------------------------------------


class _Sealed(io.RawIOBase):
    """The decrypted content of a file.  Holds one piece in memory."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        super().__init__()
        self._file, self._name = file, name
        head = file.read(HEADER_OCTETS)
        cut = len(_MAGIC) + _ID_OCTETS + _NONCE_OCTETS
        key_id = head[len(_MAGIC) : len(_MAGIC) + _ID_OCTETS]
        if len(head) < HEADER_OCTETS:
            raise self._changed()
        try:
            cipher = _cipher(key_id)
            self._cipher = _aes(_decrypt(cipher, head[cut - _NONCE_OCTETS : cut], head[cut:], head[:cut]))
        except _ChangedError:
            raise self._changed() from None
        except SealedError as error:
            raise SealedError(f"{name}: {error}") from None
        whole = os.fstat(file.fileno()).st_size - HEADER_OCTETS
        self._pieces = max(1, -(-whole // (PIECE + _TAG_OCTETS)))
        self._size = whole - self._pieces * _TAG_OCTETS
        if self._size < 0:
            raise self._changed()
        self._at = 0
        self._held: tuple[int, bytes] = (-1, b"")
        # Reads the last piece, which shows that the file was not truncated.
        self._piece(self._pieces - 1)

    def _changed(self) -> SealedError:
        return SealedError(f"{self._name} was changed or damaged on the disk")

    def _piece(self, number: int) -> bytes:
        if self._held[0] != number:
            self._file.seek(HEADER_OCTETS + number * (PIECE + _TAG_OCTETS))
            coded = self._file.read(PIECE + _TAG_OCTETS)
            last = number == self._pieces - 1
            try:
                self._held = number, _decrypt(self._cipher, _nonce(number, last), coded)
            except _ChangedError:
                raise self._changed() from None
        return self._held[1]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError("before the start of the file")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if self._at >= self._size:
            return 0
        number, skip = divmod(self._at, PIECE)
        found = self._piece(number)[skip : skip + len(buffer)]
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)

    def close(self) -> None:
        self._file.close()
        super().close()


def open_file(path: Path) -> BinaryIO:
    """Opens a file for reading its decrypted content.  Raises OSError (SealedError, NotAFileError)."""
    file = durable.open_file(path)
    try:
        if file.read(len(_MAGIC)) != _MAGIC:
            file.seek(0)
            return file
        file.seek(0)
        return cast(BinaryIO, io.BufferedReader(_Sealed(file, path.name)))
    except BaseException:
        file.close()
        raise


def read_bytes(path: Path) -> bytes:
    """The decrypted content of a file.  Raises OSError (SealedError)."""
    with open_file(path) as file:
        return file.read()


def open_plain(path: Path, limit: int) -> IO[bytes]:
    """A file whose descriptor may be passed to another process; of an encrypted one, a copy in memory.

    Raises OSError (SealedError, NotAFileError), durable.TooLargeError past ``limit`` octets.
    """
    file = durable.open_file(path)
    descriptor = file.fileno()
    try:
        if os.fstat(descriptor).st_size > limit + HEADER_OCTETS + (limit // PIECE + 1) * _TAG_OCTETS:
            raise durable.TooLargeError(f"more than {limit} octets")
        # The file offset is shared with the process that gets the descriptor, so it stays at 0.
        if os.pread(descriptor, len(_MAGIC), 0) != _MAGIC:
            if os.fstat(descriptor).st_size > limit:
                raise durable.TooLargeError(f"more than {limit} octets")
            return file
    except BaseException:
        file.close()
        raise
    with _Sealed(file, path.name) as source:
        copy = os.fdopen(os.memfd_create("plain", os.MFD_CLOEXEC), "w+b")
        try:
            shutil.copyfileobj(cast(IO[bytes], source), copy, PIECE)
            copy.flush()
            os.lseek(copy.fileno(), 0, os.SEEK_SET)
        except BaseException:
            copy.close()
            raise
    return copy


# -- texts in the index ------------------------------------------------------------------------------


def seal_text(folder: Path, text: str) -> str:
    """A text for the index of ``folder``: encrypted when that is locked."""
    key_id = _key_for(folder)
    if key_id is None or not text or text.startswith(_TEXT_MARK):
        return text
    nonce = secrets.token_bytes(_NONCE_OCTETS)
    coded = key_id + nonce + _cipher(key_id).encrypt(nonce, text.encode(), key_id)
    return _TEXT_MARK + base64.b64encode(coded).decode()


def open_text(text: str) -> str:
    """The inverse of ``seal_text``; ``UNREADABLE`` without its key or when it was changed."""
    if not text.startswith(_TEXT_MARK):
        return text
    try:
        coded = base64.b64decode(text.removeprefix(_TEXT_MARK), validate=True)
        key_id, nonce = coded[:_ID_OCTETS], coded[_ID_OCTETS : _ID_OCTETS + _NONCE_OCTETS]
        return _decrypt(_cipher(key_id), nonce, coded[_ID_OCTETS + _NONCE_OCTETS :], key_id).decode()
    except (ValueError, _ChangedError, SealedError):
        return UNREADABLE
