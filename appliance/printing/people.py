"""Which account a printed fax belongs to."""

from __future__ import annotations

from appliance.box import Box
from appliance.printing.settings import PrintingSettings, PrintUser
from appliance.services.causes import NOT_PERMITTED
from appliance.services.rules import RefusedError
from appliance.settings.accounts import UserRole


def owner_of(box: Box, person: str, computer: str) -> str:
    """The account of the person who printed, by their name and computer.  Raises RefusedError."""
    settings = box.settings.section(PrintingSettings)
    name = _listed(box, person, computer)
    if not name and settings.match_names and box.accounts.user(person) is not None:
        name = person
    name = name or settings.owner
    user = box.accounts.user(name)
    if not name or (user is not None and (user.disabled or user.role is UserRole.READER)):
        raise RefusedError(NOT_PERMITTED, f"({person or 'somebody'} may not send faxes)")
    return name


def _listed(box: Box, person: str, computer: str) -> str:
    """The user that the settings name for this person, empty when none; the most specific entry wins."""
    fitting = [
        each
        for each in box.settings.items(PrintUser).values()
        if each.from_user.lower() in ("", person.lower())
        and each.from_computer.lower() in ("", computer.lower())
        and (each.from_user or each.from_computer)
    ]
    fitting.sort(key=lambda each: (not each.from_user, not each.from_computer))
    return fitting[0].user if fitting else ""
