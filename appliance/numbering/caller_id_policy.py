"""Which caller numbers a user may show: one rule for every door.

A user may show the numbers of the box and of its lines, and their own, but never another user's.  A box
without any configured number accepts every number and leaves the decision to the line.
"""

from __future__ import annotations

from collections.abc import Sequence

# E.164 6.1 has 15 digits; trunk and carrier codes may come before.
DIGITS_LIMIT = 20
STATION_ID_LIMIT = 20  # T.30 5.3.6.2.4


def may_show(wanted: str, known: Sequence[str]) -> str | None:
    """The number to show when ``wanted`` is asked for, None when it may not be shown.

    ``known`` are the numbers that may be shown, as people write them; only their digits are compared.
    """
    asked = _digits(wanted)
    if not asked or len(asked) > DIGITS_LIMIT:
        return None
    numbers = [number for number in known if _digits(number)]
    if not numbers:
        return f"+{asked}" if wanted.lstrip().startswith("+") else asked
    return next((plain(number) for number in numbers if _digits(number) == asked), None)


def as_station_id(number: str) -> str:
    """A number in the form of TSI and CSI: digits, + and spaces (T.30 5.3.6.2.4)."""
    return plain(number).replace("*", "").replace("#", "")[:STATION_ID_LIMIT]


def plain(number: str) -> str:
    """A number without punctuation."""
    return ("+" if number.lstrip().startswith("+") else "") + "".join(
        letter for letter in number if letter.isascii() and (letter.isdigit() or letter in "*#")
    )


def _digits(number: str) -> str:
    return "".join(letter for letter in number if letter.isascii() and letter.isdigit())
