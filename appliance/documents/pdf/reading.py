"""Finds unreadable parts of a PDF's pages: instructions and pictures that are damaged, truncated or missing.

pdfium draws what it can and does not report the rest.  So qpdf follows what each page uses (ISO 32000-1 7.8):
its content, the forms, patterns and pictures that this names, and so on.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.documents.pdf.enclosures import appearances, attached_files, files_on, lost_fields, lost_marks
from appliance.documents.pdf.parts import inline_pictures, is_drawable, is_font_whole, lacks_drawings
from appliance.documents.pdf.streams import (
    IRREGULAR,
    Bits,
    Damage,
    bits_of,
    ends_in_mid_word,
    is_whole_picture,
    plain,
    streams_of,
)
from appliance.documents.pdf.units import texts_with
from appliance.remarks import (
    ATTACHMENT_LEFT_OUT,
    CONTENT_DAMAGED,
    LONGEST_FILE_NAME,
    MARK_LOST,
    PICTURE_LOST,
    Remark,
)

if TYPE_CHECKING:
    import pikepdf

# Octets of the largest document that is examined.
LARGEST = 60 << 20
# Of one page: streams that are examined, octets of content that are read, and forms within forms.
_MOST_STREAMS, _MOST_OCTETS, _DEEPEST = 2_000, 64 << 20, 12

# Names of resources, and the operators that use them (ISO 32000-1 annex A).
_USE = re.compile(rb"/([^\s/<>\[\](){}%]{1,127})\s+(Do|scn|SCN|gs|sh|[-+.\d]{1,20}\s+Tf)(?![\w*'\"])")
_KIND_OF = {b"Do": "/XObject", b"scn": "/Pattern", b"SCN": "/Pattern", b"gs": "/ExtGState", b"sh": "/Shading"}
_CODED = re.compile(rb"#([0-9A-Fa-f]{2})")
# A page's content, as its dictionary in the file names it (7.7.3.3).
_CONTENTS = re.compile(rb"/Contents\s*\[?\s*(\d{1,8})\s+(\d{1,5})\s+R")


@dataclass(frozen=True, slots=True)
class Unread:
    """The unreadable parts of one page: whether instructions are missing, and the number of pictures."""

    content: bool = False
    pictures: int = 0


class PdfReading:
    """Examines the pages of ``content``; none if qpdf cannot open it or counts a different number of
    pages.
    """

    def __init__(self, content: bytes | str, octets: int, pages: int) -> None:
        """``content``: the document, or the file that it is in; ``octets`` and ``pages``: its size and
        number of pages.
        """
        self._content = content
        self._small = octets <= LARGEST
        self._count = pages
        self._document: pikepdf.Pdf | None = None
        self._tried = False
        self._listed = 0
        self._known: dict[tuple[int, int], tuple[bool, int]] = {}  # findings in an object and below it
        self._pointing: bool | None = None  # see ``_points_to_nothing``
        self._left = self._octets = 0
        self._scanned: tuple[int, Bits | None] | None = None  # the page last asked for, and its picture

    def _octets_of_it(self) -> bytes:
        return Path(self._content).read_bytes() if isinstance(self._content, str) else self._content

    def document(self) -> pikepdf.Pdf | None:
        """The document as qpdf reads it; None when it cannot."""
        import pikepdf  # noqa: PLC0415 (slow)

        if not self._tried and self._small:
            self._tried = True
            try:
                content = self._content if isinstance(self._content, str) else io.BytesIO(self._content)
                document = pikepdf.open(content, suppress_warnings=True)
                self._listed = len(document.pages)
                if self._listed == self._count:
                    self._document = document
            except (pikepdf.PdfError, pikepdf.PasswordError, ValueError, RuntimeError, TypeError):
                pass
        return self._document

    def pages_listed(self) -> int:
        """The number of pages that qpdf finds; 0 when it cannot open the document."""
        self.document()
        return self._listed

    def enclosed(self) -> list[Remark]:
        """A remark for each file that is attached to the document and not to one of its pages."""
        document = self.document()
        files = attached_files(document) if document is not None else []
        return list(map(_attachment, files))

    def remarks(self, index: int, pictures: int) -> list[Remark]:
        """Remarks on page ``index``; ``pictures``: how many of them pdfium cannot decode."""
        unread = self.unread(index)
        said = [Remark(CONTENT_DAMAGED)] if unread.content else []
        lost = max(pictures, unread.pictures)
        if lost:
            said.append(Remark(PICTURE_LOST, detail=f"{lost} on the page"))
        document = self.document()
        if document is not None:
            page = document.pages[index].obj
            said += map(_attachment, sorted(set(files_on(page))))
            lost_of_it = {*lost_fields(document, page), *lost_marks(page)}
            said += [Remark(MARK_LOST, detail=name) for name in sorted(lost_of_it)]
        return said

    def black_and_white(
        self, index: int, coded: bytes, by_pdfium: Callable[[], Bits | None] | None
    ) -> Bits | None:
        """The picture of page ``index`` that is ``coded`` so in the file, if ``bits_of`` can read it, or
        ``by_pdfium``, which does not know which of its levels is black if the file says so (Decode).

        What is read is complete, and is not examined again.
        """
        if self._scanned is None or self._scanned[0] != index:
            self._scanned = (index, self._decoded(index, coded, by_pdfium))
        return self._scanned[1]

    def _decoded(self, index: int, coded: bytes, by_pdfium: Callable[[], Bits | None] | None) -> Bits | None:
        document = self.document()
        if document is None:
            return None
        try:
            there = document.pages[index].obj["/Resources"]["/XObject"]
            same = [each for _, each in there.items() if _is_coded(each, coded)]
            if len(same) != 1:
                return None
            if by_pdfium is not None:
                return by_pdfium() if "/Decode" not in same[0] else None
            bits = bits_of(same[0])
        except IRREGULAR:
            return None
        if bits is not None:
            self._known[same[0].objgen] = (False, 0)
        return bits

    def unread(self, index: int) -> Unread:
        """The unreadable parts of page ``index``."""
        document = self.document()
        if document is None:
            return Unread()
        self._left, self._octets = _MOST_STREAMS, _MOST_OCTETS
        try:
            page = document.pages[index]
            content, pictures = self._content_of(page.obj, page.get("/Resources"))
            for appearance in appearances(page.obj):
                damaged, lost = self._form(appearance, None, 0)
                content, pictures = content or damaged, pictures + lost
        except IRREGULAR:
            return Unread()  # left to pdfium
        return Unread(content, pictures)

    def _content_of(self, page: Any, resources: Any) -> tuple[bool, int]:
        contents = page.get("/Contents")
        if contents is None:
            return self._points_to_nothing(), 0
        pieces = []
        damaged = False
        for stream in streams_of(contents):
            octets = self._read(stream)
            damaged = damaged or octets is None or octets.damaged
            pieces.append(b"" if octets is None else octets.plain)
        whole = b"\n".join(pieces)
        used, lost = self._used(whole, resources, 0)
        return damaged or used or ends_in_mid_word(whole), lost + self._lost_inline(whole)

    def _lost_inline(self, content: bytes) -> int:
        """The number of damaged inline pictures of a page."""
        import pikepdf  # noqa: PLC0415 (slow)

        assert self._document is not None
        try:
            return sum(not is_whole_picture(each) for each in inline_pictures(self._document, content))
        except (*IRREGULAR, pikepdf.PdfError):
            return 1  # unknown content

    def _points_to_nothing(self) -> bool:
        """Whether a page names a content that is not in the file; qpdf shows such a page as empty."""
        document = self._document
        if self._pointing is None and document is not None:
            self._pointing = any(
                document.get_object((int(number), int(generation))) is None
                for text in texts_with(self._octets_of_it(), b"/Contents")
                for number, generation in _CONTENTS.findall(text)
            )
        return bool(self._pointing)

    def _read(self, stream: Any) -> Damage | None:
        """A stream of instructions; None for anything else."""
        if stream is None or stream._type_name != "stream":
            return None
        found = plain(stream, max(self._octets, 0))
        self._octets -= len(found.plain)
        return found

    def _used(self, content: bytes, resources: Any, depth: int) -> tuple[bool, int]:
        """The unreadable parts among the resources that ``content`` uses."""
        damaged, lost = False, 0
        drawn: dict[str, Any] = {}  # fonts of Type 3
        for name, operator in sorted(set(_USE.findall(content[:_MOST_OCTETS]))):
            kind = _KIND_OF.get(operator, "/Font")
            there = resources.get(kind) if resources is not None else None
            key = "/" + _CODED.sub(lambda m: bytes([int(m[1], 16)]), name).decode("utf-8", "surrogateescape")
            thing = there.get(key) if there is not None else None
            found = self._thing(kind, thing, resources, depth + 1)
            damaged, lost = damaged or found[0], lost + found[1]
            if kind == "/Font" and thing is not None and str(thing.get("/Subtype")) == "/Type3":
                drawn[key] = thing
        return damaged or self._lacks_drawings(content, drawn), lost

    def _lacks_drawings(self, content: bytes, fonts: dict[str, Any]) -> bool:
        import pikepdf  # noqa: PLC0415 (slow)

        assert self._document is not None
        try:
            return lacks_drawings(self._document, content, fonts)
        except (*IRREGULAR, pikepdf.PdfError):
            return False  # the letters that are shown are unknown

    def _thing(self, kind: str, thing: Any, resources: Any, depth: int) -> tuple[bool, int]:
        if depth > _DEEPEST or self._left <= 0:
            return False, 0
        key = thing.objgen if thing is not None and hasattr(thing, "objgen") else (0, 0)
        if key[0] and key in self._known:
            return self._known[key]
        self._left -= 1
        self._known[key] = (False, 0)  # in case it uses itself
        self._known[key] = found = self._looked_at(kind, thing, resources, depth)
        return found

    def _looked_at(self, kind: str, thing: Any, resources: Any, depth: int) -> tuple[bool, int]:
        is_stream = thing is not None and thing._type_name == "stream"
        match kind:
            case "/XObject" if not is_stream:
                return False, 1
            case "/XObject" if str(thing.get("/Subtype")) == "/Image":
                return False, int(not is_whole_picture(thing))
            case "/XObject":
                return self._form(thing, resources, depth)
            case "/Shading":
                return thing is None or not is_drawable(thing), 0
            case "/Pattern" if is_stream:
                without_step = not (thing.get("/XStep") and thing.get("/YStep"))
                damaged, lost = self._form(thing, resources, depth)
                return damaged or without_step, lost
            case "/Pattern":
                shading = thing.get("/Shading") if thing is not None else None
                return shading is None or not is_drawable(shading), 0
            case "/ExtGState" if thing is not None:
                mask = thing.get("/SMask")
                if mask is not None and mask._type_name == "dictionary" and mask.get("/G") is not None:
                    return self._form(mask.get("/G"), resources, depth)
            case "/Font" if thing is not None and str(thing.get("/Subtype")) == "/Type3":
                return self._glyphs(thing, resources, depth)
            case "/Font" if thing is not None and thing._type_name == "dictionary":
                return not is_font_whole(thing), 0
        return False, 0

    def _form(self, form: Any, resources: Any, depth: int) -> tuple[bool, int]:
        octets = self._read(form)
        if octets is None:
            return True, 0
        own = form.get("/Resources")
        used, lost = self._used(octets.plain, resources if own is None else own, depth)
        return octets.damaged or used, lost

    def _glyphs(self, font: Any, resources: Any, depth: int) -> tuple[bool, int]:
        own = font.get("/Resources")
        damaged, lost = not font.get("/CharProcs"), 0
        for glyph in (font.get("/CharProcs") or {}).values():
            self._left -= 1
            octets = self._read(glyph) if self._left > 0 else None
            if octets is not None:
                used = self._used(octets.plain, resources if own is None else own, depth)
                damaged, lost = damaged or octets.damaged or used[0], lost + used[1]
        return damaged, lost


def _is_coded(thing: Any, coded: bytes) -> bool:
    """Whether this is a picture whose octets in the file are ``coded``."""
    if thing._type_name != "stream" or str(thing.get("/Subtype")) != "/Image":
        return False
    return int(thing.get("/Length", len(coded))) == len(coded) and thing.read_raw_bytes() == coded


def _attachment(name: str) -> Remark:
    return Remark(ATTACHMENT_LEFT_OUT, file=name[:LONGEST_FILE_NAME])
