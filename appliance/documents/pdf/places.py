"""Where parts of a PDF page are on the fax page."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from dataclasses import replace

import pypdfium2
from pypdfium2 import raw

from appliance.documents.drawing import Rect
from appliance.documents.geometry import Layout
from appliance.documents.pdf.objects import Corners, Matrix, PageContent

_QUARTER_ANTICLOCKWISE = 3  # pdfium counts quarters clockwise
# A picture that covers a larger share of the page is a scan, which is converted as a whole page.
_WHOLE_PAGE_SHARE = 0.6


def box_of(layout: Layout, first: int = 0) -> tuple[int, int, int, int, int]:
    """Where pdfium draws the page, from row ``first`` on: left, top, width, height in pixels, rotation."""
    turned = _QUARTER_ANTICLOCKWISE if layout.turned else 0
    return layout.left, layout.top - first, layout.box_width, layout.box_rows, turned


def pixels_per_point(page: pypdfium2.PdfPage, layout: Layout) -> tuple[float, float]:
    """The scale of the drawing across and down, in the page's own axes before its rotation."""
    width, height = page.get_size()
    across, down = (height, width) if layout.turned else (width, height)
    along = layout.box_width / across, layout.box_rows / down
    turned = layout.turned != (page.get_rotation() % 180 != 0)
    return (along[1], along[0]) if turned else along


def box_on_fax(
    page: pypdfium2.PdfPage, layout: Layout, points: tuple[float, float, float, float]
) -> Rect | None:
    """The box on the fax page between these corners of the page; None when that is empty."""
    left, low, right, high = points
    corners = [_on_fax(page, layout, x, y) for x, y in ((left, low), (right, high))]
    across, down = sorted(x for x, _ in corners), sorted(y for _, y in corners)
    box = Rect(max(0, across[0]), max(0, down[0]), min(layout.width, across[1]), min(layout.rows, down[1]))
    return None if box.left >= box.right or box.top >= box.below else box


def is_whole_page(box: Rect, layout: Layout) -> bool:
    """Whether a picture in ``box`` counts as a scan of the whole page."""
    area = (box.right - box.left) * (box.below - box.top)
    return area > _WHOLE_PAGE_SHARE * layout.box_width * layout.box_rows


# Pixels around the box of an object that may belong to it; to the right of type also as many as it is high,
# as its box ends where its last letter's width does.
_AROUND = 8


def lines_of_type(page: pypdfium2.PdfPage, layout: Layout, content: PageContent) -> list[Rect]:
    """The boxes of the fax page that have type, one below the other."""
    lines: list[list[int]] = []  # left, top, right and below of each; also beyond the page
    to_fax = _matrix_to_fax(page, layout)
    for top, below, left, right in sorted(_pixels_of(to_fax, corners) for corners in content.type_corners):
        beyond = right + below - top
        if beyond <= 0 or below <= 0 or top >= layout.rows:
            continue
        if lines and top <= lines[-1][3]:
            last = lines[-1]
            last[0], last[2], last[3] = min(last[0], left), max(last[2], beyond), max(last[3], below)
        else:
            lines.append([left, top, beyond, below])
    return [
        Rect(
            max(0, min(left, layout.width - 1)),
            max(0, top),
            min(layout.width, right),
            min(layout.rows, below),
        )
        for left, top, right, below in lines
    ]


# Lines up to so many rows apart are drawn at once: each drawing goes through all objects of the page.
_ROWS_APART = 96


def together(lines: Sequence[Rect]) -> list[Rect]:
    """Boxes around lines that are not far apart, from the left edge of the page on."""
    boxes: list[Rect] = []
    for line in lines:
        box = replace(line, left=0)
        if boxes and line.top - boxes[-1].below <= _ROWS_APART:
            last = boxes.pop()
            box = Rect(0, last.top, max(last.right, line.right), line.below)
        boxes.append(box)
    return boxes


def has_picture_beside(
    page: pypdfium2.PdfPage, layout: Layout, content: PageContent, lines: Sequence[Rect]
) -> bool:
    """Whether a picture is in the rows of one of ``lines``."""
    to_fax = _matrix_to_fax(page, layout)
    pictures = [_pixels_of(to_fax, corners) for corners in (*content.pictures, *content.patterns)]
    return any(top < line.below and line.top < below for top, below, *_ in pictures for line in lines)


def _matrix_to_fax(page: pypdfium2.PdfPage, layout: Layout) -> Matrix:
    """From points of the page to pixels of the fax page, by its corners, which are on whole pixels."""
    left, low, right, high = page.get_bbox()
    x, y = _on_fax(page, layout, left, low)
    ends = _on_fax(page, layout, right, low), _on_fax(page, layout, left, high)
    across_x, across_y = ((end - begin) / (right - left) for begin, end in zip((x, y), ends[0], strict=True))
    up_x, up_y = ((end - begin) / (high - low) for begin, end in zip((x, y), ends[1], strict=True))
    return Matrix(
        across_x, across_y, up_x, up_y, x - left * across_x - low * up_x, y - left * across_y - low * up_y
    )


_EVERYWHERE = (-1_000_000, 1_000_000, -1_000_000, 1_000_000)


def _pixels_of(to_fax: Matrix, corners: Corners) -> tuple[int, int, int, int]:
    """The pixels, also beyond the fax page, that an object between these corners of the page may cover: first
    row, row after the last, first column, column after the last.
    """
    left, low, right, high = corners
    (x, y), (other_x, other_y) = to_fax.at(left, low), to_fax.at(right, high)
    if not math.isfinite(x + y + other_x + other_y):
        return _EVERYWHERE
    left, right = (x, other_x) if x < other_x else (other_x, x)
    top, below = (y, other_y) if y < other_y else (other_y, y)
    return (
        math.floor(top + 0.5) - _AROUND,
        math.floor(below + 0.5) + _AROUND,
        math.floor(left + 0.5) - _AROUND,
        math.floor(right + 0.5) + _AROUND,
    )


def _on_fax(page: pypdfium2.PdfPage, layout: Layout, x: float, y: float) -> tuple[int, int]:
    across, down = ctypes.c_int(), ctypes.c_int()
    raw.FPDF_PageToDevice(page, *box_of(layout), x, y, across, down)
    return across.value, down.value


def photographs(
    page: pypdfium2.PdfPage, layout: Layout, content: PageContent | None
) -> tuple[Rect, ...] | None:
    """The boxes of pictures, and of patterns that may be such; None when a picture is a scan of a page."""
    if content is None:
        return None
    boxes = []
    for corners in content.pictures:
        box = box_on_fax(page, layout, corners)
        if box is None:
            continue
        if is_whole_page(box, layout):
            return None
        boxes.append(box)
    patterns = [box_on_fax(page, layout, corners) for corners in content.patterns]
    return (*boxes, *(box for box in patterns if box is not None and not is_whole_page(box, layout)))
