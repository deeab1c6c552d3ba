"""SDP for ``m=image … udptl t38`` (T.38 Annex D, RFC 3264, RFC 8866): parsing, offer, answer, agreement.

Text and plain data only; the SIP line does the signalling.  Descriptions of the far end may be hostile:
parsing is bounded and raises nothing but ``SdpError``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from appliance.t38.ifp import MAX_VERSION
from appliance.t38.settings import MIN_MAX_DATAGRAM, ErrorCorrection, RateManagement, T38Settings

# Bounds of what is parsed, far above any real call.
MAX_SDP_CHARACTERS = 16384
MAX_LINES = 400
MAX_MEDIA = 16
# Limits of a far end whose attributes are missing or invalid: common practice of T.38 endpoints.
DEFAULT_MAX_DATAGRAM = 400
DEFAULT_MAX_BUFFER = 200
DEFAULT_MAX_BIT_RATE = 14400
# Larger numbers are reduced to this.
_MAX_NUMBER = 65535
# T38FaxUdpEC (T.38 table D.1).
UDP_EC = {
    ErrorCorrection.NONE: "",
    ErrorCorrection.REDUNDANCY: "t38UDPRedundancy",
    ErrorCorrection.FEC: "t38UDPFEC",
}

_TOKEN = re.compile(r"[!#-'*+\-.0-9A-Z^-~/]{1,64}\Z")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\Z")  # private names have underscores


class SdpError(ValueError):
    """An invalid session description: the peer's fault; the message says why."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The ``o=`` line: who described the session, and in which version."""

    user: str
    session: str
    version: int
    address: str


@dataclass(frozen=True, slots=True)
class Media:
    """One m-line and its attributes.  ``address`` is that of its own ``c=`` or the session's, "" without."""

    kind: str  # "audio", "image", …, lower case
    port: int  # 0: refused or switched off
    protocol: str  # as written
    formats: tuple[str, ...]
    address: str
    attributes: tuple[tuple[str, str], ...]  # names in lower case, values without blanks around

    @property
    def is_t38(self) -> bool:
        """Whether it is T.38 over UDPTL, at any port."""
        return (
            self.kind == "image"
            and self.protocol.lower() == "udptl"
            and "t38" in (each.lower() for each in self.formats)
        )


@dataclass(frozen=True, slots=True)
class Description:
    """The parts of a session description that fax needs."""

    origin: Origin | None
    media: tuple[Media, ...]


@dataclass(frozen=True, slots=True)
class T38Media:
    """An image line with a port: where its side receives packets, and its settings.

    The limits in ``settings`` are those of that side's receiver.
    """

    address: str
    port: int
    settings: T38Settings


# -- parsing -------------------------------------------------------------------------------------


def parse_sdp(text: str) -> Description:
    """Parses ``text`` (lines end in CR LF or LF).  Raises SdpError."""
    if len(text) > MAX_SDP_CHARACTERS:
        raise SdpError(f"the session description is longer than {MAX_SDP_CHARACTERS} characters")
    lines = text.replace("\r\n", "\n").split("\n")
    if len(lines) > MAX_LINES:
        raise SdpError(f"the session description has more than {MAX_LINES} lines")
    origin: Origin | None = None
    session_address = ""
    media: list[Media] = []
    for line in lines:
        kind, separator, value = line.partition("=")
        value = value.strip()
        if not separator:
            if line.strip():
                raise SdpError(f"not a line of a session description: {line[:40]!r}")
        elif kind == "v" and value != "0":
            raise SdpError(f"session description version {value[:20]!r}")
        elif kind == "o":
            origin = _parse_origin(value)
        elif kind == "c" and media:
            media[-1] = replace(media[-1], address=_parse_connection(value))
        elif kind == "c":
            session_address = _parse_connection(value)
        elif kind == "m":
            if len(media) >= MAX_MEDIA:
                raise SdpError(f"more than {MAX_MEDIA} media lines")
            media.append(_parse_media(value, session_address))
        elif kind == "a" and media:
            name, _, rest = value.partition(":")
            attributes = (*media[-1].attributes, (name.strip().lower(), rest.strip()))
            media[-1] = replace(media[-1], attributes=attributes)
    return Description(origin, tuple(media))


