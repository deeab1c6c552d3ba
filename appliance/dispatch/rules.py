"""The dispatcher's decisions, as functions of what is known and the time, without clock or I/O.

``choose_line``   the line for a job's next call, or what the job waits for
``plan_call``     the parameters of that call
``verdict``       the state of the job after a call
``quarantine``    whether a number is not called for some days
``daily_limit``   whether the day's calls are used up
``spending``      whether the quotas of its owner are enough for a fax
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from appliance.causes import CANCELLED, DELIVERED, Cause, Retry, Side
from appliance.dispatch.profile import STEPS, Profile
from appliance.lines.causes import BUSY, LINE_FULL, NO_ANSWER, NUMBER_NOT_IN_SERVICE
from appliance.lines.line import LineKind
from appliance.lines.modem.causes import VOICE_ANSWERED
from appliance.lines.practice.settings import PracticeSettings
from appliance.lines.sip.causes import SIP_NO_MEDIA, SIP_T38_SILENT
from appliance.numbering.plan import Plan
from appliance.numbers import NumberSettings, permitted
from appliance.spool.causes import INTERRUPTED
from appliance.spool.model import DAY_S, Attempt, Job, JobState, Reach
from appliance.spool.options import Resume, UnknownRule
from appliance.spool.remembered import Destination, Usage
from appliance.spool.settings import SendingSettings
from appliance.t30.causes import NO_FAX_ANSWERED
from appliance.t30.dce import Carrier

# Wait before another line is tried, seconds.
FAILOVER_S = 1.0
# Wait after a restart of the box, seconds: the lines have to come up.
AFTER_RESTART_S = 5.0
# Waits are extended by up to this share, different for each job and try, so that two machines that call each
# other do not collide repeatedly.
JITTER = 0.1
# Calls of one job that may fail after the connection over T.38, or in audio, before the other is tried.
MEDIUM_TRIES = 2
# Causes that mean that there is no fax machine at a number.
DEAD = frozenset({NUMBER_NOT_IN_SERVICE.code, NO_FAX_ANSWERED.code, VOICE_ANSWERED.code})
# Wait of a job while no line that may carry it is usable, seconds: the first time, and later.  A line that
# comes up ends the wait at once; each postponement is a write to the SD card.
NO_LINE_S = 60.0
STILL_NO_LINE_S = 900.0


# -- lines ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LineView:
    """A line as the decisions see it.  Sequences of them are in the owner's order."""

    name: str
    kind: LineKind
    usable: bool
    free: int  # calls that may begin now
    send: bool = True
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    plan: Plan | None = None  # numbering plan of the place where it is connected


class NoLineNow(Enum):
    """Why no line can take a job now."""

    BUSY = "busy"  # every line that may carry it is in use: wait for the end of a call
    DOWN = "down"  # none of them works
    NONE = "none"  # there is none


def may_carry(line: LineView, job: Job) -> bool:
    """Whether this line may ever carry this job."""
    if (line.kind is LineKind.PRACTICE) != (job.reach is Reach.PRACTICE):
        return False
    if job.options.lines and line.name not in job.options.lines:
        return False
    return line.send and permitted(job.number, line.allow, line.deny, line.plan)


def choose_line(
    job: Job, lines: Sequence[LineView], attempts: Sequence[Attempt], profile: Profile
) -> LineView | NoLineNow:
    """The line for the next call of ``job``.

    The order is that of the sender's option, else that of the owner with the line of the last delivery to the
    destination first.  Lines that failed in the present round (cause with ``other_line``) come last.
    """
    candidates = [line for line in lines if may_carry(line, job)]
    if not candidates:
        return NoLineNow.NONE
    order = list(job.options.lines) or [profile.line]
    candidates.sort(key=lambda line: order.index(line.name) if line.name in order else len(order))
    failed = lines_failed(attempts)
    working = [line for line in candidates if line.usable]
    working.sort(key=lambda line: failed.index(line.name) + 1 if line.name in failed else 0)
    if not working:
        return NoLineNow.DOWN
    fresh = [line for line in working if line.name not in failed]
    # A line that has just failed is not tried again merely because the better one is busy.
    pool = fresh or working
    return next((line for line in pool if line.free > 0), NoLineNow.BUSY)


def lines_failed(attempts: Sequence[Attempt]) -> list[str]:
    """Lines that failed in the present round, the earliest first.

    A round ends with a call that failed for another reason, or when a line is tried a second time.
    """
    failed: list[str] = []
    for attempt in reversed(attempts):
        cause = attempt.cause
        if cause is None or cause.retry is not Retry.OTHER_LINE or attempt.line in failed:
            break
        failed.append(attempt.line)
    return failed[::-1]


# -- the call ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallPlan:
    """The parameters of the next call; ``step`` is an index in profile.STEPS."""

    step: int
    carriers: frozenset[Carrier]
    ecm: bool
    first_page: int  # from 0
    audio: bool = False  # over a SIP trunk: fax tones in audio (G.711) from the start, no T.38
    quick: bool = False  # use the lower end of T.30's tolerances


