"""The programming interface to read and to try, made from the OpenAPI document.

Its descriptions are shown in the reader's language (webui/interface_words.py); the document is English.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from appliance.api.rest.openapi import describe_all
from appliance.api.rest.routes import PREFIX
from appliance.api.rest.table import ROUTES
from webui.interface_words import described, meant
from webui.visit import Page, Response, Visit

# The depth of an example: schemas may refer to each other.
_DEPTH = 4
_HOST_LIMIT = 300  # of the Host header, characters


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter of a call.  ``place``: path, query, header, body or form."""

    name: str
    place: str
    kind: str
    help: str
    required: bool


@dataclass(frozen=True, slots=True)
class InterfaceCall:
    """One call.  ``example``: a JSON body, empty without one; ``tried``: whether the page can try it.

    Calls with files or endless answers cannot be tried.
    """

    method: str
    path: str
    name: str
    summary: str
    help: str
    fields: tuple[Field, ...]
    example: str
    tried: bool


@functools.cache
def calls() -> dict[str, list[InterfaceCall]]:
    """All calls by tag, in the interface's order."""
    document = describe_all(ROUTES)
    components = document["components"]["schemas"]
    found: dict[str, list[InterfaceCall]] = {each["name"]: [] for each in document["tags"]}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            found[operation["tags"][0]].append(_call(method.upper(), path, operation, components))
    return found


def _call(
    method: str, path: str, operation: Mapping[str, Any], components: Mapping[str, Any]
) -> InterfaceCall:
    given = operation.get("requestBody", {}).get("content", {})
    body = given.get("application/json", {})
    schema = _found(body.get("schema", {}), components)
    fields = [
        Field(each["name"], each["in"], _kind(each["schema"]), each["description"], each["required"])
        for each in operation["parameters"]
    ]
    fields += _of_schema(schema, "body", components)
    for media in given:
        if media != "application/json" and not schema:
            fields += _of_schema(_found(given[media]["schema"], components), "form", components)
    example = body.get("example", _example(schema, components)) if schema else None
    return InterfaceCall(
        method,
        path,
        operation["operationId"],
        operation["summary"],
        operation.get("description", ""),
        tuple(fields),
        json.dumps(example, ensure_ascii=False, indent=2) if example is not None else "",
        not _endless(operation) and (not given or "application/json" in given),
    )


def _endless(operation: Mapping[str, Any]) -> bool:
    """Whether the answer is a stream without end."""
    return "text/event-stream" in operation["responses"].get("200", {}).get("content", {})


def _found(schema: Mapping[str, Any], components: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema behind a reference; others unchanged."""
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    found: Mapping[str, Any] = components[name] if name else schema
    return found


def _of_schema(schema: Mapping[str, Any], place: str, components: Mapping[str, Any]) -> Iterator[Field]:
    required = schema.get("required", ())
    for name, each in schema.get("properties", {}).items():
        meant = _found(each, components)
        help_text = str(each.get("description", meant.get("description", "")))
        yield Field(name, place, _kind(meant), help_text, name in required)


def _kind(schema: Mapping[str, Any]) -> str:
    if choices := schema.get("enum"):
        return " | ".join(str(each) for each in choices)
    kind = schema.get("type", "")
    names = kind if isinstance(kind, list) else [kind]
    return " | ".join(str(each) for each in names if each)


def _example(schema: Mapping[str, Any], components: Mapping[str, Any], depth: int = 0) -> Any:
    """An example of a body with its required members."""
    meant = _found(schema, components)
    if depth < _DEPTH and meant.get("type") == "object":
        properties, required = meant.get("properties", {}), meant.get("required", ())
        return {name: _example(properties[name], components, depth + 1) for name in required}
    if depth < _DEPTH and meant.get("type") == "array":
        return [_example(meant.get("items", {}), components, depth + 1)]
    if choices := meant.get("enum"):
        return choices[0]
    return {"integer": 1, "number": 1, "boolean": True}.get(str(meant.get("type")), "…")


def _address(visit: Visit) -> str:
    """The interface's address as this reader reaches the box."""
    scheme = "https" if visit.environ.get("wsgi.url_scheme") == "https" else "http"
    return f"{scheme}://{str(visit.environ.get('HTTP_HOST', ''))[:_HOST_LIMIT]}{PREFIX}"


def show(visit: Visit) -> Response:
    """The page that describes the REST API."""
    return visit.page(
        "interface.html",
        groups=calls(),
        address=_address(visit),
        described=described,
        meant=meant,
    )


PAGES = (Page("/interface", show),)
