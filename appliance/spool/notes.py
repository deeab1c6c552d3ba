"""Notes on faxes, for all who may see the fax."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from appliance.records import from_row, from_rows
from appliance.spool.errors import NotFoundError
from appliance.spool.model import Note
from appliance.spool.transaction import Tx

MOST_NOTES = 100  # on one fax


class TooManyNotesError(Exception):
    """The fax has ``MOST_NOTES``."""


def of_fax(db: sqlite3.Connection, fax_id: int) -> list[Note]:
    """The notes on a fax, oldest first."""
    return from_rows(Note, db.execute("SELECT * FROM note WHERE fax_id = ? ORDER BY id", (fax_id,)))


def counts(db: sqlite3.Connection, fax_ids: Sequence[int]) -> dict[int, int]:
    """How many notes each of these faxes has; those without any are left out."""
    places = ", ".join("?" * len(fax_ids))
    rows = db.execute(
        f"SELECT fax_id, COUNT(*) FROM note WHERE fax_id IN ({places}) GROUP BY fax_id", tuple(fax_ids)
    )
    return {int(fax_id): int(count) for fax_id, count in rows}


def add(tx: Tx, fax_id: int, who: str, stored: str, now: float) -> Note:
    """Adds a note; ``stored``: its text, encrypted where documents are.  Raises TooManyNotesError."""
    count = tx.db.execute("SELECT COUNT(*) FROM note WHERE fax_id = ?", (fax_id,)).fetchone()[0]
    if count >= MOST_NOTES:
        raise TooManyNotesError
    cursor = tx.db.execute(
        "INSERT INTO note (fax_id, at, who, text) VALUES (?, ?, ?, ?)", (fax_id, now, who, stored)
    )
    return get(tx.db, fax_id, int(cursor.lastrowid or 0))


def get(db: sqlite3.Connection, fax_id: int, note_id: int) -> Note:
    """Raises NotFoundError."""
    row = db.execute("SELECT * FROM note WHERE id = ? AND fax_id = ?", (note_id, fax_id)).fetchone()
    if row is None:
        raise NotFoundError(f"fax {fax_id} has no note {note_id}")
    return from_row(Note, row)


def remove(tx: Tx, note_id: int) -> None:
    """Deletes a note."""
    tx.db.execute("DELETE FROM note WHERE id = ?", (note_id,))