def _parse_origin(value: str) -> Origin:
    parts = value.split()
    if len(parts) != 6 or not parts[2].isdecimal() or len(parts[2]) > 20:
        raise SdpError(f"an origin line of {len(parts)} parts: {value[:60]!r}")
    return Origin(parts[0][:64], parts[1][:64], int(parts[2]), parts[5][:255])


def _parse_connection(value: str) -> str:
    parts = value.split()
    if len(parts) != 3 or parts[0].upper() != "IN" or parts[1].upper() not in ("IP4", "IP6"):
        raise SdpError(f"a connection line that is not IN IP4 or IN IP6: {value[:60]!r}")
    address = parts[2].partition("/")[0]
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        if _HOST.match(address):
            return address
        raise SdpError(f"an address that is none: {address[:60]!r}") from None


def _parse_media(value: str, address: str) -> Media:
    parts = value.split()
    # Media other than audio and image may lack formats: the line is refused anyway.
    least = 4 if parts and parts[0].lower() in ("audio", "image") else 3
    if len(parts) < least or not all(_TOKEN.match(part) for part in parts):
        raise SdpError(f"a media line of {len(parts)} parts: {value[:60]!r}")
    port = parts[1].partition("/")[0]
    if not port.isdecimal() or len(port) > 5 or int(port) > 65535:
        raise SdpError(f"a media port that is none: {parts[1]!r}")
    return Media(parts[0].lower(), int(port), parts[2], tuple(parts[3:]), address, ())


def image_of(description: Description) -> T38Media | None:
    """The first T.38 line with a port, None without.  Raises SdpError when it has no address."""
    for media in description.media:
        if media.is_t38 and media.port:
            if not media.address:
                raise SdpError("an image line without a connection address")
            return T38Media(media.address, media.port, settings_of(media))
    return None


def settings_of(media: Media) -> T38Settings:
    """The settings of an image line; defaults (T.38 Annex D) for missing and invalid attributes."""
    attributes = dict(reversed(media.attributes))  # the first of several counts
    bit_rate = _number(attributes.get("t38maxbitrate"), DEFAULT_MAX_BIT_RATE)
    datagram = attributes.get("t38faxmaxdatagram", attributes.get("t38maxdatagram"))
    max_datagram = _number(datagram, DEFAULT_MAX_DATAGRAM)
    management = attributes.get("t38faxratemanagement", "").lower()
    local = management == RateManagement.LOCAL_TCF.value.lower()
    return T38Settings(
        version=min(_number(attributes.get("t38faxversion"), 0), MAX_VERSION),
        error_correction=_correction(attributes.get("t38faxudpec", "")),
        max_datagram=max_datagram if max_datagram >= MIN_MAX_DATAGRAM else DEFAULT_MAX_DATAGRAM,
        max_buffer=_number(attributes.get("t38faxmaxbuffer"), DEFAULT_MAX_BUFFER),
        max_bit_rate=min(bit_rate, DEFAULT_MAX_BIT_RATE) if bit_rate >= 2400 else DEFAULT_MAX_BIT_RATE,
        rate_management=RateManagement.LOCAL_TCF if local else RateManagement.TRANSFERRED_TCF,
        fill_bit_removal=_flag(attributes.get("t38faxfillbitremoval")),
        transcoding_mmr=_flag(attributes.get("t38faxtranscodingmmr")),
        transcoding_jbig=_flag(attributes.get("t38faxtranscodingjbig")),
    )


def _number(value: str | None, default: int) -> int:
    if value is None or not (value.isascii() and value.isdecimal()):
        return default
    return min(int(value[:12]), _MAX_NUMBER)


def _flag(value: str | None) -> bool:
    """On when the attribute is present, with any value but 0."""
    return value is not None and value != "0"


def _correction(value: str) -> ErrorCorrection:
    words = {word.lower(): correction for correction, word in UDP_EC.items()}
    return words.get(value.lower(), ErrorCorrection.NONE)


# -- offer and answer ------------------------------------------------------------------------------


