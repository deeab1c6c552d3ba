"""Numbering plans: the E.164 number that digits mean where they are dialled, and whether it is costly.

Every rule on numbers uses this module, with the plan of the line that will carry the call, so that all of
them read the same number.  The plans are those of the phonenumbers library.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.numbering import tariffs

if TYPE_CHECKING:
    import phonenumbers
    import phonenumbers.shortnumberinfo
    from phonenumbers import PhoneNumber
else:
    from appliance.numbering import library as phonenumbers

# The most digits of extensions and service numbers, which are dialled without an area code.
LOCAL_DIGITS = 4
# ITU-T E.164 clause 6.2.1 and its list of assigned codes: satellites (870 Inmarsat, 881 global systems),
# networks of no country (882, 883), personal numbers (878), and international shared cost (808) and premium
# rate (979).  Carriers bill them by their own high tariffs, whatever the type of a number below them.
COSTLY_CODES = frozenset({808, 870, 878, 881, 882, 883, 979})
# The most digits of a carrier selection code (010xy, 0xyz, 101xxxx).
_CARRIER_DIGITS = 7
# How those codes begin (Germany, Austria, North America) after which a short number is searched: the last
# digits of a local number, such as 555-0411, are not an enquiry.
_CARRIER_BEGINS = "10"
# Numbers of digits of short numbers at a higher rate, such as directory enquiries.
_SHORT_DIGITS = range(3, 7)
# Country codes that several large countries share, so that the code alone does not identify one.
_EQUALS = {"1": ("US", "CA")}


@dataclass(frozen=True, slots=True)
class Plan:
    """The numbering plan of the place where digits are dialled.  All empty: unknown."""

    region: str = ""  # two letters, where the owner said so
    country_code: str = ""  # of the line, digits
    area_code: str = ""  # completes local numbers
    international_prefix: str = "00"
    bare_e164: bool = False  # a full number may come without its +

    @property
    def reads_as(self) -> str:
        """The country whose plan applies to numbers without a country code; empty when unknown."""
        return self.region or main_region(self.country_code)

    @property
    def at_home(self) -> tuple[str, ...]:
        """The countries within which a call is domestic: those of the line, else of the owner's region."""
        code = self.country_code
        if code and not (self.region and code_of(self.region) == code):
            return _EQUALS.get(code) or ((main,) if (main := main_region(code)) else ())
        return (self.region,) if self.region else ()


def main_region(country_code: str) -> str:
    """The country, or the largest of those that share the code; empty when there is none."""
    if not country_code.isdecimal():
        return ""
    region = phonenumbers.region_code_for_country_code(int(country_code))
    return region if region.isalpha() and region != "ZZ" else ""


def code_of(region: str) -> str:
    """The country code of a region, digits; empty for none."""
    code = phonenumbers.country_code_for_region(region)
    return str(code) if code else ""


def parse(digits: str, plan: Plan) -> PhoneNumber | None:
    """The number that ``digits`` (ASCII, at most a leading ``+``) are where they are dialled.

    None when they are no possible number, or when the plan cannot tell.
    """
    for candidate in _candidates(digits, plan):
        number = _parsed(candidate, plan.reads_as)
        if number is not None:
            return number
    return None


def e164(number: PhoneNumber) -> str:
    """``+`` and all digits."""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def is_valid(number: PhoneNumber) -> bool:
    """Whether it is a valid number of its country's plan."""
    return phonenumbers.is_valid_number(number)


def is_domestic(number: PhoneNumber, plan: Plan) -> bool:
    """Whether a call to it stays in the line's country."""
    if str(number.country_code) not in {code_of(region) for region in plan.at_home}:
        return False
    there = phonenumbers.region_code_for_number(number)
    return there in (None, *plan.at_home) or any(
        phonenumbers.is_valid_number_for_region(number, region) for region in plan.at_home
    )


def readings(number: PhoneNumber, plan: Plan) -> Iterator[PhoneNumber]:
    """The number, and other numbers that a network may connect for it when it is not a valid one.

    Exchanges connect as soon as the digits are a number, whatever follows, and may take leading digits for a
    carrier selection code: the rules must see those numbers, too.
    """
    yield number
    if is_valid(number):
        return
    shorter = phonenumbers.PhoneNumber()
    shorter.merge_from(number)
    if phonenumbers.truncate_too_long_number(shorter):
        yield shorter
    there = main_region(str(number.country_code))
    national = phonenumbers.national_significant_number(number)
    prefix = (phonenumbers.ndd_prefix_for_region(there, True) or "") if there else ""
    if prefix and national.startswith(prefix):
        # The library leaves the 0 of +49 (0)900 where it knows no such number.
        plain = _read(f"+{number.country_code}{national.removeprefix(prefix)}", "")
        if plain is not None:
            yield plain
    elif not prefix and national.startswith("0"):
        # In countries that have abolished the prefix people still write it.
        plain = _read(f"+{number.country_code}{national.lstrip('0')}", "")
        if plain is not None:
            yield plain
    if there not in plan.at_home:
        return
    for place in range(1, _CARRIER_DIGITS + 1):
        rest = national[place:]
        if prefix and rest.startswith(prefix):
            behind = _parsed(rest, there)
            if behind is not None:
                yield behind


