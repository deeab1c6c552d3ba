"""Reading transmissions and faxes, sent and received."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

import bottle

from appliance.api import request
from appliance.api.auth import Caller
from appliance.api.foreign import PDF, ForeignAnswer, ForeignDoor, file_answer, received_pdf, visible_received
from appliance.api.foreign_fields import number
from appliance.api.ictfax import objects
from appliance.api.ictfax.media import document_pdf
from appliance.api.ictfax.objects import INBOUND, OUTBOUND, SERVICE_FLAG, STATES
from appliance.api.ictfax.people import PeopleCalls
from appliance.api.ictfax.transmissions import ENDED_BADLY, Transmission, Transmissions
from appliance.api.ictfax.words import LIST_LIMIT
from appliance.api.numbers import own_number
from appliance.dispatch.rules import most_tries
from appliance.phonebook import Contact
from appliance.settings.accounts import Scope
from appliance.spool.errors import NotFoundError
from appliance.spool.filters import JobFilter, ReceivedFilter
from appliance.spool.model import Job, JobState, Received
from appliance.spool.settings import SendingSettings

_TEXT_FILTERS = ("title", "origin", "status", "response")
_ID_FILTERS = ("transmission_id", "program_id", "account_id", "contact_id")


class FaxCalls:
    """Handlers of the door; each gets the caller."""

    def __init__(self, door: ForeignDoor, people: PeopleCalls) -> None:
        self._door = door
        self._people = people
        self._transmissions = Transmissions(door.box)

    # -- transmissions -------------------------------------------------------------------------

    def transmissions(self, caller: Caller) -> ForeignAnswer:
        """The transmissions that match the query, newest first, with contact and account.

        Besides that system's filters, ``limit`` and ``before_id`` page through a long journal.
        """
        query = request.last_of_each(request.read_query(bottle.request.environ))
        limit = min(number(query, "limit") or LIST_LIMIT, LIST_LIMIT)
        before = number(query, "before_id")
        flag = number(query, "service_flag")
        if flag is not None and flag & SERVICE_FLAG != flag:
            return ForeignAnswer([])
        found: list[dict[str, Any]] = []
        if caller.may(Scope.SEND) and query.get("direction") in (None, "", OUTBOUND):
            found += islice(self._sent(caller, query, before), limit)
        if caller.may(Scope.RECEIVE) and query.get("direction") in (None, "", INBOUND):
            found += islice(self._received(caller, query, before), limit)
        found.sort(key=lambda shown: -int(shown["transmission_id"]))
        return ForeignAnswer(found[:limit])

    def _sent(self, caller: Caller, query: Mapping[str, str], before: int | None) -> Iterator[dict[str, Any]]:
        wanted = JobFilter(
            owner=caller.sees or "",
            states=_states(query.get("status", "")),
            # The index narrows the search by the title's words; ``_matches`` decides.
            text=_indexed(query.get("title", "")),
            before_id=before,
        )
        for transmission in self._transmissions.search(wanted):
            if not _may_match(transmission.job, query):  # before more is read about it
                continue
            shown = self._shown(transmission)
            if _matches(shown, query):
                contact = self._contact(transmission)
                account = self._people.account_named(transmission.root.owner)
                yield {**shown, "contact": contact, "account": account}

    def _received(
        self, caller: Caller, query: Mapping[str, str], before: int | None
    ) -> Iterator[dict[str, Any]]:
        wanted = ReceivedFilter(before_id=before, limit=LIST_LIMIT)
        for fax in visible_received(self._door.box, caller, wanted):
            shown = self._received_shown(fax)
            if _matches(shown, query):
                contact = objects.contact_object(
                    None, Contact(number=fax.caller or fax.tsi, last_name=fax.caller_name)
                )
                yield {
                    **shown,
                    "contact": contact,
                    "account": self._people.account_named(fax.owner),
                }

    def transmission(self, caller: Caller, transmission_id: int) -> ForeignAnswer:
        """Answers a transmission, sent or received."""
        return self._either(caller, transmission_id, self._shown, self._received_shown)

    def status(self, caller: Caller, transmission_id: int) -> ForeignAnswer:
        """Answers the status of a transmission."""
        return self._either(
            caller, transmission_id, lambda found: self._shown(found)["status"], objects.received_status
        )

    def results(self, caller: Caller, transmission_id: int) -> ForeignAnswer:
        """The results of the latest sending; ``name``, ``type`` and ``data`` of the query filter them."""

        def sent(found: Transmission) -> list[dict[str, Any]]:
            return objects.job_results(found.job, self._transmissions.document_of(found.job))

        answer = self._either(caller, transmission_id, sent, objects.received_results)
        query = request.read_query(bottle.request.environ)
        wanted = {name: query[name][-1] for name in ("name", "type", "data") if name in query}
        rows = [row for row in answer.data if all(str(row[key]) == value for key, value in wanted.items())]
        return ForeignAnswer([{"transmission_id": transmission_id, **row} for row in rows])

    def calls(self, caller: Caller, transmission_id: int) -> ForeignAnswer:
        """All calls of a transmission."""
        return self._either(
            caller,
            transmission_id,
            lambda found: objects.attempt_rows(transmission_id, self._transmissions.attempts(found)),
            lambda fax: [],
        )

    def _either(
        self,
        caller: Caller,
        fax_id: int,
        sent: Callable[[Transmission], Any],
        received: Callable[[Received], Any],
    ) -> ForeignAnswer:
        """The answer of ``sent`` or ``received`` for the fax with this id.  Raises NotFoundError."""
        if caller.may(Scope.SEND):
            try:
                return ForeignAnswer(sent(self._transmissions.get(fax_id, caller)))
            except NotFoundError:
                if not caller.may(Scope.RECEIVE):
                    raise
        caller.require(Scope.RECEIVE)
        return ForeignAnswer(received(self._door.box.inbox.get(fax_id, caller.sees)))

    def _shown(self, transmission: Transmission) -> dict[str, Any]:
        box, root = self._door.box, transmission.root
        calls = self._transmissions.attempts(transmission) if transmission.tries else []
        allowed = most_tries(transmission.job, box.settings.section(SendingSettings))
        return objects.sent_transmission(
            root,
            transmission.job,
            tries=transmission.tries,
            tries_allowed=allowed,
            last_run=calls[-1].started_at if calls else None,
            account_id=self._people.account_id(root.owner) or 0,
            now=box.clock(),
        )

    def _received_shown(self, fax: Received) -> dict[str, Any]:
        return objects.received_transmission(fax, self._people.account_id(fax.owner))

    def _contact(self, transmission: Transmission) -> dict[str, Any]:
        job = transmission.job
        contact_id = job.metadata.get("contact_id") if job.origin == objects.ORIGIN else None
        known = None
        if isinstance(contact_id, int):
            known = self._door.box.settings.items(Contact).get(contact_id)
        return objects.contact_object(contact_id, known or Contact(number=job.given, first_name=job.name))

    # -- faxes in one step ---------------------------------------------------------------------

    def faxes(self, caller: Caller) -> ForeignAnswer:
        """Faxes both ways, newest first; ``direction``, ``status``, ``limit`` and ``before_id`` filter."""
        query = request.last_of_each(request.read_query(bottle.request.environ))
        limit = min(number(query, "limit") or LIST_LIMIT, LIST_LIMIT)
        before = number(query, "before_id")
        own = own_number(self._door.box)

        def wanted(shown: Mapping[str, Any]) -> bool:
            return query.get("status", "") in ("", shown["status"])

        found: list[dict[str, Any]] = []
        if caller.may(Scope.SEND) and query.get("direction") in (None, "", OUTBOUND):
            sent = self._transmissions.search(JobFilter(owner=caller.sees or "", before_id=before))
            found += islice(filter(wanted, (objects.sent_fax(each.job, own) for each in sent)), limit)
        if caller.may(Scope.RECEIVE) and query.get("direction") in (None, "", INBOUND):
            several = ReceivedFilter(before_id=before, limit=LIST_LIMIT)
            faxes = visible_received(self._door.box, caller, several)
            found += filter(wanted, (objects.received_fax(fax, own) for fax in faxes))
        return ForeignAnswer(sorted(found, key=lambda fax: -int(fax["id"]))[:limit])

    def received(self, caller: Caller) -> ForeignAnswer:
        """Lists received faxes, newest first."""
        own = own_number(self._door.box)
        faxes = visible_received(self._door.box, caller, ReceivedFilter(limit=LIST_LIMIT))
        return ForeignAnswer([objects.received_fax(fax, own) for fax in faxes])

    def read(self, caller: Caller, fax_id: int) -> ForeignAnswer:
        """Answers a fax, sent or received."""
        own = own_number(self._door.box)
        return self._either(
            caller,
            fax_id,
            lambda found: objects.sent_fax(found.job, own),
            lambda fax: objects.received_fax(fax, own),
        )

    def download(self, caller: Caller, fax_id: int) -> ForeignAnswer:
        """The fax as PDF: what was received, or the document that was sent."""
        box = self._door.box

        def sent(found: Transmission) -> bytes:
            return document_pdf(box, box.documents.get(self._transmissions.document_of(found.job)))

        def received(fax: Received) -> bytes:
            content = received_pdf(box, fax)
            box.inbox.mark_read(fax.id)
            return content

        content = self._either(caller, fax_id, sent, received).data
        self._door.audit(caller, "fax.look", f"fax:{fax_id}", "document")
        return file_answer(content, PDF, f"fax-{fax_id}.pdf")


def _indexed(title: str) -> str:
    """The title to search the spool for; empty if it may be part of an untitled fax's name."""
    return "" if title.strip().casefold() in objects.UNTITLED.casefold() else title


def _states(status: str) -> frozenset[JobState]:
    """The states that may show as ``status``, to search fewer jobs; empty: any.

    A job that failed may have been sent again since.
    """
    return STATES[status] | ENDED_BADLY if status in STATES else frozenset()


def _may_match(job: Job, query: Mapping[str, str]) -> bool:
    """Whether the job's own data match that system's filters."""
    metadata = objects.own_metadata(job)
    if query.get("title", "").casefold() not in objects.title_of(job).casefold():
        return False
    return all(query.get(name, "") in ("", str(metadata.get(name))) for name in ("program_id", "contact_id"))


def _matches(shown: Mapping[str, Any], query: Mapping[str, str]) -> bool:
    """Whether all filters match: texts by containment, numbers by equality."""
    for name in _TEXT_FILTERS:
        word = query.get(name, "")
        exact = name == "status"
        have = str(shown[name]).casefold()
        if word and (have != word.casefold() if exact else word.casefold() not in have):
            return False
    return all(query.get(name, "") in ("", str(shown[name])) for name in _ID_FILTERS)
