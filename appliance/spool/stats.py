"""Counts over the journal, for monitoring."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from appliance.spool.transaction import Tx

# Sums by line and code of the cause that do not decrease when rows of the journal expire.
FAXES_ENDED, CALLS_ENDED, PAGES_SENT = "sum.faxes", "sum.calls", "sum.pages"
CALLS_RECEIVED, PAGES_RECEIVED = "sum.received_calls", "sum.received_pages"
SUMS = (FAXES_ENDED, CALLS_ENDED, PAGES_SENT, CALLS_RECEIVED, PAGES_RECEIVED)


def add(tx: Tx, total: str, line: str, code: str, by: int = 1) -> None:
    """Adds to one of ``SUMS``, in the transaction of what is counted."""
    tx.db.execute(
        "INSERT INTO tally VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
        (total, line, code, by),
    )


def sums(db: sqlite3.Connection) -> list[tuple[str, str, str, int]]:
    """(name in ``SUMS``, line, cause code, sum) since the spool was made."""
    marks = ", ".join("?" * len(SUMS))
    rows = db.execute(f"SELECT what, state, kind, count FROM tally WHERE what IN ({marks})", SUMS)
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def ended(db: sqlite3.Connection) -> list[tuple[str, str, int]]:
    """(state, cause code, how many) of the jobs that ended and are still in the journal."""
    rows = db.execute("SELECT state, kind, count FROM tally WHERE what = 'job' AND count > 0")
    return [(row[0], row[1], row[2]) for row in rows]


def by_state(db: sqlite3.Connection, owner: str | None) -> dict[str, int]:
    """How many jobs of ``owner`` (None: of anybody) are in each state."""
    if owner is not None:
        rows = db.execute("SELECT state, COUNT(*) FROM job WHERE owner = ? GROUP BY state", (owner,))
        return {row[0]: row[1] for row in rows}
    counts: dict[str, int] = {}
    for state, _, count in ended(db):
        counts[state] = counts.get(state, 0) + count
    rows = db.execute("SELECT state, COUNT(*) FROM job WHERE ended_at IS NULL GROUP BY state")
    return counts | {row[0]: row[1] for row in rows}


def by_state_of(db: sqlite3.Connection, submission_ids: Iterable[int]) -> dict[str, int]:
    """How many jobs of these submissions are in each state."""
    counts: dict[str, int] = {}
    for submission_id in submission_ids:
        rows = db.execute(
            "SELECT state, COUNT(*) FROM job WHERE submission_id = ? GROUP BY state", (submission_id,)
        )
        for state, count in rows:
            counts[state] = counts.get(state, 0) + count
    return counts


def received(db: sqlite3.Connection) -> list[tuple[str, int]]:
    """(state, how many) of the received faxes."""
    rows = db.execute("SELECT state, count FROM tally WHERE what = 'received' AND count > 0")
    return [(row[0], row[1]) for row in rows]


def deliveries(db: sqlite3.Connection) -> list[tuple[str, str, int]]:
    """(kind, state, how many) of the deliveries."""
    rows = db.execute("SELECT kind, state, count FROM tally WHERE what = 'outbox' AND count > 0")
    return [(row[0], row[1], row[2]) for row in rows]
