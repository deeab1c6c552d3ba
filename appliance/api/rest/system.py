"""The box itself: health, lines, settings, learned destinations, the audit log, the table of causes."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from appliance.api import tls
from appliance.api.causes import NOT_FOUND, SETTING_INVALID
from appliance.api.metrics import METRICS_TYPE, OPEN_METRICS_TYPE, exposition
from appliance.api.problems import Flaw, ProblemError
from appliance.api.rest.queries import BEFORE, LIMIT, LIST_DEFAULT, page_of, part_of_list
from appliance.api.rest.routes import Answer, Call, Parameter, Routes
from appliance.api.rest.schemas import (
    Json,
    array,
    choice,
    component,
    flag,
    integer,
    number,
    record,
    settings_schema,
    text,
    timestamp,
)
from appliance.api.rest.stream import stream_events
from appliance.api.rest.views import AUDIT, CAUSE, DESTINATION, LINE, line_view, listing, values
from appliance.box import Health
from appliance.causes import all_causes, cause_of
from appliance.configuration import CATALOGUE
from appliance.lines.settings import LineSettings
from appliance.net.settings import HttpSettings
from appliance.records import cause_view, time_text, view
from appliance.settings.accounts import Scope
from appliance.settings.fields import describe, to_document
from appliance.spool.causes import INDEX_DAMAGED, STORAGE_FULL, STORAGE_READ_ONLY
from appliance.spool.model import JobState, Room

# Sections that cannot be read or changed.
_HIDDEN_SECTIONS = frozenset({"secrets"})
DESTINATIONS_MOST = 1000

HEALTH = component(
    "Health",
    record(
        {
            "status": choice("ok", "warning", "failing", help="failing: no line works, or the disk is full"),
            "accepting": flag("faxes to send are taken"),
            "problem": CAUSE,
        },
        optional=("problem",),
    ),
)
STATUS = component(
    "Status",
    record(
        {
            "status": choice("ok", "warning", "failing"),
            "accepting": flag(),
            "started_at": timestamp(),
            "disk": record({"room": choice(*values(Room)), "free_octets": integer()}),
            "lines": array(LINE),
            "faxes": record(
                {state.value: integer() for state in JobState if not state.ended}, help="not ended yet"
            ),
            "unread": integer(),
            "clock_doubted_s": number(
                help="how far the clock jumped ahead of the time that the box has seen pass, s; nothing is"
                " erased for that"
            ),
        }
    ),
)


def status_word(found: Health) -> str:
    """The box's health in one word."""
    if not found.ok:
        return "failing"
    down = any(not line.state.usable for line in found.lines)
    return "warning" if down or found.room is not Room.PLENTY else "ok"


_NUMBERS = Parameter("after", text(64), "those after this number")
_NUMBERS_LIMIT = Parameter("limit", integer(1, DESTINATIONS_MOST), f"{LIST_DEFAULT} when left out")
routes = Routes(tag="system", scope=Scope.ADMIN)


@routes("GET", "/health", open=True, answer=HEALTH, scope=None)
def read_health(call: Call) -> Answer:
    """Check whether the box works; needs no key.

    503 when it is failing.
    """
    found = call.box.health()
    body: Json = {"status": status_word(found), "accepting": found.accepting}
    if found.damage:
        body["problem"] = cause_view(INDEX_DAMAGED)
    elif found.room is Room.FULL:
        body["problem"] = cause_view(STORAGE_READ_ONLY if call.box.guard.read_only else STORAGE_FULL)
    return Answer(body, status=None if found.ok else HTTPStatus.SERVICE_UNAVAILABLE)


@routes("GET", "/status", answer=STATUS, scope=None)
def read_status(call: Call) -> Answer:
    """Read the state of the box in full."""
    found = call.box.health()
    return Answer(
        {
            "status": status_word(found),
            "accepting": found.accepting,
            "started_at": time_text(found.started_at),
            "disk": {"room": found.room.value, "free_octets": found.free_octets},
            "lines": _lines(call),
            "faxes": {state.value: found.jobs.get(state, 0) for state in JobState if not state.ended},
            "unread": found.unread,
            "clock_doubted_s": found.clock_doubted_s,
        }
    )


@routes("GET", "/metrics", scope=Scope.MONITOR, media=(METRICS_TYPE, "application/openmetrics-text"))
def read_metrics(call: Call) -> Answer:
    """Read the metrics for Prometheus."""
    if "application/openmetrics-text" not in call.header("Accept"):
        return Answer(content=exposition(call.context).encode())
    said = exposition(call.context, open_metrics=True).encode()
    return Answer(content=said, media_type=OPEN_METRICS_TYPE)


# -- lines and destinations ------------------------------------------------------------------------


def _lines(call: Call) -> list[Json]:
    ids = {entry.name: entry_id for entry_id, entry in call.box.settings.items(LineSettings).items()}
    return [line_view(report, ids.get(report.name)) for report in call.box.lines()]


@routes("GET", "/lines", answer=record({"lines": array(LINE)}), scope=None)
def list_lines(call: Call) -> Answer:
    """List the lines in the order in which they are tried."""
    return Answer({"lines": _lines(call)})


