"""Finds what does not fit on a laid-out page: too wide, or beyond its boxes or the sheet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import weasyprint
from weasyprint.formatting_structure import boxes

_SEEN = (boxes.TextBox, boxes.ReplacedBox, boxes.TableBox)
# Values of ``overflow`` with which content can be scrolled to; hidden content is visible nowhere.
_ROLLED = frozenset({"auto", "scroll"})
_SLACK_PX = 4.0  # of a line's height, below its letters
# Content this many sheets away was put out of sight on purpose.
_OUT_OF_SIGHT = 4.0


def width_needed(document: weasyprint.Document) -> float:
    """The factor by which the sheet would have to be wider to hold everything; 1 when it does."""
    needed = 1.0
    for page in document.pages:
        sheet = page._page_box
        right = sheet.position_x + sheet.margin_left + sheet.width
        for box in _flowing(sheet):
            if isinstance(box, _SEEN):
                edge = box.position_x + box.margin_width()
                needed = max(needed, (edge + sheet.margin_right) / (right + sheet.margin_right))
    # Rounding must not make a page smaller.
    return needed if needed > 1.005 else 1.0


def cut_pages(document: weasyprint.Document) -> list[int]:
    """The pages (from 1) on which something that a screen would show, or scroll to, is cut off."""
    return [
        number
        for number, page in enumerate(document.pages, 1)
        if any(_rolled(page._page_box))
        or any(_off_the_sheet(page._page_box))
        or any(_turned_off(page._page_box))
    ]


def _flowing(box: Any) -> Iterator[Any]:
    """The boxes in normal flow; positioned ones are often off the sheet on purpose."""
    for child in getattr(box, "children", ()):
        if child.style["position"] in ("static", "relative"):
            yield child
            yield from _flowing(child)


def _rolled(sheet: Any) -> Iterator[bool]:
    for box in sheet.descendants():
        if box.style["overflow"] in _ROLLED and hasattr(box, "children"):
            right = box.position_x + box.margin_width() + _SLACK_PX
            below = box.position_y + box.margin_height() + _SLACK_PX
            yield any(_reaches(each, right, below) for each in box.descendants() if isinstance(each, _SEEN))


def _off_the_sheet(sheet: Any) -> Iterator[bool]:
    """For each positioned box, whether it lies to the right of the sheet or below it."""
    width, height = sheet.margin_width(), sheet.margin_height()
    for box in sheet.descendants():
        if box.style["position"] in ("absolute", "fixed") and hasattr(box, "children"):
            for each in box.descendants():
                if isinstance(each, _SEEN) and _is_said(each):
                    away = max(each.position_x / width, each.position_y / height)
                    yield away < _OUT_OF_SIGHT and _reaches(each, width + _SLACK_PX, height + _SLACK_PX)


def _turned_off(sheet: Any) -> Iterator[bool]:
    """For each box that is turned or moved (CSS Transforms), whether it reaches beyond the sheet."""
    width, height = sheet.margin_width(), sheet.margin_height()
    waiting = [(sheet, sheet.transformation_matrix)]
    while waiting:
        box, matrix = waiting.pop()
        if box.style["overflow"] == "hidden" and box is not sheet:
            continue
        for child in getattr(box, "children", ()):
            own = child.transformation_matrix
            waiting.append((child, own @ matrix if own and matrix else own or matrix))
        if matrix and isinstance(box, _SEEN) and _is_said(box):
            edges = box.position_x + box.margin_width(), box.position_y + box.margin_height()
            corners = [
                matrix.transform_point(x, y)
                for x in (box.position_x, edges[0])
                for y in (box.position_y, edges[1])
            ]
            left, right = min(x for x, _ in corners), max(x for x, _ in corners)
            top, foot = min(y for _, y in corners), max(y for _, y in corners)
            away = max(left / width, top / height)
            beyond = right > width + _SLACK_PX or foot > height + _SLACK_PX
            yield (beyond and away < _OUT_OF_SIGHT and right > 0 and foot > 0) or (
                (left < -_SLACK_PX < 0 < right or top < -_SLACK_PX < 0 < foot)
                and left < width
                and top < height
            )


def _reaches(box: Any, right: float, below: float) -> bool:
    edge, foot = box.position_x + box.margin_width(), box.position_y + box.margin_height()
    return _is_said(box) and (edge > right or foot > below)


def _is_said(box: Any) -> bool:
    return not isinstance(box, boxes.TextBox) or bool(box.text.strip())
