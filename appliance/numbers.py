"""What a written number means, and whether it may be dialled.

A number becomes one form before anything else looks at it: E.164 with ``+`` where the country is
known, otherwise the digits as they are.  So one destination has one name, however it was written,
and no spelling gets around the rules.  Numbering plans are those of the phonenumbers library.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from appliance import emergency
from appliance.causes import NUMBER_EMERGENCY, NUMBER_INVALID, NUMBER_NOT_ALLOWED, Cause
from appliance.settings.sections import NumberSettings
from appliance.spool.model import Reach

# Longest thing that anybody writes as a number, punctuation included.
WRITTEN_LIMIT = 64
# E.164 6.1: at most 15 digits; trunk and carrier codes may come before.
DIGITS_LIMIT = 20
# Punctuation that people put in numbers.
_PUNCTUATION = str.maketrans("", "", " \t\u00a0()-./\u2010\u2011\u2012\u2013")
_DIALLABLE = re.compile(r"\+?[0-9*#]+")
# The national part's "(0)" after a country code, as in +49 (0)30 123.
_TRUNK_ZERO = re.compile(r"^(\+[^(]*)\(0\)")


@dataclass(frozen=True, slots=True)
class Number:
    """A number that may be dialled: ``dial`` is its one form."""

    dial: str
    reach: Reach


def permitted(number: str, allow: Sequence[str], deny: Sequence[str]) -> bool:
    """Whether ``number`` begins as the owner allows: as none of ``deny``, as one of ``allow`` if any."""
    if number.startswith(tuple(deny)):
        return False
    return not allow or number.startswith(tuple(allow))


def read_number(
    written: str, settings: NumberSettings, practice: frozenset[str] = frozenset()
) -> Number | Cause:
    """Reads what somebody wrote; answers the number, or the row that says why it is not dialled.

    ``practice`` are the numbers of the practice line, when it is on.
    """
    if len(written) > WRITTEN_LIMIT:
        return NUMBER_INVALID
    compact = _TRUNK_ZERO.sub(r"\1", written.strip()).translate(_PUNCTUATION)
    if compact in practice:
        return Number(compact, Reach.PRACTICE)
    if not _DIALLABLE.fullmatch(compact) or len(compact) > DIGITS_LIMIT + 1:
        return NUMBER_INVALID
    prefix = settings.outside_prefix
    outside = compact.removeprefix(prefix)
    if _is_emergency(compact, settings) or _is_emergency(outside, settings):
        return NUMBER_EMERGENCY
    if settings.internal and _fits(settings.internal, compact):
        return Number(compact, Reach.INTERNAL)
    # One may follow a prefix that nobody told us of, or be the beginning of what is dialled.
    region = settings.region
    if emergency.may_reach_behind_prefix(outside, region) or emergency.may_reach(outside, region):
        return NUMBER_EMERGENCY
    compact = outside
    if len(compact.lstrip("+")) < 2:
        return NUMBER_INVALID
    return _outside(compact, settings)


def _outside(compact: str, settings: NumberSettings) -> Number | Cause:
    region = settings.region or None
    if region is None and not compact.startswith("+"):
        number, parsed = Number(compact, Reach.DOMESTIC), None
    else:
        # The library drops what it does not know: "*67112" would become another number.
        if not compact.removeprefix("+").isdecimal():
            return NUMBER_INVALID
        if settings.area_code and region and not compact.startswith(("+", "0")):
            compact = f"{settings.area_code}{compact}"
        try:
            parsed = phonenumbers.parse(compact, region)
        except NumberParseException:
            return NUMBER_INVALID
        if not phonenumbers.is_possible_number(parsed):
            return NUMBER_INVALID
        home = region is None or phonenumbers.country_code_for_region(region) == parsed.country_code
        dial = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
        if phonenumbers.parse(dial, region) != parsed:
            return NUMBER_INVALID  # no number has two forms: all zeros, and the like
        number = Number(dial, Reach.DOMESTIC if home else Reach.ABROAD)
    if _is_emergency(number.dial, settings):
        return NUMBER_EMERGENCY
    if not permitted(number.dial, settings.allow, settings.deny):
        return NUMBER_NOT_ALLOWED
    if parsed is not None and not settings.premium:
        kind = phonenumbers.number_type(parsed)
        if kind in (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST):
            return NUMBER_NOT_ALLOWED
    return number


def _is_emergency(compact: str, settings: NumberSettings) -> bool:
    digits = compact.removeprefix("+")
    if digits in settings.emergency or compact in settings.emergency:
        return True
    return emergency.may_reach(compact, settings.region, en_bloc=True)


def _fits(pattern: str, compact: str) -> bool:
    try:
        return re.fullmatch(pattern, compact) is not None
    except re.error:
        return False
