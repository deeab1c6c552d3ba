"""Decides whether a dialled number may reach an emergency service.

Used where a number is read (``numbers.py``) and again for what a line really dials
(``lines/modem/dialling.py``, ``lines/sip/numbers.py``): prefixes that a line adds or removes can make an
emergency number of another one.  When in doubt the answer is yes.  The numbers are those of the phonenumbers
library.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import phonenumbers
    import phonenumbers.shortnumberinfo
else:
    from appliance.numbering import library as phonenumbers

# With an unknown country, digits after a prefix count when they are one of these: 112 and 911 (ITU-T
# E.161.1) and widely used national ones.
WELL_KNOWN = frozenset({"112", "911", "999", "110", "118", "119", "000", "111", "113", "115"})
# Outside-line prefixes of many exchanges; the settings may lack that of this one.
USUAL_PREFIXES = ("9",)
# In most of the world what + stands for (ITU-T E.123).
_ABROAD = "00"
# Between digits: service codes (*31#), and the pauses and waits of a dial string.
_BREAKS = re.compile(r"[^0-9]+")
# A service code before a number: *67, #31#.
_SERVICE_CODE = re.compile(r"[*#][0-9]{2}([0-9]+)")
# A valid number of some country with at least this many digits is not an emergency number, even if it begins
# like one: Turin's begin with 0113, Madrid's with 911, Buenos Aires' with 112.  Shorter ones stay in doubt.
_UNDOUBTED_DIGITS = 9
# No emergency number in the library is longer.
_LONGEST = 6
# Country codes have one to three digits: E.164 6.2.1.
_CODE_DIGITS = (1, 2, 3)


def may_reach(dialled: str, region: str = "", *, en_bloc: bool = False) -> bool:
    """Whether an exchange may connect ``dialled`` (digits, ``*``, ``#``, pauses, a leading ``+``) to one.

    ``region``: two letters of the country it is dialled in, empty when nobody said.  ``en_bloc``: the
    number arrives as a whole, as in SIP.  On a telephone line an exchange connects as soon as it knows a
    number, whatever follows.
    """
    if dialled.startswith("+"):
        return _behind_country_code(dialled, region, en_bloc)
    groups = [*_BREAKS.split(dialled), *_SERVICE_CODE.findall(dialled)]
    return any(_digits_may(digits, region, en_bloc) for digits in groups if digits)


def may_reach_behind_prefix(dialled: str, region: str = "") -> bool:
    """``may_reach`` for one that has a usual prefix of an outside line before it, such as 9."""
    return any(
        _is_one(dialled.removeprefix(prefix), region)
        for prefix in USUAL_PREFIXES
        if dialled.startswith(prefix)
    )


def region_of(country_code: str) -> str:
    """The country of a line's country code; empty without one, or when several countries share it."""
    regions = _regions(country_code)
    return regions[0] if len(regions) == 1 else ""


def _digits_may(digits: str, region: str, en_bloc: bool) -> bool:
    plain = digits.lstrip("0")  # those may be prefixes
    if _is_one(digits, region) or (plain and _is_one(plain, region)):
        return True
    if digits.startswith(_ABROAD) and _behind_country_code("+" + digits[len(_ABROAD) :], region, en_bloc):
        return True
    if en_bloc or not (_begins_with_one(digits, region) or (plain and _begins_with_one(plain, region))):
        return False
    return len(digits) < _UNDOUBTED_DIGITS or not _is_whole(digits, [region] if region else None)


def _behind_country_code(dialled: str, region: str, en_bloc: bool) -> bool:
    digits = dialled[1:]
    if digits and _is_one(digits, region):
        return True
    for length in _CODE_DIGITS:
        rest = digits[length:]
        for there in _regions(digits[:length]):
            if any(_is_one(each, there) or each in WELL_KNOWN for each in (rest, rest.lstrip("0")) if each):
                return True
            if not en_bloc and _begins_with_one(rest, there) and not _is_whole(dialled, [there]):
                return True
    return False


def _is_one(digits: str, region: str) -> bool:
    if len(digits) > _LONGEST:
        return False
    if region:
        return bool(phonenumbers.shortnumberinfo.is_emergency_number(digits, region))
    return digits in WELL_KNOWN or any(
        phonenumbers.shortnumberinfo.is_emergency_number(digits, each)
        for each in phonenumbers.SUPPORTED_REGIONS
    )


def _begins_with_one(digits: str, region: str) -> bool:
    if region:
        return bool(phonenumbers.shortnumberinfo.connects_to_emergency_number(digits, region))
    return digits.startswith(tuple(WELL_KNOWN))


def _regions(country_code: str) -> list[str]:
    if not country_code.isdecimal():
        return []
    return [each for each in phonenumbers.region_codes_for_country_code(int(country_code)) if each.isalpha()]


def _is_whole(digits: str, regions: Iterable[str] | None) -> bool:
    """Whether ``digits`` are a whole number in one of ``regions``, in any country when None."""
    for region in phonenumbers.SUPPORTED_REGIONS if regions is None else regions:
        with contextlib.suppress(phonenumbers.NumberParseException):
            if phonenumbers.is_valid_number(phonenumbers.parse(digits, region)):
                return True
    return False
