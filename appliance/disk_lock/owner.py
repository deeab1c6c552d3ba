"""The box's side: the state of the lock, requests of the owner, and the passphrase at the start.

The box's user may neither stop services nor move their folders.  It writes the owner's request to a file in
memory; a unit of the image that watches for it (``faxbox-image-lock.path``) carries it out and reports its
progress in another file.  Unlocking at the start needs no other user, because the kernel accepts the key from
anybody.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from appliance import durable
from appliance.disk_lock import fscrypt, lock_file, sticks
from appliance.disk_lock.lock_file import Lock, LockFileError, OpenedBy

# The data partition; only the image has it.
DISK = Path("/data")
# Beside the locked folders, unencrypted: the lock file, and a certificate that protects the passphrase from
# eavesdroppers.
FOLDER = DISK / "disk-lock"
LOCK = FOLDER / "lock.json"
# The owner's request, from the box to root; lost when the power goes.
WANTED = Path("/run/faxbox/disk-lock.json")
# Says that the box itself unlocked the disk; a unit of the image then starts the services that wait for it.
OPENED = Path("/run/faxbox/disk-opened")
# Root's progress.
PROGRESS = Path("/run/faxbox-image/disk-lock.json")
_LARGEST = 1 << 16  # octets of such a file


class LockStep(StrEnum):
    """The progress of a change."""

    NONE = "none"
    WORKING = "working"
    FAILED = "failed"
    DONE = "done"


class Reason(StrEnum):
    """Why a change was not made.  Nothing was changed."""

    NONE = ""
    PASSPHRASE_LENGTH = "passphrase_length"
    PASSPHRASE_WRONG = "passphrase_wrong"
    NO_STICK = "no_stick"
    SEVERAL_STICKS = "several_sticks"
    STICK_HAS_KEY = "stick_has_key"
    STICK_UNWRITABLE = "stick_unwritable"
    STICK_MISSING = "stick_missing"
    NO_ROOM = "no_room"
    FAULT = "fault"


class Action(StrEnum):
    """What the owner wants."""

    LOCK = "lock"
    UNLOCK = "unlock"


@dataclass(frozen=True, slots=True)
class LockRequest:
    """A request.  ``passphrase``: the new one.  ``present``: the present one, if there is one."""

    action: Action
    opened_by: OpenedBy = OpenedBy.PASSPHRASE
    passphrase: str = ""
    present: str = ""


@dataclass(frozen=True, slots=True)
class LockState:
    """The state of the lock.

    ``possible``: whether this machine can encrypt; ``opened_by``:  None when it is not locked; ``sticks``:
    plugged in.  ``step``, ``reason``, ``detail``: those of the last change since the start of the machine.
    """

    possible: bool
    opened_by: OpenedBy | None = None
    sticks: int = 0
    step: LockStep = LockStep.NONE
    reason: Reason = Reason.NONE
    detail: str = ""


def is_image() -> bool:
    """Whether this is the image, on a disk whose file system can encrypt."""
    return DISK.is_dir() and PROGRESS.parent.is_dir() and fscrypt.possible(DISK)


def state() -> LockState:
    """The state of the lock, and the progress of the last change."""
    if not is_image():
        return LockState(False)
    there = LockState(True, None, len(sticks.plugged_in()), *_progress())
    try:
        lock = lock_of_the_disk()
    except LockFileError as error:
        return replace(there, step=LockStep.FAILED, reason=Reason.FAULT, detail=str(error))
    return there if lock is None or not lock.wanted else replace(there, opened_by=lock.opened_by)


def locked() -> bool:
    """Whether the disk waits for its passphrase or stick.  Raises LockFileError."""
    lock = lock_of_the_disk()
    return lock is not None and not fscrypt.has_key(DISK, bytes.fromhex(lock.identifier))


def _progress() -> tuple[LockStep, Reason, str]:
    if WANTED.exists():
        return LockStep.WORKING, Reason.NONE, ""
    try:
        found = json.loads(PROGRESS.read_bytes()[:_LARGEST])
        return LockStep(found["step"]), Reason(found["reason"]), str(found["detail"])
    except (OSError, ValueError, KeyError, TypeError):
        return LockStep.NONE, Reason.NONE, ""


def tell(step: LockStep, reason: Reason = Reason.NONE, detail: str = "") -> None:
    """Reports the progress, called by root."""
    durable.write_file(PROGRESS, json.dumps({"step": step, "reason": reason, "detail": detail}).encode())
    PROGRESS.chmod(0o644)


def ask(request: LockRequest) -> None:
    """Passes a request to root.  Raises OSError."""
    durable.write_file(WANTED, json.dumps(asdict(request)).encode())


def take_request() -> LockRequest | None:
    """Takes the box's request, called by root, which then works on it.  Raises ValueError for an invalid
    one.
    """
    try:
        content = WANTED.read_bytes()[:_LARGEST]
    except FileNotFoundError:
        return None
    tell(LockStep.WORKING)  # before the request is deleted, so that nobody sees a moment without either
    WANTED.unlink()
    try:
        found = json.loads(content)
        texts = {name: str(found[name]) for name in ("passphrase", "present")}
        return LockRequest(Action(found["action"]), OpenedBy(found["opened_by"]), **texts)
    except (KeyError, TypeError) as error:
        raise ValueError(str(error)) from None


def lock_of_the_disk() -> Lock | None:
    """The content of the lock file.  Raises LockFileError."""
    return lock_file.read(LOCK)


def open_with(secret: bytes) -> None:
    """Gives the kernel the key of the disk until the machine is switched off.

    Raises lock_file.WrongKeyError, LockFileError, OSError.
    """
    lock = lock_of_the_disk()
    if lock is None:
        raise LockFileError(f"{LOCK} is gone: the key of the disk was in it")
    fscrypt.add_key(DISK, lock_file.key_of(lock, secret))
