"""Decisions about a job between its calls, by its owner, a rule or the dispatcher."""

from __future__ import annotations

from appliance.causes import CANCELLED, DELIVERED, Cause
from appliance.spool import job_states, jobs
from appliance.spool.errors import IllegalTransitionError
from appliance.spool.model import Job, JobState
from appliance.spool.options import UnknownRule
from appliance.spool.transaction import Tx


def cancel(tx: Tx, job_id: int, now: float, cause: Cause = CANCELLED) -> Job:
    """Cancels a job; if a call is running, requests the end of that.

    Raises IllegalTransitionError for a job that has ended.
    """
    job = jobs.get(tx.db, job_id)
    if job.state is JobState.SENDING:
        if not job.cancel_requested:
            tx.db.execute("UPDATE job SET cancel_requested = 1 WHERE id = ?", (job_id,))
            tx.emit(now, "job.cancelling", job_id, job.owner)
    else:
        job_states.end(tx, job, JobState.CANCELLED, cause, now)
    return jobs.get(tx.db, job_id)


def reschedule(tx: Tx, job_id: int, at: float, now: float) -> Job:
    """Sets when a job is tried next (``now`` for "retry now"); its lifetime is shifted, too.

    A HELD one needs ``release`` instead.
    """
    job = jobs.get(tx.db, job_id)
    if job.state not in (JobState.WAITING, JobState.PREPARING):
        raise IllegalTransitionError(f"fax {job_id} is {job.state.value}: it cannot be rescheduled")
    at = max(at, now)
    expires = max(job.expires_at, at + (job.expires_at - job.scheduled_at if job.tries == 0 else 0.0))
    deadline = expires if job.state is JobState.WAITING else job.deadline
    scheduled = at if job.tries == 0 else job.scheduled_at
    tx.db.execute(
        "UPDATE job SET next_try_at = ?, scheduled_at = ?, expires_at = ?, deadline = ? WHERE id = ?",
        (at, scheduled, expires, deadline, job_id),
    )
    tx.emit(now, "job.rescheduled", job_id, job.owner, next_try_at=at)
    return jobs.get(tx.db, job_id)


def postpone(tx: Tx, job_id: int, at: float, now: float, cause: Cause | None = None) -> None:
    """Delays a WAITING job until ``at``; does nothing for a job in another state."""
    tx.db.execute(
        "UPDATE job SET next_try_at = ?, cause = COALESCE(?, cause) WHERE id = ? AND state = 'waiting'",
        (max(at, now), cause.code if cause else None, job_id),
    )


def wake(tx: Tx, cause: Cause, now: float) -> int:
    """Makes jobs due that wait for the end of ``cause``; returns their number.

    A future time that their sender gave is kept.
    """
    count = tx.db.execute(
        "UPDATE job SET next_try_at = MAX(?, scheduled_at)"
        " WHERE state = 'waiting' AND cause = ? AND next_try_at > MAX(?, scheduled_at)",
        (now, cause.code, now),
    ).rowcount
    if count:
        tx.emit(now, "job.woken", None, "", jobs=count)
    return count


def fail(tx: Tx, job_id: int, cause: Cause, now: float) -> Job:
    """Ends a job that is not in a call as failed."""
    job_states.end(tx, jobs.get(tx.db, job_id), JobState.FAILED, cause, now)
    return jobs.get(tx.db, job_id)


def settle_unknown(tx: Tx, job_id: int, rule: UnknownRule, now: float) -> Job:
    """Applies a person's or the owner's rule to an UNKNOWN job."""
    job = jobs.get(tx.db, job_id)
    if job.state is not JobState.UNKNOWN:
        raise IllegalTransitionError(f"fax {job_id} is {job.state.value}, not unknown")
    if rule is UnknownRule.RESEND:
        tx.db.execute(
            "UPDATE job SET ended_at = NULL, expires_at = MAX(expires_at, ? + lifetime_s) WHERE id = ?",
            (now, job_id),
        )
        job = jobs.get(tx.db, job_id)
        job_states.move(tx, job, JobState.WAITING, now, deadline=job.expires_at, next_try_at=now)
    elif rule is UnknownRule.ASSUME_DELIVERED:
        job_states.end(tx, job, JobState.DELIVERED, DELIVERED, now)
    return jobs.get(tx.db, job_id)
