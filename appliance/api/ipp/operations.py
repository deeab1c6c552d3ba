"""``PrintService``: IPP's operations, from a decoded request to its answer.

Nothing here knows HTTP: ``door`` authenticates the client and passes the document as an iterator.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from appliance.api.ipp.answers import answer_to, refusal, refused, status_for
from appliance.api.ipp.asked import RequestedFax
from appliance.api.ipp.book import JobBook, NoFaxReason, PrintJob, TooManyOpenError
from appliance.api.ipp.call import PrinterRequest
from appliance.api.ipp.description import printer_attributes
from appliance.api.ipp.job_intake import JobIntake
from appliance.api.ipp.progress import SHORT, job_attributes, state_of
from appliance.api.ipp.words import IppError, Operation, PrintJobState, Status
from appliance.api.problems import ProblemError
from appliance.box import Box
from appliance.durable import DiskFullError, TooLargeError
from appliance.ipp.model import Group, GroupTag, Message
from appliance.language import said
from appliance.printing.folder import PRINT_ORIGIN
from appliance.services.rules import RefusedError
from appliance.spool.causes import STORAGE_FULL
from appliance.spool.errors import IllegalTransitionError, SpoolClosedError, SpoolFailedError
from appliance.spool.model import Job

_log = logging.getLogger(__name__)
# The most jobs in one answer.
MOST_JOBS = 500
# Attributes of Get-Jobs that choose jobs otherwise than job-ids (PWG 5100.7).
_CHOOSING = ("which-jobs", "my-jobs", "limit", "first-index")


class PrintService:
    """Answers IPP requests: checks them, receives print jobs as faxes, lists and cancels them."""

    def __init__(self, box: Box, book: JobBook) -> None:
        self._box = box
        self._book = book
        self._intake = JobIntake(box, book)
        self._operations: Mapping[int, Callable[[PrinterRequest], Message]] = {
            Operation.PRINT_JOB: self._print_job,
            Operation.VALIDATE_JOB: self._validate_job,
            Operation.CREATE_JOB: self._create_job,
            Operation.SEND_DOCUMENT: self._send_document,
            Operation.CLOSE_JOB: self._close_job,
            Operation.CANCEL_JOB: self._cancel_job,
            Operation.CANCEL_MY_JOBS: self._cancel_my_jobs,
            Operation.HOLD_JOB: self._hold_job,
            Operation.RELEASE_JOB: self._release_job,
            Operation.GET_JOB_ATTRIBUTES: self._get_job_attributes,
            Operation.GET_JOBS: self._get_jobs,
            Operation.GET_PRINTER_ATTRIBUTES: self._get_printer_attributes,
            Operation.IDENTIFY_PRINTER: self._identify,
        }

    def answer(self, call: PrinterRequest) -> Message:
        """The answer; every request gets one."""
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
        except (RefusedError, ProblemError) as error:
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
        except Exception:  # a bug is answered as an error and ends only this request
            _log.exception("a print request failed")
            return refusal(call.message, IppError(Status.INTERNAL, said("The box made a mistake.")))

    def answered(self, answer: Message) -> None:
        """The answer has been sent to its client."""
        job = answer.group(GroupTag.JOB)
        number, state = (
            value[0].content if (value := job.get(name, ())) else None for name in ("job-id", "job-state")
        )
        if isinstance(number, int):
            ended = isinstance(state, int) and PrintJobState(state).ended
            try:
                self._book.answered(number, ended=ended)
            except (DiskFullError, OSError) as error:
                _log.warning("that a print job was answered is not noted: %s", error)

    # -- printing ------------------------------------------------------------------------------

    def _print_job(self, call: PrinterRequest) -> Message:
        asked = self._intake.asked(call)
        job = self._intake.begin(call, asked)
        with self._intake.taken(job) as opened:
            self._intake.store(call, job, opened)
            self._intake.hand_in(job, opened)
        return self._job_answer(call, job, asked)

    def _validate_job(self, call: PrinterRequest) -> Message:
        asked = self._intake.asked(call)
        self._intake.require_possible(call)
        return answer_to(call.message, status_for(asked), (), asked.unsupported)

    def _create_job(self, call: PrinterRequest) -> Message:
        asked = self._intake.asked(call)
        return self._job_answer(call, self._intake.begin(call, asked), asked)

    def _send_document(self, call: PrinterRequest) -> Message:
        job = self._job(call)
        last = call.value("last-document")
        if last is None or not isinstance(last.content, bool):
            raise IppError(
                Status.BAD_REQUEST, said("The request does not say whether it is the last document.")
            )
        with self._intake.taken(job) as opened:
            self._intake.store(call, job, opened, required=not last.content)
            if last.content:
                self._intake.hand_in(job, opened)
        self._book.give_back(job.id)
        return self._job_answer(call, job, opened.asked)

    def _close_job(self, call: PrinterRequest) -> Message:
        job = self._job(call)
        if self._book.open_job(job.id) is None:
            return self._job_answer(call, job, RequestedFax())  # closed already: RFC 8011 has no other answer
        with self._intake.taken(job) as opened:
            self._intake.hand_in(job, opened)
        return self._job_answer(call, job, opened.asked)

    # -- jobs ----------------------------------------------------------------------------------

    def _job(self, call: PrinterRequest) -> PrintJob:
        """The job that the request names, if the client may see it.  Raises IppError."""
        value = call.value("job-id")
        number = value.content if value is not None else call.job_id
        if not isinstance(number, int):
            raise IppError(Status.BAD_REQUEST, said("The request names no job."))
        job = self._book.get(number)
        if job is None or not self._visible(job, call):
            raise IppError(Status.NOT_FOUND, said("There is no such job."))
        return job

    def _visible(self, job: PrintJob, call: PrinterRequest) -> bool:
        """Whether the client may see a job: without a password, only the computer that it came from."""
        client = call.client
        if client.proved:
            return job.owner == client.owner()
        return job.computer == client.computer

    def _cancel_job(self, call: PrinterRequest) -> Message:
        job = self._job(call)
        if not self._cancel(job):
            raise IppError(Status.NOT_POSSIBLE, said("The job has ended already."))
        return answer_to(call.message, Status.OK)

    def _cancel_my_jobs(self, call: PrinterRequest) -> Message:
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
        return answer_to(call.message, Status.OK)

    def _cancel(self, job: PrintJob) -> bool:
        """Cancels a job's faxes; whether there was something to cancel."""
        if job.ended:
            return False
        if self._book.open_job(job.id) is not None:
            self._book.end(job.id, NoFaxReason.CANCELED)
            return True
        return self._for_each_fax(job, self._box.faxes.cancel)

    def _for_each_fax(self, job: PrintJob, act: Callable[[int], Job]) -> bool:
        """Acts on each fax of a job whose state allows it; whether there was one."""
        handed = self._book.handed_in(job)
        done = False
        for fax in handed.jobs if handed is not None else ():
            try:
                act(fax.id)
                done = True
            except IllegalTransitionError:
                continue
        return done

    def _hold_job(self, call: PrinterRequest) -> Message:
        """Holds what is not yet being sent (RFC 8011 4.3.5, which Release-Job requires)."""
        if not self._for_each_fax(self._job(call), self._box.faxes.hold):
            raise IppError(Status.NOT_POSSIBLE, said("The job cannot be held now."))
        return answer_to(call.message, Status.OK)

    def _release_job(self, call: PrinterRequest) -> Message:
        """Sends what its client held, also until a time (RFC 8011 4.3.6).

        What waits for another reason is a person's to look at first.
        """
        if not self._for_each_fax(self._job(call), self._release):
            raise IppError(Status.NOT_POSSIBLE, said("The job is not held."))
        return answer_to(call.message, Status.OK)

    def _release(self, fax_id: int) -> Job:
        fax, now = self._box.faxes.get(fax_id), self._box.clock()
        if fax.hold:
            return self._box.faxes.release(fax_id, scheduled_at=now)
        if fax.scheduled_at > now and not fax.tries:
            return self._box.faxes.retry(fax_id)
        raise IllegalTransitionError(f"fax {fax_id} is not held")

    def _get_job_attributes(self, call: PrinterRequest) -> Message:
        job = self._job(call)
        wanted = call.wanted(frozenset({"all"}))
        return answer_to(call.message, Status.OK, [self._group(call, job, wanted)])

    def _get_jobs(self, call: PrinterRequest) -> Message:
        which = call.text("which-jobs") or "not-completed"
        if which not in ("completed", "not-completed", "all"):
            value = call.operation["which-jobs"]
            raise IppError(Status.ATTRIBUTES, said("There is no such list of jobs."), {"which-jobs": value})
        mine = call.value("my-jobs")
        first, most = _counted(call, "first-index", 1), min(_counted(call, "limit", MOST_JOBS), MOST_JOBS)
        named = self._named(call)
        wanted = call.wanted(SHORT)
        groups: list[Group] = []
        for job in self._book.newest_first():
            if len(groups) >= most:
                break
            if job.printer != call.printer.path or not self._visible(job, call):
                continue
            if mine is not None and mine.content is True and job.person != call.client.person:
                continue
            if named and job.id not in named:
                continue
            if which != "all" and not named:
                state, _, _, _ = state_of(self._book, job, self._box.clock())
                if state.ended != (which == "completed"):
                    continue
            if first > 1:
                first -= 1
                continue
            groups.append(self._group(call, job, wanted))
        return answer_to(call.message, Status.OK, groups)

    def _named(self, call: PrinterRequest) -> set[int]:
        """The jobs in Get-Jobs' ``job-ids``; empty without it.

        Raises IppError when another attribute chooses jobs, too, or when there is none of a number here.
        """
        named = {
            value.content for value in call.operation.get("job-ids", ()) if isinstance(value.content, int)
        }
        for name in _CHOOSING if named else ():
            if name in call.operation:
                sentence = said("{name} and job-ids exclude each other.")
                raise IppError(Status.CONFLICT, sentence.format(name=name))
        for number in named:
            job = self._book.get(number)
            if job is None or job.printer != call.printer.path or not self._visible(job, call):
                raise IppError(Status.NOT_FOUND, said("There is no such job."))
        return named

    def _group(self, call: PrinterRequest, job: PrintJob, wanted: frozenset[str]) -> Group:
        found = job_attributes(self._box, self._book, job, call.client.base, wanted)
        return Group(GroupTag.JOB, found)

    def _job_answer(self, call: PrinterRequest, job: PrintJob, asked: RequestedFax) -> Message:
        told = frozenset({"job-id", "job-uri", "job-state", "job-state-reasons", "job-state-message"})
        job = self._book.get(job.id) or job
        return answer_to(call.message, status_for(asked), [self._group(call, job, told)], asked.unsupported)

    # -- the printer ---------------------------------------------------------------------------

    def _get_printer_attributes(self, call: PrinterRequest) -> Message:
        found = printer_attributes(self._box, call)
        return answer_to(call.message, Status.OK, [Group(GroupTag.PRINTER, found)])

    def _identify(self, call: PrinterRequest) -> Message:
        self._box.history.identify()
        client = call.client
        # Without a password anybody gives any name, an administrator's too.
        who = f"{'user' if client.proved else PRINT_ORIGIN}:{client.person}"
        self._box.history.audit(who, "printer.identify", address=client.computer)
        return answer_to(call.message, Status.OK)


def _counted(call: PrinterRequest, name: str, otherwise: int) -> int:
    """An operation attribute of syntax integer(1:MAX), ``otherwise`` without it.  Raises IppError."""
    value = call.value(name)
    if value is None:
        return otherwise
    if not isinstance(value.content, int) or isinstance(value.content, bool) or value.content < 1:
        raise IppError(Status.ATTRIBUTES, said("There is no such list of jobs."), {name: (value,)})
    return value.content
