"""The check of a trunk: one real call, and what the trunk offers in plain words.

Used by ``faxbox check trunk NAME [--to NUMBER]`` and by the web pages; the caller brings a started line.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from appliance.causes import Side
from appliance.lines.line import LineKind, OutgoingCall
from appliance.lines.sip.call import NO_PROPER_ANSWER
from appliance.lines.sip.line import SipLine
from appliance.lines.sip.settings import MediaChoice
from appliance.t4.coding import encode
from appliance.t4.page import CodedPage, Coding, Raster, Resolution
from appliance.t30.memory import MemoryOwner, ignore
from appliance.t30.parameters import CallParameters, CallResult, Progress, Role

# How long a trunk that registers may take to do so before the check goes on without.
REGISTER_LIMIT_S = 10.0
# The page that is sent: a few ruled lines, enough for a training and a block at any rate.
_ROWS, _WIDTH = 120, 1728


@dataclass(frozen=True, slots=True)
class TrunkReport:
    """What one call over a trunk showed.

    ``findings`` are sentences for the owner; ``advice`` what to ask the provider or to change.
    """

    usable: bool  # a fax went through
    result: CallResult
    kind: LineKind | None  # what carried it, None when nothing did
    t38_asked_by: str  # "the trunk", "this box" or "" when there was no T.38
    t38_refusal: int  # status that our own offer got, 0 without one
    settings: str  # T.38's terms in words
    answered_s: float  # from dialling to the answer
    t38_after_s: float | None  # from the answer to T.38
    round_trip_s: float | None  # of a SIP request inside the call
    packets: int  # that came in
    lost: int  # of them missing
    findings: tuple[str, ...]
    advice: tuple[str, ...]


async def check_trunk(
    line: SipLine,
    number: str,
    *,
    progress: Callable[[Progress], None] = ignore,
    station_id: str = "",
) -> TrunkReport:
    """Places a call to ``number`` over the line, sends one short page, and says what was seen.

    A fax is sent: the number must be one whose owner expects it.  Never raises for what the trunk did.
    """
    deadline = time.monotonic() + REGISTER_LIMIT_S
    while not line.state().usable and time.monotonic() < deadline:
        await asyncio.sleep(0.1)
    watcher = Watcher(progress)
    state = line.state()
    call = OutgoingCall(number, CallParameters(Role.CALLS, station_id))
    result = await line.place(call, MemoryOwner([_page()], progress=watcher))
    return report(watcher, result, line.trunk.media, state.sentence, line.state().last_error)


class Watcher:
    """Listens to the account of a call over a trunk for what the report needs."""

    def __init__(self, onward: Callable[[Progress], None] = ignore) -> None:
        self._onward = onward
        self.asked_by = ""
        self.round_trip_s: float | None = None
        self.kind: LineKind | None = None
        self.refusal = 0
        self.settings = ""
        self.t38_after_s: float | None = None
        self.answered_s = 0.0
        self.packets = self.lost = 0
        self._asked_at: float | None = None

    def __call__(self, progress: Progress) -> None:
        self._onward(progress)
        fields = dict(progress.fields)
        match progress.event:
            case "sip_sent" | "sip_received":
                self._message(progress, str(fields.get("line", "")), str(fields.get("sdp", "")))
            case "connected":
                self.answered_s = progress.at
            case "media" if fields["kind"] == "t38":
                self.kind, self.refusal = LineKind.T38, 0
                self.settings, self.t38_after_s = str(fields["settings"]), float(fields["after_s"])
            case "media" if fields["kind"] == "g711":
                self.kind, self.refusal = LineKind.G711, int(fields["refusal"])
            case "packets":
                self.packets, self.lost = int(fields["came"]), int(fields["missing"])

    def _message(self, progress: Progress, line: str, sdp: str) -> None:
        image, sent = "m=image" in sdp, progress.event == "sip_sent"
        if sent and line.startswith("INVITE") and image:
            self._asked_at = progress.at
            self.asked_by = self.asked_by or "this box"
        elif not sent and line.startswith("INVITE") and image:
            self.asked_by = "the trunk"
        elif not sent and line.startswith("SIP/2.0") and self._asked_at is not None:
            if self.round_trip_s is None:
                self.round_trip_s = progress.at - self._asked_at
            self._asked_at = None


def report(
    seen: Watcher, result: CallResult, media: MediaChoice, before: str, last_error: str
) -> TrunkReport:
    """The report of a call over a trunk with this ``media`` setting.

    ``before`` is the line's sentence before the call, ``last_error`` its last error after it.
    """
    t38 = seen.kind is LineKind.T38
    asked_by = seen.asked_by if t38 else ""
    usable = result.cause.side is Side.NONE
    findings = [before, *_how_it_ended(result, seen.answered_s, last_error)]
    advice: list[str] = []
    if t38:
        after = seen.t38_after_s or 0.0
        findings.append(f"T.38 works: {asked_by} asked for it, {after:.1f} s after the answer.")
        findings.append(f"Its terms: {seen.settings}.")
        if "no error correction" in seen.settings:
            advice.append("Ask the provider to switch on T.38 error correction (redundancy or FEC).")
    elif seen.kind is LineKind.G711:
        found, wanted = _without_t38(seen, media)
        findings.append(found)
        advice += wanted
    share = seen.lost / seen.packets if seen.packets else 0.0
    if seen.packets:
        findings.append(f"{seen.packets} packets came in, {seen.lost} were missing ({share:.1%}).")
    elif seen.kind is not None:
        findings.append("No packet came in.")
        advice.append("Check the public address, and that the router lets the media ports through.")
    if share > 0.01:
        advice.append("More than one packet in a hundred is lost: look at the network first.")
    if not usable:
        advice.append(result.cause.advice)
    return TrunkReport(
        usable,
        result,
        seen.kind,
        asked_by,
        seen.refusal,
        seen.settings,
        seen.answered_s,
        seen.t38_after_s,
        seen.round_trip_s,
        seen.packets,
        seen.lost,
        tuple(findings),
        tuple(advice),
    )


def _without_t38(seen: Watcher, media: MediaChoice) -> tuple[str, list[str]]:
    """Why the fax went as tones, and what to do about it."""
    went = "the fax went as tones in the audio"
    on_account = ["Ask the provider whether T.38 can be switched on for this account."]
    if media is MediaChoice.G711_ONLY:
        return "The fax went as tones in the audio, as the trunk's media setting (g711) says.", []
    if seen.refusal in NO_PROPER_ANSWER:
        return f"T.38 was asked for and got no proper answer; {went}.", on_account
    if seen.refusal:
        return f"T.38 was refused ({seen.refusal}); {went}.", on_account
    return (
        f"Nobody asked for T.38; {went}.",
        ["Let the box ask for T.38 itself, or ask the provider to do so on fax tones."],
    )


def _how_it_ended(result: CallResult, answered_s: float, last_error: str) -> list[str]:
    sentences = []
    if answered_s:
        sentences.append(f"The call was answered after {answered_s:.1f} s.")
    if result.cause.side is Side.NONE:
        carrier = result.carrier
        rate = f" at {carrier.bit_rate} bit/s ({carrier.modulation.value})" if carrier else ""
        ecm = "with" if result.ecm else "without"
        sentences.append(f"A page went through{rate}, {ecm} error correction (ECM).")
    else:
        sentences.append(result.cause.sentence)
        if last_error:
            sentences.append(f"The trunk's last error: {last_error}")
    return sentences


def _page() -> CodedPage:
    rows = b"".join(_row(row) for row in range(_ROWS))
    return encode(Raster(_WIDTH, _ROWS, rows, Resolution.STANDARD), Coding.MH)


def _row(row: int) -> bytes:
    """Two black rows in twenty, a margin left free."""
    octets = _WIDTH // 8
    return bytes(8) + b"\xff" * (octets - 16) + bytes(8) if row % 20 < 2 else bytes(octets)
