"""The audio half of SDP (RFC 3264, RFC 3551) for fax calls: G.711 offered, answered and read.

The image half, and the parser of descriptions, are in ``appliance.t38.sdp``.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from appliance.lines.sip.messages import divided
from appliance.t38.sdp import Description, Media, Origin, refused_lines, session_text

# Static payload types (RFC 3551 table 4).
PCMU = 0
PCMA = 8
G711_NAMES = {PCMU: "PCMU", PCMA: "PCMA"}
# The payload type that we offer for telephone-event: what nearly all use.
EVENTS = 101
# Length of our RTP packets, ms: what every gateway takes (RFC 3551 4.2).
PACKET_MS = 20
# Profiles that carry plain G.711.  SAVP would need keys that we do not have.
_PROTOCOLS = ("RTP/AVP", "RTP/AVPF")
# How a line of a description begins, of whatever type.
_LINE = re.compile(r"^[a-z]=", re.MULTILINE)
_PART_ENDS = re.compile(r"\r?\n--")


@dataclass(frozen=True, slots=True)
class Audio:
    """An active G.711 line: the index of its m-line, the address for packets, its payload types in order."""

    index: int
    remote: tuple[str, int] | None
    payloads: tuple[int, ...]
    dynamic: tuple[tuple[int, int], ...] = ()  # those with a number of this call's, and PCMU or PCMA
    events: int | None = None  # payload type of telephone-event (RFC 4733), where there is one

    def law(self, payload: int) -> int:
        """The law of a payload type:  PCMU or PCMA."""
        return dict(self.dynamic).get(payload, payload)


def audio_of(description: Description) -> Audio | None:
    """The first live line with G.711, None when there is none."""
    for index, media in enumerate(description.media):
        if media.kind == "audio" and media.port and media.protocol.upper() in _PROTOCOLS:
            laws = _laws_of(media)
            if laws:
                dynamic = tuple((number, law) for number, law in laws.items() if number != law)
                remote = sendable(media.address, media.port)
                return Audio(index, remote, tuple(laws), dynamic=dynamic, events=_events_of(media))
    return None


def _events_of(media: Media) -> int | None:
    for name, value in media.attributes:
        number, _, encoding = value.partition(" ")
        if name == "rtpmap" and encoding.strip().lower() == "telephone-event/8000" and number.isdecimal():
            return int(number) if number in media.formats and 96 <= int(number) <= 127 else None
    return None


def _laws_of(media: Media) -> dict[int, int]:
    """The G.711 among a line's formats, by payload type in the line's order: static or named (RFC 3551 6)."""
    named = {}
    for name, value in media.attributes:
        number, _, encoding = value.partition(" ")
        if name.lower() == "rtpmap" and number.isdecimal():
            named[number] = encoding.strip().upper()
    laws = {}
    for each in media.formats:
        if each.isdecimal() and len(each) <= 3:
            for law, known in G711_NAMES.items():
                mapping = named.get(each, f"{known}/8000" if int(each) == law else "")
                if mapping in (f"{known}/8000", f"{known}/8000/1"):
                    laws[int(each)] = law
    return laws


def sendable(address: str, port: int) -> tuple[str, int] | None:
    """Where to send media; None: learned from the first packet (a host name, 0.0.0.0, no address)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    if parsed.is_unspecified or parsed.is_multicast or not 0 < port < 65536:
        return None
    return (str(parsed), port)


def body_of(message: str) -> str:
    """The SDP in a whole SIP message, out of a multipart body too; empty when there is none."""
    _, body = divided(message)
    start = body.find("v=0")
    if start < 0:  # the library takes a description without its version, and so would answer for us
        first = _LINE.search(body)
        if first is None:
            return ""
        start = first.start()
    body = body[start:]
    end = _PART_ENDS.search(body)
    return body if end is None else body[: end.start()] + "\r\n"


# -- writing -----------------------------------------------------------------------------------


def audio_offer(
    address: str, port: int, payloads: tuple[int, ...], origin: Origin, events: int | None = None
) -> str:
    """An offer of G.711; ``events``: and of telephone-event with this payload type, for digits to dial."""
    laws = {payload: payload for payload in payloads}
    return session_text(origin, address, [_audio_lines(port, laws, events)])


def audio_answer(  # noqa: PLR0917 - the pieces of one text
    offer: Description,
    audio: Audio,
    address: str,
    port: int,
    payload: int,
    origin: Origin,
    events: int | None = None,
) -> str:
    """The answer that takes the line ``audio`` with these payload types, and refuses every other line."""
    ours = _audio_lines(port, {payload: audio.law(payload)}, events)
    media = (
        ours if number == audio.index else refused_lines(each, address)
        for number, each in enumerate(offer.media)
    )
    return session_text(origin, address, media)


def _audio_lines(port: int, laws: dict[int, int], events: int | None) -> list[str]:
    """G.711 without comfort noise, which cuts into fax tones; telephone-event only for who will dial on."""
    formats = " ".join(str(payload) for payload in laws)
    names = [f"a=rtpmap:{payload} {G711_NAMES[law]}/8000" for payload, law in laws.items()]
    if events is not None:
        formats += f" {events}"
        names += [f"a=rtpmap:{events} telephone-event/8000", f"a=fmtp:{events} 0-15"]
    return [
        f"m=audio {port} RTP/AVP {formats}",
        *names,
        f"a=ptime:{PACKET_MS}",
        "a=silenceSupp:off - - - -",
        "a=sendrecv",
    ]
