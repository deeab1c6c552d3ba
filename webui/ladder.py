"""The trace of a call as the rungs of a ladder, in words; its pages; and its packets."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.language import said as _
from webui.frame_meanings import in_words

# Octets of a trace that are shown; the rest of a longer one is in the file.
TRACE_OCTETS = 2 << 20
MOST_STEPS = 2000
# Characters of an event without words of its own that are shown.
PLAIN_LIMIT = 500
SDP_LIMIT = 4000


@dataclass(frozen=True, slots=True)
class Rung:
    """A row of the ladder.

    ``way``: out, in, or empty for an event of the box itself; ``kind`` as in ``wording.State``; ``more``:
    text shown on demand, under the title ``more_name``.
    """

    at: float
    way: str
    name: str
    words: str
    kind: str = ""
    more_name: str = ""
    more: str = ""


@dataclass(frozen=True, slots=True)
class PageOnLine:
    """A page on the line: ``ended`` is None when the trace does not tell.

    ``repeats``: frames that were sent again; ``end``: its end in words.
    """

    number: int
    began: float
    ended: float | None
    rate: int
    repeats: int
    end: str


@dataclass(frozen=True, slots=True)
class Packets:
    """Packets received from ``began`` to ``ended``: arrived, repaired, missing."""

    began: float
    ended: float
    came: int
    repaired: int
    missing: int


@dataclass(slots=True)
class Ladder:
    """A call: its rungs, pages and packets; ``seconds``: the time of its last line."""

    rungs: list[Rung] = field(default_factory=list)
    pages: list[PageOnLine] = field(default_factory=list)
    packets: list[Packets] = field(default_factory=list)
    seconds: float = 0.0


def frame_words() -> dict[str, str]:
    """T.30's frames explained in plain words."""
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


def event_words() -> dict[str, tuple[str, str, str]]:
    """Each event of a trace: its way, its sentence with placeholders for its facts, its kind."""
    return {
        "dialled": ("out", _("Dialled {number}."), ""),
        "ringing": ("in", _("It rings."), ""),
        "answered": ("in", _("Answered."), ""),
        "connected": ("", _("The call is connected."), "good"),
        "early_audio": ("in", _("Sound comes before the answer."), ""),
        "network_tone": ("in", _("The network plays: {what}."), ""),
        "fax_heard": ("in", _("A fax machine is heard: {what}."), ""),
        "dialling_on": ("out", _("The digits behind the number are dialled."), ""),
        "dialled_on": ("out", _("The digits behind the number are out."), ""),
        "back_to_audio": ("", _("The call goes back to sound."), "wait"),
        "t38_silent": ("in", _("Nothing comes over T.38."), "wait"),
        "sip_ended": ("", _("The telephone call is over: {code} {reason}"), ""),
        "packets": ("", _("{came} packets came in, {missing} missing."), ""),
        "another_voice": (
            "in",
            _("Packets that did not agree with those that were believed: {packets}."),
            "bad",
        ),
        "training": ("", _("Training at {rate} bit/s ({modulation})."), ""),
        "trained": ("", _("Trained at {rate} bit/s."), "good"),
        "retrain": ("", _("Training begins again."), "wait"),
        "step_down": ("", _("Down to {rate} bit/s."), "wait"),
        "page_sending": ("out", _("Page {page}: {rows} rows, {octets} octets, {coding}."), ""),
        "page_receiving": ("in", _("Page {page} comes in."), ""),
        "page_confirmed": ("in", _("Page {page} confirmed."), "good"),
        "page_received": ("", _("Page {page} received, answered {reply}."), "good"),
        "page_judged": ("", _("{rows} rows came, {bad_rows} of them damaged."), ""),
        "image_lost": ("in", _("A part of the page was lost on the way, about {octets} octets."), "wait"),
        "block_confirmed": ("in", _("Part {block} of page {page} confirmed."), "good"),
        "ppr": ("", _("Page {page}: damaged frames are sent again ({frames})."), "wait"),
        "rtn": ("in", _("Page {page} arrived damaged; it is sent again."), "wait"),
        "rtp": ("in", _("Page {page} arrived; training begins again."), "wait"),
        "receiver_not_ready": ("in", _("The other machine asks to wait."), "wait"),
        "frame_bad": ("in", _("A message came damaged."), "wait"),
        "wrong_carrier": ("in", _("A signal came at another speed than agreed."), "wait"),
        "began_anew": ("in", _("The other machine begins anew; page {page} is sent again."), "wait"),
        "nominal_pace": ("", _("The quick way was not borne: on at the usual times."), "wait"),
        "polling": ("out", _("Asks for the other machine's pages."), ""),
        "timer": ("", _("Waited long enough: {name}."), "wait"),
        "fault": ("", _("A fault of this box: {what}"), "bad"),
    }


# Events shown elsewhere on the page.
_NO_RUNG = frozenset({"call", "remote_id", "dis", "dcs", "left", "ended", "packets_so_far"})


def ladder(path: Path | None) -> Ladder:
    """The ladder of a call from its trace; empty when there is none."""
    made = Ladder()
    pages = _Pages()
    frames, events = frame_words(), event_words()
    before = (0.0, 0, 0, 0)
    for line in _lines(path):
        at = _number(line, "at") if line.get("event") != "call" else 0.0
        made.seconds = max(made.seconds, at)
        pages.hear(at, line)
        if line.get("event") == "packets_so_far":
            came, repaired, missing = (int(_number(line, name)) for name in ("came", "repaired", "missing"))
            since, *counts = before
            made.packets.append(
                Packets(since, at, came - counts[0], repaired - counts[1], missing - counts[2])
            )
            before = (at, came, repaired, missing)
        elif line.get("event") not in _NO_RUNG:
            made.rungs.append(_rung(at, line, frames, events))
    made.pages = pages.seen()
    return made


