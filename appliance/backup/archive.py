"""Writes and reads a plain tar archive (ustar), which any tar program can read.

Only regular files with the names that this module writes are read: no links, folders, sparse files or long
names, so nothing can leave its folder, and nothing grows when it is read.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from appliance.backup.causes import BACKUP_DAMAGED
from appliance.backup.sealed import BackupError

_BLOCK = tarfile.BLOCKSIZE
_NAME = re.compile(r"backup\.json|settings\.json|received/[0-9]{1,8}(?:\.json|-[0-9]{1,4}\.tiff)")
PIECE = 64 * 1024


class Sink(Protocol):
    """Where an archive is written to."""

    def write(self, octets: bytes, /) -> object:
        """Writes all of ``octets``."""


class ArchiveSource(Protocol):
    """Where an archive is read from."""

    def read(self, count: int, /) -> bytes:
        """The next ``count`` octets, fewer only at the end."""


def put(sink: Sink, name: str, size: int, content: BinaryIO, made_at: float) -> None:
    """Writes an entry of ``size`` octets.  Raises OSError when the content is shorter."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = size, int(made_at), 0o600
    sink.write(entry.tobuf(tarfile.USTAR_FORMAT))
    left = size
    while left:
        piece = content.read(min(PIECE, left))
        if not piece:
            raise OSError(f"{name} became shorter while it was read")
        sink.write(piece)
        left -= len(piece)
    sink.write(bytes(-size % _BLOCK))


def end(sink: Sink) -> None:
    """Writes the end of an archive: two empty blocks."""
    sink.write(bytes(2 * _BLOCK))


class ArchiveEntry:
    """An entry of an archive that is being read; its content is read before the next entry."""

    def __init__(self, source: ArchiveSource, name: str, size: int) -> None:
        self.name = name
        self.size = size
        self._source = source
        self._left = size

    def pieces(self) -> Iterator[bytes]:
        """The content in pieces.  Raises BackupError."""
        while self._left:
            piece = self._source.read(min(PIECE, self._left))
            if not piece:
                raise BackupError(BACKUP_DAMAGED, f"It ends within {self.name}.")
            self._left -= len(piece)
            yield piece
        self._source.read(-self.size % _BLOCK)

    def content(self, limit: int) -> bytes:
        """The whole content.  Raises BackupError past ``limit`` octets."""
        if self.size > limit:
            raise BackupError(BACKUP_DAMAGED, f"{self.name} is larger than {limit} octets.")
        return b"".join(self.pieces())


def entries(source: ArchiveSource) -> Iterator[ArchiveEntry]:
    """The entries of an archive, to its end.  Raises BackupError for one that this module would not write."""
    while True:
        head = source.read(_BLOCK)
        if head == bytes(_BLOCK):
            while source.read(PIECE):  # checks what follows the end, too
                pass
            return
        try:
            found = tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
        except tarfile.HeaderError:
            raise BackupError(BACKUP_DAMAGED, "An entry has no head.") from None
        if found.type != tarfile.REGTYPE or not _NAME.fullmatch(found.name) or found.size < 0:
            raise BackupError(BACKUP_DAMAGED, f"It holds something that no backup does: {found.name[:60]!r}.")
        yield ArchiveEntry(source, found.name, found.size)
