"""Deletes expired rows, and the remains of interrupted writes.

Rows are deleted before their files: a crash in between leaves files that no row names, which the next sweep
finds.  The housekeeping decides when.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from appliance import at_rest, durable
from appliance.spool import documents
from appliance.spool.folders import FOLDERS, RENDERED, TEMPORARY
from appliance.spool.transaction import Tx

# Rows in one transaction at most, so that faxes do not wait for the writer.
BATCH = 200


# A clock that shows an earlier time was never set (2020-01-01), Unix time.
FIRST_MOMENT = 1_577_836_800.0

# -- rows ----------------------------------------------------------------------------------------


def came_before(table: str, stamp: str) -> str:
    """SQL: whether a row of ``table`` is older than ``:before``, even if the clock was behind when it was
    written.

    Ids are in the order of writing: a row after a young one is young as well.  A row written while the clock
    had never been set is as old as the next row with a valid time.
    """
    next_to = f"SELECT 1 FROM {table} AS other WHERE other.id > {table}.id"
    return (
        f"{table}.id < COALESCE((SELECT id FROM {table} AS other"
        f" WHERE other.{stamp} BETWEEN :before AND :now ORDER BY id LIMIT 1), {table}.id + 1)"
        f" AND ({table}.{stamp} >= {FIRST_MOMENT}"
        f" OR EXISTS ({next_to} AND other.{stamp} BETWEEN {FIRST_MOMENT} AND :before))"
    )


def drop_documents(tx: Tx, before: float, now: float) -> list[str]:
    """Deletes documents whose faxes all ended before ``before`` (Unix time).

    Returns the paths of the files that no document names any more.  Documents that were stored without a fax
    stay until their owner deletes them.
    """
    rows = tx.db.execute(
        "SELECT id, created_at, files FROM document"
        " WHERE deleted_at IS NULL AND listed = 0 AND created_at < :before"
        f" AND {came_before('document', 'created_at')}"
        " AND NOT EXISTS (SELECT 1 FROM submission JOIN job ON job.submission_id = submission.id"
        "  WHERE submission.document_id = document.id AND (job.ended_at IS NULL OR job.ended_at >= :before))"
        " ORDER BY created_at LIMIT :limit",
        {"before": before, "now": now, "limit": BATCH},
    ).fetchall()
    paths = []
    for row in rows:
        tx.db.execute("UPDATE document SET deleted_at = ?, files = '[]' WHERE id = ?", (now, row["id"]))
        paths += documents.no_longer_named(tx.db, row["created_at"], row["files"])
    return paths


def drop_rendered(tx: Tx, before: float, now: float) -> list[str]:
    """Removes the fax pages of jobs that ended before ``before``; returns their folders."""
    rows = tx.db.execute(
        "SELECT DISTINCT rendered_path FROM job WHERE ended_at < :before AND rendered_path <> ''"
        f" AND {came_before('job', 'created_at')}"
        " AND NOT EXISTS (SELECT 1 FROM job AS other WHERE other.rendered_path = job.rendered_path"
        "  AND other.rendered_path <> '' AND (other.ended_at IS NULL OR other.ended_at >= :before))"
        " LIMIT :limit",
        {"before": before, "now": now, "limit": BATCH},
    ).fetchall()
    for row in rows:
        tx.db.execute(
            "UPDATE job SET rendered_path = '' WHERE rendered_path = ? AND rendered_path <> ''", (row[0],)
        )
    return [row[0] for row in rows]


def drop_received(tx: Tx, before: float | None, now: float) -> list[str]:
    """Removes the pages of deleted received faxes, and of those ended before ``before``; returns paths."""
    if before is not None:
        tx.db.execute(
            "UPDATE received SET deleted_at = :now WHERE id IN (SELECT id FROM received"
            " WHERE started_at < :before AND ended_at < :before AND deleted_at IS NULL"
            f" AND {came_before('received', 'started_at')} LIMIT :limit)",
            {"now": now, "before": before, "limit": BATCH},
        )
    rows = tx.db.execute(
        "SELECT received_id, path FROM received_page WHERE received_id IN (SELECT id FROM received"
        " WHERE deleted_at IS NOT NULL AND pages > 0 ORDER BY id LIMIT ?)",
        (BATCH,),
    ).fetchall()
    for received_id in {row["received_id"] for row in rows}:
        tx.db.execute("DELETE FROM received_page WHERE received_id = ?", (received_id,))
        tx.db.execute("UPDATE received SET pages = 0 WHERE id = ?", (received_id,))
    return [row["path"] for row in rows]


def drop_journal(tx: Tx, before: float, now: float) -> int:
    """Deletes the rows of faxes that ended before ``before``; returns their number."""
    gone = 0
    rows = tx.db.execute(
        "SELECT job.id, submission_id, document_id FROM job JOIN submission ON submission.id = submission_id"
        f" WHERE ended_at < :before AND job.rendered_path = '' AND {came_before('job', 'created_at')}"
        " LIMIT :limit",
        {"before": before, "now": now, "limit": BATCH},
    ).fetchall()
    for row in rows:
        gone += tx.db.execute("DELETE FROM job WHERE id = ?", (row["id"],)).rowcount
        tx.db.execute(
            "DELETE FROM submission WHERE id = :id"
            " AND NOT EXISTS (SELECT 1 FROM job WHERE submission_id = :id)",
            {"id": row["submission_id"]},
        )
        tx.db.execute(
            "DELETE FROM document WHERE id = :id AND deleted_at IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM submission WHERE document_id = :id)"
            " AND NOT EXISTS (SELECT 1 FROM program WHERE document_id = :id)",
            {"id": row["document_id"]},
        )
    gone += tx.db.execute(
        "DELETE FROM received WHERE id IN (SELECT id FROM received WHERE started_at < :before AND pages = 0"
        " AND (deleted_at IS NOT NULL OR state <> 'receiving')"
        f" AND {came_before('received', 'started_at')} LIMIT :limit)",
        {"before": before, "now": now, "limit": BATCH},
    ).rowcount
    gone += tx.db.execute(
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < :before"
        f" AND {came_before('audit', 'at')} ORDER BY id LIMIT :limit)",
        {"before": before, "now": now, "limit": BATCH},
    ).rowcount
    return gone


def drop_events(tx: Tx, before: float) -> int:
    """Deletes events and finished deliveries older than ``before``; returns how many."""
    gone = tx.db.execute(
        "DELETE FROM event WHERE id IN (SELECT id FROM event ORDER BY id LIMIT ?) AND at < ?",
        (BATCH, before),
    ).rowcount
    return (
        gone
        + tx.db.execute(
            "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE ended_at < ? LIMIT ?)",
            (before, BATCH),
        ).rowcount
    )


def drop_idempotency_keys(tx: Tx, before: float) -> int:
    """Deletes idempotency keys that were used before ``before``; returns their number."""
    return tx.db.execute(
        "UPDATE submission SET idempotency_key = NULL WHERE id IN (SELECT id FROM submission"
        " WHERE idempotency_key IS NOT NULL AND created_at < ? LIMIT ?)",
        (before, BATCH),
    ).rowcount


def drop_usage(tx: Tx, before_day: str) -> int:
    """Deletes usage before a day (YYYY-MM-DD); returns the number of rows."""
    return tx.db.execute("DELETE FROM usage WHERE day < ?", (before_day,)).rowcount


def known_paths(db: sqlite3.Connection) -> set[str]:
    """Every path in the data folder that a row names, except those of traces."""
    found = {
        file["path"]
        for row in db.execute("SELECT files FROM document WHERE deleted_at IS NULL")
        for file in json.loads(row[0])
    }
    rendered = db.execute("SELECT DISTINCT rendered_path FROM job WHERE rendered_path <> ''")
    found.update(row[0] for row in rendered)
    # The pages of a PREPARING job are written before its row names them.
    rows = db.execute("SELECT uuid FROM job WHERE state = 'preparing'")
    found.update(f"{RENDERED}/{row[0]}" for row in rows)
    # Pages of previews that jobs have not taken over yet.
    rows = db.execute(
        "SELECT json_extract(submission.options, '$.made') FROM job JOIN submission"
        " ON submission.id = job.submission_id WHERE job.state IN ('held', 'preparing')"
    )
    found.update(row[0] for row in rows if row[0])
    found.update(row[0] for row in db.execute("SELECT path FROM received_page"))
    for row in db.execute("SELECT files, rendered_path FROM offer"):
        found.update(file["path"] for file in json.loads(row[0]))
        found.add(row[1])
    return found


# -- files ----------------------------------------------------------------------------------------


def sweep_parts(data: Path) -> None:
    """Deletes remains of interrupted writes and temporary files, at start, before anything writes."""
    shutil.rmtree(data / TEMPORARY, ignore_errors=True)
    at_rest.clear_temporary(data)
    for folder in FOLDERS:
        durable.sweep_parts(data / folder)


@contextlib.contextmanager
def temporary_folder(data: Path) -> Iterator[Path]:
    """A new folder for temporary files; the next start deletes what a crash leaves."""
    parent = at_rest.reading_root(data) / TEMPORARY
    parent.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, ignore_cleanup_errors=True) as folder:
        yield Path(folder)