def _lines(path: Path | None) -> Iterator[Mapping[str, Any]]:
    """The lines of a trace, as far as they can be read."""
    if path is None:
        return
    try:
        with path.open("rb") as file:
            octets = file.read(TRACE_OCTETS)
    except OSError:
        return
    for text in octets.split(b"\n")[: MOST_STEPS + 1]:
        try:
            line = json.loads(text)
        except ValueError:
            continue  # the last line, cut off
        if isinstance(line, dict):
            yield line


def _number(line: Mapping[str, Any], name: str) -> float:
    value = line.get(name)
    return float(value) if isinstance(value, int | float) else 0.0


def _rung(
    at: float,
    line: Mapping[str, Any],
    frames: Mapping[str, str],
    events: Mapping[str, tuple[str, str, str]],
) -> Rung:
    event = str(line.get("event", ""))
    if event in ("frame_sent", "frame_received"):
        name = str(line.get("name", "?"))
        meaning = in_words(str(line.get("meaning", "")))
        words = " – ".join(part for part in (frames.get(name, ""), meaning) if part)
        way = "out" if event == "frame_sent" else "in"
        return Rung(at, way, name, words, "", _("Bits"), _bits(str(line.get("fif", ""))))
    if event in ("sip_sent", "sip_received"):
        return _sip_rung(at, "out" if event == "sip_sent" else "in", line)
    if event == "tone":
        return Rung(at, "in", str(line.get("tone", "")), _("fax tone"))
    if event == "modem":
        return Rung(at, str(line.get("way", "")), "", str(line.get("text", ""))[:PLAIN_LIMIT])
    if event == "media":
        return Rung(at, "", "", _media_words(line), "good" if line.get("kind") == "t38" else "")
    if event in events:
        way, sentence, kind = events[event]
        facts = defaultdict(str, {name: value for name, value in line.items() if name != "at"})
        return Rung(at, way, "", sentence.format_map(facts).strip(), kind)
    rest = ", ".join(f"{name} {value}" for name, value in line.items() if name not in ("at", "event"))
    return Rung(at, "", event.replace("_", " "), rest[:PLAIN_LIMIT])


def _media_words(line: Mapping[str, Any]) -> str:
    match line.get("kind"):
        case "t38":
            sentence = _("T.38 is agreed, {after_s} s after the answer: {settings}.")
            return sentence.format(after_s=line.get("after_s", "?"), settings=line.get("settings", ""))
        case "g711" if line.get("refusal"):
            sentence = _("T.38 was refused ({code}): the fax goes as tones in the sound.")
            return sentence.format(code=line["refusal"])
        case "g711":
            return _("The fax goes as tones in the sound.")
    return _("Sound is agreed.")


def _sip_rung(at: float, way: str, line: Mapping[str, Any]) -> Rung:
    """A SIP message: its first line, what it offers or answers, and its SDP on demand."""
    first, sdp = str(line.get("line", "")), str(line.get("sdp", ""))[:SDP_LIMIT]
    method, _space, rest = first.partition(" ")
    answer = method.startswith("SIP/")
    name = rest if answer else method
    if "m=image" in sdp:
        words = _("takes T.38") if answer else _("offers T.38")
    elif "m=audio" in sdp:
        words = _("takes sound") if answer else _("offers sound")
    else:
        words = {
            "INVITE": _("asks for a call"),
            "ACK": _("has heard that"),
            "BYE": _("ends the call"),
            "CANCEL": _("takes the call back"),
        }.get(method, "" if answer else rest)
    return Rung(at, way, name[:PLAIN_LIMIT], words[:PLAIN_LIMIT], "", "SDP" if sdp else "", sdp)


def _bits(fif: str) -> str:
    """The octets of a frame's information field, in hexadecimal and in bits, one a line."""
    try:
        octets = bytes.fromhex(fif)
    except ValueError:
        return fif[:PLAIN_LIMIT]
    return "\n".join(f"{number:2}  {octet:02x}  {octet:08b}" for number, octet in enumerate(octets, 1))


class _Pages:
    """Follows the pages of a call through its trace."""

    def __init__(self) -> None:
        self._rate = 0
        self._open: tuple[int, float, int] | None = None  # number, began, rate
        self._repeats = 0
        self._seen: list[PageOnLine] = []

    def hear(self, at: float, line: Mapping[str, Any]) -> None:
        event, page = line.get("event"), int(_number(line, "page"))
        if event in ("trained", "step_down", "training"):
            self._rate = int(_number(line, "rate")) or self._rate
        elif event in ("page_sending", "page_receiving"):
            self._close(None, "")
            self._open = page, at, int(_number(line, "rate")) or self._rate
        elif event == "ppr":
            self._repeats += int(_number(line, "frames"))
        elif event == "page_confirmed":
            self._close(at, _("confirmed"))
        elif event == "page_received":
            self._close(at, _("received, answered {reply}").format(reply=line.get("reply", "")))
        elif event == "rtn":
            self._close(at, _("damaged"))

    def _close(self, at: float | None, end: str) -> None:
        if self._open is not None:
            number, began, rate = self._open
            self._seen.append(PageOnLine(number, began, at, rate, self._repeats, end))
        self._open, self._repeats = None, 0

    def seen(self) -> list[PageOnLine]:
        self._close(None, _("broken off"))
        return self._seen
