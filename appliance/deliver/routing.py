"""Decisions about calls and received faxes: which are junk, and which routes a fax takes.  Pure.

Each decision tells of every rule why it did or did not apply (``Judged``), so that "try a call" shows exactly
what a real call would meet.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from appliance.causes import Cause
from appliance.deliver.causes import JUNK_CALL
from appliance.deliver.settings import DeliveryRoute, JunkRule
from appliance.lines.line import IncomingCall
from appliance.spool.model import Received

# In a list of callers: a caller who withholds the number.
WITHHELD = "*"
# What networks send in place of a withheld number (RFC 3323 4.1, and words in use).
_NO_NUMBER = frozenset({"", "anonymous", "unknown", "private", "unavailable", "restricted"})

R = TypeVar("R", DeliveryRoute, JunkRule)


class Why(Enum):
    """Why a rule applies or does not."""

    FITS = "fits"
    OFF = "off"
    NO_CONDITION = "no_condition"  # a junk rule without conditions would refuse every call
    CALLER = "caller"
    CALLER_NAME = "caller_name"
    DIALLED = "dialled"
    TSI = "tsi"
    SUB_ADDRESS = "sub_address"
    LINE = "line"
    BARCODE = "barcode"
    WORDS = "words"
    AFTER_LAST = "after_last"  # an earlier route was the last
    ALLOWED = "allowed"  # the call is junk by this rule, but another rule allows it


@dataclass(frozen=True, slots=True)
class Judged(Generic[R]):
    """A rule and the reason why it applies (``Why.FITS``) or does not."""

    id: int
    rule: R
    why: Why


@dataclass(frozen=True, slots=True)
class Contents:
    """The first page of a fax as it was read: its words, and the texts of its barcodes."""

    words: str = ""
    barcodes: tuple[str, ...] = ()


NO_CONTENTS = Contents()


@dataclass(frozen=True, slots=True)
class TriedFax:
    """The fax that a tried call would bring, as far as routes ask about it."""

    line: str
    dialled: str
    caller: str
    tsi: str = ""
    sub_address: str = ""


Arrival = Received | TriedFax


def junk(call: IncomingCall, rules: Mapping[int, JunkRule]) -> Cause | None:
    """The cause with which ``call`` is refused before it is answered, None to accept it."""
    return JUNK_CALL if refuses(judge_junk(call, rules)) else None


def refuses(judged: Iterable[Judged[JunkRule]]) -> bool:
    """Whether these judgements refuse the call."""
    return any(each.why is Why.FITS and not each.rule.allow for each in judged)


def judge_junk(call: IncomingCall, rules: Mapping[int, JunkRule]) -> list[Judged[JunkRule]]:
    """What each rule decides of ``call``.  A rule that allows outweighs all others."""
    found = {rule_id: _junk_misfit(call, rule) or Why.FITS for rule_id, rule in rules.items()}
    if any(why is Why.FITS and rules[rule_id].allow for rule_id, why in found.items()):
        found = {
            rule_id: Why.ALLOWED if why is Why.FITS and not rules[rule_id].allow else why
            for rule_id, why in found.items()
        }
    return [Judged(rule_id, rules[rule_id], why) for rule_id, why in found.items()]


def _junk_misfit(call: IncomingCall, rule: JunkRule) -> Why | None:
    """The first reason why a rule does not apply, None when it does."""
    if not rule.enabled:
        return Why.OFF
    if not (rule.caller or rule.caller_name or rule.dialled or rule.line):
        return Why.NO_CONDITION
    if rule.caller and not caller_fits(call.caller, rule.caller):
        return Why.CALLER
    if rule.caller_name.casefold() not in call.caller_name.casefold():
        return Why.CALLER_NAME
    if rule.dialled and not _begins(call.dialled, rule.dialled):
        return Why.DIALLED
    if rule.line and call.line not in rule.line:
        return Why.LINE
    return None


def routes_of(
    fax: Arrival, routes: Mapping[int, DeliveryRoute], by_contents: Collection[int] = frozenset()
) -> list[DeliveryRoute]:
    """The routes that ``fax`` takes, in the owner's order, up to the first that is marked as the last.

    Of the routes with conditions on the page's contents, those in ``by_contents`` (ids) fit.
    """

    def misfit(route_id: int, route: DeliveryRoute) -> Why | None:
        return None if route_id in by_contents else contents_misfit(NO_CONTENTS, route)

    return [each.rule for each in _judged(fax, routes, misfit) if each.why is Why.FITS]


def judge_routes(
    fax: Arrival, routes: Mapping[int, DeliveryRoute], contents: Contents = NO_CONTENTS
) -> list[Judged[DeliveryRoute]]:
    """What each route decides of ``fax``, in the owner's order."""
    return _judged(fax, routes, lambda _, route: contents_misfit(contents, route))


