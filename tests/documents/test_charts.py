"""Charts with their legends: what a colour stands for can be told, in drawings and in scans of them."""

from __future__ import annotations

import io
import itertools
import math
import random

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from appliance.documents.typeface import REGULAR, font
from tests.documents.conftest import Rendered
from tests.documents.making import pdf, picture

DPI = 200
# Office's colours of a chart, none of which is drawn solid.
COLOURS = ("#156082", "#E97132", "#196B24", "#0F9ED5", "#A02B93", "#4EA72E")
SHARES = (31, 22, 17, 13, 9, 8)
RADIUS, HOLE, GAP = 250, 125, 4


def _scan(page: Image.Image, seed: int = 1) -> bytes:
    """A PDF with ``page`` as a scanner gives it: a little blurred, with noise, as JPEG."""
    noise = Image.frombytes("L", page.size, random.Random(seed).randbytes(page.width * page.height))
    grain = noise.point([118 + each // 13 for each in range(256)])
    seen = page.filter(ImageFilter.GaussianBlur(0.6))
    grained = ImageChops.add(seen, Image.merge("RGB", [grain] * 3), offset=-128)
    out = io.BytesIO()
    grained.save(out, "PDF", resolution=DPI, quality=75)
    return out.getvalue()


def _donut(turned: float) -> tuple[Image.Image, list[tuple[float, float]]]:
    """A scanned ring with white gaps between its sectors, and the middles of the sectors from its own."""
    page = Image.new("RGB", (1654, 2339), "white")
    draw = ImageDraw.Draw(page)
    middle, begun, places = (600, 700), turned, []
    box = (middle[0] - RADIUS, middle[1] - RADIUS, middle[0] + RADIUS, middle[1] + RADIUS)
    for share, colour in zip(SHARES, COLOURS, strict=True):
        draw.pieslice(box, begun, begun + 3.6 * share, fill=colour)
        half = math.radians(begun + 1.8 * share)
        places.append(((RADIUS + HOLE) / 2 * math.cos(half), (RADIUS + HOLE) / 2 * math.sin(half)))
        begun += 3.6 * share
    for share in SHARES:
        begun += 3.6 * share
        end = math.radians(begun)
        out = (middle[0] + RADIUS * math.cos(end), middle[1] + RADIUS * math.sin(end))
        draw.line((middle, out), fill="white", width=GAP)
    draw.ellipse([middle[0] - HOLE, middle[1] - HOLE, middle[0] + HOLE, middle[1] + HOLE], fill="white")
    return page, [(middle[0] + x, middle[1] + y) for x, y in places]


@pytest.mark.parametrize("turned", range(-90, 90, 20))
def test_no_sector_of_a_scanned_ring_is_black_for_the_white_gaps_beside_it(
    rendered: Rendered, turned: int
) -> None:
    page, places = _donut(turned)
    seen = picture(rendered(_scan(page)).coded_page(0)).convert("L")
    for colour, (x, y) in zip(COLOURS, places, strict=True):
        at, down = seen.width / 2 + (x - 827) * 204 / DPI, seen.height / 2 + (y - 1169.5) * 196 / DPI
        patch = seen.crop((round(at - 20), round(down - 20), round(at + 20), round(down + 20)))
        assert patch.histogram()[0] < 0.8 * 40 * 40, colour


KEYS = {
    "#d32f2f": True,
    "#1976d2": True,
    "#fbc02d": True,
    "#a5a5a5": True,
    "#ffffff": False,
    "#d0d0d0": False,
}


def _box(page: Image.Image, left: float, low: float, side: float) -> Image.Image:
    """What a fax of an A4 page shows within a square, given in points from the lower left corner."""
    across, down = page.width / 2 + (left - 297.5) * 204 / 72, page.height / 2 + (421 - low - side) * 196 / 72
    return page.crop(
        (round(across), round(down), round(across + side * 204 / 72), round(down + side * 196 / 72))
    )


def _fill(colour: str) -> str:
    return " ".join(f"{int(colour[at : at + 2], 16) / 255:.3f}" for at in (1, 3, 5)) + " rg"


@pytest.mark.parametrize("gap", [2.4, 6.0])
@pytest.mark.parametrize("colour", KEYS)
def test_the_key_of_a_legend_between_words_shows_that_it_is_filled(
    rendered: Rendered, colour: str, gap: float
) -> None:
    words = f"0 g BT /F 10 Tf 60 702 Td (Missing) Tj ET BT /F 10 Tf {110 + gap} 702 Td (Filled) Tj ET"
    key = f"{_fill(colour)} 101 700 9 9 re f 0 G 0.5 w 101 700 9 9 re S"
    page = picture(rendered(pdf([(595, 842, f"{words} {key}")])).coded_page(0)).convert("L")
    ink = _box(page, 102.5, 701.5, 6).histogram()[0]
    assert (ink >= 25) == KEYS[colour], ink


def test_between_words_on_a_tint_there_are_no_pieces_of_its_lines(rendered: Rendered) -> None:
    row = "1 0.85 0.2 rg 50 690 400 22 re f 0 g"
    words = " ".join(f"BT /F 10 Tf {60 + 52 * each} 698 Td (Words) Tj ET" for each in range(6))
    page = picture(rendered(pdf([(595, 842, f"{row} {words}")])).coded_page(0)).convert("L")
    for each in range(5):
        assert _box(page, 60 + 52 * each + 36, 698, 8).histogram()[0] == 0, each


@pytest.mark.parametrize("colour", [colour for colour, shown in KEYS.items() if shown])
def test_a_small_field_of_a_chart_that_is_filled_is_told_from_one_that_is_not(
    rendered: Rendered, colour: str
) -> None:
    fields = f"0.4 G 1 w {_fill(colour)} 100 600 14 14 re B 1 g 130 600 14 14 re B"
    page = picture(
        rendered(pdf([(595, 842, f"{fields} BT /F 10 Tf 100 700 Td (Chart) Tj ET")])).coded_page(0)
    )
    filled, empty = (_box(page.convert("L"), left, 602, 10).histogram()[0] for left in (102, 132))
    assert filled >= 60, filled
    assert empty == 0, empty


def test_dark_figures_in_the_dark_cells_of_a_scan_are_not_swallowed(rendered: Rendered) -> None:
    page, boxes = Image.new("RGB", (1654, 2339), "white"), []
    draw = ImageDraw.Draw(page)
    tints = ("#375fff", "#ff8a65", "#f0f4ff", "#8aa4ff", "#ff5b2e", "#e0e6ff", "#ffd0c4")
    for row, column in itertools.product(range(8), range(10)):
        x, y, tint = 200 + 94 * column, 300 + 55 * row, tints[(row * 3 + column * 5 + row // 3) % len(tints)]
        draw.rectangle((x, y, x + 93, y + 54), tint)
        draw.text((x + 40, y + 12), f"-{40 + row}", "black", font(REGULAR, 28))
        boxes.append(draw.textbbox((x + 40, y + 12), f"-{40 + row}", font(REGULAR, 28)))
    seen = picture(rendered(_scan(page)).coded_page(0)).convert("L")
    for left, top, right, below in boxes:
        figure = seen.crop(
            (
                round(seen.width / 2 + (left - 827) * 204 / DPI),
                round(seen.height / 2 + (top - 1169.5) * 196 / DPI),
                round(seen.width / 2 + (right - 827) * 204 / DPI),
                round(seen.height / 2 + (below - 1169.5) * 196 / DPI),
            )
        )
        assert 0.1 < figure.histogram()[0] / (figure.width * figure.height) < 0.6, (left, top)


def _blackest_column(page: Image.Image, left: int, right: int) -> float:
    """The greatest share of black of the columns at these pixels of a scan, in its rows 500 to 640."""
    across, down = page.width / 2 - 827 * 204 / DPI, page.height / 2 - 1169.5 * 196 / DPI
    rows = range(round(down + 515 * 196 / DPI), round(down + 625 * 196 / DPI))
    columns = range(round(across + left * 204 / DPI), round(across + right * 204 / DPI))
    return max(sum(page.getpixel((x, y)) == 0 for y in rows) / len(rows) for x in columns)


def test_two_colours_of_one_grey_are_parted_by_a_line_in_a_scan(rendered: Rendered) -> None:
    page = Image.new("RGB", (1654, 2339), "white")
    draw = ImageDraw.Draw(page)
    for place, colour in enumerate(("#3366cc", "#dc3912", "#0e7a94")):
        draw.rectangle((300 + 110 * place, 500, 409 + 110 * place, 640), fill=colour)
    draw.rectangle((300, 700, 410, 800), fill="#ff9900")
    seen = picture(rendered(_scan(page)).coded_page(0)).convert("L")
    for border in (410, 520):
        assert _blackest_column(seen, border - 6, border + 6) > 0.8
        assert _blackest_column(seen, border - 80, border - 20) < 0.6


def test_a_colour_that_turns_into_another_has_no_line_in_it(rendered: Rendered) -> None:
    fade = Image.linear_gradient("L").rotate(90).resize((330, 140))
    page = Image.new("RGB", (1654, 2339), "white")
    page.paste(
        Image.composite(Image.new("RGB", fade.size, "#dc3912"), Image.new("RGB", fade.size, "#3366cc"), fade),
        (300, 500),
    )
    ImageDraw.Draw(page).rectangle((300, 700, 410, 800), fill="#ff9900")
    seen = picture(rendered(_scan(page)).coded_page(0)).convert("L")
    assert _blackest_column(seen, 320, 610) < 0.6
