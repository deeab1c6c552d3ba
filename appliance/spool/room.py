"""Whether the disk has room: refuse clearly before it is full, rather than break when it is."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from appliance.durable import FULL_ERRNOS, DiskFullError, ReadOnlyError
from appliance.settings.units import MB
from appliance.spool.model import Room

# Files that the file system must still have room for: a long fax takes one a page, with previews three.
FILES_KEPT = 500
# The file system is asked again after so long, seconds.
FRESH_S = 1.0
# Whether it still takes a change is tried so often, seconds: each try is one small write to its journal.
TRIED_EVERY_S = 10.0


@dataclass(slots=True)
class RoomGuard:
    """Knows how much room is left in ``data``.  Any thread."""

    data: Path
    _asked_at: float = float("-inf")
    _tried_at: float = float("-inf")
    _free: int = 0
    _read_only: bool = False

    @property
    def read_only(self) -> bool:
        """Whether the file system took nothing when it was last asked."""
        return self._read_only

    def free(self) -> int:
        """Octets that may still be written; none without room for more files, or when nothing may be."""
        now = time.monotonic()
        if now - self._asked_at >= FRESH_S:
            state = os.statvfs(self.data)
            # What only root may use is left alone: the box's daemon is not root.
            self._free = state.f_bavail * state.f_frsize
            self._read_only = bool(state.f_flag & os.ST_RDONLY) or self._takes_nothing(now)
            # Some file systems have no bound to the number of files, and say 0.
            if self._read_only or (state.f_files and state.f_favail < FILES_KEPT):
                self._free = 0
            self._asked_at = now
        return self._free

    def _takes_nothing(self, now: float) -> bool:
        """Whether a change is refused although the file system's flags do not say so.

        A file system that shuts itself after an error of its disk may refuse every change (EROFS, EIO) and be
        mounted for writing all the same: ext4 since Linux 6.12, XFS, Btrfs.
        """
        if self._read_only or now - self._tried_at >= TRIED_EVERY_S:
            self._tried_at = now
            try:
                os.utime(self.data)
            except OSError as error:
                return error.errno not in FULL_ERRNOS
        return False

    def room(self, reserve_mb: int, warn_mb: int) -> Room:
        free = self.free()
        if self._read_only or free < reserve_mb * MB:
            return Room.FULL
        return Room.LOW if free < warn_mb * MB else Room.PLENTY

    def require(self, reserve_mb: int, octets: int = 0) -> None:
        """Raises DiskFullError when ``octets`` more would eat into the reserve, ReadOnlyError."""
        free = self.free()
        if self._read_only:
            raise ReadOnlyError(f"{self.data} is read-only")
        if free - octets < reserve_mb * MB:
            raise DiskFullError(f"{free // MB} MB are free; {reserve_mb} MB are kept in reserve")
