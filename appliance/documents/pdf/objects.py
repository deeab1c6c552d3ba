"""The objects of a PDF page: its type, its pictures, their places and colours."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import pypdfium2
from pypdfium2 import raw

# Objects of one page that are examined, and forms within forms: far above any office document.  A page with
# more is treated as one picture.
MOST_OBJECTS = 50_000
_DEEPEST = 8

# Pale or transparent type larger than this is a watermark, points.
_WATERMARK_POINTS = 40.0
_WATERMARK_LUMA = 140


class Matrix(NamedTuple):  # several for each object: made quicker than a frozen dataclass
    """A transformation (ISO 32000-1 8.3.3): x' = ax + cy + e, y' = bx + dy + f."""

    a: float
    b: float
    c: float
    d: float
    e: float
    f: float

    def within(self, outer: Matrix) -> Matrix:
        """The product: first this one, then ``outer``."""
        if outer is IDENTITY:
            return self
        return Matrix(
            self.a * outer.a + self.b * outer.c,
            self.a * outer.b + self.b * outer.d,
            self.c * outer.a + self.d * outer.c,
            self.c * outer.b + self.d * outer.d,
            self.e * outer.a + self.f * outer.c + outer.e,
            self.e * outer.b + self.f * outer.d + outer.f,
        )

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The image of a point."""
        return self.a * x + self.c * y + self.e, self.b * x + self.d * y + self.f

    @property
    def scale(self) -> float:
        """By what factor lengths grow, in the mean of both directions."""
        return float(abs(self.a * self.d - self.b * self.c) ** 0.5)


IDENTITY = Matrix(1, 0, 0, 1, 0, 0)

Corners = tuple[float, float, float, float]  # left, low, right, high


@dataclass(frozen=True, slots=True)
class PageContent:
    """The content of a page: ``type`` are handles of the text objects, ``type_corners`` where these are on
    the page, ``pictures`` where each picture is and ``patterns`` where areas may be filled with one, in
    points.
    """

    type: tuple[object, ...]
    type_corners: tuple[Corners, ...]
    pictures: tuple[Corners, ...]
    patterns: tuple[Corners, ...] = ()


# The objects of a page: of each its handle, its type, the matrix of the forms it is in, and whether one of
# these is transparent.
Objects = Sequence[tuple[object, int, Matrix, bool]]


def listed(page: pypdfium2.PdfPage) -> Objects:
    """The objects of ``page``, one too many where there are more than MOST_OBJECTS."""
    return list(islice(objects_of(page), MOST_OBJECTS + 1))


def content_of(objects: Objects) -> PageContent | None:
    """The content of a page, None when it has more than MOST_OBJECTS objects."""
    if len(objects) > MOST_OBJECTS:
        return None
    found_type: list[object] = []
    type_corners: list[Corners] = []
    pictures: list[Corners] = []
    paths: list[tuple[object, Matrix]] = []
    for handle, kind, outer, faint in objects:
        if kind == raw.FPDF_PAGEOBJ_TEXT:
            if not _is_watermark(handle, outer, faint):
                found_type.append(handle)
                type_corners.append(_bounds_on_page(handle, outer))
        elif kind == raw.FPDF_PAGEOBJ_IMAGE:
            pictures.append(corners_of(handle, outer))
        elif kind == raw.FPDF_PAGEOBJ_PATH and len(paths) < _MOST_TRIED:
            paths.append((handle, outer))
    patterns = [_bounds_on_page(*path) for path in paths if colour_of(path[0]) == _PATTERN]
    return PageContent(tuple(found_type), tuple(type_corners), tuple(pictures), tuple(patterns))


_FAR = 1e6  # points: beyond any page
_EVERYWHERE = (-_FAR, -_FAR, _FAR, _FAR)
# Objects of a page that are examined for tones, and for patterns; the colours that are no tones, and the one
# that pdfium tells of an area filled with a coloured pattern (ISO 32000-1 8.7.3.2), as browsers write
# backgrounds.
_MOST_TRIED, _NO_TONES = 200, {(0, 0, 0, 255), (255, 255, 255, 255)}
_PATTERN = (191, 191, 191, 255)


def _bounds_on_page(handle: object, outer: Matrix) -> Corners:
    """The box around an object that is in forms with the matrix ``outer``, in points."""
    box = bounds_of(handle)
    if box is None or outer is IDENTITY:
        return box or _EVERYWHERE
    left, low, right, high = box
    return _around([outer.at(x, y) for x in (left, right) for y in (low, high)])


def shows_tones(objects: Objects) -> bool:
    """Whether an area, a line or a picture among the first ``objects`` of a page is not black or white."""
    return any(
        kind in {raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_SHADING}
        or (kind == raw.FPDF_PAGEOBJ_PATH and _is_toned(handle))
        for handle, kind, _, _ in objects[:_MOST_TRIED]
    )


def _is_toned(path: object) -> bool:
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    raw.FPDFPath_GetDrawMode(path, fill, stroke)
    return bool(fill.value and colour_of(path) not in _NO_TONES) or bool(
        stroke.value and colour_of(path, stroke=True) not in _NO_TONES
    )


# A coding whose bit depth pdfium does not know before decoding, and the largest picture that is decoded to
# find out, pixels.
_JBIG2, _MOST_TRIED_PIXELS = b"JBIG2Decode", 40_000_000


def lost_pictures(page: pypdfium2.PdfPage, objects: Objects) -> int:
    """How many pictures among ``objects`` of ``page`` cannot be decoded, so that pdfium leaves them out."""
    return sum(kind == raw.FPDF_PAGEOBJ_IMAGE and _is_lost(page, handle) for handle, kind, _, _ in objects)


