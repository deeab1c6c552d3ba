"""``SettingsStore``: sections and lists in TinyDB, each change a new file, fsynced and renamed.

Several threads and processes may use the same folder: a change locks it, reads anew, and writes;
a reader notices a new file by itself.  What a reader gets is a frozen snapshot.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Document

from appliance import durable
from appliance.settings.fields import SettingError, from_document, from_text, to_document
from appliance.settings.items import COLLECTIONS, PHONEBOOK
from appliance.settings.sections import SECTIONS

_log = logging.getLogger(__name__)

S = TypeVar("S")

SETTINGS_FILE = "settings.json"
PHONEBOOK_FILE = "phonebook.json"
LOCK_FILE = "settings.lock"
_SECTION_TABLE = "settings"
_COUNTER_TABLE = "counters"


class SettingsDamagedError(RuntimeError):
    """A settings file cannot be read as such; the message names it."""


class UnknownItemError(KeyError):
    """There is no item with this id."""


class DurableStorage(Storage):
    """TinyDB's storage: the file is replaced as a whole, durably; an unchanged one is not written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text: str | None = None
        self._stamp: tuple[int, int, int] | None = None
        self._held = False
        self._pending: str | None = None

    def hold(self) -> None:
        """Writes wait for ``flush``, so that several changes become one file."""
        self._held = True

    def flush(self) -> None:
        """Writes what was held, if it differs from the file."""
        pending, self._pending, self._held = self._pending, None, False
        if pending is None or (pending == self._text and self.stamp() == self._stamp):
            return
        durable.write_file(self._path, pending.encode())
        self._text, self._stamp = pending, self.stamp()

    def drop(self) -> None:
        """Forgets what was held."""
        self._pending, self._held = None, False

    def stamp(self) -> tuple[int, int, int] | None:
        """Changes whenever the file was replaced; None while there is none."""
        try:
            state = self._path.stat()
        except FileNotFoundError:
            return None
        return state.st_ino, state.st_mtime_ns, state.st_size

    def read(self) -> dict[str, dict[str, Any]] | None:
        stamp = self.stamp()
        if self._pending is None and stamp is None:
            return None
        if self._pending is None and (self._text is None or stamp != self._stamp):
            try:
                self._text = self._path.read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                raise SettingsDamagedError(f"{self._path} is damaged: {error}") from error
            self._stamp = stamp
        text = self._pending if self._pending is not None else self._text
        assert text is not None
        try:
            data: dict[str, dict[str, Any]] = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise SettingsDamagedError(f"{self._path} is damaged: {error}") from error
        if not _has_shape(data):
            raise SettingsDamagedError(f"{self._path} is damaged: it does not hold tables of documents")
        return data

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        self._pending = json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        if not self._held:
            self.flush()


