"""``PrintService``: IPP's operations, from a decoded request to its answer.

Nothing here knows HTTP: ``door`` says who asks, and hands in the document as an iterator.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from appliance.api.causes import REQUEST_TOO_LARGE
from appliance.api.ipp.asked import AskedFax, read_asked
from appliance.api.ipp.book import Ended, JobBook, OpenJob, PrintJob, TooManyOpenError
from appliance.api.ipp.compression import unpacked
from appliance.api.ipp.description import ANY_FORMAT, COMPRESSIONS, FORMATS, printer_attributes
from appliance.api.ipp.printers import FaxPrinter, printer_at
from appliance.api.ipp.progress import SHORT, job_attributes, state_of
from appliance.api.ipp.words import IppError, Operation, Status
from appliance.api.problems import ProblemError
from appliance.api.request import MB
from appliance.box import Box
from appliance.causes import Cause
from appliance.documents.options import clean_line
from appliance.durable import DiskFullError, TooLargeError
from appliance.ipp.model import Attributes, Group, GroupTag, Message, Tag, Value
from appliance.language import ENGLISH, said, spoken
from appliance.net.settings import ApiSettings
from appliance.printing.document_numbers import Looked, looked_at
from appliance.printing.folder import PROBLEM
from appliance.services.causes import NOT_PERMITTED, QUOTA_SPENT
from appliance.services.faxes import Request
from appliance.services.rules import RefusedError, To
from appliance.spool.causes import STORAGE_FULL
from appliance.spool.model import IllegalTransitionError, SpoolClosedError, SpoolFailedError
from appliance.spool.options import SendOptions

_log = logging.getLogger(__name__)

ORIGIN = "print"
# Documents of one job.
MOST_DOCUMENTS = 200
NAME_LIMIT, TITLE_LIMIT = 100, 200
# Jobs in one answer.
MOST_JOBS = 500
_SUFFIXES = dict(zip(FORMATS, (".pdf", ".pwg", ".urf", ".jpg"), strict=True))
_REFUSALS = {
    NOT_PERMITTED.code: Status.FORBIDDEN,
    QUOTA_SPENT.code: Status.ACCOUNT_LIMIT,
    REQUEST_TOO_LARGE.code: Status.TOO_LARGE,
}


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks.  ``owner``: whose faxes are made, asked when they are.

    ``base``, ``web``: addresses of the door and of the box's pages.  ``security``: how people prove who they
    are, and the connection's encryption, in IPP's words.
    """

    person: str
    computer: str
    owner: Callable[[], str]
    proved: bool  # by a password
    base: str
    web: str
    security: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Call:
    """One request: ``job_id`` when the address names a job."""

    message: Message
    printer: FaxPrinter
    client: Client
    document: Iterator[bytes]
    job_id: int | None = None

    @property
    def operation(self) -> Attributes:
        return self.message.group(GroupTag.OPERATION)

    def value(self, name: str) -> Value | None:
        values = self.operation.get(name)
        return values[0] if values else None

    def text(self, name: str) -> str:
        value = self.value(name)
        return clean_line(value.text) if value is not None else ""

    def wanted(self, default: frozenset[str]) -> frozenset[str]:
        """The names of ``requested-attributes``."""
        values = self.operation.get("requested-attributes", ())
        return frozenset(each.text for each in values) or default


