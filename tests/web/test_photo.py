"""A photograph of a page from a phone's camera: cropped to the page and straightened, or left alone."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from tests.web.browser import Web
from tests.web.test_sending import picture_of

pytestmark = pytest.mark.realtime

# Where the corners of the sheet are in the photograph: askew, and nearer below than above.
_CORNERS = ((310, 180), (1010, 260), (1090, 1380), (150, 1290))
# Rows by columns of the fax page, were the sheet of the shape that it has in the photograph.
_AS_IT_LOOKS = 1.12
_BAR = (100, 160, 620, 200)  # on the sheet of 720 by 1018


def sheet() -> Image.Image:
    page = Image.new("L", (720, 1018), 235)
    draw = ImageDraw.Draw(page)
    draw.rectangle(_BAR, fill=15)
    for row in range(14):
        draw.text((100, 280 + 44 * row), "Please find enclosed the findings of today", fill=30, font_size=26)
    return page


def photograph(folder: Path) -> Path:
    """The sheet on a dark table."""
    grain = Image.frombytes("L", (1240, 1600), random.Random(3).randbytes(1240 * 1600))
    table = grain.point(lambda grey: grey // 6 + 20)
    # Pillow asks where each point of the result comes from: solved for the eight numbers.
    numbers = _solve(_CORNERS, ((0, 0), (720, 0), (720, 1018), (0, 1018)))
    size = table.size
    laid = sheet().transform(size, Image.Transform.PERSPECTIVE, numbers, Image.Resampling.BICUBIC)
    there = Image.new("L", (720, 1018), 255).transform(size, Image.Transform.PERSPECTIVE, numbers)
    table.paste(laid, mask=there)
    path = folder / "photo.jpg"
    table.convert("RGB").save(path, quality=90)
    return path


def _solve(seen: tuple[tuple[int, int], ...], flat: tuple[tuple[int, int], ...]) -> list[float]:
    """Gauss, for the perspective that takes ``seen`` to ``flat``."""
    rows: list[list[float]] = []
    for (x, y), (u, v) in zip(seen, flat, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, v])
    for at in range(8):
        best = max(range(at, 8), key=lambda row: abs(rows[row][at]))
        rows[at], rows[best] = rows[best], rows[at]
        rows[at] = [value / rows[at][at] for value in rows[at]]
        for row in range(8):
            if row != at:
                factor = rows[row][at]
                rows[row] = [value - factor * own for value, own in zip(rows[row], rows[at], strict=True)]
    return [row[8] for row in rows]


def taken(page: Page, photo: Path) -> Image.Image:
    """The page that becomes of it, as it will be sent."""
    page.locator("#camera").set_input_files(photo)
    expect(page.locator("#pages img").first).to_be_visible()
    expect(page.locator("#paper")).to_have_attribute("aria-busy", "false")
    return picture_of(page, 1).convert("L")


def darkness(picture: Image.Image, box: tuple[float, float, float, float]) -> float:
    """How much of a part (in parts of the picture) is black."""
    width, height = picture.size
    part = picture.crop(
        (int(box[0] * width), int(box[1] * height), int(box[2] * width), int(box[3] * height))
    )
    return part.histogram()[0] / (part.width * part.height)


def fall(picture: Image.Image) -> float:
    """By how much the bar is lower on the right than on the left, in parts of the picture's height."""
    heights = []
    for left in (0.4, 0.6):
        rows = [row / 500 for row in range(50, 250) if darkness(picture, _row(left, row)) > 0.8]
        assert rows, "there is no bar"
        heights.append(sum(rows) / len(rows))
    return heights[1] - heights[0]


def _row(left: float, row: int) -> tuple[float, float, float, float]:
    return (left, row / 500, left + 0.05, (row + 1) / 500)


def test_a_photograph_of_a_page_becomes_the_page(box: Web, tmp_path: Path) -> None:
    page = box.page("petra", phone=True)
    page.goto("/")
    made = taken(page, photograph(tmp_path))
    assert abs(fall(made)) < 0.004
    # The sheet's own margins are white; of the table nothing is left.
    for edge in ((0.0, 0.05, 0.1, 0.99), (0.92, 0.05, 1.0, 0.99), (0.0, 0.03, 1.0, 0.12)):
        assert darkness(made, edge) < 0.01, edge
    # As long as the sheet is, though it looks shorter in the photograph.
    assert made.height / made.width > _AS_IT_LOOKS + 0.08


def test_a_photograph_stays_as_it_is_for_who_wants_that_and_where_no_page_is_seen(
    box: Web, tmp_path: Path
) -> None:
    page = box.page("paul", phone=True)
    page.goto("/")
    # Wherever it stands while the page is still being drawn.
    page.locator("#straighten").dispatch_event("click")
    expect(page.locator("#straighten")).not_to_be_checked()
    assert fall(taken(page, photograph(tmp_path))) > 0.007
    static = page.locator("script[src$='/send.js']").get_attribute("src") or ""
    noise = io.BytesIO()
    octets = random.Random(5).randbytes(300 * 300)
    Image.frombytes("L", (300, 300), octets).save(noise, "PNG")
    same = page.evaluate(
        """async ([module, octets]) => {
          const { straightened } = await import(module);
          const noise = new File([new Uint8Array(octets)], "noise.png", { type: "image/png" });
          const broken = new File(["no picture"], "broken.png", { type: "image/png" });
          return [await straightened(noise) === noise, await straightened(broken) === broken];
        }""",
        [static.replace("send.js", "photo.js"), list(noise.getvalue())],
    )
    assert same == [True, True]
