"""``SettingsStore``: sections and lists, by their kinds or by the paths of the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from appliance.language import said
from appliance.settings import transfer
from appliance.settings.fields import SettingError, describe, from_document, from_text, to_document
from appliance.settings.files import Catalogue
from appliance.settings.kept import KeptSettings
from appliance.url_passwords import MASK

S = TypeVar("S")
# Reads the settings once nobody else can change them, and raises to leave them as they are.
Check = Callable[[], None]


def _nothing() -> None: ...


class UnknownItemError(KeyError):
    """No item has this id."""


class Items:
    """A list during ``revise``: ``items`` by id, and ids for new ones."""

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

    Keys that this version does not know are kept in the file and reported (``notes``).  An item with a wrong
    value is not in force and is kept, too.  Raises SettingsDamagedError, SettingsTooNewError, and
    SettingError for a wrong value in a section, since its default might allow what the owner forbade; with
    ``mend`` the default is in force instead, for the commands that correct it.
    """

    def __init__(self, data: Path, catalogue: Catalogue, *, mend: bool = False) -> None:
        self._kept = KeptSettings(data, catalogue, mend=mend)
        self._catalogue = catalogue
        self._listeners: list[Callable[[], None]] = []
        self._names: dict[type, str] = {}  # of the kinds that were asked for

    @property
    def folder(self) -> Path:
        """The folder of the settings."""
        return self._kept.folder

    # -- reading -------------------------------------------------------------------------------

    def section(self, kind: type[S]) -> S:
        """A section of the settings, such as ``StationSettings``."""
        name = self._name_of(self._catalogue.sections, kind)
        with self._kept.reading(name):
            section: S = self._kept.sections[name]
            return section

    def items(self, kind: type[S]) -> Mapping[int, S]:
        """All items of a kind, such as ``User``, by id, in the order of their ids."""
        name = self._name_of(self._catalogue.lists, kind)
        with self._kept.reading(name):
            items = self._kept.items(name)
            return {number: item for number, item in items.items() if isinstance(item, kind)}

    def item(self, kind: type[S], item_id: int) -> S:
        """Raises UnknownItemError."""
        try:
            return self.items(kind)[item_id]
        except KeyError:
            raise UnknownItemError(f"there is no {kind.__name__} {item_id}") from None

    def notes(self) -> tuple[str, ...]:
        """Everything in the files that is not in force, as sentences."""
        with self._kept.reading():
            return self._kept.notes

    @property
    def phonebook_gone(self) -> bool:
        """Whether the file of the phone book is missing although there was one."""
        return self._kept.phonebook_gone

    # -- changing ------------------------------------------------------------------------------

    def change(self, kind: type[S], values: Mapping[str, Any]) -> S:
        """Sets fields of a section from JSON data; returns it.  Raises SettingError; then nothing changed."""
        name = self._name_of(self._catalogue.sections, kind)
        self._catalogue.require_known(kind, name, values)
        with self._kept.changing():
            old = self._kept.sections[name]
            new: S = from_document(kind, {**to_document(old), **values}, name, old)
            self._kept.write_section(name, new, self._kept.inactive(name, without=values))
        self._tell()
        return new

    def add(
        self, item: object, values: Mapping[str, Any] = MappingProxyType({}), *, check: Check = _nothing
    ) -> int:
        """Adds an item to its list, with fields set from JSON data; returns its id.

        Raises SettingError, and whatever ``check`` raises.
        """
        name = self._name_of(self._catalogue.lists, type(item))
        with self._kept.changing():
            check()
            self._catalogue.require_known(type(item), name, values)
            checked = from_document(type(item), {**to_document(item), **values}, name)
            item_id = self._kept.add_item(name, checked)
        self._tell()
        return item_id

    def update(self, kind: type[S], item_id: int, values: Mapping[str, Any], *, check: Check = _nothing) -> S:
        """Sets fields of an item from JSON data; returns it.

        Raises UnknownItemError, SettingError, and whatever ``check`` raises.
        """
        name = self._name_of(self._catalogue.lists, kind)
        with self._kept.changing():
            old = self.item(kind, item_id)
            check()
            self._catalogue.require_known(type(old), name, values)
            new = from_document(type(old), {**to_document(old), **values}, name, old)
            self._kept.put_item(name, item_id, new, self._kept.inactive(f"{name}.{item_id}"))
        self._tell()
        return new

    def remove(self, kind: type[S], item_id: int, *, check: Check = _nothing) -> None:
        """Raises UnknownItemError, and whatever ``check`` raises."""
        name = self._name_of(self._catalogue.lists, kind)
        with self._kept.changing():
            self.item(kind, item_id)
            check()
            self._kept.remove_item(name, item_id)
        self._tell()

    def revise(
        self, kinds: Sequence[type[Any]], revision: Callable[[Mapping[type[Any], Items]], None]
    ) -> None:
        """Changes lists together, with one write of each file.

        ``revision`` gets the items of each of ``kinds`` and changes them in place.  Raises SettingError for
        a wrong item, and whatever ``revision`` raises; then nothing changed.
        """
        names = {kind: self._name_of(self._catalogue.lists, kind) for kind in kinds}
        with self._kept.changing():
            lists = {
                kind: Items(self._kept.items(name), self._kept.next_id(name)) for kind, name in names.items()
            }
            revision(lists)
            for kind, name in names.items():
                self._kept.write_items(name, lists[kind].items)
        self._tell()

    def listen(self, action: Callable[[], None]) -> None:
        """Runs ``action`` after each change made through this object, in the changing thread."""
        self._listeners.append(action)

    # -- for the command line ------------------------------------------------------------------

    def get_path(self, path: str = "") -> Any:
        """A section (``station``) or a field (``station.name``) as JSON data, secrets masked.

        Without ``path``: everything.  Keys that this version does not know are included, with masked values,
        since they may be secrets.  Raises SettingError.
        """
        if not path:
            return {name: self.get_path(name) for name in self._catalogue.sections}
        name, _, key = path.partition(".")
        kind = self._catalogue.section_kind(name)
        document = to_document(self.section(kind), mask=True) | dict.fromkeys(self._kept.inactive(name), MASK)
        if key and key not in document:
            raise SettingError(path, self._catalogue.problem_with(kind, name, key, None))
        return document[key] if key else document

    def is_secret(self, path: str) -> bool:
        """Whether a field such as ``mail_out.password`` is never shown.  Raises SettingError."""
        name, _, key = path.partition(".")
        kind = self._catalogue.section_kind(name)
        self._catalogue.require_known(kind, name, (key,))
        return any(field.secret for field in describe(kind) if field.name == key)

    def set_path(self, path: str, text: str) -> None:
        """Sets a field such as ``station.name`` from text.  Raises SettingError."""
        name, _, key = path.partition(".")
        kind = self._catalogue.section_kind(name)
        self._catalogue.require_known(kind, name, (key,))
        self.change(kind, {key: from_text(kind, key, text, name)})

    def forget_path(self, path: str) -> None:
        """Deletes a key that this version does not know, such as ``station.nmae`` or ``lines.3.nmae``.

        Raises SettingError for any other.
        """
        where, _, key = path.rpartition(".")
        with self._kept.changing():
            inactive = self._kept.inactive(where)
            if key not in inactive:
                raise SettingError(path, said("only what this version does not know can be forgotten"))
            del inactive[key]
            name, _, number = where.partition(".")
            if number:
                self._kept.put_item(name, int(number), self._kept.items(name)[int(number)], inactive)
            else:
                self._kept.write_section(name, self._kept.sections[name], inactive)
        self._tell()

    def export(self, *, secrets: bool = False) -> dict[str, Any]:
        """All settings as JSON data (``transfer.exported``); secrets masked unless asked for."""
        return transfer.exported(self._kept, secrets=secrets)

    def load(self, data: Mapping[str, Any]) -> None:
        """Imports what ``export`` gave (``transfer.load``).  Raises SettingError; then nothing changed."""
        transfer.load(self._kept, data)
        self._tell()

    def _tell(self) -> None:
        for action in list(self._listeners):
            action()

    def _name_of(self, kinds: Mapping[str, type], kind: type) -> str:
        """The name of a kind in the catalogue; a variant has that of its base."""
        found = self._names.get(kind)
        if found is None:
            found = next((name for name, known in kinds.items() if issubclass(kind, known)), None)
            if found is None:
                raise KeyError(f"{kind.__name__} is not a kind of settings")
            self._names[kind] = found
        return found
