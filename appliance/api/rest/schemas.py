"""Building blocks of JSON Schema (2020-12), and schemas of settings, made from their dataclasses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from appliance.settings.fields import TYPE_KEY, FieldDescription, describe, variants
from appliance.settings.units import ID_MAX

Json = dict[str, Any]

COMPONENTS: dict[str, Json] = {}


def component(name: str, schema: Json) -> Json:
    """Adds a named schema to the components; returns a reference to it."""
    if name in COMPONENTS:
        raise ValueError(f"two schemas are called {name}")
    COMPONENTS[name] = schema
    return {"$ref": f"#/components/schemas/{name}"}


def text(limit: int = 200, *, pattern: str = "", least: int = 0, help: str = "") -> Json:
    """A string of at most ``limit`` characters."""
    schema: Json = {"type": "string", "maxLength": limit}
    if least:
        schema["minLength"] = least
    if pattern:
        schema["pattern"] = f"^(?:{pattern})$"
    return _helped(schema, help)


def binary() -> Json:
    """Octets: a file of a form, or the content of an answer.

    ``format`` is OpenAPI 3.0's keyword, which client generators need; ``contentMediaType`` is 3.1's.
    """
    return {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}


def choice(*values: str, help: str = "") -> Json:
    """A schema: one of ``values``."""
    return _helped({"type": "string", "enum": list(values)}, help)


def integer(least: int = 0, most: int = ID_MAX, *, help: str = "") -> Json:
    """A schema: an integer from ``least`` to ``most``."""
    return _helped({"type": "integer", "minimum": least, "maximum": most}, help)


def number(least: float = 0, most: float = 1e12, *, help: str = "") -> Json:
    """A schema: a number from ``least`` to ``most``."""
    return _helped({"type": "number", "minimum": least, "maximum": most}, help)


def flag(help: str = "") -> Json:
    """A schema: true or false."""
    return _helped({"type": "boolean"}, help)


def timestamp(help: str = "") -> Json:
    """A date and time with its offset, RFC 3339."""
    return _helped({"type": "string", "format": "date-time", "maxLength": 40}, help)


def array(items: Json, most: int = 1000, *, least: int = 0, help: str = "") -> Json:
    """A schema: from ``least`` to ``most`` values that fit ``items``."""
    schema: Json = {"type": "array", "items": items, "maxItems": most}
    if least:
        schema["minItems"] = least
    return _helped(schema, help)


def nullable(schema: Json) -> Json:
    """``schema``, or null."""
    if "$ref" in schema or "enum" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


def record(properties: Mapping[str, Json], *, optional: tuple[str, ...] = (), help: str = "") -> Json:
    """An object of an answer: all properties but the ``optional`` ones are always present."""
    return _helped(
        {
            "type": "object",
            "properties": dict(properties),
            "required": [name for name in properties if name not in optional],
        },
        help,
    )


def request_object(properties: Mapping[str, Json], *, required: tuple[str, ...] = (), help: str = "") -> Json:
    """An object of a request: no other properties are allowed."""
    schema: Json = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    if required:
        schema["required"] = list(required)
    return _helped(schema, help)


def settings_schema(
    kind: type[Any], *, without: tuple[str, ...] = (), required: tuple[str, ...] = (), answer: bool = False
) -> Json:
    """The schema of a settings document.

    For a request, every field but the ``required`` ones may be omitted; in an ``answer`` all are present.
    """
    properties = {f.name: _of_field(f, answer) for f in describe(kind) if f.name not in without}
    if answer:
        return record(properties)
    # A document with several shapes is requested as one object with the fields of all.
    shapes = variants(kind)
    if shapes:
        properties = {TYPE_KEY: choice(*shapes, help="stays as it was made"), **properties}
    for word, shape in shapes.items():
        for described in describe(shape):
            name, schema = described.name, _of_field(described, answer)
            if name not in properties:
                properties[name] = {**schema, "description": f"{word}: {described.help}"}
            elif "description" in properties[name] and properties[name] != schema:
                properties[name] = {"anyOf": [properties[name], schema]}
    return request_object(properties, required=required)


def answer_schema(kind: type[Any], more: Mapping[str, Json]) -> Json:
    """The schema of an answer with a settings document and ``more``, for one of its shapes."""
    shapes = variants(kind)
    if not shapes:
        return record({**more, **settings_schema(kind, answer=True)["properties"]})
    return {
        "oneOf": [
            record({**more, TYPE_KEY: choice(word), **settings_schema(shape, answer=True)["properties"]})
            for word, shape in shapes.items()
        ]
    }


def _of_field(described: FieldDescription, answer: bool) -> Json:
    word = described.type
    listed = word.startswith("list of ")
    word = word.removeprefix("list of ")
    optional = word.endswith(" or none")
    schema = _of_word(word.removesuffix(" or none"), described)
    if listed:
        schema = array(schema)
    if optional:
        schema = nullable(schema)
    help = described.help
    if not answer and not described.required and not described.secret:
        # Not as JSON Schema's `default`: generated clients would send it with every change, or require it.
        help = f"{help} (by default {json.dumps(described.default, ensure_ascii=False)})"
    if described.secret and not answer:
        schema["writeOnly"] = True
    return _helped(schema, help)


def _of_word(word: str, described: FieldDescription) -> Json:
    match word:
        case "yes or no":
            return {"type": "boolean"}
        case "choice":
            return {"type": "string", "enum": list(described.choices)}
        case "whole number" | "number":
            schema: Json = {"type": "integer" if word == "whole number" else "number"}
            # Without limits of its own, a number must still fit everywhere.
            schema["minimum"] = described.minimum if described.minimum is not None else -ID_MAX
            schema["maximum"] = described.maximum if described.maximum is not None else ID_MAX
            return schema
    return text(described.max_length, pattern=described.pattern)


def _helped(schema: Json, help: str) -> Json:
    return {**schema, "description": help} if help else schema
