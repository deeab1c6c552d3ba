"""Peculiarities of TIFF: several pages with previews between them, fax codings, odd resolutions."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import BinaryIO

from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from appliance.documents.geometry import PIXELS_PER_MM, ROWS_PER_MM
from appliance.t4 import tiff_tags as tags
from appliance.t4.bits import reverse_bits
from appliance.t4.page import SCAN_LINE_PIXELS, PaperWidth, Resolution
from appliance.t4.tiff_reading import FaxTiff, TiffDataError, TiffError

_CENTIMETRES_PER_INCH = 2.54

# TIFF 6.0, NewSubfileType: a preview of another page, or the mask of another picture.
_NO_PAGE = tags.SUBFILE_REDUCED | tags.SUBFILE_MASK

# A black and white page as wide as a scan line and without a resolution is a fax page: it gets the coarsest
# resolution at which it is not much longer than the paper of that width (mm, and how much longer).
_PAPER_MM = {PaperWidth.A4: 297.0, PaperWidth.B4: 364.0, PaperWidth.A3: 420.0}
_LONGER = 1.28
_METRIC_LINES = {widths[204]: _PAPER_MM[paper] for paper, widths in SCAN_LINE_PIXELS.items()}
_GUESSES = (Resolution.STANDARD, Resolution.FINE, Resolution.SUPERFINE)
_SQUARE_LINES = {
    pixels: dpi
    for width in SCAN_LINE_PIXELS
    for dpi, pixels in SCAN_LINE_PIXELS[width].items()
    if dpi in {300, 400}
}


# Resolutions as files give them that stand for those of fax machines, pixels per inch.
_FAX_DPI_ACROSS = {204: (199.0, 205.0), 408: (405.0, 409.0)}
_FAX_DPI_DOWN = {98: (96.0, 101.0), 196: (195.0, 201.0), 391: (389.0, 401.0)}

# The two tag values of Deflate (TIFF Technical Note 2), and octets that are unpacked at once.
_DEFLATE = frozenset({8, 32946})
_PIECE = 1 << 20


def tags_of(image: Image.Image) -> ImageFileDirectory_v2:
    """The directory of the page that ``image`` is at."""
    return image.tag_v2  # type: ignore[attr-defined, no-any-return]


def is_page(image: Image.Image) -> bool:
    """Whether this subfile is a page and no preview or mask."""
    kind = tags_of(image).get(tags.SUBFILE_TYPE, 0)
    return not (isinstance(kind, int) and kind & _NO_PAGE)


def resolution_of(image: Image.Image) -> tuple[float, float]:
    """Pixels per inch across and down, as stored; zeros when the page gives none."""
    directory = tags_of(image)
    try:
        across = float(directory.get(tags.X_RESOLUTION, 0))
        down = float(directory.get(tags.Y_RESOLUTION, 0))
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return 0.0, 0.0
    if directory.get(tags.RESOLUTION_UNIT, tags.INCH) == tags.CENTIMETRE:
        across, down = across * _CENTIMETRES_PER_INCH, down * _CENTIMETRES_PER_INCH
    return (across, down) if across > 0 and down > 0 else (0.0, 0.0)


def guessed_resolution(width: int, rows: int) -> tuple[float, float]:
    """Pixels per inch of a fax page that gives none; zeros when it is not as wide as a scan line."""
    if width in _METRIC_LINES:
        for resolution in _GUESSES:
            longest = _METRIC_LINES[width] * _LONGER
            if rows / ROWS_PER_MM[resolution.y_dpi] <= longest or resolution is _GUESSES[-1]:
                return float(resolution.x_dpi), float(resolution.y_dpi)
    dpi = float(_SQUARE_LINES.get(width, 0))
    return dpi, dpi


def fax_scale(across: float, down: float) -> tuple[float, float] | None:
    """Pixels and rows per millimetre when the resolution is of T.4's metric family, else None."""
    for pixels, (least, most) in _FAX_DPI_ACROSS.items():
        for rows, (fewest, highest) in _FAX_DPI_DOWN.items():
            if least <= across <= most and fewest <= down <= highest:
                return PIXELS_PER_MM[pixels], ROWS_PER_MM[rows]
    return None


