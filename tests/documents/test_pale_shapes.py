"""What is told apart by its tone stays apart: pale shapes beside dark ones, light type between dark type."""

from __future__ import annotations

import io
import math

import pikepdf
import pytest
from PIL import Image

from tests.documents.conftest import Rendered
from tests.documents.making import pdf, picture

LEFT, WIDE = 100, 200
SHARES = (10, 40, 70)


def _ink(page: Image.Image, left: float, low: float, right: float, high: float) -> float:
    """The share of black in a box of a page of 595 by 842 points."""
    middle = page.height / 2
    box = (
        round(page.width / 2 + (left - 297.5) * 204 / 72),
        round(middle + (421 - high) * page.height / 842),
        round(page.width / 2 + (right - 297.5) * 204 / 72),
        round(middle + (421 - low) * page.height / 842),
    )
    seen = page.crop(box).convert("L").tobytes()
    return sum(value == 0 for value in seen) / len(seen)


def _written(document: pikepdf.Pdf) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


@pytest.mark.parametrize("track", [0.82, 0.87, 0.914])
@pytest.mark.parametrize(("high", "share_tint"), [(6, "0.3 0.67 0.97"), (12, "0.1 0.1 0.1")])
def test_of_a_bar_that_shows_a_share_the_rest_is_not_as_black_as_the_share(
    rendered: Rendered, track: float, high: int, share_tint: str
) -> None:
    bars = " ".join(
        f"{track} g {LEFT} {700 - 40 * row} {WIDE} {high} re f "
        f"{share_tint} rg {LEFT} {700 - 40 * row} {WIDE * share / 100} {high} re f"
        for row, share in enumerate(SHARES)
    )
    page = picture(
        rendered(pdf([(595, 842, f"{bars} 0 g BT /F 10 Tf 320 760 Td (Done) Tj ET")])).coded_page(0)
    )
    for row, share in enumerate(SHARES):
        low, at = 700 - 40 * row, LEFT + WIDE * share / 100
        assert _ink(page, LEFT + 1, low + 1, at - 1, low + high - 1) > 0.95, f"{share} %"
        assert _ink(page, at + 2, low + 1, LEFT + WIDE - 2, low + high - 1) < 0.15, f"{share} %"
        assert _ink(page, at + 5, low - 1, LEFT + WIDE - 5, low + 1) > 0.1, f"{share} %: no outline"


def test_the_pale_stars_of_a_rating_are_not_as_black_as_the_others(rendered: Rendered) -> None:
    star = "0 8 m 2 2 l 8 2 l 3 -1.5 l 5 -8 l 0 -4 l -5 -8 l -3 -1.5 l -8 2 l -2 2 l f"
    stars = " ".join(
        f"q 1 0 0 1 {120 + 25 * each} 700 cm {'1 0.7 0 rg' if each < 3 else '0.87 g'} {star} Q"
        for each in range(5)
    )
    page = picture(rendered(pdf([(595, 842, stars)])).coded_page(0))
    for each in range(5):
        x = 120 + 25 * each
        assert (_ink(page, x - 2, 697, x + 2, 702) > 0.95) == (each < 3), f"star {each + 1}"


@pytest.mark.parametrize("opacity", [0.1, 0.3])
def test_a_large_transparent_word_over_type_is_no_type_also_in_a_form(
    rendered: Rendered, opacity: float
) -> None:
    sentence = "Rent is due on the third working day and costs of reminders are charged"
    lines = " ".join(f"BT /F 10 Tf 80 {700 - 14 * row} Td ({sentence}) Tj ET" for row in range(16))
    document = pikepdf.open(io.BytesIO(pdf([(595, 842, f"0 g {lines}")])))
    word = document.make_stream(
        b"0.8 0 0 rg BT /F 100 Tf 0.94 0.34 -0.34 0.94 100 480 Tm (DRAFT) Tj ET",
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Form,
        BBox=[0, 0, 595, 842],
        Group=pikepdf.Dictionary(S=pikepdf.Name.Transparency),
        Resources=document.pages[0].Resources,
    )
    pages = [picture(rendered(_written(document)).coded_page(0))]
    document.pages[0].Resources = pikepdf.Dictionary(
        Font=document.pages[0].Resources.Font,
        XObject=pikepdf.Dictionary(W=word),
        ExtGState=pikepdf.Dictionary(E=pikepdf.Dictionary(ca=opacity)),
    )
    document.pages[0].contents_add(b"/E gs /W Do")
    pages.append(picture(rendered(_written(document)).coded_page(0)))
    alone, page = (_ink(each, 75, 480, 520, 715) for each in pages)
    assert 0.9 * alone < page < 1.1 * alone