class SettingsStore:
    """The settings in folder ``data`` (made when missing).

    Raises SettingsDamagedError, SettingError for a document that this version does not understand.
    """

    def __init__(self, data: Path) -> None:
        durable.make_folder(data)
        self._data = data
        # Readers, the event loop among them, never wait for a change to reach the disk: they have a
        # lock and views of the files of their own.
        self._lock = threading.RLock()
        self._change_lock = threading.RLock()
        self._storages = {name: DurableStorage(data / name) for name in (SETTINGS_FILE, PHONEBOOK_FILE)}
        self._files = {
            name: TinyDB(storage=lambda storage=storage: storage) for name, storage in self._storages.items()
        }
        self._views = {name: TinyDB(data / name, storage=DurableStorage) for name in self._storages}
        self._stamps: dict[str, Any] = {}
        self._sections: dict[str, Any] = {}
        self._items: dict[str, Mapping[int, Any]] = {}
        self._flaws: dict[str, Exception] = {}  # by file
        self._listeners: list[Callable[[], None]] = []
        self._refresh()

    # -- reading -------------------------------------------------------------------------------

    def section(self, kind: type[S]) -> S:
        """A section of the settings, such as ``StationSettings``."""
        with self._lock:
            self._refresh()
            section: S = self._sections[_name_of(SECTIONS, kind)]
            return section

    def items(self, kind: type[S]) -> Mapping[int, S]:
        """All items of a kind, such as ``User``, by id, in the order of their ids."""
        with self._lock:
            self._refresh()
            items: Mapping[int, S] = self._items[_name_of(COLLECTIONS, kind)]
            return items

    def item(self, kind: type[S], item_id: int) -> S:
        """Raises UnknownItemError."""
        try:
            return self.items(kind)[item_id]
        except KeyError:
            raise UnknownItemError(f"there is no {kind.__name__} {item_id}") from None

    # -- changing ------------------------------------------------------------------------------

    def change(self, kind: type[S], values: Mapping[str, Any]) -> S:
        """Sets fields of a section from JSON data.  Raises SettingError; then nothing changed."""
        name = _name_of(SECTIONS, kind)
        with self._changing():
            old = self._sections[name]
            new: S = from_document(kind, {**to_document(old), **values}, name, old)
            self._write_section(name, new)
        self._tell()
        return new

    def add(self, item: object) -> int:
        """Adds an item to its list; returns its id."""
        name = _name_of(COLLECTIONS, type(item))
        with self._changing():
            checked = from_document(type(item), to_document(item), name)
            item_id = self._next_id(name)
            self._file_of(name).table(name).insert(Document(to_document(checked), doc_id=item_id))
        self._tell()
        return item_id

    def update(self, kind: type[S], item_id: int, values: Mapping[str, Any]) -> S:
        """Sets fields of an item from JSON data.  Raises UnknownItemError, SettingError."""
        name = _name_of(COLLECTIONS, kind)
        with self._changing():
            old = self.item(kind, item_id)
            new = from_document(kind, {**to_document(old), **values}, name, old)
            self._file_of(name).table(name).upsert(Document(to_document(new), doc_id=item_id))
        self._tell()
        return new

    def remove(self, kind: type[S], item_id: int) -> None:
        """Raises UnknownItemError."""
        name = _name_of(COLLECTIONS, kind)
        with self._changing():
            self.item(kind, item_id)
            self._file_of(name).table(name).remove(doc_ids=[item_id])
        self._tell()

    def listen(self, action: Callable[[], None]) -> None:
        """Runs ``action`` after each change made through this object, in the changing thread."""
        self._listeners.append(action)

    # -- for the command line ------------------------------------------------------------------

    def get_path(self, path: str = "") -> Any:
        """A section (``station``) or a field (``station.name``) as JSON data, secrets masked.

        Everything without ``path``.  Raises SettingError.
        """
        if not path:
            return {name: self.get_path(name) for name in SECTIONS}
        name, _, key = path.partition(".")
        if name not in SECTIONS:
            raise SettingError(name, "there is no such section")
        document = to_document(self.section(SECTIONS[name]), mask=True)
        if key and key not in document:
            raise SettingError(path, "there is no such setting")
        return document[key] if key else document

    def set_path(self, path: str, text: str) -> None:
        """Sets a field such as ``station.name`` from text.  Raises SettingError."""
        name, _, key = path.partition(".")
        if name not in SECTIONS:
            raise SettingError(name, "there is no such section")
        self.change(SECTIONS[name], {key: from_text(SECTIONS[name], key, text, name)})

    def export(self, *, secrets: bool = False) -> dict[str, Any]:
        """Everything, as JSON data; secrets masked unless asked for."""
        with self._lock:
            self._refresh()
            return {
                "settings": {
                    name: to_document(section, mask=not secrets) for name, section in self._sections.items()
                },
                "lists": {
                    name: {str(number): to_document(item, mask=not secrets) for number, item in items.items()}
                    for name, items in self._items.items()
                },
            }

    def load(self, data: Mapping[str, Any]) -> None:
        """Takes what ``export`` gave: sections and lists that are in it replace those of the box.

        A masked secret stays as it is.  Raises SettingError; then nothing changed.
        """
        for key in data:
            if key not in ("settings", "lists"):
                raise SettingError(key, "an export has only settings and lists")
        with self._changing():
            sections: dict[str, Any] = {
                name: from_document(_kind(SECTIONS, name), document, name, self._sections[name])
                for name, document in _mapping(data.get("settings", {}), "settings").items()
            }
            lists: dict[str, dict[int, Any]] = {
                name: {
                    _item_id(text, name): from_document(
                        _kind(COLLECTIONS, name),
                        document,
                        f"{name}.{text}",
                        self._items[name].get(_item_id(text, name)),
                    )
                    for text, document in _mapping(documents, name).items()
                }
                for name, documents in _mapping(data.get("lists", {}), "lists").items()
                if _kind(COLLECTIONS, name)
            }
            for name, section in sections.items():
                self._write_section(name, section)
            for name, items in lists.items():
                self._write_items(name, items)
        self._tell()

    # -- inside --------------------------------------------------------------------------------

    def _file_of(self, name: str) -> TinyDB:
        return self._files[_file_name(name)]

    def _refresh(self, *, strict: bool = False) -> None:
        """Reads the files that were replaced since they were read last.

        One that somebody broke by hand while the box runs is complained of, and what was read before it
        stays in force; ``strict`` raises instead, before a change would be built on it.
        """
        for file_name, database in self._views.items():
            storage = database.storage
            assert isinstance(storage, DurableStorage)
            stamp = storage.stamp()
            if file_name not in self._stamps or stamp != self._stamps[file_name]:
                try:
                    self._read(file_name, database)
                except (SettingsDamagedError, SettingError) as error:
                    if file_name not in self._stamps:
                        raise
                    _log.error("the settings stay as they were: %s", error)
                    self._flaws[file_name] = error
                else:
                    self._flaws.pop(file_name, None)
                self._stamps[file_name] = stamp
            if strict and file_name in self._flaws:
                raise self._flaws[file_name]

    def _read(self, file_name: str, database: TinyDB) -> None:
        sections = self._read_sections(database) if file_name == SETTINGS_FILE else {}
        lists: dict[str, Mapping[int, Any]] = {
            name: MappingProxyType(
                {
                    document.doc_id: from_document(kind, document, f"{name}.{document.doc_id}")
                    for document in sorted(database.table(name).all(), key=lambda document: document.doc_id)
                }
            )
            for name, kind in COLLECTIONS.items()
            if _file_name(name) == file_name
        }
        self._sections.update(sections)
        self._items.update(lists)

    def _read_sections(self, database: TinyDB) -> dict[str, Any]:
        documents = database.table(_SECTION_TABLE).all()
        found = {str(document.get("section")): document.get("values") for document in documents}
        for name in found:
            if name not in SECTIONS:
                raise SettingError(name, f"there is no such section ({self._data / SETTINGS_FILE})")
        return {
            name: from_document(kind, _mapping(found.get(name, {}), name), name)
            for name, kind in SECTIONS.items()
        }

    def _write_section(self, name: str, section: Any) -> None:
        """Writes only what differs from the defaults: new defaults reach those who never chose."""
        default = to_document(SECTIONS[name]())
        values = {key: value for key, value in to_document(section).items() if value != default[key]}
        table = self._files[SETTINGS_FILE].table(_SECTION_TABLE)
        number = list(SECTIONS).index(name) + 1
        present = [document.doc_id for document in table.all() if document["section"] == name]
        doc_id = present[0] if present else _free_id(table.all(), number)
        table.upsert(Document({"section": name, "values": values}, doc_id=doc_id))

    def _write_items(self, name: str, items: Mapping[int, Any]) -> None:
        database = self._file_of(name)
        table = database.table(name)
        table.truncate()
        table.insert_multiple(Document(to_document(item), doc_id=item_id) for item_id, item in items.items())
        if items:
            self._next_id(name, max(items))

    def _next_id(self, name: str, at_least: int = 0) -> int:
        """An id that this list never had; ``at_least`` only marks ids as used."""
        table = self._file_of(name).table(_COUNTER_TABLE)
        counters = {document["list"]: document for document in table.all()}
        known = counters.get(name)
        last = max(known["last"] if known else 0, *self._items[name].keys(), 0)
        last = max(last, at_least) if at_least else last + 1
        doc_id = known.doc_id if known else _free_id(table.all(), 1)
        table.upsert(Document({"list": name, "last": last}, doc_id=doc_id))
        return last

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Alone, across threads and processes, on what is newest; one write of each file, or none."""
        with self._change_lock:
            descriptor = os.open(self._data / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
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
                for storage in self._storages.values():
                    storage.flush()
                self._refresh_alone()
            finally:
                os.close(descriptor)

    def _refresh_alone(self) -> None:
        with self._lock:
            self._refresh(strict=True)

    def _tell(self) -> None:
        for action in list(self._listeners):
            action()


def _has_shape(data: Any) -> bool:
    """Tables of documents with numbers, as TinyDB keeps them."""
    return isinstance(data, dict) and all(
        isinstance(table, dict)
        and all(key.isdecimal() and isinstance(document, dict) for key, document in table.items())
        for table in data.values()
    )


def _file_name(name: str) -> str:
    """The file that a list is kept in."""
    return PHONEBOOK_FILE if name in PHONEBOOK else SETTINGS_FILE


def _free_id(documents: list[Document], wanted: int) -> int:
    used = {document.doc_id for document in documents}
    while wanted in used:
        wanted += 1
    return wanted


def _kind(kinds: Mapping[str, type], name: str) -> type:
    if name not in kinds:
        raise SettingError(name, "there is no such section or list")
    return kinds[name]


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SettingError(where, "an object is needed")
    return value


def _item_id(text: str, name: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 1 << 53:
        raise SettingError(f"{name}.{text}", "an item's id is a whole number")
    return int(text)


def _name_of(kinds: Mapping[str, type], kind: type) -> str:
    for name, known in kinds.items():
        if known is kind:
            return name
    raise KeyError(f"{kind.__name__} is not a kind of settings")
