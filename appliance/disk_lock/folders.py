"""Moves folders into encryption and out of it.

Whatever instant the power goes, a folder is as before or as wanted: a copy is made beside it, then both
change places in one step (renameat2(2), RENAME_EXCHANGE).  What stands beside afterwards is the old one, or a
copy that was not finished: both are deleted.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path

from appliance import durable
from appliance.disk_lock import fscrypt

_BESIDE = ".new"
_AT_CWD = -100
_EXCHANGE = 2


class NoRoomError(Exception):
    """There is no room for a copy of the folder."""


def octets_in(folder: Path) -> int:
    """What a copy takes on the disk."""
    done = subprocess.run(["du", "-s", "-B1", "--", folder], stdout=subprocess.PIPE, check=True)
    return int(done.stdout.split()[0])


def is_as_wanted(folder: Path, identifier: bytes | None) -> bool:
    """Whether the folder is encrypted with that key; with None, whether it is not encrypted."""
    return fscrypt.policy_of(folder) == identifier


def move(folder: Path, identifier: bytes | None) -> None:
    """Makes the content of ``folder`` encrypted with a key that the kernel has, or with None not encrypted.

    Nobody may be using it.  Raises NoRoomError, OSError, subprocess.CalledProcessError; then it is as before.
    """
    clear(folder)
    if is_as_wanted(folder, identifier):
        return
    if octets_in(folder) > shutil.disk_usage(folder).free:
        raise NoRoomError
    beside = _beside(folder)
    beside.mkdir(mode=0o700)
    try:
        if identifier is not None:
            fscrypt.encrypt(beside, identifier)
        subprocess.run(["cp", "-a", "--", f"{folder}/.", beside], check=True, stderr=subprocess.PIPE)
        shutil.copystat(folder, beside)
        state = folder.stat()
        os.chown(beside, state.st_uid, state.st_gid)
        os.sync()
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    _exchange(folder, beside)
    durable.fsync_folder(folder.parent)
    clear(folder)


def clear(folder: Path) -> None:
    """Deletes what a move left beside the folder; what can be read is overwritten before."""
    beside = _beside(folder)
    if not beside.exists():
        return
    if not fscrypt.locked(beside):
        for place, _, names in os.walk(beside):
            for each in (Path(place) / name for name in names):
                if each.is_file() and not each.is_symlink():
                    durable.shred(each)
    shutil.rmtree(beside)
    durable.fsync_folder(folder.parent)


def _beside(folder: Path) -> Path:
    return folder.with_name(folder.name + _BESIDE)


def _exchange(one: Path, other: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(_AT_CWD, os.fsencode(one), _AT_CWD, os.fsencode(other), _EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(one))
