"""Free space on the disk: work is refused before the disk is full."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from appliance.durable import FULL_ERRNOS, DiskFullError, ReadOnlyError
from appliance.settings.units import MB
from appliance.spool.model import Room

# Free inodes that the file system must have: a long fax takes one a page, with previews three.
FILES_KEPT = 500
# The file system's answer is used for this long, seconds.
FRESH_S = 1.0
# The interval at which a write is tried, seconds: each try is one small write to the file system's journal.
TRIED_EVERY_S = 10.0


@dataclass(slots=True)
class RoomGuard:
    """Measures the free space in ``data``.  Thread-safe."""

    data: Path
    _asked_at: float = float("-inf")
    _tried_at: float = float("-inf")
    _free: int = 0
    _read_only: bool = False

    @property
    def read_only(self) -> bool:
        """Whether the file system refused a write at the last try."""
        return self._read_only

    def free(self) -> int:
        """Octets that may still be written; 0 without free inodes, or when writing is refused."""
        now = time.monotonic()
        if now - self._asked_at >= FRESH_S:
            state = os.statvfs(self.data)
            # Without the blocks reserved for root: the daemon is not root.
            self._free = state.f_bavail * state.f_frsize
            self._read_only = bool(state.f_flag & os.ST_RDONLY) or self._takes_nothing(now)
            # Some file systems have no limit of files, and report 0.
            if self._read_only or (state.f_files and state.f_favail < FILES_KEPT):
                self._free = 0
            self._asked_at = now
        return self._free

    def _takes_nothing(self, now: float) -> bool:
        """Whether writing is refused although the file system's flags allow it.

        A file system that shuts down after a disk error may refuse every write (EROFS, EIO) while it is still
        mounted for writing: ext4 since Linux 6.12, XFS, Btrfs.
        """
        if self._read_only or now - self._tried_at >= TRIED_EVERY_S:
            self._tried_at = now
            try:
                os.utime(self.data)
            except OSError as error:
                return error.errno not in FULL_ERRNOS
        return False

    def room(self, reserve_mb: int, warn_mb: int) -> Room:
        """How much room is left, given the reserve and the limit to warn at, both in MB."""
        free = self.free()
        if self._read_only or free < reserve_mb * MB:
            return Room.FULL
        return Room.LOW if free < warn_mb * MB else Room.PLENTY

    def require(self, reserve_mb: int, octets: int = 0) -> None:
        """Raises DiskFullError when ``octets`` more would use the reserve, ReadOnlyError."""
        free = self.free()
        if self._read_only:
            raise ReadOnlyError(f"{self.data} is read-only")
        if free - octets < reserve_mb * MB:
            raise DiskFullError(f"{free // MB} MB are free; {reserve_mb} MB are kept in reserve")
