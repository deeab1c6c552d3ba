"""Where parts of a PDF page are on the fax page."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence

import pypdfium2
from pypdfium2 import raw

from appliance.documents.drawing import Rect
from appliance.documents.geometry import Layout
from appliance.documents.pdfobjects import Corners, PageContent

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


# Rows of type that are up to so far apart are drawn at once, and pixels around the box of an object that may
# belong to it.
_ROWS_APART, _AROUND = 96, 8


def rows_of_type(page: pypdfium2.PdfPage, layout: Layout, content: PageContent) -> list[tuple[int, int]]:
    """The rows of the fax page that have type, as pairs of the first row and the row after the last; all
    rows in one where type is beside a picture: pdfium draws other pixels of it when it draws a part.
    """
    spans: list[tuple[int, int]] = []
    for top, below in sorted(_rows_of(page, layout, content.type_corners)):
        if spans and top - spans[-1][1] <= _ROWS_APART:
            spans[-1] = spans[-1][0], max(spans[-1][1], below)
        else:
            spans.append((top, below))
    pictures = _rows_of(page, layout, content.pictures)
    if any(top < end and begin < below for top, below in pictures for begin, end in spans):
        return [(0, layout.rows)]
    return spans


def _rows_of(
    page: pypdfium2.PdfPage, layout: Layout, objects: Sequence[Corners]
) -> Iterator[tuple[int, int]]:
    for left, low, right, high in objects:
        top, below = sorted(_on_fax(page, layout, x, y)[1] for x, y in ((left, low), (right, high)))
        yield top - _AROUND, below + _AROUND


def _on_fax(page: pypdfium2.PdfPage, layout: Layout, x: float, y: float) -> tuple[int, int]:
    across, down = ctypes.c_int(), ctypes.c_int()
    raw.FPDF_PageToDevice(page, *box_of(layout), x, y, across, down)
    return across.value, down.value


def photographs(
    page: pypdfium2.PdfPage, layout: Layout, content: PageContent | None
) -> tuple[Rect, ...] | None:
    """The boxes of pictures on the fax page; None when one of them is a scan of a whole page."""
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
    return tuple(boxes)
