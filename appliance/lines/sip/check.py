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
    watcher = _Watcher(progress)
    state = line.state()
    call = OutgoingCall(number, CallParameters(Role.CALLS, station_id))
    result = await line.place(call, MemoryOwner([_page()], progress=watcher))
    return _report(line, result, watcher, state.sentence)


class _Watcher:
    """Listens to the account of the call for what the report needs."""

    def __init__(self, onward: Callable[[Progress], None]) -> None:
        self._onward = onward
        self.asked_by = ""
        self.round_trip_s: float | None = None
        self._asked_at: float | None = None

    def __call__(self, progress: Progress) -> None:
        self._onward(progress)
        fields = dict(progress.fields)
        line, sdp = str(fields.get("line", "")), str(fields.get("sdp", ""))
        image = "m=image" in sdp
        if progress.event == "sip_sent" and line.startswith("INVITE") and image:
            self._asked_at = progress.at
            self.asked_by = self.asked_by or "this box"
        elif progress.event == "sip_received" and line.startswith("INVITE") and image:
            self.asked_by = "the trunk"
        elif progress.event == "sip_received" and line.startswith("SIP/2.0") and self._asked_at is not None:
            if self.round_trip_s is None:
                self.round_trip_s = progress.at - self._asked_at
            self._asked_at = None


def _report(line: SipLine, result: CallResult, watcher: _Watcher, before: str) -> TrunkReport:
    facts = line.last_facts
    t38 = facts.kind is LineKind.T38
    asked_by = watcher.asked_by if t38 else ""
    usable = result.cause.side is Side.NONE
    findings = [before, *_how_it_ended(line, result, facts.answered_at)]
    advice: list[str] = []
    if t38:
        after = facts.t38_after_s or 0.0
        findings.append(f"T.38 works: {asked_by} asked for it, {after:.1f} s after the answer.")
        findings.append(f"Its terms: {facts.settings}.")
        if "no error correction" in facts.settings:
            advice.append("Ask the provider to switch on T.38 error correction (redundancy or FEC).")
    elif facts.kind is LineKind.G711:
        if line.trunk.media is MediaChoice.G711_ONLY:
            findings.append("The fax went as tones in the audio, as the trunk's media setting (g711) says.")
        elif facts.offer_failed:
            findings.append(
                "T.38 was asked for and got no proper answer; the fax went as tones in the audio."
            )
            advice.append("Ask the provider whether T.38 can be switched on for this account.")
        elif facts.refusal:
            findings.append(f"T.38 was refused ({facts.refusal}); the fax went as tones in the audio.")
            advice.append("Ask the provider whether T.38 can be switched on for this account.")
        else:
            findings.append("Nobody asked for T.38; the fax went as tones in the audio.")
            advice.append("Let the box ask for T.38 itself, or ask the provider to do so on fax tones.")
    share = facts.lost / facts.packets if facts.packets else 0.0
    if facts.packets:
        findings.append(f"{facts.packets} packets came in, {facts.lost} were missing ({share:.1%}).")
    elif facts.kind is not None:
        findings.append("No packet came in.")
        advice.append("Check the public address, and that the router lets the media ports through.")
    if share > 0.01:
        advice.append("More than one packet in a hundred is lost: look at the network first.")
    if not usable:
        advice.append(result.cause.advice)
    return TrunkReport(
        usable,
        result,
        facts.kind,
        asked_by,
        facts.refusal,
        facts.settings,
        facts.answered_at,
        facts.t38_after_s,
        watcher.round_trip_s,
        facts.packets,
        facts.lost,
        tuple(findings),
        tuple(advice),
    )


def _how_it_ended(line: SipLine, result: CallResult, answered_s: float) -> list[str]:
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
        if line.state().last_error:
            sentences.append(f"The trunk's last error: {line.state().last_error}")
    return sentences


def _page() -> CodedPage:
    rows = b"".join(_row(row) for row in range(_ROWS))
    return encode(Raster(_WIDTH, _ROWS, rows, Resolution.STANDARD), Coding.MH)


def _row(row: int) -> bytes:
    """Two black rows in twenty, a margin left free."""
    octets = _WIDTH // 8
    return bytes(8) + b"\xff" * (octets - 16) + bytes(8) if row % 20 < 2 else bytes(octets)
