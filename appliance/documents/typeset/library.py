"""What in WeasyPrint is mended: a writer of fonts and a layout that are slow, sums that fail, tabs that
vanish.
"""

from __future__ import annotations

from typing import Any

from weasyprint import css
from weasyprint.layout import preferred
from weasyprint.pdf import fonts as pdf_fonts
from weasyprint.text import line_break
from weasyprint.text.ffi import TO_UNITS, ffi, pango

_FARTHEST_TAB = 1 << 30  # in Pango's units, which are integers of 32 bits


class _Types:
    """cffi for the writer of fonts, which names an array's type with its length.

    cffi would parse each length anew, for 2.4 ms.
    """

    _ARRAY = "hb_codepoint_t["

    def __init__(self, ffi: Any) -> None:
        self._ffi = ffi

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ffi, name)

    def new(self, name: str, *content: Any) -> Any:
        return self._ffi.new(f"{self._ARRAY}]" if name.startswith(self._ARRAY) else name, *content)


_split_first_line = preferred.split_first_line
# Characters that contain the first of the shortest lines of most texts, with those on which its end depends.
_SHORTEST_LINE, _BEHIND_LINE = 24, 8


def _first_of_shortest_lines(
    text: str, style: Any, context: Any, width: Any, *more: Any, **named: Any
) -> Any:
    """WeasyPrint's own, of the text's beginning where that is enough.

    The least width of a table's cell is found line by line, and a line may be a letter.  With all that
    follows each time, a paragraph of 4,000 letters would take 28 s.
    """
    if width == 0 and len(text) > _SHORTEST_LINE:
        beginning = text[:_SHORTEST_LINE]
        line = _split_first_line(beginning, style, context, width, *more, **named)
        end = line[2]
        if end is not None and end <= len(beginning[:-_BEHIND_LINE].encode()):
            return line
    return _split_first_line(text, style, context, width, *more, **named)


_sum_of_calc = css._resolve_calc_sum


def _sum_or_none(*given: Any) -> Any:
    """WeasyPrint's own; None, as for other impossible values, for a sum that lacks a term.

    It lacks one where nothing sets a variable in it; WeasyPrint would fail at the page.
    """
    try:
        return _sum_of_calc(*given)
    except AssertionError:
        return None


def _set_tabs(layout: Any) -> None:
    """WeasyPrint's own, with stops at whole columns instead of whole pixels.

    Between those two lies the end of a word that is as long as a column: the tab behind it would be nothing.
    """
    width = layout.style["tab_size"]
    if isinstance(width, int):
        spaces = line_break.Layout(layout.style, layout.justification_spacing)
        spaces.set_text(" " * width)
        pixels, _ = line_break.line_size(spaces.get_first_line()[0], layout.style)
    else:
        pixels = width.value
    stop = max(1, round(min(pixels * TO_UNITS, _FARTHEST_TAB)))
    stops = pango.pango_tab_array_new_with_positions(1, False, pango.PANGO_TAB_LEFT, stop)
    pango.pango_layout_set_tabs(layout.layout, ffi.gc(stops, pango.pango_tab_array_free))


def mend() -> None:
    """Replaces these functions for the whole process."""
    pdf_fonts.ffi = _Types(pdf_fonts.ffi)
    preferred.split_first_line = _first_of_shortest_lines
    css._resolve_calc_sum = _sum_or_none
    line_break.Layout.set_tabs = _set_tabs
