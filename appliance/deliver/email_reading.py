"""Reading an e-mail that is to be faxed (RFC 5322, MIME).  Pure; every octet is hostile.

Python's parser is kept within bounds that it does not have itself: long headers and deep nesting cost
it the square of their length.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email import policy
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.utils import getaddresses
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from appliance.causes import EMAIL_DAMAGED
from appliance.documents.errors import DocumentError
from appliance.documents.hypertext import whole_tags

# One header with its continuations, octets; RFC 5322 has no bound, real ones stay far below.
HEADER_LIMIT = 32 * 1024
HEADERS_LIMIT = 2000
# As many as 100 MB in base64 have.
LINE_COUNT_LIMIT = 1_500_000
# Parts, and those of them that hold others.
PARTS_LIMIT = 200
NESTING_LIMIT = 20
# Of an HTML text so much is read, characters.
HTML_LIMIT = 200_000
_TEXT_LIMIT = 400_000
_PIECE_OCTETS = 64 * 1024

_MULTIPART = re.compile(rb"multipart/", re.IGNORECASE)
# Parts that belong to the e-mail, not to what is faxed: signatures, visiting cards, invitations.
_NOT_FAXED = frozenset(
    {
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-signature",
        "application/pgp-keys",
        "text/vcard",
        "text/x-vcard",
        "text/calendar",
        "application/ics",
        "message/delivery-status",
        "message/disposition-notification",
        "text/rfc822-headers",
    }
)
_CID = re.compile(r"""cid:([^"'\s>)]{1,200})""", re.IGNORECASE)
# RFC 3834 5, and what mailing lists and older programs say instead: never answered, never faxed.
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
ADDRESS = re.compile(r"[^\s@<>\",;:]{1,64}@[^\s@<>\",;:]{1,189}")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file: its ``content``, or for one that was taken out in another process the ``file`` with it."""

    name: str
    media_type: str
    content: bytes = field(default=b"", repr=False)
    file: Path | None = None

    def pieces(self) -> Iterator[bytes]:
        """The content, a piece at a time."""
        if self.file is None:
            yield self.content
            return
        with self.file.open("rb") as file:
            while piece := file.read(_PIECE_OCTETS):
                yield piece

    def head(self) -> bytes:
        """The beginning, as much as tells of what kind it is; no UTF-8 character is cut at its end."""
        piece = next(self.pieces(), b"")
        head = piece[:_PIECE_OCTETS]
        if len(head) == _PIECE_OCTETS:
            cut = next((back for back in range(1, 4) if head[-back] & 0xC0 != 0x80), 0)
            if cut and head[-cut] >= 0xC0:
                return head[:-cut]
        return head


@dataclass(frozen=True, slots=True)
class IncomingEmail:
    """An e-mail: ``sender`` is its one From address in lower case; ``to`` are all addresses that it names
    as receivers, those that mail servers noted included.
    """

    sender: str
    sender_name: str
    message_id: str
    subject: str
    to: tuple[str, ...]
    text: str
    attachments: tuple[Attachment, ...]
    automatic: bool  # written by a program or to a list
    verdicts: tuple[str, ...]  # Authentication-Results, newest first


class _Bounded(policy.Compat32):
    """Made anew for each e-mail: ``seen`` counts its headers, those of its parts included."""

    seen: Iterator[int] = itertools.count()

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        if sum(map(len, sourcelines)) > HEADER_LIMIT or next(self.seen) > HEADERS_LIMIT:
            raise DocumentError(EMAIL_DAMAGED, "too long or too many headers")
        return super().header_source_parse(sourcelines)


def read_email(raw: bytes) -> IncomingEmail:
    """Raises DocumentError (EMAIL_DAMAGED)."""
    if raw.count(b"\n") > LINE_COUNT_LIMIT or len(_MULTIPART.findall(raw)) > NESTING_LIMIT * 2:
        raise DocumentError(EMAIL_DAMAGED, "too many parts or lines")
    try:
        bounded = _Bounded(seen=itertools.count())  # type: ignore[call-arg]
        return _read(BytesParser(policy=bounded).parsebytes(raw))
    except DocumentError:
        raise
    except Exception as error:  # the parser meets hostile text with whatever comes to its mind
        raise DocumentError(EMAIL_DAMAGED, type(error).__name__) from error


def _read(message: Message) -> IncomingEmail:
    senders = _addresses(message, "From")
    if len(senders) != 1 or not ADDRESS.fullmatch(senders[0][1]):
        raise DocumentError(EMAIL_DAMAGED, "there must be one sender")
    plain: list[str] = []
    html: list[str] = []
    attachments: list[tuple[str, Attachment]] = []
    for part in _leaves(message):
        kind = part.get_content_type()
        if kind in _NOT_FAXED:
            continue
        name = _decoded(part.get_filename() or "")
        attached = part.get_content_disposition() == "attachment" or bool(name)
        if kind == "text/plain" and not attached:
            plain.append(_text(part))
        elif kind == "text/html" and not attached:
            html.append(_text(part)[:HTML_LIMIT])
        else:
            content = part.get_payload(decode=True)
            if isinstance(content, bytes) and content:
                content_id = str(part.get("Content-ID", "")).strip(" <>\r\n\t")
                attachments.append((content_id, Attachment(name, kind, content)))
    text = "\n".join(plain) if any(map(str.strip, plain)) else "\n".join(map(html_text, html))
    # Pictures within the HTML text are its logos, not what is to be faxed.
    shown = {found for page in html for found in _CID.findall(page)}
    return IncomingEmail(
        sender=senders[0][1].lower(),
        sender_name=senders[0][0],
        message_id=" ".join(str(message.get("Message-ID", "")).split()),
        subject=" ".join(_decoded(str(message.get("Subject", ""))).split()),
        to=tuple(
            dict.fromkeys(
                address.lower()
                for header in ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
                for _, address in _addresses(message, header)
                if ADDRESS.fullmatch(address)
            )
        ),
        text=_without_signature(text)[:_TEXT_LIMIT],
        attachments=tuple(each for content_id, each in attachments if content_id not in shown),
        automatic=_is_automatic(message),
        verdicts=tuple(
            " ".join(str(value).split()) for value in message.get_all("Authentication-Results", [])
        ),
    )


def _leaves(message: Message) -> Iterator[Message]:
    for number, part in enumerate(message.walk()):
        if number >= PARTS_LIMIT:
            raise DocumentError(EMAIL_DAMAGED, f"more than {PARTS_LIMIT} parts")
        if not part.is_multipart():
            yield part


def _addresses(message: Message, header: str) -> list[tuple[str, str]]:
    values = [_decoded(str(value)) for value in message.get_all(header, [])]
    return [(name, address) for name, address in getaddresses(values) if address or name]


def _decoded(value: str) -> str:
    """A header's value without RFC 2047's coding; what is coded wrongly stays as it is."""
    try:
        text = str(make_header(decode_header(value)))
    except (ValueError, LookupError):
        text = value
    return text.encode("utf-8", "replace").decode()


def _text(part: Message) -> str:
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    charset = part.get_content_charset("utf-8")
    try:
        text = content.decode(charset, "replace")
    except (LookupError, ValueError):
        text = content.decode("latin-1")
    # Some of Python's own codings make halves of characters.
    return text.encode("utf-8", "replace").decode().replace("\r\n", "\n")


def _without_signature(text: str) -> str:
    """The text up to the line "-- " that begins a signature (RFC 3676 4.3)."""
    return re.split(r"(?m)^-- $", text, maxsplit=1)[0].strip()


def _is_automatic(message: Message) -> bool:
    said = str(message.get("Auto-Submitted", "no")).split(";")[0].strip().lower()
    return (
        said not in ("no", "")
        or str(message.get("Precedence", "")).strip().lower() in _BULK
        or message.get("List-Id") is not None
        or message.get_content_type() == "multipart/report"
        or str(message.get("Return-Path", "")).strip() == "<>"
    )


class _Stripper(HTMLParser):
    _LINES = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "blockquote", "table"})
    _SILENT = frozenset({"script", "style", "head", "title"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in self._SILENT:
            self._silent += 1
        elif tag in self._LINES:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in self._LINES:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(re.sub(r"\s+", " ", data))


def html_text(page: str) -> str:
    """What a person reads of an HTML page."""
    stripper = _Stripper()
    stripper.feed(whole_tags(page[:HTML_LIMIT]))
    stripper.close()
    lines = (line.strip() for line in "".join(stripper.pieces).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


# -- which number --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dial:
    """A number as it was written, and its sub-address."""

    number: str
    sub_address: str = ""


# RFC 3191, RFC 3192: ``FAX=+493012345/T33S=17@``; people write the number alone.
_LOCAL_PART = re.compile(r"(?:fax=)?(\+?[0-9][0-9().-]{0,30})(?:/t33s=([0-9]{1,20}))?", re.IGNORECASE)
# "+49 30 12345" or "Fax: +49 30 12345 - what it is about"
_SUBJECT = re.compile(
    r"(?:fax(?:\s+to)?\s*:?\s*)?(\+?[0-9][0-9 ()./-]{1,30}[0-9])\s*(?:$|[:;,–|-]\s*(.*))", re.IGNORECASE
)


def numbers_of(to: Iterable[str], subject: str, domain: str) -> tuple[list[Dial], str]:
    """The numbers that an e-mail is for, and what remains of its subject.

    They stand before ``@domain``; when none does, at the beginning of the subject.
    """
    found: dict[Dial, None] = {}
    for address in to:
        local, _, host = address.rpartition("@")
        match = _LOCAL_PART.fullmatch(local) if host.lower() == domain.lower() else None
        if match is not None:
            found[Dial(match[1], match[2] or "")] = None
    if found:
        return list(found), subject
    match = _SUBJECT.fullmatch(subject.strip())
    if match is None:
        return [], subject
    return [Dial(match[1])], (match[2] or "").strip()
