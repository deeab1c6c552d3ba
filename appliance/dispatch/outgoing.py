"""The calls that the box places, each from the record of its attempt to the next state of its job."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from appliance.box import Box
from appliance.causes import CANCELLED, Cause
from appliance.dispatch.clock import JobClock
from appliance.dispatch.desk import CallDesk, packets_of, tell_live, write
from appliance.dispatch.full_lines import FullLines
from appliance.dispatch.pool import ManagedLine
from appliance.dispatch.rules import CallPlan
from appliance.dispatch.settle import CallEnd, settle
from appliance.dispatch.trace import Trace
from appliance.documents.pages import DocumentPages
from appliance.documents.rendered import RenderedDocument
from appliance.durable import DiskFullError, ReadOnlyError, make_folder
from appliance.lines.causes import CALL_TOO_LONG, LINE_FAULT, LINE_FULL, LINE_STOPPED
from appliance.lines.line import OutgoingCall
from appliance.lines.practice.settings import PracticeSettings
from appliance.spool import attempts
from appliance.spool.causes import INTERRUPTED, STORAGE_FULL, STORAGE_READ_ONLY, UNKNOWN_DELIVERY
from appliance.spool.errors import IllegalTransitionError, SpoolClosedError, SpoolError, SpoolFailedError
from appliance.spool.model import Attempt, Job
from appliance.spool.settings import SendingSettings
from appliance.station import StationSettings
from appliance.t30.causes import PAGE_UNAVAILABLE, RECORD_FAILED
from appliance.t30.conversation import PageDelivered
from appliance.t30.parameters import Accepts, CallParameters, CallResult, Capabilities, Progress, Role

_log = logging.getLogger(__name__)

# Interval of the tries to record the end of a call while the disk is full, seconds.
SETTLE_AGAIN_S = 5.0
# Folder within the data folder for the exchange's notes of confirmed pages during a call.
CONFIRMED = "confirmed"
# Values of the progress event "media" of a SIP trunk that are a fax medium ("audio" precedes them).
_MEDIA = frozenset({"t38", "g711"})


def notes_of(data: Path, attempt: Attempt) -> Path:
    """The file in which the exchange notes the confirmed pages of this attempt's call."""
    return (data / CONFIRMED / Path(attempt.trace_path).stem).absolute()


def _forget(notes: Path) -> None:
    """Deletes the notes of a call that is settled; those that stay are of no use to the next start."""
    try:
        notes.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("the notes of a call could not be deleted: %s", error)


class OutgoingFax(CallDesk):
    """Owner of a call that the box places."""

    def __init__(self, box: Box, job: Job, attempt: Attempt, managed: ManagedLine, number: str) -> None:
        super().__init__()
        self._box = box
        self.job = job
        self.attempt = attempt
        self.managed = managed
        self.number = number  # as this line dials it
        self.task: asyncio.Task[None] | None = None
        self.pages: DocumentPages | None = None
        self.too_long = False
        self.medium = ""  # fax medium over a SIP trunk: t38 or g711
        self.permitted = False  # the last page was permitted to be sent
        self.trace = Trace(
            {
                "job": job.id,
                "attempt": attempt.number,
                "line": managed.line.name,
                "at": attempt.started_at,
            }
        )

    def progress(self, line: Progress) -> None:
        """Notes the progress of its call; a confirmed page is written to the spool."""
        box = self._box
        self.trace.add(line)
        if line.event == "page_confirmed":
            page = int(dict(line.fields)["page"])
            box.spool.write(attempts.confirm_pages, self.attempt.id, page, box.clock())
        elif line.event == "media" and dict(line.fields).get("kind") in _MEDIA:
            self.medium = str(dict(line.fields)["kind"])
        tell_live(box, self.job.id, self.job.owner, line)

    async def page(self, ticket: int, number: int, accepts: Accepts) -> PageDelivered:
        """The answer to the request ``ticket``: page ``number`` (from 0), coded as the far end accepts."""
        pages = self.pages
        assert pages is not None
        page = await asyncio.get_running_loop().run_in_executor(None, pages.get, number, accepts)
        return PageDelivered(ticket, page, pages.is_last(number))

    async def permit_end(self) -> Cause | None:
        """Lets the last page end, once the spool has noted so on disk; else the cause of the refusal."""
        self.permitted = True
        try:
            await self._box.spool.ado(attempts.last_page_out, self.attempt.id, self._box.clock())
        except IllegalTransitionError:
            return CALL_TOO_LONG  # the attempt was ended meanwhile, and another call may carry the job
        except SpoolClosedError:
            return INTERRUPTED
        except ReadOnlyError:
            return STORAGE_READ_ONLY
        except DiskFullError:
            return STORAGE_FULL
        except SpoolError as error:
            _log.error("the last page of job %d is not sent: %s", self.job.id, error)
            return RECORD_FAILED
        return None

    def end_long_call(self) -> None:
        """Ends the call because it exceeds the time limit."""
        self.too_long = True
        self.cancel()


