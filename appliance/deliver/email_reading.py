"""Reading an e-mail that is to be faxed: sender, numbers, content.  Pure; all octets are untrusted."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.utils import getaddresses
from pathlib import Path

from appliance import durable
from appliance.documents.causes import EMAIL_DAMAGED
from appliance.documents.errors import DocumentError
from appliance.documents.file_part import FilePart, part_key
from appliance.documents.mail.headers import decoded
from appliance.documents.mail.parsing import parse_email
from appliance.documents.mail.parts import CID, Letter, letter_of
from appliance.documents.text.hypertext import html_text
from appliance.documents.text.plain import whole_characters
from appliance.numbering.dial_on import BEHIND

_TEXT_LIMIT = 400_000
_PIECE_OCTETS = 64 * 1024
# Octets from which a picture within the text counts as a photograph or a scan: logos are smaller.
PHOTOGRAPH_OCTETS = 20_000
# Limits: characters of an e-mail's page, and octets of the pictures that are put into it.
PAGE_LIMIT = 2_000_000
PICTURES_LIMIT = 15 << 20
# What mailing lists and programs use besides RFC 3834's Auto-Submitted (5), headers and values of Precedence:
# such mail is neither answered nor faxed.
_OF_PROGRAMS = ("List-Id", "X-Autoreply", "X-Autorespond")
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
ADDRESS = re.compile(r"[^\s@<>\",;:]{1,64}@[^\s@<>\",;:]{1,189}")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file: its ``content``, or its ``file`` when another process extracted it."""

    name: str
    media_type: str
    content: bytes = field(default=b"", repr=False)
    file: Path | None = None

    def pieces(self) -> Iterator[bytes]:
        """The content, one piece at a time."""
        return iter((self.content,)) if self.file is None else durable.pieces(self.file)

    def head(self) -> bytes:
        """The beginning, long enough to tell the kind of file; ends at a whole UTF-8 character."""
        head = next(self.pieces(), b"")[:_PIECE_OCTETS]
        return whole_characters(head) if len(head) == _PIECE_OCTETS else head


@dataclass(frozen=True, slots=True)
class IncomingEmail:
    """An e-mail: ``sender`` is its only From address in lower case; ``to`` are all addresses that it names
    as recipients, including those that mail servers noted.

    ``text`` is its plain text, ``page`` the same as HTML with its pictures in it, empty without HTML;
    ``pictures`` are those of the pictures that are more than decoration.
    """

    sender: str
    sender_name: str
    message_id: str
    subject: str
    to: tuple[str, ...]
    text: str
    page: str
    pictures: tuple[Attachment, ...]
    attachments: tuple[Attachment, ...]
    automatic: bool  # written by a program, or sent to a list
    verdicts: tuple[str, ...]  # Authentication-Results headers, newest first


def read_email(raw: bytes) -> IncomingEmail:
    """Parses an e-mail as it came over the wire.  Raises DocumentError (EMAIL_DAMAGED)."""
    message = parse_email(raw)
    letter = letter_of(message)
    try:
        return _read(message, letter)
    except DocumentError:
        raise
    except Exception as error:  # the parser raises anything on hostile text
        raise DocumentError(EMAIL_DAMAGED, type(error).__name__) from error


def _read(message: Message, letter: Letter) -> IncomingEmail:
    senders = _addresses(message, "From")
    if len(senders) != 1 or not ADDRESS.fullmatch(senders[0][1]):
        raise DocumentError(EMAIL_DAMAGED, "there must be one sender")
    text = _without_signature(letter.plain if letter.plain.strip() else html_text(letter.html))
    # Without text even the smallest picture is what was meant.
    pictures = [each for each in letter.inline if _is_photograph(each) or not text]
    return IncomingEmail(
        sender=senders[0][1].lower(),
        sender_name=senders[0][0],
        message_id=" ".join(str(message.get("Message-ID", "")).split()),
        subject=" ".join(decoded(str(message.get("Subject", ""))).split()),
        to=tuple(
            dict.fromkeys(
                address.lower()
                for header in ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
                for _, address in _addresses(message, header)
                if ADDRESS.fullmatch(address)
            )
        ),
        text=text[:_TEXT_LIMIT],
        page=_self_contained(letter) if len(letter.html) <= PAGE_LIMIT else "",
        pictures=tuple(map(_attachment, pictures)),
        attachments=tuple(map(_attachment, letter.files)),
        automatic=_is_automatic(message),
        verdicts=tuple(
            " ".join(str(value).split()) for value in message.get_all("Authentication-Results", [])
        ),
    )


def _attachment(part: FilePart) -> Attachment:
    return Attachment(part.name, part.media_type, part.content)


def _is_photograph(part: FilePart) -> bool:
    """Whether a picture within the text is to be faxed, that is, no logo."""
    return len(part.content) >= PHOTOGRAPH_OCTETS


def _self_contained(letter: Letter) -> str:
    """The e-mail's HTML with its pictures in it; empty when it has none."""
    if not letter.html.strip():
        return ""
    pictures = {part_key(each.content_id): each for each in letter.inline}
    octets = 0

    def put(found: re.Match[str]) -> str:
        nonlocal octets
        picture = pictures.get(part_key(found[1]))
        if picture is None or octets + len(picture.content) > PICTURES_LIMIT:
            return found[0]
        octets += len(picture.content)
        coded = base64.b64encode(picture.content).decode()
        return f"data:{picture.media_type};base64,{coded}"

    return CID.sub(put, letter.html)


def _addresses(message: Message, header: str) -> list[tuple[str, str]]:
    values = [decoded(str(value)) for value in message.get_all(header, [])]
    return [(name, address) for name, address in getaddresses(values) if address or name]


def _without_signature(text: str) -> str:
    """The text before the line "-- " that begins a signature (RFC 3676 4.3)."""
    return re.split(r"(?m)^-- $", text, maxsplit=1)[0].strip()


def _is_automatic(message: Message) -> bool:
    said = str(message.get("Auto-Submitted", "no")).split(";")[0].strip().lower()
    return (
        said not in ("no", "")
        or str(message.get("Precedence", "")).strip().lower() in _BULK
        or any(name in message for name in _OF_PROGRAMS)
        or message.get_content_type() == "multipart/report"
        or str(message.get("Return-Path", "")).strip() == "<>"
    )


# -- numbers -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dial:
    """A number as it was written, and its sub-address (T.33)."""

    number: str
    sub_address: str = ""


# RFC 3191, RFC 3192: ``FAX=+493012345/T33S=17@``; people write the number alone.
_LOCAL_PART = re.compile(
    rf"(?:fax=)?(\+?[0-9][0-9().-]{{0,30}}{BEHIND})(?:/t33s=([0-9]{{1,20}}))?", re.IGNORECASE
)
# "+49 30 12345" or "Fax: +49 30 12345 - what it is about"
_SUBJECT = re.compile(
    rf"(?:fax(?:\s+to)?\s*:?\s*)?(\+?[0-9][0-9 ()./-]{{1,30}}[0-9]{BEHIND})\s*(?:$|[:;,–|-]\s*(.*))",
    re.IGNORECASE,
)


def numbers_of(to: Iterable[str], subject: str, domain: str) -> tuple[list[Dial], str]:
    """The numbers that an e-mail is addressed to, and the rest of its subject.

    They stand before ``@domain`` in ``to``; if none does, at the beginning of the subject.
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
