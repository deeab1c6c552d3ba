"""The journal for archives and accounting: every fax, sent and received, as CSV (RFC 4180) or JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from heapq import merge
from itertools import islice

from appliance.api.problems import ProblemError
from appliance.api.request import JSON_TYPE
from appliance.api.rest.content import saved_as
from appliance.api.rest.queries import OWNER, SINCE, UNTIL, asked_owner, period
from appliance.api.rest.routes import Answer, Call, Parameter, Routes
from appliance.api.rest.schemas import array, choice, component, record, text
from appliance.api.rest.views import FAX_PROPERTIES, properties_of
from appliance.causes import Cause
from appliance.records import time_text, view
from appliance.services.causes import NOT_PERMITTED
from appliance.settings.accounts import Scope
from appliance.settings.units import ID_MAX
from appliance.spool.filters import JobFilter, ReceivedFilter, every
from appliance.spool.model import Job, Received
from appliance.table_cells import harmless_number

CSV_TYPE = "text/csv"
BATCH = 500


def _seconds(fax: Received) -> str:
    return f"{max(0.0, fax.ended_at - fax.started_at):.0f}" if fax.ended_at is not None else ""


def _sentence(cause: Cause | None) -> str:
    return cause.sentence if cause is not None else ""


# The columns of the table, each as it is for a fax to send and for a received one.
_TABLE: dict[str, tuple[Callable[[Job], object], Callable[[Received], object]]] = {
    "id": (lambda job: job.id, lambda fax: fax.id),
    "direction": (lambda job: "sent", lambda fax: "received"),
    "state": (lambda job: job.state.value, lambda fax: fax.state.value),
    "handed_in_or_began": (lambda job: time_text(job.created_at), lambda fax: time_text(fax.started_at)),
    "ended": (lambda job: time_text(job.ended_at), lambda fax: time_text(fax.ended_at)),
    "owner": (lambda job: job.owner, lambda fax: fax.owner),
    "tag": (lambda job: job.tag, lambda fax: ""),
    "key": (lambda job: job.key, lambda fax: ""),
    "origin": (lambda job: job.origin, lambda fax: ""),
    "number": (lambda job: job.number, lambda fax: fax.caller),
    "name": (lambda job: job.name, lambda fax: fax.caller_name),
    "dialled": (lambda job: "", lambda fax: fax.dialled),
    "sub_address": (lambda job: job.options.sub_address, lambda fax: fax.sub_address),
    "far_machine": (lambda job: job.remote_id, lambda fax: fax.tsi),
    "pages": (lambda job: job.pages, lambda fax: fax.pages),
    "pages_confirmed": (lambda job: job.pages_confirmed, lambda fax: fax.pages),
    "tries": (lambda job: job.tries, lambda fax: 1),
    "line": (lambda job: job.line, lambda fax: fax.line),
    "seconds": (lambda job: f"{job.seconds_on_line:.0f}", _seconds),
    "code": (lambda job: job.cause_code, lambda fax: fax.cause_code),
    "result": (lambda job: _sentence(job.cause), lambda fax: _sentence(fax.cause)),
}
COLUMNS = tuple(_TABLE)
# Schemas of the JSON: faxes as in the lists, each with its direction.
_SENT = component("JournalSent", record({"direction": choice("sent"), **FAX_PROPERTIES}))
_RECEIVED = component("JournalReceived", record({"direction": choice("received"), **properties_of(Received)}))
JOURNAL = array({"oneOf": [_SENT, _RECEIVED]}, ID_MAX)


routes = Routes(tag="faxes")


@routes(
    "GET",
    "/journal",
    query=(
        Parameter("format", choice("csv", "json"), "csv when left out"),
        Parameter("direction", choice("sent", "received"), "only these"),
        Parameter("tag", text(100), "only with this tag, such as a department's; sent ones only"),
        OWNER,
        SINCE,
        UNTIL,
    ),
    media=(CSV_TYPE, JSON_TYPE),
    answer=JOURNAL,
)
def export_journal(call: Call) -> Answer:
    """Export every fax, sent and received, as CSV or JSON.

    Needs the scope `send` or `receive`, or both for both.
    """
    direction = call.query.get("direction", "")
    sends, receives = call.caller.may(Scope.SEND), call.caller.may(Scope.RECEIVE)
    if not (sends or receives):
        raise ProblemError(NOT_PERMITTED, "the scope send or receive is needed")
    call.note("journal.export", detail=direction)
    sent = _sent(call) if sends and direction != "received" else iter(())
    received = _received(call) if receives and direction != "sent" else iter(())
    both: Iterator[Job | Received] = merge(sent, received, key=lambda fax: -fax.id)  # newest first
    word = call.query.get("format", "csv")
    name = saved_as(f"faxes.{word}")
    if word == "json":
        return Answer(stream=_in_pieces(call, _as_json(both)), headers=name, media_type=JSON_TYPE)
    return Answer(stream=_in_pieces(call, _as_table(both)), headers=name)


def _as_table(faxes: Iterator[Job | Received]) -> Iterator[bytes]:
    # A byte order mark, by which spreadsheets recognise UTF-8.
    yield b"\xef\xbb\xbf" + _line(COLUMNS)
    for fax in faxes:
        yield _line(_row(fax))


def _as_json(faxes: Iterator[Job | Received]) -> Iterator[bytes]:
    """One JSON array with one fax a line."""
    before = b"[\n"
    for fax in faxes:
        direction = "sent" if isinstance(fax, Job) else "received"
        shown = {"direction": direction, **view(fax)}
        yield before + json.dumps(shown, ensure_ascii=False).encode()
        before = b",\n"
    yield b"[]\n" if before == b"[\n" else b"\n]\n"


def _in_pieces(call: Call, parts: Iterator[bytes]) -> Iterator[bytes]:
    """The parts, many at a time; ends when the caller's key is withdrawn meanwhile."""
    while piece := b"".join(islice(parts, BATCH)):
        yield piece
        call.require_still()


def _sent(call: Call) -> Iterator[Job]:
    wanted = JobFilter(owner=asked_owner(call), tag=call.query.get("tag", ""), limit=BATCH, **period(call))
    return every(call.box.faxes.search, wanted)


def _received(call: Call) -> Iterator[Received]:
    if call.query.get("tag"):
        return iter(())  # received faxes have no metadata
    sees = call.caller.sees
    owner = call.query.get("owner") if sees is None else sees
    return every(call.box.inbox.search, ReceivedFilter(owner=owner, limit=BATCH, **period(call)))


def _row(fax: Job | Received) -> list[object]:
    if isinstance(fax, Job):
        return [of_job(fax) for of_job, _ in _TABLE.values()]
    return [of_received(fax) for _, of_received in _TABLE.values()]


def _line(cells: Sequence[object]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerow([_cell(cell) for cell in cells])
    return written.getvalue().encode()


def _cell(cell: object) -> str:
    """A cell that no spreadsheet takes for a formula: some text comes from strangers."""
    return harmless_number("" if cell is None else str(cell))