def plan_call(
    job: Job, attempts: Sequence[Attempt], profile: Profile, settings: SendingSettings, now: float
) -> CallPlan:
    """The parameters of the next call.

    The step is the destination's, and one more for each failed call whose cause has ``step_down``.  The first
    page is that of ``first_page``.
    """
    start = profile.start_step(now) if settings.learn else 0
    downs = sum(1 for attempt in attempts if _is(attempt, Retry.STEP_DOWN))
    step = min(start + downs, len(STEPS) - 1)
    wanted_ecm = settings.ecm if job.options.ecm is None else job.options.ecm
    return CallPlan(
        step=step,
        carriers=STEPS[step].carriers(job.options.max_bit_rate or settings.max_bit_rate),
        ecm=wanted_ecm and STEPS[step].ecm,
        first_page=first_page(job, settings),
        audio=wants_audio(attempts, profile if settings.learn else Profile()),
        # Also without a learned profile a fax that has failed is not sent by a quick call again.
        quick=not profile.nominal_pace and not downs,
    )


def first_page(job: Job, settings: SendingSettings) -> int:
    """The first page (from 0) of the next call: the first unconfirmed one, or 0 to send all again."""
    resume = job.options.resume or settings.resume
    left = job.pages is None or job.pages_confirmed < job.pages
    return job.pages_confirmed if resume is Resume.REST and left else 0


def pages_to_send(job: Job, settings: SendingSettings) -> int:
    """Number of pages that the next call is to send."""
    return (job.pages or 1) - first_page(job, settings)


def wants_audio(attempts: Sequence[Attempt], profile: Profile) -> bool:
    """Whether the next call over a SIP trunk should use audio without T.38.

    Some routes carry T.38 well, others only audio.  The medium of the last delivery to the destination is
    tried first; one that failed this job twice, or T.38 that stayed silent, is replaced by the other.
    """
    failed = {"t38": 0, "g711": 0}
    for attempt in attempts:
        medium = attempt.facts.get("medium", "")
        if _is(attempt, Retry.STEP_DOWN) and medium in failed:
            failed[medium] += 1
        elif attempt.cause is not None and silent_t38(attempt.cause, medium):
            failed["t38"] += MEDIUM_TRIES
    if profile.medium == "g711":
        return failed["g711"] < MEDIUM_TRIES or failed["g711"] < failed["t38"]
    return failed["t38"] >= MEDIUM_TRIES and failed["g711"] <= failed["t38"]


def silent_t38(cause: Cause, medium: str) -> bool:
    """Whether T.38 was agreed and nothing was received over it, which is not the called party's fault."""
    return medium == "t38" and cause in (NO_FAX_ANSWERED, SIP_NO_MEDIA, SIP_T38_SILENT)


# -- after the call ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NextState:
    """The next state of a job; with WAITING, ``next_try_at`` is the Unix time of the next try."""

    state: JobState
    next_try_at: float = 0.0


def verdict(
    job: Job,
    cause: Cause,
    attempts: Sequence[Attempt],
    settings: SendingSettings,
    now: float,
    *,
    practice: PracticeSettings,
    candidates: int = 1,
    medium: str = "",
) -> NextState:
    """The next state of ``job`` after a call that ended with ``cause`` at Unix time ``now``.

    ``attempts`` are those before this one; ``candidates`` is the number of usable lines that may carry the
    job; ``medium`` is that of the call over a SIP trunk ("t38", "g711" or "").
    """
    if cause is DELIVERED:
        return NextState(JobState.DELIVERED)
    if cause is CANCELLED or (job.cancel_requested and cause.retry is not Retry.ASK):
        return NextState(JobState.CANCELLED)
    if cause is LINE_FULL and now < job.expires_at:
        return NextState(JobState.WAITING, job.next_try_at)  # no call was placed: it keeps its place
    if cause.retry is Retry.NO:
        return NextState(JobState.FAILED)
    if cause.retry is Retry.ASK:
        rule = job.options.unknown_rule or settings.unknown_rule
        if rule is UnknownRule.ASSUME_DELIVERED:
            return NextState(JobState.DELIVERED)
        if rule is UnknownRule.ASK or job.cancel_requested:
            return NextState(JobState.UNKNOWN)
    wait = _wait(job, cause, attempts, settings, candidates, medium)
    if wait is None:
        return NextState(JobState.FAILED)
    if job.reach is Reach.PRACTICE and practice.wait_s is not None:
        wait = min(wait, practice.wait_s)
    at = now + wait * (1 + JITTER * _share(job.id, job.tries))
    return NextState(JobState.WAITING, at) if at < job.expires_at else NextState(JobState.FAILED)


