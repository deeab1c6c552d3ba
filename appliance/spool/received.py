"""Operations on received faxes.  Each page is recorded before it is confirmed to the sender."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from appliance.causes import RECEIVED, Cause
from appliance.records import from_row, from_rows, insert, to_row
from appliance.spool import stats, words
from appliance.spool.causes import INTERRUPTED
from appliance.spool.errors import IllegalTransitionError, NotFoundError
from appliance.spool.filters import ReceivedFilter, Sight
from appliance.spool.jobs import LIST_LIMIT
from appliance.spool.model import Received, ReceivedPageFile, ReceivedState
from appliance.spool.transaction import Tx
from appliance.spool.word_tables import DIALLED, OWNER, READ

# The kind of the practice line.
PRACTICE_KIND = "practice"


def begin(
    tx: Tx,
    uuid: str,
    line: str,
    line_kind: str,
    now: float,
    *,
    caller: str = "",
    caller_name: str = "",
    dialled: str = "",
    trace_path: str = "",
) -> Received:
    """Records a call that is being answered; ``uuid``: a new one, which also names its files."""
    received_id = tx.next_fax_id()
    row = {
        "id": received_id,
        "uuid": uuid,
        "line": line,
        "line_kind": line_kind,
        "practice": line_kind == PRACTICE_KIND,
        "caller": caller,
        "caller_name": caller_name,
        "dialled": dialled,
        "state": ReceivedState.RECEIVING.value,
        "started_at": now,
        "trace_path": trace_path,
    }
    insert(tx.db, "received", row)
    tx.emit(now, "received.started", received_id, "", line=line, caller=caller, dialled=dialled)
    return get(tx.db, received_id)


def _incoming(db: sqlite3.Connection, received_id: int) -> Received:
    received = get(db, received_id)
    if received.state is not ReceivedState.RECEIVING:
        raise IllegalTransitionError(f"received fax {received_id} is {received.state.value}")
    return received


def add_page(tx: Tx, received_id: int, page: ReceivedPageFile) -> None:
    """Records a page whose file is on disk.  The same number again replaces it."""
    received = _incoming(tx.db, received_id)
    put_pages(tx, received_id, (page,))
    tx.emit(page.stored_at, "received.page", received_id, received.owner, page=page.number)


def put_pages(tx: Tx, received_id: int, pages: Iterable[ReceivedPageFile]) -> None:
    """Writes the rows of pages, and their sums in the fax's row."""
    for page in pages:
        insert(tx.db, "received_page", {"received_id": received_id, **to_row(page)}, replace=True)
    tx.db.execute(
        "UPDATE received SET (pages, bad_rows) = (SELECT COUNT(*), TOTAL(bad_rows) FROM received_page"
        " WHERE received_id = :id) WHERE id = :id",
        {"id": received_id},
    )


def finish(
    tx: Tx,
    received_id: int,
    cause: Cause,
    *,
    complete: bool,
    now: float,
    tsi: str = "",
    sub_address: str = "",
    facts: Mapping[str, Any] | None = None,
) -> Received:
    """Records the end of the call.  Its deliveries follow from the event, in the same transaction.

    A fax whose every page is here was received, whatever happened to the call after its last page.
    """
    received = _incoming(tx.db, received_id)
    if not complete and is_whole(pages(tx.db, received_id)):
        cause, complete = RECEIVED, True
    state = ReceivedState.COMPLETE if complete else ReceivedState.PARTIAL
    tx.db.execute(
        "UPDATE received SET state = ?, ended_at = ?, cause = ?, tsi = ?, sub_address = ?, facts = ?"
        " WHERE id = ?",
        (state.value, now, cause.code, tsi, sub_address, json.dumps(facts or {}), received_id),
    )
    stats.add(tx, stats.CALLS_RECEIVED, received.line, cause.code)
    stats.add(tx, stats.PAGES_RECEIVED, received.line, cause.code, received.pages)
    kind = f"received.{state.value}"
    tx.emit(now, kind, received_id, received.owner, pages=received.pages, cause=cause.code)
    return get(tx.db, received_id)


def is_whole(stored: Sequence[ReceivedPageFile]) -> bool:
    """Whether these pages, first to last, are a whole fax: the sender has said that no other page follows."""
    return bool(stored) and stored[-1].last and stored[-1].number == len(stored) - 1