# Octets of a file that say where its first directory is, the mark of BigTIFF among them, and its further
# ones; the most samples of a pixel, and sizes of theirs that exist besides 1, 2, 4 and 8 bits.
_HEADER_OCTETS, _BIG, _BIG_HEADER_OCTETS, _MOST_SAMPLES = 8, 43, 8, 8
_WIDE_BITS = frozenset({6, 10, 12, 14, 16, 24, 32, 64})
_NARROW_BITS = frozenset({1, 2, 4})  # of several samples
# Codings of fax machines, scanners and pictures that nothing here decodes (RFC 3949 5; TIFF's registered
# values).
_UNKNOWN_CODINGS = {
    9: "JBIG (T.85)",
    10: "JBIG (T.43)",
    34661: "JBIG",
    34665: "MRC (TIFF-FX)",
    34712: "JPEG 2000",
    34715: "JBIG2",
    50001: "WebP",
    50002: "JPEG XL",
}


def unknown_kind(again: Callable[[], BinaryIO]) -> str:
    """What it is in the first page of the TIFF that ``again`` opens that we do not read: its coding, or the
    size of its samples; empty when it is neither.  Raises what Pillow raises for damage.
    """
    with again() as file:
        head = file.read(_HEADER_OCTETS)
        directory = ImageFileDirectory_v2(head + file.read(_BIG_HEADER_OCTETS if _BIG in head[2:4] else 0))
        file.seek(directory.next)
        directory.load(file)
    coding = _UNKNOWN_CODINGS.get(directory.get(tags.COMPRESSION, tags.UNCOMPRESSED), "")
    if coding:
        return f"coded as {coding}"
    bits = directory.get(tags.BITS_PER_SAMPLE, ())
    are_narrow = len(bits) > 1 and _NARROW_BITS.issuperset(bits)
    if bits and len(bits) <= _MOST_SAMPLES and (are_narrow or _WIDE_BITS.issuperset(bits)):
        return f"with samples of {bits[0]} bits, {len(bits)} a pixel"
    return ""


def unread_coding(image: Image.Image) -> str:
    """The coding of the page that ``image`` is at if that is one that we do not read, else empty."""
    coding = _UNKNOWN_CODINGS.get(tags_of(image).get(tags.COMPRESSION, tags.UNCOMPRESSED), "")
    return f"coded as {coding}" if coding else ""


def is_raw(image: Image.Image) -> bool:
    """Whether the first page is a preview, and the picture itself is where only a camera's program reads it
    (DNG 1.6, NEF, ARW: TIFF's SubIFDs).
    """
    return tags.SUB_IFDS in tags_of(image) and not is_page(image)


class FaxProof:
    """Checks that a TIFF's pages in a fax coding or Deflate are complete; libtiff silently fills in
    missing data.
    """

    def __init__(self, again: Callable[[], BinaryIO]) -> None:
        """``again`` opens the file."""
        self._again = again
        try:
            self._file: FaxTiff | None = FaxTiff(again())
        except TiffError:
            self._file = None  # FaxTiff cannot read it: left to Pillow

    def fault_of(self, image: Image.Image, number: int) -> str | None:
        """The damage of page ``number`` (from 0, without previews), which ``image`` is at; None when there
        is none.
        """
        if tags_of(image).get(tags.COMPRESSION) in _DEFLATE:
            return None if self._is_inflated(tags_of(image)) else "a strip of its pixels cannot be unpacked"
        if self._file is None or tags_of(image).get(tags.COMPRESSION) not in {tags.GROUP3, tags.GROUP4}:
            return None
        try:
            self._file.prove(number)
        except TiffDataError as error:
            return str(error)
        except (TiffError, IndexError, OSError):
            return None
        return None

    def _is_inflated(self, directory: ImageFileDirectory_v2) -> bool:
        """Whether each strip or tile unpacks to its end, as zlib's checksum proves."""
        order = directory.get(tags.FILL_ORDER, tags.MSB_FIRST)
        with self._again() as file:
            for where, count in (
                (tags.STRIP_OFFSETS, tags.STRIP_OCTETS),
                (tags.TILE_OFFSETS, tags.TILE_OCTETS),
            ):
                for offset, octets in zip(directory.get(where, ()), directory.get(count, ()), strict=False):
                    file.seek(offset)
                    if not _ends(file, octets, order):
                        return False
        return True


def _ends(file: BinaryIO, octets: int, order: int) -> bool:
    """Whether the next ``octets`` of ``file``, with their bits in ``order``, are packed data with an end."""
    reader, rest = zlib.decompressobj(), b""
    try:
        while not reader.eof:
            if not rest:
                rest = file.read(min(octets, _PIECE))
                octets -= len(rest)
                if not rest:
                    return False
                rest = reverse_bits(rest) if order == tags.LSB_FIRST else rest
            reader.decompress(rest, _PIECE)
            rest = reader.unconsumed_tail
    except zlib.error:
        return False
    return True
