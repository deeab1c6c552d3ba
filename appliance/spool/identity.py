"""Which spool a data folder holds: an index that is gone is never taken for one that was never there.

The database has an id; a marker beside it (``spool.json``) and the settings name the same one.  Without the
database but with a marker, a known id, or files of faxes, nothing is begun anew: ``SpoolGoneError`` says so
and what to do.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from appliance import durable
from appliance.spool import copies

DATABASE_NAME = "spool.sqlite3"
MARKER_NAME = "spool.json"


class SpoolGoneError(RuntimeError):
    """The index of the faxes is not there, damaged, or another box's; the text says what to do."""


# What SQLite keeps beside a database in WAL mode.
BESIDE = ("-wal", "-shm")


def require_files(data: Path) -> None:
    """Raises SpoolGoneError when something else lies where the database or what belongs to it should."""
    for name in (DATABASE_NAME, *(f"{DATABASE_NAME}{suffix}" for suffix in BESIDE)):
        try:
            durable.require_file(data / name)
        except durable.NotAFileError as error:
            raise SpoolGoneError(f"{error} {way_back(data)}") from error
    try:
        durable.require_file(data / MARKER_NAME)
    except durable.NotAFileError as error:
        raise SpoolGoneError(str(error)) from error


def require_present(data: Path, folders: tuple[str, ...], known_id: str) -> None:
    """Before the database is opened.  ``known_id``: what the settings know; ``folders``: of its files.

    Raises SpoolGoneError when a spool was here and its database is not.
    """
    database = data / DATABASE_NAME
    if database.exists() and database.stat().st_size:
        return
    signs = []
    if (data / MARKER_NAME).exists():
        signs.append(f"{MARKER_NAME} says that there was one")
    if known_id:
        signs.append("the settings know it")
    for name in folders:
        count = sum(1 for _ in (data / name).iterdir()) if (data / name).is_dir() else 0
        if count:
            signs.append(f"{name}/ holds {count} files")
    if signs:
        raise SpoolGoneError(
            f"{DATABASE_NAME}, the index of all faxes, is {'empty' if database.exists() else 'gone'}"
            f" ({'; '.join(signs)}). Nothing was changed. {way_back(data)}"
        )


def require_settings(data: Path, folders: tuple[str, ...], settings: Path) -> None:
    """Raises SpoolGoneError when a spool with files is here and the file of the settings is gone.

    Defaults in their place would allow what the owner forbade, and store in the clear.
    """
    if settings.exists() or not (data / MARKER_NAME).exists():
        return
    if any((data / name).is_dir() and any((data / name).iterdir()) for name in folders):
        raise SpoolGoneError(
            f"{settings.name}, the settings, is gone, and faxes are here. Nothing was changed. Put it back"
            f" from a backup; to go on with new settings, use `faxbox spool adopt --data {data}`."
        )


def require_folders(data: Path, folders: tuple[str, ...], known_id: str) -> None:
    """Before missing folders are made.  Raises SpoolGoneError when one was here that holds faxes' files."""
    if not (known_id or (data / MARKER_NAME).exists()):
        return
    gone = [name for name in folders if not (data / name).is_dir()]
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


def way_back(data: Path) -> str:
    """What a person can do, as sentences."""
    newest = copies.newest(data)
    rebuild = (
        f"`faxbox spool rebuild --data {data}` begins an index from the page files of received faxes."
        if newest is None
        else f"`faxbox spool rebuild --data {data}` takes the last good copy ({copies.FOLDER}/{newest.name})"
        " and adds received faxes from their page files."
    )
    return f"Put {DATABASE_NAME} back if you have it. Otherwise {rebuild}"


def settle(data: Path, db: sqlite3.Connection, known_id: str) -> str:
    """After the database was opened and migrated: its id, which the marker names from now on.

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
    """Notes beside the faxes' folders whose they are.  Raises OSError."""
    durable.write_file(data / MARKER_NAME, json.dumps({"id": spool_id}).encode())


def _read(marker: Path) -> str:
    """The id in the marker; empty without one, or when it is damaged: the database is there."""
    try:
        return str(json.loads(marker.read_bytes())["id"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
