"""The journal as a table to keep or to count with: every fax, sent and received, as CSV (RFC 4180)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import TypeVar

from appliance.api.problems import ProblemError
from appliance.api.rest.faxes import SINCE, UNTIL, period
from appliance.api.rest.routes import Answer, Call, Parameter, Route
from appliance.api.rest.schemas import choice, text
from appliance.causes import NOT_PERMITTED
from appliance.records import time_text
from appliance.settings.accounts import Scope
from appliance.spool.model import Job, JobFilter, Received, ReceivedFilter

Fax = TypeVar("Fax", Job, Received)

CSV_TYPE = "text/csv"
BATCH = 500
COLUMNS = (
    "id",
    "direction",
    "state",
    "handed_in_or_began",
    "ended",
    "owner",
    "tag",
    "key",
    "origin",
    "number",
    "name",
    "dialled",
    "sub_address",
    "far_machine",
    "pages",
    "pages_confirmed",
    "tries",
    "line",
    "seconds",
    "code",
    "result",
)
# What a spreadsheet would take for a formula; a number with its plus is none.
# Blanks before it help nobody; full-width signs count in some countries' spreadsheets.
_FORMULA = re.compile(r"[\s\x00-\x20\u200b\u2060\ufeff]*(?:[=@＝＠]|[+\-＋－](?![0-9 ]*$))|[\t\r\n]")


def export(call: Call) -> Answer:
    """What the caller may see: an administrator everything, others their own."""
    direction = call.query.get("direction", "")
    sends, receives = call.caller.may(Scope.SEND), call.caller.may(Scope.RECEIVE)
    if not (sends or receives):
        raise ProblemError(NOT_PERMITTED, "the scope send or receive is needed")
    call.note("journal.export", detail=direction)
    sent = _sent(call) if sends and direction != "received" else iter(())
    received = _received(call) if receives and direction != "sent" else iter(())
    name = {"Content-Disposition": 'attachment; filename="faxes.csv"'}
    return Answer(stream=_Table(sent, received), headers=name)


class _Table:
    """The rows of both, newest first, as octets."""

    def __init__(self, sent: Iterator[Job], received: Iterator[Received]) -> None:
        self._sent, self._received = sent, received

    def __iter__(self) -> Iterator[bytes]:
        # So that spreadsheets take it for UTF-8.
        yield b"\xef\xbb\xbf" + _line(COLUMNS)
        rows = self._rows()
        while piece := b"".join(islice(rows, BATCH)):
            yield piece

    def _rows(self) -> Iterator[bytes]:
        job, fax = next(self._sent, None), next(self._received, None)
        while job is not None or fax is not None:
            if fax is None or (job is not None and job.id > fax.id):
                assert job is not None
                yield _line(_job_row(job))
                job = next(self._sent, None)
            else:
                yield _line(_received_row(fax))
                fax = next(self._received, None)


def _sent(call: Call) -> Iterator[Job]:
    sees = call.caller.sees
    times = period(call)
    wanted = JobFilter(
        owner=call.query.get("owner", "") if sees is None else sees,
        tag=call.query.get("tag", ""),
        limit=BATCH,
        since=times["since"],
        until=times["until"],
    )
    return _paged(call, lambda before: call.box.faxes.search(replace(wanted, before_id=before)))


def _received(call: Call) -> Iterator[Received]:
    if call.query.get("tag"):
        return iter(())  # received faxes have none
    sees = call.caller.sees
    owner = call.query.get("owner") if sees is None else sees
    times = period(call)
    wanted = ReceivedFilter(owner=owner, limit=BATCH, since=times["since"], until=times["until"])
    return _paged(call, lambda before: call.box.inbox.search(replace(wanted, before_id=before)))


def _paged(call: Call, fetch: Callable[[int | None], list[Fax]]) -> Iterator[Fax]:
    """All that match; a caller who lost their key meanwhile gets no more."""
    before: int | None = None
    while found := fetch(before):
        yield from found
        call.require_still()
        before = found[-1].id


def _job_row(job: Job) -> Sequence[object]:
    return (
        job.id,
        "sent",
        job.state.value,
        time_text(job.created_at),
        time_text(job.ended_at),
        job.owner,
        job.tag,
        job.key,
        job.origin,
        job.number,
        job.name,
        "",
        job.options.sub_address,
        job.remote_id,
        job.pages,
        job.pages_confirmed,
        job.tries,
        job.line,
        f"{job.seconds_on_line:.0f}",
        job.cause_code,
        job.cause.sentence if job.cause else "",
    )


def _received_row(fax: Received) -> Sequence[object]:
    seconds = f"{max(0.0, fax.ended_at - fax.started_at):.0f}" if fax.ended_at is not None else ""
    return (
        fax.id,
        "received",
        fax.state.value,
        time_text(fax.started_at),
        time_text(fax.ended_at),
        fax.owner,
        "",
        "",
        "",
        fax.caller,
        fax.caller_name,
        fax.dialled,
        fax.sub_address,
        fax.tsi,
        fax.pages,
        fax.pages,
        1,
        fax.line,
        seconds,
        fax.cause_code,
        fax.cause.sentence if fax.cause else "",
    )


def _line(cells: Sequence[object]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerow([_cell(cell) for cell in cells])
    return written.getvalue().encode()


def _cell(cell: object) -> str:
    """What strangers wrote must be no formula to whoever opens the table."""
    words = "" if cell is None else str(cell)
    return f"'{words}" if _FORMULA.match(words) else words


ROUTES = (
    Route(
        "GET",
        "/journal",
        "exportJournal",
        "faxes",
        "Every fax, sent and received, as CSV",
        export,
        query=(
            Parameter("direction", choice("sent", "received"), "only these"),
            Parameter("tag", text(100), "only with this tag, such as a department's; sent ones only"),
            Parameter("owner", text(64), "of this user; only for administrators"),
            SINCE,
            UNTIL,
        ),
        media=(CSV_TYPE,),
        help="Needs the scope `send` or `receive`, or both for both.",
    ),
)
