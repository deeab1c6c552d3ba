"""Preparing documents: which job is next, and the result for the jobs that share its pages."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Sequence
from typing import Any

from appliance.causes import Cause
from appliance.records import from_rows
from appliance.remarks import Remark
from appliance.remarks import to_json as remarks_json
from appliance.spool import job_states, jobs
from appliance.spool.causes import CLOCK_DOUBTED
from appliance.spool.job_states import HELD_LIMIT_S, NEEDS_NUMBER_LIMIT_S
from appliance.spool.model import Job, JobState
from appliance.spool.transaction import Tx


def next_to_prepare(db: sqlite3.Connection, busy: Collection[int] = ()) -> list[Job]:
    """The oldest PREPARING job that is not ``busy``, with all that share its fax pages.

    Jobs of one submission have the same pages unless a cover page names each recipient.
    """
    rows = db.execute("SELECT id FROM job WHERE state = 'preparing' ORDER BY id")
    first = next((row["id"] for row in rows if row["id"] not in busy), None)
    if first is None:
        return []
    job = jobs.get(db, first)
    if job.options.cover is not None:
        return [job]
    rows = db.execute(f"{jobs.JOB} WHERE job.submission_id = ? AND state = 'preparing'", (job.submission_id,))
    return from_rows(Job, rows)


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
    """Records that the fax pages of these jobs are in ``rendered_path``: those still PREPARING may be sent.

    With ``hold`` they are HELD for that cause until ``release``, as are those whose sender asked for it.
    Returns False when all of them have ended: then no job uses the pages.
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
            job_states.move(
                tx, job, JobState.NEEDS_NUMBER, now, deadline=now + NEEDS_NUMBER_LIMIT_S, pages=pages
            )
        elif hold is None and not job.hold:
            # Later than the sender's time while the clock is in doubt.
            at = max(job.scheduled_at, job.next_try_at)
            job_states.move(tx, job, JobState.WAITING, now, deadline=expires, next_try_at=at, pages=pages)
            if at > job.scheduled_at:
                tx.db.execute("UPDATE job SET cause = ? WHERE id = ?", (CLOCK_DOUBTED.code, job.id))
        else:
            why: dict[str, Any] = {"cause": hold.code} if hold is not None else {}
            job_states.move(tx, job, JobState.HELD, now, deadline=now + HELD_LIMIT_S, pages=pages, **why)
    return bool(waiting)


def share_pages(tx: Tx, job_ids: Sequence[int], rendered_path: str, now: float) -> bool:
    """``prepared`` with the pages of an earlier job; False when they are missing."""
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
    """Fails the jobs still PREPARING: their document cannot become fax pages, or the pages must not be
    sent.
    """
    for job in _preparing(tx.db, job_ids):
        _set_remarks(tx, job.id, remarks)
        job_states.end(tx, job, JobState.FAILED, cause, now)


def _preparing(db: sqlite3.Connection, job_ids: Sequence[int]) -> list[Job]:
    found = [jobs.get(db, job_id) for job_id in job_ids]
    return [job for job in found if job.state is JobState.PREPARING]


def _set_remarks(tx: Tx, job_id: int, remarks: Sequence[Remark]) -> None:
    tx.db.execute("UPDATE job SET remarks = ? WHERE id = ?", (json.dumps(remarks_json(remarks)), job_id))
