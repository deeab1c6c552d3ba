"""``Spool``: the data folder of one process, with its writer and its readers."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from appliance import durable
from appliance.records import DamagedRowError
from appliance.spool import copies, identity
from appliance.spool.connection import connect, is_damage
from appliance.spool.errors import SpoolClosedError, SpoolDamagedError
from appliance.spool.events import EventHub
from appliance.spool.folders import FOLDERS
from appliance.spool.identity import DATABASE_NAME
from appliance.spool.model import TransientEvent
from appliance.spool.schema import migrate, version_of, versions
from appliance.spool.transaction import FollowUp, Tx
from appliance.spool.writer import SpoolWriter

_log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

LOCK_NAME = "spool.lock"
# Reading threads for asyncio.
LOOP_READERS = 2
# Idle reading connections that are kept open.
READERS_KEPT = 6
# The writer's page cache: inner pages of all indexes at 100,000 jobs, so that a change takes as long as in a
# small spool (bench/spool_size.py: 1.04 times instead of 1.14).
WRITER_CACHE_KIB = 8192


class Spool:
    """The spool in ``data`` (made in a new folder).  One process only: the folder is locked.

    ``known_id``: the id in the settings.  ``begin``: starts an empty index with this id even if files of
    faxes exist.  Raises BlockingIOError when another process has the folder, SpoolGoneError,
    SchemaTooNewError, OSError, sqlite3.DatabaseError.
    """

    def __init__(self, data: Path, *, known_id: str = "", begin: str = "") -> None:
        self.data = data
        self.hub = EventHub()
        self._follow_up: FollowUp | None = None
        self._held = contextlib.ExitStack()
        self._held.enter_context(self.locked(data))
        with contextlib.ExitStack() as undo:
            undo.enter_context(self._held)
            identity.require_files(data)
            if not begin:
                identity.require_present(data, known_id)
                identity.require_folders(data, known_id)
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
            self._files = identity.OpenFiles(data)
            undo.pop_all()
        # Unix time, on whose day usage is counted; the box replaces it (``age_clock``).
        self.counted: Callable[[], float] = time.time
        self.damage = ""  # SQLite's message on a damaged database
        self._closed = False
        self._closing = threading.Lock()
        self._copying = threading.RLock()  # two at once would write to the same unfinished copy
        self._free_readers: list[sqlite3.Connection] = []
        self._pool = ThreadPoolExecutor(LOOP_READERS, thread_name_prefix="spool-read")
        self._writer = SpoolWriter(
            data,
            self._db,
            lambda: Tx(self._db, self._follow_up, self.counted),
            self.hub.publish,
            note_damage=self._note_damage,
            require_files=self._require_files,
        )

    # -- doors ---------------------------------------------------------------------------------

    def follow(self, follow_up: FollowUp) -> None:
        """Sets the function that runs for each event from now on, in the event's own transaction."""
        self._follow_up = follow_up

    def write(
        self, operation: Callable[Concatenate[Tx, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Queues an operation; the future is done when it is on disk (or has raised)."""
        with self._closing:
            if self._closed:
                raise SpoolClosedError("the spool is closed")
            return self._writer.put(lambda tx: operation(tx, *args, **kwargs))

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
                if is_damage(error):
                    self._note_damage(str(error))
                    raise SpoolDamagedError(str(error)) from error
                raise
            except DamagedRowError as error:
                self._note_damage(str(error))
                raise SpoolDamagedError(str(error)) from error

    async def aread(
        self, query: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """``read`` for asyncio, in a thread of the spool's."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, lambda: self.read(query, *args, **kwargs))

    def announce(self, at: float, kind: str, fax_id: int | None, owner: str, data: Mapping[str, Any]) -> None:
        """Passes a ``TransientEvent`` to listeners."""
        self.hub.publish([TransientEvent(at, kind, fax_id, owner, data)])

    def close(self) -> None:
        """Finishes what is queued, then closes everything.  Later operations are refused."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._writer.stop()
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
        """Holds the folder for this process.  Raises BlockingIOError when another one has it.

        The folder itself is locked, because a lock file looks like one that was left behind: when it was
        deleted, a second box would send every fax, too.  Versions before 0.2 lock the file alone.
        """
        durable.make_folder(data)
        durable.require_file(data / LOCK_NAME)
        with contextlib.ExitStack() as held:
            for path, flags in ((data, os.O_DIRECTORY), (data / LOCK_NAME, os.O_RDWR | os.O_CREAT)):
                descriptor = os.open(path, flags, 0o600)
                held.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield

    def keep_copy(self, day: str) -> bool:
        """Copies the database as that of ``day``; returns False when it is damaged, and sets ``damage``.

        Raises DiskFullError, sqlite3.Error.
        """
        try:
            with self._copying, self._reading() as db:
                copies.keep_day(self.data, db, day)
        except copies.DamagedError as error:
            self._note_damage(str(error))
            return False
        return True

    def forget_past(self) -> None:
        """Replaces copies and the write-ahead log after an erasure, since they still have the content."""
        with self._copying:
            copies.drop_all(self.data)
            with contextlib.closing(connect(self._path)) as db:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            if not self.damage:
                self.keep_copy(time.strftime("%Y-%m-%d"))

    def put_folders_back(self) -> None:
        """Makes folders again that somebody removed while the box runs, so that it can receive.

        Raises OSError.
        """
        for name in FOLDERS:
            if self.data.is_dir() and not os.path.lexists(self.data / name):
                _log.error("%s/ was removed while the box was running, and is made again without files", name)
                durable.make_folder(self.data / name)

    def look_for_damage(self) -> None:
        """Checks the whole database; sets ``damage``."""
        try:
            with self._reading() as db:
                copies.require_undamaged(db)
        except copies.DamagedError as error:
            self._note_damage(str(error))
        except sqlite3.Error as error:
            _log.error("the database cannot be checked: %s", error)

    def _note_damage(self, said: str) -> None:
        if not self.damage:
            _log.error("the database is damaged: %s. %s", said, identity.repair_advice(self.data))
        self.damage = said

    def _require_files(self) -> None:
        """Raises SpoolDamagedError when files of the open database are gone; what they had is saved first."""
        taken = self._files.taken()
        if not taken:
            return
        said = f"{', '.join(path.name for path in taken)} was deleted or replaced while the box was running"
        if not self.damage:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            try:
                self._save(taken)
            except (OSError, sqlite3.Error, durable.DiskFullError, copies.DamagedError) as error:
                _log.error("%s, and what it had cannot be saved: %s", said, error)
        raise SpoolDamagedError(said)

    def _save(self, taken: list[Path]) -> None:
        """Writes what the open database has where the next start, or ``spool rebuild``, finds it."""
        self._db.execute("PRAGMA wal_checkpoint(FULL)")
        if self._path in taken:
            # Without a database the next start stops with advice instead of using an older one.
            with contextlib.suppress(FileNotFoundError):
                self._path.rename(self._path.with_name(f"{DATABASE_NAME}.unusable-{int(time.time())}"))
            with self._copying:
                copies.keep_day(self.data, self._db, time.strftime("%Y-%m-%d"))

    # -- the threads ---------------------------------------------------------------------------

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A reading connection.  A few are kept for all threads: each has its own cache."""
        with self._closing:
            if self._closed:
                raise SpoolClosedError("the spool is closed")
            db = self._free_readers.pop() if self._free_readers else None
        if db is None:
            if self._path in self._files.taken():  # connecting would make a new database
                raise SpoolDamagedError(f"{self._path.name} is gone")
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
