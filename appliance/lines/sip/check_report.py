"""Findings of one call over a trunk in plain words, from its progress events; needs no SIP stack."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from appliance.causes import Cause, Side
from appliance.language import filled, marked
from appliance.lines.line import LineKind
from appliance.lines.sip.codes import NO_PROPER_ANSWER
from appliance.lines.sip.settings import MediaChoice
from appliance.t30.memory import ignore
from appliance.t30.parameters import CallResult, Progress, carrier_of

# The possible findings and advice, with placeholders in braces.
_ANSWERED = marked("The call was answered after {seconds} s.")
_WENT_WITH = marked("A page went through{rate}, with error correction (ECM).")
_WENT_WITHOUT = marked("A page went through{rate}, without error correction (ECM).")
_LAST_ERROR = marked("The trunk's last error: {error}.")
_T38_BY_TRUNK = marked("T.38 works: the trunk asked for it, {seconds} s after the answer.")
_T38_BY_US = marked("T.38 works: this box asked for it, {seconds} s after the answer.")
_TERMS = marked("Its terms: {terms}.")
_PACKETS = marked("{came} packets came in, {missing} missing ({share}).")
_NO_PACKET = marked("No packet came in.")
_TONES_AS_SET = marked("The fax went as tones in the audio, as the trunk's media setting (g711) says.")
_TONES_NO_ANSWER = marked("T.38 was asked for and got no proper answer; the fax went as tones in the audio.")
_TONES_REFUSED = marked("T.38 was refused ({status}); the fax went as tones in the audio.")
_TONES_UNASKED = marked("Nobody asked for T.38; the fax went as tones in the audio.")
_ASK_CORRECTION = marked("Ask the provider to switch on T.38 error correction (redundancy or FEC).")
_ASK_T38 = marked("Ask the provider whether T.38 can be switched on for this account.")
_ASK_WHO_ASKS = marked("Let the box ask for T.38 itself, or ask the provider to do so on fax tones.")
_LOOK_PORTS = marked("Check the public address, and that the router lets the media ports through.")
_LOOK_NETWORK = marked("More than one packet in a hundred is lost: look at the network first.")


@dataclass(frozen=True, slots=True)
class TrunkReport:
    """The findings of one call over a trunk.

    ``findings`` are English sentences for the owner; ``advice`` what to ask the provider or to change.
    """

    usable: bool  # a fax went through
    t38: bool  # as T.38
    findings: tuple[str, ...]
    advice: tuple[str, ...]


class CallWatcher:
    """Collects what the report needs from the progress events of a call over a trunk."""

    def __init__(self, onward: Callable[[Progress], None] = ignore) -> None:
        self._onward = onward
        self.trunk_asked = False  # for T.38
        self.kind: LineKind | None = None  # what carried the fax
        self.refusal = 0  # the status that our own offer of T.38 got
        self.settings = ""  # T.38's terms in words
        self.t38_after_s = 0.0  # from the answer
        self.answered_s = 0.0  # from dialling
        self.packets = self.lost = 0

    def __call__(self, progress: Progress) -> None:
        self._onward(progress)
        fields = dict(progress.fields)
        match progress.event:
            case "sip_received":
                invited = str(fields.get("line", "")).startswith("INVITE")
                self.trunk_asked |= invited and "m=image" in str(fields.get("sdp", ""))
            case "connected":
                self.answered_s = progress.at
            case "media" if fields["kind"] == "t38":
                self.kind, self.refusal = LineKind.T38, 0
                self.settings, self.t38_after_s = str(fields["settings"]), float(fields["after_s"])
            case "media" if fields["kind"] == "g711":
                self.kind, self.refusal = LineKind.G711, int(fields["refusal"])
            case "packets":
                self.packets, self.lost = int(fields["came"]), int(fields["missing"])


def report(
    seen: CallWatcher, result: CallResult, media: MediaChoice, before: str, last_error: str
) -> TrunkReport:
    """The report of a call over a trunk with this ``media`` setting.

    ``before`` is the line's sentence before the call, ``last_error`` its last error after it.
    """
    t38 = seen.kind is LineKind.T38
    usable = result.cause.side is Side.NONE
    findings = [before, *_how_it_ended(result, seen.answered_s, last_error)]
    advice: list[str] = []
    if t38:
        works = _T38_BY_TRUNK if seen.trunk_asked else _T38_BY_US
        findings.append(filled(works, seconds=f"{seen.t38_after_s:.1f}"))
        findings.append(filled(_TERMS, terms=seen.settings))
        if "no error correction" in seen.settings:
            advice.append(_ASK_CORRECTION)
    elif seen.kind is LineKind.G711:
        without, wanted = _without_t38(seen, media)
        findings.append(without)
        advice += wanted
    share = seen.lost / seen.packets if seen.packets else 0.0
    if seen.packets:
        findings.append(filled(_PACKETS, came=seen.packets, missing=seen.lost, share=f"{share:.1%}"))
    elif seen.kind is not None:
        findings.append(_NO_PACKET)
        advice.append(_LOOK_PORTS)
    if share > 0.01:
        advice.append(_LOOK_NETWORK)
    if not usable:
        advice.append(result.cause.advice)
    return TrunkReport(usable, t38, tuple(findings), tuple(advice))


def report_afterwards(
    cause: Cause,
    *,
    pages: int,
    facts: Mapping[str, Any],
    account: Iterable[Mapping[str, Any]],
    media: MediaChoice,
    before: str,
    last_error: str,
) -> TrunkReport:
    """The report of an earlier call, from its stored data.

    ``facts`` are the negotiated parameters, ``account`` the lines of its trace; invalid lines are ignored.
    """
    watcher = CallWatcher()
    for line in account:
        fields = dict(line)
        try:
            at, event = float(fields.pop("at")), str(fields.pop("event"))
            watcher(Progress(at, event, tuple(fields.items())))
        except (KeyError, TypeError, ValueError):
            continue
    result = CallResult(cause, pages_sent=pages, carrier=carrier_of(facts), ecm=bool(facts.get("ecm", False)))
    return report(watcher, result, media, before, last_error)


def _without_t38(seen: CallWatcher, media: MediaChoice) -> tuple[str, list[str]]:
    """Why the fax went as tones, and what to do about it."""
    if media is MediaChoice.G711_ONLY:
        return _TONES_AS_SET, []
    if seen.refusal in NO_PROPER_ANSWER:
        return _TONES_NO_ANSWER, [_ASK_T38]
    if seen.refusal:
        return filled(_TONES_REFUSED, status=seen.refusal), [_ASK_T38]
    return _TONES_UNASKED, [_ASK_WHO_ASKS]


def _how_it_ended(result: CallResult, answered_s: float, last_error: str) -> list[str]:
    found: list[str] = []
    if answered_s:
        found.append(filled(_ANSWERED, seconds=f"{answered_s:.1f}"))
    if result.cause.side is Side.NONE:
        carrier = result.carrier
        rate = f" ({carrier.bit_rate} bit/s, {carrier.modulation.value})" if carrier else ""
        found.append(filled(_WENT_WITH if result.ecm else _WENT_WITHOUT, rate=rate))
    else:
        found.append(result.cause.sentence)
        if last_error:
            found.append(filled(_LAST_ERROR, error=last_error))
    return found
