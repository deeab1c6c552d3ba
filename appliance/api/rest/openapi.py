"""The OpenAPI 3.1 document, made from the route table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from appliance import __version__
from appliance.api.intake import MULTIPART_TYPE
from appliance.api.problems import MEDIA_TYPE
from appliance.api.request import JSON_TYPE
from appliance.api.rest.examples import EXAMPLES
from appliance.api.rest.routes import NUMBERS, PREFIX, Parameter, Route
from appliance.api.rest.schemas import (
    COMPONENTS,
    Json,
    array,
    binary,
    choice,
    component,
    integer,
    nullable,
    record,
    text,
    timestamp,
)
from appliance.api.rest.views import FAX_IN_FULL, RECEIVED_IN_FULL
from appliance.deliver.webhook import EVENTS, SIGNATURE_HEADER

INTRODUCTION = (
    "Sends and receives faxes. Every answer that is not a success is a problem document (RFC 9457) whose"
    " `code` is a row of the table at `/api/v1/causes`. Times are RFC 3339. Lists are newest first; `next`"
    " is the `before` of the next page, null on the last."
)

PROBLEM = component(
    "Problem",
    record(
        {
            "type": text(200, help="where the box explains this code"),
            "title": text(500, help="what happened, as a sentence"),
            "status": integer(400, 599),
            "code": text(60, help="stable code: a row of the table of causes"),
            "advice": text(500, help="what to do, as a sentence"),
            "detail": text(500, help="what exactly, this time"),
            "errors": array(record({"path": text(500), "problem": text(500)}), help="wrong parts"),
        },
        optional=("detail", "errors"),
    ),
)
_PATH_HELP = {
    "id": "id",
    "page": "number of a page, from 1",
    "number": "number of the attempt, from 1",
}


# Answers of these media types are text; all others but JSON are octets.
_TEXTS = ("text/", "application/x-ndjson", "application/openmetrics-text")
_RECEIVED = ("fax.received",)
_SENT = tuple(dict.fromkeys(event for event in EVENTS.values() if event not in _RECEIVED))
_DOCUMENT = component(
    "WebhookDocument",
    record(
        {
            "name": text(200),
            "media_type": text(100),
            "content": nullable(
                {
                    "type": "string",
                    "contentEncoding": "base64",
                    "description": "null: larger than the box's owner allows, or no longer there",
                }
            ),
        }
    ),
)


def _told(name: str, events: Sequence[str], fax: Json) -> Json:
    return component(
        name,
        record(
            {
                "event": choice(*events),
                "delivery": integer(1, help="the same in each try of one delivery"),
                "at": timestamp(),
                "fax": fax,
                "page": integer(1, help="of the event fax.page: so many are confirmed"),
                "document": _DOCUMENT,
            },
            optional=("page", "document"),
        ),
    )


_PAYLOADS = {
    **dict.fromkeys(_SENT, _told("FaxWebhook", _SENT, FAX_IN_FULL)),
    **dict.fromkeys(_RECEIVED, _told("ReceivedFaxWebhook", _RECEIVED, RECEIVED_IN_FULL)),
}


def _webhooks() -> Json:
    """The webhooks of the box's own style, by event."""
    return {
        event: {
            "post": {
                "operationId": "on" + "".join(part.capitalize() for part in event.split(".")),
                "tags": ["webhooks"],
                "summary": f"The box tells `{event}`",
                "security": [],
                "parameters": [
                    {
                        "name": SIGNATURE_HEADER,
                        "in": "header",
                        "required": True,
                        "schema": text(200),
                        "description": "`t=TIME,v1=HMAC`: HMAC-SHA256 over the time, a dot and the body",
                    }
                ],
                "requestBody": {"required": True, "content": {JSON_TYPE: {"schema": _PAYLOADS[event]}}},
                "responses": {"2XX": {"description": "taken; any other answer is tried again"}},
            }
        }
        for event in dict.fromkeys(EVENTS.values())
    }


def describe_all(routes: Sequence[Route]) -> Json:
    """The OpenAPI document of ``routes``."""
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "faxbox",
            "version": __version__,
            "description": INTRODUCTION,
            "license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
        },
        "servers": [{"url": PREFIX}],
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)],
        "paths": paths,
        "webhooks": _webhooks(),
        "components": {
            "schemas": COMPONENTS,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "an API key or a sign-in"}
            },
        },
    }


def _operation(route: Route) -> Json:
    operation: Json = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": route.summary,
        "security": [] if route.open else [{"key": []}],
        "parameters": [
            *_path_parameters(route.path),
            *(_parameter(p, "query") for p in route.query),
            *(_parameter(p, "header") for p in route.headers),
        ],
        "responses": {
            str(route.status): _success(route),
            **({} if route.open else {"401": _problem("no valid key or sign-in")}),
            **({} if route.open else {"429": _problem("too many requests; see Retry-After")}),
            "default": _problem("not done; the code says why"),
        },
    }
    words = [route.help] if route.help else []
    if route.scope is not None:
        words.append(f"Needs the scope `{route.scope.value}`.")
    if words:
        operation["description"] = " ".join(words)
    content: Json = {}
    if route.body is not None:
        content[JSON_TYPE] = {"schema": route.body}
        example = EXAMPLES.get(route.name, route.example)
        if example is not None:
            content[JSON_TYPE]["example"] = example
    if route.form is not None:
        content[MULTIPART_TYPE] = {"schema": route.form}
    if content:
        operation["requestBody"] = {"required": route.body_required, "content": content}
    return operation


def _path_parameters(path: str) -> list[Json]:

    found = []
    for name in re.findall(r"\{(\w+)\}", path):
        schema = integer(1, 10**15 - 1) if name in NUMBERS else text(100, least=1, pattern="[^/]+")
        found.append(
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": schema,
                "description": _PATH_HELP.get(name, name),
            }
        )
    return found


def _parameter(parameter: Parameter, place: str) -> Json:
    described: Json = {
        "name": parameter.name,
        "in": place,
        "required": False,
        "schema": dict(parameter.schema),
        "description": parameter.help,
    }
    if place == "query" and parameter.schema.get("type") == "array":
        described.update(style="form", explode=False)
    return described


def _success(route: Route) -> Json:
    described: Json = {"description": HTTPStatus(route.status).phrase}
    if route.answer is not None or route.status != HTTPStatus.NO_CONTENT:
        described["content"] = {media: {"schema": _schema_of(route, media)} for media in route.media}
    return described


def _schema_of(route: Route, media: str) -> Json:
    if route.answer is not None and media == JSON_TYPE:
        return dict(route.answer)
    return {"type": "string"} if media.startswith(_TEXTS) else binary()


def _problem(description: str) -> Mapping[str, Any]:
    return {"description": description, "content": {MEDIA_TYPE: {"schema": PROBLEM}}}