def waits_for_contents(fax: Arrival, routes: Mapping[int, DeliveryRoute]) -> bool:
    """Whether the routes of ``fax`` depend on the contents of its first page."""
    for _, route in in_order(routes):
        if _route_misfit(fax, route) is None:
            if route.barcode or route.words:
                return True
            if route.last:
                return False
    return False


def contents_misfit(contents: Contents, route: DeliveryRoute) -> Why | None:
    """The first of a route's conditions on the page that is not met, None when all are."""
    codes = [_read(code) for code in contents.barcodes]
    if route.barcode and not any(code.startswith(_read(each)) for code in codes for each in route.barcode):
        return Why.BARCODE
    if route.words and not any(_read(each) in _read(contents.words) for each in route.words):
        return Why.WORDS
    return None


def _read(text: str) -> str:
    """Text as it is compared: case, line breaks and the number of spaces do not matter."""
    return " ".join(text.casefold().split())


def _judged(
    fax: Arrival,
    routes: Mapping[int, DeliveryRoute],
    contents_misfit: Callable[[int, DeliveryRoute], Why | None],
) -> list[Judged[DeliveryRoute]]:
    judged: list[Judged[DeliveryRoute]] = []
    ended = False
    for route_id, route in in_order(routes):
        misfit = _route_misfit(fax, route) or contents_misfit(route_id, route)
        why = Why.AFTER_LAST if ended else misfit or Why.FITS
        ended = ended or (why is Why.FITS and route.last)
        judged.append(Judged(route_id, route, why))
    return judged


def in_order(routes: Mapping[int, DeliveryRoute]) -> list[tuple[int, DeliveryRoute]]:
    """The routes in the order of evaluation: by position, at the same position the older first."""
    return sorted(routes.items(), key=lambda item: (item[1].position, item[0]))


def _route_misfit(fax: Arrival, route: DeliveryRoute) -> Why | None:
    """The first reason why a route does not apply, None when it does."""
    if not route.enabled:
        return Why.OFF
    if route.dialled and not _begins(fax.dialled, route.dialled):
        return Why.DIALLED
    if route.caller and not caller_fits(fax.caller, route.caller):
        return Why.CALLER
    if route.tsi and not _begins(fax.tsi, route.tsi):
        return Why.TSI
    if route.sub_address and _plain(fax.sub_address) not in map(_plain, route.sub_address):
        return Why.SUB_ADDRESS
    if route.line and fax.line not in route.line:
        return Why.LINE
    return None


def caller_fits(caller: str, wanted: Iterable[str]) -> bool:
    """Whether a caller's number begins as one of ``wanted``; ``*`` stands for callers without a number."""
    withheld = caller.strip().casefold() in _NO_NUMBER
    if withheld:
        return WITHHELD in wanted
    return _begins(caller, (each for each in wanted if each != WITHHELD))


def _begins(number: str, wanted: Iterable[str]) -> bool:
    plain = _plain(number)
    return any(plain.startswith(_plain(each)) for each in wanted)


def _plain(number: str) -> str:
    """A number without punctuation; a leading 00 is the same as +."""
    kept = "".join(letter for letter in number if letter.isalnum() or letter in "+*#")
    return "+" + kept[2:] if kept.startswith("00") else kept
