"""The event log, and its listeners, which get events once they are committed.

The log itself is the ``event`` table (``since`` reads it); it survives a restart, so a listener that
was disconnected asks for the events after the last id it saw.  A ``TransientEvent`` (training, signal
quality, percent of a page) goes to listeners only and is not written to the disk.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence

from appliance.spool.model import Event, TransientEvent

_log = logging.getLogger(__name__)

# Most queued items of a listener: beyond that the oldest are dropped, and the listener reads the log.
LISTENER_BACKLOG = 1000


class EventQueue:
    """A bounded queue of events for one reader, in any thread."""

    def __init__(self, hub: EventHub) -> None:
        self._hub = hub
        self._queue: deque[Event | TransientEvent] = deque()
        self._ready = threading.Condition()
        self.missed = False  # the reader was too slow: read the log from the last id seen

    def put(self, item: Event | TransientEvent) -> None:
        """Queues an item; drops the oldest and sets ``missed`` when the backlog is full."""
        with self._ready:
            if len(self._queue) >= LISTENER_BACKLOG:
                self._queue.popleft()
                self.missed = True
            self._queue.append(item)
            self._ready.notify()

    def get(self, timeout: float) -> Event | TransientEvent | None:
        """The next item, or None when none came within ``timeout`` seconds."""
        with self._ready:
            if not self._queue:
                self._ready.wait(timeout)
            return self._queue.popleft() if self._queue else None

    def close(self) -> None:
        """Ends the subscription."""
        self._hub.remove(self)

    def __enter__(self) -> EventQueue:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class EventHub:
    """Passes events on to listeners and callbacks.  Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[EventQueue] = []
        self._callbacks: list[Callable[[Event | TransientEvent], None]] = []

    def listen(self) -> EventQueue:
        """A new listener; close it (or use it in a ``with``) when done."""
        listener = EventQueue(self)
        with self._lock:
            self._listeners.append(listener)
        return listener

    def remove(self, listener: EventQueue) -> None:
        """Ends a listener's subscription."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def call(self, callback: Callable[[Event | TransientEvent], None]) -> None:
        """Calls ``callback`` for each item, in the publishing thread: it must be quick."""
        with self._lock:
            self._callbacks.append(callback)

    def publish(self, items: Sequence[Event | TransientEvent]) -> None:
        """Passes items to all listeners and callbacks, in order."""
        with self._lock:
            listeners, callbacks = list(self._listeners), list(self._callbacks)
        for item in items:
            for listener in listeners:
                listener.put(item)
            for callback in callbacks:
                try:
                    callback(item)
                except Exception:  # a listener's bug must not stop the spool
                    _log.exception("an event callback failed on %s", item.kind)


def to_event(row: sqlite3.Row) -> Event:
    """A row of the table ``event`` as an Event."""
    return Event(row["id"], row["at"], row["kind"], row["fax_id"], row["owner"], json.loads(row["data"]))


def since(
    db: sqlite3.Connection, event_id: int, *, owner: str | None = None, limit: int = 500
) -> list[Event]:
    """The events after ``event_id``, oldest first; with ``owner`` only theirs and everyone's."""
    if owner is None:
        rows = db.execute("SELECT * FROM event WHERE id > ? ORDER BY id LIMIT ?", (event_id, limit))
    else:
        rows = db.execute(
            "SELECT * FROM event WHERE id > ? AND owner IN (?, '') ORDER BY id LIMIT ?",
            (event_id, owner, limit),
        )
    return [to_event(row) for row in rows]


def of_fax(db: sqlite3.Connection, fax_id: int, limit: int = 1000) -> list[Event]:
    """All events of one job or received fax, oldest first."""
    rows = db.execute("SELECT * FROM event WHERE fax_id = ? ORDER BY id LIMIT ?", (fax_id, limit))
    return [to_event(row) for row in rows]


def last_id(db: sqlite3.Connection) -> int:
    """The id of the newest event, 0 when there is none."""
    return int(db.execute("SELECT COALESCE(MAX(id), 0) FROM event").fetchone()[0])


def last_event_at(db: sqlite3.Connection) -> float | None:
    """Unix time of the newest event, None when there is none."""
    row = db.execute("SELECT at FROM event ORDER BY id DESC LIMIT 1").fetchone()
    return None if row is None else float(row[0])
