"""What happened on the line: each call of a fax as a ladder, in words, with its bits on demand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.causes import Cause
from appliance.language import said as _
from appliance.spool.model import NotFoundError
from webui import wording
from webui.visit import Answer, Page, Visit

# Of an account that is longer, the rest is in the file.
TRACE_OCTETS = 2 << 20
MOST_STEPS = 2000


@dataclass(frozen=True, slots=True)
class Rung:
    """A line of the ladder.  ``way``: out, in, or empty for what is ours alone; ``kind`` as a state's."""

    at: float
    way: str
    name: str
    words: str
    bits: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class CallAccount:
    """A call and its ladder."""

    number: int
    line: str
    began: float
    seconds: float
    cause: Cause | None
    facts: list[tuple[str, str]]
    rungs: list[Rung]
    base: str  # where its account is in the interface
    packets: bool


def frame_words() -> dict[str, str]:
    """T.30's frames, for who has never read it."""
    return {
        "DIS": _("what the called machine can do"),
        "DTC": _("what the caller can do; it wants to fetch"),
        "DCS": _("how this fax will be sent"),
        "CSI": _("the called machine's number"),
        "TSI": _("the sender's number"),
        "CIG": _("the number of the one who fetches"),
        "NSF": _("the maker's own abilities"),
        "NSS": _("the maker's own way, chosen"),
        "NSC": _("the maker's own wishes"),
        "SUB": _("the sub-address"),
        "SEP": _("the document that is wanted"),
        "PWD": _("the password"),
        "CFR": _("the line is good enough: go on"),
        "FTT": _("the line is too poor at this speed: slower"),
        "MPS": _("end of the page, another follows"),
        "EOM": _("end of the page, something changes"),
        "EOP": _("end of the last page"),
        "PPS": _("end of a block: which page, how many frames"),
        "MCF": _("received well"),
        "RTP": _("received; train again before the next"),
        "RTN": _("received badly; train again"),
        "PPR": _("these frames were damaged: again"),
        "RNR": _("not ready yet"),
        "RR": _("are you ready?"),
        "CTC": _("going on with damaged frames, slower"),
        "CTR": _("agreed, slower"),
        "EOR": _("giving the damaged frames up"),
        "ERR": _("agreed, given up"),
        "CRP": _("please repeat that"),
        "DCN": _("hanging up"),
        "PIP": _("received; somebody wants to speak"),
        "PIN": _("not received; somebody wants to speak"),
        "PRI-EOP": _("end of the last page; somebody wants to speak"),
    }


def _rung(line: Mapping[str, Any], names: Mapping[str, str]) -> Rung | None:
    at = float(line.get("at", 0.0))
    event = str(line.get("event", ""))
    match event:
        case "frame_sent" | "frame_received":
            name = str(line.get("name", "?"))
            words = " – ".join(part for part in (names.get(name, ""), str(line.get("meaning", ""))) if part)
            return Rung(at, "out" if event == "frame_sent" else "in", name, words, str(line.get("fif", "")))
        case "dialled":
            return Rung(at, "out", "", _("Dialled {number}.").format(number=line.get("number", "")))
        case "ringing":
            return Rung(at, "in", "", _("It rings."))
        case "answered":
            return Rung(at, "in", "", _("Answered."))
        case "tone":
            return Rung(at, "in", str(line.get("tone", "")), _("fax tone"))
        case "training":
            text = _("Training at {rate} bit/s ({modulation}).")
            return Rung(at, "", "", text.format(rate=line.get("rate"), modulation=line.get("modulation")))
        case "trained":
            return Rung(at, "", "", _("Trained at {rate} bit/s.").format(rate=line.get("rate")), kind="good")
        case "step_down":
            return Rung(at, "", "", _("Down to {rate} bit/s.").format(rate=line.get("rate")), kind="wait")
        case "page_sending":
            text = _("Page {page}: {rows} rows, {octets} octets, {coding}.")
            values = {name: line.get(name) for name in ("page", "rows", "octets", "coding")}
            return Rung(at, "out", "", text.format(**values))
        case "page_receiving":
            return Rung(at, "in", "", _("Page {page} comes in.").format(page=line.get("page")))
        case "page_confirmed":
            text = _("Page {page} confirmed.").format(page=line.get("page"))
            return Rung(at, "in", "", text, kind="good")
        case "page_received":
            text = _("Page {page} received, answered {reply}.")
            return Rung(at, "", "", text.format(page=line.get("page"), reply=line.get("reply")), kind="good")
        case "call" | "remote_id" | "dis" | "dcs" | "ended":
            return None  # said elsewhere
        case _:
            rest = ", ".join(f"{name} {value}" for name, value in line.items() if name not in ("at", "event"))
            return Rung(at, "", event.replace("_", " "), rest[:500])


def rungs(path: Path | None) -> list[Rung]:
    """The ladder of a call from its account; empty when that is not kept."""
    if path is None:
        return []
    try:
        with path.open("rb") as file:
            octets = file.read(TRACE_OCTETS)
    except OSError:
        return []
    names = frame_words()
    found: list[Rung] = []
    for text in octets.split(b"\n")[: MOST_STEPS + 1]:
        try:
            line = json.loads(text)
        except ValueError:
            continue  # the last one, cut
        rung = _rung(line, names) if isinstance(line, dict) else None
        if rung is not None:
            found.append(rung)
    return found


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
        if name in words and value not in ("", None)
    ]


def show(visit: Visit) -> Answer:
    fax_id = visit.number("id")
    if visit.may("send"):
        try:
            return _sent(visit, fax_id)
        except NotFoundError:
            pass
    return _received(visit, fax_id)


def _sent(visit: Visit, fax_id: int) -> Answer:
    job, attempts = visit.box.faxes.with_attempts(fax_id, visit.who.sees)
    calls = [
        CallAccount(
            each.number,
            each.line,
            each.started_at,
            each.seconds,
            each.cause,
            _facts(each.facts),
            rungs(visit.box.data / each.trace_path if each.trace_path else None),
            f"/api/v1/faxes/{job.id}/attempts/{each.number}",
            _packets(visit, each.trace_path),
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


def _received(visit: Visit, fax_id: int) -> Answer:
    if not visit.may("receive"):
        raise NotFoundError(f"no fax {fax_id}")
    fax = visit.box.inbox.get(fax_id, visit.who.sees)
    seconds = max(0.0, (fax.ended_at or fax.started_at) - fax.started_at)
    account = CallAccount(
        1,
        fax.line,
        fax.started_at,
        seconds,
        fax.cause,
        _facts({"remote_id": fax.tsi, "bad_rows": fax.bad_rows or None, **fax.facts}),
        rungs(visit.box.data / fax.trace_path if fax.trace_path else None),
        f"/api/v1/received/{fax.id}",
        _packets(visit, fax.trace_path),
    )
    title = fax.caller_name or fax.caller or fax.tsi.strip() or _("Number withheld")
    state, calls = wording.of_received(fax), [account]
    back, practice = f"/received/{fax.id}", fax.practice
    return _page(visit, title, back, state=state, cause=fax.cause, calls=calls, practice=practice, out=False)


def _packets(visit: Visit, trace_path: str) -> bool:
    return bool(trace_path) and (visit.box.data / "packets" / f"{Path(trace_path).stem}.pcap").exists()


def _page(visit: Visit, title: str, back: str, **values: Any) -> Answer:
    return visit.page("happened.html", title=title, back=back, duration=wording.duration, **values)


PAGES = (Page("/happened/<id>", show, scopes=("send", "receive")),)
