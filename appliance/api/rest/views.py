"""How jobs, received faxes and the rest look as JSON, with the schemas that say so."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
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
from appliance.causes import Cause, Retry, Side
from appliance.language import said
from appliance.lines.line import LineKind
from appliance.remarks import Remark, Weight
from appliance.spool.model import (
    Attempt,
    Delivery,
    DeliveryTry,
    Document,
    Event,
    Job,
    JobState,
    OutboxState,
    Priority,
    Received,
    ReceivedPageFile,
    ReceivedState,
)
from appliance.spool.remembered import AuditEntry, Destination


def values(kind: type[Enum]) -> tuple[str, ...]:
    return tuple(str(member.value) for member in kind)


def time_text(at: float | None) -> str | None:
    """Unix time as RFC 3339 in UTC, to the millisecond."""
    if at is None:
        return None
    # Beyond what a date can say, "never" is the end of its range.
    whole_time = min(max(at, 0.0), 253402300799.0)
    return datetime.fromtimestamp(whole_time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_ID = integer(1)
_FREE: Json = {"type": "object"}

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


def cause_view(cause: Cause) -> Json:
    return {
        "code": cause.code,
        "side": cause.side.value,
        "sentence": said(cause.sentence),
        "advice": said(cause.advice),
        "retry": cause.retry.value,
    }


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


def remark_view(remark: Remark) -> Json:
    return {
        "code": remark.kind.code,
        "weight": remark.kind.weight.value,
        "sentence": remark.kind.sentence,
        "advice": remark.kind.advice,
        "page": remark.page,
        "file": remark.file,
        "detail": remark.detail,
    }


PRIORITIES = {Priority.HIGH: "high", Priority.NORMAL: "normal", Priority.LOW: "low"}
_FAX = {
    "id": _ID,
    "uuid": text(36),
    "submission_id": integer(1, help="faxes that were handed in together have the same"),
    "owner": text(64),
    "key": text(64, help="the key that was used"),
    "origin": text(20, help="the door it came through"),
    "state": choice(*values(JobState)),
    "to": record(
        {
            "number": text(64, help="as it is dialled"),
            "given": text(64, help="as it was written"),
            "name": text(200),
        }
    ),
    "priority": choice(*PRIORITIES.values()),
    "tag": text(100),
    "created_at": timestamp(),
    "scheduled_at": timestamp(),
    "next_try_at": nullable(timestamp("when it waits: until then")),
    "expires_at": timestamp("no try begins after this"),
    "ended_at": nullable(timestamp()),
    "tries": integer(),
    "pages": nullable(integer(help="null until they are prepared")),
    "pages_confirmed": integer(help="the far machine has these"),
    "line": text(64, help="of the last try"),
    "remote_id": text(64, help="what the far machine calls itself"),
    "seconds_on_line": number(help="all tries together"),
    "result": nullable(CAUSE),
    "remarks": array(REMARK),
    "cancel_requested": flag(),
    "resent_from": nullable(integer(help="the fax that this one repeats")),
    "metadata": _FREE,
    "callback_url": text(2000),
}
FAX = component("Fax", record(_FAX))
ATTEMPT = component(
    "Attempt",
    record(
        {
            "number": integer(1),
            "line": text(64),
            "line_kind": text(20),
            "started_at": timestamp(),
            "ended_at": nullable(timestamp()),
            "first_page": integer(1, help="this try began with this page"),
            "pages_confirmed": integer(help="in this try"),
            "result": nullable(CAUSE),
            "seconds": number(),
            "facts": {**_FREE, "description": "what was agreed and measured"},
            "trace": flag("there is an account of the call"),
        }
    ),
)
FAX_IN_FULL = component("FaxInFull", record({**_FAX, "attempts": array(ATTEMPT)}))


def fax_view(job: Job) -> Json:
    return {
        "id": job.id,
        "uuid": job.uuid,
        "submission_id": job.submission_id,
        "owner": job.owner,
        "key": job.key,
        "origin": job.origin,
        "state": job.state.value,
        "to": {"number": job.number, "given": job.given, "name": job.name},
        "priority": PRIORITIES[job.priority],
        "tag": job.tag,
        "created_at": time_text(job.created_at),
        "scheduled_at": time_text(job.scheduled_at),
        "next_try_at": time_text(job.next_try_at) if job.state is JobState.WAITING else None,
        "expires_at": time_text(job.expires_at),
        "ended_at": time_text(job.ended_at),
        "tries": job.tries,
        "pages": job.pages,
        "pages_confirmed": job.pages_confirmed,
        "line": job.line,
        "remote_id": job.remote_id,
        "seconds_on_line": round(job.seconds_on_line, 3),
        "result": cause_view(job.cause) if job.cause else None,
        "remarks": [remark_view(remark) for remark in job.remarks],
        "cancel_requested": job.cancel_requested,
        "resent_from": job.resent_from,
        "metadata": dict(job.metadata),
        "callback_url": job.callback_url,
    }


def attempt_view(attempt: Attempt) -> Json:
    return {
        "number": attempt.number,
        "line": attempt.line,
        "line_kind": attempt.line_kind,
        "started_at": time_text(attempt.started_at),
        "ended_at": time_text(attempt.ended_at),
        "first_page": attempt.first_page + 1,
        "pages_confirmed": attempt.pages_confirmed,
        "result": cause_view(attempt.cause) if attempt.cause else None,
        "seconds": round(attempt.seconds, 3),
        "facts": dict(attempt.facts),
        "trace": bool(attempt.trace_path),
    }


_RECEIVED = {
    "id": _ID,
    "uuid": text(36),
    "owner": text(64, help="whose it is; empty: everyone's"),
    "line": text(64),
    "line_kind": text(20),
    "caller": text(64),
    "caller_name": text(200),
    "dialled": text(64),
    "tsi": text(64, help="what the sender's machine calls itself"),
    "sub_address": text(64),
    "state": choice(*values(ReceivedState)),
    "started_at": timestamp(),
    "ended_at": nullable(timestamp()),
    "pages": integer(),
    "bad_rows": integer(help="damaged on the line"),
    "result": nullable(CAUSE),
    "read": flag(),
    "facts": _FREE,
}
RECEIVED = component("ReceivedFax", record(_RECEIVED))
RECEIVED_IN_FULL = component(
    "ReceivedFaxInFull",
    record(
        {
            **_RECEIVED,
            "page_list": array(
                record(
                    {
                        "number": integer(1),
                        "width": integer(),
                        "rows": integer(),
                        "resolution": text(20),
                        "bad_rows": integer(),
                        "longest_bad_run": integer(),
                    }
                )
            ),
        }
    ),
)


def received_view(fax: Received) -> Json:
    return {
        "id": fax.id,
        "uuid": fax.uuid,
        "owner": fax.owner,
        "line": fax.line,
        "line_kind": fax.line_kind,
        "caller": fax.caller,
        "caller_name": fax.caller_name,
        "dialled": fax.dialled,
        "tsi": fax.tsi,
        "sub_address": fax.sub_address,
        "state": fax.state.value,
        "started_at": time_text(fax.started_at),
        "ended_at": time_text(fax.ended_at),
        "pages": fax.pages,
        "bad_rows": fax.bad_rows,
        "result": cause_view(fax.cause) if fax.cause else None,
        "read": fax.read,
        "facts": dict(fax.facts),
    }


def page_view(page: ReceivedPageFile) -> Json:
    return {
        "number": page.number + 1,
        "width": page.width,
        "rows": page.rows,
        "resolution": page.resolution.lower(),
        "bad_rows": page.bad_rows,
        "longest_bad_run": page.longest_bad_run,
    }


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
    """Of an ``Event``, or of passing ``News``."""
    return {
        "id": event.id if isinstance(event, Event) else None,
        "at": time_text(event.at),
        "kind": event.kind,
        "fax_id": event.fax_id,
        "data": dict(event.data),
    }


DOCUMENT = component(
    "Document",
    record(
        {
            "id": _ID,
            "uuid": text(36),
            "owner": text(64),
            "name": text(255),
            "description": text(2000),
            "created_at": timestamp(),
            "files": array(record({"name": text(255), "media_type": text(150), "octets": integer()})),
        }
    ),
)


def document_view(document: Document) -> Json:
    return {
        "id": document.id,
        "uuid": document.uuid,
        "owner": document.owner,
        "name": document.name,
        "description": document.description,
        "created_at": time_text(document.created_at),
        "files": [
            {"name": file.name, "media_type": file.media_type, "octets": file.octets}
            for file in document.files
        ],
    }


DELIVERY = component(
    "Delivery",
    record(
        {
            "id": _ID,
            "kind": text(30),
            "target": text(2000),
            "state": choice(*values(OutboxState)),
            "tries": array(
                record({"number": integer(1), "at": timestamp(), "ok": flag(), "detail": text(2000)})
            ),
            "next_try_at": nullable(timestamp()),
            "created_at": timestamp(),
            "ended_at": nullable(timestamp()),
            "last_error": text(2000),
        }
    ),
)


def delivery_view(delivery: Delivery, tries: list[DeliveryTry]) -> Json:
    pending = delivery.state is OutboxState.PENDING
    return {
        "id": delivery.id,
        "kind": delivery.kind,
        "target": delivery.target,
        "state": delivery.state.value,
        "tries": [{**asdict(each), "at": time_text(each.at)} for each in tries],
        "next_try_at": time_text(delivery.next_try_at) if pending else None,
        "created_at": time_text(delivery.created_at),
        "ended_at": time_text(delivery.ended_at),
        "last_error": delivery.last_error,
    }


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
    state = report.state
    return {
        "id": line_id,
        "name": report.name,
        "kind": report.kind.value,
        "usable": state.usable,
        "calls": state.calls,
        "capacity": state.capacity,
        "sentence": state.sentence,
        "last_error": state.last_error,
    }


AUDIT = component(
    "AuditEntry",
    record(
        {
            "id": _ID,
            "at": timestamp(),
            "who": text(200),
            "action": text(60),
            "object": text(200),
            "address": text(60),
            "detail": text(2000),
        }
    ),
)


def audit_view(entry: AuditEntry) -> Json:
    return {**asdict(entry), "at": time_text(entry.at)}


DESTINATION = component(
    "Destination",
    record(
        {
            "number": text(64),
            "failures": integer(help="dead calls in a row"),
            "quarantined_until": nullable(timestamp()),
            "profile": {**_FREE, "description": "what was learned"},
            "updated_at": timestamp(),
        }
    ),
)


def destination_view(entry: Destination) -> Json:
    return {
        "number": entry.number,
        "failures": entry.failures,
        "quarantined_until": time_text(entry.quarantined_until),
        "profile": dict(entry.profile),
        "updated_at": time_text(entry.updated_at),
    }


def listing(name: str, item: Json) -> Json:
    """The schema of one page of a list."""
    return record({name: array(item), "next": nullable(integer(help="`before` of the next page"))})


def page_of(name: str, views: list[Json], limit: int) -> Json:
    """One page of a list, whose items are newest first."""
    full = bool(views) and len(views) >= limit
    return {name: views, "next": views[-1]["id"] if full else None}
