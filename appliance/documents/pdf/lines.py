"""Thin lines of a PDF page: makes sure that pdfium draws all of them whole.

A line is drawn at least one pixel wide (ISO 32000-1 8.4.3.2).  pdfium applies that to the mean of both
directions: under a matrix that scales much less vertically than horizontally, as plotting programs use,
horizontal lines come out a hundredth of a pixel high, that is, not at all.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2
from pypdfium2 import raw

from appliance.documents.pdf.objects import (
    MOST_OBJECTS,
    Matrix,
    Objects,
    bounds_of,
    clip_of,
    colour_of,
    matrix_of,
)

# A line thinner than this in one direction breaks up, pixels.
_LEAST_PIXELS = 0.8
# Segments of one page that are drawn again: a long-term ECG has some ten thousand.
_MOST_SEGMENTS = 200_000
# Width of the line that is drawn over it, points: the thinnest possible, one pixel.
_HAIRLINE = 0.0


@dataclass(frozen=True, slots=True)
class _Segment:
    kind: int
    x: float
    y: float
    closes: bool


def keep_thin_lines(page: pypdfium2.PdfPage, objects: Objects, pixels_per_point: tuple[float, float]) -> bool:
    """Lays a hairline over each line of ``page`` that would otherwise be invisible in one direction; returns
    whether there are any, so that the page has more than ``objects``.

    ``pixels_per_point`` is the scale of the drawing, across and down.  Lines in forms, dashed lines, and
    lines that are clipped stay as they are.
    """
    left = _MOST_SEGMENTS
    count = min(raw.FPDFPage_CountObjects(page), MOST_OBJECTS)  # those in forms are listed after these
    thin = [
        index
        for index, (handle, kind, _, _) in enumerate(objects[:count])
        if kind == raw.FPDF_PAGEOBJ_PATH and _is_thin(handle, pixels_per_point)
    ]
    for inserted, index in enumerate(thin):
        handle = raw.FPDFPage_GetObject(page, index + inserted)
        left -= raw.FPDFPath_CountSegments(handle)
        if left < 0:
            break
        hairline = _hairline_of(handle)
        if hairline is None or not raw.FPDFPage_InsertObjectAtIndex(page, hairline, index + inserted + 1):
            break
    return bool(thin)


def _is_thin(handle: object, pixels_per_point: tuple[float, float]) -> bool:
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    if not raw.FPDFPath_GetDrawMode(handle, fill, stroke) or not stroke.value:
        return False
    matrix = matrix_of(handle)
    across, down = pixels_per_point
    width = ctypes.c_float()
    raw.FPDFPageObj_GetStrokeWidth(handle, width)
    # Lengths of the units of the line's own space, as pdfium computes them, in pixels.
    unit_x = ((matrix.a * across) ** 2 + (matrix.b * down) ** 2) ** 0.5
    unit_y = ((matrix.c * across) ** 2 + (matrix.d * down) ** 2) ** 0.5
    if unit_x + unit_y <= 0:
        return False
    drawn = max(width.value, 2 / (unit_x + unit_y))
    if drawn * min(unit_x, unit_y) >= _LEAST_PIXELS or min(unit_x, unit_y) > 0.5 * max(unit_x, unit_y):
        return False
    return raw.FPDFPageObj_GetDashCount(handle) <= 0 and _within_clip(handle)


def _within_clip(handle: object) -> bool:
    """Whether clipping leaves the whole object."""
    clip = clip_of(handle)
    if clip is None:
        return True
    line = bounds_of(handle)
    if line is None:
        return False
    return line[0] >= clip[0] and line[1] >= clip[1] and line[2] <= clip[2] and line[3] <= clip[3]


def _hairline_of(handle: object) -> object | None:
    """The same path in the page's coordinates, as a hairline."""
    matrix = matrix_of(handle)
    made = None
    for kind, points, closes in _pieces(handle, matrix):
        if made is None:
            made = raw.FPDFPageObj_CreateNewPath(*points[-1])
            if kind == raw.FPDF_SEGMENT_MOVETO:
                continue
        if kind == raw.FPDF_SEGMENT_MOVETO:
            raw.FPDFPath_MoveTo(made, *points[0])
        elif kind == raw.FPDF_SEGMENT_BEZIERTO:
            raw.FPDFPath_BezierTo(made, *(value for point in points for value in point))
        else:
            raw.FPDFPath_LineTo(made, *points[0])
        if closes:
            raw.FPDFPath_Close(made)
    if made is None:
        return None
    raw.FPDFPath_SetDrawMode(made, raw.FPDF_FILLMODE_NONE, True)
    raw.FPDFPageObj_SetStrokeColor(made, *colour_of(handle, stroke=True))
    raw.FPDFPageObj_SetStrokeWidth(made, _HAIRLINE)
    return made  # type: ignore[no-any-return]


def _pieces(handle: object, matrix: Matrix) -> Iterator[tuple[int, list[tuple[float, float]], bool]]:
    """Kind, points on the page, and whether the figure is closed after it."""
    curve: list[tuple[float, float]] = []
    for index in range(raw.FPDFPath_CountSegments(handle)):
        segment = _segment_of(raw.FPDFPath_GetPathSegment(handle, index))
        point = matrix.at(segment.x, segment.y)
        if segment.kind == raw.FPDF_SEGMENT_BEZIERTO:
            curve.append(point)
            if len(curve) < 3:
                continue
            yield segment.kind, curve, segment.closes
            curve = []
        else:
            yield segment.kind, [point], segment.closes


def _segment_of(handle: object) -> _Segment:
    x, y = ctypes.c_float(), ctypes.c_float()
    raw.FPDFPathSegment_GetPoint(handle, x, y)
    return _Segment(
        raw.FPDFPathSegment_GetType(handle),
        x.value,
        y.value,
        bool(raw.FPDFPathSegment_GetClose(handle)),
    )
