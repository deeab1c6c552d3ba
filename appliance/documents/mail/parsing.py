"""Parsing e-mails (RFC 5322, MIME) into their trees of parts.  Pure; every octet is untrusted.

Python's parser is kept within limits, because its time grows with the square of long headers and deep
nesting.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from email import policy
from email.errors import CloseBoundaryNotFoundDefect, MessageDefect
from email.message import Message
from email.parser import BytesFeedParser

from appliance.documents.causes import EMAIL_DAMAGED
from appliance.documents.errors import DocumentError

# Octets of one header with its continuations; RFC 5322 has no limit, real ones are far shorter.
HEADER_LIMIT = 32 * 1024
HEADERS_LIMIT = 2000
# Lines of an e-mail: 100 MB in base64 have as many.
LINE_COUNT_LIMIT = 1_500_000
_PIECE_OCTETS = 1 << 16  # given to the parser at once
# Depth of parts within parts.
NESTING_LIMIT = 20

_MULTIPART = re.compile(rb"multipart/", re.IGNORECASE)
# A boundary with a line break within its quotation marks; programs read it differently.
_FOLDED = re.compile(rb'boundary="([^"\r\n]{0,100})\r?\n([ \t]+)([^"\r\n]{0,100})"', re.IGNORECASE)
_FOLDED_LIMIT = NESTING_LIMIT
# The first line of an e-mail in a mailbox (RFC 4155), after a blank line; and a patch's of git.
_NEXT_IN_MAILBOX = re.compile(rb"\r?\n\r?\n(?=From [^\r\n]{1,200}\d\d:\d\d[^\r\n]{0,80}\r?\n[!-9;-~]{1,76}:)")
_OF_PATCH = re.compile(rb"From [0-9a-f]{40,64} Mon Sep 17 00:00:00 2001\r?\n")


class CutOffDefect(MessageDefect):
    """The e-mail ends within one of its parts."""


class _Bounded(policy.Compat32):
    """Python's policy with limits.  Each e-mail needs its own: ``seen`` counts the headers of all parts."""

    seen: Iterator[int] = itertools.count()

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        if sum(map(len, sourcelines)) > HEADER_LIMIT or next(self.seen) > HEADERS_LIMIT:
            raise DocumentError(EMAIL_DAMAGED, "too long or too many headers")
        return super().header_source_parse(sourcelines)


def parse_email(raw: bytes) -> Message:
    """The e-mail's tree of parts.  Raises DocumentError (EMAIL_DAMAGED)."""
    if raw.count(b"\n") > LINE_COUNT_LIMIT or len(_MULTIPART.findall(raw)) > NESTING_LIMIT * 2:
        raise DocumentError(EMAIL_DAMAGED, "too many parts or lines")
    try:
        parser = BytesFeedParser(policy=_Bounded(seen=itertools.count()))  # type: ignore[call-arg]
        raw = _unfolded(raw)
        # In pieces: as a whole it would be in memory as text, too, of four octets a letter.
        for at in range(0, len(raw), _PIECE_OCTETS):
            parser.feed(raw[at : at + _PIECE_OCTETS])
        message = parser.close()
        if _is_cut_off(message, raw):
            message.defects.append(CutOffDefect())
        return message
    except (DocumentError, MemoryError):
        raise
    except Exception as error:  # the parser raises anything on hostile text
        raise DocumentError(EMAIL_DAMAGED, type(error).__name__) from error


def _is_cut_off(message: Message, raw: bytes) -> bool:
    """Whether the last part ends within a line or has no content, and other parts may have followed.

    Some programs merely leave out the line that ends the last part (RFC 2046 5.1.1).
    """
    if not any(isinstance(defect, CloseBoundaryNotFoundDefect) for defect in message.defects):
        return False
    last, inner = message, message.get_payload()
    while isinstance(inner, list) and inner and isinstance(inner[-1], Message):
        last, inner = inner[-1], inner[-1].get_payload()
    return not raw.endswith((b"\n", b"\r")) or not last.get_payload()


def _unfolded(raw: bytes) -> bytes:
    """``raw`` with line breaks removed from boundary parameters, so that they match the delimiter lines."""
    for found in itertools.islice(_FOLDED.finditer(raw), _FOLDED_LIMIT):
        before, blanks, behind = found.groups()
        for boundary in (before + behind, before + b" " + behind, before + blanks + behind):
            if b"\n--" + boundary in raw:
                raw = raw.replace(found[0], b'boundary="' + boundary + b'"')
                break
    return raw


def in_mailbox(content: bytes) -> list[bytes]:
    """The e-mails in a mailbox (mbox, RFC 4155); of any other file, the file itself.

    A patch of git's begins an e-mail only among such.
    """
    if not content.startswith(b"From "):
        return [content]
    patches = _OF_PATCH.match(content) is not None
    begins = [0, *(end for end in _ends_of(content) if patches or not _OF_PATCH.match(content, end))]
    return [content[begin:end] for begin, end in itertools.pairwise((*begins, len(content)))]


def _ends_of(content: bytes) -> Iterator[int]:
    return (found.end() for found in _NEXT_IN_MAILBOX.finditer(content))
