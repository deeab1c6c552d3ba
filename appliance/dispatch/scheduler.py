"""``Scheduler``: has the calls of due jobs placed, whenever something has changed or a time has come.

It carries out the decisions of ``rules``.  Every database access is awaited, on the spool's threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from appliance.box import Box
from appliance.causes import Cause
from appliance.dispatch import rules
from appliance.dispatch.causes import DAILY_LIMIT, NO_LINE, NUMBER_QUARANTINED, SENDER_DISABLED
from appliance.dispatch.clock import JobClock
from appliance.dispatch.outgoing import OutgoingCalls, OutgoingFax
from appliance.dispatch.pool import LinePool, ManagedLine
from appliance.dispatch.profile import Profile
from appliance.dispatch.rules import Allowance, LineView, NoLineNow, Spending
from appliance.lines.line import LineKind
from appliance.numbers import Number, NumberSettings, read_number
from appliance.services.accounts import Quota
from appliance.services.causes import QUOTA_SPENT
from appliance.settings.accounts import ApiKey, User
from appliance.spool import attempts, bounds, decisions, jobs, ledger, queues
from appliance.spool.causes import EXPIRED
from appliance.spool.errors import IllegalTransitionError, SpoolClosedError
from appliance.spool.model import Job, JobState, Reach
from appliance.spool.remembered import Destination
from appliance.spool.settings import SendingSettings

_log = logging.getLogger(__name__)

# Most jobs considered in one round and queue: more than a box has lines.
ROUND_LIMIT = 64
# Longest time between two rounds, seconds: the states of lines change without an event.
LOOK_AROUND_S = 5.0
# Shortest time between two rounds, seconds, unless the scheduler is woken.
SHORTEST_S = 0.02
# How long a call that exceeded its time limit may take to end before its job is settled without it, seconds.
GRACE_S = 120.0


class Scheduler:
    """Considers due jobs in rounds, in one task on the event loop."""

    def __init__(self, box: Box, clock: JobClock, pool: LinePool, outgoing: OutgoingCalls) -> None:
        self._box = box
        self._clock = clock
        self._pool = pool
        self._outgoing = outgoing
        self._wake = asyncio.Event()
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._limits: object = None  # the owner's, as last seen

    def start(self) -> None:
        """Starts its task on the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Ends the task: no more calls are placed."""
        self._stopping = True
        self.wake()
        if self._task is not None:
            await self._task

    def wake(self) -> None:
        """Begins a round now.  On the loop."""
        self._wake.set()

    async def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            wait = LOOK_AROUND_S
            try:
                self._pool.report()
                now = await self._clock.now()
                await self._follow_limits(now)
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

    async def _follow_limits(self, now: float) -> None:
        """Wakes the jobs that wait for the next day, after a start and when a limit or sender was changed."""
        settings = self._box.settings
        limits = (
            settings.section(NumberSettings),
            tuple(settings.items(User).values()),
            tuple(settings.items(ApiKey).values()),
        )
        if limits != self._limits:
            self._limits = limits
            for cause in (DAILY_LIMIT, SENDER_DISABLED):
                await self._box.spool.ado(decisions.wake, cause, now)

    async def _until_next(self, since: float) -> float:
        """Seconds until a job is due that was not at Unix time ``since``, ``LOOK_AROUND_S`` at most.

        Jobs that were due and did not start wait for a line; the end of a call begins a round.
        """
        moment = await self._box.spool.aread(queues.next_due_at, since)
        if moment is None:
            return LOOK_AROUND_S
        return min(max(moment - self._box.clock(), SHORTEST_S), LOOK_AROUND_S)

    async def _end_overdue(self, now: float) -> None:
        for job in await self._box.spool.aread(bounds.overdue, now):
            if not self._clock.goes_on():
                self.wake()  # the next round knows the time
                return
            running = self._outgoing.calls.get(job.id)
            if job.state is JobState.SENDING and running is not None and now < job.deadline + GRACE_S:
                running.end_long_call()
                continue
            _log.warning("job %d was %s beyond its bound", job.id, job.state.value)
            await self._box.spool.ado(bounds.end_overdue, job.id, now)

    async def _dispatch(self, practice: bool, now: float) -> None:
        """Starts what is due and has a line."""
        views = [view for view in self._views() if (view.kind is LineKind.PRACTICE) == practice]
        # With every line in use nothing can start; with none at all, jobs still learn why they wait.
        if views and all(view.usable and view.free <= 0 for view in views):
            return
        if not practice and self._outgoing.outside >= self._sending().calls_at_once:
            return
        busy = [running.job.number for running in self._outgoing.calls.values()]
        due = await self._box.spool.aread(queues.due, now, ROUND_LIMIT, busy, practice=practice)
        for job in due:
            if self._stopping or (not practice and self._outgoing.outside >= self._sending().calls_at_once):
                return
            await self._consider(job, now)

    async def _consider(self, job: Job, now: float) -> None:
        """Places a call for ``job``, postpones it, or has it fail."""
        if not self._clock.goes_on():
            self.wake()  # the next round knows the time
            return
        spool = self._box.spool
        known = await spool.aread(ledger.destination, job.number)
        if not await self._may_begin(job, known, now):
            return
        earlier = await spool.aread(jobs.attempts, job.id)
        profile = Profile.load(known.profile if known is not None else {})
        views = self._views()
        chosen = rules.choose_line(job, views, earlier, profile)
        if chosen is NoLineNow.BUSY:
            return
        if isinstance(chosen, NoLineNow):
            wait = rules.STILL_NO_LINE_S if job.cause is NO_LINE else rules.NO_LINE_S
            await self._put_off(job, now + wait, NO_LINE)
            return
        managed = self._pool.named(chosen.name)
        read = self._read(job, managed)  # as this line will dial it
        if isinstance(read, Cause):
            await self._give_up(job, read)
            return
        if read.reach is not job.reach:
            job = await spool.ado(attempts.set_reach, job.id, read.reach)
            if await self._limit_reached(job):
                await self._put_off(job, self._next_day(now), DAILY_LIMIT)
                return
        plan = rules.plan_call(job, earlier, profile, self._sending(), now)
        trace_path = f"traces/{job.uuid}-{job.tries + 1}.jsonl"
        try:
            attempt = await spool.ado(
                attempts.begin,
                job.id,
                now,
                line=chosen.name,
                line_kind=chosen.kind.value,
                first_page=plan.first_page,
                trace_path=trace_path,
            )
        except IllegalTransitionError:
            return  # cancelled meanwhile
        candidates = sum(1 for view in views if view.usable and rules.may_carry(view, job))
        self._outgoing.begin(OutgoingFax(self._box, job, attempt, managed, read.dial), plan, candidates)

    async def _may_begin(self, job: Job, known: Destination | None, now: float) -> bool:
        """Whether ``job`` may be called now; else it fails or is postponed here, or waits for its turn.

        What its sender may, and the owner's rules, may have changed since it was accepted.
        """
        if now >= job.expires_at:
            await self._give_up(job, job.cause or EXPIRED)
            return False
        if self._box.accounts.is_disabled(job.owner, job.key):
            await self._put_off(job, self._next_day(now), SENDER_DISABLED)
            return False
        read = self._read(job, None)
        if isinstance(read, Cause):
            await self._give_up(job, read)
            return False
        if rules.is_quarantined(known, now):
            await self._give_up(job, NUMBER_QUARANTINED)
            return False
        if await self._limit_reached(job):
            await self._put_off(job, self._next_day(now), DAILY_LIMIT)
            return False
        spending = rules.spending(await self._allowances(job, now))
        if spending is Spending.NEVER:
            await self._give_up(job, QUOTA_SPENT)
        elif spending is Spending.TOMORROW:
            await self._put_off(job, self._next_day(now), DAILY_LIMIT)
        return spending is Spending.GO

    def _views(self) -> list[LineView]:
        """The lines for the rules."""
        return self._pool.views(self._outgoing.lines_in_use, self._outgoing.full_lines)

    def _read(self, job: Job, managed: ManagedLine | None) -> Number | Cause:
        """The job's number by the present rules, as dialled on this line; or why it may not be dialled."""
        if job.reach is Reach.PRACTICE:
            return Number(job.number, job.reach)
        numbers = self._box.settings.section(NumberSettings)
        return read_number(job.number, numbers, plan=managed.plan(numbers) if managed else None)

    async def _give_up(self, job: Job, cause: Cause) -> None:
        with contextlib.suppress(IllegalTransitionError):  # cancelled meanwhile
            await self._box.spool.ado(decisions.fail, job.id, cause, self._box.clock())
        self.wake()  # another job for the same number may be due

    async def _put_off(self, job: Job, until: float, cause: Cause) -> None:
        await self._box.spool.ado(decisions.postpone, job.id, until, self._box.clock(), cause)
        self.wake()

    async def _limit_reached(self, job: Job) -> bool:
        day = ledger.day_of(self._box.counted())
        read = self._box.spool.aread
        return rules.daily_limit(
            job.reach,
            self._box.settings.section(NumberSettings),
            box=await read(ledger.usage, "outside", day),
            owner=await read(ledger.usage, f"outside:{job.owner}", day),
            abroad=await read(ledger.usage, "abroad", day),
        )

    async def _allowances(self, job: Job, now: float) -> list[Allowance]:
        """The quotas of the job's owner and key, with what has been used."""
        found = []
        day = ledger.day_of(self._box.counted())
        read = self._box.spool.aread
        sending = self._sending()
        pages = rules.pages_to_send(job, sending)
        for quota in self._box.accounts.quotas(job.owner, job.key):
            up = [fax for fax in self._outgoing.calls.values() if self._counts(fax.job, quota)]
            going_out = sum(rules.pages_to_send(fax.job, sending) for fax in up)
            if quota.pages_a_month:
                month = await read(ledger.usage, quota.scope, f"{day[:7]}-01", day)
                found.append(Allowance(quota.pages_a_month, month.pages, going_out, pages, daily=False))
            if job.reach.outside and (quota.pages_a_day or quota.seconds_a_day):
                today = await read(ledger.usage, quota.outside, day)
                found.append(Allowance(quota.pages_a_day, today.pages, going_out, pages, daily=True))
                seconds = sum(now - fax.attempt.started_at for fax in up)
                found.append(Allowance(quota.seconds_a_day, today.seconds, seconds, 1.0, daily=True))
        return found

    @staticmethod
    def _counts(job: Job, quota: Quota) -> bool:
        return job.key == quota.key if quota.key else job.owner == quota.owner

    def _next_day(self, now: float) -> float:
        """Unix time shortly after the day that calls are counted for."""
        counted = self._box.counted()
        return now + ledger.next_day(counted) - counted

    def _sending(self) -> SendingSettings:
        return self._box.settings.section(SendingSettings)
