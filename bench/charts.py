"""The pages for measurements: eight charts at fine resolution, from a folder of TIFF files or drawn here.

The charts drawn here range from a few lines of writing to a full page of small print, as the eight classic
ITU charts do; they need no download and are the same in every run.
"""

from __future__ import annotations

import math
import random
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from appliance.t4.page import CodedPage, Raster, Resolution
from appliance.t4.tiff import FaxTiff, write_tiff

WIDTH, ROWS = 1728, 2376  # A4 at 204 × 196, the size of the ITU charts
BLACK, WHITE = 0, 255
FILE_NAME = "charts.tif"  # written by ``coded``
_WORDS = (
    "the",
    "patient",
    "invoice",
    "of",
    "record",
    "was",
    "sent",
    "to",
    "our",
    "office",
    "and",
    "please",
    "find",
    "enclosed",
    "with",
    "kind",
    "regards",
    "copy",
    "amount",
    "due",
    "signature",
    "telephone",
    "department",
    "reference",
    "date",
    "hospital",
    "appeal",
    "court",
    "witness",
    "statement",
)


def charts(folder: Path | None) -> list[Raster]:
    """Eight pages: the TIFF files of ``folder`` in order of name, or those drawn here when it is None.

    Raises ValueError for a folder without TIFF files.
    """
    if folder is None:
        return [_chart(number) for number in range(8)]
    pages = [_raster_of(path) for path in sorted(folder.glob("*.tif"))]
    if not pages:
        raise ValueError(f"no .tif files in {folder}")
    return pages


def _raster_of(path: Path) -> Raster:
    with Image.open(path) as image:
        ink = image.convert("L").point(lambda level: 255 - level).convert("1", dither=Image.Dither.NONE)
        return Raster(ink.width, ink.height, ink.tobytes(), Resolution.FINE)


def _chart(number: int) -> Raster:
    image = Image.new("L", (WIDTH, ROWS), WHITE)
    draw, chance = ImageDraw.Draw(image), random.Random(number)
    match number:
        case 0:
            _letter(draw, chance, lines=22, size=34)
        case 1:
            _drawing(draw, chance, strokes=60)
        case 2:
            _form(draw, chance, rows=24)
        case 3:
            _letter(draw, chance, lines=95, size=22)
        case 4:
            _letter(draw, chance, lines=30, size=30)
            _drawing(draw, chance, strokes=25)
        case 5:
            _curves(draw, chance)
        case 6:
            _letter(draw, chance, lines=84, size=25)
        case _:
            _handwriting(draw, chance)
    ink = image.point(lambda level: 255 if level < 128 else 0).convert("1", dither=Image.Dither.NONE)
    return Raster(WIDTH, ROWS, ink.tobytes(), Resolution.FINE)


def _letter(draw: ImageDraw.ImageDraw, chance: random.Random, *, lines: int, size: int) -> None:
    font = ImageFont.load_default(size)
    pitch = (ROWS - 300) // lines
    for line in range(lines):
        text, x = "", 120
        while draw.textlength(text, font=font) < WIDTH - 420:
            text += chance.choice(_WORDS) + " "
        draw.text((x, 150 + line * pitch), text, font=font, fill=BLACK)


def _drawing(draw: ImageDraw.ImageDraw, chance: random.Random, *, strokes: int) -> None:
    for _ in range(strokes):
        x, y = chance.randrange(150, WIDTH - 450), chance.randrange(150, ROWS - 450)
        width, height = chance.randrange(40, 300), chance.randrange(40, 300)
        shape = chance.choice((draw.rectangle, draw.ellipse))
        shape((x, y, x + width, y + height), outline=BLACK, width=chance.choice((2, 3, 5)))


def _form(draw: ImageDraw.ImageDraw, chance: random.Random, *, rows: int) -> None:
    font = ImageFont.load_default(24)
    pitch = (ROWS - 400) // rows
    for row in range(rows + 1):
        draw.line((100, 200 + row * pitch, WIDTH - 100, 200 + row * pitch), fill=BLACK, width=3)
        for column in range(4):
            text = " ".join(chance.choices(_WORDS, k=2))
            draw.text((115 + column * 382, 210 + row * pitch), text, font=font, fill=BLACK)
    for column in range(5):
        x = 100 + column * (WIDTH - 200) // 4
        draw.line((x, 200, x, 200 + rows * pitch), fill=BLACK, width=3)


def _curves(draw: ImageDraw.ImageDraw, chance: random.Random) -> None:
    for curve in range(12):
        level, phase = 250 + curve * 150, chance.random() * 6
        points = [(x, level + 90 * math.sin(x / 140 + phase)) for x in range(100, WIDTH - 100, 8)]
        draw.line(points, fill=BLACK, width=4)
    draw.line((100, 150, 100, ROWS - 150, WIDTH - 100, ROWS - 150), fill=BLACK, width=6)


def _handwriting(draw: ImageDraw.ImageDraw, chance: random.Random) -> None:
    for line in range(14):
        x, y = 150.0, 220.0 + line * 150
        points = []
        while x < WIDTH - 200:
            x += chance.uniform(3, 12)
            points.append((x, y + 45 * math.sin(x / 17) * chance.uniform(0.4, 1)))
        draw.line(points, fill=BLACK, width=7)
    draw.rectangle((150, ROWS - 260, WIDTH - 150, ROWS - 180), fill=BLACK)


def coded(pages: list[Raster], folder: Path) -> list[CodedPage]:
    """The charts as MMR pages, read from a TIFF file that it writes into ``folder`` for both ends."""
    path = folder / FILE_NAME
    write_tiff(path, pages)
    with FaxTiff(path) as file:
        return [page for page in file if isinstance(page, CodedPage)]
