"""A connection to the database, and the meaning of SQLite's errors."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from appliance import durable
from appliance.spool.errors import SpoolDamagedError, SpoolFailedError

# SQLite's page cache of a connection, KiB: small, the operating system caches the file too.
CACHE_KIB = 1024
# The size that the write-ahead log is truncated to after a checkpoint, octets.
LOG_SIZE_LIMIT = 4 << 20


def connect(path: Path, cache_kib: int = CACHE_KIB) -> sqlite3.Connection:
    """A connection to the database ``path``, set up for durability and small machines."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30.0)
    db.row_factory = sqlite3.Row
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA secure_delete = ON")  # overwrites erased content
    db.execute("PRAGMA temp_store = MEMORY")
    db.execute(f"PRAGMA cache_size = -{cache_kib}")
    db.execute(f"PRAGMA journal_size_limit = {LOG_SIZE_LIMIT}")
    return db


def is_damage(error: Exception) -> bool:
    """Whether ``error`` of SQLite means that the file is damaged or not a database."""
    code = getattr(error, "sqlite_errorcode", None)
    # The lower octet of an extended result code is the primary one.
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def kind_of(error: Exception, data: Path) -> type[Exception]:
    """What an operation on the database in ``data`` that met ``error`` raises."""
    if is_damage(error) or isinstance(error, SpoolDamagedError):
        return SpoolDamagedError
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return durable.DiskFullError
    if code == sqlite3.SQLITE_READONLY:
        return durable.ReadOnlyError
    if code == sqlite3.SQLITE_IOERR:  # also for a quota and a file system that shut itself
        try:
            durable.try_write(data)
        except durable.DiskFullError as refused:
            return type(refused)
        except OSError:
            pass
    return SpoolFailedError
