"""Pages that lie a little turned on the scanner: bars, pale rules, small type between fields."""

from __future__ import annotations

import functools
import math
import random

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

from appliance.documents.typeface import BOLD, REGULAR, font
from appliance.t4.page import Resolution
from tests.documents.test_screen import bilevel

TURN = 0.35  # degrees
PAPER = (250, 249, 245)
BOTH = pytest.mark.parametrize("resolution", [Resolution.FINE, Resolution.STANDARD])


def _turned(page: Image.Image) -> Image.Image:
    return page.rotate(TURN, Image.Resampling.BICUBIC, fillcolor=PAPER if page.mode == "RGB" else 0)


@functools.cache
def _grain(size: tuple[int, int]) -> Image.Image:
    rng = random.Random(8)
    octets = bytes(int(rng.gauss(128, 4)) for _ in range(size[0] * size[1]))
    return Image.frombytes("L", size, octets).convert("RGB")


def _faxed(page: Image.Image, resolution: Resolution) -> Image.Image:
    """``page``, turned and scanned with grain, as a fax enlarged to the pixels of ``page``."""
    size = (page.width * 3 // 4, page.height * 3 // 4)
    scan = _turned(page).resize(size, Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.6))
    scan = ImageChops.add(scan, _grain(size), 1, -128).filter(ImageFilter.UnsharpMask(1.5, 50, 0))
    rows = page.height * resolution.y_dpi // 196
    whole = scan.resize((page.width, rows), Image.Resampling.BICUBIC)
    return bilevel(whole, resolution).resize(page.size, Image.Resampling.NEAREST)


def _share(faxed: Image.Image, where: Image.Image) -> float:
    """The share of ink in a fax where the drawing ``where``, turned like it, is white."""
    place = _turned(where).point(lambda level: 255 if level > 250 else 0)
    ink = ImageChops.darker(ImageChops.invert(faxed), place)
    return ImageStat.Stat(ink).sum[0] / ImageStat.Stat(place).sum[0]


@BOTH
@pytest.mark.parametrize("colour", [(122, 184, 0), (232, 113, 10)])
def test_a_bar_of_middle_grey_is_black_to_its_edges_and_not_beyond(
    resolution: Resolution, colour: tuple[int, int, int]
) -> None:
    page = Image.new("RGB", (1728, 1200), PAPER)
    draw, inside, beyond = ImageDraw.Draw(page), Image.new("L", page.size, 0), Image.new("L", page.size, 0)
    for top in range(100, 1000, 200):
        draw.rectangle((150, top, 1100, top + 32), colour)
        ImageDraw.Draw(beyond).rectangle((150, top - 10, 1100, top - 3), 255)
        ImageDraw.Draw(inside).rectangle((155, top + 26, 1095, top + 29), 255)
        ImageDraw.Draw(inside).rectangle((155, top + 3, 1095, top + 5), 255)
        for left in range(170, 1000, 160):
            draw.text((left, top + 2), "Amount", PAPER, font(BOLD, 24))
            draw.text((left, top + 34), "994.27", (20, 20, 20), font(REGULAR, 26))
    faxed = _faxed(page, resolution)
    assert _share(faxed, inside) > 0.97, "notches"
    assert _share(faxed, beyond) < 0.04, "bulges"


@BOTH
def test_the_pale_rules_of_a_table_are_whole(resolution: Resolution) -> None:
    page = Image.new("RGB", (1728, 1200), PAPER)
    draw, rules = ImageDraw.Draw(page), [100 + row * 48 for row in range(20)]
    for y in rules:
        draw.line((150, y, 1500, y), (212, 212, 212), 2)
        draw.text((170, y + 12), f"service voucher rental account {y * 37}.20", 0, font(REGULAR, 24))
    ink = _faxed(page, resolution).point(lambda level: 255 - level)
    slope = math.tan(math.radians(TURN))
    for y in rules:
        columns = range(160, 1490)
        boxes = [(x, round(y - (x - page.width / 2) * slope), x + 1) for x in columns]
        whole = sum(ink.crop((x, at - 6, right, at + 8)).getbbox() is not None for x, at, right in boxes)
        assert whole > 0.97 * len(columns), f"gaps: {whole} of {len(columns)}"


@BOTH
def test_what_is_left_of_a_progress_bar_is_not_as_black_as_what_is_done(resolution: Resolution) -> None:
    page = Image.new("RGB", (1728, 1200), PAPER)
    draw, done, left = ImageDraw.Draw(page), Image.new("L", page.size, 0), Image.new("L", page.size, 0)
    for row in range(16):
        top, end = 100 + row * 60, 400 + row * 50
        draw.rounded_rectangle((300, top, 1400, top + 14), 7, (227, 227, 227))
        draw.rounded_rectangle((300, top, end, top + 14), 7, (63, 142, 252))
        draw.text((150, top - 8), f"{row * 5} %", (20, 20, 20), font(REGULAR, 24))
        ImageDraw.Draw(done).rectangle((310, top + 4, end - 10, top + 10), 255)
        ImageDraw.Draw(left).rectangle((end + 10, top + 4, 1390, top + 10), 255)
    faxed = _faxed(page, resolution)
    assert _share(faxed, done) > 0.95
    assert _share(faxed, left) < 0.1
