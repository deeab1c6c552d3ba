"""``KeptSettings``: the files of the settings as last read, and changes to them.

Several threads and processes may use the same folder: a change locks it, reads again, and writes; readers
notice a replaced file.  Readers get a frozen snapshot.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tinydb import TinyDB
from tinydb.table import Document, Table

from appliance import durable
from appliance.settings.fields import SettingError, from_document, to_document
from appliance.settings.files import (
    COUNTER_TABLE,
    FILE_TABLE,
    PHONEBOOK_FILE,
    PHONEBOOK_KEPT,
    SECTION_TABLE,
    SETTINGS_FILE,
    Catalogue,
    Reading,
    SettingsDamagedError,
    read_tables,
)
from appliance.settings.storage import DurableStorage

_log = logging.getLogger(__name__)

LOCK_FILE = "settings.lock"


class KeptSettings:
    """The files in folder ``data``, of the kinds in ``catalogue``.  Raises as ``SettingsStore`` does."""

    def __init__(self, data: Path, catalogue: Catalogue, *, mend: bool) -> None:
        durable.make_folder(data)
        for name in (SETTINGS_FILE, PHONEBOOK_FILE, LOCK_FILE):
            durable.require_file(data / name)
        self.folder = data
        self.catalogue = catalogue
        self._mend = mend
        # Readers, such as the event loop, never wait for the disk: they have their own lock and views of the
        # files.
        self._lock = threading.RLock()
        self._change_lock = threading.RLock()
        self._storages = {
            name: DurableStorage(data / name, catalogue) for name in (SETTINGS_FILE, PHONEBOOK_FILE)
        }
        self._files = {
            name: TinyDB(storage=lambda storage=storage: storage) for name, storage in self._storages.items()
        }
        self._views = {
            name: TinyDB(storage=lambda name=name: DurableStorage(data / name, catalogue))
            for name in self._storages
        }
        self._stamps: dict[str, Any] = {}
        self._readings: dict[str, Reading] = {}  # by file
        self._flaws: dict[str, Exception] = {}  # by file
        self._told: set[str] = set()
        self.refresh(self._views)
        if self.phonebook_gone:
            _log.error("%s, the phone book, is gone; put it back from a backup", data / PHONEBOOK_FILE)

    @contextlib.contextmanager
    def reading(self, name: str | None = None) -> Iterator[None]:
        """A context in which nothing changes; replaced files were read, or that of one section or list."""
        with self._lock:
            self.refresh(self._views if name is None else [self.catalogue.file_of(name)])
            yield

    @property
    def sections(self) -> Mapping[str, Any]:
        """The sections by name."""
        return self._readings[SETTINGS_FILE].sections

    def items(self, name: str) -> Mapping[int, Any]:
        """A list by ids."""
        return self._readings[self.catalogue.file_of(name)].lists[name]

    @property
    def all_inactive(self) -> dict[str, dict[str, Any]]:
        """Everything in the files that is not in force, by section or item."""
        return {**self._readings[SETTINGS_FILE].inactive, **self._readings[PHONEBOOK_FILE].inactive}

    def inactive(self, where: str, without: Iterable[str] = ()) -> dict[str, Any]:
        """What is in the files under one section or item and is not in force."""
        found = self._readings[self.catalogue.file_of(where.partition(".")[0])].inactive.get(where, {})
        return {key: value for key, value in found.items() if key not in without}

    @property
    def notes(self) -> tuple[str, ...]:
        """Everything in the files that is not in force, as sentences."""
        return tuple(note for reading in self._readings.values() for note in reading.notes)

    @property
    def phonebook_gone(self) -> bool:
        """Whether the file of the phone book is missing although there was one."""
        return not (self.folder / PHONEBOOK_FILE).exists() and self._phonebook_known()

    def _phonebook_known(self) -> bool:
        tables = self._views[SETTINGS_FILE].storage.read() or {}
        return bool(tables.get(FILE_TABLE, {}).get("1", {}).get(PHONEBOOK_KEPT))

    def _table(self, name: str) -> Table:
        return self._files[self.catalogue.file_of(name)].table(name)

    def refresh(self, file_names: Iterable[str], *, strict: bool = False) -> None:
        """Reads those of the files that were replaced since the last reading.

        A file that was damaged while the box runs is reported in the log, and the last reading stays in
        force; with ``strict`` it raises instead, before a change.
        """
        for file_name in file_names:
            storage = self._views[file_name].storage
            assert isinstance(storage, DurableStorage)
            stamp = storage.stamp()
            if file_name not in self._stamps or stamp != self._stamps[file_name]:
                before = self._readings.get(file_name)
                try:
                    reading = read_tables(storage.read() or {}, self.catalogue, file_name, mend=self._mend)
                    if before is not None and (new := reading.wrong.keys() - before.wrong.keys()):
                        raise reading.wrong[min(new)]
                except (SettingsDamagedError, SettingError) as error:
                    if before is None:
                        raise
                    _log.error("the settings stay as they were: %s", error)
                    self._flaws[file_name] = error
                else:
                    self._flaws.pop(file_name, None)
                    self._readings[file_name] = reading
                    self._complain(reading)
                self._stamps[file_name] = stamp
            if strict and file_name in self._flaws:
                raise self._flaws[file_name]

    def _complain(self, reading: Reading) -> None:
        for note in reading.notes:
            if note not in self._told:
                self._told.add(note)
                _log.warning("%s", note)

    def write_section(self, name: str, section: Any, inactive: Mapping[str, Any]) -> None:
        """Writes what differs from the defaults, so that later defaults apply to the rest."""
        table = self._files[SETTINGS_FILE].table(SECTION_TABLE)
        number = list(self.catalogue.sections).index(name) + 1
        present = [document.doc_id for document in table.all() if document["section"] == name]
        doc_id = present[0] if present else _free_id(table.all(), number)
        values = {**inactive, **to_document(section, sparse=True)}
        table.upsert(Document({"section": name, "values": values}, doc_id=doc_id))

    def add_item(self, name: str, item: Any) -> int:
        """Adds a checked item; returns its id."""
        item_id = self.next_id(name)
        self._table(name).insert(Document(to_document(item, sparse=True), doc_id=item_id))
        return item_id

    def put_item(self, name: str, item_id: int, item: Any, inactive: Mapping[str, Any]) -> None:
        """Replaces the item with this id by a checked one; ``inactive``: unknown keys to keep with it."""
        table = self._table(name)
        table.remove(doc_ids=[item_id])
        table.insert(Document({**inactive, **to_document(item, sparse=True)}, doc_id=item_id))

    def remove_item(self, name: str, item_id: int) -> None:
        """Deletes an existing item."""
        self._table(name).remove(doc_ids=[item_id])

    def write_items(
        self, name: str, items: Mapping[int, Any], inactive: Mapping[int, Mapping[str, Any]] | None = None
    ) -> None:
        """Replaces a list by ``items``; writes only those that changed.

        ``inactive``: unknown keys to keep with each, else the present ones.  Raises SettingError.
        """
        before, table = self.items(name), self._table(name)
        changed: dict[int, Document] = {}
        for key, item in items.items():
            beside = self.inactive(f"{name}.{key}")
            wanted = beside if inactive is None else inactive[key]
            if before.get(key) != item or wanted != beside:
                checked = from_document(type(item), to_document(item), name)
                changed[key] = Document({**wanted, **to_document(checked, sparse=True)}, doc_id=key)
        table.remove(doc_ids=[key for key in before if key not in items])
        # A wrong entry, which is not in ``before``, may have the same id.
        table.remove(doc_ids=[key for key in changed if table.contains(doc_id=key)])
        table.insert_multiple(changed.values())
        if changed:
            self.next_id(name, max(changed))

    def next_id(self, name: str, at_least: int = 0) -> int:
        """An id that this list never had; with ``at_least`` it only marks ids as used."""
        table = self._files[self.catalogue.file_of(name)].table(COUNTER_TABLE)
        # A damaged counter is ignored: the ids in use are known.
        counters = {each.get("list"): each for each in table.all() if type(each.get("last")) is int}
        known = counters.get(name)
        used = [document.doc_id for document in self._table(name).all()]
        last = max(known["last"] if known else 0, *used, 0)
        last = max(last, at_least) if at_least else last + 1
        doc_id = known.doc_id if known else _free_id(table.all(), 1)
        table.upsert(Document({"list": name, "last": last}, doc_id=doc_id))
        return last

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """A context for a change: locked across threads and processes; writes each file once."""
        if self.catalogue.partial:
            raise RuntimeError("a store of some sections changes nothing")
        with self._change_lock:
            descriptor = os.open(self.folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                self._refresh_alone()
                for storage in self._storages.values():
                    storage.hold()
                try:
                    yield
                except BaseException:
                    for storage in self._storages.values():
                        storage.drop()
                    raise
                self._note_phonebook()
                # The settings are last: they say that there is a phone book.
                for storage in reversed(self._storages.values()):
                    storage.flush()
                self._refresh_alone()
            finally:
                os.close(descriptor)

    def _note_phonebook(self) -> None:
        """Has the settings say that there is a phone book, once one is written."""
        settings, known = self._storages[SETTINGS_FILE], self._phonebook_known()
        kept = known or self._storages[PHONEBOOK_FILE].to_be_written
        settings.facts = {PHONEBOOK_KEPT: True} if kept else {}
        if settings.to_be_written or kept != known:
            settings.write(settings.read() or {})

    def _refresh_alone(self) -> None:
        with self._lock:
            self.refresh(self._views, strict=True)


def _free_id(documents: list[Document], wanted: int) -> int:
    used = {document.doc_id for document in documents}
    while wanted in used:
        wanted += 1
    return wanted
