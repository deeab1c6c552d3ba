"""A connection to the database, and what SQLite says of one that is damaged."""

from __future__ import annotations

import sqlite3
from pathlib import Path

# SQLite's page cache of a connection, KiB: small, the operating system caches the file too.
CACHE_KIB = 1024
# The write-ahead log is cut back to this after a checkpoint, octets.
LOG_SIZE_LIMIT = 4 << 20


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


def is_damage(error: Exception) -> bool:
    """Whether SQLite says with ``error`` that the file is not, or no longer, a whole database."""
    code = getattr(error, "sqlite_errorcode", None)
    # The lower octet of an extended code is the plain one.
    return code is not None and code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
