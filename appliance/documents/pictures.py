"""PNG, JPEG and TIFF pictures as pages, through Pillow.  Runs inside the worker process only."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageOps, UnidentifiedImageError

from appliance.causes import (
    DOCUMENT_DAMAGED,
    DOCUMENT_EMPTY,
    DOCUMENT_TOO_LARGE,
    DOCUMENT_TOO_MANY_PAGES,
)
from appliance.documents.drawing import Bitmap, Box, Drawing
from appliance.documents.errors import DocumentError
from appliance.documents.geometry import (
    LARGEST_SIDE_MM,
    MM_PER_INCH,
    PIXELS_PER_MM,
    ROWS_PER_MM,
    Layout,
    PageSize,
)
from appliance.documents.options import Limits, Paper
from appliance.documents.placing import place
from appliance.documents.sniff import Kind
from appliance.remarks import Remark
from appliance.t4.page import SCAN_LINE_PIXELS

_FORMATS = {Kind.TIFF: "TIFF", Kind.PNG: "PNG", Kind.JPEG: "JPEG"}
_SWAPPING_ORIENTATIONS = {5, 6, 7, 8}  # EXIF orientations that exchange width and height
_EXIF_ORIENTATION = 0x0112

# Pictures from screens and cameras say 72 or 96 dpi, or nothing, and mean nothing by it: those are
# shown at 96 dpi, or smaller to fit the sheet with a margin.
_MEANINGLESS_DPI = 99.0  # PNG keeps pixels a metre: 100 dpi reads back as 99.9998
_SCREEN_DPI = 96.0
_HIGHEST_DPI = 2500.0
_SHEET_MARGIN_MM = 8.0

# A picture as wide as a scan line and about of a fax's resolution is a fax page: its figures are taken
# for the nominal ones (203.2 for 204, 97.79 and 100 for 98, 200 for 196), so that it goes on unscaled.
_SCAN_LINES = {pixels for widths in SCAN_LINE_PIXELS.values() for pixels in widths.values()}
_FAX_DPI_ACROSS = {204: (199.0, 205.0), 408: (405.0, 409.0)}
_FAX_DPI_DOWN = {98: (96.0, 101.0), 196: (195.0, 201.0), 391: (389.0, 401.0)}


class ImageSource:
    """PNG, JPEG, and TIFF with all its pages."""

    def __init__(self, content: bytes, kind: Kind, paper: Paper, limits: Limits) -> None:
        Image.MAX_IMAGE_PIXELS = None  # our own limit, checked before any pixel is decoded
        warnings.simplefilter("ignore")
        self._limits = limits
        self._paper = paper
        try:
            self._image = Image.open(io.BytesIO(content), formats=[_FORMATS[kind]])
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError, KeyError, TypeError) as error:
            raise DocumentError(DOCUMENT_DAMAGED, _words(error)) from None
        except Image.DecompressionBombError as error:
            raise DocumentError(DOCUMENT_TOO_LARGE, _words(error)) from None
        self.count = self._count() if kind is Kind.TIFF else 1

    def _count(self) -> int:
        for index in range(self._limits.pages + 1):
            try:
                self._image.seek(index)
            except EOFError:
                return index
            except Exception as error:
                # A damaged directory after good pages: the document is refused, never cut short.
                raise DocumentError(DOCUMENT_DAMAGED, _words(error)) from None
        raise DocumentError(DOCUMENT_TOO_MANY_PAGES, f"more than {self._limits.pages}")

    def _seek(self, index: int) -> Image.Image:
        try:
            self._image.seek(index)
        except (EOFError, OSError, ValueError, SyntaxError, KeyError, TypeError) as error:
            raise DocumentError(DOCUMENT_DAMAGED, _words(error)) from None
        width, height = self._image.size
        if width <= 0 or height <= 0:
            raise DocumentError(DOCUMENT_EMPTY, f"{width} x {height} pixels")
        if width * height > self._limits.image_pixels:
            raise DocumentError(DOCUMENT_TOO_LARGE, f"{width} x {height} pixels")
        return self._image

    def _orientation(self) -> int:
        try:
            return int(self._image.getexif().get(_EXIF_ORIENTATION, 1))
        except Exception:  # EXIF is decoration; damage in it is no reason to refuse the picture
            return 1

    def size(self, index: int) -> PageSize:
        image = self._seek(index)
        width, height = image.size
        across, down = self._dpi()
        if across <= 0:
            width_mm, height_mm = width / _SCREEN_DPI * MM_PER_INCH, height / _SCREEN_DPI * MM_PER_INCH
        else:
            per_mm = across / MM_PER_INCH, down / MM_PER_INCH
            if width in _SCAN_LINES:
                per_mm = _fax_scale(across, down) or per_mm
            width_mm, height_mm = width / per_mm[0], height / per_mm[1]
        if self._orientation() in _SWAPPING_ORIENTATIONS:
            width_mm, height_mm = height_mm, width_mm
        if across <= 0:
            short, long = (side - 2 * _SHEET_MARGIN_MM for side in self._paper.value)
            scale = min(1.0, short / min(width_mm, height_mm), long / max(width_mm, height_mm))
            width_mm, height_mm = width_mm * scale, height_mm * scale
        largest = max(width_mm, height_mm)
        if largest > LARGEST_SIDE_MM:
            width_mm, height_mm = (side / largest * LARGEST_SIDE_MM for side in (width_mm, height_mm))
        return PageSize(max(width_mm, 0.01), max(height_mm, 0.01))

    def _dpi(self) -> tuple[float, float]:
        """Pixels an inch across and down, (0, 0) when the file says nothing of use."""
        try:
            across, down = (float(value) for value in self._image.info.get("dpi", (0, 0)))
        except (TypeError, ValueError, ZeroDivisionError, OverflowError):
            return 0.0, 0.0
        useful = _MEANINGLESS_DPI <= across <= _HIGHEST_DPI and 50 <= down <= _HIGHEST_DPI
        return (across, down) if useful else (0.0, 0.0)

    def draw(self, index: int, layout: Layout) -> Drawing | Bitmap:
        image = self._seek(index)
        exact = image.size == (layout.width, layout.rows) == (layout.box_width, layout.box_rows)
        box = (layout.box_width, layout.box_rows)
        try:
            if image.mode == "1" and exact and self._orientation() == 1 and not layout.turned:
                return Bitmap(*image.size, ImageChops.invert(image).tobytes())
            if image.format == "JPEG":
                image.draft("RGB", (max(box), max(box)))
            shown = _on_paper(image)
            shown = ImageOps.exif_transpose(shown) if self._orientation() != 1 else shown
        except (OSError, ValueError, SyntaxError, KeyError, TypeError, EOFError, OverflowError) as error:
            raise DocumentError(DOCUMENT_DAMAGED, _words(error)) from None
        if layout.turned:
            shown = shown.transpose(Image.Transpose.ROTATE_90)
        return Drawing.of_image(place(shown, layout), Box.of(layout))

    def remarks(self, index: int | None) -> Sequence[Remark]:
        return ()


def _on_paper(image: Image.Image) -> Image.Image:
    """Any mode as grey or colours (mode L or RGB) on white paper."""
    if image.mode.startswith(("I", "F")):
        # 16 and 32 bit grey: bring the used range to 8 bits.
        wide = image.convert("F")
        low, high = wide.getextrema()
        if not isinstance(low, float) or not isinstance(high, float):
            raise ValueError("a picture without a range of grey")
        top = 65535.0 if high > 255 else 255.0
        return wide.point(lambda value: value * (255.0 / top) + 0).convert("L")
    if image.mode in {"LA", "PA", "RGBA", "La", "RGBa"} or "transparency" in image.info:
        layered = image.convert("RGBA")
        paper = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        return Image.alpha_composite(paper, layered).convert("RGB")
    return image.convert("L" if image.mode in {"1", "L"} else "RGB")


def _fax_scale(across: float, down: float) -> tuple[float, float] | None:
    """Pixels and rows in a millimetre when the resolution is of T.4's metric family, else None."""
    for pixels, (least, most) in _FAX_DPI_ACROSS.items():
        for rows, (fewest, highest) in _FAX_DPI_DOWN.items():
            if least <= across <= most and fewest <= down <= highest:
                return PIXELS_PER_MM[pixels], ROWS_PER_MM[rows]
    return None


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200]
