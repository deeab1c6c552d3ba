"""Scans whose ink is pale on the whole page: carbon copies, thermal paper after some years."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from appliance.documents.bilevel.pale import strengthened
from appliance.documents.typeface import MONOSPACED, font
from tests.documents.conftest import Rendered
from tests.documents.making import photograph, picture, save
from tests.documents.ocr import words_on

LINES = 40


def scan(ink: int, *, spot: bool = False, pink: bool = False) -> Image.Image:
    """A page of 200 dpi with type of this grey on paper of 242, with a sensor's noise."""
    page = Image.new("L", (1654, 2339), 242)
    draw = ImageDraw.Draw(page)
    for line in range(LINES):
        words = f"Line {line}: the quick brown fox jumps over the lazy dog"
        draw.text((150, 150 + 50 * line), words, ink, font(MONOSPACED, 28))
    page = page.filter(ImageFilter.GaussianBlur(0.6))
    if spot:
        ImageDraw.Draw(page).rectangle((150, 2200, 350, 2280), 0)
    page = ImageChops.add(page, Image.effect_noise(page.size, 4), 1, -128)
    green = page.point([max(0, level - 30) for level in range(256)])
    return Image.merge("RGB", (page, green, page)) if pink else page


@pytest.mark.parametrize("kind", ["PNG", "PDF"])
@pytest.mark.parametrize("pink", [False, True], ids=["grey", "pink"])
def test_type_that_is_pale_on_the_whole_page_is_read(
    rendered: Rendered, tmp_path: Path, pink: bool, kind: str
) -> None:
    content = save(scan(214, pink=pink), kind, resolution=200, dpi=(200, 200))
    page = picture(rendered(content).coded_page(0))
    assert words_on(page, tmp_path).count("quick brown fox") >= 0.9 * LINES


@pytest.mark.parametrize(
    "made",
    [
        lambda: scan(150),
        lambda: scan(214, spot=True),
        lambda: scan(230),
        lambda: Image.new("L", (800, 1000), 240),
        lambda: photograph(800, 1000),
        lambda: photograph(800, 1000).point([170 + level // 4 for level in range(256)]),
    ],
    ids=["dark", "a dark spot", "shines through", "empty", "photograph", "a pale photograph"],
)
def test_any_other_picture_is_left_as_it_is(made: Callable[[], Image.Image]) -> None:
    page = made()
    assert strengthened(page) is page
