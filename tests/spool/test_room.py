"""Free space on the disk, and a disk that refuses writing."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from appliance.durable import ReadOnlyError
from appliance.spool import room
from appliance.spool.model import Room
from appliance.spool.room import RoomGuard


@pytest.fixture
def guard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RoomGuard:
    """One that asks each time, of a folder that is mounted for writing."""
    monkeypatch.setattr(room, "FRESH_S", 0.0)
    monkeypatch.setattr(room, "TRIED_EVERY_S", 0.0)
    return RoomGuard(tmp_path)


@pytest.mark.parametrize("refusal", [errno.EROFS, errno.EIO])
def test_a_file_system_that_shut_itself_is_read_only_whatever_its_flags_say(
    guard: RoomGuard, refusal: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ext4 does since Linux 6.12, XFS and Btrfs: here only the kernel's answer is made up."""

    def refuse(path: Path) -> None:
        raise OSError(refusal, os.strerror(refusal), str(path))

    assert (guard.room(0, 0), guard.read_only) == (Room.PLENTY, False)
    with monkeypatch.context() as broken:
        broken.setattr(os, "utime", refuse)
        assert (guard.room(0, 0), guard.read_only) == (Room.FULL, True)
        with pytest.raises(ReadOnlyError):
            guard.require(0)
    assert (guard.room(0, 0), guard.read_only) == (Room.PLENTY, False), "it is noticed when it is mended"


def test_a_full_disk_is_not_taken_for_a_read_only_one(
    guard: RoomGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(os, "utime", full)
    guard.require(0)
    assert not guard.read_only
