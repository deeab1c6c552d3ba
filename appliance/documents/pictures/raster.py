"""Printer rasters as pages: PWG raster (PWG 5102.4) and URF, as driverless clients send them.

Lines are packed: a repeat count, then runs of pixels.  Runs inside the worker process only.
Each line becomes grey as it is unpacked, so that a page in colour at 600 dpi needs one octet a pixel.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from appliance.documents import causes
from appliance.documents.drawing import Bitmap, Drawing, Rect
from appliance.documents.errors import DocumentError
from appliance.documents.first_octets import PWG, URF
from appliance.documents.geometry import MM_PER_INCH, Layout, PageSize
from appliance.documents.options import Limits
from appliance.documents.pictures.modes import STRIP_PIXELS
from appliance.documents.placing import place
from appliance.remarks import Remark

# Octets of a page header, and the offsets of the fields used in PWG's (PWG 5102.4 table 1).
_PWG_HEAD, _URF_HEAD = 1796, 32
_PWG_RESOLUTION, _PWG_SIZE, _PWG_COLOUR = 276, 372, 384
# The first octet of a run: up to this, a pixel is repeated; this, the rest of the line is blank; above it,
# literal pixels follow.
_MOST_REPEATS, _REST_BLANK = 127, 128
# Limits of a page: dots per inch, and pixels of the longest side.
_LEAST_DPI, _MOST_DPI = 50, 2400
_LONGEST_SIDE = 65_535


@dataclass(frozen=True, slots=True)
class _Colour:
    """How a pixel is stored.  ``mode``: Pillow's raw mode to make it grey; ``blank``: an octet of white."""

    bits: int
    mode: str
    inverted: bool = False  # 0 is white

    @property
    def blank(self) -> int:
        return 0 if self.inverted else 0xFF


# (colour space, bits of a pixel) → its format: PWG 5102.4 4.3.2.1 (cupsColorSpace), and URF's numbers.
_PWG_COLOURS = {
    (3, 1): _Colour(1, "1", inverted=True),  # black_1
    (3, 8): _Colour(8, "L", inverted=True),  # black_8
    (18, 1): _Colour(1, "1"),  # sgray_1
    (18, 8): _Colour(8, "L"),  # sgray_8
    (0, 8): _Colour(8, "L"),
    (19, 24): _Colour(24, "RGB"),  # srgb_8
    (20, 24): _Colour(24, "RGB"),  # adobe-rgb_8
    (1, 24): _Colour(24, "RGB"),
    (6, 32): _Colour(32, "CMYK", inverted=True),  # cmyk_8
}
_URF_COLOURS = {
    (0, 8): _Colour(8, "L"),
    (4, 8): _Colour(8, "L"),
    (1, 24): _Colour(24, "RGB"),
    (3, 24): _Colour(24, "RGB"),
    (5, 24): _Colour(24, "RGB"),
    (6, 32): _Colour(32, "CMYK", inverted=True),
}


@dataclass(frozen=True, slots=True)
class _Page:
    """Where a page's lines begin in the file, and their format."""

    start: int
    width: int
    rows: int
    line_octets: int
    across: int  # dpi
    down: int
    colour: _Colour


class RasterSource:
    """A raster with all its pages."""

    def __init__(self, content: bytes, limits: Limits) -> None:
        self._content = content
        self._limits = limits
        self._urf = content.startswith(URF)
        self._pages: list[_Page] = []
        place = self._first()
        while place < len(content):
            if len(self._pages) >= limits.pages:
                raise DocumentError(causes.DOCUMENT_TOO_MANY_PAGES, f"more than {limits.pages}")
            page = self._head(place)
            self._pages.append(page)
            place = _skip(content, page)
        self._require_count()
        self.count = len(self._pages)

    def _first(self) -> int:
        if not self._urf:
            return len(PWG)
        return len(URF) + 4  # the number of pages

    def _require_count(self) -> None:
        if not self._pages:
            raise DocumentError(causes.DOCUMENT_EMPTY, "no page")
        if self._urf:
            (told,) = struct.unpack_from(">I", self._content, len(URF))
            # 0: the writer did not know the number yet.
            if told not in (0, len(self._pages)):
                raise DocumentError(causes.DOCUMENT_DAMAGED, f"{len(self._pages)} of {told} pages")

    def _head(self, at: int) -> _Page:
        """Reads the page header at ``at``.  Raises DocumentError."""
        octets = _URF_HEAD if self._urf else _PWG_HEAD
        if len(self._content) - at < octets:
            raise DocumentError(causes.DOCUMENT_DAMAGED, "it ends in a page's head")
        if self._urf:
            bits, space = self._content[at], self._content[at + 1]
            width, rows, across = struct.unpack_from(">III", self._content, at + 12)
            down, colour = across, _URF_COLOURS.get((space, bits))
            line_octets = width * bits // 8
        else:
            across, down = struct.unpack_from(">II", self._content, at + _PWG_RESOLUTION)
            width, rows = struct.unpack_from(">II", self._content, at + _PWG_SIZE)
            _, bits, line_octets, order, space = struct.unpack_from(">5I", self._content, at + _PWG_COLOUR)
            colour = _PWG_COLOURS.get((space, bits)) if order == 0 else None
        if colour is None:
            raise DocumentError(causes.DOCUMENT_DAMAGED, f"colours of kind {space} with {bits} bits")
        if not (0 < width <= _LONGEST_SIDE and 0 < rows <= _LONGEST_SIDE):
            raise DocumentError(causes.DOCUMENT_TOO_LARGE, f"{width} x {rows} pixels")
        if width * rows > self._limits.image_pixels:
            raise DocumentError(causes.DOCUMENT_TOO_LARGE, f"{width} x {rows} pixels")
        if not (_LEAST_DPI <= across <= _MOST_DPI and _LEAST_DPI <= down <= _MOST_DPI):
            raise DocumentError(causes.DOCUMENT_DAMAGED, f"{across} x {down} dpi")
        if line_octets != (width * bits + 7) // 8:
            raise DocumentError(causes.DOCUMENT_DAMAGED, f"{line_octets} octets a line")
        return _Page(at + octets, width, rows, line_octets, across, down, colour)

    def size(self, index: int) -> PageSize:
        page = self._pages[index]
        return PageSize(page.width / page.across * MM_PER_INCH, page.rows / page.down * MM_PER_INCH)

    def draw(self, index: int, layout: Layout) -> Drawing | Bitmap:
        shown = self.image(index)
        if layout.turned:
            shown = shown.transpose(Image.Transpose.ROTATE_90)
        return Drawing.of_image(place(shown, layout), Rect.of(layout))

    def image(self, index: int) -> Image.Image:
        """Page ``index`` in grey."""
        page = self._pages[index]
        shown = Image.new("L", (page.width, page.rows))
        first, strip = 0, bytearray()
        for line, repeated in _lines(self._content, page):
            strip += _grey(line, page) * repeated
            if len(strip) >= STRIP_PIXELS:
                first += _paste(shown, first, strip)
                strip.clear()
        _paste(shown, first, strip)
        return shown

    def remarks(self, index: int | None) -> Sequence[Remark]:
        return ()