@routes(
    "GET",
    "/destinations",
    query=(_NUMBERS, _NUMBERS_LIMIT),
    answer=record({"destinations": array(DESTINATION)}),
)
def list_destinations(call: Call) -> Answer:
    """List what was learned about numbers."""
    found = call.box.history.destinations(
        after=call.query.get("after", ""), limit=call.query.get("limit", LIST_DEFAULT)
    )
    return Answer({"destinations": [view(entry) for entry in found]})


@routes("GET", "/destinations/{destination}", answer=DESTINATION)
def read_destination(call: Call) -> Answer:
    """Read what was learned about a number."""
    found = call.box.history.destination(call.arguments["destination"])
    if found is None:
        raise ProblemError(NOT_FOUND, "nothing was learned about this number")
    return Answer(view(found))


@routes("DELETE", "/destinations/{destination}", status=204)
def forget_destination(call: Call) -> Answer:
    """Delete what was learned about a number, including its quarantine."""
    number = call.arguments["destination"]
    if not call.box.history.forget_destination(number):
        raise ProblemError(NOT_FOUND, "nothing was learned about this number")
    call.note("destination.forget", object=number)
    return Answer()


# -- settings --------------------------------------------------------------------------------------


def _example(kind: type[Any]) -> Json:
    """An example of a change: the first setting of a section that is no secret, with its default."""
    first = next(each for each in describe(kind) if not each.secret)
    return {first.name: first.default}


def _require_certificate(call: Call) -> None:
    """Raises ProblemError for an unusable certificate: a remote administrator would lock themselves out."""
    settings = call.box.settings.section(HttpSettings)
    try:
        tls.load(replace(settings, **call.body))
    except tls.TlsError as error:
        raise ProblemError(SETTING_INVALID, str(error), (Flaw("tls_certificate", str(error)),)) from None


def _add_section(name: str, kind: type[Any]) -> Json:
    """Adds the routes of one section; returns its schema."""
    word = "".join(part.capitalize() for part in name.split("_"))
    shown = component(f"{word}Section", settings_schema(kind, answer=True))
    path, change = f"/settings/{name}", component(f"{word}Change", settings_schema(kind))

    @routes(
        "GET",
        path,
        name=f"read{word}Settings",
        summary=f"The settings `{name}`",
        tag="settings",
        answer=shown,
    )
    def read(call: Call) -> Answer:
        return Answer(to_document(call.box.settings.section(kind), mask=True))

    @routes(
        "PATCH",
        path,
        name=f"change{word}Settings",
        summary=f"Change settings of `{name}`",
        tag="settings",
        body=change,
        answer=shown,
        example=_example(kind),
    )
    def patch(call: Call) -> Answer:
        if kind is HttpSettings:
            _require_certificate(call)
        changed = call.box.settings.change(kind, call.body)
        call.note("settings.change", object=name, detail=", ".join(call.body))
        return Answer(to_document(changed, mask=True))

    return shown


_SECTIONS = {name: kind for name, kind in CATALOGUE.sections.items() if name not in _HIDDEN_SECTIONS}


@routes(
    "GET",
    "/settings",
    tag="settings",
    answer=record({name: _add_section(name, kind) for name, kind in _SECTIONS.items()}),
)
def read_settings(call: Call) -> Answer:
    """Read all settings; secrets are masked."""
    sections = call.box.settings.section
    return Answer({name: to_document(sections(kind), mask=True) for name, kind in _SECTIONS.items()})


# -- the audit log and the causes ------------------------------------------------------------------


@routes(
    "GET",
    "/audit",
    query=(Parameter("who", text(200), "only of this caller, such as key:shop"), BEFORE, LIMIT),
    answer=listing("audit", AUDIT),
)
def list_audit(call: Call) -> Answer:
    """List the audit log, newest first."""
    found = call.box.history.audit_log(who=call.query.get("who", ""), **part_of_list(call))
    return page_of(call, "audit", [view(entry) for entry in found])


@routes("GET", "/causes", open=True, answer=record({"causes": array(CAUSE)}), scope=None)
def list_causes(call: Call) -> Answer:
    """List the table of causes; needs no key."""
    return Answer({"causes": [cause_view(cause) for cause in all_causes()]})


@routes("GET", "/causes/{code}", open=True, answer=CAUSE, scope=None)
def read_cause(call: Call) -> Answer:
    """Read a row of the table of causes."""
    try:
        return Answer(cause_view(cause_of(call.arguments["code"])))
    except KeyError:
        raise ProblemError(NOT_FOUND, "there is no such code") from None


routes(
    "GET",
    "/events",
    query=(
        Parameter("since", integer(0), "begin with the kept events after this id"),
        Parameter("fax", integer(1), "only those of this fax"),
        Parameter("named", flag(), "false: events without names, which browsers hear as messages"),
    ),
    headers=(Parameter("Last-Event-ID", text(20), "as `since`, when a client comes back"),),
    media=("text/event-stream",),
    scope=None,
)(stream_events)
