"""Pictures as pages, through Pillow.  Runs inside the worker process only."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Sequence
from typing import BinaryIO, ClassVar

from PIL import Image, ImageChops, UnidentifiedImageError

from appliance.documents import _memory, causes
from appliance.documents.bilevel.pale import strengthened
from appliance.documents.drawing import Bitmap, Drawing, Rect
from appliance.documents.errors import DocumentError, fault_of
from appliance.documents.geometry import (
    LARGEST_SIDE_MM,
    MM_PER_INCH,
    Layout,
    PageSize,
)
from appliance.documents.kinds import Kind
from appliance.documents.options import Limits, Paper
from appliance.documents.pictures import _jpeg
from appliance.documents.pictures.decoded import OnPaper
from appliance.documents.pictures.heic import HeicPixels, register
from appliance.documents.pictures.jpeg import DAMAGE, frame, pictures_behind, with_end
from appliance.documents.pictures.modes import Decoded, is_white_on_nothing, png_is_whole
from appliance.documents.pictures.straighten import is_taken
from appliance.documents.pictures.stripwise import in_strips, is_large
from appliance.documents.pictures.tiff import (
    FaxProof,
    fax_scale,
    guessed_resolution,
    is_page,
    is_raw,
    resolution_of,
    tags_of,
    unknown_kind,
    unread_coding,
)
from appliance.documents.placing import place
from appliance.documents.sniff import has_no_directory
from appliance.remarks import CONTENT_DAMAGED, MOVEMENT_LEFT_OUT, PAGE_WHITE, SUBFILE_SKIPPED, Remark
from appliance.t4 import tiff_tags as tags
from appliance.t4.page import SCAN_LINE_PIXELS

_FORMATS = {
    Kind.TIFF: "TIFF",
    Kind.PNG: "PNG",
    Kind.JPEG: "JPEG",
    Kind.WEBP: "WEBP",
    Kind.HEIC: "HEIF",
    Kind.AVIF: "AVIF",
    Kind.GIF: "GIF",
    Kind.BMP: "BMP",
    Kind.JPEG_2000: "JPEG2000",
    Kind.PCX: "PCX",
    Kind.DCX: "DCX",
    Kind.PNM: "PPM",
}
_SWAPPING_ORIENTATIONS = {5, 6, 7, 8}  # EXIF orientations that exchange width and height
_EXIF_ORIENTATION = 0x0112
_EXIF_INFO = {"exif", "Raw profile type exif"}
_PNG_EXIF = (b"eXIf", b"Raw profile type exif")  # chunk (PNG 3, 11.3.2.9), and what came before it
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_TURNED_BY_US = {"JPEG", "MPO", "PNG", "WEBP", "AVIF"}  # Pillow's readers turn the others themselves
_FAX_BOARDS = {"PCX", "DCX"}  # their programs write any resolution
_MOVING = {Kind.PNG, Kind.WEBP, Kind.AVIF, Kind.GIF}

# Pictures from screens and cameras give 72 or 96 dpi, or nothing, without meaning: they are shown at 96 dpi,
# or smaller to fit the sheet with a margin.
_MEANINGLESS_DPI = 99.0  # PNG stores pixels per metre: 100 dpi reads back as 99.9998
_SCREEN_DPI = 96.0
_HIGHEST_DPI = 2500.0
_SHEET_MARGIN_MM = 8.0
# Pixels of the largest JPEG, which is reduced while it is decoded: phones make 200 megapixels.
_LARGEST_JPEG = 300_000_000
# Pixels of the largest other photograph in which a page is searched, as a whole and in grey.
_LARGEST_PHOTOGRAPH = 64_000_000

# A picture as wide as a scan line and of about a fax's resolution is a fax page: its resolution is replaced
# by the nominal one (203.2 by 204, 97.79 and 100 by 98, 200 by 196), so that it is not scaled.
_SCAN_LINES = {pixels for widths in SCAN_LINE_PIXELS.values() for pixels in widths.values()}


class ImageSource:
    """A picture, or a TIFF with all its pages.

    ``file``: where ``content`` can be read again, if anywhere; it is not kept then.
    """

    # An opened picture may be decoded, so only one is open at a time in all documents of the fax.
    _with_picture: ClassVar[ImageSource | None] = None

    def __init__(
        self, content: bytes, kind: Kind, paper: Paper, limits: Limits, file: str | None = None
    ) -> None:
        Image.MAX_IMAGE_PIXELS = None  # our own limit is checked before any pixel is decoded
        warnings.simplefilter("ignore")
        self._limits = limits
        self._paper = paper
        self._is_damaged = False
        if kind is Kind.HEIC:
            register()
        if kind is Kind.JPEG:
            whole = with_end(content)
            self._is_damaged = _jpeg.is_damaged(whole)
            file, content = file if whole is content else None, whole
        if kind is Kind.PNG and not png_is_whole(content):
            raise DocumentError(causes.DOCUMENT_DAMAGED, "a part of the PNG has another checksum")
        if has_no_directory(content):
            raise DocumentError(causes.DOCUMENT_EMPTY, "a TIFF without pages")
        self._kind = kind
        self._has_exif = kind is not Kind.PNG or any(mark in content for mark in _PNG_EXIF)
        self._made_from = content if file is None else file
        self._image_now: Image.Image | None = None
        self._frames, self._skipped = [0], 0
        self._proof: FaxProof | None = None
        if kind is Kind.TIFF:
            self._frames, self._skipped = self._pages()
            self._proof = FaxProof(self._again)
        elif kind in {Kind.HEIC, Kind.DCX}:  # several pictures in one file
            self._frames = list(range(getattr(self._image, "n_frames", 1)))
            if len(self._frames) > limits.pages:
                raise DocumentError(
                    causes.DOCUMENT_TOO_MANY_PAGES, f"{len(self._frames)} of at most {limits.pages}"
                )
        elif self._image.format == "MPO":
            self._skipped = pictures_behind(self._image)
        self._white: set[int] = set()  # pages with white on transparent only
        self._moves = kind in _MOVING
        with contextlib.suppress(*DAMAGE):  # behind its first picture
            self._moves = self._moves and getattr(self._image, "is_animated", False)
        self.count = len(self._frames)
        self._forget()

    @property
    def _image(self) -> Image.Image:
        """The opened picture, at one of its pages; it may not be decoded yet."""
        if self._image_now is None:
            if ImageSource._with_picture is not None:
                ImageSource._with_picture._image_now = None
            self._image_now = self._opened()
            ImageSource._with_picture = self
        return self._image_now

    def _again(self) -> BinaryIO:
        """A file object at the beginning of the picture."""
        return (
            open(self._made_from, "rb") if isinstance(self._made_from, str) else io.BytesIO(self._made_from)
        )

    def _forget(self) -> None:
        """Frees the picture until it is needed again, if opening it again costs little."""
        if self.count == 1 or self._kind is Kind.HEIC:
            self._image_now = None

    def _opened(self) -> Image.Image:
        _memory.forget()
        try:
            return Image.open(self._again(), formats=[_FORMATS[self._kind]])
        except UnidentifiedImageError as error:
            kind = self._unknown_kind()
            bits = frame(self._again().read())[0] if self._kind is Kind.JPEG else 0
            if bits > 8:
                raise DocumentError(
                    causes.DOCUMENT_UNSUPPORTED, f"a JPEG with {bits} bits a sample: save it as PNG or PDF"
                ) from None
            if kind:
                raise _unread(kind) from None
            raise DocumentError(causes.DOCUMENT_DAMAGED, fault_of(error)) from None
        except Image.DecompressionBombError as error:
            raise DocumentError(causes.DOCUMENT_TOO_LARGE, fault_of(error)) from None
        except DAMAGE as error:
            raise _fault(error) from None

    def _unknown_kind(self) -> str:
        if self._kind is not Kind.TIFF:
            return ""
        try:
            return unknown_kind(self._again)
        except DAMAGE:
            return ""

    def _pages(self) -> tuple[list[int], int]:
        """The subfiles that are pages, and how many are not."""
        if is_raw(self._image):
            raise DocumentError(causes.DOCUMENT_UNSUPPORTED, "a camera's raw picture: save it as JPEG or PDF")
        pages: list[int] = []
        others = 0
        while len(pages) <= self._limits.pages and others <= self._limits.pages:
            try:
                self._image.seek(len(pages) + others)
            except EOFError:
                # A file with nothing but previews is sent as it is.
                return (pages, others) if pages else (list(range(others)), 0)
            except (DocumentError, MemoryError):
                raise
            except Exception as error:
                # A damaged directory after good pages: the document is refused, never cut short.
                raise DocumentError(causes.DOCUMENT_DAMAGED, fault_of(error)) from None
            if is_page(self._image):
                pages.append(len(pages) + others)
            else:
                others += 1
        raise DocumentError(causes.DOCUMENT_TOO_MANY_PAGES, f"more than {self._limits.pages}")

    def _seek(self, index: int) -> Image.Image:
        try:
            self._image.seek(self._frames[index])
        except DAMAGE as error:
            raise DocumentError(causes.DOCUMENT_DAMAGED, fault_of(error)) from None
        width, height = self._image.size
        if width <= 0 or height <= 0:
            raise DocumentError(causes.DOCUMENT_EMPTY, f"{width} x {height} pixels")
        if width * height > (_LARGEST_JPEG if self._kind is Kind.JPEG else self._limits.image_pixels):
            raise DocumentError(causes.DOCUMENT_TOO_LARGE, f"{width} x {height} pixels")
        return self._image

    def _orientation(self) -> int:
        """The orientation of the picture by EXIF, 1 to 8."""
        try:
            if self._image.format == "TIFF":
                return int(tags_of(self._image).get(tags.ORIENTATION, 1))
            return int(self._exif().get(_EXIF_ORIENTATION, 1))
        except Exception:  # damaged EXIF data must not refuse the picture
            return 1

    def _exif(self) -> Image.Exif:
        """Its EXIF data.  Raises anything when they are damaged."""
        image = self._image
        if self._kind is Kind.PNG and not _EXIF_INFO & image.info.keys():
            if not self._has_exif or is_large(image):
                return Image.Exif()
            # They are behind the pixels, which Pillow decodes to get there: apart, for an error in them would
            # not be raised again.
            image = self._opened()
        return image.getexif()

    def size(self, index: int) -> PageSize:
        image = self._seek(index)
        width, height = image.size
        swapped = self._orientation() in _SWAPPING_ORIENTATIONS and image.format != "HEIF"
        if swapped and image.format == "TIFF":  # Pillow gives the size after turning
            width, height = height, width
        across, down = self._dpi((width, height))
        if across <= 0:
            width_mm, height_mm = width / _SCREEN_DPI * MM_PER_INCH, height / _SCREEN_DPI * MM_PER_INCH
        else:
            per_mm = across / MM_PER_INCH, down / MM_PER_INCH
            if width in _SCAN_LINES:
                per_mm = fax_scale(across, down) or per_mm
            width_mm, height_mm = width / per_mm[0], height / per_mm[1]
        if swapped:
            width_mm, height_mm = height_mm, width_mm
        if across <= 0:
            short, long = (side - 2 * _SHEET_MARGIN_MM for side in self._paper.value)
            scale = min(1.0, short / min(width_mm, height_mm), long / max(width_mm, height_mm))
            width_mm, height_mm = width_mm * scale, height_mm * scale
        largest = max(width_mm, height_mm)
        if largest > LARGEST_SIDE_MM:
            width_mm, height_mm = (side / largest * LARGEST_SIDE_MM for side in (width_mm, height_mm))
        return PageSize(max(width_mm, 0.01), max(height_mm, 0.01))

    def _dpi(self, size: tuple[int, int]) -> tuple[float, float]:
        """Pixels per inch across and down as stored; (0, 0) when the file has no useful value."""
        try:
            if self._image.format == "TIFF":
                across, down = resolution_of(self._image)
            else:
                across, down = (float(value) for value in self._image.info.get("dpi", (0, 0)))
        except (TypeError, ValueError, ZeroDivisionError, OverflowError):
            across = down = 0.0
        guessed = guessed_resolution(*size) if self._image.mode == "1" else (0.0, 0.0)
        if self._image.format in _FAX_BOARDS and guessed[0] and fax_scale(across, down) is None:
            return guessed
        if _MEANINGLESS_DPI <= across <= _HIGHEST_DPI and 50 <= down <= _HIGHEST_DPI:
            return across, down
        return guessed

    def may_be_photograph(self, *, taken: bool) -> bool:
        """With ``taken``, whether a camera made the picture, by its EXIF data; else whether it may be a
        photograph.
        """
        if self._image.format == "TIFF" or self.count > 1:
            return False
        image = self._seek(0)
        large = self._kind is not Kind.JPEG and image.width * image.height > _LARGEST_PHOTOGRAPH
        if image.mode == "1" or large:
            return False
        if not taken or self._dpi(image.size)[0] > 0:
            return not taken
        try:
            return is_taken(self._exif())
        except Exception:  # as above
            return False

    def photograph(self, least: int) -> Image.Image:
        """The picture upright in grey, its longer side at least ``least`` pixels if it has so many.

        It is not cached.  Raises DocumentError.
        """
        self._seek(0)
        try:
            with Image.open(self._again(), formats=[_FORMATS[self._kind]]) as image:
                return self._upright(image, (least, least)).whole("L")
        except DAMAGE as error:
            raise _fault(error) from None
        finally:
            self._forget()

    def _upright(
        self, image: Image.Image, least: tuple[int, int], further: Sequence[Image.Transpose] = ()
    ) -> OnPaper:
        """The picture decoded and turned upright, scaled down to no less than ``least``.

        ``further`` turns come last.  Raises what decoders raise.
        """
        turn = _TURNS.get(self._orientation()) if image.format in _TURNED_BY_US else None
        turns = [*([turn] if turn is not None else []), *further]
        _memory.forget()
        number = self._image.tell()
        decoded: Decoded = image
        if self._kind is Kind.HEIC:
            decoded = HeicPixels(image)
        else:
            if self._kind is Kind.JPEG:
                image.draft("RGB", least)
            strips = in_strips(image, self._again)
            if strips is None:
                image.load()
            else:
                decoded = strips
                if image.format == "TIFF" and (own := _TURNS.get(self._orientation())) is not None:
                    turns.insert(0, own)  # which Pillow does as it decodes
        if is_white_on_nothing(decoded):
            self._white.add(number)
        return OnPaper(decoded, turns)

    def draw(self, index: int, layout: Layout) -> Drawing | Bitmap:
        image = self._seek(index)
        if self._proof is not None:
            fault = self._proof.fault_of(image, index)
            if fault is not None:
                raise DocumentError(causes.DOCUMENT_DAMAGED, fault)
        box = (layout.box_width, layout.box_rows)
        further = [Image.Transpose.ROTATE_90] if layout.turned else []
        try:
            shown = self._upright(image, (max(box), max(box)), further)
            if image.mode == "1" and shown.size == box == (layout.width, layout.rows):
                return Bitmap(*shown.size, ImageChops.invert(shown.whole()).tobytes())
            reduced, size = shown.reduced(box)
        except DAMAGE as error:
            kind = unread_coding(image) if image.format == "TIFF" else ""
            raise (_unread(kind) if kind else _fault(error)) from None
        self._forget()
        del image, shown
        return Drawing.of_image(place(strengthened(reduced), layout, size), Rect.of(layout))

    def remarks(self, index: int | None) -> Sequence[Remark]:
        if index is None and self._skipped:
            return (Remark(SUBFILE_SKIPPED, detail=f"{self._skipped} of {self._skipped + self.count}"),)
        if index is None:
            return ()
        found = [Remark(MOVEMENT_LEFT_OUT)] if self._moves else []
        if self._is_damaged:
            found.append(Remark(CONTENT_DAMAGED))
        return [*found, *([Remark(PAGE_WHITE)] if self._frames[index] in self._white else [])]


# How libheif and its plugin report that one of their threads got no memory, and Pillow's error number for
# that (its Imaging.h).
_NO_MEMORY = ("memory", "decoder error -9", "unexpected c++ exception")
_UNREAD = "Unsupported BMP"  # how Pillow begins to say that a picture is of a kind that it does not read


def _fault(error: BaseException) -> DocumentError | MemoryError:
    """The error to raise for a decoder's ``error``."""
    if _memory.was_refused() or any(words in str(error).lower() for words in _NO_MEMORY):
        return MemoryError(fault_of(error))
    if _UNREAD in str(error):
        return DocumentError(causes.DOCUMENT_UNSUPPORTED, f"{error}: save it as PNG or PDF"[:200])
    return DocumentError(causes.DOCUMENT_DAMAGED, fault_of(error))


def _unread(kind: str) -> DocumentError:
    return DocumentError(causes.DOCUMENT_UNSUPPORTED, f"a TIFF {kind}: save it as a PDF")