def behind_an_exchange(digits: str, number: PhoneNumber, plan: Plan) -> Iterator[PhoneNumber]:
    """The other meaning of ``digits``, read as ``number``, behind an exchange whose prefix 0 is not
    configured.

    There the second 0 belongs to a national number: 0 0900 1234567, say, which would otherwise be an invalid
    number of Turkey.  Valid international numbers have no other meaning.
    """
    if is_valid(number) or not digits.startswith(plan.international_prefix):
        return
    for region in plan.at_home:
        prefix = phonenumbers.ndd_prefix_for_region(region, True) or ""
        national = _parsed(digits.removeprefix(prefix), region) if prefix else None
        if national is not None and plan.international_prefix == prefix * 2:
            yield national


def is_costly(number: PhoneNumber) -> bool:
    """Premium rate, shared cost, personal numbers, satellites and networks of no country, billed enquiries.

    For an invalid number, the first digits decide, and those after a carrier selection code.
    """
    if number.country_code in COSTLY_CODES or tariffs.is_costly_type(number):
        return True
    there = main_region(str(number.country_code))
    national = phonenumbers.national_significant_number(number)
    if there and tariffs.is_enquiry(national, there):
        return True
    if is_valid(number) or not there:
        return False
    short = [national[:length] for length in _SHORT_DIGITS]
    if national.startswith(_CARRIER_BEGINS):
        behind = (national[place:] for place in range(1, _CARRIER_DIGITS + 1))
        short += [rest for rest in behind if len(rest) in _SHORT_DIGITS]
    return tariffs.leads_to_costly(national, there) or any(is_costly_short(each, there) for each in short)


def is_costly_short(digits: str, region: str) -> bool:
    """Whether these digits are a short number at a higher rate in the country."""
    if tariffs.is_enquiry(digits, region):
        return True
    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return False
    short, premium = phonenumbers.shortnumberinfo, phonenumbers.ShortNumberCost.PREMIUM_RATE
    return bool(
        short.is_valid_short_number_for_region(number, region)
        and short.expected_cost_for_region(number, region) == premium
    )


def begins_with(dialled: str, prefix: str, plan: Plan) -> bool:
    """Whether a normalised number begins with the prefix of a rule:  ``+49900``, ``0049900`` or ``0900``."""
    if dialled.startswith(prefix):
        return True
    if prefix.startswith("+") or not dialled.startswith("+"):
        return False
    idd = plan.international_prefix
    codes = {code_of(region) for region in plan.at_home}
    if idd and prefix.startswith(idd):
        rest = prefix[len(idd) :]
        if rest:
            return dialled.startswith(f"+{rest}")
        return bool(codes) and not any(dialled.startswith(f"+{code}") for code in codes)
    for region in plan.at_home:
        code = f"+{code_of(region)}"
        national = phonenumbers.ndd_prefix_for_region(region, True) or ""
        if dialled.startswith(code) and (national + dialled[len(code) :]).startswith(prefix):
            return True
    return False


def _candidates(digits: str, plan: Plan) -> Iterator[str]:
    """The numbers that ``digits`` may mean, the likeliest first."""
    region = plan.reads_as
    if digits.startswith("+"):
        yield digits
        return
    if plan.bare_e164 and is_bare_e164(digits, plan):
        yield f"+{digits}"
    if region:
        completed = f"{plan.area_code}{digits}"
        if plan.area_code and not digits.startswith("0") and not _has_national_prefix(digits, region):
            yield completed
        yield digits
    if plan.international_prefix and digits.startswith(plan.international_prefix):
        # With an unknown country, 00 is the most common international prefix (ITU-T E.123).
        full = f"+{digits[len(plan.international_prefix) :]}"
        number = _parsed(full, "")
        if number is not None and (region or is_valid(number)):
            yield full


def is_known(dial: str) -> bool:
    """Whether a normalised number is valid in some country's plan."""
    number = _parsed(dial, "") if dial.startswith("+") else None
    return number is not None and is_valid(number)


def is_bare_e164(digits: str, plan: Plan) -> bool:
    """Whether ``digits`` are a full number without its ``+``."""
    if digits.startswith("0"):
        return False
    full = _parsed(f"+{digits}", "")
    if full is None or not is_valid(full):
        return False
    if str(full.country_code) in (plan.country_code, code_of(plan.region) if plan.region else ""):
        return True
    here = _parsed(digits, plan.reads_as) if plan.reads_as else None
    return here is None or not is_valid(here)


def _has_national_prefix(digits: str, region: str) -> bool:
    prefix = phonenumbers.ndd_prefix_for_region(region, True)
    if not prefix or not digits.startswith(prefix):
        return False
    number = _parsed(digits, region)
    return number is not None and is_valid(number)


def _parsed(digits: str, region: str) -> PhoneNumber | None:
    number = _read(digits, region)
    return number if number is not None and phonenumbers.is_possible_number(number) else None


def _read(digits: str, region: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(digits, region or None)
    except phonenumbers.NumberParseException:
        return None
