"""Jobs, received faxes and other records as JSON, with their schemas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from enum import Enum
from typing import Any

from appliance.api.rest.schemas import (
    Json,
    array,
    choice,
    component,
    flag,
    integer,
    nullable,
    number,
    record,
    text,
    timestamp,
)
from appliance.box import LineReport
from appliance.causes import Retry, Side
from appliance.deliver.planner import DELIVERY_KINDS
from appliance.deliver.webhook import EVENTS
from appliance.language import said
from appliance.lines.line import LineKind
from appliance.records import Fact, facts_of, time_text, view
from appliance.remarks import Weight
from appliance.spool.delivery import Delivery, DeliveryTry
from appliance.spool.model import Attempt, Document, Event, Handed, Job, Received, ReceivedPageFile
from appliance.spool.remembered import AuditEntry, Destination


def values(kind: type[Enum]) -> tuple[str, ...]:
    """The values of an enum's members, for a schema."""
    return tuple(str(member.value) for member in kind)


_FILE = record({"name": text(255), "media_type": text(150), "octets": integer()})
# Explicit, because some client generators otherwise make an object without members of it.
_FREE: Json = {"type": "object", "additionalProperties": True}
# The most properties of an object that a client keeps with a fax.
PROPERTIES_LIMIT = 50

CAUSE = component(
    "Cause",
    record(
        {
            "code": text(60, help="stable"),
            "side": choice(*values(Side), help="whose side it was on"),
            "sentence": text(500),
            "advice": text(500),
            "retry": choice(*values(Retry), help="what the box does next with a fax that ended so"),
        },
        help="A row of the table of causes.",
    ),
)


REMARK = component(
    "Remark",
    record(
        {
            "code": text(60, help="stable"),
            "weight": choice(*values(Weight), help="lost: not on the pages; noted: perhaps otherwise"),
            "sentence": text(500),
            "advice": text(500),
            "page": nullable(integer(1, help="of the fax; null: the document as a whole")),
            "file": text(200, help="as the sender calls it"),
            "detail": text(200),
        },
        help="What of its document a fax does not show, or shows otherwise.",
    ),
)


# -- schemas from the records' declarations ------------------------------------------------------


def schema_of(fact: Fact) -> Json:
    """The schema of a declared field of a record."""
    declared, kind = fact.declared, fact.kind
    schema = _OF_KIND[kind.name](fact)
    if declared.help and "$ref" not in schema:
        schema = {**schema, "description": declared.help}
    return nullable(schema) if fact.nullable else schema


_OF_KIND: dict[str, Callable[[Fact], Json]] = {
    "integer": lambda fact: integer(fact.declared.least),
    "from one": lambda fact: integer(1),
    "number": lambda fact: number(),
    "text": lambda fact: text(fact.declared.limit),
    "flag": lambda fact: flag(),
    "time": lambda fact: timestamp(),
    "choice": lambda fact: choice(*fact.kind.choices),
    "object": lambda fact: _FREE,
    "cause": lambda fact: CAUSE,
    "remarks": lambda fact: array(REMARK),
    "files": lambda fact: array(_FILE),
}


def asked_schema(fact: Fact) -> Json:
    """The schema of a field that a client may set."""
    schema = schema_of(fact)
    return {**schema, "maxProperties": PROPERTIES_LIMIT} if fact.kind.name == "object" else schema


def properties_of(kind: Any) -> dict[str, Json]:
    """The properties of a record's view (``records.view``)."""
    found: dict[str, Json] = {}
    groups: dict[str, dict[str, Json]] = {}
    for fact in facts_of(kind):
        if not fact.declared.shown:
            continue
        within = fact.declared.within
        if within:
            groups.setdefault(within, {})[fact.name] = schema_of(fact)
            found[within] = record(groups[within])
        else:
            found[fact.name] = schema_of(fact)
    return found


FAX_PROPERTIES = properties_of(Job)
FAX = component("Fax", record(FAX_PROPERTIES))
ATTEMPT = component("Attempt", record(properties_of(Attempt)))
FAX_IN_FULL = component("FaxInFull", record({**FAX_PROPERTIES, "attempts": array(ATTEMPT)}))
RECEIVED = component("ReceivedFax", record(properties_of(Received)))
RECEIVED_IN_FULL = component(
    "ReceivedFaxInFull",
    record({**properties_of(Received), "page_list": array(record(properties_of(ReceivedPageFile)))}),
)
# What a client may set of a fax when it is handed in, and how that becomes the fax's.
ASKED = {fact.name: fact for fact in facts_of(Handed) if fact.declared.asked}


EVENT = component(
    "Event",
    record(
        {
            "id": nullable(integer(help="null: it passes and is not kept")),
            "at": timestamp(),
            "kind": text(60),
            "fax_id": nullable(integer()),
            "data": _FREE,
        }
    ),
)


def event_view(event: Any) -> Json:
    """An ``Event`` or ``TransientEvent`` as JSON."""
    return {
        "id": event.id if isinstance(event, Event) else None,
        "at": time_text(event.at),
        "kind": event.kind,
        "fax_id": event.fax_id,
        "data": dict(event.data),
    }


DOCUMENT = component("Document", record(properties_of(Document)))
AUDIT = component("AuditEntry", record(properties_of(AuditEntry)))
DESTINATION = component("Destination", record(properties_of(Destination)))
DELIVERY = component(
    "Delivery",
    record(
        {
            **properties_of(Delivery),
            "kind": choice(*DELIVERY_KINDS),
            "event": nullable(text(60, help="what it tells of, in the words of webhooks")),
            "tries": array(record(properties_of(DeliveryTry))),
        }
    ),
)


def delivery_view(delivery: Delivery, tries: list[DeliveryTry]) -> Json:
    """A delivery as the interface shows it, its target masked."""
    event = EVENTS.get(str(delivery.payload.get("event", "")))
    return {**view(delivery), "event": event, "tries": [view(each) for each in tries]}


LINE = component(
    "Line",
    record(
        {
            "id": nullable(integer(help="of its settings; null for the practice line")),
            "name": text(64),
            "kind": choice(*values(LineKind)),
            "usable": flag("a call may be placed now, or when a running one ends"),
            "calls": integer(),
            "capacity": integer(),
            "sentence": text(500, help="how it is"),
            "last_error": text(2000),
        }
    ),
)


def line_view(report: LineReport, line_id: int | None) -> Json:
    """A line's state as the interface shows it, in the reader's language."""
    state = replace(
        report.state, sentence=said(report.state.sentence), last_error=said(report.state.last_error)
    )
    return {"id": line_id, "name": report.name, "kind": report.kind.value, **asdict(state)}


def listing(name: str, item: Json) -> Json:
    """The schema of one page of a list."""
    return record({name: array(item), "next": nullable(integer(help="`before` of the next page"))})
