"""Attempts: the calls of a job, from just before one is placed to its result.

``appliance.dispatch`` decides when to try again and over which line; this module stores the decisions.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance.causes import Cause
from appliance.spool import job_states, jobs, ledger, stats
from appliance.spool.errors import IllegalTransitionError
from appliance.spool.job_states import SENDING_LIMIT_S
from appliance.spool.model import Attempt, Job, JobState, Reach
from appliance.spool.transaction import Tx


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended, and the next state of its job (the dispatcher's decision).

    ``state``: DELIVERED, FAILED, CANCELLED, UNKNOWN, or WAITING with ``next_try_at``.
    """

    cause: Cause
    state: JobState
    next_try_at: float = 0.0
    pages_confirmed: int = 0  # in this call
    seconds: float = 0.0
    remote_id: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def begin(
    tx: Tx, job_id: int, now: float, *, line: str, line_kind: str, first_page: int, trace_path: str = ""
) -> Attempt:
    """Records that a call for a WAITING job is about to be placed.

    Raises IllegalTransitionError when it is no longer WAITING (it was cancelled, say).
    """
    job = jobs.get(tx.db, job_id)
    number = job.tries + 1
    job_states.move(tx, job, JobState.SENDING, now, deadline=now + SENDING_LIMIT_S, line=line, attempt=number)
    tx.db.execute("UPDATE job SET tries = ?, line = ? WHERE id = ?", (number, line, job_id))
    cursor = tx.db.execute(
        "INSERT INTO attempt (job_id, number, line, line_kind, started_at, first_page, trace_path)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (job_id, number, line, line_kind, now, first_page, trace_path),
    )
    ledger.count_call(tx, ledger.scopes(job))
    return jobs.get_attempt(tx.db, int(cursor.lastrowid or 0))


def set_reach(tx: Tx, job_id: int, reach: Reach) -> Job:
    """Changes as what the job's calls count, because the line that will carry it is in another country."""
    tx.db.execute("UPDATE job SET reach = ? WHERE id = ?", (reach.value, job_id))
    return jobs.get(tx.db, job_id)


def last_page_out(tx: Tx, attempt_id: int, now: float) -> None:
    """Records that from now on the far end may confirm the last page.

    That page is sent only after this is on disk: if the box dies later, the job is UNKNOWN; if it died
    before, the page was not confirmed.  Raises IllegalTransitionError for an attempt that has ended, or
    whose job has left SENDING; then another call may carry the job.
    """
    given = tx.db.execute(
        "UPDATE attempt SET last_page_at = ? WHERE id = ? AND ended_at IS NULL AND EXISTS"
        " (SELECT 1 FROM job WHERE job.id = attempt.job_id AND job.state = 'sending')"
        " AND NOT EXISTS (SELECT 1 FROM attempt AS later"
        "  WHERE later.job_id = attempt.job_id AND later.id > attempt.id)",
        (now, attempt_id),
    ).rowcount
    if not given:
        raise IllegalTransitionError(f"attempt {attempt_id} has ended")


def last_page_kept(tx: Tx, attempt_id: int) -> None:
    """Records that the call has ended without the end of the last page: that page was not confirmed."""
    tx.db.execute("UPDATE attempt SET last_page_at = NULL WHERE id = ? AND ended_at IS NULL", (attempt_id,))


def confirm_pages(tx: Tx, attempt_id: int, pages: int, now: float) -> None:
    """Records that the far end has confirmed ``pages`` pages in this call."""
    attempt = jobs.get_attempt(tx.db, attempt_id)
    if attempt.ended_at is not None or pages <= attempt.pages_confirmed:
        return
    tx.db.execute("UPDATE attempt SET pages_confirmed = ? WHERE id = ?", (pages, attempt_id))
    tx.db.execute(
        "UPDATE job SET pages_confirmed = MAX(pages_confirmed, ?) WHERE id = ?",
        (attempt.first_page + pages, attempt.job_id),
    )
    job = jobs.get(tx.db, attempt.job_id)
    tx.emit(now, "job.page", job.id, job.owner, confirmed=attempt.first_page + pages, pages=job.pages)


def _under_way(db: sqlite3.Connection, attempt_id: int) -> tuple[Attempt, Job]:
    attempt = jobs.get_attempt(db, attempt_id)
    if attempt.ended_at is not None:
        raise IllegalTransitionError(f"attempt {attempt_id} has ended")
    return attempt, jobs.get(db, attempt.job_id)


def unplaced(tx: Tx, attempt_id: int, cause: Cause, now: float) -> Job:
    """Removes an attempt whose call was not placed; its job waits at its former place in the queue.

    ``cause``: what it waits for.  Raises IllegalTransitionError when the attempt has already ended.
    """
    attempt, job = _under_way(tx.db, attempt_id)
    tx.db.execute("DELETE FROM attempt WHERE id = ?", (attempt_id,))
    tx.db.execute("UPDATE job SET tries = ?, cause = ? WHERE id = ?", (job.tries - 1, cause.code, job.id))
    ledger.uncount_call(tx, ledger.scopes(job))
    stats.add(tx, stats.CALLS_ENDED, attempt.line, cause.code)
    job_states.move(tx, job, JobState.WAITING, now, deadline=job.expires_at, cause=cause.code)
    return jobs.get(tx.db, job.id)


def end(tx: Tx, attempt_id: int, outcome: Outcome, now: float) -> Job:
    """Records the end of the call and the next state of the job; a job that is not in this call stays as it
    is: earlier versions could begin a second one.

    Raises IllegalTransitionError when the attempt has already ended.
    """
    attempt, job = _under_way(tx.db, attempt_id)
    confirmed = max(attempt.pages_confirmed, outcome.pages_confirmed)
    tx.db.execute(
        "UPDATE attempt SET ended_at = ?, pages_confirmed = ?, cause = ?, seconds = ?, facts = ?"
        " WHERE id = ?",
        (now, confirmed, outcome.cause.code, outcome.seconds, json.dumps(outcome.facts), attempt_id),
    )
    ledger.count_pages(tx, ledger.scopes(job), pages=confirmed, seconds=outcome.seconds)
    stats.add(tx, stats.CALLS_ENDED, attempt.line, outcome.cause.code)
    stats.add(tx, stats.PAGES_SENT, attempt.line, outcome.cause.code, confirmed)
    if job.state is not JobState.SENDING or attempt.number != job.tries:
        return job
    tx.db.execute(
        "UPDATE job SET pages_confirmed = MAX(pages_confirmed, ?), remote_id = ?,"
        " seconds_on_line = seconds_on_line + ?, cause = ? WHERE id = ?",
        (
            attempt.first_page + confirmed if confirmed else 0,
            outcome.remote_id or job.remote_id,
            outcome.seconds,
            outcome.cause.code,
            job.id,
        ),
    )
    if outcome.state is JobState.WAITING:
        deadline = max(job.expires_at, outcome.next_try_at)
        job_states.move(
            tx,
            job,
            JobState.WAITING,
            now,
            deadline=deadline,
            next_try_at=outcome.next_try_at,
            cause=outcome.cause.code,
            attempt=attempt.number,
        )
    else:
        job_states.end(tx, job, outcome.state, outcome.cause, now)
    return jobs.get(tx.db, job.id)
