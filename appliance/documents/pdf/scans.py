"""Pages of a PDF that are one picture: a scan, perhaps with the invisible words of an OCR program.

pdfium unpacks a scan in black and white to grey and scales that, which takes longer than all the rest of its
page.  So such a scan is decoded and placed here, in one step with the proof that it is complete.  One that is
askew, mirrored, clipped, in layers, or has a mask, is left to pdfium.
"""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass
from enum import Enum
from functools import partial
from itertools import islice

import pypdfium2
from pypdfium2 import raw

from appliance.documents.bilevel import _bilevel
from appliance.documents.bilevel.screen import look_at
from appliance.documents.drawing import LookedAt, Pixels, Rect
from appliance.documents.geometry import Layout
from appliance.documents.pdf.objects import (
    IDENTITY,
    MOST_OBJECTS,
    Matrix,
    colour_of,
    corners_of,
    is_jbig2,
    matrix_of,
    objects_of,
)
from appliance.documents.pdf.places import box_on_fax, is_whole_page
from appliance.documents.pdf.reading import PdfReading
from appliance.documents.pdf.streams import Bits

# A scan is among the first objects of its page, below the invisible text of an OCR program.
_SCAN_AMONG = 8
_GREY_SPACES = {raw.FPDF_COLORSPACE_DEVICEGRAY, raw.FPDF_COLORSPACE_CALGRAY}
_INVISIBLE = raw.FPDF_TEXTRENDERMODE_INVISIBLE
_BLACK = (0, 0, 0, 255)
_MIDDLE = 128  # between the two levels of a picture of one bit
# Up to one in so many pixels of a scan in black and white is toned only because it was scaled: between lines,
# in small type.  Where dots stand for tones, two square centimetres of them have more.
_FEWEST_TONED = 1000
_QUARTERS_TURNED = 3  # clockwise, of a page that the layout turns anticlockwise
# A side of a picture that is so much of a pixel beyond a pixel of the fax ends with it.
_ON_PIXEL = 1 / 64
# pdfium blurs a picture that is made larger than this in another way.
_MOST_ENLARGED = 2


class ScanLook(Enum):
    BLACK_AND_WHITE = "black and white"
    GREY = "grey"
    COLOURED = "coloured"


@dataclass(frozen=True, slots=True)
class Scan:
    """A picture that covers a whole page.  Except for a coloured one, nothing else is seen on the page."""

    look: ScanLook
    picture: object  # pdfium's handle

    def look_at(self, grey: Pixels, layout: Layout) -> LookedAt:
        """Examines the drawn page.  In black and white it is toned only where its dots stand for tones."""
        spared = layout.width * layout.rows // _FEWEST_TONED if self.look is ScanLook.BLACK_AND_WHITE else 0
        return look_at(grey, layout.width, layout.rows, layout.resolution.y_dpi, spared)


def scan_of(page: pypdfium2.PdfPage, layout: Layout) -> Scan | None:
    """The scan that a page consists of; None also for one of two colours, or if its picture is not among
    the first objects.
    """
    for handle, kind, outer, _ in islice(objects_of(page), _SCAN_AMONG):
        if kind != raw.FPDF_PAGEOBJ_IMAGE:
            continue
        box = box_on_fax(page, layout, corners_of(handle, outer))
        about = raw.FPDF_IMAGEOBJ_METADATA()
        if box is None or not is_whole_page(box, layout):
            continue
        if not raw.FPDFImageObj_GetImageMetadata(handle, page, about) or about.bits_per_pixel < 1:
            return None
        is_mask = about.colorspace == raw.FPDF_COLORSPACE_UNKNOWN and about.bits_per_pixel == 1
        is_grey = about.colorspace in _GREY_SPACES or (is_mask and colour_of(handle) == _BLACK)
        grey = is_grey and outer is IDENTITY and _is_alone(page)
        if about.bits_per_pixel == 1:
            return Scan(ScanLook.BLACK_AND_WHITE, handle) if grey else None
        return Scan(ScanLook.GREY if grey else ScanLook.COLOURED, handle)
    return None


def _is_alone(page: pypdfium2.PdfPage) -> bool:
    """Whether a page shows one object, besides invisible words."""
    if raw.FPDFPage_GetAnnotCount(page):
        return False
    shown = 0
    for number, (handle, kind, _, _) in enumerate(objects_of(page)):
        words = kind == raw.FPDF_PAGEOBJ_TEXT
        shown += not (
            words and raw.FPDFTextObj_GetTextRenderMode(handle) == raw.FPDF_TEXTRENDERMODE_INVISIBLE
        )
        if shown > 1 or number >= MOST_OBJECTS:
            return False
    return True


