"""Operations on jobs: accept, prepare, attempt, confirm, end, cancel, recover; get, list, due.

Each checks the transition table and records its event in the same transaction.  Those who decide
*what* should happen (when to try again, over which line) live in ``appliance.dispatch``; here it is
only made durable.
"""

from __future__ import annotations

import json
import sqlite3
import uuid as uuids
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from appliance.causes import (
    CANCELLED,
    DELIVERED,
    EXPIRED,
    INTERRUPTED,
    UNKNOWN_DELIVERY,
    Cause,
)
from appliance.records import facts_of, from_row, insert, to_row
from appliance.remarks import Remark
from appliance.remarks import to_json as remarks_json
from appliance.spool import documents, ledger, stats, words
from appliance.spool.model import (
    HELD_LIMIT_S,
    NEEDS_NUMBER_LIMIT_S,
    PREPARING_LIMIT_S,
    SENDING_LIMIT_S,
    TRANSITIONS,
    Attempt,
    Handed,
    IdempotencyError,
    IllegalTransitionError,
    Job,
    JobFilter,
    JobState,
    NewSubmission,
    NotFoundError,
    Priority,
    Reach,
    Recipient,
    SourceFile,
    Submission,
)
from appliance.spool.options import UnknownRule
from appliance.spool.store import Tx

# What a job has of its submission.
_SHARED = [fact.column for fact in facts_of(Handed) if "job" not in fact.declared.tables]
_JOB = (
    f"SELECT job.*, {', '.join(f'submission.{column}' for column in _SHARED)}"
    " FROM job JOIN submission ON submission.id = job.submission_id"
)
_FOUND = _JOB.replace("FROM job", "FROM fax_words CROSS JOIN job ON job.id = fax_words.rowid", 1)
_NOTED = _JOB.replace("FROM job", "FROM metadatum CROSS JOIN job ON job.id = metadatum.job_id", 1)
# Most rows a listing answers at once, whatever was asked for.
LIST_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a submission; ``repeated``: it was handed in before with the same key."""

    submission_id: int
    uuid: str
    job_ids: tuple[int, ...]
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended and what becomes of its job (the dispatcher's verdict).

    ``state``: DELIVERED, FAILED, CANCELLED, UNKNOWN, or WAITING with ``next_try_at``.
    """

    cause: Cause
    state: JobState
    next_try_at: float = 0.0
    pages_confirmed: int = 0  # in this call
    seconds: float = 0.0
    remote_id: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


# -- accepting -----------------------------------------------------------------------------------


def next_fax_id(tx: Tx, count: int = 1) -> int:
    """Draws ``count`` ids from the sequence of jobs and received faxes; returns the first."""
    row = tx.db.execute(
        "UPDATE sequence SET value = value + ? WHERE name = 'fax' RETURNING value", (count,)
    ).fetchone()
    return int(row[0]) - count + 1


def accept(tx: Tx, new: NewSubmission, now: float) -> Accepted:
    """Makes a submission and its jobs.

    Raises IdempotencyError when the idempotency key stands for another request, NotFoundError when
    the document does not exist, ValueError without recipients.
    """
    if not new.recipients:
        raise ValueError("a submission without recipients")
    if new.idempotency_key:
        earlier = tx.db.execute(
            "SELECT id, uuid, idempotency_digest FROM submission WHERE owner = ? AND idempotency_key = ?",
            (new.owner, new.idempotency_key),
        ).fetchone()
        if earlier is not None:
            if earlier["idempotency_digest"] != new.idempotency_digest:
                raise IdempotencyError("this idempotency key was used for a different request")
            return Accepted(earlier["id"], earlier["uuid"], _job_ids(tx.db, earlier["id"]), repeated=True)
    known = tx.db.execute(
        "SELECT 1 FROM document WHERE id = ? AND deleted_at IS NULL", (new.document_id,)
    ).fetchone()
    if known is None:
        raise NotFoundError(f"no document {new.document_id}")
    uuid = str(uuids.uuid4())
    submission_id = insert(
        tx.db,
        "submission",
        {
            "uuid": uuid,
            "created_at": now,
            "document_id": new.document_id,
            "idempotency_key": new.idempotency_key or None,
            "idempotency_digest": new.idempotency_digest,
            **to_row(new, "submission", Handed),
        },
    )
    first = next_fax_id(tx, len(new.recipients))
    scheduled = max(now, new.scheduled_at if new.scheduled_at is not None else now)
    state = JobState.HELD if new.held else JobState.PREPARING
    deadline = now + HELD_LIMIT_S if new.held else _preparing_until(now, scheduled + new.lifetime_s)
    for job_id, recipient in enumerate(new.recipients, first):
        insert(
            tx.db,
            "job",
            {
                "id": job_id,
                "uuid": str(uuids.uuid4()),
                "submission_id": submission_id,
                **_where_to(recipient),
                "state": state.value,
                "created_at": now,
                "scheduled_at": scheduled,
                "next_try_at": scheduled,
                "lifetime_s": new.lifetime_s,
                "expires_at": scheduled + new.lifetime_s,
                "deadline": deadline,
                "hold": new.hold,
                **to_row(new, "job", Handed),
            },
        )
        kind = "job.held" if new.held else "job.accepted"
        tx.emit(now, kind, job_id, new.owner, number=recipient.number, submission=submission_id)
    return Accepted(submission_id, uuid, tuple(range(first, first + len(new.recipients))))


