"""The content of the settings' files, of any version: migration and reading.

This module does no I/O; ``kept`` reads and writes.  A file holds tables of documents with numbers, as in
TinyDB: one for the sections, one for each list, one with the file's version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from appliance.language import said
from appliance.settings.fields import SettingError, from_file, no_such, problem_with_key

SETTINGS_FILE = "settings.json"
PHONEBOOK_FILE = "phonebook.json"
SECTION_TABLE = "settings"
FILE_TABLE = "file"
COUNTER_TABLE = "counters"
# In the settings' FILE_TABLE: there is a phone book, so that a missing file of it is noticed.
PHONEBOOK_KEPT = "phonebook"
_KEPT = "It is kept, and has no effect."

Tables = dict[str, dict[str, Any]]
# Migrates the sections, by name, and the lists, by name and id, of one file or of an export, in place.
Migration = Callable[[dict[str, dict[str, Any]], dict[str, dict[str, Any]]], None]


class SettingsDamagedError(RuntimeError):
    """A settings file cannot be read as such; the message names it."""


class SettingsTooNewError(SettingsDamagedError):
    """A newer version of the box wrote the settings; they were not changed."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The sections and lists that exist, and the migrations from older versions."""

    sections: Mapping[str, type[Any]]
    lists: Mapping[str, type[Any]]
    phonebook: frozenset[str] = frozenset()  # the lists in a file of their own
    migrations: tuple[Migration, ...] = ()  # one for each version; a file at version n gets those from n on
    # The present names of retired keys (such as "lines.dial_prefix").
    retired: Mapping[str, str] = field(default_factory=dict)
    # For a reader of a few sections, of any version, that changes nothing.
    partial: bool = False

    def problem_with_retired(self, path: str) -> str:
        """The message for a retired key; empty for any other."""
        name = self.retired.get(path, "")
        return name and said("this is called {name} now").format(name=name)

    def section_kind(self, name: str) -> type[Any]:
        """The kind of a section.  Raises SettingError for an unknown name."""
        if name not in self.sections:
            raise SettingError(name, no_such(said("there is no such section"), name, self.sections))
        return self.sections[name]

    def list_kind(self, name: str) -> type[Any]:
        """The kind of a list's items.  Raises SettingError for an unknown name."""
        if name not in self.lists:
            raise SettingError(name, no_such(said("there is no such list"), name, self.lists))
        return self.lists[name]

    def problem_with(self, kind: type[Any], name: str, key: str, value: Any) -> str:
        """What is wrong with a key of a section or an item; empty for a known one."""
        problem = problem_with_key(kind, key, value)
        return problem and (self.problem_with_retired(f"{name}.{key}") or problem)

    def require_known(self, kind: type[Any], name: str, keys: Iterable[str]) -> None:
        """Raises SettingError for a retired key; ``from_document`` checks the others."""
        for key in keys:
            retired = self.problem_with_retired(f"{name}.{key}")
            if retired and problem_with_key(kind, key, None):
                raise SettingError(f"{name}.{key}", retired)

    @property
    def version(self) -> int:
        """The version of the files; one without a version is of version 1."""
        return len(self.migrations) + 1

    def file_of(self, name: str) -> str:
        """The file that a list is kept in."""
        return PHONEBOOK_FILE if name in self.phonebook else SETTINGS_FILE

    def migrate(
        self, sections: dict[str, dict[str, Any]], lists: dict[str, dict[str, Any]], version: int
    ) -> None:
        """Migrates what ``version`` wrote, in place."""
        for migration in self.migrations[version - 1 :]:
            migration(sections, lists)


@dataclass(slots=True)
class Reading:
    """The content of a file, and what of it is not in force."""

    sections: dict[str, Any] = field(default_factory=dict)
    lists: dict[str, Mapping[int, Any]] = field(default_factory=dict)
    inactive: dict[str, dict[str, Any]] = field(default_factory=dict)  # by section or item: unknown keys
    wrong: dict[str, SettingError] = field(default_factory=dict)  # by section or item: wrong values
    notes: list[str] = field(default_factory=list)


def migrated(tables: Tables, catalogue: Catalogue, path: Path) -> Tables:
    """The tables of a file, migrated.  Raises SettingsTooNewError, SettingsDamagedError."""
    if catalogue.partial:
        return tables
    version = tables.get(FILE_TABLE, {}).get("1", {}).get("version", 1)
    if type(version) is not int or version < 1:
        raise SettingsDamagedError(f"{path} is damaged: its version is no number")
    if version > catalogue.version:
        raise SettingsTooNewError(
            f"{path} is of version {version}, this program knows {catalogue.version}: update the program; "
            "nothing was changed"
        )
    rows = tables.get(SECTION_TABLE, {}).values()
    sections = _by_name(row for row in rows if _is_section(row))
    lists = {name: table for name, table in tables.items() if name in catalogue.lists}
    catalogue.migrate(sections, lists, version)
    return tables


