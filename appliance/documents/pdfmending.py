"""Repairs PDFs that pdfium cannot open, or not all of whose pages it can open, by having qpdf rewrite them.

pdfium itself repairs wrong cross-reference tables; qpdf also copes with objects that never end, page trees
that name missing pages, and unexpected data before the header.
"""

from __future__ import annotations

import io
import zlib
from itertools import islice
from typing import Any

from appliance.documents.pdfstreams import streams_of

# A file without its end was truncated: pages would be missing or white without notice.
_END, _END_WITHIN = b"%%EOF", 4096
# Octets of the largest file that is repaired: its old and new form are in memory together.
LARGEST = 60 << 20


_HEADER, _HEADER_WITHIN = b"%PDF-", 64 << 10


def with_header(content: bytes) -> bytes:
    """``content`` with a header, which is added where it is missing (ISO 32000-1 7.5.2)."""
    return content if _HEADER in content[:_HEADER_WITHIN] else _HEADER + b"1.4\n" + content


def mended(content: bytes) -> bytes | None:
    """``content`` rewritten without encryption; None when that fails."""
    import pikepdf  # noqa: PLC0415 (slow, for few documents)

    if len(content) > LARGEST or _END not in content[-_END_WITHIN:]:
        return None
    out = io.BytesIO()
    try:
        with pikepdf.open(io.BytesIO(content), suppress_warnings=True) as document:
            declared = int(document.Root.Pages.get("/Count", 0))
            if len(document.pages) < max(1, declared):
                return None
            document.save(out)
    except (pikepdf.PdfError, pikepdf.PasswordError, ValueError, RuntimeError, TypeError, AttributeError):
        return None
    return out.getvalue()


# Pages that are examined, and octets of content of each.
_PAGES_READ, _OCTETS_READ = 20, 1 << 20
# A meaningless name as long as ``/Encrypt``, so that no object moves.
_LOCK, _NO_LOCK = b"/Encrypt", b"/Ignored"


def without_false_lock(content: bytes) -> bytes | None:
    """``content`` without its encryption dictionary; None unless its pages are readable as they stand.

    Some programs write such a dictionary (ISO 32000-1 7.6.1) with an unknown method or password, and encrypt
    nothing, or only attachments.
    """
    import pikepdf  # noqa: PLC0415 (slow, for few documents)

    if len(content) > LARGEST or _LOCK not in content:
        return None
    opened = content.replace(_LOCK, _NO_LOCK)
    try:
        with pikepdf.open(io.BytesIO(opened), suppress_warnings=True) as document:
            streams = [
                stream
                for page in islice(document.pages, _PAGES_READ)
                for stream in streams_of(page.obj.get("/Contents"))
            ]
            if not streams or not all(map(_is_readable, streams)):
                return None
    except (pikepdf.PdfError, pikepdf.PasswordError, ValueError, RuntimeError, TypeError, AttributeError):
        return None
    return opened


def _is_readable(stream: Any) -> bool:
    """Whether content is unencrypted: compressed octets unpack fully, others are ASCII."""
    octets, way = stream.read_raw_bytes(), str(stream.get("/Filter", ""))
    if way not in {"", "/FlateDecode", '[ "/FlateDecode" ]'}:
        return False
    try:
        plain = zlib.decompressobj().decompress(octets, _OCTETS_READ) if way else octets[:_OCTETS_READ]
    except zlib.error:
        return False
    return bool(way) or plain.isascii()
