"""Photographs of pages are cropped to the page; other pictures are unchanged."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from appliance.documents.geometry import lay_out
from appliance.documents.kinds import Kind
from appliance.documents.looks import image_of
from appliance.documents.options import Limits, PageFormat, Paper, Straighten
from appliance.documents.pictures.photographs import PhotographedPage, straightened
from appliance.documents.pictures.source import ImageSource
from appliance.documents.typeface import MONOSPACED, font
from appliance.remarks import PHOTOGRAPH_STRAIGHTENED
from tests.documents.conftest import Rendered
from tests.documents.making import picture, save
from tests.documents.ocr import words_on

Corners = Sequence[tuple[float, float]]

SHEET = (1240, 1754)  # A4 at 150 dpi
SEEN = (1536, 2048)  # the camera's picture
ASKEW: Corners = ((330, 210), (1250, 330), (1370, 1830), (150, 1700))
WORDS = ["Please", "find", "enclosed", "the", "findings", "of", "today"]
_BAR = (150, 150, 1090, 190)
_LEAST_BAR = 20  # rows: no letter is so dark for so long
_EXPOSURE_TIME = 0x829A


def sheet() -> Image.Image:
    """A letter with a bar across, on paper that is not quite white."""
    page = Image.new("L", SHEET, 235)
    draw = ImageDraw.Draw(page)
    draw.rectangle(_BAR, fill=15)
    for row in range(24):
        draw.text((150, 260 + 56 * row), " ".join(WORDS), 30, font(MONOSPACED, 34))
    return page


def numbers(seen: Corners, flat: Corners) -> list[float]:
    """Pillow's eight for the perspective that takes ``seen`` to ``flat``, by Gauss."""
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


def table(grey: int) -> Image.Image:
    grain = Image.frombytes("L", SEEN, random.Random(3).randbytes(SEEN[0] * SEEN[1]))
    return grain.filter(ImageFilter.BoxBlur(1)).point(lambda value: grey + value // 6 - 20)


def laid(page: Image.Image, corners: Corners, ground: Image.Image) -> Image.Image:
    """``page`` as a camera sees it on ``ground``."""
    width, height = page.size
    solved = numbers(corners, ((0, 0), (width, 0), (width, height), (0, height)))
    seen = page.transform(ground.size, Image.Transform.PERSPECTIVE, solved, Image.Resampling.BICUBIC)
    there = Image.new("L", page.size, 255).transform(ground.size, Image.Transform.PERSPECTIVE, solved)
    made = ground.copy()
    made.paste(seen, mask=there)
    return made


def shadowed(photo: Image.Image, edge: Corners, least: int, *, soft: float = 40) -> Image.Image:
    """With a shadow over the polygon ``edge``, where so much (of 255) of the light is left."""
    light = Image.new("L", photo.size, 255)
    ImageDraw.Draw(light).polygon(list(edge), fill=least)
    return ImageChops.multiply(photo, light.filter(ImageFilter.GaussianBlur(soft)))


def taken(photo: Image.Image, kind: str = "JPEG") -> bytes:
    """As a camera writes it: with an exposure time, and a meaningless 72 dpi."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[_EXPOSURE_TIME] = 0.01
    return save(photo.convert("RGB"), kind, exif=exif, dpi=(72, 72), quality=88)


def darkness(page: Image.Image, left: float, top: float, right: float, bottom: float) -> float:
    """How much of a part (in parts of the page) is black."""
    part = page.crop(
        (
            int(left * page.width),
            int(top * page.height),
            int(right * page.width),
            int(bottom * page.height),
        )
    )
    return part.histogram()[0] / (part.width * part.height)


def fall(page: Image.Image) -> float:
    """The slope of the bar in degrees, falling from left to right."""
    heights = []
    for left in (0.15, 0.8):
        at = int(left * page.width)
        column = page.crop((at, 0, at + 4, page.height // 3)).resize(
            (1, page.height // 3), Image.Resampling.BOX
        )
        dark = bytes(value < 128 for value in column.tobytes())
        top = dark.find(bytes([1] * _LEAST_BAR))
        assert top >= 0, "there is no bar"
        heights.append(top)
    return (heights[1] - heights[0]) / (0.65 * page.width) * 57.3


def read(page: Image.Image, scratch: Path) -> float:
    """How many of the sheet's words are read, in parts of all."""
    found = words_on(page, scratch).split()
    return sum(found.count(word) for word in WORDS) / (24 * len(WORDS))


def straight(content: bytes, which: Straighten = Straighten.TAKEN) -> bool:
    """Whether it is straightened."""
    kind = Kind.PNG if content.startswith(b"\x89PNG") else Kind.JPEG
    source = ImageSource(content, kind, Paper.A4, Limits())
    return straightened(source, Paper.A4, which) is not source


def test_a_photograph_becomes_the_page_straight_whole_and_without_the_table(
    rendered: Rendered, tmp_path: Path
) -> None:
    content = taken(laid(sheet(), ASKEW, table(60)))
    made = rendered(content, name="photo.jpg")
    page = picture(made.coded_page(0))
    assert [remark.kind for remark in made.remarks] == [PHOTOGRAPH_STRAIGHTENED]
    assert abs(fall(page)) < 0.2
    for edge in ((0.0, 0.0, 0.1, 1.0), (0.9, 0.0, 1.0, 1.0), (0.0, 0.0, 1.0, 0.07), (0.0, 0.95, 1.0, 1.0)):
        assert darkness(page, *edge) < 0.002, edge
    size = made.pages[0].size
    assert (round(size.width), round(size.height)) == (210, 297)
    assert read(page, tmp_path) > 0.9


def test_a_shadow_on_the_page_is_taken_away(rendered: Rendered, tmp_path: Path) -> None:
    hand = ((0, 700), (1536, 1300), (1536, 2048), (0, 2048))
    content = taken(shadowed(laid(sheet(), ASKEW, table(40)), hand, 120))
    page = picture(rendered(content, name="photo.jpg").coded_page(0))
    assert abs(fall(page)) < 0.2
    assert darkness(page, 0.0, 0.2, 0.1, 1.0) < 0.002  # the margin under it is white
    assert read(page, tmp_path) > 0.9


def flat_scan() -> Image.Image:
    return sheet()


def screenshot() -> Image.Image:
    """A letter in a program's window, with a dark margin that has words of its own."""
    screen = Image.new("L", (1600, 1200), 50)
    screen.paste(sheet().resize((800, 1132)), (700, 30))
    ImageDraw.Draw(screen).text((60, 100), "Inbox", 235, font(MONOSPACED, 50))
    return screen


def two_sheets() -> Image.Image:
    first = laid(sheet(), ((60, 300), (720, 300), (720, 1230), (60, 1230)), table(50))
    return laid(sheet(), ((800, 320), (1460, 320), (1460, 1250), (800, 1250)), first)


def dark_band(*words: str) -> Image.Image:
    """A sheet whose own upper part is as dark as the table."""
    page = sheet()
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, SHEET[0], 500), fill=62)
    for row, word in enumerate(words):
        draw.text((150, 100 + 120 * row), word, 235, font(MONOSPACED, 90))
    return laid(page, ASKEW, table(60))