class PrintService:
    """Answers IPP requests: checks, takes print jobs in as faxes, lists and cancels them."""

    def __init__(self, box: Box, book: JobBook) -> None:
        self._box = box
        self._book = book
        self._operations: Mapping[int, Callable[[Call], Message]] = {
            Operation.PRINT_JOB: self._print_job,
            Operation.VALIDATE_JOB: self._validate_job,
            Operation.CREATE_JOB: self._create_job,
            Operation.SEND_DOCUMENT: self._send_document,
            Operation.CLOSE_JOB: self._close_job,
            Operation.CANCEL_JOB: self._cancel_job,
            Operation.CANCEL_MY_JOBS: self._cancel_my_jobs,
            Operation.GET_JOB_ATTRIBUTES: self._get_job_attributes,
            Operation.GET_JOBS: self._get_jobs,
            Operation.GET_PRINTER_ATTRIBUTES: self._get_printer_attributes,
            Operation.IDENTIFY_PRINTER: self._identify,
        }

    def answer(self, call: Call) -> Message:
        """The answer, whatever the request was."""
        try:
            operation = self._operations.get(call.message.code)
            if operation is None:
                if call.message.code in (Operation.PRINT_URI, Operation.SEND_URI):
                    sentence = said("The box fetches no documents from elsewhere: send the document itself.")
                    raise IppError(Status.OPERATION_NOT_SUPPORTED, sentence)
                raise IppError(Status.OPERATION_NOT_SUPPORTED, said("The box does not know this operation."))
            return operation(call)
        except IppError as error:
            return refusal(call.message, error)
        except RefusedError as error:
            return refusal(call.message, refused(error.cause, error.detail))
        except ProblemError as error:
            return refusal(call.message, refused(error.cause, error.detail))
        except TooLargeError:
            too_large = IppError(Status.TOO_LARGE, said("The document is too large for a fax."))
            return refusal(call.message, too_large)
        except DiskFullError:
            return refusal(call.message, IppError(Status.NOT_ACCEPTING, said(STORAGE_FULL.sentence)))
        except TooManyOpenError:
            sentence = said("Too many print jobs wait for their documents: try again later.")
            return refusal(call.message, IppError(Status.BUSY, sentence))
        except (SpoolClosedError, SpoolFailedError):
            return refusal(call.message, IppError(Status.TEMPORARY, said("The box is stopping.")))
        except Exception:  # a bug here is told as such, and ends nothing but this request
            _log.exception("a print request failed")
            return refusal(call.message, IppError(Status.INTERNAL, said("The box made a mistake.")))

    def answered(self, answer: Message) -> None:
        """The answer has left for its client."""
        number = answer.group(GroupTag.JOB).get("job-id", ())
        if number and isinstance(number[0].content, int):
            try:
                self._book.answered(number[0].content)
            except (DiskFullError, OSError) as error:
                _log.warning("that a print job was answered is not noted: %s", error)

    # -- printing ------------------------------------------------------------------------------

    def _print_job(self, call: Call) -> Message:
        asked = self._asked(call)
        job = self._begin(call, asked)
        opened = self._book.take(job.id)
        assert opened is not None
        try:
            self._store(call, job, opened)
            self._hand_in(job, opened)
        except BaseException:
            self._abandon(job)
            raise
        return self._job_answer(call, job, asked)

    def _validate_job(self, call: Call) -> Message:
        asked = self._asked(call)
        self._format(call)
        self._compression(call)
        self._box.rules.require_quota(call.client.owner())
        return _answer(call.message, _status(asked), (), asked.unsupported)

    def _create_job(self, call: Call) -> Message:
        asked = self._asked(call)
        return self._job_answer(call, self._begin(call, asked), asked)

    def _send_document(self, call: Call) -> Message:
        job = self._job(call)
        last = call.value("last-document")
        if last is None or not isinstance(last.content, bool):
            raise IppError(
                Status.BAD_REQUEST, said("The request does not say whether it is the last document.")
            )
        opened = self._taken(job)
        try:
            self._store(call, job, opened, required=not last.content)
            if last.content:
                self._hand_in(job, opened)
        except BaseException:
            self._abandon(job)
            raise
        self._book.give_back(job.id)
        return self._job_answer(call, job, opened.asked)

    def _close_job(self, call: Call) -> Message:
        job = self._job(call)
        if self._book.open_job(job.id) is None:
            return self._job_answer(call, job, AskedFax())  # closed already: RFC 8011 has no other answer
        opened = self._taken(job)
        try:
            self._hand_in(job, opened)
        except BaseException:
            self._abandon(job)
            raise
        return self._job_answer(call, job, opened.asked)

    def _taken(self, job: PrintJob) -> OpenJob:
        opened = self._book.take(job.id)
        if opened is None:
            if self._book.open_job(job.id) is not None:
                raise IppError(Status.BUSY, said("Another document of this job is coming in."))
            raise IppError(Status.NOT_POSSIBLE, said("This job takes no more documents."))
        return opened

    def _begin(self, call: Call, asked: AskedFax) -> PrintJob:
        client = call.client
        owner = client.owner()
        self._box.rules.require_room()
        self._box.rules.require_quota(owner)
        return self._book.begin(
            asked,
            printer=call.printer.path,
            owner=owner,
            person=client.person,
            computer=client.computer,
            name=(call.text("job-name") or call.text("document-name"))[:TITLE_LIMIT],
        )

    def _abandon(self, job: PrintJob) -> None:
        """Its document did not come, or may not be faxed."""
        self._book.give_back(job.id)
        self._book.end(job.id, Ended.REFUSED)

    def _asked(self, call: Call) -> AskedFax:
        title = call.text("job-name")
        own = None if call.printer.to is None else [each.number for each in call.printer.to]
        asked = read_asked(call.message.group(GroupTag.JOB), title, own)
        fidelity = call.value("ipp-attribute-fidelity")
        if asked.unsupported and fidelity is not None and fidelity.content is True:
            sentence = said("Some of what was asked for is not possible.")
            raise IppError(Status.ATTRIBUTES, sentence, asked.unsupported)
        return asked

    def _format(self, call: Call) -> str:
        """The document's format.  Raises IppError for one that we do not take."""
        value = call.value("document-format")
        given = value.text.lower() if value is not None else ANY_FORMAT
        if given not in (*FORMATS, ANY_FORMAT):
            sentence = said("The box takes PDF, PWG raster, URF and JPEG.")
            raise IppError(
                Status.FORMAT_NOT_SUPPORTED, sentence, {"document-format": (value,)} if value else None
            )
        return given

    def _compression(self, call: Call) -> str:
        value = call.value("compression")
        given = value.text if value is not None else "none"
        if given not in COMPRESSIONS:
            sentence = said("The box does not know this compression.")
            raise IppError(Status.COMPRESSION, sentence, {"compression": (value,)} if value else None)
        return given

    def _store(self, call: Call, job: PrintJob, opened: OpenJob, *, required: bool = True) -> None:
        """Takes in the request's document.  Raises IppError, TooLargeError, DiskFullError, ProblemError."""
        form, compression = self._format(call), self._compression(call)
        # Packed and unpacked: as much as any interface takes.
        limit = self._box.settings.section(ApiSettings).request_mb * MB
        pieces = unpacked(call.document, compression, limit)
        first = next(pieces, b"")
        if not first:
            if required or (not opened.files and compression != "none"):
                raise IppError(Status.BAD_REQUEST, said("There is no document in the request."))
            return
        if len(opened.files) >= MOST_DOCUMENTS:
            raise IppError(Status.NOT_POSSIBLE, said("This job takes no more documents."))

        def whole() -> Iterator[bytes]:
            for piece in itertools.chain([first], pieces):
                opened.digest.update(piece)
                yield piece

        # The first document may say where the job goes.
        with (
            contextlib.nullcontext(Looked(whole()))
            if opened.files
            else looked_at(self._box, whole()) as looked
        ):
            file = self._box.documents.store_file(
                looked.pieces,
                name=(job.name or "document") + _SUFFIXES.get(form, ""),
                media_type=form,
                pages=opened.asked.pages,
                limit=limit,
            )
        if opened.asked.silent and not opened.files:
            opened.asked = replace(opened.asked, numbers=looked.numbers, problem=looked.problem)
        opened.files.append(file)

    def _hand_in(self, job: PrintJob, opened: OpenJob) -> None:
        """Makes faxes of a job that is whole.  Raises RefusedError, IppError, DiskFullError."""
        if opened.cancelled:
            raise IppError(Status.JOB_CANCELED, said("The job was cancelled."))
        if not opened.files:
            raise IppError(Status.BAD_REQUEST, said("There is no document in the request."))
        asked = opened.asked
        opened.digest.update(repr(asked).encode())
        job = self._book.about_to_hand_in(job.id, opened.digest.hexdigest())
        problem = self._problem(asked) or asked.problem
        to = () if problem else self._recipients(job, asked)
        metadata = {"print_title": job.name, "print_queue": job.printer}
        if problem:
            metadata[PROBLEM] = problem
        made = self._box.faxes.submit(
            Request(
                owner=job.owner,
                to=to,
                without_number=not to,
                files=tuple(opened.files),
                origin=ORIGIN,
                options=SendOptions(
                    cover=asked.cover,
                    quality=asked.quality,
                    max_tries=asked.max_tries,
                    retry_waits=asked.retry_waits,
                ),
                idempotency_key=job.key,
                idempotency_digest=job.uuid,
                from_user=job.person,
                from_computer=job.computer,
                metadata=metadata,
            )
        )
        self._book.close(job.id)
        ids = ", ".join(str(each.id) for each in made.jobs)
        _log.info("printed by %s on %s: fax %s", job.person or "?", job.computer, ids)

    def _recipients(self, job: PrintJob, asked: AskedFax) -> tuple[To, ...]:
        printer = printer_at(self._box.settings, job.printer)
        known = {each.number: each for each in printer.to or ()} if printer is not None else {}
        return tuple(known.get(number) or To(number) for number in dict.fromkeys(asked.numbers))

    def _problem(self, asked: AskedFax) -> str:
        """Why a person must look at it first; empty when nobody need."""
        try:
            for number in asked.numbers:
                self._box.rules.number(number)
        except RefusedError as error:
            return clean_line(str(error))
        return ""

    # -- jobs ----------------------------------------------------------------------------------

    def _job(self, call: Call) -> PrintJob:
        """The job that the request is about, if the client may know of it.  Raises IppError."""
        value = call.value("job-id")
        number = value.content if value is not None else call.job_id
        if not isinstance(number, int):
            raise IppError(Status.BAD_REQUEST, said("The request names no job."))
        job = self._book.get(number)
        if job is None or not self._visible(job, call):
            raise IppError(Status.NOT_FOUND, said("There is no such job."))
        return job

    def _visible(self, job: PrintJob, call: Call) -> bool:
        """Without a password a name proves nothing: a job belongs to the computer that it came from."""
        client = call.client
        if client.proved:
            return job.owner == client.owner()
        return job.computer == client.computer

    def _cancel_job(self, call: Call) -> Message:
        job = self._job(call)
        if not self._cancel(job):
            raise IppError(Status.NOT_POSSIBLE, said("The job has ended already."))
        return _answer(call.message, Status.OK)

    def _cancel_my_jobs(self, call: Call) -> Message:
        named = [value.content for value in call.operation.get("job-ids", ())]
        mine = [
            job
            for job in self._book.newest_first()
            if self._visible(job, call) and job.person == call.client.person
        ]
        if any(number not in {job.id for job in mine} for number in named):
            raise IppError(Status.NOT_FOUND, said("There is no such job."))
        for job in mine:
            if not named or job.id in named:
                self._cancel(job)
        return _answer(call.message, Status.OK)

    def _cancel(self, job: PrintJob) -> bool:
        """Whether there was something to cancel."""
        if job.ended:
            return False
        if self._book.open_job(job.id) is not None:
            self._book.end(job.id, Ended.CANCELED)
            return True
        handed = self._book.handed_in(job)
        done = False
        for fax in handed.jobs if handed is not None else ():
            try:
                self._box.faxes.cancel(fax.id)
                done = True
            except IllegalTransitionError:
                continue
        return done

    def _get_job_attributes(self, call: Call) -> Message:
        job = self._job(call)
        wanted = call.wanted(frozenset({"all"}))
        return _answer(call.message, Status.OK, [self._group(call, job, wanted)])

    def _get_jobs(self, call: Call) -> Message:
        which = call.text("which-jobs") or "not-completed"
        if which not in ("completed", "not-completed", "all"):
            value = call.operation["which-jobs"]
            raise IppError(Status.ATTRIBUTES, said("There is no such list of jobs."), {"which-jobs": value})
        limit, mine = call.value("limit"), call.value("my-jobs")
        most = limit.content if limit is not None and isinstance(limit.content, int) else MOST_JOBS
        wanted = call.wanted(SHORT)
        groups: list[Group] = []
        for job in self._book.newest_first():
            if len(groups) >= min(most, MOST_JOBS):
                break
            if job.printer != call.printer.path or not self._visible(job, call):
                continue
            if mine is not None and mine.content is True and job.person != call.client.person:
                continue
            if which != "all":
                state, _, _, _ = state_of(self._box, self._book, job)
                if state.ended != (which == "completed"):
                    continue
            groups.append(self._group(call, job, wanted))
        return _answer(call.message, Status.OK, groups)

    def _group(self, call: Call, job: PrintJob, wanted: frozenset[str]) -> Group:
        found = job_attributes(self._box, self._book, job, call.client.base, wanted)
        return Group(GroupTag.JOB, found)

    def _job_answer(self, call: Call, job: PrintJob, asked: AskedFax) -> Message:
        told = frozenset({"job-id", "job-uri", "job-state", "job-state-reasons", "job-state-message"})
        job = self._book.get(job.id) or job
        return _answer(call.message, _status(asked), [self._group(call, job, told)], asked.unsupported)

    # -- the printer ---------------------------------------------------------------------------

    def _get_printer_attributes(self, call: Call) -> Message:
        wanted = call.wanted(frozenset({"all"}))
        client = call.client
        found = printer_attributes(
            self._box, call.printer, wanted, base=client.base, web=client.web, security=client.security
        )
        return _answer(call.message, Status.OK, [Group(GroupTag.PRINTER, found)])

    def _identify(self, call: Call) -> Message:
        self._box.history.show_itself()
        self._box.history.audit(
            call.client.person or ORIGIN, "printer.identify", address=call.client.computer
        )
        return _answer(call.message, Status.OK)