def drawn_black_and_white(
    page: pypdfium2.PdfPage, index: int, layout: Layout, scan: Scan, reading: PdfReading
) -> Pixels | None:
    """The page ``index`` of a scan in black and white, in grey; None for one that is left to pdfium."""
    quarters = (page.get_rotation() // 90 + (_QUARTERS_TURNED if layout.turned else 0)) % 4
    place = _place(page, layout, matrix_of(scan.picture), quarters)
    if place is None or raw.FPDFPageObj_HasTransparency(scan.picture) or _is_clipped(scan.picture):
        return None
    by_pdfium = partial(_bits_by_pdfium, page, scan.picture) if is_jbig2(scan.picture) else None
    bits = reading.black_and_white(index, _coded(scan.picture), by_pdfium)
    if bits is None or (bits.is_mask and colour_of(scan.picture) != _BLACK):
        return None
    if quarters:
        bits = _turned(bits, quarters)
    across, down = place.right - place.left, place.below - place.top
    if across > _MOST_ENLARGED * bits.width or down > _MOST_ENLARGED * bits.rows:
        return None
    content = Rect.of(layout)
    within = (
        max(place.left, content.left),
        max(place.top, content.top),
        min(place.right, content.right),
        min(place.below, content.below),
    )
    box = (place.left, place.top, place.right, place.below)
    size = (layout.width, layout.rows)
    grey = _bilevel.place(bits.octets, bits.width, bits.rows, bits.is_paper, *size, box, within)
    return Pixels(grey, 1, layout.width)


def _bits_by_pdfium(page: pypdfium2.PdfPage, picture: object) -> Bits | None:
    """A picture of two levels as pdfium decodes it; None for a mask, or where it cannot be read."""
    about = raw.FPDF_IMAGEOBJ_METADATA()
    raw.FPDFImageObj_GetImageMetadata(picture, page, about)
    bitmap = raw.FPDFImageObj_GetBitmap(picture) if about.colorspace in _GREY_SPACES else None
    if not bitmap:
        return None
    try:
        if raw.FPDFBitmap_GetFormat(bitmap) != raw.FPDFBitmap_Gray:
            return None
        size = raw.FPDFBitmap_GetWidth(bitmap), raw.FPDFBitmap_GetHeight(bitmap)
        stride = raw.FPDFBitmap_GetStride(bitmap)
        levels = ctypes.cast(
            raw.FPDFBitmap_GetBuffer(bitmap), ctypes.POINTER(ctypes.c_ubyte * (stride * size[1]))
        )
        octets = _bilevel.threshold(levels.contents, stride, *size, _MIDDLE)
    finally:
        raw.FPDFBitmap_Destroy(bitmap)
    return Bits(*size, octets, is_paper=False, is_mask=False)


def _turned(bits: Bits, quarters: int) -> Bits:
    octets = _bilevel.turn(bits.octets, bits.width, bits.rows, bits.is_paper, quarters)
    width, rows = (bits.rows, bits.width) if quarters % 2 else (bits.width, bits.rows)
    return Bits(width, rows, octets, is_paper=False, is_mask=bits.is_mask)


def _place(page: pypdfium2.PdfPage, layout: Layout, matrix: Matrix, quarters: int) -> Rect | None:
    """The pixels of the fax page that a picture covers which is upright on its page, as pdfium rounds them;
    None for others.  The page is turned by ``quarters`` clockwise.
    """
    if matrix.b or matrix.c or matrix.a <= 0 or matrix.d <= 0:
        return None
    if not all(map(math.isfinite, (matrix.a, matrix.d, matrix.e, matrix.f))):
        return None
    left, low, right, high = page.get_bbox()
    # Shares of the page, from its left and from its top, upright and then turned.
    begins, ends = (matrix.e - left) / (right - left), (matrix.e + matrix.a - left) / (right - left)
    top, below = (high - matrix.f - matrix.d) / (high - low), (high - matrix.f) / (high - low)
    for _ in range(quarters):
        begins, top, ends, below = 1 - below, begins, 1 - top, ends
    return Rect(
        math.floor(layout.left + begins * layout.box_width + _ON_PIXEL),
        math.floor(layout.top + top * layout.box_rows + _ON_PIXEL),
        math.ceil(layout.left + ends * layout.box_width - _ON_PIXEL),
        math.ceil(layout.top + below * layout.box_rows - _ON_PIXEL),
    )


def _is_clipped(handle: object) -> bool:
    clip = raw.FPDFPageObj_GetClipPath(handle)
    return bool(clip) and raw.FPDFClipPath_CountPaths(clip) > 0


def _coded(handle: object) -> bytes:
    """The octets of a picture as they are in the file."""
    octets = ctypes.create_string_buffer(raw.FPDFImageObj_GetImageDataRaw(handle, None, 0))
    raw.FPDFImageObj_GetImageDataRaw(handle, octets, len(octets))
    return octets.raw
