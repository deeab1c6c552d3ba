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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from tinydb import TinyDB
from tinydb.table import Document, Table

from appliance import durable
from appliance.language import said
from appliance.settings.fields import (
    SettingError,
    describe,
    from_document,
    from_text,
    no_such,
    problem_with_key,
    to_document,
)
from appliance.settings.files import (
    PHONEBOOK_FILE,
    SECTION_TABLE,
    SETTINGS_FILE,
    Catalogue,
    Reading,
    SettingsDamagedError,
    read_tables,
)
from appliance.settings.storage import DurableStorage
from appliance.url_passwords import MASK

_log = logging.getLogger(__name__)

S = TypeVar("S")

LOCK_FILE = "settings.lock"
COUNTER_TABLE = "counters"


class UnknownItemError(KeyError):
    """There is no item with this id."""


class Items:
    """A list while it is revised: ``items`` by id, and ids for new ones."""

    def __init__(self, items: Mapping[int, Any], next_id: int) -> None:
        self.items = dict(items)
        self._next_id = next_id

    def add(self, item: Any) -> int:
        """Adds an item; returns its id."""
        item_id, self._next_id = self._next_id, self._next_id + 1
        self.items[item_id] = item
        return item_id


class SettingsStore:
    """The settings in folder ``data`` (made when missing), of the kinds in ``catalogue``.

    What this version does not know is kept where it lies, and told of (``notes``).  An item with a value
    that is wrong is left out, and kept too.  Raises SettingsDamagedError, SettingsTooNewError, and
    SettingError for a wrong value in a section, since its default might allow what the owner forbade; with
    ``mend`` its default is in force instead, for the commands that put it right.
    """

    def __init__(self, data: Path, catalogue: Catalogue, *, mend: bool = False) -> None:
        durable.make_folder(data)
        for name in (SETTINGS_FILE, PHONEBOOK_FILE, LOCK_FILE):
            durable.require_file(data / name)
        self._data = data
        self._catalogue = catalogue
        self._mend = mend
        # Readers, the event loop among them, never wait for a change to reach the disk: they have a
        # lock and views of the files of their own.
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
        self._listeners: list[Callable[[], None]] = []
        self._refresh()

    @property
    def folder(self) -> Path:
        """Where the settings lie."""
        return self._data

    # -- reading -------------------------------------------------------------------------------

    def section(self, kind: type[S]) -> S:
        """A section of the settings, such as ``StationSettings``."""
        with self._lock:
            self._refresh()
            section: S = self._sections[_name_of(self._catalogue.sections, kind)]
            return section

    def items(self, kind: type[S]) -> Mapping[int, S]:
        """All items of a kind, such as ``User``, by id, in the order of their ids."""
        with self._lock:
            self._refresh()
            items = self._items(_name_of(self._catalogue.lists, kind))
            return {number: item for number, item in items.items() if isinstance(item, kind)}

    def item(self, kind: type[S], item_id: int) -> S:
        """Raises UnknownItemError."""
        try:
            return self.items(kind)[item_id]
        except KeyError:
            raise UnknownItemError(f"there is no {kind.__name__} {item_id}") from None

    def notes(self) -> tuple[str, ...]:
        """What is in the files and is not in force, a sentence each."""
        with self._lock:
            self._refresh()
            return tuple(note for reading in self._readings.values() for note in reading.notes)

    # -- changing ------------------------------------------------------------------------------

    def change(self, kind: type[S], values: Mapping[str, Any]) -> S:
        """Sets fields of a section from JSON data.  Raises SettingError; then nothing changed."""
        name = _name_of(self._catalogue.sections, kind)
        self._require_known(kind, name, values)
        with self._changing():
            old = self._sections[name]
            new: S = from_document(kind, {**to_document(old), **values}, name, old)
            self._write_section(name, new, self._strange(name, without=values))
        self._tell()
        return new

    def add(self, item: object) -> int:
        """Adds an item to its list; returns its id."""
        name = _name_of(self._catalogue.lists, type(item))
        with self._changing():
            checked = from_document(type(item), to_document(item), name)
            item_id = self._next_id(name)
            self._table(name).insert(Document(to_document(checked, sparse=True), doc_id=item_id))
        self._tell()
        return item_id

    def update(self, kind: type[S], item_id: int, values: Mapping[str, Any]) -> S:
        """Sets fields of an item from JSON data.  Raises UnknownItemError, SettingError."""
        name = _name_of(self._catalogue.lists, kind)
        with self._changing():
            old = self.item(kind, item_id)
            self._require_known(type(old), name, values)
            new = from_document(type(old), {**to_document(old), **values}, name, old)
            table = self._table(name)
            table.remove(doc_ids=[item_id])
            stored = self._strange(f"{name}.{item_id}") | to_document(new, sparse=True)
            table.insert(Document(stored, doc_id=item_id))
        self._tell()
        return new

    def remove(self, kind: type[S], item_id: int) -> None:
        """Raises UnknownItemError."""
        name = _name_of(self._catalogue.lists, kind)
        with self._changing():
            self.item(kind, item_id)
            self._table(name).remove(doc_ids=[item_id])
        self._tell()

    def revise(
        self, kinds: Sequence[type[Any]], revision: Callable[[Mapping[type[Any], Items]], None]
    ) -> None:
        """Changes whole lists at once, in one write of each file.

        ``revision`` gets the items of each of ``kinds`` and changes them in place.  Raises SettingError for
        an item that is wrong, and whatever ``revision`` raises; then nothing changed.
        """
        names = {kind: _name_of(self._catalogue.lists, kind) for kind in kinds}
        with self._changing():
            lists = {kind: Items(self._items(name), self._next_id(name)) for kind, name in names.items()}
            revision(lists)
            for kind, name in names.items():
                self._write_difference(name, lists[kind].items)
        self._tell()

    def listen(self, action: Callable[[], None]) -> None:
        """Runs ``action`` after each change made through this object, in the changing thread."""
        self._listeners.append(action)

    # -- for the command line ------------------------------------------------------------------

    def get_path(self, path: str = "") -> Any:
        """A section (``station``) or a field (``station.name``) as JSON data, secrets masked.

        Everything without ``path``.  Keys that this version does not know are shown too; what they say
        may be a secret, so it is masked.  Raises SettingError.
        """
        if not path:
            return {name: self.get_path(name) for name in self._catalogue.sections}
        name, _, key = path.partition(".")
        kind = self._section_kind(name)
        document = to_document(self.section(kind), mask=True) | dict.fromkeys(self._strange(name), MASK)
        if key and key not in document:
            raise SettingError(path, self._problem_with(kind, name, key, None))
        return document[key] if key else document

    def is_secret(self, path: str) -> bool:
        """Whether a field such as ``mail_out.password`` is shown to nobody.  Raises SettingError."""
        name, _, key = path.partition(".")
        kind = self._section_kind(name)
        self._require_known(kind, name, (key,))
        return any(field.secret for field in describe(kind) if field.name == key)

    def set_path(self, path: str, text: str) -> None:
        """Sets a field such as ``station.name`` from text.  Raises SettingError."""
        name, _, key = path.partition(".")
        kind = self._section_kind(name)
        self._require_known(kind, name, (key,))
        self.change(kind, {key: from_text(kind, key, text, name)})

    def forget_path(self, path: str) -> None:
        """Drops a key that this version does not know, such as ``station.nmae`` or ``lines.3.nmae``.

        Raises SettingError for any other.
        """
        where, _, key = path.rpartition(".")
        with self._changing():
            strange = self._strange(where)
            if key not in strange:
                raise SettingError(path, said("only what this version does not know can be forgotten"))
            del strange[key]
            name, _, number = where.partition(".")
            if number:
                item = self._items(name)[int(number)]
                document = strange | to_document(item, sparse=True)
                self._table(name).remove(doc_ids=[int(number)])
                self._table(name).insert(Document(document, doc_id=int(number)))
            else:
                self._write_section(name, self._sections[name], strange)
        self._tell()

    def export(self, *, secrets: bool = False) -> dict[str, Any]:
        """Everything, as JSON data; secrets masked unless asked for.

        ``unknown`` has the keys that this version does not know, by section or item.
        """
        with self._lock:
            self._refresh()
            unknown = {
                where: document if secrets else dict.fromkeys(document, MASK)
                for reading in self._readings.values()
                for where, document in reading.strange.items()
            }
            return {
                "version": self._catalogue.version,
                "settings": {
                    name: to_document(section, mask=not secrets) for name, section in self._sections.items()
                },
                "lists": {
                    name: {
                        str(number): to_document(item, mask=not secrets)
                        for number, item in self._items(name).items()
                    }
                    for name in self._catalogue.lists
                },
            } | ({"unknown": unknown} if unknown else {})

    def load(self, data: Mapping[str, Any]) -> None:
        """Takes what ``export`` gave: sections and lists that are in it replace those of the box.

        A masked secret stays as it is, and so does an entry that was left out of its list, unless another
        has its id.  Raises SettingError; then nothing changed.
        """
        for key in _mapping(data, "settings"):
            if key not in ("version", "settings", "lists", "unknown"):
                raise SettingError(key, said("an export has only version, settings, lists and unknown"))
        given_sections, given_lists = self._migrated_export(data)
        with self._changing():
            sections: dict[str, Any] = {}
            for name, document in given_sections.items():
                kind = self._section_kind(name)
                self._require_known(kind, name, document)
                sections[name] = from_document(kind, document, name, self._sections[name])
            lists: dict[str, dict[int, Any]] = {}
            for name, documents in given_lists.items():
                kind, lists[name] = self._list_kind(name), {}
                for text, document in documents.items():
                    where, item_id = f"{name}.{text}", _item_id(text, name)
                    self._require_known(kind, name, _mapping(document, where))
                    lists[name][item_id] = from_document(
                        kind, document, where, self._items(name).get(item_id)
                    )
            unknown = _mapping(data.get("unknown", {}), "unknown")
            given = {*sections, *(f"{name}.{item_id}" for name, items in lists.items() for item_id in items)}
            for where in unknown.keys() - given:
                raise SettingError(f"unknown.{where}", said("the export has nothing that this belongs to"))
            for name, section in sections.items():
                self._write_section(name, section, self._strange_after(name, unknown))
            for name, items in lists.items():
                self._write_items(name, items, unknown)
        self._tell()

    # -- inside --------------------------------------------------------------------------------

    @property
    def _sections(self) -> Mapping[str, Any]:
        return self._readings[SETTINGS_FILE].sections

    def _items(self, name: str) -> Mapping[int, Any]:
        return self._readings[self._catalogue.file_of(name)].lists[name]

    def _strange(self, where: str, without: Iterable[str] = ()) -> dict[str, Any]:
        """What lies under ``where`` and is not in force."""
        found = {**self._readings[SETTINGS_FILE].strange, **self._readings[PHONEBOOK_FILE].strange}
        return {key: value for key, value in found.get(where, {}).items() if key not in without}

    def _strange_after(self, where: str, unknown: Mapping[str, Any]) -> dict[str, Any]:
        """The same, after an import that has ``unknown``."""
        known = self._strange(where)
        given = _mapping(unknown.get(where, {}), f"unknown.{where}")
        return known | {key: value for key, value in given.items() if value != MASK}

    def _section_kind(self, name: str) -> type[Any]:
        if name not in self._catalogue.sections:
            raise SettingError(
                name, no_such(said("there is no such section"), name, self._catalogue.sections)
            )
        return self._catalogue.sections[name]

    def _list_kind(self, name: str) -> type[Any]:
        if name not in self._catalogue.lists:
            raise SettingError(name, no_such(said("there is no such list"), name, self._catalogue.lists))
        return self._catalogue.lists[name]

    def _problem_with(self, kind: type[Any], name: str, key: str, value: Any) -> str:
        """What is wrong with a key of a section or an item; empty for one that is known."""
        problem = problem_with_key(kind, key, value)
        return problem and (self._catalogue.problem_with_retired(f"{name}.{key}") or problem)

    def _require_known(self, kind: type[Any], name: str, keys: Iterable[str]) -> None:
        """Raises SettingError for a key that is retired; any other is ``from_document``'s to judge."""
        for key in keys:
            retired = self._catalogue.problem_with_retired(f"{name}.{key}")
            if retired and problem_with_key(kind, key, None):
                raise SettingError(f"{name}.{key}", retired)

    def _migrated_export(self, data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """An export's sections and lists as this version has them; ``data`` stays as it is."""
        version = data.get("version", 1)
        if type(version) is not int or not 1 <= version <= self._catalogue.version:
            known = said("this program knows 1 to {version}").format(version=self._catalogue.version)
            raise SettingError("version", known)
        copy = json.loads(json.dumps({key: data.get(key, {}) for key in ("settings", "lists")}))
        for name in ("settings", "lists"):
            for inner, documents in _mapping(copy[name], name).items():
                _mapping(documents, inner)
        self._catalogue.migrate(copy["settings"], copy["lists"], version)
        return copy["settings"], copy["lists"]

    def _table(self, name: str) -> Table:
        return self._files[self._catalogue.file_of(name)].table(name)

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
                before = self._readings.get(file_name)
                try:
                    reading = read_tables(storage.read() or {}, self._catalogue, file_name, mend=self._mend)
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

    def _write_section(self, name: str, section: Any, strange: Mapping[str, Any]) -> None:
        """Writes only what differs from the defaults: new defaults reach those who never chose."""
        table = self._files[SETTINGS_FILE].table(SECTION_TABLE)
        number = list(self._catalogue.sections).index(name) + 1
        present = [document.doc_id for document in table.all() if document["section"] == name]
        doc_id = present[0] if present else _free_id(table.all(), number)
        values = {**strange, **to_document(section, sparse=True)}
        table.upsert(Document({"section": name, "values": values}, doc_id=doc_id))

    def _write_items(self, name: str, items: Mapping[int, Any], unknown: Mapping[str, Any]) -> None:
        table = self._table(name)
        table.remove(doc_ids=list(self._items(name)))
        table.remove(doc_ids=[key for key in items if table.contains(doc_id=key)])
        table.insert_multiple(
            Document(
                self._strange_after(f"{name}.{item_id}", unknown) | to_document(item, sparse=True),
                doc_id=item_id,
            )
            for item_id, item in items.items()
        )
        if items:
            self._next_id(name, max(items))

    def _write_difference(self, name: str, items: Mapping[int, Any]) -> None:
        """Writes only the items that are others now; what lies beside them stays."""
        before, table = self._items(name), self._table(name)
        changed = {key: item for key, item in items.items() if before.get(key) != item}
        table.remove(doc_ids=[key for key in before if key not in items or key in changed])
        table.insert_multiple(
            Document(
                self._strange(f"{name}.{key}")
                | to_document(from_document(type(item), to_document(item), name), sparse=True),
                doc_id=key,
            )
            for key, item in changed.items()
        )
        if changed:
            self._next_id(name, max(changed))

    def _next_id(self, name: str, at_least: int = 0) -> int:
        """An id that this list never had; ``at_least`` only marks ids as used."""
        table = self._files[self._catalogue.file_of(name)].table(COUNTER_TABLE)
        # One that somebody broke by hand counts for nothing: the ids in use say enough.
        counters = {each.get("list"): each for each in table.all() if type(each.get("last")) is int}
        known = counters.get(name)
        used = [document.doc_id for document in self._table(name).all()]
        last = max(known["last"] if known else 0, *used, 0)
        last = max(last, at_least) if at_least else last + 1
        doc_id = known.doc_id if known else _free_id(table.all(), 1)
        table.upsert(Document({"list": name, "last": last}, doc_id=doc_id))
        return last

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Alone, across threads and processes, on what is newest; one write of each file, or none."""
        if self._catalogue.partial:
            raise RuntimeError("a store of some sections changes nothing")
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


def _free_id(documents: list[Document], wanted: int) -> int:
    used = {document.doc_id for document in documents}
    while wanted in used:
        wanted += 1
    return wanted


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SettingError(where, said("an object is needed"))
    return value


def _item_id(text: str, name: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 1 << 53 or text != str(int(text)):
        raise SettingError(f"{name}.{text}", said("an item's id is a whole number"))
    return int(text)


def _name_of(kinds: Mapping[str, type], kind: type) -> str:
    """The name of a kind in the catalogue; a variant has that of its base."""
    for name, known in kinds.items():
        if issubclass(kind, known):
            return name
    raise KeyError(f"{kind.__name__} is not a kind of settings")
