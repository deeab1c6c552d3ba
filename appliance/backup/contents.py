"""What a backup contains; makes and restores backups.

``backup.json`` (version, when, of what), ``settings.json`` (all settings and lists, secrets and phone book
included), and by choice ``received/N.json`` with ``received/N-PAGE.tiff`` for each received fax
and its notes.
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import shutil
import tempfile
import uuid as uuids
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from appliance import __version__, at_rest, durable
from appliance.backup import archive
from appliance.backup.causes import BACKUP_DAMAGED, BACKUP_TOO_NEW
from appliance.backup.sealed import BackupError, Opener, Sealer
from appliance.box import Box
from appliance.language import said
from appliance.passphrases import PASSPHRASE_MAX, PASSPHRASE_MIN
from appliance.records import from_row, insert, to_row
from appliance.settings.fields import SettingError
from appliance.spool.filters import ReceivedFilter, every
from appliance.spool.folders import RECEIVED, TEMPORARY
from appliance.spool.model import Received, ReceivedPageFile, ReceivedState
from appliance.spool.notes import MOST_NOTES
from appliance.spool.notes import add as add_note
from appliance.spool.transaction import Tx
from appliance.t4.coding import PageError
from appliance.t4.tiff import FaxTiff
from appliance.t4.tiff_reading import TiffError

_log = logging.getLogger(__name__)

VERSION = 1
# Boxes write nothing larger.
SETTINGS_LIMIT = 64 << 20
FAX_LIMIT = 4 << 20
PAGE_LIMIT = 64 << 20
PAGES_MOST = 10_000  # of one fax
_LISTED_AT_ONCE = 100
# A certificate belongs to the address of a box: a restored box keeps its own.
_OWN_HTTP = ("tls_certificate", "tls_key")


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored."""

    made_at: float
    users: int
    contacts: int
    received: int  # number of faxes that the box did not have


def require_passphrase(passphrase: str) -> None:
    """Raises SettingError for a passphrase that is too short or too long."""
    if not PASSPHRASE_MIN <= len(passphrase) <= PASSPHRASE_MAX:
        length = said("{least} to {most} characters").format(least=PASSPHRASE_MIN, most=PASSPHRASE_MAX)
        raise SettingError("backup.passphrase", length)


def make(box: Box, passphrase: str, *, received: bool) -> Iterator[bytes]:
    """A backup in pieces, made while the box runs; a fax that is being received is left out.

    Raises SettingError for an unsuitable passphrase at once, OSError while it is read.
    """
    require_passphrase(passphrase)
    return _pieces(box, passphrase, received)


def _pieces(box: Box, passphrase: str, received: bool) -> Iterator[bytes]:
    now = box.clock()
    made = io.BytesIO()
    sealer = Sealer(made, passphrase)
    manifest = {"version": VERSION, "made_at": now, "faxbox": __version__, "received": received}
    _put_json(sealer, "backup.json", manifest, now)
    _put_json(sealer, "settings.json", box.settings.export(secrets=True), now)
    yield _taken_out(made)
    for number, fax_id in enumerate(_ended(box) if received else ()):
        _put_fax(box, sealer, number, fax_id, now)
        yield _taken_out(made)
    archive.end(sealer)
    sealer.close()
    yield _taken_out(made)


def _taken_out(made: io.BytesIO) -> bytes:
    """What was written to ``made``, which is empty afterwards."""
    octets = made.getvalue()
    made.seek(0)
    made.truncate()
    return octets


def restore(box: Box, source: BinaryIO, passphrase: str) -> Restored:
    """Restores a backup: replaces the box's settings and lists, and adds its received faxes to the box's.

    All of it is read and checked before anything changes.  The index of faxes and the certificate stay the
    box's own.
    Raises BackupError, SettingError, DiskFullError; then nothing changed.
    """
    with _folder(box) as folder:
        read = _read(box, Opener(source, passphrase), folder)
        settings = _for_this_box(box, read.settings)
        try:
            box.settings.load(settings)
        except SettingError as error:
            if _is_newer(read, box.settings.export()["version"]):
                raise BackupError(BACKUP_TOO_NEW, str(error)) from error
            raise
        taken = sum(_take(box, each) for each in read.faxes)
    lists = read.settings.get("lists", {})
    return Restored(read.made_at, len(lists.get("users", ())), len(lists.get("contacts", ())), taken)


