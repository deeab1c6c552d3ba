"""Facts about the installation: statistics, providers, numbers, extensions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from appliance.api.auth import Caller
from appliance.api.causes import NOT_FOUND
from appliance.api.foreign import ForeignAnswer, ForeignDoor
from appliance.api.ictfax.campaigns import RUNNING, CampaignCalls
from appliance.api.ictfax.objects import SERVICE_FLAG
from appliance.api.ictfax.people import PeopleCalls
from appliance.api.numbers import own_number
from appliance.api.problems import ProblemError
from appliance.lines.settings import LineSettings
from appliance.phonebook import Campaign, Contact, ContactGroup
from appliance.settings.accounts import Scope, User
from appliance.settings.fields import to_document
from appliance.spool.model import JobState, ReceivedState
from appliance.station import StationSettings

_GOOD = frozenset({JobState.DELIVERED.value, ReceivedState.COMPLETE.value})


class SystemCalls:
    """Handlers of the door; each gets the caller."""

    def __init__(self, door: ForeignDoor, people: PeopleCalls, campaigns: CampaignCalls) -> None:
        self._door = door
        self._people = people
        self._campaigns = campaigns

    def statistics(self, caller: Caller) -> ForeignAnswer:
        """Counts of what the caller may see."""
        store = self._door.box.settings
        campaigns = [each for each in store.items(Campaign).values() if caller.may_use(each.owner)]
        groups = [each for each in store.items(ContactGroup).values() if caller.may_use(each.owner)]
        contacts = [each for each in store.items(Contact).values() if caller.may_use(each.owner)]
        total, under_way, good, bad = self._transmissions(caller)
        return ForeignAnswer(
            {
                "campaign_total": len(campaigns),
                "campaign_active": sum(self._campaigns.status(each) == RUNNING for each in campaigns),
                "group_total": len(groups),
                "contact_total": len(contacts),
                "transmission_total": total,
                "transmission_active": under_way,
                "spool_total": good + bad,
                "spool_success": good,
                "spool_failed": bad,
            }
        )

    def _transmissions(self, caller: Caller) -> tuple[int, int, int, int]:
        """(all, under way, ended well, ended badly)."""
        sums = self._door.box.faxes.counts(caller.sees)
        ended = {state: sums.get(state.value, 0) for state in JobState if state.ended}
        good = ended.pop(JobState.DELIVERED, 0)
        bad = sum(ended.values())
        if caller.sees is None:
            for state, count in self._door.box.history.counts().received:
                good += count if state in _GOOD else 0
                bad += count if state == ReceivedState.PARTIAL.value else 0
        under_way = sum(sums.get(state.value, 0) for state in JobState if not state.ended)
        return good + bad + under_way, under_way, good, bad

    def providers(self, caller: Caller) -> ForeignAnswer:
        """The lines; only administrators see their servers."""
        lines = self._door.box.settings.items(LineSettings)
        return ForeignAnswer([_provider(*item, whole=caller.may(Scope.ADMIN)) for item in lines.items()])

    def provider(self, caller: Caller, provider_id: int) -> ForeignAnswer:
        """Answers a line as a provider."""
        line = self._door.box.settings.items(LineSettings).get(provider_id)
        if line is None:
            raise ProblemError(NOT_FOUND, f"provider {provider_id}")
        return ForeignAnswer(_provider(provider_id, line, whole=caller.may(Scope.ADMIN)))

    def dids(self, caller: Caller) -> ForeignAnswer:
        """The numbers of the box and of its users, each with its account."""
        numbers = dict.fromkeys(self._numbers(caller))
        return ForeignAnswer(
            [
                {"did_id": did_id, "phone": phone, "title": phone, "account_id": account_id, "active": 1}
                for did_id, (phone, account_id) in enumerate(numbers, 1)
            ]
        )

    def _numbers(self, caller: Caller) -> Iterator[tuple[str, int | None]]:
        store = self._door.box.settings
        for user_id, user in store.items(User).items():
            if user.caller_number and (caller.may(Scope.ADMIN) or user.name == caller.owner):
                yield user.caller_number, user_id
        own = own_number(self._door.box)
        if own:
            yield own, None
        for phone in store.section(StationSettings).further_numbers:
            yield phone, None
        for line in store.items(LineSettings).values():
            if line.caller_number:
                yield line.caller_number, None

    def nothing(self, caller: Caller) -> ForeignAnswer:
        """An empty list, for kinds of telephony that the box does not have."""
        return ForeignAnswer([])


def _provider(line_id: int, line: LineSettings, *, whole: bool) -> dict[str, Any]:
    document = to_document(line, mask=True)
    shown: dict[str, Any] = {
        "provider_id": line_id,
        "name": line.name,
        "type": document["type"],
        "service_flag": SERVICE_FLAG,
        "weight": line.position,
        "active": int(line.enabled),
    }
    if whole:
        shown |= {
            "host": document.get("server", document.get("device", "")),
            "username": document.get("username", ""),
        }
    return shown
