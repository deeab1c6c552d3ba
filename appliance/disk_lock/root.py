"""Root's part of the disk lock: at the start, after unlocking, and for the owner's requests."""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import shutil
import subprocess
import time
from pathlib import Path

from appliance.disk_lock import folders, fscrypt, lock_file, owner, sticks
from appliance.disk_lock.lock_file import Lock, OpenedBy, WrongKeyError
from appliance.disk_lock.owner import Action, LockRequest, LockStep, Reason
from appliance.passphrases import PASSPHRASE_MAX, PASSPHRASE_MIN

# Where the initial RAM disk mounts the data partition, and which folders are locked: all with data about
# faxes.  Not Wi-Fi, the queues of CUPS and the time: without them the box could not ask for its passphrase.
KEPT = owner.DISK / "keep"
FOLDERS = (
    Path("/var/lib/faxbox"),
    Path("/var/spool/faxbox"),
    Path("/var/spool/cups"),
    Path("/var/log/faxbox"),
)
# While this file exists, the services below are not started.
MARK = Path("/run/faxbox-image/locked")
BOX = "faxbox.service"
# This service also applies settings from the card's first partition.
PRESET = "faxbox-image-preset.service"
# The services that use the folders, in the order in which they start.
SERVICES = (
    "faxbox-panel.service",
    "cups.socket",
    "cups.path",
    "cups.service",
    "faxbox-image-printing.service",
    "faxbox-log-tail.timer",
)
FIREWALL = Path("/usr/lib/faxbox-image/firewall")
_GROUP = "faxbox"
# Seconds after the start of the kernel within which a plugged-in stick is found.
STICK_S, _LOOK_EVERY_S = 20.0, 0.5


# Reasons to refuse a stick.
_STICK_REASONS = (
    (sticks.NoStickError, Reason.NO_STICK),
    (sticks.SeveralSticksError, Reason.SEVERAL_STICKS),
    (sticks.KeyThereError, Reason.STICK_HAS_KEY),
    (sticks.StickError, Reason.STICK_UNWRITABLE),
)


class LockRefusedError(Exception):
    """The owner's request cannot be carried out.  Nothing was changed."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


def start() -> bool:
    """Before the services start: unlocks the disk with a stick and completes an interrupted change;
    returns whether the disk is unlocked.
    """
    lock = owner.lock_of_the_disk()
    if lock is None:
        return True
    MARK.touch()
    _readable_by_the_box()
    end = time.monotonic() + (STICK_S if lock.opened_by is OpenedBy.STICK else 0.0)
    while not _open_with_a_stick(lock):
        if time.monotonic() >= end:
            return False
        time.sleep(_LOOK_EVERY_S)
    _move_what_is_not_as_wanted(lock)
    MARK.unlink(missing_ok=True)
    return True


def stick_plugged_in() -> None:
    """Handles a new USB stick, which may be the one with the key."""
    lock = owner.lock_of_the_disk()
    if MARK.exists() and lock is not None and _open_with_a_stick(lock):
        disk_opened()


def disk_opened() -> None:
    """Starts the services that wait for the disk to be unlocked."""
    owner.OPENED.unlink(missing_ok=True)
    lock = owner.lock_of_the_disk()
    if lock is None or owner.locked():
        return
    if not all(folders.is_as_wanted(_kept(each), _wanted(lock)) for each in FOLDERS):
        _systemctl("stop", BOX)
        _move_what_is_not_as_wanted(lock)
    MARK.unlink(missing_ok=True)
    _systemctl("restart", PRESET)
    _systemctl("start", BOX, *SERVICES)
    subprocess.run([FIREWALL], check=False)  # the settings can be read only now


def carry_out(request: LockRequest) -> None:
    """Carries out the owner's request and reports its result; the box is stopped meanwhile."""
    try:
        if request.action is Action.LOCK:
            _lock(request)
        else:
            _unlock()
    except LockRefusedError as error:
        owner.tell(LockStep.FAILED, error.reason, error.detail)
    except (OSError, subprocess.CalledProcessError) as error:
        owner.tell(LockStep.FAILED, Reason.FAULT, str(error))
        raise
    else:
        owner.tell(LockStep.DONE)


