"""Converts numbers between E.164 and the notation of a trunk, for dialling and for incoming calls.

The rules are settings of the trunk (``DiallingRules``); none is specific to a country.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from urllib.parse import unquote

from appliance.numbering import plan as numbering
from appliance.numbering.emergency import may_reach, region_of

# E.164 6.2: at most 15 digits; we allow a little for prefixes and private numbering plans.
MAX_DIGITS = 20
# What people write between digits.
_SEPARATORS = re.compile(r"[\s().\-/]")
_NUMBER = re.compile(rf"\+?[0-9*#]{{1,{MAX_DIGITS}}}")
_SIP_ADDRESS = re.compile(
    r"sips?:(?:[A-Za-z0-9_.!~*'()&=+$,;?/%-]{1,64}@)?"
    r"(?:\[[0-9A-Fa-f:]{2,39}\]|[A-Za-z0-9.-]{1,253})(?::[0-9]{1,5})?(?:;transport=(?:udp|tcp|tls))?"
)

_EMERGENCY = "emergency numbers are never dialled"


class NumberError(ValueError):
    """The number cannot be dialled on this trunk; the message says why."""


class DialFormat(Enum):
    """The trunk's notation of the called number."""

    E164_PLUS = "e164_plus"  # +49301234567
    E164 = "e164"  # 49301234567
    INTERNATIONAL = "international"  # 0049301234567
    NATIONAL = "national"  # 0301234567 at home, 0044… abroad
    AS_DIALLED = "as_dialled"  # unchanged


@dataclass(frozen=True, slots=True)
class DiallingRules:
    """The trunk's place in the numbering plan.  Numbers up to ``local_digits`` are dialled unchanged."""

    country_code: str = ""  # "49", empty when the trunk is given E.164 only
    national_prefix: str = "0"  # before an area code, dropped abroad
    international_prefix: str = "00"
    area_code: str = ""  # without national prefix: completes local numbers
    format: DialFormat = DialFormat.E164_PLUS
    outside_prefix: str = ""  # "0" behind an exchange, dialled first
    local_digits: int = 4  # the most digits of extensions and service numbers

    def __post_init__(self) -> None:
        prefixes = (self.country_code, self.national_prefix, self.international_prefix, self.area_code)
        if not all(re.fullmatch(r"[0-9*#]{0,8}", prefix) for prefix in (*prefixes, self.outside_prefix)):
            raise ValueError("codes and prefixes have up to 8 digits")


def is_sip_address(number: str) -> bool:
    """Whether this is a SIP address rather than a number."""
    return number.lower().startswith(("sip:", "sips:"))


def checked_sip_address(number: str) -> str:
    """Checks a complete SIP address for use in a request; returns it.

    Raises NumberError for an invalid one, and for an emergency number.
    """
    if not _SIP_ADDRESS.fullmatch(number):
        raise NumberError("this is not a SIP address that can be called")
    # Parameters and a password may follow the number (RFC 3261 19.1.1); a server may read a bare name as one.
    named = unquote(number.partition(":")[2].partition("@")[0])
    digits = _SEPARATORS.sub("", re.split("[;:,?]", named)[0])
    if _NUMBER.fullmatch(digits) and may_reach(digits, en_bloc=True):
        raise NumberError(_EMERGENCY)
    return number


def to_e164(number: str, rules: DiallingRules) -> str:
    """Converts a number to E.164 with ``+`` if the rules suffice for it, else returns the digits.

    Raises NumberError for a text that is not a number.
    """
    digits = _SEPARATORS.sub("", number)
    if not _NUMBER.fullmatch(digits):
        raise NumberError("a number has digits, *, # and at most a leading +")
    if digits.startswith("+"):
        return digits
    if rules.format is DialFormat.E164 and numbering.is_bare_e164(digits, _plan(rules)):
        return f"+{digits}"
    if not rules.country_code or len(digits) <= rules.local_digits or not digits.isdigit():
        return digits
    if rules.international_prefix and digits.startswith(rules.international_prefix):
        return f"+{digits[len(rules.international_prefix) :]}"
    if rules.national_prefix and digits.startswith(rules.national_prefix):
        return f"+{rules.country_code}{digits[len(rules.national_prefix) :]}"
    if rules.area_code:
        return f"+{rules.country_code}{rules.area_code}{digits}"
    if not rules.national_prefix:  # closed numbering plan: every number is a national one
        return f"+{rules.country_code}{digits}"
    return digits


def from_trunk(number: str, rules: DiallingRules) -> str:
    """Converts a number in the trunk's notation to E.164 if possible, else returns it unchanged."""
    digits = _SEPARATORS.sub("", number)
    if rules.format is DialFormat.E164 and digits.isdecimal() and numbering.is_known(f"+{digits}"):
        return f"+{digits}"
    try:
        return to_e164(number, rules)
    except NumberError:
        return number


def countries(number: str, rules: DiallingRules) -> tuple[str, ...]:
    """Country codes of the networks whose tones a call to this may bring, the likeliest first: that of the
    number, that of the trunk."""
    try:
        full = to_e164(number, rules)
    except NumberError:  # a SIP address
        full = ""
    called = numbering.parse(full, _plan(rules)) if full.startswith("+") else None
    codes = (str(called.country_code) if called is not None else "", rules.country_code)
    return tuple(dict.fromkeys(code for code in codes if code))


def to_dial(number: str, rules: DiallingRules) -> str:
    """The user part of the request URI.

    Raises NumberError for something that cannot be dialled, and for emergency numbers.
    """
    full = to_e164(number, rules)
    dialled = _formatted(full, rules) if full.startswith("+") else full
    # The last check: prefixes that are added or removed here can make an emergency number of another.  In
    # E.164 without its + there are no short numbers.
    written = full if rules.format is DialFormat.E164 else dialled
    if any(may_reach(each, region_of(rules.country_code), en_bloc=True) for each in (full, written)):
        raise NumberError(_EMERGENCY)
    return rules.outside_prefix + dialled


def _plan(rules: DiallingRules) -> numbering.Plan:
    return numbering.Plan(
        country_code=rules.country_code,
        area_code=rules.area_code,
        international_prefix=rules.international_prefix,
        bare_e164=rules.format is DialFormat.E164,
    )


def _formatted(full: str, rules: DiallingRules) -> str:
    digits = full[1:]
    match rules.format:
        case DialFormat.E164_PLUS | DialFormat.AS_DIALLED:
            return full
        case DialFormat.E164:
            return digits
        case DialFormat.INTERNATIONAL:
            return rules.international_prefix + digits
        case DialFormat.NATIONAL:
            if rules.country_code and digits.startswith(rules.country_code):
                return rules.national_prefix + digits[len(rules.country_code) :]
            return rules.international_prefix + digits
