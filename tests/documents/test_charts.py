"""Charts with their legends: what a colour stands for can be told, in drawings and in scans of them."""

from __future__ import annotations

import io
import math
import random

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

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