def _wait(  # noqa: PLR0917 - what a verdict is made from
    job: Job,
    cause: Cause,
    attempts: Sequence[Attempt],
    settings: SendingSettings,
    candidates: int,
    medium: str,
) -> float | None:
    """Seconds until the next try, None when there is none."""
    own = job.options.retry_waits
    if len(attempts) + 1 >= most_tries(job, settings):
        return None
    if silent_t38(cause, medium) and not any(_medium_failed(attempt) for attempt in attempts):
        return FAILOVER_S  # the next call uses audio
    if cause.retry is Retry.OTHER_LINE:
        failed = len(lines_failed(attempts)) + 1
        if failed < candidates:
            return FAILOVER_S
        if own is not None:
            return _entry(own, len(attempts))
        rounds = sum(1 for attempt in attempts if _is(attempt, Retry.OTHER_LINE)) // max(candidates, 1)
        return _entry(settings.other_line, rounds)
    # Calls that failed at the line do not use up the waits of the destination.
    real = [attempt for attempt in attempts if not _is(attempt, Retry.OTHER_LINE)]
    if cause is INTERRUPTED:
        return AFTER_RESTART_S
    if own is not None:
        return _entry(own, len(attempts))
    table = _timetable(cause, settings)
    used = sum(1 for attempt in real if attempt.cause and _timetable(attempt.cause, settings) is table)
    return _entry(table, used)


def _entry(table: Sequence[float], used: int) -> float | None:
    return table[used] if used < len(table) else None


def most_tries(job: Job, settings: SendingSettings) -> int:
    """Most calls for ``job``: its option, else one more than its own waits, else the setting."""
    own = job.options.retry_waits
    return job.options.max_tries or (settings.max_tries if own is None else len(own) + 1)


def _timetable(cause: Cause, settings: SendingSettings) -> tuple[float, ...]:
    if cause is BUSY:
        return settings.busy
    if cause in (NO_ANSWER, NO_FAX_ANSWERED):
        return settings.no_answer
    if cause.retry is Retry.LATER:
        return settings.later
    return settings.step_down  # the call failed after the connection


def _medium_failed(attempt: Attempt) -> bool:
    return attempt.cause is not None and silent_t38(attempt.cause, attempt.facts.get("medium", ""))


def _is(attempt: Attempt, retry: Retry) -> bool:
    return attempt.cause is not None and attempt.cause.retry is retry


def _share(job_id: int, tries: int) -> float:
    """A pseudo-random number from 0 to 1, the same for the same job and try."""
    return zlib.crc32(f"{job_id}/{tries}".encode()) / 0xFFFFFFFF


# -- numbers -------------------------------------------------------------------------------------


def quarantine(
    known: Destination | None, cause: Cause, settings: SendingSettings, now: float, medium: str = ""
) -> tuple[int, float | None]:
    """After a call: failed calls in succession to its number, and the Unix time until which it is not called.

    Only causes in ``DEAD`` count.  Causes of our side or of the trunk change nothing.
    """
    before = known.failures if known is not None else 0
    until = known.quarantined_until if known is not None else None
    if silent_t38(cause, medium):
        return before, until
    if cause.code not in DEAD:
        alive = cause.side in (Side.NONE, Side.THEIRS) or cause.retry in (Retry.STEP_DOWN, Retry.ASK)
        return (0, None) if alive and cause.side is not Side.OURS else (before, until)
    failures = before + 1
    if settings.quarantine_after and failures >= settings.quarantine_after:
        return failures, now + settings.quarantine_days * DAY_S
    return failures, until


def is_quarantined(known: Destination | None, now: float) -> bool:
    """Whether the number is not to be called at Unix time ``now``."""
    return known is not None and known.quarantined_until is not None and known.quarantined_until > now


class Spending(Enum):
    """Whether the quotas of its owner or key allow a fax."""

    GO = "go"
    WAIT = "wait"  # running calls may use up the rest: wait for their end
    TOMORROW = "tomorrow"
    NEVER = "never"  # not this month, or more than the quota of a day


@dataclass(frozen=True, slots=True)
class Allowance:
    """A quota of pages or seconds and its use; ``limit`` 0 means unlimited."""

    limit: float
    used: float
    under_way: float  # running calls have used or may use this
    needed: float
    daily: bool


def spending(allowances: Sequence[Allowance]) -> Spending:
    """The strictest answer of all allowances."""
    found = Spending.GO
    for each in allowances:
        if not each.limit:
            continue
        if each.needed > each.limit or (not each.daily and each.used + each.needed > each.limit):
            return Spending.NEVER
        if each.used + each.needed > each.limit:
            found = Spending.TOMORROW
        elif each.used + each.under_way + each.needed > each.limit and found is Spending.GO:
            found = Spending.WAIT
    return found


def daily_limit(reach: Reach, settings: NumberSettings, *, box: Usage, owner: Usage, abroad: Usage) -> bool:
    """Whether today's calls are used up for a job of this reach; each ``Usage`` is that of today."""
    if not reach.outside:
        return False
    limits = [(settings.daily_calls, box.calls), (settings.daily_calls_each, owner.calls)]
    if reach is Reach.ABROAD:
        limits.append((settings.daily_abroad, abroad.calls))
    return any(limit and used >= limit for limit, used in limits)
