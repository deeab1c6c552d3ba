"""The header fields of an e-mail as a person reads them.  Pure; every octet is untrusted."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.utils import format_datetime

from appliance.documents.labels import HEADING, Labels, put
from appliance.documents.text.plain import decode

_LONGEST_FIELD = 4000  # characters of a header field in the heading
# An encoded word (RFC 2047 section 2) whose octets are written in base64.
_IN_BASE64 = re.compile(r"(=\?[^?\s]{1,80}\?[Bb]\?)([A-Za-z0-9+/]{0,2000}={0,2})\?=")
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)  # of Windows' times ([MS-DTYP] 2.3.3), in units of 100 ns
_LABEL = "text-align: left; vertical-align: top; padding-right: 1em; white-space: nowrap"


def decoded(value: str) -> str:
    """A header's value with RFC 2047's encoded words decoded; malformed ones stay as they are."""
    value = _IN_BASE64.sub(_without_rest, _as_utf_8(value))
    try:
        pieces = decode_header(value)
    except (ValueError, HeaderParseError):
        pieces = [(value, None)]
    text = "".join(map(_piece, pieces))
    return text.encode("utf-8", "replace").decode()


def _without_rest(word: re.Match[str]) -> str:
    """An encoded word in base64 without a last digit that alone stands for nothing: programs cut subjects."""
    digits = word[2].rstrip("=")
    return f"{word[1]}{digits[: len(digits) - (len(digits) % 4 == 1)]}?="


def _piece(said: tuple[str | bytes, str | None]) -> str:
    """A piece of a header: encoded words with their charset, or what stands between (Python's own way)."""
    piece, charset = said
    if isinstance(piece, str):
        return piece
    return decode(piece, charset)[0] if charset else piece.decode("raw_unicode_escape", "replace")


def _as_utf_8(value: str) -> str:
    """``value`` with octets beyond ASCII read as UTF-8 (RFC 6532), or Windows-1252."""
    if not any("\udc80" <= letter <= "\udcff" for letter in value):
        return value
    return decode(value.encode("utf-8", "surrogateescape"))[0]


# Outlook gives the whole of an e-mail a kind of page of its own (CSS Paged Media 3, 8.1), for which the page
# of the heading would end.
_ONE_PAGE = "<style>* { page: auto !important }</style>"


def heading(fields: dict[str, str], labels: Labels) -> str:
    """The lines above an e-mail that is faxed as a document, as HTML."""
    rows = "".join(
        f'<tr><th style="{_LABEL}">{put(name, labels)}</th><td dir="auto">{html.escape(value)}</td></tr>'
        for name, value in fields.items()
        if value
    )
    return f'{_ONE_PAGE}<table style="margin-bottom:.5em">{rows}</table><hr style="margin-bottom:1em">'


def fields_of(message: Message) -> dict[str, str]:
    """From, To, Cc, Date and Subject, as a person reads them."""
    return {name: shortened(" ".join(decoded(_raw(message, name)).split())) for name in HEADING}


def _raw(message: Message, name: str) -> str:
    """A header's value as it came; the parser's own reading replaces octets beyond ASCII."""
    return next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")


def file_name(part: Message) -> str:
    """The name of a part's file (RFC 2183, 2231, 2047), empty for none."""
    readable = Message()
    for field in ("Content-Disposition", "Content-Type"):
        if field in part:
            readable[field] = _as_utf_8(_raw(part, field))
    try:
        return decoded(readable.get_filename() or "")
    except TypeError:  # of Python's parser, at a name that is given both whole and in pieces
        return decoded(str(readable.get_param("name", "")))


def when(octets: bytes) -> str:
    """One of Windows' times as an e-mail says it; empty for none."""
    moment = time_of(octets)
    return format_datetime(moment) if moment is not None else ""


def time_of(octets: bytes) -> datetime | None:
    """One of Windows' times; None for none."""
    units = int.from_bytes(octets, "little")
    try:
        return _EPOCH + timedelta(microseconds=units // 10) if units else None
    except OverflowError:
        return None


def shortened(text: str) -> str:
    """As much of a field as the heading has."""
    return text if len(text) <= _LONGEST_FIELD else f"{text[:_LONGEST_FIELD]} …"
