"""Placement of content: paper, pixels, rows, rotation, scaling; nothing is cut off."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.documents.geometry import PIXELS_PER_MM, ROWS_PER_MM, PageSize, lay_out, most_rows
from appliance.documents.options import PageFormat
from appliance.t4.coding import MAX_PIXELS
from appliance.t4.page import SCAN_LINE_PIXELS, PaperLength, PaperWidth, Resolution

A4, LETTER, LEGAL = PageSize(210, 297), PageSize(215.9, 279.4), PageSize(215.9, 355.6)
B4, A3 = PageSize(257, 364), PageSize(297, 420)


@pytest.mark.parametrize(
    ("size", "paper", "width", "rows"),
    [
        (A4, PaperWidth.A4, 1728, 2287),  # 297 mm x 7.7
        (LETTER, PaperWidth.A4, 1728, 2142),  # 215.9 mm made to fit 215
        (LEGAL, PaperWidth.A4, 1728, 2727),
        (B4, PaperWidth.B4, 2048, 2781),
        (A3, PaperWidth.A3, 2432, 3234),
    ],
)
def test_each_sheet_gets_its_scan_line_and_its_length(
    size: PageSize, paper: PaperWidth, width: int, rows: int
) -> None:
    layout = lay_out(size, PageFormat(Resolution.FINE))
    assert layout.paper is paper
    assert layout.width == width
    assert layout.rows == pytest.approx(rows, abs=12)
    assert not layout.turned


def test_a4_keeps_its_true_size() -> None:
    layout = lay_out(A4, PageFormat(Resolution.FINE))
    assert layout.box_width == round(210 * 1728 / 215)
    assert layout.box_rows == layout.rows == round(297 * 7.7)


def test_legal_on_a_receiver_of_a4_length_is_made_smaller_not_cut() -> None:
    layout = lay_out(LEGAL, PageFormat(Resolution.FINE, PaperWidth.A4, PaperLength.A4))
    assert layout.rows == round(297 * 7.7)
    assert layout.box_rows == layout.rows
    assert layout.box_width / layout.box_rows == pytest.approx(
        215.9 / 355.6 * (1728 / 215) / 7.7, rel=0.002
    )  # in proportion


def test_a3_on_a_receiver_of_a4_paper_is_made_smaller_not_cut() -> None:
    layout = lay_out(A3, PageFormat(Resolution.FINE, PaperWidth.A4, PaperLength.A4))
    assert (layout.paper, layout.width) == (PaperWidth.A4, 1728)
    assert layout.rows <= round(297 * 7.7)


def test_landscape_is_turned_and_small_wide_pages_are_not() -> None:
    assert lay_out(PageSize(297, 210), PageFormat()).turned
    assert lay_out(PageSize(297, 210), PageFormat()).paper is PaperWidth.A4
    assert not lay_out(PageSize(210, 148), PageFormat()).turned


sizes = st.builds(PageSize, st.floats(0.1, 20_000), st.floats(0.1, 20_000))
formats = st.builds(
    PageFormat, st.sampled_from(Resolution), st.sampled_from(PaperWidth), st.sampled_from(PaperLength)
)


@given(sizes, formats, st.integers(0, 80))
def test_a_page_of_any_size_fits_the_format_and_its_limits(
    size: PageSize, form: PageFormat, strip: int
) -> None:
    layout = lay_out(size, form, strip)
    papers = list(PaperWidth)
    assert papers.index(layout.paper) <= papers.index(form.width)
    assert layout.width == SCAN_LINE_PIXELS[layout.paper][form.resolution.x_dpi]
    assert 0 < layout.rows <= most_rows(form)
    assert layout.width * layout.rows <= MAX_PIXELS
    assert layout.left >= 0
    assert layout.left + layout.box_width <= layout.width
    assert layout.top >= strip
    assert layout.top + layout.box_rows <= layout.rows
    # in proportion, to the pixel
    across, down = PIXELS_PER_MM[form.resolution.x_dpi], ROWS_PER_MM[form.resolution.y_dpi]
    width, height = (size.height, size.width) if layout.turned else (size.width, size.height)
    scale = max((layout.box_width - 1) / across / width, (layout.box_rows - 1) / down / height)
    assert scale <= 1.0001
    assert abs(layout.box_width - max(1, width * across * scale)) <= 1 + 0.02 * layout.box_width or (
        abs(layout.box_rows - max(1, height * down * scale)) <= 1 + 0.02 * layout.box_rows
    )
