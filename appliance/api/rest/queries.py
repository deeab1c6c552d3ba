"""Query parameters that several lists have, and how they are read."""

from __future__ import annotations

import json
from typing import Any

from appliance.api.rest.checking import flaw, read_time
from appliance.api.rest.routes import Answer, Call, Parameter
from appliance.api.rest.schemas import Json, integer, text, timestamp
from appliance.language import said

LIST_DEFAULT, LIST_MOST = 50, 200
# Characters of a filter by metadata, and the most names in it.
METADATA_FILTER_LIMIT = 1000
METADATA_TERMS = 10
LIMIT = Parameter("limit", integer(1, LIST_MOST), f"at most so many; {LIST_DEFAULT} when left out")
BEFORE = Parameter("before", integer(1), "only those with a smaller id")
SEARCH = Parameter(
    "q", text(100), "words, three letters each at least, that stand in number, name or subject"
)
OWNER = Parameter("owner", text(64), "of this user; only for administrators")
SINCE = Parameter("since", timestamp(), "not older than this time")
UNTIL = Parameter("until", timestamp(), "older than this time")
METADATA = Parameter(
    "metadata",
    text(METADATA_FILTER_LIMIT),
    "with this in its metadata: `order:4711`, or several as a JSON object",
)


def part_of_list(call: Call) -> dict[str, Any]:
    """``before_id`` and ``limit`` of a query, as the filters of all lists call them."""
    return {"before_id": call.query.get("before"), "limit": call.query.get("limit", LIST_DEFAULT)}


def page_of(call: Call, name: str, views: list[Json]) -> Answer:
    """One page of a list, newest items first, whose schema is ``views.listing``."""
    full = bool(views) and len(views) >= part_of_list(call)["limit"]
    return Answer({name: views, "next": views[-1]["id"] if full else None})


def period(call: Call) -> dict[str, Any]:
    """``since`` and ``until`` of a query, as Unix time, None when not given."""
    return {
        name: read_time(call.query[name], name) if name in call.query else None for name in ("since", "until")
    }


def asked_owner(call: Call) -> str:
    """Whose entries are listed: an administrator may name somebody, empty for all; others see their own."""
    sees = call.caller.sees
    return str(call.query.get("owner", "")) if sees is None else sees


def read_metadata(text: str) -> tuple[tuple[str, str], ...]:
    """The names and values in a query's ``metadata``, as the spool compares them.  Raises ProblemError."""
    name, colon, value = text.partition(":")
    if not text.startswith("{"):
        if not colon or not name:
            raise flaw("metadata", said("name:value is needed, or a JSON object"))
        return ((name, value),)
    try:
        given = json.loads(text)
        json.dumps(given, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise flaw("metadata", said("this is no JSON object")) from None
    if len(given) > METADATA_TERMS or not given:
        raise flaw("metadata", said("1 to {count} names are needed").format(count=METADATA_TERMS))
    if any(not isinstance(each, str | int | float) for each in given.values()):
        raise flaw("metadata", said("texts, numbers, true and false can be looked for"))
    # As SQLite writes them, with JSON's true and false.
    return tuple((name, each if isinstance(each, str) else json.dumps(each)) for name, each in given.items())
