"""``Spool``: the database's one writer thread, its reading connections, and the doors to both.

The writer takes all operations that wait, runs each within a savepoint, and commits them together:
under load one fsync serves many, alone an operation is committed at once.  An operation that raises
is undone alone.  Nobody hears of success before the commit is on disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from appliance import durable
from appliance.spool import copies, identity
from appliance.spool.events import EventHub
from appliance.spool.identity import DATABASE_NAME
from appliance.spool.model import (
    Event,
    NewDelivery,
    News,
    SpoolClosedError,
    SpoolDamagedError,
    SpoolFailedError,
)
from appliance.spool.schema import migrate, version_of, versions

_log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

LOCK_NAME = "spool.lock"
# Folders of the data folder that hold the spool's files.
DOCUMENTS = "documents"
RENDERED = "rendered"
RECEIVED = "received"
TRACES = "traces"
FOLDERS = (DOCUMENTS, RENDERED, RECEIVED, TRACES)
# Files that no row names are put there for weeks before they are deleted (the housekeeping).
SET_ASIDE = "set-aside"
PASSING = "passing"  # files that no row ever names

# Operations in one commit at most: keeps the wait of the first one short on a slow card.
GROUP_LIMIT = 128
# Threads that read for asyncio.
LOOP_READERS = 2
# Reading connections that are kept when nobody reads.
READERS_KEPT = 6
# SQLite's page cache of a connection, KiB: small, the operating system caches the file too.
CACHE_KIB = 1024
# The writer's own: inner pages of all indexes at 100,000 jobs, so that a change costs what it does in a
# small spool (bench/spool_size.py: 1.04 times instead of 1.14).
WRITER_CACHE_KIB = 8192
# The write-ahead log is cut back to this after a checkpoint, octets.
LOG_SIZE_LIMIT = 4 << 20


class Tx:
    """A transaction under way, handed to operations that change something.

    ``db`` is the writing connection; never commit or roll back on it.  ``counted`` gives the Unix time
    whose day use is counted in.
    """

    def __init__(
        self, db: sqlite3.Connection, follow_up: FollowUp | None, counted: Callable[[], float] = time.time
    ) -> None:
        self.db = db
        self.counted = counted
        self._follow_up = follow_up
        self.events: list[Event] = []

    def emit(self, at: float, kind: str, fax_id: int | None, owner: str, **data: Any) -> Event:
        """Appends to the event log; what follows from the event is done in the same transaction."""
        cursor = self.db.execute(
            "INSERT INTO event (at, kind, fax_id, owner, data) VALUES (?, ?, ?, ?, ?)",
            (at, kind, fax_id, owner, json.dumps(data)),
        )
        event = Event(int(cursor.lastrowid or 0), at, kind, fax_id, owner, data)
        self.events.append(event)
        if self._follow_up is not None:
            self._follow_up(self, event)
        return event

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


# Does what follows from an event within its transaction (``Tx.deliver``, ``received.assign``), so that
# no event is without its deliveries, nor the other way about.  Runs in the writer thread: no waiting,
# no file, no network.  An exception undoes the operation that emitted the event: catch your own.
FollowUp = Callable[[Tx, Event], None]


class _Order:
    """An operation that waits for the writer."""

    __slots__ = ("future", "run")

    def __init__(self, run: Callable[[Tx], Any], future: Future[Any]) -> None:
        self.run = run
        self.future = future


def connect(path: Path, cache_kib: int = CACHE_KIB) -> sqlite3.Connection:
    """A connection with the settings that durability and small machines need."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30.0)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA secure_delete = ON")  # what was erased is overwritten
    db.execute("PRAGMA temp_store = MEMORY")
    db.execute(f"PRAGMA cache_size = -{cache_kib}")
    db.execute(f"PRAGMA journal_size_limit = {LOG_SIZE_LIMIT}")
    return db


def _is_damage(error: Exception) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    # The lower octet of an extended code is the plain one.
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _refusal(error: Exception) -> SpoolFailedError:
    return SpoolDamagedError(str(error)) if _is_damage(error) else SpoolFailedError(str(error))


