"""Documents offered for polling, each under the selective polling address that a caller sends (SEP)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from appliance.records import from_row, from_rows
from appliance.spool.model import FILES, SourceFile
from appliance.spool.remembered import NameTakenError, Offer, TooManyError
from appliance.spool.rows import row_of
from appliance.spool.transaction import Tx

# The most offers: all of them are passed to each incoming call.
MOST = 200


def create(
    tx: Tx,
    owner: str,
    name: str,
    title: str,
    files: Sequence[SourceFile],
    *,
    uuid: str,
    rendered_path: str,
    pages: int,
    now: float,
) -> Offer:
    """Offers rendered pages.  Raises NameTakenError, TooManyError."""
    if tx.db.execute("SELECT COUNT(*) FROM offer").fetchone()[0] >= MOST:
        raise TooManyError(f"at most {MOST}")
    if tx.db.execute("SELECT 1 FROM offer WHERE name = ?", (name,)).fetchone() is not None:
        raise NameTakenError(name)
    cursor = tx.db.execute(
        "INSERT INTO offer (uuid, owner, name, title, files, rendered_path, pages, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (uuid, owner, name, title, FILES.write(files), rendered_path, pages, now),
    )
    return get(tx.db, int(cursor.lastrowid or 0))


def get(db: sqlite3.Connection, offer_id: int) -> Offer:
    """Raises NotFoundError."""
    return from_row(Offer, row_of(db, "offer", offer_id))


def every(db: sqlite3.Connection) -> list[Offer]:
    """All offers, oldest first."""
    return from_rows(Offer, db.execute("SELECT * FROM offer ORDER BY id"))


def delete(tx: Tx, offer_id: int) -> Offer:
    """Removes an offer; the caller deletes its files.  Raises NotFoundError."""
    offer = get(tx.db, offer_id)
    tx.db.execute("DELETE FROM offer WHERE id = ?", (offer_id,))
    return offer


def fetched(tx: Tx, offer_id: int, caller: str, now: float) -> None:
    """Records that a caller fetched all pages of an offer."""
    rows = tx.db.execute(
        "UPDATE offer SET polled = polled + 1, polled_at = ? WHERE id = ? RETURNING name, owner",
        (now, offer_id),
    ).fetchall()
    for row in rows:
        tx.emit(now, "offer.polled", None, row["owner"], offer=offer_id, name=row["name"], caller=caller)