def half_in_the_sun() -> Image.Image:
    """On a bright table: the half in shadow is as bright as the table."""
    light = laid(sheet(), ASKEW, table(120))
    return shadowed(light, ((0, 1000), (1536, 1000), (1536, 2048), (0, 2048)), 130, soft=3)


def no_page() -> Image.Image:
    return Image.frombytes("L", (300, 300), random.Random(5).randbytes(90_000)).resize((1200, 1200))


UNTOUCHED = {
    "a flat scan, whose page fills the picture": lambda: taken(flat_scan()),
    "a flat scan that says its resolution": lambda: save(flat_scan(), "JPEG", dpi=(150, 150)),
    "a page askew in a scan, which says its resolution": lambda: save(
        laid(sheet(), ASKEW, table(60)), "JPEG", dpi=(150, 150)
    ),
    "a screenshot, which no camera made": lambda: save(screenshot(), "PNG"),
    "two sheets beside each other": lambda: taken(two_sheets()),
    "a sheet with a dark band and words on it": lambda: taken(dark_band("Invoice", "of the year")),
    "a sheet half in the shadow on a bright table": lambda: taken(half_in_the_sun()),
    "no page": lambda: taken(no_page()),
    "one grey": lambda: taken(Image.new("L", (900, 1200), 128)),
    "a picture of one pixel": lambda: taken(Image.new("L", (1, 1), 128)),
}


@pytest.mark.parametrize("what", UNTOUCHED)
def test_what_is_not_surely_a_photograph_of_a_page_stays_as_it_is(what: str) -> None:
    assert not straight(UNTOUCHED[what]())


def test_whoever_asks_for_it_gets_pictures_straightened_that_say_nothing_of_a_camera() -> None:
    forwarded = save(laid(sheet(), ASKEW, table(60)), "PNG")  # messengers take the camera's words away
    assert not straight(forwarded)
    assert straight(forwarded, Straighten.ANY)
    assert not straight(taken(laid(sheet(), ASKEW, table(60))), Straighten.NONE)


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_the_way_the_camera_was_held_is_minded(rendered: Rendered, turn: int) -> None:
    photo = laid(sheet(), ASKEW, table(60))
    orientation = {0: 1, 90: 6, 180: 3, 270: 8}[turn]
    exif = Image.Exif()
    exif.get_ifd(0x8769)[_EXPOSURE_TIME] = 0.01
    exif[0x0112] = orientation
    content = save(photo.rotate(turn, expand=True).convert("RGB"), "JPEG", exif=exif, quality=88)
    source = straightened(ImageSource(content, Kind.JPEG, Paper.A4, Limits()), Paper.A4, Straighten.TAKEN)
    assert isinstance(source, PhotographedPage)
    layout = lay_out(source.size(0), PageFormat())
    page = image_of(source.draw(0, layout))
    assert page.height > page.width
    assert abs(fall(page)) < 0.2
