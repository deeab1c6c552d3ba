"""One row of a table, by its id."""

from __future__ import annotations

import sqlite3

from appliance.spool.errors import NotFoundError


def row_of(db: sqlite3.Connection, table: str, row_id: int, word: str = "") -> sqlite3.Row:
    """The row ``row_id`` of ``table``.  Raises NotFoundError, whose text calls the row ``word`` (default:
    the table's name).
    """
    row: sqlite3.Row | None = db.execute(f"SELECT * FROM {table} WHERE id = ?", (row_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"no {word or table} {row_id}")
    return row