def accept_with_files(
    tx: Tx, new: NewSubmission, files: Sequence[SourceFile], now: float
) -> tuple[Accepted, tuple[Job, ...]]:
    """``accept``, and in the same transaction the document that stored ``files`` make, if any.

    Returns the jobs, too, as they are before anything else becomes of them.
    """
    if files:
        document = documents.create(tx, new.owner, files, now, name=files[0].name)
        new = replace(new, document_id=document.id)
    accepted = accept(tx, new, now)
    if files and accepted.repeated:
        tx.db.execute("DELETE FROM document WHERE id = ?", (new.document_id,))
    return accepted, tuple(get(tx.db, job_id) for job_id in accepted.job_ids)


def release(tx: Tx, job_id: int, now: float, scheduled_at: float | None = None) -> Job:
    """Hands in a HELD job: it is prepared and sent; one that has its pages is sent as they are.

    One that is PREPARING, and would be HELD then, goes on instead.
    """
    job = get(tx.db, job_id)
    scheduled = max(now, scheduled_at if scheduled_at is not None else job.scheduled_at)
    lifetime = job.expires_at - job.scheduled_at
    if job.rendered_path:
        expires = scheduled + lifetime
        _move(tx, job, JobState.WAITING, now, deadline=expires, next_try_at=scheduled, pages=job.pages)
        tx.db.execute("UPDATE job SET cause = '' WHERE id = ?", (job_id,))
    elif not (job.state is JobState.PREPARING and job.hold):
        deadline = _preparing_until(now, scheduled + lifetime)
        _move(tx, job, JobState.PREPARING, now, deadline=deadline)
    tx.db.execute(
        "UPDATE job SET scheduled_at = ?, next_try_at = ?, expires_at = ?, hold = FALSE WHERE id = ?",
        (scheduled, scheduled, scheduled + lifetime, job_id),
    )
    return get(tx.db, job_id)


def rewrite_held(
    tx: Tx,
    job_id: int,
    recipient: Recipient,
    document_id: int,
    *,
    handed: Handed,
) -> Job:
    """Changes what a job sends and where to, while it is HELD without pages and alone in its submission.

    Its options and metadata become those of ``handed``.

    Raises IllegalTransitionError when it is not, NotFoundError for an unknown document.
    """
    job = get(tx.db, job_id)
    if job.state is not JobState.HELD or job.rendered_path or len(_job_ids(tx.db, job.submission_id)) != 1:
        raise IllegalTransitionError(f"job {job_id} is {job.state.value}")
    documents.get(tx.db, document_id)
    row = to_row(handed, "submission", Handed)
    tx.db.execute(
        "UPDATE submission SET document_id = ?, options = ?, metadata = ? WHERE id = ?",
        (document_id, row["options"], row["metadata"], job.submission_id),
    )
    # The words it is found by are made anew when its number changes, so it has none for a moment.
    tx.db.execute("UPDATE job SET number = '' WHERE id = ?", (job_id,))
    _update(tx, job_id, _where_to(recipient))
    return get(tx.db, job_id)


# -- preparing -----------------------------------------------------------------------------------


