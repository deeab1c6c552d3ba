"""The numbers that the box and its users show to others."""

from __future__ import annotations

from appliance.box import Box
from appliance.settings.items import LineEntry, User
from appliance.settings.sections import StationSettings

# E.164 6.1 has 15; trunk and carrier codes may come before.
NUMBER_DIGITS = 20


def own_number(box: Box) -> str:
    """The number the box shows to others, without spaces."""
    station = box.settings.section(StationSettings)
    return (station.caller_number or station.station_id).replace(" ", "")


def allowed_caller_number(box: Box, owner: str, wanted: str) -> str:
    """``wanted`` if it is a number of the box or of ``owner``, else empty: then the box shows its own.

    Numbers are compared by their digits.  A box that was told no number of its own takes what it is
    given, and leaves it to the line.
    """
    digits = _digits(wanted)
    if not digits or len(digits) > NUMBER_DIGITS:
        return ""
    station = box.settings.section(StationSettings)
    known = [station.caller_number, station.station_id]
    known += [line.caller_number for line in box.settings.items(LineEntry).values()]
    known += [user.caller_number for user in box.settings.items(User).values() if user.name == owner]
    if not any(known):
        return f"+{digits}" if wanted.lstrip().startswith("+") else digits
    return next((number for number in known if number and _digits(number) == digits), "")


def _digits(number: str) -> str:
    return "".join(letter for letter in number if letter.isascii() and letter.isdigit())
