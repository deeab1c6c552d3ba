"""``SpoolWriter``: the one thread that changes the database.

It takes all waiting operations, runs each within a savepoint, and commits them together with one fsync.  An
operation that raises is undone alone.  A future is done only after the commit is on disk.
"""

from __future__ import annotations

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from appliance.spool.connection import is_damage, kind_of
from appliance.spool.errors import SpoolDamagedError
from appliance.spool.model import Event
from appliance.spool.transaction import Tx

_log = logging.getLogger(__name__)

T = TypeVar("T")

# The most operations in one commit, so that the first one does not wait long on a slow card.
GROUP_LIMIT = 128
# After this long without a change, seconds, the log of changes is written to the database itself, so that
# losing the log, or copying only the database, loses no fax.  In busy times SQLite does that every thousand
# pages; half a minute combines the changes of a few faxes.  Without changes the files are looked at so often.
IDLE_S = 30.0


class _Order:
    """An operation that waits for the writer."""

    __slots__ = ("future", "run")

    def __init__(self, run: Callable[[Tx], Any], future: Future[Any]) -> None:
        self.run = run
        self.future = future


class SpoolWriter:
    """Runs operations on ``db`` in a thread of its own, in the order of ``put``.

    ``begin`` makes the transaction for an operation, ``publish`` gets the events of committed ones,
    ``note_damage`` SQLite's message on a damaged database.  ``require_files`` is called before each commit,
    and raises SpoolDamagedError when that would be lost.  ``data``: the folder.
    """

    def __init__(
        self,
        data: Path,
        db: sqlite3.Connection,
        begin: Callable[[], Tx],
        publish: Callable[[Sequence[Event]], None],
        *,
        note_damage: Callable[[str], None],
        require_files: Callable[[], None],
    ) -> None:
        self._data = data
        self._require_files = require_files
        self._db = db
        self._begin = begin
        self._publish = publish
        self._note_damage = note_damage
        self._orders: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_all, name="spool-write", daemon=True)
        self._thread.start()

    def put(self, run: Callable[[Tx], T]) -> Future[T]:
        """Queues an operation; the future is done when it is on disk (or has raised)."""
        future: Future[T] = Future()
        self._orders.put(_Order(run, future))
        return future

    def stop(self) -> None:
        """Ends the thread after what is queued; ``join`` waits for that."""
        self._orders.put(None)

    def join(self) -> None:
        """Waits until what was queued before ``stop`` is done."""
        self._thread.join()

    def _write_all(self) -> None:
        more, in_log = True, False
        while more:
            batch: list[_Order] = []
            try:
                order = self._orders.get(timeout=IDLE_S)
            except queue.Empty:
                self._rest(in_log)
                in_log = False
                continue
            while True:
                if order is None:
                    more = False
                    break
                batch.append(order)
                if len(batch) == GROUP_LIMIT:
                    break
                try:
                    order = self._orders.get_nowait()
                except queue.Empty:
                    break
            if batch:
                self._commit([order for order in batch if order.future.set_running_or_notify_cancel()])
                in_log = True

    def _rest(self, in_log: bool) -> None:
        """Looks at the files.  ``in_log``: writes the log of changes to the database, as far as no reader
        needs the older state.
        """
        try:
            self._require_files()
            if in_log:
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except SpoolDamagedError as error:
            self._note_damage(str(error))
        except sqlite3.Error as error:
            _log.warning("the last changes stay in the spool's log: %s", error)
            if is_damage(error):
                self._note_damage(str(error))

    def _commit(self, batch: list[_Order]) -> None:
        """Runs and commits these together, then sets their futures."""
        outcomes: list[tuple[_Order, Any, Tx | None]] = []
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for order in batch:
                tx = self._begin()
                self._db.execute("SAVEPOINT operation")
                try:
                    result = order.run(tx)
                except Exception as error:
                    disk = isinstance(error, sqlite3.OperationalError) or is_damage(error)
                    if disk or not self._db.in_transaction:
                        raise  # a failure of the disk: the whole group is undone
                    self._db.execute("ROLLBACK TO operation")
                    outcomes.append((order, error, None))
                else:
                    outcomes.append((order, result, tx))
                self._db.execute("RELEASE operation")
            self._require_files()
            self._db.execute("COMMIT")
        except Exception as error:
            self._fail(batch, error)
            return
        for order, outcome, done in outcomes:
            if done is None:
                order.future.set_exception(outcome)
            else:
                self._publish(done.events)
                order.future.set_result(outcome)

    def _fail(self, batch: list[_Order], error: Exception) -> None:
        _log.error("the spool could not be written: %s", error)
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        kind = kind_of(error, self._data)
        if kind is SpoolDamagedError:
            self._note_damage(str(error))
        for order in batch:
            refusal = kind(str(error))
            refusal.__cause__ = error
            order.future.set_exception(refusal)
