"""Encrypts and decrypts folders.

Whenever the power fails, a folder is in its old or its new state: a copy is made beside it, then both are
exchanged in one step (renameat2(2), RENAME_EXCHANGE).  The folder beside it afterwards is the old one or an
unfinished copy, and is deleted.
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
    """There is no space for a copy of the folder."""


def octets_in(folder: Path) -> int:
    """The octets that a copy takes on the disk."""
    done = subprocess.run(["du", "-s", "-B1", "--", folder], stdout=subprocess.PIPE, check=True)
    return int(done.stdout.split()[0])


def is_as_wanted(folder: Path, identifier: bytes | None) -> bool:
    """Whether the folder is encrypted with the key ``identifier``, or, for None, not encrypted."""
    return fscrypt.policy_of(folder) == identifier


def move(folder: Path, identifier: bytes | None) -> None:
    """Encrypts the content of ``folder`` with a key that the kernel has; with None, decrypts it.

    The folder must not be in use.  Raises NoRoomError, OSError, subprocess.CalledProcessError, and leaves it
    unchanged then.
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
    """Deletes what ``move`` left beside the folder, and first overwrites what is readable."""
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
