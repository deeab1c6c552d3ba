"""Trying a call: what the rules would do with it, decided as for a real one."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.causes import Cause
from appliance.deliver import routing
from appliance.deliver.routing import NO_CONTENTS, Contents, Judged, TriedFax, Why
from appliance.deliver.settings import DeliveryRoute, JunkRule
from appliance.lines.line import IncomingCall
from appliance.settings.store import SettingsStore

# The sentence about a rule, by why it applies or does not.
SENTENCES = {
    Why.FITS: "It fits.",
    Why.OFF: "It is off.",
    Why.NO_CONDITION: "It has no condition, so it fits nothing.",
    Why.CALLER: "The caller's number is another.",
    Why.CALLER_NAME: "The caller's name is another.",
    Why.DIALLED: "The number called is another.",
    Why.TSI: "The sender's station ID is another.",
    Why.SUB_ADDRESS: "The sub-address is another.",
    Why.LINE: "The line is another.",
    Why.BARCODE: "No barcode on the first page begins so.",
    Why.WORDS: "None of its words stands on the first page.",
    Why.AFTER_LAST: "It is not looked at: an earlier rule was the last.",
    Why.ALLOWED: "It fits, but another rule allows the call.",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """The decisions about a call.

    ``refused``: the call is not answered and no route is asked.  ``user``: who gets the fax, empty: all.
    """

    refused: Cause | None
    junk: list[Judged[JunkRule]]
    routes: list[Judged[DeliveryRoute]]
    user: str

    @property
    def taken(self) -> list[Judged[DeliveryRoute]]:
        """The routes that the fax takes."""
        return [each for each in self.routes if each.why is Why.FITS]


def try_call(
    settings: SettingsStore, fax: TriedFax, caller_name: str = "", contents: Contents = NO_CONTENTS
) -> Trial:
    """What a call would meet now that brings ``fax`` with ``contents`` on its first page."""
    call = IncomingCall(fax.line, fax.dialled, fax.caller, caller_name)
    rules = settings.items(JunkRule)
    refused = routing.junk(call, rules)
    judged = routing.judge_routes(fax, settings.items(DeliveryRoute), contents) if refused is None else []
    user = next((each.rule.user for each in judged if each.why is Why.FITS and each.rule.user), "")
    return Trial(refused, routing.judge_junk(call, rules), judged, user)
