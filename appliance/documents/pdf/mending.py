"""Repairs PDFs that pdfium cannot open, or not all of whose pages it can open, by having qpdf rewrite them.

pdfium itself repairs wrong cross-reference tables; qpdf also copes with objects that never end, page trees
that name missing pages, and unexpected data before the header.  Trees in circles are straightened first.
"""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from appliance.documents.causes import DOCUMENT_EMPTY
from appliance.documents.errors import DocumentError
from appliance.documents.pdf.streams import streams_of
from appliance.remarks import LONGEST_FILE_NAME

if TYPE_CHECKING:
    import pikepdf

# A file without its end was truncated.
_END, _END_WITHIN = b"%%EOF", 4096
# What a linearised file, whose first page and list of pages come first, says of its length (F.3.3).
_LINEARIZED = re.compile(
    rb"/Linearized\b[^>]{0,300}?/L\s+(\d{1,12})|/L\s+(\d{1,12})\b[^>]{0,300}?/Linearized\b"
)
_LINEARIZED_WITHIN = 1024
# Octets of the largest file that is repaired: its old and new form are in memory together.
LARGEST = 60 << 20
# Nodes of the largest tree of pages that is put in order, and what pages inherit in it (7.7.3.4).
_MOST_NODES = 100_000
_INHERITED = ("/Resources", "/MediaBox", "/CropBox", "/Rotate")

_MOST_NAMED = 10  # attached files

_HEADER, _HEADER_WITHIN = b"%PDF-", 64 << 10


@dataclass(frozen=True, slots=True)
class Mended:
    """A rewritten document without encryption.

    ``declared``: how many pages it says to have; ``is_cut``: it had no end.
    """

    content: bytes
    declared: int
    is_cut: bool


def with_header(content: bytes) -> bytes:
    """``content`` with a header, which is added where it is missing (ISO 32000-1 7.5.2)."""
    return content if _HEADER in content[:_HEADER_WITHIN] else _HEADER + b"1.4\n" + content


def lacks_end(content: bytes) -> bool:
    """Whether nothing near the end of ``content`` marks it as the end."""
    return _END not in content[-_END_WITHIN:]


def is_linearized_and_cut(content: bytes) -> bool:
    """Whether this is the beginning of a longer file; its pages may all be listed in it."""
    said = _LINEARIZED.search(content, 0, _LINEARIZED_WITHIN) if lacks_end(content) else None
    return said is not None and int(said[1] or said[2]) > len(content)


def mended(content: bytes) -> Mended | None:
    """``content`` rewritten with all pages that are found; None when that fails.

    Raises DocumentError: DOCUMENT_EMPTY, when it is whole and has no pages.
    """
    import pikepdf  # noqa: PLC0415 (slow, for few documents)

    if len(content) > LARGEST:
        return None
    is_cut = lacks_end(content)
    if is_cut:
        content += b"\n" + _END  # qpdf ignores an object with nothing behind it
    out = io.BytesIO()
    try:
        with pikepdf.open(
            io.BytesIO(content), suppress_warnings=True, inherit_page_attributes=False
        ) as document:
            declared = document.Root.Pages.get("/Count", 0)
            _straighten(document)
            if not len(document.pages):
                if declared == 0 and not document.get_warnings():
                    raise DocumentError(DOCUMENT_EMPTY, _without_pages(document))
                return None
            document.save(out)
    except (pikepdf.PdfError, pikepdf.PasswordError, ValueError, RuntimeError, TypeError, AttributeError):
        return None
    return Mended(out.getvalue(), declared if isinstance(declared, int) else 0, is_cut)


def _without_pages(document: pikepdf.Pdf) -> str:
    files = ", ".join(islice(document.attachments, _MOST_NAMED))
    return "a PDF without pages" + (f"; attached to it: {files}"[:LONGEST_FILE_NAME] if files else "")


def _straighten(document: pikepdf.Pdf) -> None:
    """Puts the pages in one list if their tree goes in circles or is none, which qpdf does not read."""
    from pikepdf import Array, Dictionary, Name  # noqa: PLC0415 (slow)

    seen: set[tuple[int, int]] = set()
    pages: list[Any] = []
    is_tree = True
    waiting: list[tuple[Any, dict[str, Any]]] = [(document.Root.Pages, {})]
    while waiting and len(seen) + len(pages) < _MOST_NODES:
        node, given = waiting.pop()
        if not isinstance(node, Dictionary):
            continue
        given = given | {name: node[name] for name in _INHERITED if name in node}
        kids = node.get("/Kids")
        if kids is None:
            pages.append((node, given))
            continue
        if node.objgen in seen and node.is_indirect:
            is_tree = False
            continue
        seen.add(node.objgen)
        is_tree = is_tree and isinstance(kids, Array)
        children = list(kids) if isinstance(kids, Array) else [kids]
        waiting += [(kid, given) for kid in reversed(children)]
    if is_tree or not pages:
        return
    tree = document.make_indirect(Dictionary(Type=Name.Pages, Count=len(pages)))
    for page, given in pages:
        page.update({**given, "/Parent": tree, "/Type": Name.Page})
    tree.Kids = Array([page for page, _ in pages])
    document.Root.Pages = tree


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
