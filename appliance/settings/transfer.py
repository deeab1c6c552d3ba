"""Export and import of all settings as one document of JSON data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from appliance.language import said
from appliance.settings.fields import SettingError, from_document, to_document
from appliance.settings.files import Catalogue
from appliance.settings.kept import KeptSettings
from appliance.settings.units import ID_MAX
from appliance.url_passwords import MASK


def exported(kept: KeptSettings, *, secrets: bool) -> dict[str, Any]:
    """All settings as JSON data; secrets masked unless ``secrets``.

    ``unknown`` has the keys that this version does not know, by section or item.
    """
    with kept.reading():
        unknown = {
            where: document if secrets else dict.fromkeys(document, MASK)
            for where, document in kept.all_inactive.items()
        }
        return {
            "version": kept.catalogue.version,
            "settings": {
                name: to_document(section, mask=not secrets) for name, section in kept.sections.items()
            },
            "lists": {
                name: {
                    str(number): to_document(item, mask=not secrets)
                    for number, item in kept.items(name).items()
                }
                for name in kept.catalogue.lists
            },
        } | ({"unknown": unknown} if unknown else {})


def load(kept: KeptSettings, data: Mapping[str, Any]) -> None:
    """Imports what ``exported`` gave: its sections and lists replace those of the box.

    A masked secret keeps its value, and a wrong entry that was not exported stays, unless another
    has its id.  Raises SettingError; then nothing changed.
    """
    for key in _mapping(data, "settings"):
        if key not in ("version", "settings", "lists", "unknown"):
            raise SettingError(key, said("an export has only version, settings, lists and unknown"))
    catalogue = kept.catalogue
    given_sections, given_lists = _migrated(catalogue, data)
    with kept.changing():
        sections: dict[str, Any] = {}
        for name, document in given_sections.items():
            kind = catalogue.section_kind(name)
            catalogue.require_known(kind, name, document)
            sections[name] = from_document(kind, document, name, kept.sections[name])
        lists: dict[str, dict[int, Any]] = {}
        for name, documents in given_lists.items():
            kind, lists[name] = catalogue.list_kind(name), {}
            for text, document in documents.items():
                where, item_id = f"{name}.{text}", _item_id(text, name)
                catalogue.require_known(kind, name, _mapping(document, where))
                lists[name][item_id] = from_document(kind, document, where, kept.items(name).get(item_id))
        unknown = _mapping(data.get("unknown", {}), "unknown")
        given = {*sections, *(f"{name}.{item_id}" for name, items in lists.items() for item_id in items)}
        for where in unknown.keys() - given:
            raise SettingError(f"unknown.{where}", said("the export has nothing that this belongs to"))
        for name, section in sections.items():
            kept.write_section(name, section, _inactive_after(kept, name, unknown))
        for name, items in lists.items():
            inactive = {item_id: _inactive_after(kept, f"{name}.{item_id}", unknown) for item_id in items}
            kept.write_items(name, items, inactive)


def _inactive_after(kept: KeptSettings, where: str, unknown: Mapping[str, Any]) -> dict[str, Any]:
    """The unknown keys of one section or item after an import that has ``unknown``."""
    given = _mapping(unknown.get(where, {}), f"unknown.{where}")
    return kept.inactive(where) | {key: value for key, value in given.items() if value != MASK}


def _migrated(catalogue: Catalogue, data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The sections and lists of an export, migrated; ``data`` is not changed."""
    version = data.get("version", 1)
    if type(version) is not int or not 1 <= version <= catalogue.version:
        known = said("this program knows 1 to {version}").format(version=catalogue.version)
        raise SettingError("version", known)
    copy = json.loads(json.dumps({key: data.get(key, {}) for key in ("settings", "lists")}))
    for name in ("settings", "lists"):
        for inner, documents in _mapping(copy[name], name).items():
            _mapping(documents, inner)
    catalogue.migrate(copy["settings"], copy["lists"], version)
    return copy["settings"], copy["lists"]


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SettingError(where, said("an object is needed"))
    return value


def _item_id(text: str, name: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= ID_MAX or text != str(int(text)):
        raise SettingError(f"{name}.{text}", said("an item's id is a whole number"))
    return int(text)
