"""Decides whether digits lead to premium-rate numbers, even if they are not a complete number.

Carriers bill by the first digits, and the numbers in use change faster than any table: a premium number with
a digit missing, or of an unassigned block, is still a premium number.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import phonenumbers
else:
    from appliance.numbering import library as phonenumbers

# The parts of the library's patterns: digits, sets of digits, repetitions and groups.
_PATTERN_PART = re.compile(r"(\{[0-9,]+\})|(\\d|\[[^\]]+\]|[0-9])")
# Kinds of numbers, as the library names them.
_COSTLY = ("premium_rate", "shared_cost", "personal_number")
_ORDINARY = ("fixed_line", "mobile", "toll_free", "voip", "pager", "uan", "voicemail")
# The countries of code 1 where 976 is the exchange of premium numbers in each area, with or without the area.
_WITH_976 = (None, "US", "CA")
_EXCHANGE_976 = re.compile(r"([2-9][0-9]{2})?976[0-9]{4}")
# Directory enquiries, which connect calls at rates of their own: 118 in most of Europe, and by country those
# whose price the library lacks.
_ENQUIRIES = re.compile(r"118[0-9]{1,3}")
_ENQUIRIES_OF_CODE_1 = r"1?411|1?([2-9][0-9]{2})?5551212"
_ENQUIRIES_OF = {
    region: re.compile(pattern)
    for region, pattern in {
        "AU": r"1223|1234|1245[56]",
        "BE": r"1[234]07",
        "CA": _ENQUIRIES_OF_CODE_1,
        "IT": r"412|12[0-9]{2}",
        "JP": r"104",
        "NL": r"18[0-9]{2}",
        "NZ": r"018",
        "US": _ENQUIRIES_OF_CODE_1,
    }.items()
}
# Beginnings of costly numbers that a country has abolished, and the library has dropped: Germany's 0190.
_COSTLY_ONCE = {"DE": ("190",)}


def is_costly_type(number: phonenumbers.PhoneNumber) -> bool:
    """Whether it is a premium rate, shared cost or personal number; personal ones are billed by where they
    lead.
    """
    types = phonenumbers.PhoneNumberType
    kind = phonenumbers.number_type(number)
    if any(kind == getattr(types, costly.upper()) for costly in _COSTLY):
        return True
    national = phonenumbers.national_significant_number(number)
    return (
        number.country_code == 1
        and kind != types.TOLL_FREE
        and _EXCHANGE_976.fullmatch(national) is not None
        and phonenumbers.region_code_for_number(number) in _WITH_976
    )


def is_enquiry(digits: str, region: str) -> bool:
    """Whether this is a number of directory enquiries when it is dialled in the country ``region``."""
    there = _ENQUIRIES_OF.get(region)
    return any(each.fullmatch(digits) is not None for each in (_ENQUIRIES, there) if each is not None)


def leads_to_costly(national: str, region: str) -> bool:
    """Whether the longest beginning of ``national`` that leads to numbers of the country leads to costly
    ones only.
    """
    if national.startswith(_COSTLY_ONCE.get(region, ())):
        return True
    costly, ordinary = _beginnings(region)
    for length in range(len(national), 0, -1):
        begun = national[:length]
        if any(each.fullmatch(begun) for each in ordinary):
            return False
        if any(each.fullmatch(begun) for each in costly):
            return True
    return False


@functools.lru_cache(maxsize=32)
def _beginnings(region: str) -> tuple[list[re.Pattern[str]], list[re.Pattern[str]]]:
    """Patterns for the beginnings of costly numbers, and for those of ordinary ones."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is None:
        return [], []

    def of(kinds: tuple[str, ...]) -> list[re.Pattern[str]]:
        described = (getattr(metadata, kind) for kind in kinds)
        patterns = (each.national_number_pattern for each in described if each is not None)
        return [_of_beginnings(each) for each in patterns if each]

    return of(_COSTLY), of(_ORDINARY)


def _of_beginnings(pattern: str) -> re.Pattern[str]:
    """A pattern that matches every beginning of what ``pattern`` matches: it may end after each digit."""
    return re.compile(_PATTERN_PART.sub(lambda part: part[1] or rf"(?:{part[2]}|\Z)", pattern))
