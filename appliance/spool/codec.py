"""How the options of a submission stand in the database: JSON with only what was given."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from enum import Enum
from typing import Any

from appliance.remarks import Rule
from appliance.spool.model import Cover, Quality, Resume, SendOptions, UnknownRule

_DEFAULTS = {field.name: field.default for field in fields(SendOptions)}
_ENUMS: dict[str, type[Enum]] = {
    "quality": Quality,
    "resume": Resume,
    "unknown_rule": UnknownRule,
    "when_lost": Rule,
    "bad_files": Rule,
}


def options_json(options: SendOptions) -> str:
    """SendOptions as JSON."""
    given: dict[str, Any] = {}
    for name, default in _DEFAULTS.items():
        value = getattr(options, name)
        if value == default:
            continue
        if isinstance(value, Enum):
            value = value.value
        elif isinstance(value, Cover):
            value = asdict(value)
        given[name] = value
    return json.dumps(given)


def options_from_json(text: str) -> SendOptions:
    """The inverse of ``options_json``."""
    given: dict[str, Any] = json.loads(text)
    for name, kind in _ENUMS.items():
        if name in given:
            given[name] = kind(given[name])
    if "cover" in given:
        given["cover"] = Cover(**given["cover"])
    if "lines" in given:
        given["lines"] = tuple(given["lines"])
    return SendOptions(**given)
