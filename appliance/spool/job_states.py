"""The steps of a job from one state to another, for the operations that take them.

Each checks the transition table, sets the bound of the new state and records its event.
"""

from __future__ import annotations

from typing import Any

from appliance.causes import Cause
from appliance.spool import stats
from appliance.spool.errors import IllegalTransitionError
from appliance.spool.model import PREPARING_LIMIT_S, TRANSITIONS, Job, JobState
from appliance.spool.transaction import Tx


def _check(job: Job, state: JobState) -> None:
    if state not in TRANSITIONS[job.state]:
        raise IllegalTransitionError(f"job {job.id} is {job.state.value}: it cannot become {state.value}")


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
    """The job goes on in ``state``, no longer than until ``deadline``; ``facts`` stand in the event.

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
    """The job has ended in ``state``.  Raises IllegalTransitionError."""
    _check(job, state)
    tx.db.execute(
        "UPDATE job SET state = ?, deadline = NULL, ended_at = ?, cause = ? WHERE id = ?",
        (state.value, now, cause.code, job.id),
    )
    stats.add(tx, stats.FAXES_ENDED, job.line, cause.code)
    tx.emit(now, f"job.{state.value}", job.id, job.owner, cause=cause.code)


def preparing_until(now: float, expires_at: float) -> float:
    """The bound of PREPARING: a long queue of documents is no reason to give one up early."""
    return max(now + PREPARING_LIMIT_S, expires_at)
