"""Accepting faxes: a submission and its jobs, drafts until their release, numbers that are given later.

A submission is acknowledged only after its transaction is on disk.
"""

from __future__ import annotations

import sqlite3
import uuid as uuids
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from appliance.records import insert, to_row
from appliance.spool import documents, job_states, jobs
from appliance.spool.errors import IdempotencyError, IllegalTransitionError
from appliance.spool.job_states import HELD_LIMIT_S
from appliance.spool.model import Handed, Job, JobState, NewSubmission, Recipient, SourceFile
from appliance.spool.transaction import Tx


@dataclass(frozen=True, slots=True)
class Accepted:
    """The result of a submission; ``repeated``: it was submitted before with the same idempotency key."""

    submission_id: int
    uuid: str
    job_ids: tuple[int, ...]
    repeated: bool = False


def handed_in(db: sqlite3.Connection, owner: str, idempotency_key: str, digest: str) -> Accepted | None:
    """What ``owner`` submitted with this key before; None when there is nothing, or without a key.

    Raises IdempotencyError when that request had another ``digest``.
    """
    row = db.execute(
        "SELECT id, uuid, idempotency_digest FROM submission WHERE owner = ? AND idempotency_key = ?",
        (owner, idempotency_key or None),
    ).fetchone()
    if row is None:
        return None
    if row["idempotency_digest"] != digest:
        raise IdempotencyError("this idempotency key was used for a different request")
    return Accepted(row["id"], row["uuid"], jobs.ids_of(db, row["id"]), repeated=True)


def accept(tx: Tx, new: NewSubmission, now: float) -> Accepted:
    """Makes a submission and its jobs.

    Raises IdempotencyError when the idempotency key belongs to another request, NotFoundError when
    the document does not exist, ValueError without recipients.
    """
    if not new.recipients:
        raise ValueError("a submission without recipients")
    earlier = handed_in(tx.db, new.owner, new.idempotency_key, new.idempotency_digest)
    if earlier is not None:
        return earlier
    documents.get(tx.db, new.document_id)
    uuid = str(uuids.uuid4())
    idempotency = {
        "idempotency_key": new.idempotency_key or None,
        "idempotency_digest": new.idempotency_digest,
    }
    row = {"uuid": uuid, "created_at": now, "document_id": new.document_id}
    submission_id = insert(tx.db, "submission", row | idempotency | to_row(new, "submission", Handed))
    first = tx.next_fax_id(len(new.recipients))
    scheduled = max(now, new.scheduled_at if new.scheduled_at is not None else now)
    state = JobState.HELD if new.held else JobState.PREPARING
    deadline = now + HELD_LIMIT_S if new.held else job_states.preparing_until(now, scheduled + new.lifetime_s)
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
    """``accept``; in the same transaction a document is made of the stored ``files``, if there are any.

    Also returns the jobs as they were accepted.
    """
    if files:
        document = documents.create(tx, new.owner, files, now, name=files[0].name)
        new = replace(new, document_id=document.id)
    accepted = accept(tx, new, now)
    if files and accepted.repeated:
        tx.db.execute("DELETE FROM document WHERE id = ?", (new.document_id,))
    return accepted, tuple(jobs.get(tx.db, job_id) for job_id in accepted.job_ids)


def rewrite_held(
    tx: Tx,
    job_id: int,
    recipient: Recipient,
    document_id: int,
    *,
    handed: Handed,
) -> Job:
    """Changes document and recipient of a job that is HELD without pages and alone in its submission.

    Its options and metadata become those of ``handed``.  Raises IllegalTransitionError for any other job,
    NotFoundError for an unknown document.
    """
    job = jobs.get(tx.db, job_id)
    if job.state is not JobState.HELD or job.rendered_path or len(jobs.ids_of(tx.db, job.submission_id)) != 1:
        raise IllegalTransitionError(f"fax {job_id} is {job.state.value}")
    documents.get(tx.db, document_id)
    row = to_row(handed, "submission", Handed)
    tx.db.execute(
        "UPDATE submission SET document_id = ?, options = ?, metadata = ? WHERE id = ?",
        (document_id, row["options"], row["metadata"], job.submission_id),
    )
    # A changed number makes the trigger update the search words, so it is emptied first.
    tx.db.execute("UPDATE job SET number = '' WHERE id = ?", (job_id,))
    _update(tx, job_id, _where_to(recipient))
    return jobs.get(tx.db, job_id)


