"""SDP (RFC 4566, RFC 3264) as far as fax calls need it: lines of media read and written, no decisions.

Text from a peer is hostile: its size is bounded, numbers are checked, what is not understood is left
out or raises SdpError.  Attribute names are compared without case, as peers write them every way.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from enum import Enum

# Longest SDP read.  A real one with two media lines has some 500 octets.
MAX_SDP_OCTETS = 8192
# Media lines and attributes looked at; pjproject's own limits are 16 and 68.
MAX_MEDIA = 16
MAX_ATTRIBUTES = 128

# Static payload types (RFC 3551 table 4).
PCMU = 0
PCMA = 8
G711_NAMES = {PCMU: "PCMU", PCMA: "PCMA"}

# Discard port: a placeholder that no media is ever sent to.
DISCARD_PORT = 9


class SdpError(ValueError):
    """The peer's SDP cannot be used; the message says why."""


class MediaKind(Enum):
    AUDIO = "audio"
    IMAGE = "image"


@dataclass(frozen=True, slots=True)
class MediaLine:
    """One m= line with what belongs to it.  ``address`` is the c= line in force, empty without one."""

    kind: str  # "audio", "image", ... in lower case
    port: int  # 0 is a refused or switched-off line
    protocol: str  # "RTP/AVP", "udptl", in upper case
    formats: tuple[str, ...]
    address: str = ""
    attributes: tuple[tuple[str, str], ...] = ()

    @property
    def is_t38(self) -> bool:
        """A live line that T.38 over UDPTL can be had on (T.38 D.2.1)."""
        return (
            self.kind == "image"
            and self.port != 0
            and self.protocol == "UDPTL"
            and any(format_.lower() == "t38" for format_ in self.formats)
        )

    @property
    def g711_payloads(self) -> tuple[int, ...]:
        """Payload types of PCMU and PCMA on a live audio line, in the peer's order."""
        if self.kind != "audio" or self.port == 0 or self.protocol not in ("RTP/AVP", "RTP/AVPF"):
            return ()
        return tuple(int(f) for f in self.formats if f in ("0", "8"))

    @property
    def remote(self) -> tuple[str, int] | None:
        """Where media go, None when the line names no address that can be sent to."""
        try:
            address = ipaddress.ip_address(self.address)
        except ValueError:
            return None
        if address.is_unspecified or address.is_multicast or not 0 < self.port < 65536:
            return None
        return (str(address), self.port)


@dataclass(frozen=True, slots=True)
class Session:
    """An SDP as read: its media lines in order."""

    media: tuple[MediaLine, ...] = ()

    @property
    def t38(self) -> int | None:
        """The index of the first line for T.38."""
        return next((i for i, line in enumerate(self.media) if line.is_t38), None)

    @property
    def g711(self) -> int | None:
        """The index of the first audio line with G.711."""
        return next((i for i, line in enumerate(self.media) if line.g711_payloads), None)


@dataclass(slots=True)
class _Line:
    """A media line in the making."""

    head: str
    address: str = ""
    attributes: list[tuple[str, str]] = field(default_factory=list)


def parse_session(text: str) -> Session:
    """Reads an SDP.  Raises SdpError when it is none, or larger than anything sensible."""
    if len(text) > MAX_SDP_OCTETS:
        raise SdpError("the SDP is too long")
    address = ""
    lines: list[_Line] = []
    seen_version = False
    for raw in text.splitlines():
        kind, equals, value = raw.strip().partition("=")
        if not equals or len(kind) != 1:
            continue
        if kind == "v":
            seen_version = True
        elif kind == "m":
            if len(lines) == MAX_MEDIA:
                raise SdpError("the SDP has too many media lines")
            lines.append(_Line(value, address))
        elif kind == "c":
            if lines:
                lines[-1].address = _connection(value)
            else:
                address = _connection(value)
        elif kind == "a" and lines and len(lines[-1].attributes) < MAX_ATTRIBUTES:
            name, _, content = value.partition(":")
            lines[-1].attributes.append((name.strip(), content.strip()))
    if not seen_version:
        raise SdpError("the body is not SDP")
    return Session(tuple(_media_line(line) for line in lines))


def _connection(value: str) -> str:
    """The address of ``IN IP4 192.0.2.1``, with or without a TTL behind a slash."""
    words = value.split()
    return words[2].partition("/")[0] if len(words) >= 3 and words[0].upper() == "IN" else ""


def _media_line(line: _Line) -> MediaLine:
    words = line.head.split()
    if len(words) < 3:
        raise SdpError("a media line is incomplete")
    port = words[1].partition("/")[0]
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) < 65536):
        raise SdpError("a media line has no valid port")
    return MediaLine(
        words[0].lower(), int(port), words[2].upper(), tuple(words[3:]), line.address, tuple(line.attributes)
    )


def body_of(message: str) -> str:
    """The SDP in a whole SIP message, out of a multipart body too; empty when there is none."""
    _, _, body = message.partition("\r\n\r\n")
    start = body.find("v=0")
    if start < 0:
        return ""
    body = body[start:]
    end = body.find("\r\n--")
    return body if end < 0 else body[: end + 2]


# -- writing -----------------------------------------------------------------------------------


def _address_type(address: str) -> str:
    return "IP6" if ":" in address else "IP4"


def compose(address: str, session_id: int, version: int, media: list[str]) -> str:
    """An SDP of these media sections, each a text whose lines end in CRLF."""
    kind = _address_type(address)
    head = (
        f"v=0\r\no=- {session_id} {version} IN {kind} {address}\r\ns=-\r\n"
        f"c=IN {kind} {address}\r\nt=0 0\r\n"
    )
    return head + "".join(media)


def audio_section(port: int, payloads: tuple[int, ...], *, packet_ms: int = 20) -> str:
    """An audio line for fax: G.711 only, no silence suppression, no telephone-event."""
    formats = " ".join(str(payload) for payload in payloads)
    lines = [f"m=audio {port} RTP/AVP {formats}"]
    lines += [f"a=rtpmap:{payload} {G711_NAMES[payload]}/8000" for payload in payloads]
    lines += [f"a=ptime:{packet_ms}", "a=silenceSupp:off - - - -", "a=sendrecv"]
    return "".join(f"{line}\r\n" for line in lines)


def refused_section(line: MediaLine) -> str:
    """The peer's line with port 0.  It carries a c= of its own, which some peers insist on."""
    formats = " ".join(line.formats) or "0"
    address = line.address or "0.0.0.0"
    protocol = "udptl" if line.protocol == "UDPTL" else line.protocol
    return f"m={line.kind} 0 {protocol} {formats}\r\nc=IN {_address_type(address)} {address}\r\n"
