"""Transmissions: making, changing, sending, scheduling and ending them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from appliance.api.auth import Caller
from appliance.api.causes import NOT_FOUND
from appliance.api.foreign import ForeignAnswer, ForeignDoor
from appliance.api.foreign_fields import LINE_LIMIT, number, refused, text
from appliance.api.ictfax.objects import MARK, ORIGIN, OUTBOUND
from appliance.api.ictfax.people import PeopleCalls, asked
from appliance.api.ictfax.programs import ProgramCalls
from appliance.api.ictfax.transmissions import Transmission, Transmissions
from appliance.api.ictfax.words import MOST_TRIES, NUMBER_LIMIT, MissingError, needed_id, read_time
from appliance.api.problems import ProblemError
from appliance.documents.causes import DOCUMENT_EMPTY
from appliance.phonebook import Contact
from appliance.records import shared
from appliance.services.causes import STATE_FORBIDS
from appliance.services.faxes import Request
from appliance.services.rules import To
from appliance.settings.accounts import Scope
from appliance.spool.errors import NotFoundError
from appliance.spool.model import Handed, JobState
from appliance.spool.options import SendOptions


class SendingCalls:
    """Handlers of the door; each gets the caller."""

    def __init__(self, door: ForeignDoor, people: PeopleCalls, programs: ProgramCalls) -> None:
        self._door = door
        self._people = people
        self._programs = programs
        self._transmissions = Transmissions(door.box)

    # -- transmissions -------------------------------------------------------------------------

    def create(self, caller: Caller) -> ForeignAnswer:
        """Makes a transmission; ``send`` hands it in."""
        fields = asked(self._door)
        return self._made(caller, fields, needed_id(fields, "program_id"))

    def create_of(self, caller: Caller, program_id: int) -> ForeignAnswer:
        """The same, with the program's id in the path."""
        fields = asked(self._door)
        return self._made(caller, fields, program_id)

    def _made(self, caller: Caller, fields: Mapping[str, Any], program_id: int) -> ForeignAnswer:
        box, program = self._door.box, self._programs.find(caller, program_id)
        document = box.documents.get(program.document_id, caller.sees)
        if text(fields, "direction") not in ("", OUTBOUND):
            raise refused(STATE_FORBIDS, "direction", "only outbound transmissions are made")
        contact_id, to = self._recipient(caller, fields)
        title = text(fields, "title", LINE_LIMIT) or program.name
        tries = number(fields, "try_allowed")
        number(fields, "account_id")  # only checked: the caller's own account sends
        made = box.faxes.submit(
            Request(
                owner=caller.owner,
                key=caller.key,
                origin=ORIGIN,
                to=(to,),
                document_id=document.id,
                options=SendOptions(max_tries=min(tries, MOST_TRIES) if tries else None),
                held=True,
                metadata={"title": title, "program_id": program.id, "contact_id": contact_id},
            )
        )
        job = made.jobs[0]
        self._door.audit(caller, "fax.create", f"fax:{job.id}", f"to {job.number}")
        return ForeignAnswer(job.id)

    def change(self, caller: Caller, transmission_id: int) -> ForeignAnswer:
        """Changes texts, recipient or program of a transmission that was not sent yet."""
        box, transmission = self._door.box, self._transmissions.get(transmission_id, caller)
        fields = asked(self._door)
        job = transmission.job
        metadata, options = dict(job.metadata), job.options
        to, document_id = To(job.given, job.name, job.company), self._transmissions.document_of(job)
        if job.state is not JobState.HELD:
            raise ProblemError(STATE_FORBIDS, f"transmission {transmission_id} is {job.state.value}")
        program_id = number(fields, "program_id")
        if program_id and program_id != metadata.get("program_id"):
            program = self._programs.find(caller, program_id)
            document_id = box.documents.get(program.document_id, caller.sees).id
            metadata["program_id"] = program_id
        if fields.get("contact_id") or fields.get("phone"):
            metadata["contact_id"], to = self._recipient(caller, fields)
        if fields.get("title"):
            metadata["title"] = text(fields, "title", LINE_LIMIT)
        tries = number(fields, "try_allowed")
        if tries:
            options = replace(options, max_tries=min(tries, MOST_TRIES))
        box.faxes.rewrite_held(job.id, to, document_id, replace(job, options=options, metadata=metadata))
        self._door.audit(caller, "fax.change", f"fax:{job.id}", ", ".join(fields)[:LINE_LIMIT])
        return ForeignAnswer(transmission_id)

    def clone(self, caller: Caller, transmission_id: int) -> ForeignAnswer:
        """A new transmission of the same document to the same recipient, which waits for ``send``."""
        box, transmission = self._door.box, self._transmissions.get(transmission_id, caller)
        job = transmission.job
        kept = shared(job, Handed) | {
            "options": box.rules.options_again(job),
            "key": caller.key or job.key,
            "origin": ORIGIN,
            "metadata": {name: value for name, value in job.metadata.items() if name != MARK},
            "callback_url": "",
            "resent_from": None,
        }
        again = To(job.given, job.name, job.company)
        made = box.faxes.submit(
            Request(**kept, to=(again,), document_id=self._transmissions.document_of(job), held=True)
        )
        self._door.audit(caller, "fax.create", f"fax:{made.jobs[0].id}", f"as {transmission_id}")
        return ForeignAnswer(made.jobs[0].id)

    def _recipient(self, caller: Caller, fields: Mapping[str, Any]) -> tuple[int, To]:
        """The contact's id and the recipient; a bare ``phone`` becomes a contact, as in that system."""
        people = self._people
        contact_id = number(fields, "contact_id")
        if contact_id:
            contact = people.owned.find(caller, contact_id)
            return contact_id, To(contact.number, contact.name, contact.company)
        phone = text(fields, "phone", NUMBER_LIMIT)
        if not phone:
            raise MissingError("contact_id or phone")
        self._door.box.rules.number(phone)
        return people.keep(Contact(number=phone, owner=caller.owner)), To(phone)

    def send(self, caller: Caller, transmission_id: int) -> ForeignAnswer:
        """Hands in a transmission, to be sent now."""
        transmission = self._ready(caller, transmission_id)
        job = self._transmissions.send(transmission, caller)
        self._door.audit(caller, "fax.release", f"fax:{job.id}", f"to {job.number}")
        return ForeignAnswer(True)

    def schedule(self, caller: Caller, transmission_id: int) -> ForeignAnswer:
        """Hands in a transmission, to be sent at the given time; answers its id."""
        at = read_time(asked(self._door), self._door.context.now())
        transmission = self._ready(caller, transmission_id)
        job = self._transmissions.send(transmission, caller, at)
        self._door.audit(caller, "fax.reschedule", f"fax:{job.id}", f"to {job.number}")
        return ForeignAnswer(job.id)

    def unschedule(self, caller: Caller, transmission_id: int) -> ForeignAnswer:
        """Cancels the schedule of a transmission."""
        transmission = self._transmissions.get(transmission_id, caller)
        if not self._transmissions.unschedule(transmission, caller):
            raise ProblemError(NOT_FOUND, f"transmission {transmission_id} has no schedule")
        self._door.audit(caller, "fax.cancel", f"fax:{transmission_id}", "its schedule")
        return ForeignAnswer(True)

    def _ready(self, caller: Caller, transmission_id: int) -> Transmission:
        """The transmission, if its document has a file and can be sent.  Raises ProblemError."""
        transmission = self._transmissions.get(transmission_id, caller)
        document_id = self._transmissions.document_of(transmission.job)
        if not self._door.box.documents.get(document_id).files:
            raise ProblemError(DOCUMENT_EMPTY, f"document {document_id} has no file")
        return transmission

    def remove(self, caller: Caller, transmission_id: int) -> ForeignAnswer:
        """Cancels a transmission that is under way, or deletes a received fax."""
        box = self._door.box
        try:
            caller.require(Scope.SEND)
            job = self._transmissions.get(transmission_id, caller).job
        except (NotFoundError, ProblemError):
            caller.require(Scope.RECEIVE)
            box.inbox.delete(transmission_id, caller.sees)
            self._door.audit(caller, "received.delete", f"fax:{transmission_id}")
            return ForeignAnswer(True)
        if job.state.ended:
            raise ProblemError(STATE_FORBIDS, "the journal keeps faxes that ended")
        box.faxes.cancel(job.id)
        self._door.audit(caller, "fax.cancel", f"fax:{job.id}")
        return ForeignAnswer(True)
