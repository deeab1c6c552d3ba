"""Decisions about calls and received faxes: which are junk, and which routes a fax takes.  Pure."""

from __future__ import annotations

from collections.abc import Iterable

from appliance.causes import JUNK_CALL, Cause
from appliance.deliver.settings import JunkRule, Route
from appliance.lines.line import IncomingCall
from appliance.spool.model import Received

# In a list of callers: one who does not show a number.
WITHHELD = "*"
# What networks put in place of a number that is withheld (RFC 3323 4.1, and in words).
_NO_NUMBER = frozenset({"", "anonymous", "unknown", "private", "unavailable", "restricted"})


def junk(call: IncomingCall, rules: Iterable[JunkRule]) -> Cause | None:
    """The row to refuse ``call`` with before it is answered, None to take it.

    A rule that allows outweighs every other.  A rule without a condition fits nothing: it would shut the
    box to everyone.
    """
    fitting = [rule for rule in rules if rule.enabled and _is_junk(call, rule)]
    if not fitting or any(rule.allow for rule in fitting):
        return None
    return JUNK_CALL


def _is_junk(call: IncomingCall, rule: JunkRule) -> bool:
    if not (rule.caller or rule.caller_name or rule.dialled or rule.line):
        return False
    return (
        (not rule.caller or caller_fits(call.caller, rule.caller))
        and rule.caller_name.casefold() in call.caller_name.casefold()
        and (not rule.dialled or _begins(call.dialled, rule.dialled))
        and (not rule.line or call.line in rule.line)
    )


def routes_of(fax: Received, routes: Iterable[Route]) -> list[Route]:
    """The routes that ``fax`` takes, in the owner's order, up to the first that is the last."""
    taken = []
    for route in sorted(routes, key=lambda route: route.position):
        if route.enabled and _fits(fax, route):
            taken.append(route)
            if route.last:
                break
    return taken


def _fits(fax: Received, route: Route) -> bool:
    return (
        (not route.dialled or _begins(fax.dialled, route.dialled))
        and (not route.caller or caller_fits(fax.caller, route.caller))
        and (not route.tsi or _begins(fax.tsi, route.tsi))
        and (not route.sub_address or _plain(fax.sub_address) in map(_plain, route.sub_address))
        and (not route.line or fax.line in route.line)
    )


def caller_fits(caller: str, wanted: Iterable[str]) -> bool:
    """Whether a caller's number begins as one of ``wanted``; ``*`` is for callers without a number."""
    withheld = caller.strip().casefold() in _NO_NUMBER
    if withheld:
        return WITHHELD in wanted
    return _begins(caller, (each for each in wanted if each != WITHHELD))


def _begins(number: str, wanted: Iterable[str]) -> bool:
    plain = _plain(number)
    return any(plain.startswith(_plain(each)) for each in wanted)


def _plain(number: str) -> str:
    """A number without what only helps people to read it; 00 abroad is the same as +."""
    kept = "".join(letter for letter in number if letter.isalnum() or letter in "+*#")
    return "+" + kept[2:] if kept.startswith("00") else kept
