"""Normalises written numbers, and decides whether they may be dialled.

A number is normalised before anything else uses it: E.164 with ``+`` where the country is known, otherwise
the digits as written, followed by what is dialled on after the answer (``dial_on``).  The country is that of
the line that will carry the call.  So each destination has one form in every place, the rules see what the
line dials, and no spelling gets around the rules.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from appliance.causes import Cause
from appliance.lines.causes import NUMBER_EMERGENCY, NUMBER_INVALID, NUMBER_NOT_ALLOWED
from appliance.lines.settings import LineSettings
from appliance.lines.sip.numbers import DialFormat
from appliance.lines.sip.settings import SipTrunk
from appliance.numbering import dial_on, emergency
from appliance.numbering import plan as numbering
from appliance.numbering.plan import LOCAL_DIGITS, Plan
from appliance.settings.fields import setting
from appliance.spool.model import Reach

# Longest text that is read as a number, with punctuation, parameters and extension, characters.
WRITTEN_LIMIT = 100
# E.164 6.1: at most 15 digits; trunk and carrier codes may come before.
DIGITS_LIMIT = 20
# Punctuation in numbers, besides dashes and blanks of every kind.
_SIGNS = frozenset("()[]{}./\\\u00b7\u2022\u2027\u2044\u2212\u2043\u2219\u22c5\u30fb'\u2019\t")
_BLANKS_AND_DASHES = frozenset({"Zs", "Pd"})
# Unicode categories of invisible characters: direction marks, joiners, soft hyphens, variation selectors.
_INVISIBLE = frozenset({"Cf", "Mn", "Me"})
# Other forms of the plus sign.
_PLUS = str.maketrans("\u2795\ufe62\uff0b\u207a", "++++")
_DIALLABLE = re.compile(r"\+?[0-9*#]+")
# The national part's "(0)" after a country code, as in +49 (0)30 123.
_TRUNK_ZERO = re.compile(r"^((?:\+|00)[^(]*)\(0\)")
# RFC 3966; fax: is RFC 2806's, callto: what some address books write.
_SCHEME = re.compile(r"(?:tel|fax|callto):(?://)?", re.IGNORECASE)
_PARAMETERS_BEHIND = frozenset({"ext", "postd"})


@dataclass(frozen=True, slots=True)
class NumberSettings:
    """How numbers are read, and which may be dialled."""

    region: str = setting(
        "",
        "country that numbers without a country code belong to: two letters, such as DE; "
        "empty: they are dialled as they are written",
        pattern=r"([A-Z]{2})?",
    )
    area_code: str = setting(
        "", "put before numbers that are dialled without an area code", pattern=r"[0-9]{0,8}"
    )
    outside_prefix: str = setting(
        "", "digits that reach the outside line, removed from what people type", pattern=r"[0-9*#]{0,6}"
    )
    allow: tuple[str, ...] = setting(
        (),
        "only numbers with these beginnings may be dialled, such as +49; empty: all",
        pattern=r"[+0-9*#]{1,20}",
    )
    deny: tuple[str, ...] = setting(
        (), "numbers with these beginnings are never dialled, such as +49900", pattern=r"[+0-9*#]{1,20}"
    )
    premium: bool = setting(False, "allow premium-rate numbers")
    emergency: tuple[str, ...] = setting(
        (),
        "further numbers that are never dialled, besides the country's emergency numbers",
        pattern=r"[+0-9*#]{1,20}",
    )
    internal: str = setting(
        "",
        "regular expression of internal extensions that are dialled as they are, such as [1-8][0-9]{2}",
        max_length=200,
    )
    daily_calls: int = setting(500, "calls to the outside a day, the box together; 0: no limit", minimum=0)
    daily_calls_each: int = setting(200, "calls to the outside a day for each user; 0: no limit", minimum=0)
    daily_abroad: int = setting(50, "calls abroad a day, the box together; 0: no limit", minimum=0)


@dataclass(frozen=True, slots=True)
class Number:
    """A number that may be dialled; ``dial``: the normalised number."""

    dial: str
    reach: Reach


def plan_for(settings: NumberSettings, line: LineSettings | None = None) -> Plan:
    """The numbering plan: from the settings of the box, and where those are empty, of the line."""
    if line is None:
        return Plan(settings.region, area_code=settings.area_code)
    return Plan(
        region=settings.region,
        country_code=line.country_code,
        area_code=settings.area_code or line.area_code,
        international_prefix=line.international_prefix,
        bare_e164=isinstance(line, SipTrunk) and line.form is DialFormat.E164,
    )


def permitted(number: str, allow: Sequence[str], deny: Sequence[str], plan: Plan | None = None) -> bool:
    """Whether ``number`` begins with none of ``deny``, and with one of ``allow`` if there are any.

    ``number`` is normalised; the rules may be written as dialled under ``plan``.
    """
    plan = plan or Plan()
    if any(numbering.begins_with(number, prefix, plan) for prefix in deny):
        return False
    return not allow or any(numbering.begins_with(number, prefix, plan) for prefix in allow)


def read_number(
    written: str,
    settings: NumberSettings,
    practice: frozenset[str] = frozenset(),
    plan: Plan | None = None,
) -> Number | Cause:
    """Normalises a written number; returns it, or the cause for which it is not dialled.

    ``practice``: numbers of the practice line, when it is on.  ``plan``: that of the line (``plan_for``);
    without one, the region in the settings.
    """
    if len(written) > WRITTEN_LIMIT:
        return NUMBER_INVALID
    plan = plan if plan is not None else plan_for(settings)
    apart = dial_on.read(_compact(written))
    if apart is None:
        return NUMBER_INVALID
    compact, behind = apart
    if compact in practice:
        return Number(compact, Reach.PRACTICE) if not behind else NUMBER_INVALID
    if not _DIALLABLE.fullmatch(compact) or len(compact) > DIGITS_LIMIT + 1:
        return NUMBER_INVALID
    outside = compact.removeprefix(settings.outside_prefix)
    if any(_is_emergency(each, settings, plan) for each in (compact, outside)):
        return NUMBER_EMERGENCY
    if settings.internal and _fits(settings.internal, compact):
        return Number(compact + behind, Reach.INTERNAL)
    # An emergency number may follow an unknown prefix, or be the beginning of what is dialled.
    region = plan.reads_as
    if emergency.may_reach_behind_prefix(outside, region) or emergency.may_reach(outside, region):
        return NUMBER_EMERGENCY
    if len(outside.lstrip("+")) < 2:
        return NUMBER_INVALID
    found = _outside(outside, settings, plan)
    if isinstance(found, Cause) or not behind:
        return found
    if not numbering.is_known(found.dial):
        if emergency.may_reach(outside + behind, region):
            return NUMBER_EMERGENCY  # after a doubtful number it may be dialled as the number
        if _completed(outside, behind, settings, plan):
            return NUMBER_NOT_ALLOWED
    return Number(found.dial + behind, found.reach)


def _completed(outside: str, behind: str, settings: NumberSettings, plan: Plan) -> bool:
    """Whether digits after a pause complete an incomplete number to one that is not permitted.

    An exchange that waits for further digits takes them as part of the number, however long the pause.
    """
    digits = behind.replace(",", "")
    return any(
        _outside(outside + digits[:length], settings, plan) is NUMBER_NOT_ALLOWED
        for length in range(1, len(digits) + 1)
    )


def _outside(compact: str, settings: NumberSettings, plan: Plan) -> Number | Cause:
    region = plan.reads_as
    parsed = numbering.parse(compact, plan)
    short = not settings.region and len(compact) <= LOCAL_DIGITS and compact.isdecimal() and compact[0] != "0"
    if short or (parsed is None and not region and not compact.startswith("+")):
        # Extensions and service numbers; with an unknown country, the digits as written.
        if not settings.premium and region and _is_costly_short(compact, region):
            return NUMBER_NOT_ALLOWED
        if not permitted(compact, settings.allow, settings.deny, plan):
            return NUMBER_NOT_ALLOWED
        return Number(compact, Reach.DOMESTIC)
    if parsed is None and not settings.premium and _is_costly_short(compact, region):
        return NUMBER_NOT_ALLOWED
    # The library drops unknown characters: "*67112" would become another number.
    if parsed is None or not compact.removeprefix("+").isdecimal():
        return NUMBER_INVALID
    dial = numbering.e164(parsed)
    if numbering.parse(dial, plan) != parsed:
        return NUMBER_INVALID  # normalising it again gives another form: all zeros, and the like
    if _is_emergency(dial, settings, plan):
        return NUMBER_EMERGENCY
    nowhere = not plan.at_home
    domestic = True
    behind = numbering.behind_an_exchange(compact, parsed, plan)
    for reading in (*numbering.readings(parsed, plan), *behind):
        if not settings.premium and numbering.is_costly(reading):
            return NUMBER_NOT_ALLOWED
        if not permitted(numbering.e164(reading), (), settings.deny, plan):
            return NUMBER_NOT_ALLOWED
        domestic = domestic and (nowhere or numbering.is_domestic(reading, plan))
    if not permitted(dial, settings.allow, (), plan):
        return NUMBER_NOT_ALLOWED
    return Number(dial, Reach.DOMESTIC if domestic else Reach.ABROAD)


def _is_costly_short(compact: str, region: str) -> bool:
    """Whether a short number is at a higher rate, with or without a usual outside-line prefix."""
    behind = [compact.removeprefix(prefix) for prefix in ("", *emergency.USUAL_PREFIXES, "0")]
    return any(numbering.is_costly_short(each, region) for each in behind if each)


def _is_emergency(compact: str, settings: NumberSettings, plan: Plan) -> bool:
    digits = compact.removeprefix("+")
    if digits in settings.emergency or compact in settings.emergency:
        return True
    return emergency.may_reach(compact, plan.reads_as, en_bloc=True)


def _compact(written: str) -> str:
    """The text without punctuation and invisible characters."""
    text = written.strip()
    scheme = _SCHEME.match(text)
    text = _of_uri(text[scheme.end() :]) if scheme else text
    plain = "".join(_plain(character) for character in text.translate(_PLUS))
    return _without_signs(_TRUNK_ZERO.sub(r"\1", plain))


def _of_uri(text: str) -> str:
    """The number of a tel URI (RFC 3966) with the country or area of its parameter, and its extension."""
    number, *parameters = unquote(text).split(";")
    said = dict(parameter.lower().partition("=")[::2] for parameter in parameters)
    context = said.get("phone-context", "")
    if context.startswith("+") and not number.startswith("+"):
        number = context + number
    behind = [
        f";{name}={_without_signs(value)}" for name, value in said.items() if name in _PARAMETERS_BEHIND
    ]
    return number + "".join(behind).replace(";postd=", "")


def _plain(character: str) -> str:
    """The ASCII form of a compatible digit or sign; empty for an invisible character."""
    if character.isascii():
        return character
    category = unicodedata.category(character)
    if category in _INVISIBLE:
        return ""
    folded = unicodedata.normalize("NFKC", character)
    # Digits of other scripts stay what they are, and so do 2 as an exponent, 1/2 and the like.
    return folded if category[0] in "NPS" and category != "No" and folded.isascii() else character


def _without_signs(text: str) -> str:
    return "".join(
        character
        for character in text
        if character not in _SIGNS and unicodedata.category(character) not in _BLANKS_AND_DASHES
    )


def _fits(pattern: str, compact: str) -> bool:
    try:
        return re.fullmatch(pattern, compact) is not None
    except re.error:
        return False