@pytest.mark.parametrize("tint", ["0.15 0.5 0.8", "0.05 0.3 0.55"])
def test_light_figures_between_dark_ones_are_white_on_black(rendered: Rendered, tint: str) -> None:
    cells = []
    for row in range(6):
        for column in range(9):
            x, y, dark = 100 + 14 * column, 700 - 15 * row, (row + 2 * column) % 5 == 0
            cells.append(
                f"{tint if dark else '0.8 0.9 1'} rg {x} {y} 14 15 re f {'1 g' if dark else '0.2 g'}"
            )
            cells.append(f"BT /F 8 Tf {x + 2.5} {y + 4.5} Td (6{column}) Tj ET")
    page = picture(rendered(pdf([(595, 842, " ".join(cells))])).coded_page(0))
    for row in range(6):
        for column in range(9):
            x, y, dark = 100 + 14 * column, 700 - 15 * row, (row + 2 * column) % 5 == 0
            ink = _ink(page, x + 2, y + 4, x + 12, y + 11)
            assert 0.5 < ink < 0.9 if dark else 0.05 < ink < 0.5, (row, column, ink)


def test_two_tints_that_are_drawn_alike_are_parted_by_a_line(rendered: Rendered) -> None:
    tints = "0.66 g 100 500 100 100 re f 0.8 g 200 500 100 100 re f"
    page = picture(rendered(pdf([(595, 842, tints)])).coded_page(0))
    assert _ink(page, 199.2, 510, 200.8, 590) > 0.2
    assert _ink(page, 230, 510, 231.6, 590) < 0.15


def test_tints_that_are_black_for_their_light_figures_are_parted_by_a_white_line(rendered: Rendered) -> None:
    tints = (
        "0.27 0.45 0.77",
        "0.93 0.49 0.19",
        "0.65 0.65 0.65",
        "1 0.75 0",
        "0.36 0.61 0.84",
        "0.44 0.68 0.28",
    )
    pieces = [
        f"{tint} rg 100 {500 + 30 * each} 40 30 re f 1 g BT /F 9 Tf 113 {512 + 30 * each} Td (4{each}) Tj ET"
        for each, tint in enumerate(tints)
    ]
    page = picture(rendered(pdf([(595, 842, " ".join(pieces))])).coded_page(0))
    for each in range(len(tints)):
        low = 500 + 30 * each
        assert _ink(page, 102, low + 3, 138, low + 8) > 0.95, f"piece {each}"
        if each:
            assert _ink(page, 102, low - 0.8, 138, low + 0.8) < 0.7, f"between pieces {each - 1} and {each}"


def test_a_sector_with_a_light_figure_is_not_black_in_part(rendered: Rendered) -> None:
    def at(angle: float, radius: float) -> tuple[float, float]:
        return 200 + radius * math.cos(math.radians(angle)), 600 - radius * math.sin(math.radians(angle))

    arc = " ".join("{:.2f} {:.2f} l".format(*at(angle, 75)) for angle in range(112, 174))
    x, y = at(142, 37)
    sector = f"0.65 g 200 600 m {arc} h f 1 g BT /F 8 Tf {x - 8} {y - 3} Td (17%) Tj ET"
    page = picture(rendered(pdf([(595, 842, sector)])).coded_page(0))
    inks = [_ink(page, x - 5, y - 5, x + 5, y + 5) for x, y in (at(angle, 62) for angle in (120, 142, 164))]
    assert max(inks) < 0.6, inks


@pytest.mark.parametrize("road", [0.84, 0.88])
@pytest.mark.parametrize("slope", [0, 12, -12])
def test_the_outline_of_a_pale_road_keeps_off_the_name_on_it(
    rendered: Rendered, road: float, slope: int
) -> None:
    name = "0.2 g BT /F 9 Tf 160 500 Td (Lindenweg 10) Tj ET"
    line = f"{road} G 6 w 60 {503 - slope} m 320 {503 + slope} l S"
    alone, crossed = (
        picture(rendered(pdf([(595, 842, content)])).coded_page(0)) for content in (name, f"{line} {name}")
    )
    assert _ink(crossed, 60, 495 - slope, 90, 511 - slope) > 0, "no road"
    for left, low, right, high in ((158, 499, 159.8, 507), (161, 507.2, 213, 508.4)):
        assert _ink(crossed, left, low, right, high) <= _ink(alone, left, low, right, high) + 0.02
