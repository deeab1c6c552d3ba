"""Draws one page of a PDF through pdfium: in grey, in colour, and without its type, as far as it is needed.

A page in black and white is drawn once, in grey.  One that shows tones is drawn in colour, and its type is
hidden and drawn over again, so that the conversion knows what is type.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pypdfium2
from pypdfium2 import raw

from appliance.documents import _memory
from appliance.documents.bilevel.pale import strengthened_scan
from appliance.documents.bilevel.screen import BAND_PIXELS, look_at, planes_of
from appliance.documents.drawing import Drawing, LookedAt, Pixels, Rect
from appliance.documents.geometry import Layout
from appliance.documents.pdf.objects import Objects, PageContent, content_of, show, shows_tones
from appliance.documents.pdf.places import box_of, has_picture_beside, lines_of_type, photographs, together
from appliance.documents.pdf.scans import Scan, ScanLook

# Draws annotations and layers as they are printed (ISO 32000-1 12.5.3, 8.11.4.4).
_FLAGS = raw.FPDF_ANNOT | raw.FPDF_PRINTING
_WHITE = 255  # each octet of a pixel

# pdfium's pixel format for each use of a drawing.
_FORMS = {"grey": raw.FPDFBitmap_Gray, "page": raw.FPDFBitmap_BGRx, "under": raw.FPDFBitmap_BGRx}
_CHANNELS = {"grey": 1, "page": 4, "under": 4}
# The pixels of each use, shared by all documents of the fax: one page is drawn at a time.
# A new bytearray takes memory only as far as it is used.
_PIXELS: dict[str, bytearray] = {}

# Pixels of the largest page that is drawn in grey first to see whether that is enough.
_MOST_GREY_PIXELS = 4 * BAND_PIXELS


class DrawnPage:
    """A page that is prepared for drawing and has ``objects``, on a layout.  Raises MemoryError wherever it
    draws.
    """

    def __init__(self, page: pypdfium2.PdfPage, layout: Layout, objects: Objects) -> None:
        self._page, self._objects = page, objects
        self._layout = layout
        self._width, self._rows = layout.width, layout.rows
        self._coloured: Pixels | None = None  # all of it, once drawn
        self._planes: tuple[memoryview, memoryview] | None = None  # of that
        self._beside_pictures = False  # type is: pdfium draws other pixels of a picture when it draws a part
        self._given = 0  # rows of these up to this one were given to a conversion, which overwrites them

    def of_scan(self, scan: Scan, plain: Pixels | None) -> Drawing:
        """A page that is one picture.  ``plain``: all of it in grey, if it was decoded without pdfium."""
        whole = self._in_colour() if scan.look is ScanLook.COLOURED else plain or self._whole("grey")
        seen = scan.look_at(whole, self._layout)
        if not seen.toned:
            return self._as_drawn(whole, seen)
        if seen.tones and scan.look is not ScanLook.BLACK_AND_WHITE:
            stronger = strengthened_scan((self._width, self._rows), whole, self._coloured)
            if stronger is not None:
                return Drawing.of_image(stronger, Rect.of(self._layout))
        if seen.tones and scan.look is not ScanLook.COLOURED:
            return self._as_drawn(whole)
        return self._in_tones(seen, is_scan=True)

    def of_objects(self) -> Drawing:
        """A page of type, lines and pictures."""
        if self._width * self._rows > _MOST_GREY_PIXELS:
            return self._in_tones(None)
        at_once = self._width * self._rows <= BAND_PIXELS and shows_tones(self._objects)
        whole = self._in_colour() if at_once else self._whole("grey")
        seen = look_at(whole, self._width, self._rows, self._layout.resolution.y_dpi)
        return self._in_tones(seen) if seen.toned else self._as_drawn(whole, seen)

    def _whole(self, use: str) -> Pixels:
        return self._drawn(use, 0, self._rows)

    def _in_colour(self) -> Pixels:
        """Draws all of the page in colour; returns it in grey."""
        self._coloured = self._whole("page")
        self._planes = planes_of(self._coloured.page, self._coloured.stride, self._width, self._rows)
        return Pixels(self._planes[0], 1, self._width)

    def _as_drawn(self, whole: Pixels, seen: LookedAt | None = None) -> Drawing:
        content = Rect.of(self._layout)
        return Drawing(self._width, self._rows, content, lambda _first, _count: whole, looked_at=seen)

    def _in_tones(self, seen: LookedAt | None, *, is_scan: bool = False) -> Drawing:
        """The page with what is known of its type and photographs.  ``seen``: what is known of it in grey."""
        content = content_of(self._objects)
        boxes = photographs(self._page, self._layout, content)
        if boxes is None and seen is not None:
            if not seen.tones:  # a scan in black and white: its black areas are left as they are
                return self._as_drawn(seen.grey, LookedAt(seen.grey, (), tones=False))
            seen = None  # any other scan is examined as a whole
        if self._width * self._rows > BAND_PIXELS:
            seen = None
            _PIXELS.pop("grey", None)
        lines: list[Rect] = []
        if content is not None and content.type:
            # With a scan, whether type is visible is found from all its pixels.
            whole_page = [Rect(0, 0, self._width, self._rows)]
            lines = whole_page if is_scan else lines_of_type(self._page, self._layout, content)
            self._beside_pictures = has_picture_beside(self._page, self._layout, content, lines)
        draw = partial(self._rows_in_colour, content, lines, is_scan)
        return Drawing(self._width, self._rows, Rect.of(self._layout), draw, boxes, seen)

    def _rows_in_colour(
        self,
        content: PageContent | None,
        lines: Sequence[Rect],
        is_scan: bool,
        first: int,
        count: int,
    ) -> Pixels:
        """``count`` rows from ``first`` on, also without their type where ``content`` tells what that is."""
        pixels = self._coloured or self._drawn("page", first, count)
        octets, stride, planes = pixels.page, pixels.stride, self._rows_of_planes(first, count)
        if self._coloured is not None:
            octets = memoryview(octets)[stride * first : stride * (first + count)]
        if content is None or not content.type:
            return Pixels(octets, 4, stride, planes=planes)
        show(content.type, False)
        lines = [
            replace(each, top=max(each.top - first, 0), below=min(each.below - first, count))
            for each in lines
            if first < each.below and each.top < first + count
        ]
        under = self._without_type(first, count, lines)
        show(content.type, True)
        if is_scan and under == octets:
            return Pixels(octets, 4, stride, planes=planes)  # invisible text of an OCR program
        return Pixels(octets, 4, stride, under, lines, planes)

    def _rows_of_planes(self, first: int, count: int) -> tuple[memoryview, memoryview] | None:
        """``count`` rows of both planes from ``first`` on, if there are any: a copy where rows of them were
        given before, as those around two parts of the page may be the same.
        """
        if self._planes is None:
            return None
        tone, kind = (plane[self._width * first : self._width * (first + count)] for plane in self._planes)
        if first < self._given:
            tone, kind = memoryview(bytearray(tone)), memoryview(bytearray(kind))
        self._given = max(self._given, first + count)
        return tone, kind

    def _drawn(self, use: str, first: int, rows: int) -> Pixels:
        """Rows ``first`` and following of the page, in pixels that the next such drawing overwrites."""
        pixels = _pixels(self._layout, use, first, rows)
        self._draw_on(pixels, use, Rect(0, first, self._width, first + rows))
        return Pixels(pixels, _CHANNELS[use], self._width * _CHANNELS[use])

    def _without_type(self, first: int, rows: int, lines: Sequence[Rect]) -> memoryview:
        """``rows`` rows from ``first`` on without the type of the page, which is hidden, where there are
        ``lines`` of it, which are counted from there.
        """
        use = "under"
        pixels = _pixels(self._layout, use, first, rows)
        stride = len(pixels) // rows
        boxes = together(lines)
        if boxes and self._beside_pictures:
            boxes = [Rect(0, 0, self._width, rows)]
        for box in boxes:
            part = pixels[stride * box.top : stride * box.below]
            self._draw_on(part, use, replace(box, top=first + box.top, below=first + box.below))
        return pixels

    def _draw_on(self, pixels: memoryview, use: str, box: Rect) -> None:
        """Draws what ``box`` shows on ``pixels``, its whole rows; it begins at the left edge of the page."""
        size, stride = (box.right, box.below - box.top), self._width * _CHANNELS[use]
        start = ctypes.addressof(ctypes.c_ubyte.from_buffer(pixels))
        bitmap = raw.FPDFBitmap_CreateEx(*size, _FORMS[use], start, stride)
        if not bitmap:
            raise MemoryError("a page of a PDF")
        try:
            ctypes.memset(start, _WHITE, len(pixels))  # quicker than pdfium, although also beside the box
            place = box_of(self._layout, box.top)
            _memory.forget()
            raw.FPDF_RenderPageBitmap(bitmap, self._page, *place, _FLAGS)
            if self._page.formenv is not None:
                raw.FPDF_FFLDraw(self._page.formenv, bitmap, self._page, *place, _FLAGS)
            if _memory.was_refused():  # pdfium leaves out what it gets no memory for
                raise MemoryError("a page of a PDF")
        finally:
            raw.FPDFBitmap_Destroy(bitmap)


def free_pixels() -> None:
    """Frees the pixels of the last page, which otherwise stay for the next one."""
    _PIXELS.clear()


def _pixels(layout: Layout, use: str, first: int, rows: int) -> memoryview:
    """The pixels of rows ``first`` and following for ``use``, as they are.

    A page of up to BAND_PIXELS has room for all of its rows.
    """
    whole = layout.width * layout.rows <= BAND_PIXELS
    stride = layout.width * _CHANNELS[use]
    octets = stride * (layout.rows if whole else rows)
    if len(_PIXELS.get(use, b"")) != octets:
        _PIXELS.pop(use, None)
        _PIXELS[use] = bytearray(octets)
    begin = stride * first if whole else 0
    return memoryview(_PIXELS[use])[begin : begin + stride * rows]