def keep_until(tx: Tx, received_id: int, at: float) -> None:
    """Sets the Unix time at which the fax is erased (``erasure.due_received``)."""
    tx.db.execute("UPDATE received SET keep_until = ? WHERE id = ?", (at, received_id))


def recover(tx: Tx, now: float, *, begun_before: float = math.inf) -> list[Received]:
    """Ends the calls that a crash or power cut left open, at start; their pages are kept.

    While the box runs, with ``begun_before``: enforces the bound of RECEIVING.
    """
    rows = tx.db.execute(
        "SELECT id FROM received WHERE state = 'receiving' AND started_at < ? ORDER BY id",
        (min(begun_before, 1e18),),
    ).fetchall()
    return [finish(tx, row["id"], INTERRUPTED, complete=False, now=now) for row in rows]


def clock_set(tx: Tx, before: float, by: float) -> None:
    """Shifts the start of running calls after the clock, at ``before``, was set forward by ``by`` seconds."""
    tx.db.execute(
        "UPDATE received SET started_at = started_at + ? WHERE state = 'receiving' AND started_at <= ?",
        (by, before),
    )


def assign(tx: Tx, received_id: int, owner: str, now: float) -> Received:
    """Gives a received fax to a user."""
    get(tx.db, received_id)
    tx.db.execute("UPDATE received SET owner = ? WHERE id = ?", (owner, received_id))
    tx.emit(now, "received.changed", received_id, owner)
    return get(tx.db, received_id)


def mark_read(tx: Tx, received_id: int, read: bool, now: float) -> Received:
    """Marks a received fax as read or unread; an event says so when that changed.  Raises NotFoundError."""
    received = get(tx.db, received_id)
    if received.read != read:
        tx.db.execute("UPDATE received SET read = ? WHERE id = ?", (read, received_id))
        tx.emit(now, "received.changed", received_id, received.owner, read=read)
    return get(tx.db, received_id)


def delete(tx: Tx, received_id: int, now: float) -> None:
    """Removes a received fax from all lists; retention deletes its pages.

    Raises IllegalTransitionError while it is being received.
    """
    received = get(tx.db, received_id)
    if received.state is ReceivedState.RECEIVING:
        raise IllegalTransitionError(f"received fax {received_id} is still coming in")
    tx.db.execute("UPDATE received SET deleted_at = ? WHERE id = ?", (now, received_id))
    tx.emit(now, "received.changed", received_id, received.owner, deleted=True)


def get(db: sqlite3.Connection, received_id: int, *, deleted: bool = False) -> Received:
    """Raises NotFoundError; a deleted one is only found with ``deleted``."""
    row = db.execute("SELECT * FROM received WHERE id = ?", (received_id,)).fetchone()
    if row is None or (row["deleted_at"] is not None and not deleted):
        raise NotFoundError(f"no received fax {received_id}")
    return from_row(Received, row)


def pages(db: sqlite3.Connection, received_id: int) -> list[ReceivedPageFile]:
    """The pages of a received fax, first to last."""
    rows = db.execute("SELECT * FROM received_page WHERE received_id = ? ORDER BY number", (received_id,))
    return from_rows(ReceivedPageFile, rows)


def with_pages(
    db: sqlite3.Connection, received_id: int, *, deleted: bool = False
) -> tuple[Received, list[ReceivedPageFile]]:
    """A received fax and its pages, in one consistent read.  Raises NotFoundError."""
    return get(db, received_id, deleted=deleted), pages(db, received_id)


