"""The box's side: how the disk is locked, what its owner wants, and the passphrase at the start.

The box's own user may neither stop services nor move their folders.  It leaves what the owner wants in a file
in memory; a unit of the image that watches for it (``faxbox-image-lock.path``) carries it out and tells in
another how far it is.  Opening at the start needs nobody else: the kernel takes the key from whoever has it.
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
# Beside the folders that are locked, and in the clear: how they are opened, and a certificate that protects
# the passphrase from who reads along.
FOLDER = DISK / "disk-lock"
LOCK = FOLDER / "lock.json"
# What the owner wants, from the box to root; gone with the power.
WANTED = Path("/run/faxbox/disk-lock.json")
# That the box opened the disk itself, which the services that wait for it learn of by a unit of the image.
OPENED = Path("/run/faxbox/disk-opened")
# How far root is.
PROGRESS = Path("/run/faxbox-image/disk-lock.json")
_LARGEST = 1 << 16  # octets of such a file


class Step(StrEnum):
    """How far a change is."""

    NONE = "none"
    WORKING = "working"
    FAILED = "failed"
    DONE = "done"


class Reason(StrEnum):
    """Why a change was not made; all is as it was."""

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
    """``passphrase``: the new one.  ``present``: the one until now, where there is one."""

    action: Action
    opened_by: OpenedBy = OpenedBy.PASSPHRASE
    passphrase: str = ""
    present: str = ""


@dataclass(frozen=True, slots=True)
class State:
    """``possible``: whether this machine can; ``opened_by``: None, it is not locked; ``sticks``: plugged in.

    ``step``, ``reason``, ``detail``: of the last change since the start of the machine.
    """

    possible: bool
    opened_by: OpenedBy | None = None
    sticks: int = 0
    step: Step = Step.NONE
    reason: Reason = Reason.NONE
    detail: str = ""


def is_image() -> bool:
    """Whether this is the image, on a disk whose file system can encrypt."""
    return DISK.is_dir() and PROGRESS.parent.is_dir() and fscrypt.possible(DISK)


def state() -> State:
    """How the disk is locked, and how far the last change is."""
    if not is_image():
        return State(False)
    there = State(True, None, len(sticks.plugged_in()), *_progress())
    try:
        lock = lock_of_the_disk()
    except LockFileError as error:
        return replace(there, step=Step.FAILED, reason=Reason.FAULT, detail=str(error))
    return there if lock is None or not lock.wanted else replace(there, opened_by=lock.opened_by)


def locked() -> bool:
    """Whether the disk waits for its passphrase or stick.  Raises LockFileError."""
    lock = lock_of_the_disk()
    return lock is not None and not fscrypt.has_key(DISK, bytes.fromhex(lock.identifier))


def _progress() -> tuple[Step, Reason, str]:
    if WANTED.exists():
        return Step.WORKING, Reason.NONE, ""
    try:
        found = json.loads(PROGRESS.read_bytes()[:_LARGEST])
        return Step(found["step"]), Reason(found["reason"]), str(found["detail"])
    except (OSError, ValueError, KeyError, TypeError):
        return Step.NONE, Reason.NONE, ""


def tell(step: Step, reason: Reason = Reason.NONE, detail: str = "") -> None:
    """Root says how far it is."""
    durable.write_file(PROGRESS, json.dumps({"step": step, "reason": reason, "detail": detail}).encode())
    PROGRESS.chmod(0o644)


def ask(request: LockRequest) -> None:
    """Hands a request to root.  Raises OSError."""
    durable.write_file(WANTED, json.dumps(asdict(request)).encode())


def take_request() -> LockRequest | None:
    """What the box has asked for; from now on root works on it.  Raises ValueError when it is no request."""
    try:
        content = WANTED.read_bytes()[:_LARGEST]
    except FileNotFoundError:
        return None
    tell(Step.WORKING)  # before the request is gone: whoever looks meanwhile is not told that nothing is done
    WANTED.unlink()
    try:
        found = json.loads(content)
        texts = {name: str(found[name]) for name in ("passphrase", "present")}
        return LockRequest(Action(found["action"]), OpenedBy(found["opened_by"]), **texts)
    except (KeyError, TypeError) as error:
        raise ValueError(str(error)) from None


def lock_of_the_disk() -> Lock | None:
    """How the disk is opened.  Raises LockFileError."""
    return lock_file.read(LOCK)


def open_with(secret: bytes) -> None:
    """Gives the kernel the key of the disk until it is switched off.

    Raises lock_file.WrongKeyError, LockFileError, OSError.
    """
    lock = lock_of_the_disk()
    if lock is None:
        raise LockFileError(f"{LOCK} is gone: the key of the disk was in it")
    fscrypt.add_key(DISK, lock_file.key_of(lock, secret))
