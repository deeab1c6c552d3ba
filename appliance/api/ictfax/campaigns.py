"""Campaigns: broadcasts of one program to a group, to each number until it has received the fax."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from appliance.api.auth import Caller
from appliance.api.causes import SETTING_INVALID
from appliance.api.foreign import ForeignAnswer, ForeignDoor
from appliance.api.foreign_fields import LINE_LIMIT, number, refused, text
from appliance.api.ictfax.groups import GroupCalls
from appliance.api.ictfax.objects import ORIGIN
from appliance.api.ictfax.owned import OwnedList
from appliance.api.ictfax.people import asked
from appliance.api.ictfax.programs import ProgramCalls
from appliance.api.ictfax.words import MOST_TRIES, needed_id, read_time
from appliance.api.problems import ProblemError
from appliance.documents.causes import DOCUMENT_EMPTY
from appliance.phonebook import Campaign
from appliance.services.faxes import Request
from appliance.services.rules import To
from appliance.spool.errors import IllegalTransitionError
from appliance.spool.filters import JobFilter, every
from appliance.spool.model import Job, JobState
from appliance.spool.options import SendOptions

# The most campaigns of one owner.
CAMPAIGNS = 1000
# Jobs read at once.
PAGE = 500
ACTIVE, RUNNING, STOPPED, COMPLETED = "active", "running", "stopped", "completed"
# States of a fax whose recipient gets none by a further start; an unknown one may have arrived.
_NOT_AGAIN = frozenset(JobState) - {JobState.FAILED, JobState.CANCELLED}


class CampaignCalls:
    """Handlers of the door; each gets the caller."""

    def __init__(self, door: ForeignDoor, groups: GroupCalls, programs: ProgramCalls) -> None:
        self._door = door
        self._groups = groups
        self._programs = programs
        self._owned = OwnedList(door, Campaign, "campaign", CAMPAIGNS)

    def create(self, caller: Caller) -> ForeignAnswer:
        """Makes a campaign of a program and a group; answers its id."""
        fields = asked(self._door)
        program_id, group_id = needed_id(fields, "program_id"), needed_id(fields, "group_id")
        program = self._programs.find(caller, program_id)
        group = self._groups.owned.find(caller, group_id)
        name = text(fields, "name", LINE_LIMIT) or f"{program.name} to {group.name}"
        campaign = Campaign(
            name=name[:LINE_LIMIT],
            program_id=program_id,
            group_id=group_id,
            tries=min(number(fields, "try_allowed") or 0, MOST_TRIES),
            owner=caller.owner,
        )
        return self._owned.add(caller, campaign)

    def campaigns(self, caller: Caller) -> ForeignAnswer:
        """Lists the campaigns that the caller may see."""
        return ForeignAnswer([self._shown(*item) for item in self._owned.seen(caller)])

    def campaign(self, caller: Caller, campaign_id: int) -> ForeignAnswer:
        """Answers a campaign."""
        return ForeignAnswer(self._shown(campaign_id, self._owned.find(caller, campaign_id)))

    def status_of(self, caller: Caller, campaign_id: int) -> ForeignAnswer:
        """Answers a campaign's status."""
        return ForeignAnswer(self.status(self._owned.find(caller, campaign_id)))

    def change(self, caller: Caller, campaign_id: int) -> ForeignAnswer:
        """Changes a campaign's program, group, name or tries; answers it."""
        self._owned.changeable(caller, campaign_id)
        fields = asked(self._door)
        values: dict[str, Any] = {}
        if fields.get("program_id"):
            values["program_id"] = needed_id(fields, "program_id")
            self._programs.find(caller, values["program_id"])
        if fields.get("group_id"):
            values["group_id"] = needed_id(fields, "group_id")
            self._groups.owned.find(caller, values["group_id"])
        if fields.get("name"):
            values["name"] = text(fields, "name", LINE_LIMIT)
        if fields.get("try_allowed"):
            values["tries"] = min(number(fields, "try_allowed") or 0, MOST_TRIES)
        return ForeignAnswer(self._shown(campaign_id, self._owned.change(caller, campaign_id, values)))

    def remove(self, caller: Caller, campaign_id: int) -> ForeignAnswer:
        """Stops and deletes a campaign; its faxes stay in the journal."""
        self.stop(caller, campaign_id)
        return self._owned.remove(caller, campaign_id)

    def start(self, caller: Caller, campaign_id: int) -> ForeignAnswer:
        """Sends to each contact of the group that did not get the fax and has none under way."""
        self._start(caller, campaign_id, None)
        return ForeignAnswer(True)

    def schedule(self, caller: Caller, campaign_id: int) -> ForeignAnswer:
        """Starts a campaign at the given time; answers its id."""
        self._start(caller, campaign_id, read_time(asked(self._door), self._door.context.now()))
        return ForeignAnswer(campaign_id)

    def _start(self, caller: Caller, campaign_id: int, at: float | None) -> None:
        box, campaign = self._door.box, self._owned.changeable(caller, campaign_id)
        program = self._programs.find(caller, campaign.program_id)
        if not box.documents.get(program.document_id, caller.sees).files:
            raise ProblemError(DOCUMENT_EMPTY, f"document {program.document_id} has no file")
        members = self._groups.members(caller, self._groups.owned.find(caller, campaign.group_id))
        if not members:
            raise refused(SETTING_INVALID, "group_id", "there is no contact in this group")
        done = {
            form
            for job in self._jobs(campaign)
            if job.state in _NOT_AGAIN
            for form in (job.given, job.number)
        }
        to: dict[str, To] = {}  # by number as it is dialled
        for _, contact in members:
            number = box.rules.number(contact.number).dial
            if not done & {contact.number, number}:
                to.setdefault(number, To(contact.number, contact.name, contact.company))
        if not to:
            return
        submitted = box.faxes.submit(
            Request(
                owner=caller.owner,
                key=caller.key,
                origin=ORIGIN,
                to=tuple(to.values()),
                document_id=program.document_id,
                options=SendOptions(max_tries=campaign.tries or None),
                scheduled_at=at,
                metadata={"title": campaign.name, "program_id": program.id, "campaign_id": campaign_id},
                # Two simultaneous starts make one broadcast.
                idempotency_key=f"campaign {campaign_id}, start {len(campaign.submission_ids) + 1}",
                idempotency_digest="start",
            )
        )
        known = dict.fromkeys((*campaign.submission_ids, submitted.submission_id))
        box.settings.update(Campaign, campaign_id, {"submission_ids": list(known)})
        self._door.audit(caller, "campaign.start", f"campaign:{campaign_id}", f"to {len(submitted.jobs)}")

    def stop(self, caller: Caller, campaign_id: int) -> ForeignAnswer:
        """Cancels the faxes under way."""
        campaign = self._owned.changeable(caller, campaign_id)
        for job in self._jobs(campaign):
            if not job.state.ended:
                with contextlib.suppress(IllegalTransitionError):  # it has just ended
                    self._door.box.faxes.cancel(job.id, caller.sees)
        self._door.audit(caller, "campaign.stop", f"campaign:{campaign_id}")
        return ForeignAnswer(True)

    def status(self, campaign: Campaign) -> str:
        """``active`` before its start, then ``running``, and in the end ``stopped`` or ``completed``."""
        return _status(self._door.box.faxes.counts_of(campaign.submission_ids))

    def _jobs(self, campaign: Campaign) -> Iterator[Job]:
        for submission_id in campaign.submission_ids:
            wanted = JobFilter(submission_id=submission_id, limit=PAGE)
            yield from every(self._door.box.faxes.search, wanted)

    def _shown(self, campaign_id: int, campaign: Campaign) -> dict[str, Any]:
        counts = self._door.box.faxes.counts_of(campaign.submission_ids)
        return {
            "campaign_id": campaign_id,
            "name": campaign.name,
            "program_id": campaign.program_id,
            "group_id": campaign.group_id,
            "try_allowed": campaign.tries or None,
            "status": _status(counts),
            "contact_total": sum(counts.values()),
            "contact_done": sum(count for state, count in counts.items() if state.ended),
            "contact_sent": counts.get(JobState.DELIVERED, 0),
        }


def _status(counts: Mapping[JobState, int]) -> str:
    if not counts:
        return ACTIVE
    if not all(state.ended for state in counts):
        return RUNNING
    return STOPPED if JobState.CANCELLED in counts else COMPLETED
