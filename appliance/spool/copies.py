"""Copies of the undamaged database: one a day, and one before each migration."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from appliance import durable
from appliance.spool.connection import is_damage

FOLDER = "copies"
# How many daily copies are kept, and how many from before migrations.
DAYS_KEPT = 3
MIGRATIONS_KEPT = 2
_OF_DAY, _BEFORE = "spool-", "before-version-"


class DamagedError(Exception):
    """The database is damaged; the text is SQLite's."""


def newest(data: Path) -> Path | None:
    """The newest copy; None without one."""
    found = durable.oldest_first((data / FOLDER).glob("*.sqlite3"))
    return found[-1] if found else None


def drop_all(data: Path) -> None:
    """Destroys all copies."""
    for path in (data / FOLDER).glob("*.sqlite3"):
        durable.shred(path)


def keep_day(data: Path, db: sqlite3.Connection, day: str) -> Path:
    """Copies the database under the name of a day.  Raises DamagedError, DiskFullError, sqlite3.Error."""
    return _keep(data, db, f"{_OF_DAY}{day}", DAYS_KEPT)


def keep_before(data: Path, db: sqlite3.Connection, version: int) -> Path:
    """Copies the database before it is migrated to ``version``.  Raises as ``keep_day``."""
    return _keep(data, db, f"{_BEFORE}{version}", MIGRATIONS_KEPT)


def _keep(data: Path, db: sqlite3.Connection, name: str, kept: int) -> Path:
    folder = data / FOLDER
    durable.make_folder(folder)
    path = folder / f"{name}.sqlite3"

    def fill(part: Path) -> None:
        part.unlink(missing_ok=True)
        durable.create(part)
        with contextlib.closing(sqlite3.connect(part)) as copy:
            db.backup(copy)
            require_undamaged(copy)

    durable.place(path, fill)
    prefix = name[: name.rindex("-") + 1] if name.startswith(_BEFORE) else _OF_DAY
    others = [each for each in folder.glob(f"{prefix}*.sqlite3") if each != path]
    for old in durable.oldest_first(others)[: len(others) - (kept - 1)]:
        old.unlink(missing_ok=True)
    return path


def require_undamaged(db: sqlite3.Connection) -> None:
    """Raises DamagedError unless SQLite finds nothing wrong.  Reads all of the database.

    Raises sqlite3.Error when it cannot be read for another reason, such as a full disk.
    """
    try:
        said = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            raise DamagedError(str(error)) from error
        raise
    if said != "ok":
        raise DamagedError(" ".join(said.split()))
