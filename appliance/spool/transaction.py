"""``Tx``: an open transaction, and the follow-ups of its events."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from typing import Any

from appliance.spool.delivery import NewDelivery
from appliance.spool.model import Event


class Tx:
    """An open transaction, for operations that change something.

    ``db`` is the writing connection; operations never commit or roll back.  ``counted`` gives the Unix time
    on whose day usage is counted.
    """

    def __init__(
        self, db: sqlite3.Connection, follow_up: FollowUp | None, counted: Callable[[], float] = time.time
    ) -> None:
        self.db = db
        self.counted = counted
        self._follow_up = follow_up
        self.events: list[Event] = []

    def emit(self, at: float, kind: str, fax_id: int | None, owner: str, **data: Any) -> Event:
        """Appends to the event log; the follow-up of the event runs in the same transaction."""
        cursor = self.db.execute(
            "INSERT INTO event (at, kind, fax_id, owner, data) VALUES (?, ?, ?, ?, ?)",
            (at, kind, fax_id, owner, json.dumps(data)),
        )
        event = Event(int(cursor.lastrowid or 0), at, kind, fax_id, owner, data)
        self.events.append(event)
        if self._follow_up is not None:
            self._follow_up(self, event)
        return event

    def next_fax_id(self, count: int = 1) -> int:
        """Draws ``count`` ids from the one sequence of jobs and received faxes; returns the first."""
        row = self.db.execute(
            "UPDATE sequence SET value = value + ? WHERE name = 'fax' RETURNING value", (count,)
        ).fetchone()
        return int(row[0]) - count + 1

    def deliver(self, delivery: NewDelivery, at: float) -> int:
        """Puts a delivery in the outbox; returns its id."""
        cursor = self.db.execute(
            "INSERT INTO outbox (kind, target, payload, timetable, fax_id, owner, state, next_try_at,"
            " created_at) VALUES (?, ?, ?, ?, ?, ?, 'pending', ?, ?)",
            (
                delivery.kind,
                delivery.target,
                json.dumps(delivery.payload),
                json.dumps(delivery.timetable),
                delivery.fax_id,
                delivery.owner,
                max(at, delivery.not_before),
                at,
            ),
        )
        return int(cursor.lastrowid or 0)


# Does what follows from an event within its transaction (``Tx.deliver``, ``received.assign``), so that an
# event and its deliveries are stored together or not at all.  Runs in the writer thread: it must not wait, or
# use files or the network.  An exception undoes the operation that emitted the event.
FollowUp = Callable[[Tx, Event], None]
