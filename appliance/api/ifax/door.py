"""The door ``/v1``: the iFax style's calls, as bottle carries them."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import bottle

from appliance import at_rest
from appliance.api import foreign_fields, intake, request
from appliance.api.auth import Caller
from appliance.api.causes import METHOD_NOT_ALLOWED, NOT_FOUND, NOT_SIGNED_IN, REQUEST_INVALID
from appliance.api.context import Context
from appliance.api.door import allow
from appliance.api.foreign import Content, ForeignAnswer, ForeignDoor, received_pdf, visible_received
from appliance.api.ifax import fields as reading
from appliance.api.ifax import smart
from appliance.api.ifax.codes import IfaxStatus, refusal_of
from appliance.api.ifax.faxes import received_fax, sent_fax
from appliance.api.ifax.fields import FileField, SendFields
from appliance.api.intake import StoredUpload
from appliance.api.numbers import own_number
from appliance.api.problems import DETAIL_LIMIT, ProblemError
from appliance.documents.causes import DOCUMENT_GONE, DOCUMENT_TOO_LARGE
from appliance.documents.kinds import Kind
from appliance.documents.settings import CoverTemplate
from appliance.documents.sniff import sniff
from appliance.documents.text.plain import whole_characters
from appliance.services.causes import STATE_FORBIDS
from appliance.services.faxes import Request
from appliance.services.rules import To
from appliance.settings.accounts import Scope
from appliance.settings.units import MB
from appliance.spool.errors import IllegalTransitionError, NotFoundError
from appliance.spool.filters import JobFilter, ReceivedFilter
from appliance.spool.model import DAY_S, Document, Job, JobState, SourceFile
from appliance.spool.options import Cover, SendOptions
from appliance.station import StationSettings

ORIGIN = "ifax"
# The header accessToken, as WSGI names it.
TOKEN_HEADER = "HTTP_ACCESSTOKEN"
# The most received faxes in one answer.
LIST_LIMIT = 100

Handler = Callable[[Caller, Mapping[str, Any], Content], ForeignAnswer]


@dataclass(frozen=True, slots=True)
class CallRules:
    """A call of this style: its allowed methods (which may also be given in ``_method``), and its scope.

    ``scope`` None: the handler checks.
    """

    methods: frozenset[str]
    scope: Scope | None
    handler: Handler


class IfaxDoor(ForeignDoor):
    """The iFax style interface: calls are POST with JSON; a form or a query is accepted as well."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        read, write = frozenset({"POST", "GET"}), frozenset({"POST", "PUT"})
        send, receive = Scope.SEND, Scope.RECEIVE
        self._calls = {
            "customer/fax-send": CallRules(write, send, self._send),
            "customer/fax-cancel": CallRules(write | {"DELETE"}, send, self._cancel),
            "customer/fax-resend": CallRules(write, send, self._resend),
            "customer/fax-status": CallRules(read, None, self._status),
            "customer/inbound/number-list": CallRules(read, receive, self._numbers),
            "customer/inbound/fax-list": CallRules(read, receive, self._received_list),
            "customer/inbound/fax-list-all": CallRules(read, receive, self._received_list),
            "customer/inbound/fax-download": CallRules(read, receive, self._download),
        }
        self.route("/<path:path>", method="ANY", callback=self._any)

    def token(self, environ: dict[str, Any]) -> str | None:
        """The API key of a request, from its header; empty without one."""
        return str(environ.get(TOKEN_HEADER, "")).strip()

    def refuse(self, problem: ProblemError) -> ForeignAnswer:
        """A refusal in this interface's form."""
        refusal = refusal_of(problem)
        data: dict[str, Any] = {"status": int(refusal.status), "message": refusal.message}
        if refusal.code is not None:
            data["code"] = int(refusal.code)
        if problem.detail:
            data["detail"] = problem.detail[:DETAIL_LIMIT]
        if problem.cause is not NOT_SIGNED_IN:  # its advice names another header
            data["advice"] = problem.cause.advice
        return ForeignAnswer(data, status=int(refusal.http))

    # -- one request ---------------------------------------------------------------------------

    def _any(self, path: str) -> bytes:
        return self.carry(lambda caller: self._call(caller, path.strip("/")))

    def _call(self, caller: Caller, path: str) -> ForeignAnswer:
        call = self._calls.get(path)
        if call is None:
            raise ProblemError(NOT_FOUND, path[:64])
        method = bottle.request.method
        if method in ("GET", "HEAD", "DELETE"):
            query = request.last_of_each(request.read_query(bottle.request.environ))
            return self._with(call, method, caller, query, Content({}))
        with self.content() as content:
            # Clients in PHP write an empty object as an empty list.
            given = content.fields or {}
            if not isinstance(given, dict):
                raise ProblemError(REQUEST_INVALID, "a JSON object is needed")
            # A form's fields are brought to the shape of the JSON request.
            fields = given or reading.nested(content.texts, content.uploads)
            override = fields.get("_method")
            if method == "POST" and isinstance(override, str) and override:
                method = override.strip().upper()
            return self._with(call, method, caller, fields, content)

    @staticmethod
    def _with(
        call: CallRules, method: str, caller: Caller, fields: Mapping[str, Any], content: Content
    ) -> ForeignAnswer:
        if ("GET" if method == "HEAD" else method) not in call.methods:
            raise ProblemError(METHOD_NOT_ALLOWED, method[:16], headers=allow(call.methods))
        if call.scope is not None:
            caller.require(call.scope)
        return call.handler(caller, fields, content)

    # -- sending -------------------------------------------------------------------------------

    def _send(self, caller: Caller, fields: Mapping[str, Any], content: Content) -> ForeignAnswer:
        wanted = reading.read_send(fields, self.context.settings, self.context.now())
        cover = self._cover(wanted)
        options = SendOptions(
            quality=wanted.quality,
            cover=cover,
            # A number that the caller may not show is ignored: clients of this style send any.
            caller_number=self.box.accounts.shown_number(caller.owner, wanted.caller_id) or "",
        )
        document = None
        if wanted.smart_document_id is not None:
            document = self.box.documents.get(wanted.smart_document_id, caller.sees)
            if not document.files:
                raise ProblemError(DOCUMENT_GONE, f"smartDocumentId {document.id} has no file")
        # Numbers, quota and disk space are checked before files are fetched and stored.
        for number in wanted.numbers:
            self.box.rules.number(number)
        self.box.rules.require_quota(caller.owner, caller.key)
        taken: list[SourceFile] = []
        with intake.discarded_on_error(self.context, taken):
            if document is not None:
                taken += self._filled_in(document, wanted)
            self._take(wanted.files, taken, content)
            submitted = self.box.faxes.submit(
                Request(
                    owner=caller.owner,
                    key=caller.key,
                    origin=ORIGIN,
                    options=options,
                    to=tuple(To(number, wanted.to_name) for number in wanted.numbers),
                    files=tuple(taken),
                    document_id=document.id if document and not taken else None,
                    scheduled_at=wanted.send_at,
                )
            )
        made = submitted.jobs
        for job in made:
            self.audit(caller, "fax.create", f"fax:{job.id}", f"to {job.number}")
        data: dict[str, Any] = {"jobId": made[0].id}
        if len(made) > 1:
            data["jobIds"] = [job.id for job in made]
        return _success("Fax processed for sending", data)

    def _cover(self, wanted: SendFields) -> Cover | None:
        template = ""
        if wanted.template_id is not None:
            found = self.box.settings.items(CoverTemplate).get(wanted.template_id)
            if found is None:
                raise ProblemError(NOT_FOUND, f"templateId {wanted.template_id}")
            template = found.name
        if not wanted.wants_cover:
            return None
        return Cover(
            template=template,
            subject=wanted.subject,
            from_name=wanted.from_name,
            to_name=wanted.to_name,
            message=wanted.message,
        )

    def _take(self, files: tuple[FileField, ...], taken: list[SourceFile], content: Content) -> None:
        """Stores the files in order, into ``taken``; together at most the size of a request."""
        limit = self.context.settings.request_mb * MB
        for file in files:
            taken.append(self._stored(file, content))
            if sum(each.octets for each in taken) > limit:
                raise ProblemError(DOCUMENT_TOO_LARGE, f"at most {limit / MB:g} MB together")

    def _stored(self, file: FileField, content: Content) -> SourceFile:
        if file.upload is not None:
            content.uploads[:] = [entry for entry in content.uploads if entry[1] is not file.upload]
            source = file.upload.file
            return SourceFile(
                name=intake.clean_name(file.name) if file.name else source.name,
                octets=source.octets,
                media_type=source.media_type,
                path=source.path,
                pages=file.pages,
            )
        stored: StoredUpload
        if file.url:
            stored = intake.store_url(self.context, file.url, name=file.name, pages=file.pages)
        else:
            stored = intake.store_base64(self.context, file.base64, name=file.name, pages=file.pages)
        return stored.file

    def _filled_in(self, document: Document, wanted: SendFields) -> list[SourceFile]:
        """Copies of a stored document's files with fields filled in, to send before the other files.

        Empty when the stored document itself can be sent.
        """
        copies: list[SourceFile] = []
        try:
            changed = self._changed(document, wanted)
            if not changed and not wanted.files:
                return []
            with intake.discarded_on_error(self.context, copies):
                for number, file in enumerate(document.files):
                    content = changed.get(number) or at_rest.read_bytes(self.box.data / file.path)
                    copies.append(
                        self.box.documents.store_file(
                            content, name=file.name, media_type=file.media_type, pages=file.pages
                        )
                    )
        except FileNotFoundError:
            raise ProblemError(DOCUMENT_GONE, document.name[:64]) from None
        return copies

    def _changed(self, document: Document, wanted: SendFields) -> dict[int, bytes]:
        """The stored document's text files that have fields, filled in; by their position."""
        station = self.box.settings.section(StationSettings)
        moment = datetime.fromtimestamp(wanted.send_at or self.context.now(), UTC)
        local = moment.astimezone(station.zone)
        fields = {
            "subject": wanted.subject,
            "message": wanted.message,
            "to_name": wanted.to_name,
            "from_name": wanted.from_name,
            "date": local.strftime("%Y-%m-%d"),
            "time": local.strftime("%H:%M"),
        }
        changed: dict[int, bytes] = {}
        for number, file in enumerate(document.files):
            with at_rest.open_file(self.box.data / file.path) as stored:
                content = stored.read(intake.HEAD_OCTETS)
                if sniff(whole_characters(content), file.name) is not Kind.TEXT:
                    continue
                words = (content + stored.read()).decode("utf-8-sig", "replace")
            if smart.names_fields(words, fields):
                changed[number] = smart.filled(words, fields).encode()
        return changed

    # -- status and cancelling -----------------------------------------------------------------

    def _status(self, caller: Caller, fields: Mapping[str, Any], content: Content) -> ForeignAnswer:
        fax_id = reading.job_id(fields)
        try:
            caller.require(Scope.SEND)
            job = self.box.faxes.get(fax_id, caller.sees)
        except (NotFoundError, ProblemError):
            return _success("Fax status retrieved successfully", self._received_status(caller, fax_id))
        data = sent_fax(job, own_number(self.box))
        others = self._broadcast(job)
        if len(others) > 1:
            data["recipients"] = [sent_fax(other, own_number(self.box)) for other in others]
        return _success("Fax status retrieved successfully", data)

    def _received_status(self, caller: Caller, fax_id: int) -> dict[str, Any]:
        caller.require(Scope.RECEIVE)
        return received_fax(self.box.inbox.get(fax_id, caller.sees), own_number(self.box))

    def _cancel(self, caller: Caller, fields: Mapping[str, Any], content: Content) -> ForeignAnswer:
        job = self.box.faxes.get(reading.job_id(fields), caller.sees)
        ended = [other for other in self._broadcast(job) if self._end(other, caller)]
        if not ended:
            raise ProblemError(STATE_FORBIDS, f"fax {job.id} is {job.state.value}")
        data = {"jobId": job.id, "faxStatus": "canceled"}
        return _success(f"Fax job {job.id} has been cancelled", data)

    def _end(self, job: Job, caller: Caller) -> bool:
        """Cancels the job; whether it is cancelled now, or was before."""
        if job.state is JobState.CANCELLED or job.cancel_requested:
            return True
        try:
            self.box.faxes.cancel(job.id, caller.sees)
        except IllegalTransitionError:
            return False
        self.audit(caller, "fax.cancel", f"fax:{job.id}")
        return True

    def _broadcast(self, job: Job) -> list[Job]:
        """The faxes behind ``job``'s id: all of a broadcast for its first, else itself."""
        submission = self.box.faxes.submission(job)
        if len(submission.job_ids) < 2 or job.id != submission.job_ids[0]:
            return [job]
        limit = len(submission.job_ids)
        found = self.box.faxes.search(JobFilter(submission_id=submission.id, limit=limit))
        return sorted(found, key=lambda other: other.id)

    def _resend(self, caller: Caller, fields: Mapping[str, Any], content: Content) -> ForeignAnswer:
        old = reading.job_id(fields)
        number = foreign_fields.text(fields, "faxNumber", 64) or None
        job = self.box.faxes.resend(old, number=number, owner=caller.sees, origin=ORIGIN, key=caller.key)
        self.audit(caller, "fax.create", f"fax:{job.id}", f"to {job.number}, again as {old}")
        return _success("Fax resent successfully", {"jobId": job.id, "originalJobId": old})

    # -- received faxes ------------------------------------------------------------------------

    def _numbers(self, caller: Caller, fields: Mapping[str, Any], content: Content) -> ForeignAnswer:
        number = own_number(self.box)
        data = [{"numberId": 1, "orderId": 1, "faxNumber": number}] if number else []
        return _success("Numbers list retrieved successfully", data)

    def _received_list(self, caller: Caller, fields: Mapping[str, Any], content: Content) -> ForeignAnswer:
        before = foreign_fields.number(fields, "lastFaxId", least=1)
        wanted = ReceivedFilter(
            since=_day(fields.get("startDate"), "startDate"),
            until=_day(fields.get("endDate"), "endDate", after=True),
            before_id=before,
            limit=LIST_LIMIT,
        )
        number = own_number(self.box)
        data = [
            {**received_fax(fax, number), "receivedTime": int(fax.ended_at or fax.started_at)}
            for fax in visible_received(self.box, caller, wanted)
        ]
        return _success("Fax list retrieved successfully", data)

    def _download(self, caller: Caller, fields: Mapping[str, Any], content: Content) -> ForeignAnswer:
        fax = self.box.inbox.get(reading.job_id(fields), caller.sees)
        pdf = received_pdf(self.box, fax)
        self.require_still(caller)  # making it may have taken long
        self.audit(caller, "received.look", f"fax:{fax.id}", "PDF")
        self.box.inbox.mark_read(fax.id)
        return _success("Fax downloaded successfully", base64.b64encode(pdf).decode())


def _success(message: str, data: Any) -> ForeignAnswer:
    return ForeignAnswer({"status": int(IfaxStatus.SUCCESS), "message": message, "data": data})


def _day(value: Any, name: str, *, after: bool = False) -> float | None:
    """The beginning (or, ``after``, the end) of a day in UTC, MM/DD/YYYY or YYYY-MM-DD, as Unix time."""
    if value is None or value == "":
        return None
    for form in ("%m/%d/%Y", "%Y-%m-%d"):
        try:
            day = datetime.strptime(str(value)[:16], form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return day.timestamp() + (DAY_S if after else 0.0)
    raise ProblemError(REQUEST_INVALID, f"{name}: a day such as 01/31/2030 is needed")
