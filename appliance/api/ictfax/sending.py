"""Programs, transmissions to send, and the one-step fax."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bottle

from appliance.api import intake, request
from appliance.api.auth import Caller
from appliance.api.foreign import Answer, ForeignDoor
from appliance.api.ictfax.objects import ORIGIN, OUTBOUND, QUEUED, program_object
from appliance.api.ictfax.people import PeopleCalls, fields_of
from appliance.api.ictfax.transmissions import Transmission, Transmissions
from appliance.api.ictfax.words import (
    LINE_LIMIT,
    TEXT_LIMIT,
    MissingError,
    moment,
    needed_id,
    number,
    refused,
    text,
)
from appliance.api.problems import ProblemError
from appliance.causes import DOCUMENT_EMPTY, NOT_FOUND, REQUEST_LENGTH_MISSING, STATE_FORBIDS
from appliance.net.http import check_url
from appliance.phonebook import Contact
from appliance.services.faxes import Request
from appliance.services.rules import To
from appliance.settings.accounts import Scope
from appliance.spool.model import Job, NotFoundError
from appliance.spool.options import SendOptions
from appliance.spool.remembered import Program

# The most that the box's own setting allows, too.
MOST_TRIES = 50
# Characters of a number with its punctuation.
NUMBER_LIMIT = 64
LIST_LIMIT = 1000


class SendingCalls:
    """Handlers of the door; each is given who asks."""

    def __init__(self, door: ForeignDoor, people: PeopleCalls) -> None:
        self._door = door
        self._people = people
        self._transmissions = Transmissions(door.box)

    # -- programs ------------------------------------------------------------------------------

    def create_program(self, caller: Caller) -> Answer:
        box = self._door.box
        with self._door.content(required=True) as content:
            fields = fields_of(content.fields, content.texts)
        document = box.documents.get(needed_id(fields, "document_id"), caller.sees)
        name = text(fields, "name", LINE_LIMIT) or document.name
        program = box.documents.create_program(document.owner, name, document.id)
        return Answer(program.id)

    def programs(self, caller: Caller) -> Answer:
        found = self._door.box.documents.programs(caller.owner, LIST_LIMIT)
        return Answer([program_object(program) for program in found])

    def program(self, caller: Caller, program_id: int) -> Answer:
        return Answer(program_object(self._program(caller, program_id)))

    def remove_program(self, caller: Caller, program_id: int) -> Answer:
        self._door.box.documents.delete_program(program_id, caller.sees)
        return Answer(True)

    def _program(self, caller: Caller, program_id: int) -> Program:
        return self._door.box.documents.program(program_id, caller.sees)

    # -- transmissions -------------------------------------------------------------------------

    def create(self, caller: Caller) -> Answer:
        """Makes a transmission; ``send`` hands it in."""
        box = self._door.box
        with self._door.content(required=True) as content:
            fields = fields_of(content.fields, content.texts)
        program = self._program(caller, needed_id(fields, "program_id"))
        document = box.documents.get(program.document_id, caller.sees)
        if text(fields, "direction") not in ("", OUTBOUND):
            raise refused(STATE_FORBIDS, "direction", "only outbound transmissions are made")
        contact_id, to = self._recipient(caller, fields)
        title = text(fields, "title", LINE_LIMIT) or program.name
        tries = number(fields, "try_allowed")
        number(fields, "account_id")  # the caller's own account sends, whatever its number
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
        return Answer(job.id)

    def _recipient(self, caller: Caller, fields: Mapping[str, Any]) -> tuple[int, To]:
        """The contact and its number; a bare ``phone`` becomes a contact, as that system does it."""
        people = self._people
        contact_id = number(fields, "contact_id")
        if contact_id:
            contact = people.find(caller, contact_id)
            return contact_id, To(contact.number, contact.name, contact.company)
        phone = text(fields, "phone", NUMBER_LIMIT)
        if not phone:
            raise MissingError("contact_id or phone")
        self._door.box.rules.number(phone)
        return people.keep(Contact(number=phone, owner=caller.owner)), To(phone)

    def send(self, caller: Caller, transmission_id: int) -> Answer:
        transmission = self._ready(caller, transmission_id)
        job = self._transmissions.send(transmission, caller)
        self._door.audit(caller, "fax.release", f"fax:{job.id}", f"to {job.number}")
        return Answer(True)

    def schedule(self, caller: Caller, transmission_id: int) -> Answer:
        with self._door.content(required=True) as content:
            at = moment(fields_of(content.fields, content.texts), self._door.context.now())
        transmission = self._ready(caller, transmission_id)
        job = self._transmissions.send(transmission, caller, at)
        self._door.audit(caller, "fax.reschedule", f"fax:{job.id}", f"to {job.number}")
        return Answer(job.id)

    def unschedule(self, caller: Caller, transmission_id: int) -> Answer:
        transmission = self._transmissions.get(transmission_id, caller)
        if not self._transmissions.unschedule(transmission, caller):
            raise ProblemError(NOT_FOUND, f"transmission {transmission_id} has no schedule")
        self._door.audit(caller, "fax.cancel", f"fax:{transmission_id}", "its schedule")
        return Answer(True)

    def _ready(self, caller: Caller, transmission_id: int) -> Transmission:
        """A transmission whose document has a file: what is accepted to be sent can be."""
        transmission = self._transmissions.get(transmission_id, caller)
        document_id = self._transmissions.document_of(transmission.root)
        if not self._door.box.documents.get(document_id).files:
            raise ProblemError(DOCUMENT_EMPTY, f"document {document_id} has no file")
        return transmission

    def remove(self, caller: Caller, transmission_id: int) -> Answer:
        """Ends a transmission that is under way, or deletes a received fax."""
        box = self._door.box
        try:
            caller.require(Scope.SEND)
            job = self._transmissions.get(transmission_id, caller).job
        except (NotFoundError, ProblemError):
            caller.require(Scope.RECEIVE)
            box.inbox.delete(transmission_id, caller.sees)
            self._door.audit(caller, "received.delete", f"fax:{transmission_id}")
            return Answer(True)
        if job.state.ended:
            raise ProblemError(STATE_FORBIDS, "the journal keeps faxes that ended")
        box.faxes.cancel(job.id)
        self._door.audit(caller, "fax.cancel", f"fax:{job.id}")
        return Answer(True)

    # -- one step ------------------------------------------------------------------------------

    def one_step(self, caller: Caller) -> Answer:
        """A fax in one request: a form with ``to``, ``from``, ``file`` and ``callback_url``."""
        environ = bottle.request.environ
        if request.media_type(environ) != intake.MULTIPART_TYPE:
            raise ProblemError(REQUEST_LENGTH_MISSING, "a form with a file (multipart/form-data) is needed")
        with self._door.content() as content:
            fields = {name: values[-1] for name, values in content.texts.items()}
            job = self._submit(caller, fields, [taken for _, taken in content.uploads])
            content.uploads.clear()
        self._door.audit(caller, "fax.create", f"fax:{job.id}", f"to {job.number}")
        return Answer({"id": job.id, "job_id": job.id, "transmission_id": job.id, "status": QUEUED})

    def _submit(self, caller: Caller, fields: Mapping[str, str], files: list[intake.StoredUpload]) -> Job:
        to = text(fields, "to", NUMBER_LIMIT)
        if not to:
            raise MissingError("to")
        if not files:
            raise ProblemError(REQUEST_LENGTH_MISSING, "no file uploaded")
        callback_url = text(fields, "callback_url", TEXT_LIMIT)
        if callback_url:
            check_url(callback_url)
        # One that is not theirs to show is passed over: clients of this style send any.
        sender = self._door.box.accounts.shown_number(caller.owner, text(fields, "from", NUMBER_LIMIT))
        options = SendOptions(caller_number=sender or "")
        submitted = self._door.box.faxes.submit(
            Request(
                owner=caller.owner,
                key=caller.key,
                origin=ORIGIN,
                to=(To(to),),
                options=options,
                files=intake.sources(files),
                callback_url=callback_url,
                metadata={"title": text(fields, "title", LINE_LIMIT)},
            )
        )
        return submitted.jobs[0]
