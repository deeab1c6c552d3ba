"""Transitions of a job from one state to another.

Each checks the table of transitions, sets the bound of the new state and records its event.
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