def _lock(request: LockRequest) -> None:
    lock = owner.lock_of_the_disk()
    if lock is None:
        _require_room()
    key = secrets.token_bytes(fscrypt.KEY_OCTETS) if lock is None else _present_key(lock, request)
    secret = _new_secret(request)
    identifier = fscrypt.add_key(owner.DISK, key)
    _write(lock_file.make(identifier, key, request.opened_by, secret))
    _move_all()


def _unlock() -> None:
    lock = owner.lock_of_the_disk()
    if lock is None:
        return
    _require_room()
    _write(dataclasses.replace(lock, wanted=False))
    _move_all()


def _require_room() -> None:
    """Checks that there is space to copy the folders one after the other.  Raises RefusedError."""
    if max(folders.octets_in(_kept(each)) for each in FOLDERS) > shutil.disk_usage(owner.DISK).free:
        raise LockRefusedError(Reason.NO_ROOM)


def _new_secret(request: LockRequest) -> bytes:
    """The new secret that unlocks the disk.  Raises RefusedError."""
    if request.opened_by is OpenedBy.PASSPHRASE:
        if not PASSPHRASE_MIN <= len(request.passphrase) <= PASSPHRASE_MAX:
            raise LockRefusedError(Reason.PASSPHRASE_LENGTH)
        return request.passphrase.encode()
    secret = secrets.token_bytes(lock_file.STICK_OCTETS)
    try:
        sticks.write_key(secret)
    except sticks.StickError as error:
        reason = next(each for kind, each in _STICK_REASONS if isinstance(error, kind))
        raise LockRefusedError(reason, str(error)) from None
    return secret


def _present_key(lock: Lock, request: LockRequest) -> bytes:
    """The present key of the folders, by the owner's present secret.  Raises RefusedError."""
    by_passphrase = lock.opened_by is OpenedBy.PASSPHRASE
    for secret in [request.present.encode()] if by_passphrase else sticks.keys_found():
        with contextlib.suppress(WrongKeyError):
            return lock_file.key_of(lock, secret)
    raise LockRefusedError(Reason.PASSPHRASE_WRONG if by_passphrase else Reason.STICK_MISSING)


def _move_all() -> None:
    """Encrypts or decrypts every folder as the lock file says, with the services stopped."""
    lock = owner.lock_of_the_disk()
    assert lock is not None  # just written
    _systemctl("stop", BOX, *reversed(SERVICES))
    try:
        _move_what_is_not_as_wanted(lock)
    finally:
        _systemctl("start", BOX, *SERVICES)


def _move_what_is_not_as_wanted(lock: Lock) -> None:
    wanted = _wanted(lock)
    for folder in FOLDERS:
        kept = _kept(folder)
        folders.clear(kept)
        if not folders.is_as_wanted(kept, wanted):
            folders.move(kept, wanted)
            _mount_anew(folder)
    if not lock.wanted:
        owner.LOCK.unlink(missing_ok=True)


def _mount_anew(folder: Path) -> None:
    """Mounts a folder again, because the mounted one was replaced."""
    subprocess.run(["umount", "--lazy", folder], check=False)
    subprocess.run(["mount", "--bind", _kept(folder), folder], check=True)


def _wanted(lock: Lock) -> bytes | None:
    return bytes.fromhex(lock.identifier) if lock.wanted else None


def _kept(folder: Path) -> Path:
    return KEPT / folder.relative_to("/")


def _open_with_a_stick(lock: Lock) -> bool:
    """Unlocks the disk with a plugged-in stick if it is locked by one; returns whether it is unlocked."""
    if lock.opened_by is OpenedBy.STICK and owner.locked():
        for secret in sticks.keys_found():
            with contextlib.suppress(WrongKeyError):
                fscrypt.add_key(owner.DISK, lock_file.key_of(lock, secret))
                break
    return not owner.locked()


def _write(lock: Lock) -> None:
    owner.FOLDER.mkdir(exist_ok=True)
    lock_file.write(owner.LOCK, lock)
    _readable_by_the_box()


def _readable_by_the_box() -> None:
    """Makes the folder of the lock file readable by the box, which unlocks the disk itself and shows its
    page over TLS.
    """
    for place in (owner.FOLDER, *owner.FOLDER.rglob("*")):
        shutil.chown(place, "root", _GROUP)
        place.chmod(0o750 if place.is_dir() else 0o640)


def _systemctl(word: str, *units: str) -> None:
    subprocess.run(["systemctl", word, *units], check=False)
