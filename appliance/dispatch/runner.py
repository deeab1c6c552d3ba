"""``Dispatcher``: carries the decisions of ``rules`` out, on the event loop.

One task looks at what is due, whenever something changed or a time has come, and starts calls; each
call is a task of its own.  Every database access is awaited through the spool's threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from appliance.box import Box, LineReport
from appliance.causes import (
    CALL_TOO_LONG,
    CANCELLED,
    DAILY_LIMIT,
    EXPIRED,
    INTERRUPTED,
    LINE_FAULT,
    LINE_STOPPED,
    NO_LINE,
    NOT_RECEIVING,
    NUMBER_QUARANTINED,
    PAGE_UNAVAILABLE,
    STORAGE_FULL,
    UNKNOWN_DELIVERY,
    Cause,
)
from appliance.dispatch import rules
from appliance.dispatch.pages import RecordedLastPage
from appliance.dispatch.polling import OfferedPages
from appliance.dispatch.profile import Profile
from appliance.dispatch.rules import CallPlan, LineView, NoLineNow
from appliance.dispatch.settle import CallEnd, settle
from appliance.dispatch.trace import Trace
from appliance.documents.pages import DocumentPages, on_loop
from appliance.documents.render import RenderedDocument
from appliance.durable import DiskFullError
from appliance.lines.line import (
    Answer,
    CancelSwitch,
    IncomingCall,
    KeepPackets,
    Line,
    OutgoingCall,
    Refuse,
)
from appliance.lines.practice.settings import PracticeSettings
from appliance.numbering import Plan
from appliance.numbers import Number, NumberSettings, plan_for, read_number
from appliance.spool import jobs, ledger, offers
from appliance.spool.clock import clock_set
from appliance.spool.incoming import WRITERS, IncomingFax
from appliance.spool.model import (
    DAY_S,
    PACKETS,
    Attempt,
    Event,
    IllegalTransitionError,
    Job,
    JobState,
    News,
    Reach,
    Room,
    SpoolClosedError,
    SpoolFailedError,
)
from appliance.spool.remembered import Offer
from appliance.spool.settings import KeptPackets, SendingSettings, StorageSettings
from appliance.station import StationSettings
from appliance.t30.call import RefusingStore
from appliance.t30.parameters import CallParameters, CallResult, Capabilities, Progress, Role

_log = logging.getLogger(__name__)

# Jobs looked at in one round and queue: more than the lines a box has.
ROUND_LIMIT = 64
# The dispatcher looks around at least so often, seconds: line states change without an event.
LOOK_AROUND_S = 5.0
# Two rounds are at least so far apart when nothing wakes the dispatcher, seconds.
SHORTEST_S = 0.02
# A call that was told to end has so long, seconds, before its job is settled without it.
GRACE_S = 120.0
# A call's end that could not be written (disk full) is tried again after so long, seconds.
SETTLE_AGAIN_S = 5.0
# A line that is being retired is looked at so often, seconds.
RETIRE_LOOK_S = 0.5
# Stopping: calls get so long to end with DCN, seconds.
STOP_S = 15.0
# A clock that was set by less needs nothing, seconds.
CLOCK_SET_S = 5.0
# Events that may make something due.
_WAKING = frozenset({"job.waiting", "job.rescheduled", "job.cancelled", "job.woken", "line.state"})
# What a SIP trunk says carries a fax ("audio" is what comes before).
_MEDIA = frozenset({"t38", "g711"})
# What of a call's account is passed on as live news; the rest is in its trace.
_NEWS = frozenset(
    {
        "dialled",
        "ringing",
        "connected",
        "answered",
        "remote_id",
        "dis",
        "dcs",
        "training",
        "trained",
        "step_down",
        "retrain",
        "page_sending",
        "page_confirmed",
        "page_receiving",
        "page_received",
        "ppr",
        "ended",
    }
)


@dataclass(frozen=True, slots=True)
class ManagedLine:
    """A line with what the owner laid down for it."""

    line: Line
    send: bool = True
    receive: bool = True
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    caller_number: str = ""
    plan: Callable[[NumberSettings], Plan] = plan_for  # where its calls are dialled
    # Tells the line, before a call, whether the number is to be reached in audio, without T.38.
    audio: Callable[[str, bool], None] | None = None


@dataclass(slots=True)
class _Running:
    """A call that we placed."""

    job: Job
    attempt: Attempt
    managed: ManagedLine
    switch: CancelSwitch
    number: str  # as this line dials it
    task: asyncio.Task[None] | None = None
    too_long: bool = False
    medium: str = ""  # what carries it over a SIP trunk
    last_page_out: bool = False  # its end may have been signalled: the far end may hold all of it


# May refuse a call before it is answered (junk rules); None takes it.  On the loop: must not block.
Screen = Callable[[IncomingCall], Cause | None]


@dataclass(slots=True)
class Dispatcher:
    """Places and takes the box's calls over ``lines``, in the owner's order.

    ``start`` and ``stop`` run on the loop that carries the calls.
    """

    box: Box
    lines: list[ManagedLine]
    screen: Screen | None = None
    _calls: dict[int, _Running] = field(default_factory=dict)  # by job
    _retiring: list[ManagedLine] = field(default_factory=list)
    _incoming: set[asyncio.Task[None]] = field(default_factory=set)
    _incoming_switches: list[CancelSwitch] = field(default_factory=list)
    _cancelled_early: set[int] = field(default_factory=set)  # job ids
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _stopping: bool = False
    _ahead: float | None = None  # Unix time less monotonic time, when last looked at
    _clock_lock: asyncio.Lock = field(default_factory=asyncio.Lock)  # the clock is set once, not twice
    _writers: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(WRITERS, thread_name_prefix="pages")
    )

    async def start(self) -> None:
        """Opens the lines and begins to dispatch.  Recovery (``box`` side) must have been done."""
        self._loop = asyncio.get_running_loop()
        self.box.spool.hub.call(self._heard)
        for managed in self.lines:
            await managed.line.start(self._taker(managed))
        self._show_lines()
        self._task = self._loop.create_task(self._run())

    async def stop(self) -> None:
        """Ends every call (with DCN where the far end can hear it), settles all jobs, closes the lines."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task
        for running in self._calls.values():
            running.switch.pull()
        for switch in list(self._incoming_switches):
            switch.pull()
        tasks = [running.task for running in self._calls.values() if running.task] + list(self._incoming)
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_S)
        for managed in [*self.lines, *self._retiring]:
            await managed.line.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._show_lines()
        self._writers.shutdown(wait=True)

    # -- lines that come and go ----------------------------------------------------------------

    async def adopt(self, managed: ManagedLine) -> None:
        """Opens a further line and uses it."""
        await managed.line.start(self._taker(managed))
        self.lines.append(managed)
        self._wake.set()

    async def retire(self, managed: ManagedLine) -> None:
        """Gives a line no more calls, and closes it when those it has are over."""
        self.lines.remove(managed)
        self._retiring.append(managed)
        while managed.line.state().calls and not self._stopping:
            await asyncio.sleep(RETIRE_LOOK_S)
        if not self._stopping:  # else ``stop`` does it
            await managed.line.stop()
            self._retiring.remove(managed)

    def arrange(self, order: Sequence[Line]) -> None:
        """Sets the order in which lines are tried."""
        places = {id(line): place for place, line in enumerate(order)}
        self.lines.sort(key=lambda managed: places.get(id(managed.line), len(places)))

    # -- the round -----------------------------------------------------------------------------

    def _heard(self, item: Event | News) -> None:
        """From the writer's thread."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        if item.kind == "job.cancelling" and item.fax_id is not None:
            loop.call_soon_threadsafe(self._cancel, item.fax_id)
        elif item.kind in _WAKING:
            loop.call_soon_threadsafe(self._wake.set)

    def _cancel(self, job_id: int) -> None:
        running = self._calls.get(job_id)
        if running is not None:
            running.switch.pull()
        else:
            self._cancelled_early.add(job_id)

    async def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            wait = LOOK_AROUND_S
            try:
                self._show_lines()
                now = await self._now()
                await self._end_overdue(now)
                for practice in (False, True):
                    await self._dispatch(practice, now)
                wait = await self._until_next(now)
            except SpoolClosedError:
                return
            except Exception:  # a bug in one round must not stop all faxes
                _log.exception("a round of the dispatcher failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait)

    async def _now(self) -> float:
        """The time, once everything that waits or is under way goes by it.

        A board without a clock of its own starts in the past, and is set when the network comes up.
        """
        async with self._clock_lock:
            now = self.box.clock()
            ahead = now - time.monotonic()
            by = 0.0 if self._ahead is None else ahead - self._ahead
            if abs(by) >= CLOCK_SET_S:
                moved = await self.box.spool.ado(clock_set, now - by, by)
                _log.warning("the clock was set by %+.0f s: %d faxes keep the time they had left", by, moved)
            self._ahead = ahead
        return now

    async def _until_next(self, since: float) -> float:
        """Seconds until something is due that was not at ``since``, ``LOOK_AROUND_S`` at most.

        What was due then and did not start waits for a line: its call's end wakes us.
        """
        moment = await self.box.spool.aread(jobs.next_moment, since)
        if moment is None:
            return LOOK_AROUND_S
        return min(max(moment - self.box.clock(), SHORTEST_S), LOOK_AROUND_S)

    async def _end_overdue(self, now: float) -> None:
        for job in await self.box.spool.aread(jobs.overdue, now):
            running = self._calls.get(job.id)
            if job.state is JobState.SENDING and running is not None and now < job.deadline + GRACE_S:
                running.too_long = True
                running.switch.pull()
                continue
            _log.warning("job %d was %s beyond its bound", job.id, job.state.value)
            await self.box.spool.ado(jobs.end_overdue, job.id, now)

    async def _dispatch(self, practice: bool, now: float) -> None:
        """Starts what is due and has a line."""
        views = [view for view in self._views() if (view.kind.value == "practice") == practice]
        # With every line in use nothing can start; with none at all, jobs still learn why they wait.
        if views and all(view.usable and view.free <= 0 for view in views):
            return
        if not practice and self._outside_calls() >= self._sending().calls_at_once:
            return
        busy = [running.job.number for running in self._calls.values()]
        due = await self.box.spool.aread(jobs.due, now, ROUND_LIMIT, busy, practice=practice)
        for job in due:
            if self._stopping or (not practice and self._outside_calls() >= self._sending().calls_at_once):
                return
            await self._consider(job, now)

    async def _consider(self, job: Job, now: float) -> None:
        """Places a call for ``job``, or puts it off, or gives it up."""
        spool = self.box.spool
        if now >= job.expires_at:
            await self._give_up(job, job.cause or EXPIRED)
            return
        # The owner's rules may have changed since it was accepted.
        read = self._read(job, None)
        if isinstance(read, Cause):
            await self._give_up(job, read)
            return
        known = await spool.aread(ledger.destination, job.number)
        if rules.is_quarantined(known, now):
            await self._give_up(job, NUMBER_QUARANTINED)
            return
        if await self._limit_reached(job, now):
            await self._put_off(job, _next_day(now), DAILY_LIMIT)
            return
        attempts = await spool.aread(jobs.attempts, job.id)
        profile = Profile.load(known.profile if known is not None else {})
        views = self._views()
        chosen = rules.choose_line(job, views, attempts, profile)
        if chosen is NoLineNow.BUSY:
            return
        if isinstance(chosen, NoLineNow):
            wait = rules.STILL_NO_LINE_S if job.cause is NO_LINE else rules.NO_LINE_S
            await self._put_off(job, now + wait, NO_LINE)
            return
        managed = next(managed for managed in self.lines if managed.line.name == chosen.name)
        read = self._read(job, managed)  # as this line will dial it
        if isinstance(read, Cause):
            await self._give_up(job, read)
            return
        if read.reach is not job.reach:
            job = await spool.ado(jobs.set_reach, job.id, read.reach)
            if await self._limit_reached(job, now):
                await self._put_off(job, _next_day(now), DAILY_LIMIT)
                return
        plan = rules.plan_call(job, attempts, profile, self._sending(), now)
        trace_path = f"traces/{job.uuid}-{job.tries + 1}.jsonl"
        try:
            attempt = await spool.ado(
                jobs.begin_attempt,
                job.id,
                now,
                line=chosen.name,
                line_kind=chosen.kind.value,
                first_page=plan.first_page,
                trace_path=trace_path,
            )
        except IllegalTransitionError:
            return  # its owner was quicker
        running = _Running(job, attempt, managed, CancelSwitch(), read.dial)
        self._calls[job.id] = running
        if job.id in self._cancelled_early:  # between the attempt's record and this moment
            running.switch.pull()
        candidates = sum(1 for view in views if view.usable and rules.may_carry(view, job))
        running.task = asyncio.get_running_loop().create_task(self._carry(running, plan, candidates))

    def _read(self, job: Job, managed: ManagedLine | None) -> Number | Cause:
        """The job's number as the box's rules see it now, dialled on this line."""
        if job.reach is Reach.PRACTICE:
            return Number(job.number, job.reach)
        numbers = self.box.settings.section(NumberSettings)
        return read_number(job.number, numbers, plan=managed.plan(numbers) if managed else None)

    async def _give_up(self, job: Job, cause: Cause) -> None:
        with contextlib.suppress(IllegalTransitionError):  # its owner was quicker
            await self.box.spool.ado(jobs.fail, job.id, cause, self.box.clock())
        self._wake.set()  # another job for the same number may be due

    async def _put_off(self, job: Job, until: float, cause: Cause) -> None:
        await self.box.spool.ado(jobs.postpone, job.id, until, self.box.clock(), cause)
        self._wake.set()

    async def _limit_reached(self, job: Job, now: float) -> bool:
        day = ledger.day_of(now)
        read = self.box.spool.aread
        return rules.daily_limit(
            job.reach,
            self.box.settings.section(NumberSettings),
            box=await read(ledger.usage, "outside", day),
            owner=await read(ledger.usage, f"outside:{job.owner}", day),
            abroad=await read(ledger.usage, "abroad", day),
        )

    # -- one call that we place ----------------------------------------------------------------

    async def _carry(self, running: _Running, plan: CallPlan, candidates: int) -> None:
        """A call from its beginning to its job's next state."""
        job, attempt, managed = running.job, running.attempt, running.managed
        started = time.monotonic()
        trace = Trace(
            {
                "job": job.id,
                "attempt": attempt.number,
                "line": managed.line.name,
                "at": attempt.started_at,
            }
        )
        try:
            result = await self._place(running, plan, trace)
        except asyncio.CancelledError:
            result = CallResult(INTERRUPTED)
        except Exception:
            _log.exception("the line %s failed on job %d", managed.line.name, job.id)
            result = CallResult(LINE_FAULT)
        result = self._true_end(running, result)
        end = CallEnd(
            result=result,
            step=plan.step,
            line=managed.line.name,
            medium=running.medium,
            seconds=time.monotonic() - started,
            candidates=candidates,
            sending=self._sending(),
            practice=self.box.settings.section(PracticeSettings),
        )
        await asyncio.gather(
            asyncio.get_running_loop().run_in_executor(
                self._writers, trace.write, self.box.data / attempt.trace_path
            ),
            self._settle(attempt, end),
        )
        del self._calls[job.id]
        self._cancelled_early.discard(job.id)
        self._wake.set()

    def _true_end(self, running: _Running, result: CallResult) -> CallResult:
        """The row for a call that we ended ourselves: not always "cancelled"."""
        cause = result.cause
        if cause is CANCELLED and running.too_long:
            cause = CALL_TOO_LONG
        elif cause in (CANCELLED, LINE_STOPPED) and self._stopping:
            cause = INTERRUPTED
        if running.last_page_out and cause in (CALL_TOO_LONG, INTERRUPTED, LINE_FAULT):
            cause = UNKNOWN_DELIVERY
        return replace(result, cause=cause)

    async def _settle(self, attempt: Attempt, end: CallEnd) -> None:
        """Writes the end of a call, as often as it takes."""
        while True:
            try:
                await self.box.spool.ado(settle, attempt.id, end, await self._now())
            except IllegalTransitionError:
                return  # it was given up for too long a call meanwhile
            except SpoolClosedError:
                return  # the next start recovers it
            except (DiskFullError, SpoolFailedError) as error:
                _log.error("the end of attempt %d could not be written: %s", attempt.id, error)
                await asyncio.sleep(SETTLE_AGAIN_S)
            else:
                return

    async def _place(self, running: _Running, plan: CallPlan, trace: Trace) -> CallResult:
        job, attempt, managed = running.job, running.attempt, running.managed
        loop = asyncio.get_running_loop()
        try:
            document = await loop.run_in_executor(
                None, RenderedDocument.open, self.box.data / job.rendered_path
            )
        except (OSError, ValueError) as error:
            _log.error("the pages of job %d cannot be read: %s", job.id, error)
            return CallResult(PAGE_UNAVAILABLE)

        def record(done: Callable[[bool], None]) -> None:
            running.last_page_out = True
            future = asyncio.wrap_future(
                self.box.spool.write(jobs.last_page_out, attempt.id, self.box.clock())
            )
            future.add_done_callback(lambda finished: done(finished.exception() is None))

        def progress(line: Progress) -> None:
            trace.add(line)
            if line.event == "page_confirmed":
                page = int(dict(line.fields)["page"])
                self.box.spool.write(jobs.confirm_pages, attempt.id, page, self.box.clock())
            elif line.event == "media" and dict(line.fields).get("kind") in _MEDIA:
                running.medium = str(dict(line.fields)["kind"])
            if line.event in _NEWS:
                self._tell(job.id, job.owner, line)

        station = self.box.settings.section(StationSettings)
        sending = self._sending()
        options = job.options
        caller = options.caller_number or managed.caller_number or station.caller_number
        parameters = CallParameters(
            role=Role.CALLS,
            station_id=options.station_id or station.station_id,
            capabilities=Capabilities(carriers=plan.carriers, ecm=plan.ecm),
            sub_address=options.sub_address,
            password=options.password,
            asks_to_end_last_page=True,
            resend_last_page=sending.resend_last_page,
        )
        pages = DocumentPages(document, on_loop(loop), first=plan.first_page)
        call = OutgoingCall(
            number=running.number,
            parameters=parameters,
            pages=RecordedLastPage(pages, record),
            store=RefusingStore(),
            progress=progress,
            cancel=running.switch,
            caller_number=caller,
            caller_name=options.caller_name or station.caller_name,
            ring_s=sending.ring_s,
            attempt=attempt.number,
            packets=self._packets(f"{job.uuid}-{attempt.number}"),
        )
        if managed.audio is not None:
            managed.audio(running.number, plan.audio)
        limit = loop.call_later(sending.call_limit_minutes * 60, self._end_long_call, running)
        try:
            result = await managed.line.place(call)
        finally:
            limit.cancel()
        if result.cause is PAGE_UNAVAILABLE and pages.failure is not None:
            result = replace(result, cause=pages.failure)
        return result

    def _end_long_call(self, running: _Running) -> None:
        running.too_long = True
        running.switch.pull()

    # -- calls that come in --------------------------------------------------------------------

    def _taker(self, managed: ManagedLine) -> Callable[[IncomingCall], Answer | Refuse]:
        return lambda call: self._take(managed, call)

    def _take(self, managed: ManagedLine, call: IncomingCall) -> Answer | Refuse:
        """Answers or refuses a call that knocks.  Decided from memory: the loop does not wait."""
        station = self.box.settings.section(StationSettings)
        storage = self.box.settings.section(StorageSettings)
        if self._stopping or managed in self._retiring or not station.receive or not managed.receive:
            return Refuse(NOT_RECEIVING)
        if self.box.guard.room(storage.reserve_mb, storage.warn_mb) is Room.FULL:
            return Refuse(STORAGE_FULL)
        refused = self.screen(call) if self.screen is not None else None
        if refused is not None:
            return Refuse(refused)
        fax = IncomingFax(
            self.box.spool,
            self._writers,
            self.box.clock,
            line=call.line,
            line_kind=managed.line.kind.value,
            caller=call.caller,
            caller_name=call.caller_name,
            dialled=call.dialled,
        )
        trace = Trace(
            {
                "line": call.line,
                "caller": call.caller,
                "dialled": call.dialled,
                "at": self.box.clock(),
            }
        )
        switch = CancelSwitch()
        self._incoming_switches.append(switch)

        on_offer = self.box.polling.by_name()
        offered = OfferedPages(self.box, on_offer, on_loop(asyncio.get_running_loop()))

        def progress(line: Progress) -> None:
            trace.add(line)
            offered.hear(line)
            if line.event in _NEWS:
                self._tell(None, "", line)

        def ended(result: CallResult) -> None:
            self._incoming_switches.remove(switch)
            task = asyncio.get_running_loop().create_task(self._received(fax, trace, result, offered.chosen))
            self._incoming.add(task)
            task.add_done_callback(self._incoming.discard)

        parameters = CallParameters(
            role=Role.ANSWERS,
            station_id=station.station_id,
            offers_pages=bool(on_offer),
            on_offer=frozenset(on_offer),
        )
        return Answer(
            parameters=parameters,
            pages=offered,
            store=fax,
            ended=ended,
            progress=progress,
            cancel=switch,
            packets=self._packets(Path(fax.trace_path).stem),
        )

    async def _received(
        self, fax: IncomingFax, trace: Trace, result: CallResult, offer: Offer | None
    ) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._writers, trace.write, self.box.data / fax.trace_path)
        while True:
            try:
                finished = await fax.finish(result)
                break
            except SpoolClosedError:
                return  # the next start recovers it
            except (DiskFullError, SpoolFailedError) as error:
                _log.error("the end of a received fax could not be written: %s", error)
                if not fax.has_row:
                    return
                await asyncio.sleep(SETTLE_AGAIN_S)
        with contextlib.suppress(SpoolClosedError, SpoolFailedError, DiskFullError):
            if offer is not None and result.pages_sent >= offer.pages:
                caller = finished.caller or finished.tsi
                await self.box.spool.ado(offers.fetched, offer.id, caller, self.box.clock())

    # -- inside --------------------------------------------------------------------------------

    def _sending(self) -> SendingSettings:
        return self.box.settings.section(SendingSettings)

    def _packets(self, name: str) -> KeepPackets | None:
        """Whether and where the packets of a call are kept."""
        wanted = self.box.settings.section(StorageSettings).packets
        if wanted is KeptPackets.NONE:
            return None
        path = (self.box.data / PACKETS / f"{name}.pcap").absolute()
        return KeepPackets(path, always=wanted is KeptPackets.ALL)

    def _outside_calls(self) -> int:
        return sum(1 for running in self._calls.values() if running.managed.line.kind.value != "practice")

    def _views(self) -> list[LineView]:
        views = []
        numbers = self.box.settings.section(NumberSettings)
        for managed in self.lines:
            state = managed.line.state()
            ours = sum(1 for running in self._calls.values() if running.managed is managed)
            views.append(
                LineView(
                    name=managed.line.name,
                    kind=managed.line.kind,
                    usable=state.usable,
                    free=state.capacity - max(state.calls, ours),
                    send=managed.send,
                    allow=managed.allow,
                    deny=managed.deny,
                    plan=managed.plan(numbers),
                )
            )
        return views

    def _show_lines(self) -> None:
        """Tells the box how the lines are; those who listen hear of what changed."""
        now = tuple(
            LineReport(managed.line.name, managed.line.kind, managed.line.state()) for managed in self.lines
        )
        before = {report.name: report for report in self.box.lines()}
        self.box.show_lines(now)
        for report in now:
            if report != before.get(report.name):
                data = {
                    "line": report.name,
                    "usable": report.state.usable,
                    "calls": report.state.calls,
                    "sentence": report.state.sentence,
                }
                self.box.spool.news(self.box.clock(), "line.state", None, "", data)
        came_up = [r for r in now if r.state.usable and r.name in before and not before[r.name].state.usable]
        if came_up and not self._stopping:
            self.box.spool.write(jobs.wake_without_line, self.box.clock())

    def _tell(self, fax_id: int | None, owner: str, line: Progress) -> None:
        data = {"event": line.event, **dict(line.fields)}
        self.box.spool.news(self.box.clock(), "call.progress", fax_id, owner, data)


def _next_day(now: float) -> float:
    """The coming midnight in the box's time zone, or soon after when the clock changes that night."""
    at = time.localtime(now + DAY_S)
    return time.mktime((at.tm_year, at.tm_mon, at.tm_mday, 0, 0, 5, 0, 0, -1))
