"""The outbox: webhooks, e-mails, prints and folders to deliver.  They survive a restart.

A delivery is added in the transaction of the event that it follows from (``Tx.deliver``, in the follow-up
of ``Spool``).  The worker takes what is ``due``, tries, and records ``succeeded`` or ``failed``; after a
crash in between, the same delivery is tried again (at least once, never lost).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection

from appliance.records import from_row, from_rows
from appliance.spool.delivery import Delivery, DeliveryFilter, DeliveryTry, OutboxState
from appliance.spool.errors import IllegalTransitionError
from appliance.spool.rows import row_of
from appliance.spool.transaction import Tx

# Octets that are kept of a target's answer or of an error's text.
DETAIL_LIMIT = 1000


def due(
    db: sqlite3.Connection,
    now: float,
    limit: int = 50,
    *,
    not_ids: Collection[int] = (),
    not_targets: Collection[str] = (),
) -> list[Delivery]:
    """Pending deliveries that are due, the longest due first, without the given ids and targets."""
    rows = db.execute(
        "SELECT * FROM outbox WHERE state = 'pending' AND next_try_at <= ?"
        f" AND id NOT IN ({_marks(not_ids)}) AND target NOT IN ({_marks(not_targets)})"
        " ORDER BY next_try_at, id LIMIT ?",
        (now, *not_ids, *not_targets, limit),
    )
    return from_rows(Delivery, rows)


def next_due_at(db: sqlite3.Connection, after: float = 0.0) -> float | None:
    """Unix time of the next pending delivery after ``after``; None without one."""
    row = db.execute(
        "SELECT MIN(next_try_at) FROM outbox WHERE state = 'pending' AND next_try_at > ?", (after,)
    ).fetchone()
    return None if row[0] is None else float(row[0])


def succeeded(tx: Tx, delivery_id: int, now: float, detail: str = "") -> None:
    """Records a try that succeeded: the delivery is done."""
    delivery = _pending(tx, delivery_id)
    _record(tx, delivery, now, True, detail)
    _close(tx, delivery, OutboxState.DONE, now)


def failed(tx: Tx, delivery_id: int, now: float, detail: str, *, final: bool = False) -> Delivery:
    """Records a try that failed: the next is due by the timetable; past its end, or if ``final``, none."""
    delivery = _pending(tx, delivery_id)
    _record(tx, delivery, now, False, detail)
    if final or delivery.tries >= len(delivery.timetable):
        _close(tx, delivery, OutboxState.FAILED, now, detail)
    else:
        tx.db.execute(
            "UPDATE outbox SET next_try_at = ?, last_error = ? WHERE id = ?",
            (now + delivery.timetable[delivery.tries], detail[:DETAIL_LIMIT], delivery_id),
        )
    return get(tx.db, delivery_id)


def pull_in(tx: Tx, now: float) -> int:
    """Makes deliveries due that would wait longer than their timetable allows, after the clock was set back.

    Returns their number.
    """
    cursor = tx.db.execute(
        "UPDATE outbox SET next_try_at = :now WHERE state = 'pending' AND next_try_at > :now AND CASE tries"
        " WHEN 0 THEN next_try_at <= created_at"
        " ELSE next_try_at > :now + (SELECT COALESCE(MAX(value), 0) FROM json_each(timetable)) END",
        {"now": now},
    )
    return cursor.rowcount


def drop(tx: Tx, delivery_id: int, now: float, reason: str) -> None:
    """Drops a pending delivery."""
    _close(tx, _pending(tx, delivery_id), OutboxState.DROPPED, now, reason)


def hand_over(tx: Tx, delivery_id: int, times: int) -> None:
    """Sets ``Delivery.handed_over``."""
    tx.db.execute(
        "UPDATE outbox SET payload = json_set(payload, '$.handed_over', ?) WHERE id = ?", (times, delivery_id)
    )


def again(tx: Tx, delivery_id: int, now: float) -> Delivery:
    """Makes a delivery due at once, in whatever state it is; one that is done, as one to make anew."""
    delivery = get(tx.db, delivery_id)
    payload = dict(delivery.payload)
    if delivery.state is OutboxState.DONE:
        payload |= {"handed_over": 0, "repeats": delivery.repeats + 1}
    tx.db.execute(
        "UPDATE outbox SET state = 'pending', next_try_at = ?, ended_at = NULL, payload = ? WHERE id = ?",
        (now, json.dumps(payload), delivery_id),
    )
    tx.emit(now, "outbox.pending", delivery.fax_id, delivery.owner, delivery=delivery_id)
    return get(tx.db, delivery_id)


def get(db: sqlite3.Connection, delivery_id: int) -> Delivery:
    """Raises NotFoundError."""
    return from_row(Delivery, row_of(db, "outbox", delivery_id, "delivery"))


def of_fax(db: sqlite3.Connection, fax_id: int) -> list[Delivery]:
    """All deliveries of one job or received fax, oldest first."""
    return from_rows(Delivery, db.execute("SELECT * FROM outbox WHERE fax_id = ? ORDER BY id", (fax_id,)))


def search(db: sqlite3.Connection, wanted: DeliveryFilter) -> list[Delivery]:
    """The deliveries that match, newest first."""
    # With a state, the few deliveries that are in it are looked through, not all of the kind: a plus keeps
    # SQLite from the kind's index.
    kind = "+kind = ?" if wanted.states else "kind = ?"
    terms = {
        kind: wanted.kind or None,
        "owner = ?": wanted.owner or None,
        "fax_id = ?": wanted.fax_id,
        "id < ?": wanted.before_id,
    }
    given = {term: value for term, value in terms.items() if value is not None}
    # Each state by itself, and as a word of the query: so SQLite takes the index of that state's rows.
    rows: list[sqlite3.Row] = []
    for state in [f"state = '{each.value}'" for each in wanted.states] or [""]:
        where = " AND ".join(filter(None, (*given, state)))
        rows += db.execute(
            f"SELECT * FROM outbox{f' WHERE {where}' if where else ''} ORDER BY id DESC LIMIT ?",
            (*given.values(), wanted.limit),
        )
    rows.sort(key=lambda row: -row["id"])
    return from_rows(Delivery, rows[: wanted.limit])


def tries(db: sqlite3.Connection, delivery_id: int) -> list[DeliveryTry]:
    """The tries of a delivery, first to last."""
    rows = db.execute("SELECT * FROM outbox_try WHERE outbox_id = ? ORDER BY number", (delivery_id,))
    return from_rows(DeliveryTry, rows)


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))


def _pending(tx: Tx, delivery_id: int) -> Delivery:
    delivery = get(tx.db, delivery_id)
    if delivery.state is not OutboxState.PENDING:
        raise IllegalTransitionError(f"delivery {delivery_id} is {delivery.state.value}")
    return delivery


def _record(tx: Tx, delivery: Delivery, now: float, ok: bool, detail: str) -> None:
    tx.db.execute(
        "INSERT INTO outbox_try VALUES (?, ?, ?, ?, ?)",
        (delivery.id, delivery.tries + 1, now, ok, detail[:DETAIL_LIMIT]),
    )
    tx.db.execute("UPDATE outbox SET tries = tries + 1 WHERE id = ?", (delivery.id,))


def _close(tx: Tx, delivery: Delivery, state: OutboxState, now: float, error: str = "") -> None:
    tx.db.execute(
        "UPDATE outbox SET state = ?, ended_at = ?, last_error = ? WHERE id = ?",
        (state.value, now, error[:DETAIL_LIMIT], delivery.id),
    )
    tx.emit(now, f"outbox.{state.value}", delivery.fax_id, delivery.owner, delivery=delivery.id)