def _is_lost(page: pypdfium2.PdfPage, handle: object) -> bool:
    about = raw.FPDF_IMAGEOBJ_METADATA()
    if not raw.FPDFImageObj_GetImageMetadata(handle, page, about) or not about.width * about.height:
        return False
    if about.bits_per_pixel == 0:
        return True
    if about.width * about.height > _MOST_TRIED_PIXELS or not is_jbig2(handle):
        return False
    bitmap = raw.FPDFImageObj_GetBitmap(handle)
    if bitmap:
        raw.FPDFBitmap_Destroy(bitmap)
    return not bitmap


def is_jbig2(handle: object) -> bool:
    """Whether a picture is in a coding that only pdfium reads."""
    name = ctypes.create_string_buffer(len(_JBIG2) + 1)
    return any(
        raw.FPDFImageObj_GetImageFilter(handle, number, name, len(name)) and name.value == _JBIG2
        for number in range(raw.FPDFImageObj_GetImageFilterCount(handle))
    )


def corners_of(handle: object, outer: Matrix) -> Corners:
    """Where a picture is on its page: x and y of the lower left and the upper right, in points."""
    placed = matrix_of(handle).within(outer)
    return _around([placed.at(x, y) for x in (0, 1) for y in (0, 1)])


def _around(points: list[tuple[float, float]]) -> Corners:
    across, down = [x for x, _ in points], [y for _, y in points]
    return min(across), min(down), max(across), max(down)


def show(handles: tuple[object, ...], shown: bool) -> None:
    """Includes these objects in the drawing from now on, or excludes them."""
    for handle in handles:
        raw.FPDFPageObj_SetIsActive(handle, shown)


def matrix_of(handle: object) -> Matrix:
    """The matrix of an object."""
    values = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(handle, values)
    return Matrix(values.a, values.b, values.c, values.d, values.e, values.f)


def objects_of(page: pypdfium2.PdfPage) -> Iterator[tuple[object, int, Matrix, bool]]:
    """Every object: its handle, its type, the matrix of the forms it is in, and whether one of these is
    transparent.
    """
    waiting: list[tuple[object, Matrix, bool, int]] = []
    for index in range(raw.FPDFPage_CountObjects(page)):
        handle = raw.FPDFPage_GetObject(page, index)
        kind = raw.FPDFPageObj_GetType(handle)
        yield handle, kind, IDENTITY, False
        if kind == raw.FPDF_PAGEOBJ_FORM:
            waiting.append((handle, matrix_of(handle), _is_faint(handle), 1))
    while waiting:
        form, matrix, faint, depth = waiting.pop()
        for index in range(raw.FPDFFormObj_CountObjects(form)):
            handle = raw.FPDFFormObj_GetObject(form, index)
            kind = raw.FPDFPageObj_GetType(handle)
            yield handle, kind, matrix, faint
            if kind == raw.FPDF_PAGEOBJ_FORM and depth < _DEEPEST:
                inner = matrix_of(handle).within(matrix)
                waiting.append((handle, inner, faint or _is_faint(handle), depth + 1))


def _is_faint(form: object) -> bool:
    return bool(raw.FPDFPageObj_HasTransparency(form))


def bounds_of(handle: object) -> Corners | None:
    """The box around an object, in the coordinates of what it is in."""
    left, low, right, high = ctypes.c_float(), ctypes.c_float(), ctypes.c_float(), ctypes.c_float()
    if not raw.FPDFPageObj_GetBounds(handle, left, low, right, high):
        return None
    return left.value, low.value, right.value, high.value


def clip_of(handle: object) -> Corners | None:
    """The box within all clips of an object; None when none of them reaches into it."""
    clip = raw.FPDFPageObj_GetClipPath(handle)
    if not clip:
        return None
    paths = [list(_points_of(clip, number)) for number in range(max(0, raw.FPDFClipPath_CountPaths(clip)))]
    if not paths:
        return None
    return (
        max(min((x for x, _ in path), default=math.inf) for path in paths),
        max(min((y for _, y in path), default=math.inf) for path in paths),
        min(max((x for x, _ in path), default=-math.inf) for path in paths),
        min(max((y for _, y in path), default=-math.inf) for path in paths),
    )


def _points_of(clip: object, number: int) -> Iterator[tuple[float, float]]:
    for index in range(max(0, raw.FPDFClipPath_CountPathSegments(clip, number))):
        x, y = ctypes.c_float(), ctypes.c_float()
        raw.FPDFPathSegment_GetPoint(raw.FPDFClipPath_GetPathSegment(clip, number, index), x, y)
        yield x.value, y.value


def _is_watermark(handle: object, outer: Matrix, faint: bool) -> bool:
    size = ctypes.c_float()
    raw.FPDFTextObj_GetFontSize(handle, size)
    if size.value * matrix_of(handle).within(outer).scale <= _WATERMARK_POINTS:
        return False
    red, green, blue, opaque = colour_of(handle)
    return faint or opaque < 255 or 0.3 * red + 0.59 * green + 0.11 * blue > _WATERMARK_LUMA


def colour_of(handle: object, *, stroke: bool = False) -> tuple[int, int, int, int]:
    """Red, green, blue and opacity, 0 to 255, of the object's fill, or of its ``stroke``."""
    values = [ctypes.c_uint() for _ in range(4)]
    get = raw.FPDFPageObj_GetStrokeColor if stroke else raw.FPDFPageObj_GetFillColor
    get(handle, *values)
    red, green, blue, opaque = (value.value for value in values)
    return red, green, blue, opaque
