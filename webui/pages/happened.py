"""What happened on the line: each call of a fax as a picture and a ladder in words, with bits on demand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.api.rest.checking import flaw
from appliance.causes import Cause
from appliance.language import said as _
from appliance.spool.errors import NotFoundError
from webui import wording
from webui.call_picture import CallPicture, Span, picture, span_of
from webui.ladder import Packets, PageOnLine, Rung, ladder
from webui.visit import Page, Response, Visit

# A time in a call as part of an address, seconds.
SECONDS = re.compile(r"[0-9]{1,7}(\.[0-9]{1,3})?", re.ASCII)
# The least time shown before and after a part of a call, seconds.
MARGIN_S = 0.5


@dataclass(frozen=True, slots=True)
class Zoom:
    """The visible part of a call, and the addresses of others: empty where there is none."""

    span: Span
    closer: str
    wider: str
    earlier: str
    later: str


@dataclass(frozen=True, slots=True)
class OneCall:
    """What is known of a call besides its trace.

    ``base``: its address in the interface; ``trace_path``: its trace on disk, empty without one.
    """

    number: int
    line: str
    began: float
    seconds: float
    cause: Cause | None
    facts: Mapping[str, Any]
    trace_path: str
    base: str


@dataclass(frozen=True, slots=True)
class CallAccount:
    """A call with the visible part of its trace."""

    about: OneCall
    facts: list[tuple[str, str]]
    rungs: list[Rung]
    pages: list[PageOnLine]
    packets: list[Packets]
    picture: CallPicture
    zoom: Zoom
    has_pcap: bool


def _account(visit: Visit, call: OneCall) -> CallAccount:
    whole = ladder(visit.box.data / call.trace_path if call.trace_path else None)
    span = _asked(visit, call.number, whole.seconds)
    return CallAccount(
        call,
        _facts(call.facts),
        [each for each in whole.rungs if span.covers(each.at, each.at)],
        [each for each in whole.pages if span.covers(each.began, each.ended or whole.seconds)],
        [each for each in whole.packets if span.covers(each.began, each.ended)],
        picture(whole, span),
        _zoom(visit, call.number, span),
        _has_packets(visit, call.trace_path),
    )


def _asked(visit: Visit, number: int, whole: float) -> Span:
    """The part of this call that the address names.  Raises ProblemError."""

    def seconds(name: str) -> float | None:
        text = visit.query.get(name, "")
        if not text or visit.query.get("call") != str(number):
            return None
        if not SECONDS.fullmatch(text):
            raise flaw(name, _("a number is needed"))
        return float(text)

    return span_of(whole, seconds("from"), seconds("to"))


def _address(visit: Visit, number: int, span: Span) -> str:
    if span.is_whole:
        return f"{visit.path}#call-{number}"
    return f"{visit.path}?call={number}&from={span.start:.2f}&to={span.end:.2f}#call-{number}"


def _zoom(visit: Visit, number: int, span: Span) -> Zoom:
    def to(other: Span) -> str:
        same = abs(other.start - span.start) < 0.01 and abs(other.end - span.end) < 0.01
        return "" if same else _address(visit, number, other)

    return Zoom(span, to(span.closer()), to(span.wider()), to(span.earlier()), to(span.later()))


def _facts(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    words = {
        "remote_id": _("Calls itself"),
        "bit_rate": _("Speed, bit/s"),
        "modulation": _("Modulation"),
        "ecm": _("Error correction"),
        "retrainings": _("Trained again"),
        "frames_repeated": _("Frames sent again"),
        "medium": _("Carried by"),
        "packets_lost": _("Packets lost"),
        "bad_rows": _("Damaged rows"),
    }
    yes = {True: _("yes"), False: _("no")}
    return [
        (words[name], yes[value] if isinstance(value, bool) else str(value).strip())
        for name, value in facts.items()
        if name in words and value not in ("", None) and not (name == "bit_rate" and value == 0)
    ]


def show(visit: Visit) -> Response:
    """The page that tells what happened in the calls of a fax, sent or received."""
    fax_id = visit.number("id")
    if visit.may("send"):
        try:
            return _sent(visit, fax_id)
        except NotFoundError:
            pass
    return _received(visit, fax_id)


def _sent(visit: Visit, fax_id: int) -> Response:
    job, attempts = visit.box.faxes.with_attempts(fax_id, visit.who.sees)
    calls = [
        _account(
            visit,
            OneCall(
                each.number,
                each.line,
                each.started_at,
                each.seconds,
                each.cause,
                each.facts,
                each.trace_path,
                f"/api/v1/faxes/{job.id}/attempts/{each.number}",
            ),
        )
        for each in attempts
    ]
    title = job.name or job.given
    state, practice = wording.of_job(visit, job), job.practice
    return _page(
        visit,
        title,
        f"/faxes/{job.id}",
        state=state,
        cause=job.cause,
        calls=calls,
        practice=practice,
        out=True,
    )


def _received(visit: Visit, fax_id: int) -> Response:
    if not visit.may("receive"):
        raise NotFoundError(f"no fax {fax_id}")
    fax = visit.box.inbox.get(fax_id, visit.who.sees)
    seconds = max(0.0, (fax.ended_at or fax.started_at) - fax.started_at)
    call = OneCall(
        1,
        fax.line,
        fax.started_at,
        seconds,
        fax.cause,
        {"remote_id": fax.tsi, "bad_rows": fax.bad_rows or None, **fax.facts},
        fax.trace_path,
        f"/api/v1/received/{fax.id}",
    )
    title = fax.caller_name or fax.caller or fax.tsi.strip() or _("Number withheld")
    state, calls = wording.of_received(fax), [_account(visit, call)]
    back, practice = f"/received/{fax.id}", fax.practice
    return _page(visit, title, back, state=state, cause=fax.cause, calls=calls, practice=practice, out=False)


def _has_packets(visit: Visit, trace_path: str) -> bool:
    return bool(trace_path) and (visit.box.data / "packets" / f"{Path(trace_path).stem}.pcap").exists()


def _page(visit: Visit, title: str, back: str, **values: Any) -> Response:

    def at(call: CallAccount, start: float, end: float) -> str:
        """The address of a part of a call, with some time around it."""
        margin = max(MARGIN_S, (end - start) / 10)
        return _address(visit, call.about.number, call.zoom.span.to(start - margin, end + margin))

    return visit.page("happened.html", title=title, back=back, duration=wording.duration, at=at, **values)


PAGES = (Page("/happened/<id>", show, scopes=("send", "receive")),)
