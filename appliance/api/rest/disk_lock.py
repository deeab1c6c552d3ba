"""Encryption of the data that the SD-card image keeps on its disk."""

from __future__ import annotations

from dataclasses import asdict

from appliance.api.causes import DISK_LOCK_UNDER_WAY, DISK_NOT_LOCKABLE
from appliance.api.problems import Flaw, ProblemError
from appliance.api.rest.checking import flaw, invalid
from appliance.api.rest.routes import Answer, Call, Routes
from appliance.api.rest.schemas import choice, flag, integer, nullable, record, request_object, text
from appliance.disk_lock import lock_file, owner
from appliance.disk_lock.lock_file import OpenedBy, WrongKeyError
from appliance.disk_lock.owner import Action, LockRequest, LockStep, Reason
from appliance.language import said
from appliance.passphrases import PASSPHRASE_MAX, PASSPHRASE_MIN
from appliance.settings.accounts import Scope

_STATE = record(
    {
        "possible": flag(help="whether this machine was made from the image, whose disk can be encrypted"),
        "opened_by": nullable(
            choice(*(each.value for each in OpenedBy), help="what opens the disk; null: it is not encrypted")
        ),
        "sticks": integer(help="places for a key on USB sticks that are plugged in"),
        "step": choice(
            *(each.value for each in LockStep),
            help="how far the last change since the start of the machine is",
        ),
        "reason": choice(*(each.value for each in Reason), help="why it was not made"),
        "detail": text(help="the same as the machine said it"),
    }
)
routes = Routes(tag="system", scope=Scope.ADMIN)


@routes("GET", "/disk-lock", answer=_STATE)
def show_disk_lock(call: Call) -> Answer:
    """Read whether the disk is encrypted."""
    return Answer(asdict(owner.state()))


@routes(
    "POST",
    "/disk-lock",
    body=request_object(
        {
            "opened_by": choice(*(each.value for each in OpenedBy)),
            "passphrase": text(
                PASSPHRASE_MAX, least=PASSPHRASE_MIN, help="to be typed at each start; kept nowhere"
            ),
            "present": text(PASSPHRASE_MAX, help="the passphrase until now, where there is one"),
        },
        required=("opened_by",),
    ),
    answer=_STATE,
    status=202,
)
def lock_disk(call: Call) -> Answer:
    """Encrypt the disk, or change the key that opens it.

    The box stands still for the seconds or minutes that it takes to encrypt what is there. With `stick`, a
    key is written to the one USB stick that is plugged in.
    """
    _require_possible()
    request = LockRequest(
        Action.LOCK,
        OpenedBy(call.body["opened_by"]),
        call.body.get("passphrase", ""),
        call.body.get("present", ""),
    )
    if request.opened_by is OpenedBy.PASSPHRASE and not request.passphrase:
        raise flaw("passphrase", said("a value is needed"))
    _require_present(request)
    call.note("disk.lock", detail=request.opened_by)
    owner.ask(request)
    return show_disk_lock(call)


@routes("DELETE", "/disk-lock", answer=_STATE, status=202)
def unlock_disk(call: Call) -> Answer:
    """Decrypt the disk."""
    _require_possible()
    call.note("disk.unlock")
    owner.ask(LockRequest(Action.UNLOCK))
    return show_disk_lock(call)


def _require_possible() -> None:
    state = owner.state()
    if not state.possible:
        raise ProblemError(DISK_NOT_LOCKABLE)
    if state.step is LockStep.WORKING:
        raise ProblemError(DISK_LOCK_UNDER_WAY)


def _require_present(request: LockRequest) -> None:
    """Raises ProblemError unless the present passphrase is given."""
    present = owner.lock_of_the_disk()
    if present is None or present.opened_by is not OpenedBy.PASSPHRASE:
        return
    try:
        lock_file.key_of(present, request.present.encode())
    except WrongKeyError:
        raise invalid(Flaw("present", said("this is not the present passphrase"))) from None
