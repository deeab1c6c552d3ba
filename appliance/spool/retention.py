"""What is no longer kept: by age, by room on the disk, and what an interrupted write left behind.

Rows go first, files after: a crash in between leaves files that nobody names, and the next sweep finds
those.  ``Keeper`` does all of it in a thread of its own, in small batches.
"""

from __future__ import annotations

import contextlib
import json
import logging
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from appliance import durable
from appliance.settings.sections import StorageSettings
from appliance.settings.store import SettingsStore
from appliance.spool import received as received_rows
from appliance.spool.model import DAY_S, RECEIVING_LIMIT_S, SpoolClosedError, SpoolFailedError
from appliance.spool.room import Room, RoomGuard
from appliance.spool.store import DOCUMENTS, FOLDERS, PACKETS, PASSING, RECEIVED, RENDERED, TRACES, Spool, Tx

_log = logging.getLogger(__name__)

# Rows in one transaction: keeps the writer free for faxes.
BATCH = 200
# How often the room on the disk is looked at, and how often old things are put away, seconds.
ROOM_EVERY_S = 30.0
AGE_EVERY_S = 3_600.0
# With little room left, documents of ended faxes go after so many days whatever the settings say.
LOW_ROOM_DAYS = 1.0
# A file that no row names is left alone for so long, seconds: its row may be on the way.
ORPHAN_AGE_S = 3_600.0
# A client that repeats a request does so within minutes; two days bridge a night and a restart.
IDEMPOTENCY_DAYS = 2.0
# Usage counters are kept so long: a year's report and a month to read it.
USAGE_DAYS = 400.0


# -- operations ----------------------------------------------------------------------------------


def drop_documents(tx: Tx, before: float, now: float) -> list[str]:
    """Forgets documents whose faxes all ended before ``before``; returns the paths of their files.

    Documents that were stored on their own stay until their owner deletes them.
    """
    rows = tx.db.execute(
        "SELECT id, files FROM document WHERE deleted_at IS NULL AND listed = 0 AND created_at < :before"
        " AND NOT EXISTS (SELECT 1 FROM submission JOIN job ON job.submission_id = submission.id"
        "  WHERE submission.document_id = document.id AND (job.ended_at IS NULL OR job.ended_at >= :before))"
        " ORDER BY created_at LIMIT :limit",
        {"before": before, "limit": BATCH},
    ).fetchall()
    paths = []
    for row in rows:
        tx.db.execute("UPDATE document SET deleted_at = ?, files = '[]' WHERE id = ?", (now, row["id"]))
        paths += [file["path"] for file in json.loads(row["files"])]
    return paths


def drop_rendered(tx: Tx, before: float) -> list[str]:
    """Forgets the fax pages of jobs that ended before ``before``; returns their folders."""
    rows = tx.db.execute(
        "SELECT DISTINCT rendered_path FROM job WHERE ended_at < :before AND rendered_path <> ''"
        " AND NOT EXISTS (SELECT 1 FROM job AS other WHERE other.rendered_path = job.rendered_path"
        "  AND other.rendered_path <> '' AND (other.ended_at IS NULL OR other.ended_at >= :before))"
        " LIMIT :limit",
        {"before": before, "limit": BATCH},
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
            " WHERE started_at < :before AND ended_at < :before AND deleted_at IS NULL LIMIT :limit)",
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


def drop_journal(tx: Tx, before: float) -> int:
    """Deletes the rows of faxes that ended before ``before``; returns how many rows."""
    gone = 0
    rows = tx.db.execute(
        "SELECT job.id, submission_id, document_id FROM job JOIN submission ON submission.id = submission_id"
        " WHERE ended_at < ? AND job.rendered_path = '' LIMIT ?",
        (before, BATCH),
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
        "DELETE FROM received WHERE id IN (SELECT id FROM received WHERE started_at < ? AND pages = 0"
        " AND (deleted_at IS NOT NULL OR state <> 'receiving') LIMIT ?)",
        (before, BATCH),
    ).rowcount
    gone += tx.db.execute(
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ? ORDER BY id LIMIT ?)",
        (before, BATCH),
    ).rowcount
    return gone


def drop_events(tx: Tx, before: float) -> int:
    """Deletes events and finished deliveries older than ``before``; returns how many."""
    gone = tx.db.execute(
        "DELETE FROM event WHERE id IN (SELECT id FROM event ORDER BY id LIMIT ?) AND at < ?",
        (BATCH, before),
    ).rowcount
    return gone + tx.db.execute(
        "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE ended_at < ? LIMIT ?)", (before, BATCH)
    ).rowcount


def drop_idempotency_keys(tx: Tx, before: float) -> int:
    """Forgets idempotency keys that were used before ``before``; returns how many."""
    return tx.db.execute(
        "UPDATE submission SET idempotency_key = NULL WHERE id IN (SELECT id FROM submission"
        " WHERE idempotency_key IS NOT NULL AND created_at < ? LIMIT ?)",
        (before, BATCH),
    ).rowcount