def build_offer(local: T38Media, origin: Origin, *, audio_first: bool = False) -> str:
    """The text of an offer of T.38 alone.

    ``audio_first`` puts a refused audio line first, as a changed offer must keep earlier media lines
    (RFC 3264 8).
    """
    media = [_image_lines(local)]
    if audio_first:
        media.insert(0, refused_lines(Media("audio", 0, "RTP/AVP", ("0",), "", ()), local.address))
    return session_text(origin, local.address, media)


def build_answer(offer: Description, local: T38Media, origin: Origin) -> tuple[str, T38Settings]:
    """The text of the answer to an offer, and the settings that this end must use.

    The first T.38 line with a port is accepted, with the offerer's error correction and rate management and
    the lower version and bit rate; every other line is refused.  Raises SdpError when the offer has none.
    """
    theirs = image_of(offer)
    if theirs is None:
        raise SdpError("no live image line in the offer")
    agreed = agree(local.settings, theirs.settings)
    stated = replace(agreed, max_datagram=local.settings.max_datagram, max_buffer=local.settings.max_buffer)
    lines: list[list[str]] = []
    taken = False
    for media in offer.media:
        if media.is_t38 and media.port and not taken:
            taken = True
            lines.append(_image_lines(replace(local, settings=stated)))
        else:
            lines.append(refused_lines(media, local.address))
    return session_text(origin, local.address, lines), agreed


def agree(ours: T38Settings, theirs: T38Settings) -> T38Settings:
    """The settings that this end uses after offer and answer, whichever of them was ours.

    Where both ends must be equal the far end's value counts (the answerer adopts the offerer's, the offerer
    the answer's).  Its limits bound what we send.  The amount of redundancy is our own choice.
    """
    return replace(
        ours,
        version=min(ours.version, theirs.version),
        error_correction=theirs.error_correction,
        max_datagram=theirs.max_datagram,
        max_buffer=theirs.max_buffer,
        max_bit_rate=min(ours.max_bit_rate, theirs.max_bit_rate),
        rate_management=theirs.rate_management,
        fill_bit_removal=ours.fill_bit_removal and theirs.fill_bit_removal,
        transcoding_mmr=ours.transcoding_mmr and theirs.transcoding_mmr,
        transcoding_jbig=ours.transcoding_jbig and theirs.transcoding_jbig,
    )


def session_text(origin: Origin, address: str, media: Iterable[list[str]]) -> str:
    """The SDP of a session at ``address`` with these media, each its lines."""
    head = [
        "v=0",
        f"o={origin.user} {origin.session} {origin.version} IN {_family(origin.address)} {origin.address}",
        "s=-",
        f"c=IN {_family(address)} {address}",
        "t=0 0",
    ]
    return "\r\n".join([*head, *(line for lines in media for line in lines)]) + "\r\n"


def _family(address: str) -> str:
    return "IP6" if ":" in address else "IP4"


def refused_lines(media: Media, address: str) -> list[str]:
    """A media line with port 0; it has its own ``c=`` because some peers require that."""
    line = " ".join((f"m={media.kind} 0 {media.protocol}", *media.formats))
    return [line, f"c=IN {_family(address)} {address}"]


def _image_lines(local: T38Media) -> list[str]:
    """The lines of our image medium.  Flags are left out unless on: to some peers any value means on."""
    settings = local.settings
    lines = [
        f"m=image {local.port} udptl t38",
        f"c=IN {_family(local.address)} {local.address}",
        f"a=T38FaxVersion:{settings.version}",
        f"a=T38MaxBitRate:{settings.max_bit_rate}",
    ]
    flags = {
        "T38FaxFillBitRemoval": settings.fill_bit_removal,
        "T38FaxTranscodingMMR": settings.transcoding_mmr,
        "T38FaxTranscodingJBIG": settings.transcoding_jbig,
    }
    lines += [f"a={name}" for name, on in flags.items() if on]
    lines += [
        f"a=T38FaxRateManagement:{settings.rate_management.value}",
        f"a=T38FaxMaxBuffer:{settings.max_buffer}",
        f"a=T38FaxMaxDatagram:{settings.max_datagram}",
    ]
    if settings.error_correction is not ErrorCorrection.NONE:
        lines.append(f"a=T38FaxUdpEC:{UDP_EC[settings.error_correction]}")
    return lines
