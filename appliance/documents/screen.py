"""Grey to black and white: text by threshold, photographs by a line screen, region by region.

The screen is of steep lines that swell with the tone, so that a row resembles the one above, which is
what T.4 and T.6 compress.  A photograph that fills an A4 page at fine takes about 105 s at 14400 bit/s
so, about 200 s with round dots of the same pitch and likeness, and 700 to 800 s with error diffusion,
whose noise codes larger than the plain bitmap.  All work on pixels is done by C operations on whole
images: Pillow's, and our own `_bilevel` where it was compiled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageChops, ImageFilter

from appliance.documents.options import Treatment
from appliance.t4.page import Resolution

try:
    from appliance.documents import _bilevel
except ImportError:  # set up without a C compiler
    _bilevel = None  # type: ignore[assignment]

# Text: darker than this is black.  Above the middle, so that hairlines and small type, of which
# anti-aliasing leaves only a light grey, do not break up.  On pages of type 168 codes 0 to 4 % smaller
# than 176, on the whole no larger than what ghostscript makes of them.
TEXT_THRESHOLD = 168

# Grey between these is a tone and wants a screen when it fills an area; paper of a scan is lighter.
DARKEST_TONE, LIGHTEST_TONE = 40, 218

# Pitch of the screen's lines at 204 pixels an inch (25 lines an inch), and over how many rows (of the
# same height) a line moves sideways by one pitch: the slant gives the tones between two widths of the
# line.  Other resolutions keep the size on paper.
LINE_PIXELS = 8
SLANT_PIXELS = 32
_LINE_DPI = 204

# Lines print darker than their area: the screen is set for lighter tones than the page has.
DOT_GAIN_GAMMA = 0.8


@dataclass(frozen=True, slots=True)
class Regions:
    """Where a page has tones: ``mask`` (mode L, 255 inside) is as wide as the page and has few rows.

    Row r of the page is row ``r * numerator // denominator`` of the mask.
    """

    mask: Image.Image
    numerator: int
    denominator: int


def bilevel(
    grey: Image.Image, resolution: Resolution, treatment: Treatment, octets: memoryview | None = None
) -> bytes:
    """``grey`` (mode L, 0 black) as packed rows in the sense of fax: a set bit is black.

    ``octets`` are the same pixels, where the caller has them at hand: Pillow has to copy them.
    """
    if treatment is Treatment.TEXT:
        return _packed(grey, octets)
    if treatment is Treatment.PHOTO:
        return _packed(grey, octets, screen(grey.width, resolution))
    regions = tone_regions(grey, resolution)
    levels = None if regions is None else screen(grey.width, resolution)
    return _packed(grey, octets, levels, regions)


def _packed(
    grey: Image.Image,
    octets: memoryview | None,
    levels: Image.Image | None = None,
    regions: Regions | None = None,
) -> bytes:
    """Black where ``grey`` is darker than ``levels`` inside ``regions``, than TEXT_THRESHOLD outside.

    ``levels`` are as wide as ``grey`` and begin again after their last row.
    """
    if _bilevel is None:
        return packed_by_pillow(grey, levels, regions)
    pixels = grey.tobytes() if octets is None else octets
    if levels is None:
        return _bilevel.pack(pixels, *grey.size, TEXT_THRESHOLD)
    if regions is None:
        return _bilevel.pack(pixels, *grey.size, TEXT_THRESHOLD, levels.tobytes())
    mask = regions.mask.tobytes()
    return _bilevel.pack(
        pixels,
        grey.width,
        grey.height,
        TEXT_THRESHOLD,
        levels.tobytes(),
        mask,
        regions.numerator,
        regions.denominator,
    )


_TEXT_TABLE = [255 if value < TEXT_THRESHOLD else 0 for value in range(256)]
_ABOVE_ZERO = [0] + [255] * 255
_TONE_TABLE = [255 if DARKEST_TONE <= value <= LIGHTEST_TONE else 0 for value in range(256)]


def packed_by_pillow(
    grey: Image.Image, levels: Image.Image | None = None, regions: Regions | None = None
) -> bytes:
    """What `_bilevel` does, where that was not compiled."""
    if levels is None:
        return grey.point(_TEXT_TABLE, "1").tobytes()
    width, rows = grey.size
    page = Image.new("L", grey.size)
    for y in range(0, rows, levels.height):
        page.paste(levels, (0, y))
    if regions is not None:
        inside = Image.new("L", grey.size)
        for index in range(regions.mask.height):
            top, below = (-(-i * regions.denominator // regions.numerator) for i in (index, index + 1))
            if top < min(below, rows):
                row = regions.mask.crop((0, index, width, index + 1))
                inside.paste(row.resize((width, below - top)), (0, top))
        page = Image.composite(page, Image.new("L", grey.size, TEXT_THRESHOLD), inside)
    return ImageChops.subtract(page, grey).point(_ABOVE_ZERO, "1").tobytes()


# Tone is looked for on every fourth pixel across (and the same distance down): spots of 3 x 3 such
# samples, all of them grey, are wider than the grey rim that anti-aliasing gives to type.
_SAMPLE = 4
_SPOT = 3
# Tiles of 2 x 2 spots (24 pixels, 3 mm) with this share of all-grey spots are tone.
_TILE = 2
_TILE_SHARE = 0.5


def tone_regions(grey: Image.Image, resolution: Resolution) -> Regions | None:
    """The photographs, tints and shades of a page; None when there are none."""
    width, rows = grey.size
    samples = (
        max(1, round(width * _LINE_DPI / resolution.x_dpi / _SAMPLE)),
        max(1, round(rows * _LINE_DPI / resolution.y_dpi / _SAMPLE)),
    )
    sampled = grey.resize(samples, Image.Resampling.NEAREST).point(_TONE_TABLE)
    spots = sampled.reduce(_SPOT).point([0] * 250 + [255] * 6)
    if spots.getbbox() is None:
        return None
    tiles = spots.reduce(_TILE).point([255 if v >= 255 * _TILE_SHARE else 0 for v in range(256)])
    if tiles.getbbox() is None:
        return None
    # Close highlights and shadows inside a picture, and take in its rim.
    tiles = tiles.filter(ImageFilter.MaxFilter(5)).filter(ImageFilter.MinFilter(3))
    # The tiles at the right and bottom edge may hang over it.
    side = _TILE * _SPOT
    mask = tiles.resize(
        (width, tiles.height), Image.Resampling.NEAREST, box=(0, 0, samples[0] / side, tiles.height)
    )
    return Regions(mask, samples[1], rows * side)


@lru_cache(maxsize=3)
def screen(width: int, resolution: Resolution) -> Image.Image:
    """Threshold levels (mode L) across a page: a pixel darker than its level becomes black.

    After the last row the first one follows again.
    """
    cell = _cell(resolution)
    rows = Image.new("L", (width, cell.height))
    for x in range(0, width, cell.width):
        rows.paste(cell, (x, 0))
    return rows


@lru_cache(maxsize=len(Resolution))
def _cell(resolution: Resolution) -> Image.Image:
    """One period of the screen, levels spread evenly by rank from the middle of the line outwards."""
    width = max(4, round(LINE_PIXELS * resolution.x_dpi / _LINE_DPI))
    height = max(4, round(SLANT_PIXELS * resolution.y_dpi / _LINE_DPI))
    heights = []
    for y in range(height):
        for x in range(width):
            u, v = (x + 0.5) / width, (y + 0.5) / height
            spot = math.cos(2 * math.pi * (u + v))
            heights.append((spot + 1e-6 * x + 1e-7 * y, x, y))  # the tiny terms make the order certain
    cell = Image.new("L", (width, height))
    for rank, (_, x, y) in enumerate(sorted(heights)):
        level = 255 * ((rank + 0.5) / len(heights)) ** (1 / DOT_GAIN_GAMMA)
        cell.putpixel((x, y), max(DARKEST_TONE, min(LIGHTEST_TONE, round(level))))
    return cell