def read_tables(tables: Tables, catalogue: Catalogue, file_name: str, *, mend: bool) -> Reading:
    """The content of the tables of one file.

    Raises SettingError for a wrong value in a section, unless ``mend``: then the default replaces it.
    """
    reading = Reading()
    if file_name == SETTINGS_FILE:
        _read_sections(reading, tables.get(SECTION_TABLE, {}), catalogue, mend=mend)
    known = {*catalogue.lists, SECTION_TABLE, FILE_TABLE, COUNTER_TABLE, "_default"}
    for name in () if catalogue.partial else tables.keys() - known:
        unknown = no_such(said("there is no such list"), name, catalogue.lists)
        reading.notes.append(f"{name}: {unknown}.  {_KEPT}")
    for name in sorted(tables.keys() & catalogue.lists.keys()):
        if tables[name] and (home := catalogue.file_of(name)) != file_name:
            elsewhere = said("this list belongs in {file}").format(file=home)
            reading.notes.append(f"{name}: {elsewhere}.  {_KEPT}")
    for name, kind in catalogue.lists.items():
        if catalogue.file_of(name) == file_name:
            reading.lists[name] = _read_list(reading, name, kind, tables.get(name, {}), catalogue)
    return reading


def _read_sections(reading: Reading, rows: dict[str, Any], catalogue: Catalogue, *, mend: bool) -> None:
    for row in rows.values():
        if not _is_section(row):
            raise SettingError("settings", said("a section has a name and values"))
    found = _by_name(rows.values())
    names = [row["section"] for row in rows.values()]
    for name in (name for name in found if names.count(name) > 1):
        twice = said("the section is there more than once; the first is in force")
        reading.notes.append(f"{name}: {twice}.")
    for name in () if catalogue.partial else found.keys() - catalogue.sections.keys():
        unknown = no_such(said("there is no such section"), name, catalogue.sections)
        reading.notes.append(f"{name}: {unknown}.  {_KEPT}")
    for name, kind in catalogue.sections.items():
        document = dict(found.get(name, {}))
        broken: dict[str, Any] = {}
        while True:
            try:
                section, inactive = from_file(kind, document, name)
                break
            except SettingError as error:
                key = error.path.removeprefix(f"{name}.").partition("[")[0]
                if not mend or key not in document:
                    raise
                reading.wrong[error.path] = error
                reading.notes.append(
                    f"{error}.  Its default is shown; faxbox config set {name}.{key} mends it."
                )
                broken[key] = document.pop(key)
        reading.sections[name] = section
        _note_inactive(reading, name, kind, inactive, catalogue)
        if broken:
            reading.inactive[name] = reading.inactive.get(name, {}) | broken


def _read_list(
    reading: Reading, name: str, kind: type[Any], table: dict[str, Any], catalogue: Catalogue
) -> Mapping[int, Any]:
    items: dict[int, Any] = {}
    for number in sorted(table, key=int):
        where = f"{name}.{number}"
        try:
            item, inactive = from_file(kind, table[number], where)
        except SettingError as error:
            reading.wrong[where] = error
            reading.notes.append(
                f"{error}.  The entry {table[number].get('name', '')!r} is kept and left out."
            )
            continue
        items[int(number)] = item
        _note_inactive(reading, where, type(item), inactive, catalogue)
    return MappingProxyType(items)


def _note_inactive(
    reading: Reading, where: str, kind: type[Any], inactive: dict[str, Any], catalogue: Catalogue
) -> None:
    if inactive:
        reading.inactive[where] = inactive
    name = where.partition(".")[0]
    for key, value in inactive.items():
        problem = catalogue.problem_with(kind, name, key, value)
        reading.notes.append(f"{where}.{key}: {problem}.  {_KEPT}")


def _by_name(rows: Iterable[Any]) -> dict[str, Any]:
    """The values of each section.  Of two with one name the first counts, which is also the one changed."""
    found: dict[str, Any] = {}
    for row in rows:
        found.setdefault(row["section"], row["values"])
    return found


def _is_section(row: Any) -> bool:
    return isinstance(row.get("section"), str) and isinstance(row.get("values"), dict)