# -- making ----------------------------------------------------------------------------------------


def _ended(box: Box) -> Iterator[int]:
    for fax in every(box.inbox.search, ReceivedFilter(limit=_LISTED_AT_ONCE)):
        if fax.state is not ReceivedState.RECEIVING:
            yield fax.id


def _put_json(sealer: Sealer, name: str, value: Any, now: float) -> None:
    octets = json.dumps(value, ensure_ascii=False).encode()
    archive.put(sealer, name, len(octets), io.BytesIO(octets), now)


def _put_fax(box: Box, sealer: Sealer, number: int, fax_id: int, now: float) -> None:
    fax, pages = box.inbox.with_pages(fax_id, deleted=True)
    files = [page for page in pages if _is_there(box, page)]
    if fax.deleted_at is not None or not files:
        return  # it was deleted just now
    _put_json(
        sealer,
        f"received/{number}.json",
        {
            "fax": to_row(fax),
            "pages": [to_row(page) for page in files],
            "notes": [{"at": each.at, "who": each.who, "text": each.text} for each in box.notes.of(fax)],
        },
        now,
    )
    for page in files:
        # Decrypted: the backup has a key of its own, whatever the data folder is encrypted with.
        with box.inbox.open_page(page) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            archive.put(sealer, f"received/{number}-{page.number}.tiff", size, file, now)


def _is_there(box: Box, page: ReceivedPageFile) -> bool:
    """Whether a page can be read; an unreadable one must not prevent the backup of the others."""
    try:
        with FaxTiff(box.inbox.open_page(page)) as tiff:
            tiff.page(0)
    except (OSError, TiffError, PageError) as error:
        _log.error("a page is not in the backup: %s", error)
        return False
    return True


# -- taking ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class _ReadFax:
    fax: Received
    pages: list[ReceivedPageFile]
    notes: list[tuple[float, str, str]]  # when, who, what


@dataclass(slots=True)
class _Read:
    """A backup that was read to its end.  The paths of pages are files in a temporary folder."""

    made_at: float
    made_by: str  # the version of faxbox
    settings: dict[str, Any]
    faxes: list[_ReadFax]


@contextmanager
def _folder(box: Box) -> Iterator[Path]:
    durable.make_folder(box.data / TEMPORARY)
    folder = Path(tempfile.mkdtemp(dir=box.data / TEMPORARY))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _read(box: Box, opener: Opener, folder: Path) -> _Read:
    documents: dict[str, Any] = {}
    files: dict[str, Path] = {}
    for entry in archive.entries(opener):
        if entry.name in documents or entry.name in files:
            raise BackupError(BACKUP_DAMAGED, f"{entry.name} is there twice.")
        if entry.name.endswith(".tiff"):
            if entry.size > PAGE_LIMIT:
                raise BackupError(BACKUP_DAMAGED, f"{entry.name} is larger than a page can be.")
            box.rules.require_room(entry.size)
            path = folder / Path(entry.name).name
            at_rest.write_file(path, entry.pieces())
            files[entry.name] = path
        else:
            limit = SETTINGS_LIMIT if entry.name == "settings.json" else FAX_LIMIT
            documents[entry.name] = _document(entry, limit)
            if entry.name == "backup.json" and documents[entry.name].get("version") != VERSION:
                raise BackupError(BACKUP_TOO_NEW)
    if "backup.json" not in documents or "settings.json" not in documents:
        raise BackupError(BACKUP_DAMAGED, "It has no settings.")
    manifest = documents.pop("backup.json")
    made_at = manifest.get("made_at")
    settings = documents.pop("settings.json")
    if not isinstance(made_at, float | int):
        raise BackupError(BACKUP_DAMAGED, "It does not say when it was made.")
    faxes = [_fax(name, document, files) for name, document in documents.items()]
    return _Read(float(made_at), str(manifest.get("faxbox", "")), settings, faxes)


