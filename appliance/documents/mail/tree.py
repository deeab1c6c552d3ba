"""The tree of an e-mail's parts, also where its headers are wrong.  Pure; every octet is untrusted."""

from __future__ import annotations

import base64
import binascii
import contextlib
import itertools
import re
from collections.abc import Iterator
from email.message import Message

from appliance.documents.causes import EMAIL_DAMAGED
from appliance.documents.errors import DocumentError
from appliance.documents.mail.parsing import parse_email
from appliance.documents.mail.signed import signed_content
from appliance.documents.text.plain import as_printed, declared_charset, decode

PARTS_LIMIT = 200
# Types of parts without anything to read: signatures, data for programs.
NOT_FAXED = frozenset(
    {
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-signature",
        "application/pgp-encrypted",
        "message/delivery-status",
        "message/disposition-notification",
        "text/rfc822-headers",
        "application/smil",
        "text/watch-html",
        "text/x-amp-html",
    }
)
# A message whose text is inside its signature (RFC 8551 3.2).
_SIGNED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
# A reference to content elsewhere, meant for programs (RFC 2046 5.2.3).
EXTERNAL_BODY = "message/external-body"
# Parts that contain others but are taken as one.
_WHOLE = NOT_FAXED | {"message/rfc822", EXTERNAL_BODY}
# A line between parts, with a header of the second (RFC 2046 5.1.1).
_DELIMITER = re.compile(
    rb"^--([\w'()+,./:=?-]{1,70})[ \t]*\r?\nContent-[\w-]{1,40}:", re.IGNORECASE | re.MULTILINE
)
_ENCODED = re.compile(rb"(?im)^Content-Transfer-Encoding:\s{0,9}base64")


def leaves(message: Message) -> Iterator[tuple[Message, Message | None]]:
    """The parts that contain no others, each with the multipart/alternative around it (RFC 2046 5.1.4).

    An e-mail within the e-mail is one part.
    """
    waiting: list[tuple[Message, Message | None]] = [(message, None)]
    for number in itertools.count():
        if not waiting:
            return
        if number >= PARTS_LIMIT:
            raise DocumentError(EMAIL_DAMAGED, f"more than {PARTS_LIMIT} parts")
        part, choice = waiting.pop()
        kind, inner = part.get_content_type(), part.get_payload()
        within = _signed_entity(part) if kind in _SIGNED else None
        if within is not None:
            waiting.append((within, choice))
            continue
        if kind in _WHOLE and part is not message:
            yield part, choice
        elif part.is_multipart() and isinstance(inner, list):
            if choice is None and kind == "multipart/alternative":
                choice = part
            waiting += [(each, choice) for each in reversed(inner) if isinstance(each, Message)]
        elif part.get_content_maintype() == "multipart" and (parts := _told_apart(part)):
            waiting.append((parts, choice))
        else:
            yield part, choice


def _told_apart(part: Message) -> Message | None:
    """The multipart entity ``part`` with the boundary that its parts have and its header lacks or misspells.

    None if there is none: then it is one text, as it came, for a person to see.  Raises DocumentError.
    """
    content = octets_of(part)
    found = _DELIMITER.search(content)
    if _ENCODED.search(content) and not found:
        raise DocumentError(EMAIL_DAMAGED, "the boundary between its parts is missing")
    if not found or part.is_multipart():
        return None
    head = b'Content-Type: %s; boundary="%s"\n\n' % (part.get_content_type().encode(), found[1])
    made = parse_email(head + content)
    return made if made.is_multipart() else None


def _signed_entity(part: Message) -> Message | None:
    """The entity in a signed message; None for one that is encrypted or damaged."""
    content = signed_content(octets_of(part))
    return parse_email(content) if content else None


def text_of(part: Message) -> tuple[str, str]:
    """The text of a part, and its encoding if that had to be guessed, else empty."""
    content = octets_of(part)
    if not content:
        return "", ""
    charset = part.get_content_charset("")
    if not charset and part.get_content_subtype() == "html":
        charset = declared_charset(content)
    text, guessed = decode(content, charset)
    return as_printed(text), guessed


def octets_of(part: Message) -> bytes:
    """What a part holds, decoded; nothing for one that contains others."""
    encoded = part.get_payload()
    if isinstance(encoded, str) and str(part.get("Content-Transfer-Encoding", "")).lower() == "base64":
        # As below for what is not damaged, in a fifth of the memory.
        with contextlib.suppress(ValueError):
            return binascii.a2b_base64(encoded)
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def message_within(part: Message, inner: Message) -> bytes:
    """The octets of an attached message; some programs encode it, against RFC 2046 5.2.1."""
    try:
        octets = inner.as_bytes()
    except UnicodeEncodeError:  # letters beyond ASCII of a message that lacks its boundary
        octets = inner.as_string().encode("utf-8", "surrogateescape")
    if part.get("Content-Transfer-Encoding", "").strip().lower() == "base64":
        with contextlib.suppress(binascii.Error):
            return base64.b64decode(octets.strip(), validate=False) or octets
    return octets
