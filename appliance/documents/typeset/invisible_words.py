"""Finds words of a laid-out web page that would be invisible on paper.

White words whose background is missing, or is of a kind that only browsers draw, become black. Words that are
hidden until a script shows them are reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import weasyprint
from weasyprint.css.properties import INITIAL_VALUES
from weasyprint.formatting_structure import boxes

# Lightness of a colour, 0 to 1, from which it counts as white.
_WHITE = 0.9
# Smaller words are not meant to be read, px.
_SMALLEST_PX = 5.0
_BLACK = INITIAL_VALUES["color"]

_Corners = tuple[float, float, float, float]


@dataclass(slots=True)
class _Sheet:
    """The content of a page: whether ``seen`` words are on it, ``white`` and ``hidden`` words, and the
    places of other drawings.
    """

    seen: bool = False
    white: list[Any] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    drawn: list[_Corners] = field(default_factory=list)


class Words:
    """The words of a document, and their backgrounds."""

    def __init__(self, document: weasyprint.Document) -> None:
        self._sheets = [_looked_at(page) for page in document.pages]

    def blacken(self) -> bool:
        """Makes white words without a background black; returns whether there were any."""
        found = False
        for sheet in self._sheets:
            white, sheet.white = sheet.white, []
            for box in white:
                if any(_overlap(_corners(box), each) for each in sheet.drawn):
                    sheet.white.append(box)
                else:
                    box.style = box.style.copy()
                    box.style["color"] = _BLACK
                    sheet.seen = found = True
        return found

    def blank_pages(self) -> Iterator[int]:
        """The pages (from 1) that have words, but on which nothing is visible."""
        for number, sheet in enumerate(self._sheets, 1):
            if (sheet.hidden or sheet.white) and not sheet.seen and not sheet.drawn:
                yield number

    @property
    def is_bare(self) -> bool:
        """Whether nothing at all is laid out, visible or not."""
        return not any(sheet.seen or sheet.hidden or sheet.white or sheet.drawn for sheet in self._sheets)

    def hidden(self) -> list[str]:
        """The hidden words of the document."""
        return " ".join(text for sheet in self._sheets for text in sheet.hidden).split()


def _looked_at(page: Any) -> _Sheet:
    sheet = _Sheet()
    whole = page._page_box
    if _is_dark(whole.canvas_background):
        sheet.drawn.append((0.0, 0.0, whole.margin_width(), whole.margin_height()))
    waiting = [(whole, False)]
    while waiting:
        box, hidden = waiting.pop()
        hidden = hidden or box.style["opacity"] == 0
        waiting += [(child, hidden) for child in getattr(box, "children", ())]
        unseen = hidden or box.style["visibility"] != "visible"
        if isinstance(box, boxes.TextBox):
            _sort(sheet, box, unseen)
        elif not unseen and box is not whole and (isinstance(box, boxes.ReplacedBox) or _is_framed(box)):
            sheet.drawn.append(_corners(box))
    return sheet


def _sort(sheet: _Sheet, box: Any, unseen: bool) -> None:
    if not box.text.strip() or box.style["font_size"] < _SMALLEST_PX:
        return
    colour = box.style["color"]
    if unseen or not colour.alpha:
        sheet.hidden.append(box.text)
    elif _is_white(colour):
        sheet.white.append(box)
    else:
        sheet.seen = True


def _is_framed(box: Any) -> bool:
    """Whether something is drawn in the place of a box besides its content."""
    sides = ("top", "right", "bottom", "left")
    return _is_dark(getattr(box, "background", None)) or any(
        box.style[f"border_{side}_width"] for side in sides
    )


def _is_dark(background: Any) -> bool:
    """Whether a background is visible on white paper."""
    if background is None:
        return False
    return any(layer.image is not None for layer in background.layers) or (
        bool(background.color.alpha) and not _is_white(background.color)
    )


def _is_white(colour: Any) -> bool:
    return bool(1.0 - colour.alpha * (1.0 - _lightness(colour)) > _WHITE)


def _lightness(colour: Any) -> float:
    """How light a colour is, 0 to 1, in any of CSS's spaces (CSS Color 4)."""
    first, *others = (value or 0.0 for value in colour.coordinates)
    if colour.space in {"lab", "lch"}:
        return float(first) / 100.0
    if colour.space in {"oklab", "oklch"}:
        return float(first)
    try:
        red, green, blue = (value or 0.0 for value in colour.to("srgb").coordinates)
    except NotImplementedError:  # a wider space: close enough
        red, green, blue = first, *others
    return float(0.3 * red + 0.59 * green + 0.11 * blue)


def _corners(box: Any) -> _Corners:
    return (
        box.position_x,
        box.position_y,
        box.position_x + box.margin_width(),
        box.position_y + box.margin_height(),
    )


def _overlap(one: _Corners, other: _Corners) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
