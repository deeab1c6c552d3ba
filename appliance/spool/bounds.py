"""Bounds on the time in a state; calls that a crash interrupted; changes of the clock."""

from __future__ import annotations

import sqlite3

from appliance.causes import CANCELLED, DELIVERED
from appliance.records import from_rows
from appliance.spool import attempts, decisions, job_states, jobs
from appliance.spool.attempts import Outcome
from appliance.spool.causes import CLOCK_DOUBTED, EXPIRED, INTERRUPTED, UNKNOWN_DELIVERY
from appliance.spool.model import Attempt, Job, JobState
from appliance.spool.options import UnknownRule
from appliance.spool.transaction import Tx


def overdue(db: sqlite3.Connection, now: float, limit: int = 200) -> list[Job]:
    """Jobs that are past the bound of their state."""
    rows = db.execute(f"{jobs.JOB} WHERE job.deadline <= ? ORDER BY job.deadline LIMIT ?", (now, limit))
    return from_rows(Job, rows)


def end_overdue(tx: Tx, job_id: int, now: float) -> Job:
    """Ends a job past its bound: a draft is cancelled, others have expired.

    A SENDING one has failed as interrupted, or is UNKNOWN when its last page was sent: ``dispatch`` ordered
    the end of its call long before.
    """
    job = jobs.get(tx.db, job_id)
    if job.deadline > now:
        return job
    if job.state in (JobState.HELD, JobState.NEEDS_NUMBER):
        job_states.end(tx, job, JobState.CANCELLED, EXPIRED, now)
    elif job.state is JobState.SENDING:
        for attempt in jobs.attempts(tx.db, job_id):
            if attempt.ended_at is None:
                _interrupt(tx, attempt, UnknownRule.ASK, now, again=False)
    else:
        job_states.end(tx, job, JobState.FAILED, EXPIRED, now)
    return jobs.get(tx.db, job_id)


def recover(tx: Tx, rule: UnknownRule, now: float) -> list[Job]:
    """Ends every attempt that a crash or power cut left running, at start; returns their jobs."""
    return [_interrupt(tx, attempt, rule, now, again=True) for attempt in jobs.unfinished(tx.db)]


def _interrupt(tx: Tx, attempt: Attempt, rule: UnknownRule, now: float, *, again: bool) -> Job:
    """Ends an attempt whose call is gone, by what was recorded of it."""
    job = jobs.get(tx.db, attempt.job_id)
    complete = job.pages is not None and attempt.first_page + attempt.pages_confirmed >= job.pages
    if complete and job.pages:
        return attempts.end(tx, attempt.id, Outcome(DELIVERED, JobState.DELIVERED), now)
    if attempt.last_page_at is not None:
        rule = job.options.unknown_rule or rule
        job = attempts.end(tx, attempt.id, Outcome(UNKNOWN_DELIVERY, JobState.UNKNOWN), now)
        if rule is UnknownRule.ASK or job.state is not JobState.UNKNOWN:
            return job
        return decisions.settle_unknown(tx, job.id, rule, now)
    if job.cancel_requested:
        return attempts.end(tx, attempt.id, Outcome(CANCELLED, JobState.CANCELLED), now)
    if again and now < job.expires_at:
        return attempts.end(tx, attempt.id, Outcome(INTERRUPTED, JobState.WAITING, next_try_at=now), now)
    return attempts.end(tx, attempt.id, Outcome(INTERRUPTED, JobState.FAILED), now)


def clock_set(
    tx: Tx,
    before: float,
    by: float,
    fresh: tuple[float, float] | None = None,
    *,
    doubted: bool = False,
) -> int:
    """Adapts the jobs after the clock, at ``before``, was set forward by ``by`` seconds (negative: back).

    Jobs that wait or run keep their remaining time.  A future time that a person gave for a first try is
    kept, unless the clock is ``doubted``: then the remaining wait is kept, until ``clock_believed``.
    ``fresh``: jobs submitted between these two times already follow the new clock where that was set back.
    Returns the number of changed jobs.
    """
    since, until = fresh or (before, before)
    moment = {"before": before, "by": by, "since": since, "until": until, "doubted": CLOCK_DOUBTED.code}
    old = "deadline IS NOT NULL AND NOT (:by < 0 AND created_at BETWEEN :since AND :until)"
    named = (
        "tries = 0 AND (scheduled_at > :before OR cause = :doubted)"
        " AND created_at NOT BETWEEN :since AND :until"
    )
    doing = [f"UPDATE job SET deadline = deadline + :by WHERE {old} AND state <> 'waiting'"]
    if by > 0 and doubted:
        doing.append(
            "UPDATE job SET next_try_at = next_try_at + :by, expires_at = expires_at + :by,"
            " deadline = CASE state WHEN 'waiting' THEN deadline + :by ELSE deadline END,"
            " cause = CASE state WHEN 'waiting' THEN :doubted ELSE cause END"
            f" WHERE {old} AND {named} AND state IN ('preparing', 'waiting')"
        )
    elif by > 0:
        # A job that was never tried and whose time the jump skipped gets its lifetime from now.
        doing.append(
            "UPDATE job SET expires_at = MAX(expires_at, :before + :by + lifetime_s),"
            " deadline = CASE state WHEN 'waiting' THEN MAX(expires_at, :before + :by + lifetime_s)"
            f" ELSE deadline END WHERE {old} AND {named} AND scheduled_at <= :before + :by"
        )
    else:
        back = "MAX(scheduled_at - next_try_at, :by)"
        doing.append(
            f"UPDATE job SET next_try_at = next_try_at + {back}, expires_at = expires_at + {back},"
            f" deadline = deadline + {back} WHERE state = 'waiting' AND cause = :doubted"
        )
    doing.append(
        "UPDATE job SET next_try_at = next_try_at + :by, scheduled_at = scheduled_at + :by,"
        " expires_at = expires_at + :by,"
        " deadline = CASE state WHEN 'waiting' THEN deadline + :by ELSE deadline END"
        f" WHERE {old} AND (tries > 0 OR (scheduled_at <= :before AND cause <> :doubted))"
    )
    return sum(tx.db.execute(change, moment).rowcount for change in doing)


def clock_believed(tx: Tx, now: float) -> int:
    """Once the clock is accepted, makes jobs that waited for it due at their sender's time, with a new
    lifetime.

    Returns the number of changed jobs.
    """
    moment = {"now": now, "doubted": CLOCK_DOUBTED.code}
    expires = "MAX(expires_at - (next_try_at - scheduled_at), :now + lifetime_s)"
    count = tx.db.execute(
        f"UPDATE job SET next_try_at = scheduled_at, expires_at = {expires}, deadline = {expires}, cause = ''"
        " WHERE state = 'waiting' AND cause = :doubted",
        moment,
    ).rowcount
    count += tx.db.execute(
        f"UPDATE job SET next_try_at = scheduled_at, expires_at = {expires}"
        " WHERE state = 'preparing' AND next_try_at > scheduled_at",
        moment,
    ).rowcount
    if count:
        tx.emit(now, "job.woken", None, "", jobs=count)
    return count
