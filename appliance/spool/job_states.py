"""Transitions of a job from one state to another.

Each checks the table of transitions, sets the bound of the new state and records its event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appliance.causes import Cause
from appliance.spool import stats
from appliance.spool.errors import IllegalTransitionError
from appliance.spool.model import DAY_S, Job, JobState
from appliance.spool.transaction import Tx

# The permitted transitions.  Any other raises IllegalTransitionError and changes nothing.  An ended job does
# not change: a resend is a new job that names the old one; the one exception is UNKNOWN, which the owner or
# the owner's rule may send again or settle.
TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    JobState.HELD: frozenset({JobState.PREPARING, JobState.WAITING, JobState.CANCELLED}),
    JobState.PREPARING: frozenset(
        {JobState.WAITING, JobState.HELD, JobState.NEEDS_NUMBER, JobState.FAILED, JobState.CANCELLED}
    ),
    JobState.NEEDS_NUMBER: frozenset({JobState.PREPARING, JobState.CANCELLED}),
    JobState.WAITING: frozenset({JobState.SENDING, JobState.HELD, JobState.FAILED, JobState.CANCELLED}),
    JobState.SENDING: frozenset(
        {JobState.WAITING, JobState.DELIVERED, JobState.FAILED, JobState.CANCELLED, JobState.UNKNOWN}
    ),
    JobState.DELIVERED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
    JobState.UNKNOWN: frozenset({JobState.WAITING, JobState.DELIVERED, JobState.FAILED}),
}

# The bound of each state, seconds: no job stays longer (see ``bounds``, which acts).
HELD_LIMIT_S = 30 * DAY_S  # an unreleased draft is cancelled after a month
NEEDS_NUMBER_LIMIT_S = 30 * DAY_S  # a document that nobody gives a number is cancelled after a month
PREPARING_LIMIT_S = 3_600.0  # at least, else the job's lifetime; one rendering has a limit of its own
SENDING_LIMIT_S = 2 * 3_600.0  # longer than any reasonable call
RECEIVING_LIMIT_S = 4 * 3_600.0  # of a received fax for which no end of the call was recorded


def _check(job: Job, state: JobState) -> None:
    if state not in TRANSITIONS[job.state]:
        raise IllegalTransitionError(f"fax {job.id} is {job.state.value}: it cannot become {state.value}")


def move(
    tx: Tx,
    job: Job,
    state: JobState,
    now: float,
    *,
    deadline: float,
    next_try_at: float | None = None,
    **facts: Any,
) -> None:
    """Moves the job to ``state``, until ``deadline`` at most; ``facts`` go into the event.

    Raises IllegalTransitionError.
    """
    _check(job, state)
    tx.db.execute(
        "UPDATE job SET state = ?, deadline = ?, next_try_at = COALESCE(?, next_try_at) WHERE id = ?",
        (state.value, deadline, next_try_at, job.id),
    )
    if next_try_at is not None:
        facts["next_try_at"] = next_try_at
    tx.emit(now, f"job.{state.value}", job.id, job.owner, **facts)


def end(tx: Tx, job: Job, state: JobState, cause: Cause, now: float) -> None:
    """Ends the job in ``state``.  Raises IllegalTransitionError."""
    _check(job, state)
    tx.db.execute(
        "UPDATE job SET state = ?, deadline = NULL, ended_at = ?, cause = ? WHERE id = ?",
        (state.value, now, cause.code, job.id),
    )
    stats.add(tx, stats.FAXES_ENDED, job.line, cause.code)
    tx.emit(now, f"job.{state.value}", job.id, job.owner, cause=cause.code)


def preparing_until(now: float, expires_at: float) -> float:
    """The bound of PREPARING, Unix time: a long queue of documents must not end a job early."""
    return max(now + PREPARING_LIMIT_S, expires_at)