def prepared(
    tx: Tx,
    job_ids: Sequence[int],
    rendered_path: str,
    pages: int,
    now: float,
    *,
    remarks: Sequence[Remark] = (),
    hold: Cause | None = None,
) -> bool:
    """The fax pages of these jobs lie in ``rendered_path``: those still PREPARING may be sent.

    With ``hold`` they are HELD for that cause until ``release``, as are those whose sender wanted it.
    False when all have ended meanwhile: then the pages are nobody's.
    """
    waiting = _preparing(tx.db, job_ids)
    for job in waiting:
        expires = max(job.expires_at, now + 1.0)
        tx.db.execute(
            "UPDATE job SET rendered_path = ?, pages = ?, expires_at = ?, cause = ? WHERE id = ?",
            (rendered_path, pages, expires, hold.code if hold else "", job.id),
        )
        _set_remarks(tx, job.id, remarks)
        if not job.number:
            _move(tx, job, JobState.NEEDS_NUMBER, now, deadline=now + NEEDS_NUMBER_LIMIT_S, pages=pages)
        elif hold is None and not job.hold:
            _move(tx, job, JobState.WAITING, now, deadline=expires, next_try_at=job.scheduled_at, pages=pages)
        else:
            why: dict[str, Any] = {"cause": hold.code} if hold is not None else {}
            _move(tx, job, JobState.HELD, now, deadline=now + HELD_LIMIT_S, pages=pages, **why)
    return bool(waiting)


def _set_remarks(tx: Tx, job_id: int, remarks: Sequence[Remark]) -> None:
    tx.db.execute("UPDATE job SET remarks = ? WHERE id = ?", (json.dumps(remarks_json(remarks)), job_id))


def share_pages(tx: Tx, job_ids: Sequence[int], rendered_path: str, now: float) -> bool:
    """``prepared`` with the pages of an earlier job; False when they are gone."""
    row = tx.db.execute(
        "SELECT pages FROM job WHERE rendered_path = ? AND rendered_path <> '' LIMIT 1", (rendered_path,)
    ).fetchone()
    if row is None:
        return False
    prepared(tx, job_ids, rendered_path, row["pages"], now)
    return True


def unpreparable(
    tx: Tx, job_ids: Sequence[int], cause: Cause, now: float, remarks: Sequence[Remark] = ()
) -> None:
    """The document cannot be turned into fax pages, or must not be sent as they are: those still PREPARING
    have failed.
    """
    for job in _preparing(tx.db, job_ids):
        _set_remarks(tx, job.id, remarks)
        _end(tx, job, JobState.FAILED, cause, now)


def next_to_prepare(db: sqlite3.Connection, busy: Collection[int] = ()) -> list[Job]:
    """The oldest PREPARING job that is not ``busy``, with all that share its fax pages.

    Jobs of one submission have the same pages unless a cover page names each recipient.
    """
    rows = db.execute("SELECT id FROM job WHERE state = 'preparing' ORDER BY id")
    first = next((row["id"] for row in rows if row["id"] not in busy), None)
    if first is None:
        return []
    job = get(db, first)
    if job.options.cover is not None:
        return [job]
    rows = db.execute(f"{_JOB} WHERE job.submission_id = ? AND state = 'preparing'", (job.submission_id,))
    return [from_row(Job, row) for row in rows]


def _preparing(db: sqlite3.Connection, job_ids: Sequence[int]) -> list[Job]:
    jobs = [get(db, job_id) for job_id in job_ids]
    return [job for job in jobs if job.state is JobState.PREPARING]


# -- numbers that come later ---------------------------------------------------------------------


def give_numbers(
    tx: Tx, job_id: int, recipients: Sequence[Recipient], now: float, *, scheduled_at: float | None = None
) -> list[Job]:
    """Says where a document goes that came without a number: it is prepared anew, and sent.

    Its pages are made again, for they carry the time and, on a cover page, the recipient.  The first
    recipient becomes the job's own, each other gets a job beside it.  Raises IllegalTransitionError for a
    job that has a number, or whose cover page is just being made.
    """
    job = get(tx.db, job_id)
    early = job.state is JobState.PREPARING and job.options.cover is None
    if job.number or not (early or job.state is JobState.NEEDS_NUMBER):
        raise IllegalTransitionError(f"job {job_id} is {job.state.value}: it cannot be given a number")
    scheduled = max(now, scheduled_at if scheduled_at is not None else now)
    lifetime = job.expires_at - job.scheduled_at
    times = {
        "scheduled_at": scheduled,
        "next_try_at": scheduled,
        "expires_at": scheduled + lifetime,
        "deadline": _preparing_until(now, scheduled + lifetime),
    }
    _update(tx, job_id, {**_where_to(recipients[0]), **times})
    first = next_fax_id(tx, len(recipients) - 1)
    job_ids = [job_id, *range(first, first + len(recipients) - 1)]
    for other_id, recipient in zip(job_ids[1:], recipients[1:], strict=True):
        row = {
            "id": other_id,
            "uuid": str(uuids.uuid4()),
            "submission_id": job.submission_id,
            "state": JobState.PREPARING.value,
            "created_at": now,
            "lifetime_s": lifetime,
        }
        insert(tx.db, "job", {**row, **_where_to(recipient), **times, **to_row(job, "job", Handed)})
    if job.state is JobState.NEEDS_NUMBER:
        _move(tx, job, JobState.PREPARING, now, deadline=times["deadline"])
    for each, recipient in zip(job_ids, recipients, strict=True):
        tx.emit(now, "job.accepted", each, job.owner, number=recipient.number, submission=job.submission_id)
    return [get(tx.db, each) for each in job_ids]


