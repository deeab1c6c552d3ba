"""Records beside the faxes: audit log, usage counters, learned destinations, programs."""

from __future__ import annotations

import sqlite3
import time

from appliance.records import from_row, from_rows, insert, to_row
from appliance.spool.model import Job, Reach
from appliance.spool.remembered import AuditEntry, Destination, Program, Usage
from appliance.spool.rows import row_of
from appliance.spool.transaction import Tx

# -- audit ---------------------------------------------------------------------------------------


def audit(
    tx: Tx, who: str, action: str, now: float, *, object: str = "", address: str = "", detail: str = ""
) -> None:
    """Adds an entry to the audit log: who saw, sent or changed what, from where.  Never secrets."""
    tx.db.execute(
        "INSERT INTO audit (at, who, action, object, address, detail) VALUES (?, ?, ?, ?, ?, ?)",
        (now, who, action, object, address, detail),
    )


def audit_log(
    db: sqlite3.Connection, *, who: str = "", before_id: int | None = None, limit: int = 100
) -> list[AuditEntry]:
    """Newest first."""
    before = before_id if before_id is not None else 1 << 62
    if who:
        rows = db.execute(
            "SELECT * FROM audit WHERE who = ? AND id < ? ORDER BY id DESC LIMIT ?", (who, before, limit)
        )
    else:
        rows = db.execute("SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?", (before, limit))
    return from_rows(AuditEntry, rows)


# -- usage ---------------------------------------------------------------------------------------


# Clocks change by an hour, or by half of one.
CLOCK_CHANGE_S = 1800.0
# What waits for the next day is due this long after its beginning, seconds.
DAY_BEGUN_S = 5.0


def day_of(at: float) -> str:
    """The day ``at`` falls on in the box's time zone, as YYYY-MM-DD."""
    return time.strftime("%Y-%m-%d", time.localtime(at))


def next_day(at: float) -> float:
    """Unix time ``DAY_BEGUN_S`` after the beginning of the day that follows the day of ``at``."""
    now = time.localtime(at)
    begin = time.mktime((now.tm_year, now.tm_mon, now.tm_mday + 1, 0, 0, 0, 0, 0, -1))
    # Where clocks change at midnight, there may be none, or two.
    while day_of(begin) == day_of(at):
        begin += CLOCK_CHANGE_S
    while day_of(begin - CLOCK_CHANGE_S) != day_of(at):
        begin -= CLOCK_CHANGE_S
    return begin + DAY_BEGUN_S


def scopes(job: Job) -> tuple[str, ...]:
    """The scopes that a call of this job is counted under.

    ``box``, ``owner:NAME`` and ``key:NAME`` for quotas and reports, practice included; ``outside``,
    ``outside:OWNER``, ``outside:key:NAME`` and ``abroad`` for the daily limits.
    """
    found = ["box", f"owner:{job.owner}"]
    if job.key:
        found.append(f"key:{job.key}")
    if job.reach.outside:
        found += ["outside", f"outside:{job.owner}"]
        if job.key:
            found.append(f"outside:key:{job.key}")
    if job.reach is Reach.ABROAD:
        found.append("abroad")
    return tuple(found)


def count_call(tx: Tx, scopes: tuple[str, ...]) -> None:
    """Counts a call that was placed today."""
    _count(tx, scopes, calls=1)


def uncount_call(tx: Tx, scopes: tuple[str, ...]) -> None:
    """Takes back the count of a call that was not placed."""
    day = day_of(tx.counted())
    for scope in scopes:
        tx.db.execute("UPDATE usage SET calls = MAX(calls - 1, 0) WHERE day = ? AND scope = ?", (day, scope))


def count_pages(tx: Tx, scopes: tuple[str, ...], *, pages: int, seconds: float) -> None:
    """Counts ``pages`` confirmed pages and ``seconds`` of a call that ended today."""
    if pages or seconds:
        _count(tx, scopes, pages=pages, seconds=seconds)


def _count(tx: Tx, scopes: tuple[str, ...], *, calls: int = 0, pages: int = 0, seconds: float = 0.0) -> None:
    day = day_of(tx.counted())
    for scope in scopes:
        tx.db.execute(
            "INSERT INTO usage (day, scope, calls, pages, seconds) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (scope, day) DO UPDATE SET calls = calls + excluded.calls,"
            " pages = pages + excluded.pages, seconds = seconds + excluded.seconds",
            (day, scope, calls, pages, seconds),
        )


def usage(db: sqlite3.Connection, scope: str, first_day: str, last_day: str | None = None) -> Usage:
    """The usage in ``scope`` (see ``scopes``) from one day to another (YYYY-MM-DD), both included."""
    row = db.execute(
        "SELECT COALESCE(SUM(calls), 0), COALESCE(SUM(pages), 0), COALESCE(SUM(seconds), 0) FROM usage"
        " WHERE scope = ? AND day BETWEEN ? AND ?",
        (scope, first_day, last_day or first_day),
    ).fetchone()
    return Usage(int(row[0]), int(row[1]), float(row[2]))


# -- destinations --------------------------------------------------------------------------------


def destination(db: sqlite3.Connection, number: str) -> Destination | None:
    """What was learned about a number, None without an entry."""
    row = db.execute("SELECT * FROM destination WHERE number = ?", (number,)).fetchone()
    return from_row(Destination, row) if row is not None else None


def destinations(db: sqlite3.Connection, *, after: str = "", limit: int = 100) -> list[Destination]:
    """Learned destinations in the order of their numbers, those after ``after``."""
    rows = db.execute("SELECT * FROM destination WHERE number > ? ORDER BY number LIMIT ?", (after, limit))
    return from_rows(Destination, rows)


def save_destination(tx: Tx, entry: Destination) -> None:
    """Writes what was learned about a number, in place of an earlier entry."""
    insert(tx.db, "destination", to_row(entry), replace=True)


def forget_destination(tx: Tx, number: str) -> bool:
    """Deletes what was learned, quarantine included; False when there was no entry."""
    return tx.db.execute("DELETE FROM destination WHERE number = ?", (number,)).rowcount > 0


# -- programs ------------------------------------------------------------------------------------


def create_program(tx: Tx, owner: str, name: str, document_id: int, now: float) -> Program:
    """Makes a program: a stored document under a name, ready to be sent; ``now`` is Unix time."""
    cursor = tx.db.execute(
        "INSERT INTO program (owner, name, document_id, created_at) VALUES (?, ?, ?, ?)",
        (owner, name, document_id, now),
    )
    return Program(int(cursor.lastrowid or 0), owner, name, document_id, now)


def get_program(db: sqlite3.Connection, program_id: int) -> Program:
    """Raises NotFoundError."""
    return Program(**dict(row_of(db, "program", program_id)))


def programs(db: sqlite3.Connection, owner: str, limit: int = 100) -> list[Program]:
    """Newest first."""
    rows = db.execute("SELECT * FROM program WHERE owner = ? ORDER BY id DESC LIMIT ?", (owner, limit))
    return [Program(**dict(row)) for row in rows]


def change_program(tx: Tx, program_id: int, name: str, document_id: int) -> Program:
    """Changes a program's name and document.  Raises NotFoundError."""
    get_program(tx.db, program_id)
    tx.db.execute(
        "UPDATE program SET name = ?, document_id = ? WHERE id = ?", (name, document_id, program_id)
    )
    return get_program(tx.db, program_id)


def delete_program(tx: Tx, program_id: int) -> None:
    """Deletes a program, not its document.  Raises NotFoundError."""
    get_program(tx.db, program_id)
    tx.db.execute("DELETE FROM program WHERE id = ?", (program_id,))
