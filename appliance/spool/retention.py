"""What is no longer kept: rows by age, and what an interrupted write left behind.

Rows go first, files after: a crash in between leaves files that nobody names, and the next sweep finds
those.  When it is time for what, the daemon's keeper decides.
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
from appliance.spool.folders import FOLDERS, PASSING, RENDERED
from appliance.spool.transaction import Tx

# Rows in one transaction: keeps the writer free for faxes.
BATCH = 200


# A clock that shows an earlier year was never set: no box is that old (2020-01-01), Unix time.
FIRST_MOMENT = 1_577_836_800.0

# -- rows ----------------------------------------------------------------------------------------


def came_before(table: str, stamp: str) -> str:
    """SQL: whether a row of ``table`` came before ``:before``, whatever a clock that was behind wrote in it.

    Rows come in the order of their ids: one that came after another that is young is young as well.  What a
    clock that was never set wrote is as old as the next row that has a time.
    """
    next_to = f"SELECT 1 FROM {table} AS other WHERE other.id > {table}.id"
    return (
        f"{table}.id < COALESCE((SELECT id FROM {table} AS other"
        f" WHERE other.{stamp} BETWEEN :before AND :now ORDER BY id LIMIT 1), {table}.id + 1)"
        f" AND ({table}.{stamp} >= {FIRST_MOMENT}"
        f" OR EXISTS ({next_to} AND other.{stamp} BETWEEN {FIRST_MOMENT} AND :before))"
    )


def drop_documents(tx: Tx, before: float, now: float) -> list[str]:
    """Forgets documents whose faxes all ended before ``before``; returns the paths of their files.

    Documents that were stored on their own stay until their owner deletes them.
    """
    rows = tx.db.execute(
        "SELECT id, files FROM document WHERE deleted_at IS NULL AND listed = 0 AND created_at < :before"
        f" AND {came_before('document', 'created_at')}"
        " AND NOT EXISTS (SELECT 1 FROM submission JOIN job ON job.submission_id = submission.id"
        "  WHERE submission.document_id = document.id AND (job.ended_at IS NULL OR job.ended_at >= :before))"
        " ORDER BY created_at LIMIT :limit",
        {"before": before, "now": now, "limit": BATCH},
    ).fetchall()
    paths = []
    for row in rows:
        tx.db.execute("UPDATE document SET deleted_at = ?, files = '[]' WHERE id = ?", (now, row["id"]))
        paths += [file["path"] for file in json.loads(row["files"])]
    return paths


def drop_rendered(tx: Tx, before: float, now: float) -> list[str]:
    """Forgets the fax pages of jobs that ended before ``before``; returns their folders."""
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
    """Forgets the pages of deleted received faxes, and of those that ended before ``before``."""
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
    """Deletes the rows of faxes that ended before ``before``; returns how many rows."""
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
    """Forgets idempotency keys that were used before ``before``; returns how many."""
    return tx.db.execute(
        "UPDATE submission SET idempotency_key = NULL WHERE id IN (SELECT id FROM submission"
        " WHERE idempotency_key IS NOT NULL AND created_at < ? LIMIT ?)",
        (before, BATCH),
    ).rowcount


def drop_usage(tx: Tx, before_day: str) -> int:
    """Deletes what was used before a day (YYYY-MM-DD); returns how many rows."""
    return tx.db.execute("DELETE FROM usage WHERE day < ?", (before_day,)).rowcount


def known_paths(db: sqlite3.Connection) -> set[str]:
    """Every path in the data folder that a row names, but for traces."""
    found = {
        file["path"]
        for row in db.execute("SELECT files FROM document WHERE deleted_at IS NULL")
        for file in json.loads(row[0])
    }
    rendered = db.execute("SELECT DISTINCT rendered_path FROM job WHERE rendered_path <> ''")
    found.update(row[0] for row in rendered)
    # A rendering of a PREPARING job is on its way: its row comes after it.
    rows = db.execute("SELECT uuid FROM job WHERE state = 'preparing'")
    found.update(f"{RENDERED}/{row[0]}" for row in rows)
    # Pages that were seen before they were handed in, of jobs that have not taken them yet.
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
    """At start, before anything writes: the rests of interrupted writes, and passing files."""
    shutil.rmtree(data / PASSING, ignore_errors=True)
    at_rest.clear_passing(data)
    for folder in FOLDERS:
        durable.sweep_parts(data / folder)


@contextlib.contextmanager
def passing_folder(data: Path) -> Iterator[Path]:
    """A new folder for files that nobody needs afterwards; the next start deletes what a crash leaves."""
    parent = at_rest.passing(data) / PASSING
    parent.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, ignore_cleanup_errors=True) as folder:
        yield Path(folder)
