"""PDFs that pdfium does not open, or not all pages of, written anew by qpdf, which mends what can be mended.

Tables of cross-references that are wrong pdfium mends itself; qpdf also puts up with objects that never end,
page trees that name what is not there, and other things before the header than there may be.
"""

from __future__ import annotations

import io
import zlib
from itertools import islice
from typing import Any

# A file without its end was cut off: pages would be missing, or white, and nobody would know.
_END, _END_WITHIN = b"%%EOF", 4096
# A file of so many octets is mended at most: both its old and its new form are in memory meanwhile.
LARGEST = 60 << 20


_HEADER, _HEADER_WITHIN = b"%PDF-", 64 << 10


def with_header(content: bytes) -> bytes:
    """``content``, with a header where it has none (ISO 32000-1 7.5.2)."""
    return content if _HEADER in content[:_HEADER_WITHIN] else _HEADER + b"1.4\n" + content


def mended(content: bytes) -> bytes | None:
    """``content`` written anew, without its encryption; None when that cannot be done."""
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


# Of each of so many pages, so many octets of what is drawn are looked at.
_PAGES_READ, _OCTETS_READ = 20, 1 << 20
# A name as long as ``/Encrypt`` that means nothing: no object moves.
_LOCK, _NO_LOCK = b"/Encrypt", b"/Ignored"


def without_false_lock(content: bytes) -> bytes | None:
    """``content`` without what says that it is encrypted; None unless its pages can be read as they stand.

    Some programs write a dictionary of encryption (ISO 32000-1 7.6.1) that nobody knows, or whose password
    nobody has, and encrypt nothing, or attachments alone.
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
                for stream in _streams_of(page.obj.get("/Contents"))
            ]
            if not streams or not all(map(_is_readable, streams)):
                return None
    except (pikepdf.PdfError, pikepdf.PasswordError, ValueError, RuntimeError, TypeError, AttributeError):
        return None
    return opened


def _streams_of(contents: Any) -> list[Any]:
    if contents is None:
        return []
    return list(contents) if contents._type_name == "array" else [contents]


def _is_readable(stream: Any) -> bool:
    """Whether what is drawn is there in plain: compressed octets come out whole, others are ASCII."""
    octets, way = stream.read_raw_bytes(), str(stream.get("/Filter", ""))
    if way not in {"", "/FlateDecode", '[ "/FlateDecode" ]'}:
        return False
    try:
        plain = zlib.decompressobj().decompress(octets, _OCTETS_READ) if way else octets[:_OCTETS_READ]
    except zlib.error:
        return False
    return bool(way) or plain.isascii()