def _paste(page: Image.Image, first: int, octets: bytearray) -> int:
    """Puts rows of grey into ``page`` from row ``first`` on; returns how many."""
    rows = len(octets) // page.width
    if rows:
        page.paste(Image.frombytes("L", (page.width, rows), bytes(octets)), (0, first))
    return rows


def _grey(line: bytes, page: _Page) -> bytes:
    """A line as grey, one octet a pixel, 0 black."""
    colour, size = page.colour, (page.width, 1)
    if colour.mode == "1":
        return (
            Image.frombytes("1", size, line, "raw", "1;I" if colour.inverted else "1").convert("L").tobytes()
        )
    if colour.mode == "L":
        return line.translate(_NEGATIVE) if colour.inverted else line
    return Image.frombytes(colour.mode, size, line).convert("L").tobytes()


_NEGATIVE = bytes(range(255, -1, -1))


def _lines(content: bytes, page: _Page) -> Iterator[tuple[bytes, int]]:
    """The different lines of a page, each with its number of repetitions.  Raises DocumentError."""
    pixel = max(1, page.colour.bits // 8)  # the unit of runs: a pixel, or an octet with eight of them
    blank = bytes([page.colour.blank])
    at, rows = page.start, page.rows
    try:
        while rows:
            repeated = content[at] + 1
            if repeated > rows:
                raise DocumentError(causes.DOCUMENT_DAMAGED, "more lines than the page has")
            line, at = _unpacked(content, at + 1, page.line_octets, pixel, blank)
            rows -= repeated
            yield line, repeated
    except IndexError:
        raise DocumentError(causes.DOCUMENT_DAMAGED, "it ends in a page") from None


def _unpacked(content: bytes, at: int, length: int, pixel: int, blank: bytes) -> tuple[bytes, int]:
    """The line at ``at``, and where the next begins.  Raises IndexError at the end, DocumentError."""
    line = bytearray()
    while len(line) < length:
        code = content[at]
        at += 1
        if code <= _MOST_REPEATS:
            octets = content[at : at + pixel]
            at += pixel
            line += octets * (code + 1)
        elif code == _REST_BLANK:
            line += blank * (length - len(line))
        else:
            count = (257 - code) * pixel
            octets = content[at : at + count]
            at += count
            line += octets
        if at > len(content):
            raise IndexError
    if len(line) != length:
        raise DocumentError(causes.DOCUMENT_DAMAGED, "a line is longer than the page is wide")
    return bytes(line), at


def _skip(content: bytes, page: _Page) -> int:
    """Where the page's last line ends.  Raises DocumentError when the page is not complete."""
    pixel, length = max(1, page.colour.bits // 8), page.line_octets
    at, rows = page.start, page.rows
    try:
        while rows > 0:
            rows -= content[at] + 1
            at += 1
            have = 0
            while have < length:
                code = content[at]
                if code <= _MOST_REPEATS:
                    have += (code + 1) * pixel
                    at += 1 + pixel
                elif code == _REST_BLANK:
                    have = length
                    at += 1
                else:
                    have += (257 - code) * pixel
                    at += 1 + (257 - code) * pixel
            if have != length:
                raise DocumentError(causes.DOCUMENT_DAMAGED, "a line is longer than the page is wide")
    except IndexError:
        raise DocumentError(causes.DOCUMENT_DAMAGED, "it ends in a page") from None
    if rows < 0:
        raise DocumentError(causes.DOCUMENT_DAMAGED, "more lines than the page has")
    if at > len(content):
        raise DocumentError(causes.DOCUMENT_DAMAGED, "it ends in a page")
    return at