def next_without_text(db: sqlite3.Connection) -> Received | None:
    """The newest received fax without recognised text; None when there is none."""
    row = db.execute(
        "SELECT * FROM received WHERE deleted_at IS NULL AND erased_at IS NULL AND pages > 0"
        " AND state <> 'receiving'"
        " AND NOT EXISTS (SELECT 1 FROM received_text WHERE received_id = received.id)"
        " ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return None if row is None else from_row(Received, row)


# Between the texts of two pages.
PAGE_BREAK = "\n\f\n"


def page_texts(db: sqlite3.Connection, received_id: int) -> list[str]:
    """The recognised text of each page; empty before recognition."""
    row = db.execute("SELECT text FROM received_text WHERE received_id = ?", (received_id,)).fetchone()
    return [] if row is None else str(row[0]).split(PAGE_BREAK)


def set_text(tx: Tx, received_id: int, text: str) -> None:
    """Stores the recognised text, by which the fax is found, too.  Does nothing when the fax is gone."""
    there = "SELECT 1 FROM received WHERE id = ? AND erased_at IS NULL"
    if tx.db.execute(there, (received_id,)).fetchone() is None:
        return
    tx.db.execute("INSERT OR IGNORE INTO received_text VALUES (?, ?)", (received_id, text))


def search(db: sqlite3.Connection, wanted: ReceivedFilter) -> list[Received]:
    """The received faxes that match, newest first; deleted ones are left out."""
    found, order = "received", "received.id"
    # The table of words is read first, as in ``jobs.search``, unless the index of callers is.
    marks = _marks(db, wanted) if wanted.text.strip() or not wanted.caller else []
    narrowed = words.terms("received_words", wanted.text, marks, wanted.before_id)
    if narrowed:
        found, order = (
            "received_words CROSS JOIN received ON id = received_words.rowid",
            "received_words.rowid",
        )
    elif not (wanted.empty or wanted.caller):
        found = "received INDEXED BY received_listed"
    terms = ["deleted_at IS NULL"]
    values: list[Any] = []
    earliest = words.ids_since("received", "started_at")
    latest = words.ids_until("received", "started_at")
    for term, given in (
        ("owner IN (?, '')", (wanted.owner,)),
        # The plus: SQLite begins with another index, which has the order of the answer.
        ("+read = ?", (wanted.read,)),
        ("caller = ?", (wanted.caller or None,)),
        ("dialled = ?", (wanted.dialled or None,)),
        (f"+started_at >= ? AND {order} >= {earliest}", (wanted.since, wanted.since)),
        (f"+started_at < ? AND {order} <= {latest}", (wanted.until, wanted.until)),
        (f"{order} < ?", (wanted.before_id,)),
    ):
        if given[-1] is not None:
            terms.append(term)
            values += given
    for term, narrowing in narrowed:
        terms.append(term)
        values += narrowing
    if wanted.sight is not None:
        term, owners = _seen_by(wanted.sight)
        terms.append(term)
        values += owners
    if not wanted.empty:
        terms.append("(pages > 0 OR state = 'receiving')")
    limit = max(0, min(wanted.limit, LIST_LIMIT))
    rows = db.execute(
        f"SELECT received.* FROM {found} WHERE {' AND '.join(terms)} ORDER BY {order} DESC LIMIT ?",
        (*values, limit),
    )
    return from_rows(Received, rows)


def _seen_by(sight: Sight) -> tuple[str, list[Any]]:
    """The term for the faxes that a person may see, and its values; the same as ``Sight.covers``."""
    owners = (*sight.owners, "") if sight.unassigned else sight.owners
    ways = [
        f"owner IN ({', '.join('?' * len(owners))})",
        *["substr(dialled, 1, ?) = ?"] * len(sight.dialled),
    ]
    values = [value for number in sight.dialled for value in (len(number), number)]
    return f"({' OR '.join(ways)})", [*owners, *values]


def _marks(db: sqlite3.Connection, wanted: ReceivedFilter) -> list[str]:
    """The marks of the faxes that match, for the query on the table of words."""
    asked = []
    if wanted.sight is not None:
        owners = (*wanted.sight.owners, "") if wanted.sight.unassigned else wanted.sight.owners
        names, beginnings = (
            [OWNER + owner for owner in owners],
            [DIALLED + number for number in wanted.sight.dialled],
        )
        asked.append(words.any_mark(db, names, beginnings))
    if wanted.owner is not None:
        asked.append(words.any_mark(db, [OWNER + wanted.owner, OWNER]))
    if wanted.dialled:
        asked.append(words.any_mark(db, [DIALLED + wanted.dialled]))
    if wanted.read is not None:
        asked.append(words.any_mark(db, [f"{READ}{wanted.read:d}"]))
    return [each for each in asked if each is not None]


def unread(db: sqlite3.Connection) -> int:
    """How many received faxes are unread."""
    row = db.execute("SELECT COUNT(*) FROM received WHERE read = 0 AND deleted_at IS NULL").fetchone()
    return int(row[0])