def drop_usage(tx: Tx, before_day: str) -> int:
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
    found.update(row[0] for row in db.execute("SELECT path FROM received_page"))
    for row in db.execute("SELECT files, rendered_path FROM offer"):
        found.update(file["path"] for file in json.loads(row[0]))
        found.add(row[1])
    return found


# -- the thread ----------------------------------------------------------------------------------


class Keeper:
    """Keeps order on the disk.  ``clock`` gives Unix time."""

    def __init__(
        self, spool: Spool, settings: SettingsStore, guard: RoomGuard, clock: Callable[[], float]
    ) -> None:
        self._spool = spool
        self._settings = settings
        self._guard = guard
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._room = Room.PLENTY

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        last = float("-inf")
        while not self._stop.is_set():
            try:
                room = self.look_at_room()
                if room is not Room.PLENTY or time.monotonic() - last >= AGE_EVERY_S:
                    self.put_away(room)
                    last = time.monotonic()
            except SpoolClosedError:
                return
            except (OSError, SpoolFailedError, durable.DiskFullError) as error:
                _log.error("keeping order failed: %s", error)
            except Exception:
                _log.exception("keeping order failed")
            self._stop.wait(ROOM_EVERY_S)

    def look_at_room(self) -> Room:
        """How much room is left; a change is an event."""
        storage = self._settings.section(StorageSettings)
        room = self._guard.room(storage.reserve_mb, storage.warn_mb)
        if room is not self._room:
            self._room = room
            data = {"room": room.value, "free_octets": self._guard.free()}
            _log.warning("room on the disk: %s", room.value)
            # Not kept: a full disk is no time for another row.
            self._spool.news(self._clock(), "box.disk", None, "", data)
        return room

    def put_away(self, room: Room = Room.PLENTY) -> None:
        """Deletes everything that is past its time."""
        storage = self._settings.section(StorageSettings)
        now = self._clock()
        documents_days, traces_days = storage.documents_days, storage.traces_days
        if room is not Room.PLENTY:
            documents_days = min(documents_days, LOW_ROOM_DAYS)
            traces_days = min(traces_days, LOW_ROOM_DAYS)
        before = now - documents_days * DAY_S
        self._files(lambda: self._spool.do(drop_documents, before, now))
        self._files(lambda: self._spool.do(drop_rendered, before))
        received = now - storage.received_days * DAY_S if storage.received_days else None
        self._files(lambda: self._spool.do(drop_received, received, now))
        self._rows(lambda: self._spool.do(drop_journal, now - storage.journal_days * DAY_S))
        self._rows(lambda: self._spool.do(drop_events, now - storage.events_days * DAY_S))
        self._rows(lambda: self._spool.do(drop_idempotency_keys, now - IDEMPOTENCY_DAYS * DAY_S))
        self._spool.do(received_rows.recover, now, begun_before=now - RECEIVING_LIMIT_S)
        self._spool.do(drop_usage, time.strftime("%Y-%m-%d", time.localtime(now - USAGE_DAYS * DAY_S)))
        self._old_traces(now - traces_days * DAY_S)
        self.sweep_orphans()

    def _files(self, forget: Callable[[], list[str]]) -> None:
        while not self._stop.is_set():
            paths = forget()
            for path in paths:
                _delete(self._spool.data / path)
            if len(paths) < BATCH:
                return

    def _rows(self, forget: Callable[[], int]) -> None:
        while not self._stop.is_set() and forget():
            pass

    def _old_traces(self, before: float) -> None:
        for folder in (TRACES, PACKETS):
            for path in (self._spool.data / folder).glob("*"):
                if _older(path, before):
                    _delete(path)

    def sweep_orphans(self, age_s: float = ORPHAN_AGE_S) -> int:
        """Deletes files that no row names and that are older than ``age_s``; returns how many."""
        # The names first, the rows after: what came in between has a row.
        present = [
            (f"{folder}/{path.name}", path)
            for folder in (DOCUMENTS, RENDERED, RECEIVED)
            for path in (self._spool.data / folder).iterdir()
        ]
        if not present:
            return 0
        known = self._spool.read(known_paths)
        before = time.time() - age_s
        gone = 0
        for name, path in present:
            if name not in known and _older(path, before):
                _delete(path)
                gone += 1
        if gone:
            _log.info("%d files of interrupted writes were swept away", gone)
        return gone


def sweep_parts(data: Path) -> None:
    """At start, before anything writes: the rests of interrupted writes, and passing files."""
    shutil.rmtree(data / PASSING, ignore_errors=True)
    for folder in FOLDERS:
        durable.sweep_parts(data / folder)


@contextlib.contextmanager
def passing_folder(data: Path) -> Iterator[Path]:
    """A new folder for files that nobody needs afterwards; the next start deletes what a crash leaves."""
    parent = data / PASSING
    parent.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=parent, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _older(path: Path, before: float) -> bool:
    try:
        return path.stat().st_mtime < before
    except FileNotFoundError:
        return False  # it was a passing name


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
