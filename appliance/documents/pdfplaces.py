"""Where parts of a PDF page are on the fax page."""

from __future__ import annotations

import ctypes

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


# Type that is up to so many rows apart is drawn at once, and pixels around the box of an object that may
# belong to it; to the right also as many as it is high, as its box ends where its last letter's width does.
_ROWS_APART, _AROUND = 96, 8


def boxes_of_type(page: pypdfium2.PdfPage, layout: Layout, content: PageContent) -> list[Rect]:
    """The boxes of the fax page that have type, one below the other, from its left edge on; all of it where
    type is beside a picture: pdfium draws other pixels of it when it draws a part.
    """
    boxes: list[Rect] = []
    places = (_pixels_of(page, layout, corners) for corners in content.type_corners)
    for box in sorted(places, key=lambda each: each.top):
        right = min(layout.width, box.right + box.below - box.top)
        top, below = max(0, box.top), min(layout.rows, box.below)
        if right <= 0 or top >= below:
            continue
        if boxes and top - boxes[-1].below <= _ROWS_APART:
            last = boxes.pop()
            right, top, below = max(right, last.right), last.top, max(below, last.below)
        boxes.append(Rect(0, top, right, below))
    pictures = [_pixels_of(page, layout, corners) for corners in content.pictures]
    if any(each.top < box.below and box.top < each.below for each in pictures for box in boxes):
        return [Rect(0, 0, layout.width, layout.rows)]
    return boxes


def _pixels_of(page: pypdfium2.PdfPage, layout: Layout, corners: Corners) -> Rect:
    """The pixels, also beyond the fax page, that an object between these corners of the page may cover."""
    left, low, right, high = corners
    ends = [_on_fax(page, layout, x, y) for x, y in ((left, low), (right, high))]
    across, down = sorted(x for x, _ in ends), sorted(y for _, y in ends)
    return Rect(across[0] - _AROUND, down[0] - _AROUND, across[1] + _AROUND, down[1] + _AROUND)


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
