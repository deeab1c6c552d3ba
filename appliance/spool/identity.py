"""Which spool a data folder holds, so that a lost index is never replaced by an empty one unnoticed.

The database has an id; a marker beside it (``spool.json``) and the settings name the same one.  If the
database is missing, but there is a marker, a known id, or files of faxes, no new database is made;
``SpoolGoneError`` says what to do.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from appliance import durable
from appliance.settings.files import PHONEBOOK_FILE, SETTINGS_FILE
from appliance.spool import copies
from appliance.spool.folders import FOLDERS, OF_FAXES

DATABASE_NAME = "spool.sqlite3"
MARKER_NAME = "spool.json"


class SpoolGoneError(RuntimeError):
    """The index of the faxes is missing, damaged, or that of another box; the text says what to do."""


# Suffixes of the files that SQLite keeps beside a database in WAL mode.
BESIDE = ("-wal", "-shm")


@contextlib.contextmanager
def reading(data: Path) -> Iterator[sqlite3.Connection]:
    """The database of a data folder, to read only.  Raises sqlite3.Error."""
    path = data / DATABASE_NAME
    # SQLite has to make the files beside it, unless nothing can change.
    beside = any(path.with_name(path.name + suffix).exists() for suffix in BESIDE)
    how = "mode=ro" if beside or not _is_read_only(data) else "mode=ro&immutable=1"
    with contextlib.closing(sqlite3.connect(f"file:{path}?{how}", uri=True)) as db:
        yield db


def _is_read_only(data: Path) -> bool:
    try:
        return bool(os.statvfs(data).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def require_files(data: Path) -> None:
    """Raises SpoolGoneError when the database or a file of it is something other than a file."""
    for name in (DATABASE_NAME, *(f"{DATABASE_NAME}{suffix}" for suffix in BESIDE)):
        try:
            durable.require_file(data / name)
        except durable.NotAFileError as error:
            raise SpoolGoneError(f"{error} {repair_advice(data)}") from error
    try:
        durable.require_file(data / MARKER_NAME)
    except durable.NotAFileError as error:
        raise SpoolGoneError(str(error)) from error


def not_usable(data: Path) -> Path | None:
    """The first of the box's files and folders that this process may not read and write; None if it may all.

    SQLite takes a database that it may not open for a damaged one, one that it may only read for a read-only
    disk.  On a read-only file system nothing is said: no mode would help.
    """
    if not data.is_dir() or _is_read_only(data):
        return None
    if not os.access(data, _modes(data)):
        return data
    database = (f"{DATABASE_NAME}{suffix}" for suffix in ("", *BESIDE))
    names = (*database, MARKER_NAME, SETTINGS_FILE, PHONEBOOK_FILE, *FOLDERS)
    found = (data / name for name in names)
    return next((path for path in found if path.exists() and not os.access(path, _modes(path))), None)


def _modes(path: Path) -> int:
    return os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)


class OpenFiles:
    """The files of the open database in ``data``: whether they still have their names.

    SQLite continues with a file that somebody deleted or replaced; what it writes there is lost with the
    process.
    """

    def __init__(self, data: Path) -> None:
        paths = (data / f"{DATABASE_NAME}{suffix}" for suffix in ("", *BESIDE))
        self._opened = {path: file for path in paths if (file := _file_at(path))}

    def taken(self) -> list[Path]:
        """The names that are gone or lead to another file now."""
        return [path for path, file in self._opened.items() if _file_at(path) != file]


def _file_at(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def require_present(data: Path, known_id: str) -> None:
    """Checks the folder before the database is opened.

    ``known_id``: the id in the settings.  Raises SpoolGoneError when there was a spool and its database is
    missing.
    """
    database = data / DATABASE_NAME
    if database.exists() and database.stat().st_size:
        return
    signs = []
    if (data / MARKER_NAME).exists():
        signs.append(f"{MARKER_NAME} says that there was one")
    if known_id:
        signs.append("the settings know it")
    for name in OF_FAXES:
        count = sum(1 for _ in (data / name).iterdir()) if (data / name).is_dir() else 0
        if count:
            signs.append(f"{name}/ holds {count} files")
    if signs:
        raise SpoolGoneError(
            f"{DATABASE_NAME}, the index of all faxes, is {'empty' if database.exists() else 'gone'}"
            f" ({'; '.join(signs)}). Nothing was changed. {repair_advice(data)}"
        )


def is_new(data: Path, known_id: str) -> bool:
    """Whether the folder never had a database: nothing is lost.  ``known_id``: the id in the settings."""
    try:
        require_present(data, known_id)
    except SpoolGoneError:
        return False
    return not (data / DATABASE_NAME).exists()


def require_settings(data: Path, settings: Path) -> None:
    """Raises SpoolGoneError when a spool with files is there and the file of the settings is missing.

    Default settings would allow what the owner forbade, and store without encryption.
    """
    if settings.exists() or not (data / MARKER_NAME).exists():
        return
    if any((data / name).is_dir() and any((data / name).iterdir()) for name in OF_FAXES):
        raise SpoolGoneError(
            f"{settings.name}, the settings, is gone, and faxes are here. Nothing was changed. Put it back"
            f" from a backup; to go on with new settings, use `faxbox spool adopt --data {data}`."
        )


def require_folders(data: Path, known_id: str) -> None:
    """Checks before folders are made.  Raises SpoolGoneError when one with files of faxes is missing."""
    if not (known_id or (data / MARKER_NAME).exists()):
        return
    gone = [name for name in OF_FAXES if not (data / name).is_dir()]
    if gone:
        raise SpoolGoneError(
            f"{_listed(gone)} in {data}, where files of faxes belong, {_are(gone)} gone."
            " Nothing was changed. Put back what was moved, or mount the disk that it is on; to go on"
            " without those files, make an empty folder of that name."
        )


def _listed(names: list[str]) -> str:
    return " and ".join(f"{name}/" for name in names)


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def repair_advice(data: Path) -> str:
    """What the owner can do, as sentences."""
    newest = copies.newest(data)
    rebuild = (
        f"`faxbox spool rebuild --data {data}` begins an index from the page files of received faxes."
        if newest is None
        else f"`faxbox spool rebuild --data {data}` takes the last good copy ({copies.FOLDER}/{newest.name})"
        " and adds received faxes from their page files."
    )
    return f"Put {DATABASE_NAME} back if you have it. Otherwise {rebuild}"


def settle(data: Path, db: sqlite3.Connection, known_id: str) -> str:
    """The id of the database, once that is opened and migrated; the marker names it from now on.

    Raises SpoolGoneError for a database that is not the one of this folder.
    """
    own = str(db.execute("SELECT id FROM identity").fetchone()[0])
    marker = data / MARKER_NAME
    named = _read(marker)
    for other, where in ((named, MARKER_NAME), (known_id, "the settings")):
        if other and other != own:
            raise SpoolGoneError(
                f"{DATABASE_NAME} is the index of another box's faxes: {where} of this folder name another."
                f" Put the right one back, or keep this one with `faxbox spool adopt --data {data}`."
            )
    if not named:
        write_marker(data, own)
    return own


def write_marker(data: Path, spool_id: str) -> None:
    """Writes the marker beside the folders of the faxes.  Raises OSError."""
    durable.write_file(data / MARKER_NAME, json.dumps({"id": spool_id}).encode())


def _read(marker: Path) -> str:
    """The id in the marker; empty without a marker, or when it is damaged and the database is there."""
    try:
        return str(json.loads(marker.read_bytes())["id"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