def _where_to(recipient: Recipient) -> dict[str, str]:
    """The columns of a recipient."""
    return {
        "number": recipient.number,
        "given": recipient.given or recipient.number,
        "name": recipient.name,
        "company": recipient.company,
        "reach": recipient.reach.value,
    }


def _update(tx: Tx, job_id: int, columns: Mapping[str, Any]) -> None:
    setting = ", ".join(f"{column} = ?" for column in columns)
    tx.db.execute(f"UPDATE job SET {setting} WHERE id = ?", (*columns.values(), job_id))


# -- attempts ------------------------------------------------------------------------------------


def begin_attempt(
    tx: Tx, job_id: int, now: float, *, line: str, line_kind: str, first_page: int, trace_path: str = ""
) -> Attempt:
    """A call for a WAITING job is about to be placed.

    Raises IllegalTransitionError when it is no longer WAITING (its owner was quicker).
    """
    job = get(tx.db, job_id)
    number = job.tries + 1
    _move(tx, job, JobState.SENDING, now, deadline=now + SENDING_LIMIT_S, line=line, attempt=number)
    tx.db.execute("UPDATE job SET tries = ?, line = ? WHERE id = ?", (number, line, job_id))
    cursor = tx.db.execute(
        "INSERT INTO attempt (job_id, number, line, line_kind, started_at, first_page, trace_path)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (job_id, number, line, line_kind, now, first_page, trace_path),
    )
    ledger.count_call(tx, ledger.scopes(job), now)
    return get_attempt(tx.db, int(cursor.lastrowid or 0))


def set_reach(tx: Tx, job_id: int, reach: Reach) -> Job:
    """The line that is about to carry it is in another country than was thought: what its calls count as."""
    tx.db.execute("UPDATE job SET reach = ? WHERE id = ?", (reach.value, job_id))
    return get(tx.db, job_id)