def _is_newer(read: _Read, settings_version: int) -> bool:
    """Whether a newer program made the backup, whose settings this one may not know."""
    version = read.settings.get("version", 1)
    if isinstance(version, int) and version > settings_version:
        return True
    made_by, this = (
        [int(part) for part in re.findall(r"[0-9]{1,9}", each)] for each in (read.made_by, __version__)
    )
    return made_by > this


def _document(entry: archive.ArchiveEntry, limit: int) -> dict[str, Any]:
    try:
        value = json.loads(entry.content(limit))
    except (ValueError, RecursionError):
        raise BackupError(BACKUP_DAMAGED, f"{entry.name} is not JSON.") from None
    if not isinstance(value, dict):
        raise BackupError(BACKUP_DAMAGED, f"{entry.name} is not an object.")
    return value


def _fax(name: str, document: dict[str, Any], files: dict[str, Path]) -> _ReadFax:
    stem = name.removesuffix(".json")
    try:
        fax = from_row(Received, {**document["fax"], "trace_path": ""})
        uuids.UUID(fax.uuid)
        _ = fax.cause
        if fax.state is ReceivedState.RECEIVING or not 0 < len(document["pages"]) <= PAGES_MOST:
            raise ValueError("no fax that has ended")
        pages = [
            from_row(ReceivedPageFile, {**page, "path": str(files[f"{stem}-{int(page['number'])}.tiff"])})
            for page in document["pages"]
        ]
        for page in pages:
            with FaxTiff(at_rest.open_file(Path(page.path))) as tiff:
                tiff.page(0)
        notes = [(float(note["at"]), str(note["who"]), str(note["text"])) for note in _notes(document)]
    except (KeyError, ValueError, TypeError, AttributeError, OSError, TiffError) as error:
        raise BackupError(BACKUP_DAMAGED, f"{name} is not a received fax ({error}).") from None
    return _ReadFax(fax, pages, notes)


def _notes(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The notes of a fax; backups of earlier versions have none.  Raises ValueError, TypeError."""
    given: list[dict[str, Any]] = document.get("notes", [])
    if len(given) > MOST_NOTES:
        raise ValueError("more notes than a fax has")
    return given


def _for_this_box(box: Box, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of the backup, except those that belong to this folder and this machine."""
    own = box.settings.export(secrets=True)["settings"]
    sections = settings.get("settings")
    if not isinstance(sections, dict) or not all(isinstance(each, dict) for each in sections.values()):
        raise BackupError(BACKUP_DAMAGED, "settings.json holds no settings.")
    changed = {name: dict(section) for name, section in sections.items()}
    changed.setdefault("secrets", {})["spool_id"] = own["secrets"]["spool_id"]
    for name in _OWN_HTTP:
        changed.setdefault("http", {})[name] = own["http"][name]
    # Encryption and its key belong to this folder.
    for name in ("encrypt", "key_file"):
        changed.setdefault("storage", {})[name] = own["storage"][name]
    return {**settings, "settings": changed}


def _take(box: Box, read: _ReadFax) -> bool:
    """Adds a received fax that the box does not have; its files are durable before its row is."""
    fax = read.fax
    known = box.spool.read(
        lambda db: db.execute("SELECT 1 FROM received WHERE uuid = ?", (fax.uuid,)).fetchone() is not None
    )
    if known:
        return False
    homes = []
    for page in read.pages:
        home = f"{RECEIVED}/{fax.uuid}-{page.number}.tiff"
        Path(page.path).rename(box.data / home)
        homes.append(to_row(page) | {"path": home})
    durable.fsync_folder(box.data / RECEIVED)
    notes = [(at, who, at_rest.seal_text(box.data, text)) for at, who, text in read.notes]
    box.spool.do(_insert, fax, homes, notes, box.clock())
    return True


def _insert(
    tx: Tx, fax: Received, pages: list[dict[str, Any]], notes: list[tuple[float, str, str]], now: float
) -> None:
    received_id = tx.next_fax_id()
    insert(tx.db, "received", to_row(fax) | {"id": received_id})
    for page in pages:
        insert(tx.db, "received_page", {"received_id": received_id, **page})
    for at, who, text in notes:
        add_note(tx, received_id, who, text, at)
    # Not "received.complete": nobody gets a fax again that was delivered long ago.
    tx.emit(now, "received.restored", received_id, fax.owner, pages=len(pages))