class Spool:
    """The spool in ``data`` (made when there never was one).  One process only: the folder is locked.

    ``known_id``: the id that the settings know.  ``begin``: begins an empty index with this id whatever
    files are there.  Raises BlockingIOError when another process has it, SpoolGoneError,
    SchemaTooNewError, OSError, sqlite3.DatabaseError.
    """

    def __init__(
        self, data: Path, follow_up: FollowUp | None = None, *, known_id: str = "", begin: str = ""
    ) -> None:
        self.data = data
        self.hub = EventHub()
        self._follow_up = follow_up
        self._held = contextlib.ExitStack()
        self._held.enter_context(self.locked(data))
        with contextlib.ExitStack() as undo:
            undo.enter_context(self._held)
            identity.require_files(data)
            if not begin:
                identity.require_present(data, FOLDERS[:3], known_id)
                identity.require_folders(data, FOLDERS[:3], known_id)
            for name in FOLDERS:
                durable.make_folder(data / name)
            self._path = data / DATABASE_NAME
            if not self._path.exists():
                durable.create(self._path)
            self._db = self._held.enter_context(contextlib.closing(connect(self._path, WRITER_CACHE_KIB)))
            if 0 < version_of(self._db) < versions():
                copies.keep_before(data, self._db, versions())
            migrate(self._db)
            with contextlib.suppress(sqlite3.OperationalError):  # SQLite before 3.42 has no such option
                for table in ("sent_words", "received_words"):
                    self._db.execute(f"INSERT INTO {table} ({table}, rank) VALUES ('secure-delete', 1)")
            if begin:
                self._db.execute("UPDATE identity SET id = ?", (begin,))
            durable.fsync_folder(data)
            self.id = identity.settle(data, self._db, known_id)
            undo.pop_all()
        # Unix time whose day use is counted in; the box tells who knows better (``age_clock``).
        self.counted: Callable[[], float] = time.time
        self.damage = ""  # what SQLite says of a database that is not whole
        self._orders: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        self._closed = False
        self._closing = threading.Lock()
        self._free_readers: list[sqlite3.Connection] = []
        self._pool = ThreadPoolExecutor(LOOP_READERS, thread_name_prefix="spool-read")
        self._writer = threading.Thread(target=self._write_all, name="spool-write", daemon=True)
        self._writer.start()

    # -- doors ---------------------------------------------------------------------------------

    def follow(self, follow_up: FollowUp) -> None:
        """Sets what is done with each event from now on, in the event's own transaction."""
        self._follow_up = follow_up

    def write(
        self, operation: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Queues an operation; the future is done when it is on disk (or has raised)."""
        future: Future[T] = Future()
        with self._closing:
            if self._closed:
                raise SpoolClosedError("the spool is closed")
            self._orders.put(_Order(lambda tx: operation(tx, *args, **kwargs), future))
        return future

    def do(self, operation: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs an operation and returns its result once it is on disk.  Never on the event loop."""
        return self.write(operation, *args, **kwargs).result()

    async def ado(self, operation: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """``do`` for asyncio."""
        return await asyncio.wrap_future(self.write(operation, *args, **kwargs))

    def read(
        self, query: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Runs a reading operation in this thread, on one consistent state of the database."""
        with self._reading() as db:
            try:
                db.execute("BEGIN")
                try:
                    return query(db, *args, **kwargs)
                finally:
                    db.execute("COMMIT")
            except sqlite3.DatabaseError as error:
                if _is_damage(error):
                    self._note_damage(str(error))
                    raise SpoolDamagedError(str(error)) from error
                raise

    async def aread(
        self, query: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """``read`` for asyncio, in a thread of the spool's."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: self.read(query, *args, **kwargs))

    def news(self, at: float, kind: str, fax_id: int | None, owner: str, data: Mapping[str, Any]) -> None:
        """Passes something on to listeners that is not worth keeping."""
        self.hub.publish([News(at, kind, fax_id, owner, data)])

    def close(self) -> None:
        """Finishes what is queued, then lets go of everything.  Later operations are refused."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._orders.put(None)
        self._writer.join()
        self._pool.shutdown(wait=True)
        with self._closing:
            idle, self._free_readers = self._free_readers, []
        for reader in idle:
            reader.close()
        self._held.close()

    @staticmethod
    @contextlib.contextmanager
    def locked(data: Path) -> Iterator[None]:
        """Holds the folder for this process.  Raises BlockingIOError when another one has it."""
        durable.make_folder(data)
        durable.require_file(data / LOCK_NAME)
        lock_file = os.open(data / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        finally:
            os.close(lock_file)

    def keep_copy(self, day: str) -> bool:
        """Copies the database for ``day``; False when it is not whole, which ``damage`` then says.

        Raises DiskFullError, sqlite3.Error.
        """
        try:
            with self._reading() as db:
                copies.keep_day(self.data, db, day)
        except copies.DamagedError as error:
            self._note_damage(str(error))
            return False
        return True

    def forget_past(self) -> None:
        """After an erasure: copies and the write-ahead log, which still know it, are made anew."""
        copies.drop_all(self.data)
        with contextlib.closing(connect(self._path)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if not self.damage:
            self.keep_copy(time.strftime("%Y-%m-%d"))

    def look_for_damage(self) -> None:
        """Reads the whole database; ``damage`` says what was found."""
        try:
            with self._reading() as db:
                copies.require_whole(db)
        except copies.DamagedError as error:
            self._note_damage(str(error))

    def _note_damage(self, said: str) -> None:
        if not self.damage:
            _log.error("the database is damaged: %s. %s", said, identity.way_back(self.data))
        self.damage = said

    # -- the threads ---------------------------------------------------------------------------

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read with.  A few are kept, whatever thread used them: each has its own cache."""
        with self._closing:
            if self._closed:
                raise SpoolClosedError("the spool is closed")
            db = self._free_readers.pop() if self._free_readers else None
        if db is None:
            db = connect(self._path)
            db.execute("PRAGMA query_only = ON")
        try:
            yield db
        finally:
            with self._closing:
                keep = not self._closed and len(self._free_readers) < READERS_KEPT
                if keep:
                    self._free_readers.append(db)
            if not keep:
                db.close()

    def _write_all(self) -> None:
        more = True
        while more:
            batch: list[_Order] = []
            order = self._orders.get()
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

    def _commit(self, batch: list[_Order]) -> None:
        """Runs and commits these together, then tells each how it went."""
        outcomes: list[tuple[_Order, Any, Tx | None]] = []
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for order in batch:
                tx = Tx(self._db, self._follow_up, self.counted)
                self._db.execute("SAVEPOINT operation")
                try:
                    result = order.run(tx)
                except Exception as error:
                    disk = isinstance(error, sqlite3.OperationalError) or _is_damage(error)
                    if disk or not self._db.in_transaction:
                        raise  # the disk, not the operation: nothing of this group was kept
                    self._db.execute("ROLLBACK TO operation")
                    outcomes.append((order, error, None))
                else:
                    outcomes.append((order, result, tx))
                self._db.execute("RELEASE operation")
            self._db.execute("COMMIT")
        except Exception as error:
            self._fail(batch, error)
            return
        for order, outcome, done in outcomes:
            if done is None:
                order.future.set_exception(outcome)
            else:
                self.hub.publish(done.events)
                order.future.set_result(outcome)

    def _fail(self, batch: list[_Order], error: Exception) -> None:
        _log.error("the spool could not be written: %s", error)
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
        full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
        if _is_damage(error):
            self._note_damage(str(error))
        for order in batch:
            refusal: Exception
            if full:
                refusal = durable.DiskFullError("the disk is full")
            elif self._read_only(error):
                refusal = durable.ReadOnlyError("the disk is read-only")
            else:
                refusal = _refusal(error)
            refusal.__cause__ = error
            order.future.set_exception(refusal)

    def _read_only(self, error: Exception) -> bool:
        """Whether ``error`` came because the file system takes nothing any more."""
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_IOERR:  # what is open when a disk fails says only this
            return bool(os.statvfs(self.data).f_flag & os.ST_RDONLY)
        return bool(code == sqlite3.SQLITE_READONLY)
