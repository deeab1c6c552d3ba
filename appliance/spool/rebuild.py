"""Rebuilds the index from its last good copy and from the page files of received faxes.

Nothing is deleted: an unusable database is renamed.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import uuid as uuids
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance import durable
from appliance.causes import RECEIVED as CALL_RECEIVED
from appliance.records import DamagedRowError, from_row, insert
from appliance.spool import copies, identity, retention
from appliance.spool.causes import INDEX_REBUILT
from appliance.spool.folders import RECEIVED, SET_ASIDE
from appliance.spool.identity import DATABASE_NAME
from appliance.spool.jobs import JOB
from appliance.spool.model import Job, Received, ReceivedPageFile, ReceivedState
from appliance.spool.page_facts import PageFacts, read_facts
from appliance.spool.received import PRACTICE_KIND, is_whole, put_pages
from appliance.spool.store import Spool
from appliance.spool.transaction import Tx
from appliance.t4.coding import PageError
from appliance.t4.tiff_reading import TiffError


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The result of a rebuild.  ``copy``: the copy that was used; ``aside``: the new name of the old
    database.
    """

    copy: str
    aside: str
    faxes: int  # received faxes that were rebuilt
    pages: int
    unreadable: int  # page files without data about their fax
    rows: int  # unreadable rows of sent and received faxes, moved to a file


def usable(data: Path) -> bool:
    """Whether the database exists and SQLite finds no damage in it."""
    path = data / DATABASE_NAME
    if not path.exists() or not path.stat().st_size:
        return False
    try:
        with identity.reading(data) as db:
            copies.require_undamaged(db)
    except (copies.DamagedError, sqlite3.Error):
        return False
    return True


def rebuild(data: Path, now: float) -> Rebuilt:
    """Makes the index usable again and adds received faxes that it lacks.  The box must not run.

    Raises BlockingIOError while the box runs, OSError, SchemaTooNewError.
    """
    with Spool.locked(data):
        _clear_way(data, now)
        aside, copy = ("", "") if usable(data) else _replace(data, now)
    begin = "" if (data / DATABASE_NAME).exists() else uuids.uuid4().hex
    spool = Spool(data, begin=begin)
    try:
        rows = spool.do(_put_rows_aside, data / f"{DATABASE_NAME}.rows-{int(now)}.jsonl")
        faxes, pages, unreadable = spool.do(_add_received, data, now)
    finally:
        spool.close()
    return Rebuilt(copy, aside, faxes, pages, unreadable, rows)


def _put_rows_aside(tx: Tx, target: Path) -> int:
    """Moves unreadable rows from the index to a file: one of them would hide all others of its list.

    Received faxes among them are rebuilt from their page files.
    """
    lost: list[str] = []
    kinds: tuple[tuple[type[Any], str, str], ...] = (
        (Job, JOB, "DELETE FROM job WHERE id = ?"),
        (Received, "SELECT * FROM received", "DELETE FROM received WHERE id = ?"),
    )
    for record, every, delete in kinds:
        for row in tx.db.execute(every).fetchall():
            try:
                from_row(record, row)
            except DamagedRowError as error:
                lost.append(json.dumps({"error": str(error), "row": repr(dict(row))}))
                tx.db.execute(delete, (row["id"],))
    if lost:
        durable.write_file(target, "\n".join((*lost, "")).encode())
    return len(lost)


def _clear_way(data: Path, now: float) -> None:
    """Renames whatever takes the place of a file of the index without being a file.  The database itself
    may be intact.
    """
    for name in (*(f"{DATABASE_NAME}{suffix}" for suffix in ("", *identity.BESIDE)), identity.MARKER_NAME):
        try:
            durable.require_file(data / name)
        except durable.NotAFileError:
            (data / name).rename(data / f"{name}.unusable-{int(now)}")


def _replace(data: Path, now: float) -> tuple[str, str]:
    """Renames an unusable database; the newest copy replaces it, if there is one."""
    aside = ""
    for suffix in ("", *identity.BESIDE):
        path = data / f"{DATABASE_NAME}{suffix}"
        if path.exists():
            name = f"{DATABASE_NAME}.unusable-{int(now)}{suffix}"
            path.rename(data / name)
            aside = aside or name
    newest = copies.newest(data)
    if newest is None:
        (data / identity.MARKER_NAME).unlink(missing_ok=True)
        return aside, ""
    durable.place(data / DATABASE_NAME, lambda part: shutil.copyfile(newest, part))
    return aside, newest.name


def _page_files(data: Path) -> Iterator[Path]:
    yield from sorted((data / RECEIVED).glob("*.tiff"))
    yield from sorted((data / SET_ASIDE).glob(f"*/{RECEIVED}/*.tiff"))


def _add_received(tx: Tx, data: Path, now: float) -> tuple[int, int, int]:
    known = retention.known_paths(tx.db)
    found: dict[str, list[tuple[PageFacts, ReceivedPageFile]]] = defaultdict(list)
    unreadable = 0
    for path in _page_files(data):
        home = f"{RECEIVED}/{path.name}"
        if home in known:
            continue
        try:
            read = read_facts(path)
        except (OSError, TiffError, PageError):
            read = None
        if read is None:
            unreadable += 1
            continue
        facts, width, rows, resolution = read
        if path.parent != data / RECEIVED:
            path.rename(data / home)
        known.add(home)
        page = ReceivedPageFile(
            facts.page,
            home,
            width,
            rows,
            resolution,
            facts.bad_rows,
            facts.longest_bad_run,
            facts.stored_at,
            facts.last,
        )
        found[facts.fax].append((facts, page))
    durable.fsync_folder(data / RECEIVED)
    for uuid, pages in sorted(found.items(), key=lambda item: item[1][0][0].started_at):
        _add_fax(tx, uuid, pages, now)
    return len(found), sum(map(len, found.values())), unreadable


def _add_fax(tx: Tx, uuid: str, pages: list[tuple[PageFacts, ReceivedPageFile]], now: float) -> None:
    row = tx.db.execute("SELECT id FROM received WHERE uuid = ?", (uuid,)).fetchone()
    facts = pages[0][0]
    if row is None:
        received_id = tx.next_fax_id()
        whole = is_whole([page for _, page in pages])
        insert(
            tx.db,
            "received",
            {
                "id": received_id,
                "uuid": uuid,
                "line": facts.line,
                "line_kind": facts.line_kind,
                "practice": facts.line_kind == PRACTICE_KIND,
                "caller": facts.caller,
                "caller_name": facts.caller_name,
                "dialled": facts.dialled,
                "state": (ReceivedState.COMPLETE if whole else ReceivedState.PARTIAL).value,
                "started_at": facts.started_at,
                "ended_at": max(facts.stored_at for facts, _ in pages),
                "cause": (CALL_RECEIVED if whole else INDEX_REBUILT).code,
            },
        )
    else:
        received_id = row["id"]
        tx.db.execute("UPDATE received SET deleted_at = NULL WHERE id = ?", (received_id,))
    put_pages(tx, received_id, (page for _, page in pages))
    tx.emit(now, "received.rebuilt", received_id, "", pages=len(pages))
