"""The encryption of the image's disk: during set-up, and later."""

from __future__ import annotations

from typing import Any

from appliance.disk_lock import owner
from appliance.disk_lock.owner import LockStep, Reason
from appliance.language import said as _
from appliance.passphrases import PASSPHRASE_MAX, PASSPHRASE_MIN
from webui.pages.setup_steps import DISK, LINE, setup_page
from webui.visit import Page, Response, Visit, go


def reason_words() -> dict[Reason, str]:
    """Why a change was refused, and what to do."""
    return {
        Reason.PASSPHRASE_LENGTH: _("The passphrase is too short."),
        Reason.PASSPHRASE_WRONG: _("This is not the present passphrase."),
        Reason.NO_STICK: _("There is no USB stick. Plug one in, wait a few seconds, and try again."),
        Reason.SEVERAL_STICKS: _("More than one USB stick is plugged in. Leave only the one for the key."),
        Reason.STICK_HAS_KEY: _(
            "There is a key on this stick already, perhaps another box's. Take another stick, or delete the"
            " file faxbox.key if nobody needs it."
        ),
        Reason.STICK_UNWRITABLE: _("The stick cannot be written. Take another one, formatted as FAT."),
        Reason.STICK_MISSING: _("The stick that opens the disk now is not plugged in."),
        Reason.NO_ROOM: _(
            "There is no room on the disk for a copy of what is on it. Delete old faxes first."
        ),
        Reason.FAULT: _("Something went wrong; the box tries again at its next start."),
    }


def show(visit: Visit) -> Response:
    """The page that encrypts the disk."""
    return visit.page("disk_lock.html", **_values())


def show_in_setup(visit: Visit) -> Response:
    """The same as a step of the set-up, on the SD-card image only."""
    if not owner.is_image():
        return go(LINE)
    return setup_page(visit, "setup_disk.html", DISK, **_values())


def _values() -> dict[str, Any]:
    state = owner.state()
    return {
        "state": state,
        "reason": reason_words().get(state.reason, "") if state.step is LockStep.FAILED else "",
        "least": PASSPHRASE_MIN,
        "most": PASSPHRASE_MAX,
    }


PAGES = (
    Page("/disk-lock", show, scopes=("admin",)),
    Page(DISK, show_in_setup, scopes=("admin",)),
)