class OutgoingCalls:
    """Places calls and settles them; ``over`` is called when one has ended.  For the event loop."""

    def __init__(
        self, box: Box, clock: JobClock, writers: ThreadPoolExecutor, over: Callable[[], None]
    ) -> None:
        self._box = box
        self._clock = clock
        self._writers = writers
        self._over = over
        self._stopping = False
        self._cancelled_early: set[int] = set()  # job ids
        self.full_lines = FullLines(over)
        make_folder(box.data / CONFIRMED)
        self.calls: dict[int, OutgoingFax] = {}  # by job

    @property
    def lines_in_use(self) -> list[ManagedLine]:
        """The line of each call."""
        return [fax.managed for fax in self.calls.values()]

    @property
    def outside(self) -> int:
        """Number of calls that leave the box, i.e. not over the practice line."""
        return sum(1 for fax in self.calls.values() if not fax.managed.practice)

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """The tasks of the calls, for ``Dispatcher.stop`` to wait for."""
        return [fax.task for fax in self.calls.values() if fax.task is not None]

    def begin(self, fax: OutgoingFax, plan: CallPlan, candidates: int) -> None:
        """Places the call of a recorded attempt; ``candidates``: usable lines that may carry the job."""
        self.calls[fax.job.id] = fax
        if fax.job.id in self._cancelled_early:  # between the attempt's record and this moment
            fax.cancel()
        fax.task = asyncio.get_running_loop().create_task(self._carry(fax, plan, candidates))

    def cancel(self, job_id: int) -> None:
        """Ends the call of this job, at its owner's wish."""
        fax = self.calls.get(job_id)
        if fax is not None:
            fax.cancel()
        else:
            self._cancelled_early.add(job_id)

    def cancel_all(self) -> None:
        """Ends every call as the box stops; the jobs continue at the next start."""
        self._stopping = True
        for fax in self.calls.values():
            fax.cancel()

    async def _carry(self, running: OutgoingFax, plan: CallPlan, candidates: int) -> None:
        """Carries a call from its beginning to the next state of its job."""
        job, attempt, managed = running.job, running.attempt, running.managed
        started = time.monotonic()
        try:
            result = await self._place(running, plan)
        except asyncio.CancelledError:
            result = CallResult(INTERRUPTED, last_page_out=running.permitted)
        except Exception:
            _log.exception("the line %s failed on job %d", managed.line.name, job.id)
            result = CallResult(LINE_FAULT)
        result = self._true_end(running, result)
        if result.cause is LINE_FULL:
            self.full_lines.was_full(managed.line.name)
        else:
            self.full_lines.took_a_call(managed.line.name)
        end = CallEnd(
            result=result,
            step=plan.step,
            line=managed.line.name,
            medium=running.medium,
            seconds=time.monotonic() - started,
            candidates=candidates,
            sending=self._box.settings.section(SendingSettings),
            practice=self._box.settings.section(PracticeSettings),
        )
        await asyncio.gather(
            write(self._writers, running.trace.write, self._box.data / attempt.trace_path),
            self._settle(attempt, end),
        )
        del self.calls[job.id]
        self._cancelled_early.discard(job.id)
        self._over()

    def _true_end(self, running: OutgoingFax, result: CallResult) -> CallResult:
        """The result with the true cause: a call that we ended was not always cancelled by its owner."""
        cause = result.cause
        if cause is CANCELLED and running.too_long:
            cause = CALL_TOO_LONG
        elif cause in (CANCELLED, LINE_STOPPED) and self._stopping:
            cause = INTERRUPTED
        # If the exchange's process died it could not report whether the last page was sent.
        out = result.last_page_out or (cause is LINE_FAULT and running.permitted)
        if out and cause in (CALL_TOO_LONG, INTERRUPTED, LINE_FAULT):
            cause = UNKNOWN_DELIVERY
        return replace(result, cause=cause)

    async def _settle(self, attempt: Attempt, end: CallEnd) -> None:
        """Records the end of a call; tries again until that succeeds."""
        while True:
            try:
                with contextlib.suppress(IllegalTransitionError):  # ended meanwhile for exceeding its time
                    await self._box.spool.ado(settle, attempt.id, end, await self._clock.now())
            except SpoolClosedError:
                return  # the next start recovers it
            except (DiskFullError, SpoolFailedError) as error:
                _log.error("the end of attempt %d could not be written: %s", attempt.id, error)
                await asyncio.sleep(SETTLE_AGAIN_S)
            else:
                notes = notes_of(self._box.data, attempt)
                await write(self._writers, _forget, notes)
                return

    async def _place(self, running: OutgoingFax, plan: CallPlan) -> CallResult:
        job, attempt, managed = running.job, running.attempt, running.managed
        loop = asyncio.get_running_loop()
        try:
            document = await loop.run_in_executor(
                None, RenderedDocument.open, self._box.data / job.rendered_path
            )
        except (OSError, ValueError) as error:
            _log.error("the pages of job %d cannot be read: %s", job.id, error)
            return CallResult(PAGE_UNAVAILABLE)

        running.pages = DocumentPages(document, first=plan.first_page)
        station = self._box.settings.section(StationSettings)
        sending = self._box.settings.section(SendingSettings)
        options = job.options
        caller = options.caller_number or managed.caller_number or station.caller_number
        parameters = CallParameters(
            role=Role.CALLS,
            station_id="" if options.withhold_number else options.station_id or station.station_id,
            capabilities=Capabilities(carriers=plan.carriers, ecm=plan.ecm),
            sub_address=options.sub_address,
            password=options.password,
            asks_to_end_last_page=True,
            resend_last_page=sending.resend_last_page,
            quick=plan.quick,
        )
        call = OutgoingCall(
            number=running.number,
            parameters=parameters,
            caller_number=caller,
            caller_name=options.caller_name or station.caller_name,
            withhold=options.withhold_number,
            ring_s=sending.ring_s,
            attempt=attempt.number,
            audio=plan.audio,
            packets=packets_of(self._box, f"{job.uuid}-{attempt.number}"),
            confirmations=notes_of(self._box.data, attempt),
        )
        limit = loop.call_later(sending.call_limit_minutes * 60, running.end_long_call)
        try:
            return await managed.line.place(call, running)
        finally:
            limit.cancel()
