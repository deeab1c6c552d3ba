"""Permanently erases faxes, or everything about a number.  The journal still shows that there was a fax.

Rows lose their content in one transaction, which also records the files to destroy (table ``shred``); those
are overwritten and deleted afterwards, by the caller or, after a crash, by housekeeping.  SQLite itself
overwrites freed parts of the database (``secure_delete``).
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from appliance.spool import documents, jobs, received
from appliance.spool.errors import IllegalTransitionError
from appliance.spool.model import PACKETS, ReceivedState
from appliance.spool.retention import FIRST_MOMENT, came_before
from appliance.spool.transaction import Tx

# Faxes in one transaction.
BATCH = 100


@dataclass(frozen=True, slots=True)
class Erased:
    """How many faxes were erased, and how many to or from that number are unfinished (``left``)."""

    faxes: int
    received: int
    left: int = 0


def erase_job(tx: Tx, job_id: int, now: float) -> None:
    """Erases a fax that has ended, with its calls, pages and, unless another fax needs it, its document.

    Raises NotFoundError, IllegalTransitionError for one that is under way.
    """
    job = jobs.get(tx.db, job_id)
    if not job.state.ended:
        raise IllegalTransitionError(f"fax {job_id} is {job.state.value}: cancel it first")
    for attempt in jobs.attempts(tx.db, job_id):
        _shred_call(tx, attempt.trace_path)
    tx.db.execute("DELETE FROM attempt WHERE job_id = ?", (job_id,))
    shared = tx.db.execute(
        "SELECT 1 FROM job WHERE rendered_path = ? AND id <> ? LIMIT 1", (job.rendered_path, job_id)
    ).fetchone()
    if job.rendered_path and shared is None:
        _shred(tx, job.rendered_path)
    tx.db.execute(
        "UPDATE job SET number = '', given = '', name = '', company = '', tag = '', remote_id = '',"
        " line = '', rendered_path = '', pages = NULL, remarks = '[]', erased_at = ? WHERE id = ?",
        (now, job_id),
    )
    _erase_submission(tx, job.submission_id, now)
    _erase_traces(tx, job_id)
    tx.emit(now, "job.erased", job_id, job.owner)


def _erase_submission(tx: Tx, submission_id: int, now: float) -> None:
    """Erases the data that the faxes of a submission share, once the last of them is erased."""
    if tx.db.execute(
        "SELECT 1 FROM job WHERE submission_id = ? AND erased_at IS NULL LIMIT 1", (submission_id,)
    ).fetchone():
        return
    tx.db.execute(
        "UPDATE submission SET options = '{}', metadata = '{}', callback_url = '', tag = '', from_user = '',"
        " from_computer = '', idempotency_key = NULL, idempotency_digest = '' WHERE id = ?",
        (submission_id,),
    )
    document = tx.db.execute(
        "SELECT id, created_at, files FROM document"
        " WHERE id = (SELECT document_id FROM submission WHERE id = :id)"
        " AND listed = 0 AND deleted_at IS NULL AND NOT EXISTS (SELECT 1 FROM submission AS other"
        "  JOIN job ON job.submission_id = other.id"
        "  WHERE other.document_id = document.id AND other.id <> :id AND job.erased_at IS NULL)",
        {"id": submission_id},
    ).fetchone()
    if document is not None:
        tx.db.execute(
            "UPDATE document SET name = '', description = '', files = '[]', deleted_at = ? WHERE id = ?",
            (now, document["id"]),
        )
        for path in documents.no_longer_named(tx.db, document["created_at"], document["files"]):
            _shred(tx, path)


def erase_received(tx: Tx, received_id: int, now: float) -> None:
    """Erases a received fax.  Raises NotFoundError, IllegalTransitionError while it is being received."""
    fax = received.get(tx.db, received_id, deleted=True)
    if fax.state is ReceivedState.RECEIVING:
        raise IllegalTransitionError(f"received fax {received_id} is still coming in")
    for page in received.pages(tx.db, received_id):
        _shred(tx, page.path)
    _shred_call(tx, fax.trace_path)
    tx.db.execute("DELETE FROM received_page WHERE received_id = ?", (received_id,))
    tx.db.execute(
        "UPDATE received SET caller = '', caller_name = '', dialled = '', tsi = '', sub_address = '',"
        " line = '', trace_path = '', facts = '{}', pages = 0, deleted_at = COALESCE(deleted_at, :now),"
        " erased_at = :now WHERE id = :id",
        {"now": now, "id": received_id},
    )
    _erase_traces(tx, received_id)
    tx.emit(now, "received.erased", received_id, fax.owner)


# Faxes to :number, with and without digits to dial on, and from it (caller id or TSI).
_TO_NUMBER = "(number = :number OR substr(number, 1, length(:number) + 1) = :number || ',')"
_FROM_NUMBER = "(caller = :number OR ltrim(replace(tsi, ' ', ''), '+') = ltrim(:number, '+'))"


def erase_number(tx: Tx, number: str, now: float) -> Erased:
    """Erases a batch of ended faxes to or from a number, and what was learned about it.

    To be called until it erases nothing more.
    """
    about = {"number": number, "limit": BATCH}
    sent = tx.db.execute(
        f"SELECT id FROM job WHERE {_TO_NUMBER} AND ended_at IS NOT NULL LIMIT :limit", about
    ).fetchall()
    came = tx.db.execute(
        f"SELECT id FROM received WHERE {_FROM_NUMBER} AND state <> 'receiving' LIMIT :limit", about
    ).fetchall()
    for row in sent:
        erase_job(tx, row["id"], now)
    for row in came:
        erase_received(tx, row["id"], now)
    tx.db.execute(f"DELETE FROM destination WHERE {_TO_NUMBER}", about)
    tx.db.execute("UPDATE audit SET detail = '' WHERE instr(detail, ?)", (number,))
    left = tx.db.execute(f"SELECT COUNT(*) FROM job WHERE {_TO_NUMBER}", about).fetchone()[0]
    return Erased(len(sent), len(came), int(left))


def due_received(db: sqlite3.Connection, now: float) -> list[int]:
    """Ids of received faxes that are to be erased now, by a rule or their owner's wish.

    For one that arrived while the clock was behind time, the time of arrival is taken from the faxes before
    and after it.
    """
    before = """SELECT MAX(other.started_at) FROM received AS other
        WHERE other.id < received.id AND other.started_at <= :now"""
    after = f"""SELECT other.started_at FROM received AS other
        WHERE other.id > received.id AND other.started_at >= {FIRST_MOMENT} ORDER BY other.id LIMIT 1"""
    never_set = f"CASE WHEN started_at < {FIRST_MOMENT} THEN COALESCE(({after}), :now) END"
    late = f"MAX(0, COALESCE(({before}), {never_set}, started_at) - started_at)"
    rows = db.execute(
        "SELECT id FROM received WHERE keep_until <= :now AND erased_at IS NULL AND state <> 'receiving'"
        f" AND keep_until + {late} <= :now LIMIT :limit",
        {"now": now, "limit": BATCH},
    )
    return [row[0] for row in rows]


def due_jobs(db: sqlite3.Connection, owner: str, before: float, now: float) -> list[int]:
    """Ids of faxes of ``owner`` that ended before ``before`` and are not erased yet."""
    rows = db.execute(
        "SELECT id FROM job WHERE owner = :owner AND ended_at < :before AND erased_at IS NULL"
        f" AND {came_before('job', 'created_at')} LIMIT :limit",
        {"owner": owner, "before": before, "now": now, "limit": BATCH},
    )
    return [row[0] for row in rows]


def to_shred(db: sqlite3.Connection) -> list[str]:
    """Files and folders that erased faxes had, relative to the data folder."""
    return [row[0] for row in db.execute("SELECT path FROM shred")]


def shredded(tx: Tx, path: str) -> None:
    """Records that ``path`` is destroyed."""
    tx.db.execute("DELETE FROM shred WHERE path = ?", (path,))


def _shred(tx: Tx, path: str) -> None:
    tx.db.execute("INSERT OR IGNORE INTO shred VALUES (?)", (path,))


def _shred_call(tx: Tx, trace_path: str) -> None:
    if trace_path:
        _shred(tx, trace_path)
        _shred(tx, f"{PACKETS}/{Path(trace_path).stem}.pcap")


def _erase_traces(tx: Tx, fax_id: int) -> None:
    """Erases a fax from events, deliveries, notes, the audit log and the search words."""
    tx.db.execute("DELETE FROM note WHERE fax_id = ?", (fax_id,))
    tx.db.execute("UPDATE event SET data = '{}' WHERE fax_id = ?", (fax_id,))
    tx.db.execute("DELETE FROM outbox WHERE fax_id = ?", (fax_id,))
    tx.db.execute("UPDATE audit SET detail = '' WHERE object = ?", (f"fax:{fax_id}",))