def hold(tx: Tx, job_id: int, now: float) -> Job:
    """Holds a job that waits to be sent until ``release``; one that is PREPARING is HELD afterwards.

    Raises IllegalTransitionError for every other job.
    """
    job = jobs.get(tx.db, job_id)
    if job.state is not JobState.PREPARING:
        job_states.move(tx, job, JobState.HELD, now, deadline=now + HELD_LIMIT_S, pages=job.pages)
    tx.db.execute("UPDATE job SET hold = TRUE WHERE id = ?", (job_id,))
    return jobs.get(tx.db, job_id)


def release(tx: Tx, job_id: int, now: float, scheduled_at: float | None = None) -> Job:
    """Releases a HELD job: it is prepared and sent; one that has its pages is sent as they are.

    A job that is PREPARING and would be HELD afterwards is sent instead.  Raises IllegalTransitionError for
    every other job: one that is SENDING would be sent by a second call.
    """
    job = jobs.get(tx.db, job_id)
    if job.state is not JobState.HELD and not (job.state is JobState.PREPARING and job.hold):
        raise IllegalTransitionError(f"fax {job_id} is {job.state.value}: it cannot be released")
    scheduled = max(now, scheduled_at if scheduled_at is not None else job.scheduled_at)
    lifetime = job.expires_at - job.scheduled_at
    if job.state is JobState.HELD and job.rendered_path:
        expires = scheduled + lifetime
        job_states.move(
            tx, job, JobState.WAITING, now, deadline=expires, next_try_at=scheduled, pages=job.pages
        )
        tx.db.execute("UPDATE job SET cause = '' WHERE id = ?", (job_id,))
    elif job.state is JobState.HELD:
        deadline = job_states.preparing_until(now, scheduled + lifetime)
        job_states.move(tx, job, JobState.PREPARING, now, deadline=deadline)
    tx.db.execute(
        "UPDATE job SET scheduled_at = ?, next_try_at = ?, expires_at = ?, hold = FALSE WHERE id = ?",
        (scheduled, scheduled, scheduled + lifetime, job_id),
    )
    return jobs.get(tx.db, job_id)


def give_numbers(
    tx: Tx, job_id: int, recipients: Sequence[Recipient], now: float, *, scheduled_at: float | None = None
) -> list[Job]:
    """Sets the recipients of a document that came without a number; it is prepared again and sent.

    Its pages are made again because they show the time and, on a cover page, the recipient.  Without
    ``scheduled_at`` it goes at the time with which it came.  The job gets the first recipient; each other one
    gets a new job.  Raises IllegalTransitionError for a job that has a number, or whose cover page is being
    made.
    """
    job = jobs.get(tx.db, job_id)
    early = job.state is JobState.PREPARING and job.options.cover is None
    if job.number or not (early or job.state is JobState.NEEDS_NUMBER):
        raise IllegalTransitionError(f"fax {job_id} is {job.state.value}: it cannot be given a number")
    scheduled = max(now, scheduled_at if scheduled_at is not None else job.scheduled_at)
    lifetime = job.expires_at - job.scheduled_at
    times = {
        "scheduled_at": scheduled,
        "next_try_at": scheduled,
        "expires_at": scheduled + lifetime,
        "deadline": job_states.preparing_until(now, scheduled + lifetime),
    }
    _update(tx, job_id, {**_where_to(recipients[0]), **times})
    first = tx.next_fax_id(len(recipients) - 1)
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
        job_states.move(tx, job, JobState.PREPARING, now, deadline=times["deadline"])
    for each, recipient in zip(job_ids, recipients, strict=True):
        tx.emit(now, "job.accepted", each, job.owner, number=recipient.number, submission=job.submission_id)
    return [jobs.get(tx.db, each) for each in job_ids]


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