def last_page_out(tx: Tx, attempt_id: int, now: float) -> None:
    """From here on the far end may confirm the last page.

    That page is sent only after this is on disk: if the box dies later, the job is UNKNOWN; if it died
    before, it surely was not confirmed.  A fence: raises IllegalTransitionError for an attempt that has
    ended, or whose job has gone on without it; then another call may carry the job.
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


def confirm_pages(tx: Tx, attempt_id: int, pages: int, now: float) -> None:
    """The far end has confirmed ``pages`` pages in this call."""
    attempt = get_attempt(tx.db, attempt_id)
    if attempt.ended_at is not None or pages <= attempt.pages_confirmed:
        return
    tx.db.execute("UPDATE attempt SET pages_confirmed = ? WHERE id = ?", (pages, attempt_id))
    tx.db.execute(
        "UPDATE job SET pages_confirmed = MAX(pages_confirmed, ?) WHERE id = ?",
        (attempt.first_page + pages, attempt.job_id),
    )
    job = get(tx.db, attempt.job_id)
    tx.emit(now, "job.page", job.id, job.owner, confirmed=attempt.first_page + pages, pages=job.pages)


def end_attempt(tx: Tx, attempt_id: int, outcome: Outcome, now: float) -> Job:
    """The call is over; the job goes where the verdict says.

    Raises IllegalTransitionError when the attempt has ended already.
    """
    attempt = get_attempt(tx.db, attempt_id)
    if attempt.ended_at is not None:
        raise IllegalTransitionError(f"attempt {attempt_id} has ended")
    job = get(tx.db, attempt.job_id)
    confirmed = max(attempt.pages_confirmed, outcome.pages_confirmed)
    tx.db.execute(
        "UPDATE attempt SET ended_at = ?, pages_confirmed = ?, cause = ?, seconds = ?, facts = ?"
        " WHERE id = ?",
        (now, confirmed, outcome.cause.code, outcome.seconds, json.dumps(outcome.facts), attempt_id),
    )
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
    ledger.count_pages(tx, ledger.scopes(job), now, pages=confirmed, seconds=outcome.seconds)
    stats.add(tx, stats.CALLS_ENDED, attempt.line, outcome.cause.code)
    stats.add(tx, stats.PAGES_SENT, attempt.line, outcome.cause.code, confirmed)
    if outcome.state is JobState.WAITING:
        deadline = max(job.expires_at, outcome.next_try_at)
        _move(
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
        _end(tx, job, outcome.state, outcome.cause, now)
    return get(tx.db, job.id)


# -- what owners do ------------------------------------------------------------------------------


def cancel(tx: Tx, job_id: int, now: float, cause: Cause = CANCELLED) -> Job:
    """Ends a job at its owner's word, or, when a call is running, asks for its end.

    A job that has ended raises IllegalTransitionError.
    """
    job = get(tx.db, job_id)
    if job.state is JobState.SENDING:
        if not job.cancel_requested:
            tx.db.execute("UPDATE job SET cancel_requested = 1 WHERE id = ?", (job_id,))
            tx.emit(now, "job.cancelling", job_id, job.owner)
    else:
        _end(tx, job, JobState.CANCELLED, cause, now)
    return get(tx.db, job_id)


def reschedule(tx: Tx, job_id: int, at: float, now: float) -> Job:
    """Sets when a job is tried next (``now`` for "retry now"); its lifetime moves along.

    A HELD one was not handed in: ``release`` does that.
    """
    job = get(tx.db, job_id)
    if job.state not in (JobState.WAITING, JobState.PREPARING):
        raise IllegalTransitionError(f"job {job_id} is {job.state.value}: it cannot be rescheduled")
    at = max(at, now)
    expires = max(job.expires_at, at + (job.expires_at - job.scheduled_at if job.tries == 0 else 0.0))
    deadline = expires if job.state is JobState.WAITING else job.deadline
    scheduled = at if job.tries == 0 else job.scheduled_at
    tx.db.execute(
        "UPDATE job SET next_try_at = ?, scheduled_at = ?, expires_at = ?, deadline = ? WHERE id = ?",
        (at, scheduled, expires, deadline, job_id),
    )
    tx.emit(now, "job.rescheduled", job_id, job.owner, next_try_at=at)
    return get(tx.db, job_id)


def settle_unknown(tx: Tx, job_id: int, rule: UnknownRule, now: float) -> Job:
    """Applies a person's or the owner's rule to an UNKNOWN job."""
    job = get(tx.db, job_id)
    if job.state is not JobState.UNKNOWN:
        raise IllegalTransitionError(f"job {job_id} is {job.state.value}, not unknown")
    if rule is UnknownRule.RESEND:
        tx.db.execute(
            "UPDATE job SET ended_at = NULL, expires_at = MAX(expires_at, ? + lifetime_s) WHERE id = ?",
            (now, job_id),
        )
        job = get(tx.db, job_id)
        _move(tx, job, JobState.WAITING, now, deadline=job.expires_at, next_try_at=now)
    elif rule is UnknownRule.ASSUME_DELIVERED:
        _end(tx, job, JobState.DELIVERED, DELIVERED, now)
    return get(tx.db, job_id)


def fail(tx: Tx, job_id: int, cause: Cause, now: float) -> Job:
    """Gives a job up that is not in a call."""
    _end(tx, get(tx.db, job_id), JobState.FAILED, cause, now)
    return get(tx.db, job_id)


def postpone(tx: Tx, job_id: int, at: float, now: float, cause: Cause | None = None) -> None:
    """No attempt of this WAITING job before ``at``; silently when it waits no more."""
    tx.db.execute(
        "UPDATE job SET next_try_at = ?, cause = COALESCE(?, cause) WHERE id = ? AND state = 'waiting'",
        (max(at, now), cause.code if cause else None, job_id),
    )


def wake(tx: Tx, cause: Cause, now: float) -> int:
    """What jobs with this cause waited for may be over: they are due; returns how many.

    A time to come that their sender named is kept.
    """
    count = tx.db.execute(
        "UPDATE job SET next_try_at = MAX(?, scheduled_at)"
        " WHERE state = 'waiting' AND cause = ? AND next_try_at > MAX(?, scheduled_at)",
        (now, cause.code, now),
    ).rowcount
    if count:
        tx.emit(now, "job.woken", None, "", jobs=count)
    return count


# -- bounds and recovery -------------------------------------------------------------------------


def overdue(db: sqlite3.Connection, now: float, limit: int = 200) -> list[Job]:
    """Jobs that are past the bound of their state."""
    rows = db.execute(f"{_JOB} WHERE job.deadline <= ? ORDER BY job.deadline LIMIT ?", (now, limit))
    return [from_row(Job, row) for row in rows]


def end_overdue(tx: Tx, job_id: int, now: float) -> Job:
    """Acts on a job past its bound: drafts are cancelled, others have expired.

    A SENDING one is given up as interrupted, or UNKNOWN when its last page was out: whoever carries
    its call has been told to end it long before (``dispatch``).
    """
    job = get(tx.db, job_id)
    if job.deadline > now:
        return job
    if job.state in (JobState.HELD, JobState.NEEDS_NUMBER):
        _end(tx, job, JobState.CANCELLED, EXPIRED, now)
    elif job.state is JobState.SENDING:
        for attempt in attempts(tx.db, job_id):
            if attempt.ended_at is None:
                _interrupt(tx, attempt, UnknownRule.ASK, now, again=False)
    else:
        _end(tx, job, JobState.FAILED, EXPIRED, now)
    return get(tx.db, job_id)


def clock_set(tx: Tx, before: float, by: float, fresh: tuple[float, float] | None = None) -> int:
    """The clock, which stood at ``before``, was set ``by`` seconds on (negative: back).

    Whatever waits, or is under way, has as long left as it had; a time that a person named for a first try
    stays what it is.  ``fresh``: what was handed in between these two moments goes by the new clock already
    where that was set back.  Returns how many jobs that concerned.
    """
    since, until = fresh or (before, before)
    moment = {"before": before, "by": by, "since": since, "until": until}
    old = "deadline IS NOT NULL AND NOT (:by < 0 AND created_at BETWEEN :since AND :until)"
    count = tx.db.execute(
        f"UPDATE job SET deadline = deadline + :by WHERE {old} AND state <> 'waiting'", moment
    ).rowcount
    count += tx.db.execute(
        "UPDATE job SET next_try_at = next_try_at + :by, scheduled_at = scheduled_at + :by,"
        " expires_at = expires_at + :by,"
        " deadline = CASE state WHEN 'waiting' THEN deadline + :by ELSE deadline END"
        f" WHERE {old} AND (tries > 0 OR scheduled_at <= :before)",
        moment,
    ).rowcount
    return count


def unfinished(db: sqlite3.Connection) -> list[Attempt]:
    """Attempts that have not ended: calls that are up, or that a crash cut off."""
    rows = db.execute("SELECT * FROM attempt WHERE ended_at IS NULL ORDER BY id").fetchall()
    return [from_row(Attempt, row) for row in rows]


def recover(tx: Tx, rule: UnknownRule, now: float) -> list[Job]:
    """At start: settles every attempt that a crash or power cut left running; returns their jobs."""
    return [_interrupt(tx, attempt, rule, now, again=True) for attempt in unfinished(tx.db)]


def _interrupt(tx: Tx, attempt: Attempt, rule: UnknownRule, now: float, *, again: bool) -> Job:
    """Ends an attempt that nobody carries any more, by what is known of it."""
    job = get(tx.db, attempt.job_id)
    complete = job.pages is not None and attempt.first_page + attempt.pages_confirmed >= job.pages
    if complete and job.pages:
        return end_attempt(tx, attempt.id, Outcome(DELIVERED, JobState.DELIVERED), now)
    if attempt.last_page_at is not None:
        rule = job.options.unknown_rule or rule
        job = end_attempt(tx, attempt.id, Outcome(UNKNOWN_DELIVERY, JobState.UNKNOWN), now)
        return job if rule is UnknownRule.ASK else settle_unknown(tx, job.id, rule, now)
    if job.cancel_requested:
        return end_attempt(tx, attempt.id, Outcome(CANCELLED, JobState.CANCELLED), now)
    if again and now < job.expires_at:
        return end_attempt(tx, attempt.id, Outcome(INTERRUPTED, JobState.WAITING, next_try_at=now), now)
    return end_attempt(tx, attempt.id, Outcome(INTERRUPTED, JobState.FAILED), now)


# -- reading -------------------------------------------------------------------------------------


def get(db: sqlite3.Connection, job_id: int) -> Job:
    """Raises NotFoundError."""
    row = db.execute(f"{_JOB} WHERE job.id = ?", (job_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"no job {job_id}")
    return from_row(Job, row)


def get_by_uuid(db: sqlite3.Connection, uuid: str) -> Job:
    """Raises NotFoundError."""
    row = db.execute(f"{_JOB} WHERE job.uuid = ?", (uuid,)).fetchone()
    if row is None:
        raise NotFoundError(f"no job {uuid}")
    return from_row(Job, row)


def get_submission(db: sqlite3.Connection, submission_id: int) -> Submission:
    """Raises NotFoundError."""
    row = db.execute("SELECT * FROM submission WHERE id = ?", (submission_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"no submission {submission_id}")
    return Submission(row["id"], row["uuid"], row["owner"], row["document_id"], _job_ids(db, submission_id))


def attempts(db: sqlite3.Connection, job_id: int) -> list[Attempt]:
    """All attempts of a job, first to last."""
    rows = db.execute("SELECT * FROM attempt WHERE job_id = ? ORDER BY number", (job_id,))
    return [from_row(Attempt, row) for row in rows]


def with_attempts(db: sqlite3.Connection, job_id: int) -> tuple[Job, list[Attempt]]:
    """A job and its attempts, as they are at one moment.  Raises NotFoundError."""
    return get(db, job_id), attempts(db, job_id)


def get_attempt(db: sqlite3.Connection, attempt_id: int) -> Attempt:
    """Raises NotFoundError."""
    row = db.execute("SELECT * FROM attempt WHERE id = ?", (attempt_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"no attempt {attempt_id}")
    return from_row(Attempt, row)


def search(db: sqlite3.Connection, wanted: JobFilter) -> list[Job]:
    """The jobs that match, newest first."""
    terms: list[str] = []
    values: list[Any] = []

    def want(term: str, *given: Any) -> None:
        terms.append(term)
        values.extend(given)

    if wanted.owner:
        want("job.owner = ?", wanted.owner)
    for column, value in (("number", wanted.number), ("tag", wanted.tag), ("origin", wanted.origin)):
        if value:
            want(f"job.{column} = ?", value)
    if wanted.without_number:
        want("job.number = '' AND job.ended_at IS NULL")
    if wanted.submission_id is not None:
        want("job.submission_id = ?", wanted.submission_id)
    # The plus: the ids lead, which are in the order of the answer.
    if wanted.since is not None:
        want(f"+job.created_at >= ? AND {words.ids_since('job', 'created_at')}", wanted.since, wanted.since)
    if wanted.until is not None:
        want(f"+job.created_at < ? AND {words.ids_until('job', 'created_at')}", wanted.until, wanted.until)
    if wanted.before_id is not None:
        want("job.id < ?", wanted.before_id)
    found, order = _JOB, "job.id"
    for name, value in wanted.metadata:
        want(
            "EXISTS (SELECT 1 FROM metadatum AS m WHERE m.name = ? AND m.value = ? AND m.job_id = job.id)",
            name,
            value,
        )
    if query := words.match(wanted.text):
        # The words' table leads, newest first, and stops at the limit however many faxes have the words.
        found, order = _FOUND, "fax_words.rowid"
        want("fax_words MATCH ?", query)
        if wanted.before_id is not None:
            want("fax_words.rowid < ?", wanted.before_id)
    elif pattern := words.short(wanted.text):
        # No index has it; the texts alone are gone through, newest first, and not all of them.
        found, order = _FOUND, "fax_words.rowid"
        want("fax_words.words LIKE ?", pattern)
        want(*words.within_reach(wanted.before_id))
        if wanted.before_id is not None:
            want("fax_words.rowid < ?", wanted.before_id)
    elif wanted.metadata:
        # Newest first, by the first of the values.
        found, order = _NOTED, "metadatum.job_id"
        want("metadatum.name = ? AND metadatum.value = ?", *wanted.metadata[0])
        if wanted.before_id is not None:
            want("metadatum.job_id < ?", wanted.before_id)
    limit = max(0, min(wanted.limit, LIST_LIMIT))
    states = [state.value for state in wanted.states]
    few = wanted.number or wanted.tag or wanted.origin or wanted.submission_id is not None
    if states and (found != _JOB or few):
        # The others find few: the index of states would be the wrong one to begin with, hence the plus.
        want(f"+job.state IN ({', '.join('?' * len(states))})", *states)
    elif states:
        # The newest of each state, and of these the newest: one query for all would sort every fax there is.
        each = " AND ".join(["job.state = ?", *terms])
        newest = f"SELECT id FROM (SELECT job.id FROM job WHERE {each} ORDER BY job.id DESC LIMIT ?)"
        terms = [f"job.id IN ({' UNION ALL '.join([newest] * len(states))})"]
        values = [value for state in states for value in (state, *values, limit)]
    where = f" WHERE {' AND '.join(terms)}" if terms else ""
    rows = db.execute(f"{found}{where} ORDER BY {order} DESC LIMIT ?", (*values, limit))
    return [from_row(Job, row) for row in rows]


# The two queues of WAITING jobs, by whether they are for the practice line.  The index is named, for the
# planner has no statistics and would take another.
_QUEUES = {
    False: "INDEXED BY job_due WHERE state = 'waiting' AND reach <> 'practice'",
    True: "INDEXED BY job_due_practice WHERE state = 'waiting' AND reach = 'practice'",
}


def due(
    db: sqlite3.Connection,
    now: float,
    limit: int,
    busy_numbers: Collection[str] = (),
    *,
    practice: bool = False,
) -> list[Job]:
    """WAITING jobs whose time has come, by priority, then time; one for each number at most.

    ``busy_numbers`` are left out: their destination is in a call with us.  ``practice``: those for the
    practice line (which may take several calls for one number), otherwise all others.
    """
    found: list[Job] = []
    seen = set(busy_numbers)
    for priority in Priority:
        rows = db.execute(
            f"SELECT id, number FROM job {_QUEUES[practice]} AND priority = ? AND next_try_at <= ?"
            " ORDER BY next_try_at, id",
            (priority.value, now),
        )
        for row in rows:
            if not practice and row["number"] in seen:
                continue
            seen.add(row["number"])
            found.append(get(db, row["id"]))
            if len(found) >= limit:
                return found
    return found


def pages_in_hand(db: sqlite3.Connection, owner: str, key: str = "") -> int:
    """Pages that the faxes in hand of this owner, or of this key, still have to send.

    One that has not been made into pages yet counts as one.
    """
    by, name = ("job.key", key) if key else ("job.owner", owner)
    row = db.execute(
        "SELECT COALESCE(SUM(MAX(COALESCE(pages, 1) - pages_confirmed, 0)), 0) FROM job"
        f" WHERE state IN ('preparing', 'waiting', 'sending') AND {by} = ?",
        (name,),
    ).fetchone()
    return int(row[0])


def next_moment(db: sqlite3.Connection, after: float) -> float | None:
    """When the next WAITING job becomes due or the next bound is reached, after ``after``."""
    moments = [db.execute("SELECT MIN(deadline) FROM job WHERE deadline IS NOT NULL").fetchone()[0]]
    for queue in _QUEUES.values():
        for priority in Priority:
            row = db.execute(
                f"SELECT next_try_at FROM job {queue} AND priority = ? AND next_try_at > ?"
                " ORDER BY next_try_at LIMIT 1",
                (priority.value, after),
            ).fetchone()
            moments.append(row[0] if row is not None else None)
    return min((moment for moment in moments if moment is not None), default=None)


def counts(db: sqlite3.Connection) -> dict[JobState, int]:
    """How many jobs are in each state that has not ended."""
    found = dict.fromkeys(sorted(_ACTIVE_VALUES), 0)
    for state in found:
        found[state] = db.execute("SELECT COUNT(*) FROM job WHERE state = ?", (state,)).fetchone()[0]
    return {JobState(state): count for state, count in found.items()}


# -- inside --------------------------------------------------------------------------------------

_ACTIVE_VALUES: Sequence[str] = tuple(state.value for state in JobState if not state.ended)


def _job_ids(db: sqlite3.Connection, submission_id: int) -> tuple[int, ...]:
    rows = db.execute("SELECT id FROM job WHERE submission_id = ? ORDER BY id", (submission_id,))
    return tuple(row[0] for row in rows)


def _preparing_until(now: float, expires_at: float) -> float:
    """The bound of PREPARING: a long queue of documents is no reason to give one up early."""
    return max(now + PREPARING_LIMIT_S, expires_at)


def _check(job: Job, state: JobState) -> None:
    if state not in TRANSITIONS[job.state]:
        raise IllegalTransitionError(f"job {job.id} is {job.state.value}: it cannot become {state.value}")


def _move(
    tx: Tx,
    job: Job,
    state: JobState,
    now: float,
    *,
    deadline: float,
    next_try_at: float | None = None,
    **facts: Any,
) -> None:
    _check(job, state)
    tx.db.execute(
        "UPDATE job SET state = ?, deadline = ?, next_try_at = COALESCE(?, next_try_at) WHERE id = ?",
        (state.value, deadline, next_try_at, job.id),
    )
    if next_try_at is not None:
        facts["next_try_at"] = next_try_at
    tx.emit(now, f"job.{state.value}", job.id, job.owner, **facts)


def _end(tx: Tx, job: Job, state: JobState, cause: Cause, now: float) -> None:
    _check(job, state)
    tx.db.execute(
        "UPDATE job SET state = ?, deadline = NULL, ended_at = ?, cause = ? WHERE id = ?",
        (state.value, now, cause.code, job.id),
    )
    stats.add(tx, stats.FAXES_ENDED, job.line, cause.code)
    tx.emit(now, f"job.{state.value}", job.id, job.owner, cause=cause.code)