def _status(asked: AskedFax) -> Status:
    return Status.OK_IGNORED if asked.unsupported else Status.OK


def refused(cause: Cause, detail: str = "") -> IppError:
    """A row of the table of causes as an answer."""
    words = " ".join(filter(None, (said(cause.sentence), detail)))
    return IppError(_REFUSALS.get(cause.code, Status.NOT_POSSIBLE), words)


def refusal(request: Message, error: IppError) -> Message:
    """The answer to a request that ended with ``error``."""
    return _answer(request, error.status, (), error.unsupported, str(error))


def _answer(
    request: Message,
    status: Status,
    groups: Sequence[Group] = (),
    unsupported: Attributes | None = None,
    sentence: str = "",
) -> Message:
    told: dict[str, Sequence[Value]] = {
        "attributes-charset": (Value(Tag.CHARSET, "utf-8"),),
        "attributes-natural-language": (Value(Tag.LANGUAGE, spoken() or ENGLISH),),
    }
    if sentence:
        told["status-message"] = (Value(Tag.TEXT, sentence.encode()[:255].decode(errors="ignore")),)
    made = [Group(GroupTag.OPERATION, told)]
    if unsupported:
        made.append(Group(GroupTag.UNSUPPORTED, unsupported))
    return replace(request, version=_version(request), code=status, groups=(*made, *groups))


def _version(request: Message) -> tuple[int, int]:
    """RFC 8011 4.1.8: the request's, as far as we know it."""
    return request.version if request.version in ((1, 0), (1, 1), (2, 0)) else (2, 0)
