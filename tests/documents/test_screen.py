"""Tones to black and white: type on any background, cheap tints, photographs with their tones."""

from __future__ import annotations

import functools
import io
import itertools
import math
import random
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pikepdf
import pytest
import zxingcpp
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps, ImageStat
from pypdfium2 import raw as pdfium

from appliance.documents.bilevel import _bilevel
from appliance.documents.bilevel import screen as screening
from appliance.documents.bilevel.screen import TEXT_THRESHOLD, look_at, planes_of
from appliance.documents.drawing import Drawing, Pixels, Rect
from appliance.documents.geometry import lay_out
from appliance.documents.options import PageFormat, Treatment
from appliance.documents.pdf import source as pdf_source
from appliance.documents.typeface import BOLD, MONOSPACED, REGULAR, font
from appliance.t4.coding import encode
from appliance.t4.page import Coding, Raster, Resolution
from tests.documents.conftest import Rendered
from tests.documents.making import likeness, need, pdf, photograph, picture, run, words

FINE = (1728, 2287)
BITS_PER_SECOND = 14_400
WORDS = "The quick brown fox jumps over the lazy dog"


def bilevel(
    page: Image.Image,
    resolution: Resolution = Resolution.FINE,
    treatment: Treatment = Treatment.AUTO,
    darkness: int = 0,
) -> Image.Image:
    """What is tested, as a page to look at (mode L, 0 is black)."""
    drawing = Drawing.of_image(page, Rect(0, 0, *page.size))
    data = screening.bilevel(drawing, resolution, treatment, darkness)
    return ImageChops.invert(Image.frombytes("1", page.size, data).convert("L"))


def _octets(page: Image.Image, resolution: Resolution = Resolution.FINE) -> int:
    ink = ImageChops.invert(page).convert("1")
    return len(encode(Raster(page.width, page.height, ink.tobytes(), resolution), Coding.MMR).data)


def _seconds(page: Image.Image, resolution: Resolution) -> float:
    return _octets(page, resolution) * 8 / BITS_PER_SECOND


def _text(
    size: tuple[int, int],
    pixels: int,
    fill: int | tuple[int, int, int] = 0,
    ground: int | tuple[int, int, int] = 255,
) -> Image.Image:
    mode = "L" if isinstance(fill, int) and isinstance(ground, int) else "RGB"
    page = Image.new(mode, size, ground)
    draw = ImageDraw.Draw(page)
    for y in range(40, size[1] - 40, pixels + 8):
        draw.text((60, y), f"{WORDS} " * 2, fill, font(MONOSPACED, pixels))
    return page


def _unlike(one: Image.Image, other: Image.Image) -> float:
    """Share of the ink of both pages that only one of them has."""
    apart = ImageStat.Stat(ImageChops.difference(one, other)).sum[0]
    ink = ImageStat.Stat(ImageChops.invert(ImageChops.darker(one, other))).sum[0]
    return float(apart / ink) if ink else 0.0


def _ink(page: Image.Image) -> float:
    return float(1 - ImageStat.Stat(page).mean[0] / 255)


# -- type ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pixels", [14, 24, 40, 90])
@pytest.mark.parametrize("fill", [0, 30])
def test_a_page_of_type_alone_is_plain(pixels: int, fill: int) -> None:
    page = _text(FINE, pixels, fill)
    assert not _toned(page)
    assert _toned(_text(FINE, pixels, 140))
    page.paste(200, (300, 300, 340, 340))
    assert _toned(page)


def _toned(page: Image.Image) -> tuple[tuple[int, int], ...]:
    return look_at(Pixels(page.tobytes(), 1, page.width), *page.size).toned


def test_only_the_parts_of_a_page_that_are_toned_are_worked_on_as_such() -> None:
    page = _text(FINE, 24, 0)
    first, below = 1000, 1100
    page.paste(255, (0, first - 60, page.width, below + 60))
    page.paste(200, (300, first, 900, below))
    assert _toned(page) == ((first, below),)
    whole = bilevel(page)
    drawing = Drawing.of_image(page, Rect(0, 0, *page.size))
    looked_at = look_at(drawing.draw(0, page.height), *page.size)
    drawing = replace(drawing, looked_at=looked_at, photographs=())
    data = screening.bilevel(drawing, Resolution.FINE, Treatment.AUTO)
    parts = ImageChops.invert(Image.frombytes("1", page.size, data).convert("L"))
    tint = (0, first - 20, page.width, below + 20)
    assert parts.crop(tint).tobytes() == whole.crop(tint).tobytes()
    assert _unlike(parts, whole) < 0.1


def test_white_type_on_black_is_no_page_of_type_alone() -> None:
    page = Image.new("L", FINE, 255)
    page.paste(0, (100, 300, 1500, 360))
    assert _toned(page) == ((300, 360),)


def test_a_black_rule_is_not_toned() -> None:
    page = Image.new("L", FINE, 255)
    page.paste(0, (100, 300, 1500, 312))
    assert not _toned(page)


@pytest.mark.parametrize(
    "colour",
    [
        *((grey, grey, grey) for grey in (0x60, 0x99, 0xBB, 0xCC, 0xDD)),
        (255, 255, 0),
        (0, 255, 255),
        (255, 165, 0),
        (146, 208, 80),
        (255, 153, 204),
    ],
)
@pytest.mark.parametrize("pixels", [22, 34])
def test_coloured_and_pale_type_is_as_good_as_black(colour: tuple[int, int, int], pixels: int) -> None:
    size = (1728, 300)
    black = bilevel(_text(size, pixels, (0, 0, 0), (255, 255, 255)))
    assert _unlike(bilevel(_text(size, pixels, colour, (255, 255, 255))), black) < 0.25


@pytest.mark.parametrize(
    "ground", [(0xD9, 0xE1, 0xF2), (255, 255, 0), (0x92, 0xD0, 0x50), (0xC0,) * 3, (0x90,) * 3]
)
def test_dark_type_on_a_tint_stands_on_white(ground: tuple[int, int, int]) -> None:
    page = Image.new("RGB", (1728, 600), "white")
    page.paste(_text((1400, 240), 26, (0, 0, 0), ground), (100, 200))
    plain = Image.new("L", page.size, 255)
    plain.paste(_text((1400, 240), 26), (100, 200))
    # Where the words are; between the lines and beside them the tint may show.
    words = (155, 235, 700, 266)
    assert _unlike(bilevel(page).crop(words), bilevel(plain).crop(words)) < 0.2


@pytest.mark.parametrize("ground", [(0x1F, 0x4E, 0x79), (0x44, 0x72, 0xC4), (0xED, 0x7D, 0x31), (0x80,) * 3])
def test_white_type_on_colour_is_white_on_black(ground: tuple[int, int, int]) -> None:
    page = Image.new("RGB", (1728, 500), "white")
    page.paste(_text((1500, 118), 34, (255, 255, 255), ground), (100, 200))
    reference = Image.new("L", page.size, 255)
    reference.paste(_text((1500, 118), 34, 255, 0), (100, 200))
    words = (165, 244, 1500, 275)
    seen = bilevel(page).crop(words)
    assert likeness(seen, reference.crop(words), block=3) > 0.8
    assert _ink(seen) > 0.4


@pytest.mark.parametrize("ground", [(0x44, 0x72, 0xC4), (0xED, 0x7D, 0x31), (0x70, 0xAD, 0x47), (0x80,) * 3])
@pytest.mark.parametrize("lines", [1, 2, 3])
def test_close_lines_of_white_type_in_the_bars_of_a_noisy_scan_are_whole(
    ground: tuple[int, int, int], lines: int
) -> None:
    page, words = Image.new("RGB", FINE, (250, 249, 246)), Image.new("L", FINE, 0)
    boxes = []
    for bar in range(9):
        top = 150 + bar * 220
        draw, drawn = ImageDraw.Draw(page), ImageDraw.Draw(words)
        draw.rectangle((140, top, 1540, top + 12 + lines * 29), ground)
        for line in range(lines):
            at = (160, top + 6 + line * 29)
            draw.text(at, WORDS, (255, 255, 255), font(BOLD if bar % 2 else REGULAR, 24))
            drawn.text(at, WORDS, 255, font(BOLD if bar % 2 else REGULAR, 24))
        boxes.append((145, top + 4, 800, top + 8 + lines * 29))
    faxed = bilevel(_scanned(page, 20))
    for box in boxes:
        white = words.crop(box).point([255 if value > 128 else 0 for value in range(256)])
        apart = ImageStat.Stat(ImageChops.difference(faxed.crop(box), white)).sum[0]
        assert apart < 0.5 * ImageStat.Stat(white).sum[0]


def test_close_lines_of_white_type_on_a_colour_that_fades_across_a_card_are_whole() -> None:
    page, words = Image.new("L", FINE, 244), Image.new("L", FINE, 0)
    fade = (
        Image.linear_gradient("L")
        .rotate(90)
        .resize((480, 400))
        .point([60 + v * 180 // 255 for v in range(256)])
    )
    tops = [200 + 480 * card for card in range(4)]
    for top in tops:
        page.paste(fade, (150, top))
        for row, line in enumerate(
            ("Member ID XQH 883 02", "Group number 100583", "Subscriber JOHANNA", "Plan code 221 RxBI")
        ):
            for sheet, tone in ((page, 250), (words, 255)):
                ImageDraw.Draw(sheet).text((190, top + 100 + row * 20), line, tone, font(BOLD, 18))
    faxed = bilevel(_noisy(page.convert("RGB").filter(ImageFilter.GaussianBlur(1)), 8))
    for top in tops:
        box = (188, top + 98, 400, top + 182)
        white = words.crop(box).point([255 if value > 128 else 0 for value in range(256)])
        apart = ImageStat.Stat(ImageChops.difference(faxed.crop(box), white)).sum[0]
        assert apart < 0.4 * ImageStat.Stat(white).sum[0]


@pytest.mark.parametrize(
    ("colour", "dark"), [((241, 196, 15), 17), ((230, 126, 34), 34), ((255, 0, 255), 17)]
)
def test_dark_type_on_a_strong_colour_of_a_screenshot_is_whole(
    colour: tuple[int, int, int], dark: int
) -> None:
    """Also where it is as dark as the least of the colour's channels."""
    small = (909, 1203)  # A4 at 110 dpi
    page, words = Image.new("RGB", small, "white"), Image.new("L", small, 255)
    ImageDraw.Draw(page).rectangle((60, 60, 500, 420), colour)
    for row in range(13):
        for sheet, ink in ((page, (dark, dark, dark)), (words, 0)):
            ImageDraw.Draw(sheet).text((80, 80 + row * 25), WORDS, ink, font(REGULAR, 12))
    faxed, clear = (bilevel(sheet.resize(FINE, Image.Resampling.BICUBIC)) for sheet in (page, words))
    letters = ImageChops.invert(clear)
    missing = ImageChops.darker(faxed, letters)
    assert ImageStat.Stat(missing).sum[0] < 0.05 * ImageStat.Stat(letters).sum[0]


def test_dark_cells_of_a_screenshot_are_black_to_their_ends() -> None:
    page = Image.new("RGB", FINE, "white")
    draw = ImageDraw.Draw(page)
    for row in range(30):
        top = 200 + row * 50
        draw.rectangle((150, top, 460, top + 45), (44, 62, 80))
        draw.text((170, top + 12), WORDS[:9], "white", font(BOLD, 22))
        draw.text((500, top + 12), WORDS, (30, 30, 30), font(REGULAR, 22))
    faxed = bilevel(page)
    for row in range(1, 30):
        assert _ink(faxed.crop((340, 204 + row * 50, 455, 240 + row * 50))) > 0.95


def test_the_wide_dark_head_of_a_scanned_page_is_no_paper_in_a_shadow() -> None:
    page = Image.new("RGB", FINE, (244, 243, 238))
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, 1728, 420), (62, 66, 72))
    draw.text((100, 90), "INVOICE", (240, 240, 236), font(BOLD, 80))
    for row in range(4):
        draw.text((1200, 80 + row * 44), WORDS[:30], (210, 214, 220), font(REGULAR, 26))
    for row in range(40):
        draw.text((100, 480 + row * 42), f"{WORDS} {WORDS}", (50, 50, 50), font(REGULAR, 26))
    faxed = bilevel(_scanned(page, 12))
    for box in ((60, 20, 1660, 70), (560, 60, 1120, 400), (60, 260, 1660, 400)):
        dark = ImageChops.invert(faxed.crop(box)).resize((20, 8), Image.Resampling.BOX)
        assert min(dark.tobytes()) > 255 * 0.25


def test_white_type_in_a_bar_above_a_pale_panel_of_a_coarse_scan_is_whole() -> None:
    """The panel is no ground of light type: nothing is much lighter."""
    coarse = (1240, 1754)  # A4 at 150 dpi
    page, words = Image.new("RGB", coarse, (244, 243, 240)), Image.new("L", coarse, 0)
    draw, drawn = ImageDraw.Draw(page), ImageDraw.Draw(words)
    for top in range(100, 1600, 150):
        draw.rectangle((80, top + 24, 1160, top + 120), (228, 235, 238))
        draw.rectangle((80, top, 1160, top + 24), (40, 120, 145))
        for where, white in ((draw, (240, 240, 240)), (drawn, 255)):
            where.text((88, top + 3), WORDS, white, font(BOLD, 17))
    scanned = _noisy(page.filter(ImageFilter.GaussianBlur(0.55)), 14).resize(FINE, Image.Resampling.BICUBIC)
    faxed, clear = bilevel(scanned), words.resize(FINE, Image.Resampling.BICUBIC)
    across, down = FINE[0] / coarse[0], FINE[1] / coarse[1]
    for top in range(100, 1600, 150):
        box = (round(84 * across), round((top + 2) * down), round(460 * across), round((top + 22) * down))
        assert likeness(faxed.crop(box), clear.crop(box), 4) > 0.8


def test_a_bar_of_a_noisy_scan_has_no_specks_about_it() -> None:
    page = Image.new("RGB", FINE, (250, 249, 246))
    for bar in range(9):
        draw, top = ImageDraw.Draw(page), 150 + bar * 200
        draw.rectangle((140, top, 1540, top + 44), (0x44, 0x72, 0xC4))
        draw.text((160, top + 8), WORDS, (255, 255, 255), font(REGULAR, 24))
    faxed = bilevel(_scanned(page, 16))
    for bar in range(9):
        assert _ink(faxed.crop((140, 150 + bar * 200 + 54, 1540, 150 + bar * 200 + 80))) < 0.004


@pytest.mark.parametrize("pixels", [20, 22, 24])
def test_small_bold_white_type_is_whole_to_the_ends_of_a_bar_in_a_blurred_scan(pixels: int) -> None:
    page, ideal = Image.new("RGB", FINE, (246, 244, 238)), Image.new("L", FINE, 255)
    for bar in range(6):
        top = 150 + bar * 200
        for sheet, dark, light in ((page, (43, 87, 151), (246, 244, 238)), (ideal, 0, 255)):
            draw = ImageDraw.Draw(sheet)
            draw.rectangle((140, top, 1540, top + 42), dark)
            for column, word in enumerate(("Test", "Result", "Flag", "Reference", "Range", "Lab")):
                draw.text((150 + 250 * column, top + 8), word, light, font(BOLD, pixels))
    faxed = bilevel(page.filter(ImageFilter.GaussianBlur(1.5)))
    for bar in range(6):
        box = (145, 154 + bar * 200, 1535, 188 + bar * 200)
        white = ideal.crop(box).point([255 if value > 128 else 0 for value in range(256)])
        apart = ImageStat.Stat(ImageChops.difference(faxed.crop(box), white)).sum[0]
        assert apart < 0.4 * ImageStat.Stat(white).sum[0]


def test_cells_of_a_heat_map_in_a_scan_have_nothing_but_their_figures() -> None:
    page, empty = Image.new("RGB", FINE, (246, 244, 238)), []
    draw = ImageDraw.Draw(page)
    for row, column in itertools.product(range(24), range(14)):
        x, y = 160 + column * 92, 200 + row * 47
        tint = ((255, 235, 132), (177, 212, 127), (250, 170, 119), (255, 204, 128))[
            (row * 5 + column * 3) % 4
        ]
        draw.rectangle((x, y, x + 89, y + 44), tint)
        draw.text((x + 30, y + 10), str(11 + (row * 37 + column * 53) % 88), (60, 60, 60), font(REGULAR, 22))
        empty.append((x + 26, y + 3, x + 60, y + 14))
    small = (
        page.resize((1654, 2189))
        .filter(ImageFilter.GaussianBlur(0.7))
        .filter(ImageFilter.UnsharpMask(2, 60, 0))
    )
    scan = io.BytesIO()
    _noisy(small, 16).save(scan, "JPEG", quality=75)
    faxed = bilevel(Image.open(scan).resize(FINE, Image.Resampling.BICUBIC))
    assert sum(_ink(faxed.crop(box)) > 0.1 for box in empty) < len(empty) * 0.02


@pytest.mark.parametrize("colour", [(255, 122, 198), (124, 252, 0), (255, 179, 71)])
def test_the_rims_of_highlighted_lines_of_a_sharpened_scan_are_no_ink(colour: tuple[int, int, int]) -> None:
    faxed = []
    for sharpened in (False, True):
        page = Image.new("RGB", FINE, (250, 249, 246))
        draw = ImageDraw.Draw(page)
        for row in range(20):
            draw.rectangle((300, 200 + row * 60, 1200, 228 + row * 60), colour)
            draw.text((310, 200 + row * 60), WORDS, (20, 20, 20), font(REGULAR, 25))
        page = page.resize((1240, 1641), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.6))
        page = page.filter(ImageFilter.UnsharpMask(1.5, 50, 0)) if sharpened else page
        scan = io.BytesIO()
        _noisy(page, 8).save(scan, "JPEG", quality=75)
        faxed.append(bilevel(Image.open(scan).resize(FINE, Image.Resampling.BICUBIC)))
    assert _octets(faxed[1]) < 1.3 * _octets(faxed[0])


def test_noise_of_a_dark_slide_in_the_shade_is_no_ink() -> None:
    """Its light part counts as paper, whose level is brought to white with all that a JPEG leaves there."""
    page = Image.new("RGB", (1728, 1600), (240, 236, 226))
    draw = ImageDraw.Draw(page)
    for row in range(14):
        draw.text((150, 80 + row * 40), f"{WORDS} {WORDS[:20]}", (20, 20, 20), font(REGULAR, 28))
    for x in range(1400):
        shade = tuple(a + (b - a) * x // 1400 for a, b in zip((60, 110, 115), (113, 178, 128), strict=True))
        draw.line((150 + x, 760, 150 + x, 1400), shade)
    draw.text((200, 800), "Staff and training plan", "white", font(BOLD, 50))
    lit = (
        Image.linear_gradient("L")
        .rotate(180)
        .resize(page.size)
        .point([150 + v * 105 // 255 for v in range(256)])
    )
    photo = io.BytesIO()
    shaded = ImageChops.multiply(page, lit.convert("RGB")).filter(ImageFilter.GaussianBlur(0.9))
    _noisy(shaded, 20).save(photo, "JPEG", quality=75)
    faxed = bilevel(Image.open(photo).convert("RGB"))
    assert _ink(faxed.crop((1280, 830, 1500, 960))) < 0.015


def test_figures_close_below_a_bar_of_light_type_are_whole_at_standard_resolution() -> None:
    page, weeks = Image.new("RGB", FINE, (250, 249, 245)), []
    for row, column in itertools.product(range(9), range(3)):
        x, y = 130 + column * 500, 150 + row * 222
        ImageDraw.Draw(page).rectangle((x, y, x + 467, y + 30), (123, 143, 161))
        ImageDraw.Draw(page).text((x + 12, y + 3), "September", "white", font(REGULAR, 22))
        for week, day in itertools.product(range(3), range(15)):
            at = (x + 10 + day * 30, y + 35 + week * 29)
            ImageDraw.Draw(page).text(at, str(2 + day % 7), (38, 50, 56), font(REGULAR, 18))
        weeks.append([(x, (y + 36 + below) // 2, x + 160, (y + 58 + below) // 2) for below in (0, 58)])
    scan = page.resize((1240, 1641), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.6))
    sharpened = _noisy(scan, 8).filter(ImageFilter.UnsharpMask(1.5, 50, 0))
    size = (FINE[0], FINE[1] // 2)
    faxed = bilevel(sharpened.resize(size, Image.Resampling.BOX), Resolution.STANDARD)
    first, last = (sum(_ink(faxed.crop(boxes[week])) for boxes in weeks) for week in (0, 1))
    assert first > 0.95 * last


def test_noise_between_the_letters_of_a_dim_photograph_is_no_grid_that_takes_them_away() -> None:
    page, letters = Image.new("RGB", FINE, (235, 235, 235)), Image.new("L", FINE, 0)
    for row in range(40):
        for column, word in enumerate(("Potassium", "Chloride", "Glucose", "Carbon dioxide")):
            at = (150 + 370 * column, 150 + row * 44)
            ImageDraw.Draw(page).text(at, word, (60, 60, 60), font(REGULAR, 22))
            ImageDraw.Draw(letters).text(at, word, 255, font(REGULAR, 22))
    faxed = bilevel(_noisy(page.filter(ImageFilter.GaussianBlur(1)), 66))
    strokes = letters.point([255 if value > 195 else 0 for value in range(256)])
    assert ImageStat.Stat(faxed, strokes).mean[0] < 255 * 0.01


def test_dots_of_small_type_in_a_noisy_scan_stay_and_dust_goes() -> None:
    page, dots, small = Image.new("RGB", FINE, (246, 244, 238)), [], font(REGULAR, 13)
    draw = ImageDraw.Draw(page)
    for row in range(20):
        for column, letter in enumerate("iji.ij.iji"):
            x, y = 150 + 140 * column, 150 + row * 40
            draw.text((x, y), f"n{letter}n", (50, 50, 50), small)
            left, top, right, below = draw.textbbox((x + draw.textlength("n", small), y), letter, small)
            dots.append((left, top, right, below if letter == "." else top + 2))
        draw.point((200, 170 + row * 40), (90, 90, 90))
    faxed = bilevel(_noisy(page.filter(ImageFilter.GaussianBlur(0.5)), 16))
    assert sum(faxed.crop(dot).getextrema()[0] == 255 for dot in dots) < len(dots) * 0.1
    assert _ink(faxed.crop((190, 0, 212, FINE[1]))) == 0


def test_grain_of_coloured_paper_is_no_grid_that_takes_strokes_of_a_pale_copy_away() -> None:
    page, letters = Image.new("RGB", FINE, (238, 226, 140)), Image.new("L", FINE, 0)
    for row in range(40):
        for column, word in enumerate(("Potassium", "Chloride", "Glucose", "Carbon dioxide")):
            at = (150 + 370 * column, 150 + row * 44)
            ImageDraw.Draw(page).text(at, word, (135, 133, 105), font(MONOSPACED, 26))
            ImageDraw.Draw(letters).text(at, word, 255, font(MONOSPACED, 26))
    small = page.filter(ImageFilter.GaussianBlur(0.7)).resize((1654, 2189))
    scan = io.BytesIO()  # whose squares are even, or are waves: noise between pixels is next to nothing
    _noisy(small, 14).save(scan, "JPEG", quality=60)
    faxed = bilevel(Image.open(scan).resize(FINE))
    strokes = letters.point([255 if value > 195 else 0 for value in range(256)])
    assert ImageStat.Stat(faxed, strokes).mean[0] < 255 * 0.02


def test_staves_of_scanned_music_are_no_grid() -> None:
    page = Image.new("RGB", FINE, (246, 244, 238))
    draw = ImageDraw.Draw(page)
    for row in range(40):
        y = 150 + row // 5 * 200 + row % 5 * 14
        draw.line((100, y, 1600, y), (150, 150, 150), 2)
    faxed = bilevel(_scanned(page, 8))
    for row in range(40):
        y = 150 + row // 5 * 200 + row % 5 * 14
        line = faxed.crop((110, y - 1, 1590, y + 2)).resize((1480, 1), Image.Resampling.BOX)
        assert sum(line.histogram()[:200]) > 1450


def _scanned(page: Image.Image, noise: int) -> Image.Image:
    """``page`` as a scanner gives it: a little blurred, with noise of so many levels either way."""
    return _noisy(page.filter(ImageFilter.GaussianBlur(1)), noise).filter(ImageFilter.GaussianBlur(0.7))


def _noisy(page: Image.Image, noise: int) -> Image.Image:
    light, dark = (grain.point([v * noise // 255 for v in range(256)]) for grain in _grains(page.size))
    return ImageChops.subtract(ImageChops.add(page, light.convert("RGB")), dark.convert("RGB"))


@functools.lru_cache(maxsize=4)
def _grains(size: tuple[int, int]) -> tuple[Image.Image, Image.Image]:
    """Two pages of random levels."""
    rng = random.Random(8)
    light, dark = (Image.frombytes("L", size, rng.randbytes(size[0] * size[1])) for _ in range(2))
    return light, dark


# What zint draws: its number for the kind, how wide each module is in pixels of the fax, what it says.
CODES = {
    "qr": (58, 5, "https://example.org/rx/4711?patient=0815"),
    "qr large": (58, 8, "INVOICE 4711 TOTAL 1250.00 EUR DUE 2026-06-30 REF 991122"),
    "data matrix": (71, 6, "010123456789012817260530"),
    "aztec": (92, 6.5, "TICKET 4711"),
    "pdf417": (55, 3.5, "PATIENT 0815 MUSTERMANN"),
    "code 128": (20, 4, "LAB-4711"),
    "code 39": (8, 5, "RX4711"),
    "ean 13": (13, 4, "4006381333931"),
    "interleaved 2 of 5": (3, 4, "00123456789012"),
}


def _codes(folder: Path) -> Image.Image:
    """A page at 408 x 392 to the inch with one code of each kind."""
    need("zint")
    page = Image.new("L", (2 * FINE[0], 2 * FINE[1]), 255)
    for number, (kind, module, text) in enumerate(CODES.values()):
        file = folder / f"{number}.png"
        run("zint", f"--barcode={kind}", f"--output={file}", "--notext", "--height=30", f"--data={text}")
        with Image.open(file) as image:
            code = image.convert("L")
        size = (round(code.width * module), round(code.height * module))  # zint's modules have two pixels
        where = (200 + number % 2 * 1650, 200 + number // 2 * 800)
        page.paste(code.resize(size, Image.Resampling.NEAREST), where)
    return page.convert("RGB")


@pytest.mark.parametrize("resolution", [Resolution.FINE, Resolution.STANDARD])
@pytest.mark.parametrize("dpi", [150, 200])
def test_codes_of_a_noisy_scan_are_read_from_the_fax(
    tmp_path: Path, dpi: int, resolution: Resolution
) -> None:
    drawn = _codes(tmp_path).resize((dpi * FINE[0] // 204, dpi * FINE[1] // 196), Image.Resampling.BOX)
    scan = _scanned(drawn, 20)
    rows = FINE[1] * resolution.y_dpi // 196
    faxed = bilevel(scan.resize((FINE[0], rows), Image.Resampling.BICUBIC), resolution)
    found = {code.text for code in zxingcpp.read_barcodes(faxed.resize(FINE, Image.Resampling.NEAREST))}
    assert {name for name, (_, _, text) in CODES.items() if text not in found} == set()


def test_small_type_close_to_a_bar_code_is_as_without_the_code() -> None:
    page, words = (Image.new("RGB", FINE, (244, 243, 238)) for _ in range(2))
    rng = random.Random(3)
    tops = [200 + 400 * code for code in range(4)]
    for top in tops:
        for x in range(200, 900, 6):
            if rng.random() < 0.5:
                ImageDraw.Draw(page).rectangle((x, top, x + 5, top + 110), (30, 30, 30))
        for sheet in (page, words):
            for row in range(2):
                where = (200, top + 116 + row * 22)
                ImageDraw.Draw(sheet).text(where, WORDS, (70, 70, 70), font(REGULAR, 16))
    faxed, alone = bilevel(_scanned(page, 8)), bilevel(_scanned(words, 8))
    for top in tops:
        box = (190, top + 116, 900, top + 166)
        assert _unlike(faxed.crop(box), alone.crop(box)) < 0.1


@pytest.mark.parametrize("resolution", [Resolution.FINE, Resolution.STANDARD])
def test_the_head_of_a_scanned_table_is_a_bar_without_notches_or_bulges(resolution: Resolution) -> None:
    page = Image.new("RGB", FINE, (240, 238, 232))
    draw = ImageDraw.Draw(page)
    tops, cells = range(200, 2000, 300), range(150, 1500, 150)
    for top in tops:
        draw.rectangle((150, top - 36, 1499, top), (222, 228, 228))
        draw.text((160, top - 30), WORDS, (30, 30, 30), font(BOLD, 18))
        draw.rectangle((150, top, 1499, top + 23), (30, 85, 120))
        for left in cells:
            draw.line((left + 149, top, left + 149, top + 240), (200, 205, 210), 2)
            draw.text((left + 140, top + 3), "Allowed", (240, 238, 232), font(BOLD, 16), "ra")
            for row in range(6):
                draw.text((left + 140, top + 30 + row * 34), "543.38", (30, 30, 30), font(REGULAR, 17), "ra")
    coarse = _scanned(page.resize((FINE[0] * 3 // 4, FINE[1] * 3 // 4), Image.Resampling.BOX), 12)
    rows = FINE[1] * resolution.y_dpi // 196
    scan = coarse.resize((FINE[0], rows), Image.Resampling.BICUBIC)
    faxed = bilevel(scan, resolution).resize(FINE, Image.Resampling.NEAREST)
    for top, left in itertools.product(tops, cells):
        assert _ink(faxed.crop((left + 6, top + 5, left + 60, top + 19))) > 0.97, "a notch"
        assert _ink(faxed.crop((left + 65, top + 5, left + 138, top + 19))) < 0.9, "no letters"
        assert _ink(faxed.crop((left + 70, top - 8, left + 140, top - 4))) < 0.05, "a bulge"


def test_bold_light_type_in_bars_of_a_screenshot_is_whole() -> None:
    small, words = Image.new("RGB", (909, 1203), "white"), Image.new("L", (909, 1203), 0)
    tops = [60 + 120 * bar for bar in range(8)]
    for bar, top in enumerate(tops):
        draw = ImageDraw.Draw(small)
        draw.rectangle((60, top, 850, top + 78), [(192, 57, 43), (44, 62, 80), (25, 118, 210)][bar % 3])
        for sheet, tone in ((small, (255, 255, 255)), (words, 255)):
            ImageDraw.Draw(sheet).text((76, top + 14), "SALE ASSISTANT", tone, font(BOLD, 44 + bar))
    faxed = bilevel(small.resize(FINE, Image.Resampling.BICUBIC))
    white = words.resize(FINE, Image.Resampling.BICUBIC)
    for top in tops:
        box = (120, (top + 8) * 19 // 10, 1100, (top + 66) * 19 // 10)
        apart = ImageStat.Stat(ImageChops.difference(faxed.crop(box), white.crop(box))).sum[0]
        assert apart < 0.12 * ImageStat.Stat(white.crop(box)).sum[0]


def test_a_bar_of_light_type_above_a_bar_code_stays_whole() -> None:
    page = Image.new("RGB", FINE, (244, 243, 238))
    rng = random.Random(3)
    tops = [200 + 400 * code for code in range(4)]
    for top in tops:
        draw = ImageDraw.Draw(page)
        draw.rectangle((150, top, 1500, top + 60), (0, 53, 128))
        draw.text((170, top + 16), "BOARDING PASS", "white", font(BOLD, 28))
        for x in range(600, 1300, 6):
            if rng.random() < 0.5:
                draw.rectangle((x, top + 84, x + 5, top + 194), (30, 30, 30))
    faxed = bilevel(_scanned(page, 8))
    for top in tops:
        assert _ink(faxed.crop((600, top + 10, 1300, top + 50))) > 0.999


@pytest.mark.parametrize("degrees", [0.4, -0.6])
def test_small_codes_that_lie_a_little_turned_are_read_as_from_a_plain_threshold(
    tmp_path: Path, degrees: float
) -> None:
    drawn = _codes(tmp_path)
    page = Image.new("RGB", drawn.size, "white")
    for x, y in ((150 + n % 2 * 1650, 150 + n // 2 * 800) for n in range(len(CODES))):
        page.paste(drawn.crop((x, y, x + 1600, y + 780)).resize((1120, 546), Image.Resampling.BOX), (x, y))
    turned = page.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=(255, 255, 255))
    scan = _scanned(turned.resize((1694, 2334), Image.Resampling.BOX), 8)
    paper = Image.new("RGB", FINE, (244, 243, 238))
    faxed = bilevel(ImageChops.multiply(scan.resize(FINE, Image.Resampling.BICUBIC), paper))
    found = {code.text for code in zxingcpp.read_barcodes(faxed)}
    assert {name for name, (_, _, text) in CODES.items() if text not in found} == set()


def test_a_dark_screen_goes_out_the_other_way_round() -> None:
    dark = bilevel(_text(FINE, 26, (220, 220, 220), (30, 30, 40)))
    light = bilevel(_text(FINE, 26))
    assert _unlike(dark, light) < 0.3
    assert _ink(dark) < 0.2


@pytest.mark.parametrize(
    ("box", "typed"),
    [
        ("30 30 535 782", ""),
        ("0 210 595 632", "0 g 30 180 Td"),
        ("0 0 595 842", "1 g 30 780 Td"),
        ("30 30 535 782", "1 g 60 780 Td"),
    ],
    ids=["no type", "type on the paper", "light type to the edge", "light type in a box"],
)
def test_a_dark_area_is_inverted_only_for_light_type_in_it(rendered: Rendered, box: str, typed: str) -> None:
    lines = " ".join(f"({WORDS}) Tj T*" for _ in range(8 if typed.startswith("0") else 30))
    type_ = f"BT /F 14 Tf 20 TL {typed} {lines} ET" if typed else ""
    page = picture(rendered(pdf([(595, 842, f"0 0.4 0 rg {box} re f {type_}")])).coded_page(0))
    is_light = ImageStat.Stat(page.convert("L")).mean[0] > 128
    assert is_light == typed.startswith("1")


@pytest.mark.parametrize("margin", [10, 30, 71])
def test_the_white_margin_of_a_dark_page_stays_white_when_that_is_inverted(
    rendered: Rendered, margin: int
) -> None:
    dark = f"0.07 g {margin} {margin} {595 - 2 * margin} {842 - 2 * margin} re f"
    lines = " ".join(f"({WORDS[:40]}) Tj T*" for _ in range(4))
    content = f"{dark} 1 g BT /F 11 Tf 15 TL {margin + 30} 740 Td {lines} ET"
    page = picture(rendered(pdf([(595, 842, content)])).coded_page(0)).convert("L")
    assert 0 < page.histogram()[0] < 0.01 * page.width * page.height


def test_a_dark_slide_whose_colour_fades_goes_out_the_other_way_round() -> None:
    fade = (
        Image.linear_gradient("L").rotate(45, Image.Resampling.BICUBIC).crop((53, 53, 203, 203)).resize(FINE)
    )
    page = ImageOps.colorize(fade, (8, 16, 48), (155, 205, 255), (40, 90, 190))
    letters = Image.new("L", FINE, 0)
    for row, (column, word) in itertools.product(range(14), enumerate(("Potassium", "Chloride", "Glucose"))):
        at = (200 + 440 * column, 200 + row * 70)
        ImageDraw.Draw(page).text(at, word, (255, 255, 255), font(REGULAR, 36))
        ImageDraw.Draw(letters).text(at, word, 255, font(REGULAR, 36))
    faxed = bilevel(page)
    strokes = letters.point([255 if value > 195 else 0 for value in range(256)])
    beside = letters.filter(ImageFilter.MaxFilter(9)).point([255 if value < 5 else 0 for value in range(256)])
    assert ImageStat.Stat(faxed, strokes).mean[0] < 255 * 0.01
    assert ImageStat.Stat(faxed, beside).mean[0] > 255 * 0.99


@pytest.mark.parametrize("framed", [False, True])
def test_a_noisy_photograph_of_a_dark_screen_has_whole_words_and_no_specks(framed: bool) -> None:
    page, letters = (
        Image.new("RGB", FINE, (108, 100, 92) if framed else (32, 32, 35)),
        Image.new("L", FINE, 0),
    )
    draw = ImageDraw.Draw(page)
    if framed:
        draw.rectangle((130, 130, 1597, 2156), (190, 188, 180))
        draw.rectangle((170, 170, 1557, 2116), (32, 32, 35))
    for row, (column, word) in itertools.product(range(14), enumerate(("Potassium", "Chloride", "Glucose"))):
        at = (200 + 370 * column, 200 + row * 44)
        draw.text(at, word, (150, 150, 150), font(REGULAR, 22))
        ImageDraw.Draw(letters).text(at, word, 255, font(REGULAR, 22))
    faxed = bilevel(_noisy(page.filter(ImageFilter.GaussianBlur(1)), 12 if framed else 20))
    text = (190, 190, 1400, 1200)
    strokes = letters.point([255 if value > 195 else 0 for value in range(256)]).crop(text)
    beside = letters.filter(ImageFilter.MaxFilter(9)).point([255 if value < 5 else 0 for value in range(256)])
    assert ImageStat.Stat(faxed.crop(text), strokes).mean[0] < 255 * 0.01
    assert ImageStat.Stat(faxed.crop(text), beside.crop(text)).mean[0] > 255 * 0.999


@pytest.mark.parametrize("resolution", [Resolution.FINE, Resolution.STANDARD])
def test_the_balloons_of_a_dark_app_are_tints_and_their_type_is_black(resolution: Resolution) -> None:
    size = (FINE[0], FINE[1] * resolution.y_dpi // 196)
    page, white = Image.new("RGB", FINE, (18, 18, 18)), Image.new("L", FINE, 255)
    words = []
    for number in range(12):
        left, top = 60 + 200 * (number % 2), 60 + 180 * number
        fill = (0, 92, 75) if number % 2 else (45, 45, 48)
        ImageDraw.Draw(page).rounded_rectangle((left, top, left + 1400, top + 172), 24, fill)
        for row in range(2):
            at = (left + 30, top + 20 + 60 * row)
            ImageDraw.Draw(page).text(at, WORDS, (230, 235, 240), font(REGULAR, 32))
            ImageDraw.Draw(white).text(at, WORDS, 0, font(REGULAR, 32))
            words.append((at[0], at[1] * size[1] // FINE[1], at[0] + 600, (at[1] + 40) * size[1] // FINE[1]))
    faxed, plain = (bilevel(each.resize(size), resolution) for each in (page, white))
    assert max(_unlike(faxed.crop(box), plain.crop(box)) for box in words) < 0.45
    assert _ink(faxed) < 0.25


@pytest.mark.parametrize("paper", [205, 190])
def test_grey_paper_becomes_white_and_its_type_stays(paper: int) -> None:
    noise = random.Random(4711)
    page = _text(FINE, 26, 50, paper)
    grain = Image.frombytes("L", (432, 572), noise.randbytes(432 * 572)).resize(FINE)
    noisy = ImageChops.add(page, grain.point([value // 24 for value in range(256)])).filter(
        ImageFilter.GaussianBlur(0.6)
    )
    seen, clean = bilevel(noisy), bilevel(_text(FINE, 26))
    assert _unlike(seen, clean) < 0.35
    assert _octets(seen) < 1.4 * _octets(clean)


def test_a_shadow_over_a_photographed_page_goes_away() -> None:
    page = _text(FINE, 28, 20)
    shadow = (
        Image.linear_gradient("L")
        .rotate(90)
        .resize(FINE)
        .point([110 + value * 140 // 255 for value in range(256)])
    )
    seen = bilevel(ImageChops.multiply(page, shadow))
    assert _unlike(seen, bilevel(page)) < 0.35


def test_a_page_mostly_in_the_shade_is_no_dark_screen_and_words_in_a_lit_gap_are_whole() -> None:
    page, light = _text(FINE, 28, 40, 235), Image.new("L", FINE, 110)
    ImageDraw.Draw(light).polygon([(700, 0), (FINE[0], 0), (FINE[0], FINE[1]), (1500, FINE[1])], 255)
    light.paste(255, (240, 0, 300, FINE[1]))
    faxed = bilevel(ImageChops.multiply(page, light.filter(ImageFilter.GaussianBlur(2))))
    for left, right in ((60, 230), (250, 290), (310, 650), (1540, 1640)):
        box = (left, 0, right, FINE[1])
        assert _unlike(faxed.crop(box), bilevel(page).crop(box)) < 0.3


def test_a_dark_column_with_narrow_bars_in_it_is_printed_and_no_paper_in_a_shadow() -> None:
    page = Image.new("RGB", FINE, (244, 243, 238))
    draw = ImageDraw.Draw(page)
    draw.rectangle((40, 40, 560, 2240), (60, 74, 88))
    for row in range(24):
        draw.text((80, 100 + row * 60), "mathematics", (235, 240, 245), font(REGULAR, 26))
        draw.rectangle((80, 136 + row * 60, 480, 150 + row * 60), (240, 170, 60))
    for row in range(40):
        draw.text((640, 80 + row * 52), WORDS, (40, 40, 40), font(REGULAR, 26))
    faxed = bilevel(_scanned(page, 8))
    for top in range(1600, 2200, 100):
        assert 0.25 < _ink(faxed.crop((80, top, 520, top + 100))) < 0.75


def test_dark_parts_that_the_sheet_itself_has_along_its_edge_stay() -> None:
    page = _text(FINE, 26, (30, 30, 30), (245, 244, 240))
    page.paste((40, 60, 90), (0, 0, 1728, 560))  # a picture or an area that reaches the edge
    page.paste(_text((1728, 118), 34, (255, 255, 255), (30, 60, 120)), (0, 2100))  # and type in a bar
    faxed = bilevel(_scanned(page, 8))
    assert _ink(faxed.crop((0, 0, 1728, 500))) > 0.05
    assert _ink(faxed.crop((900, 2110, 1700, 2200))) > 0.4


@pytest.mark.parametrize("marked", [(255, 241, 118), (174, 234, 0), (255, 128, 171)])
def test_a_marked_page_on_a_coloured_table_in_the_shade_is_no_photograph(
    marked: tuple[int, int, int],
) -> None:
    sheet = _text((1400, 1900), 24, (20, 20, 20), (255, 255, 255))
    for y in range(168, 1800, 128):
        highlighted = Image.new("RGB", (1300, 32), marked)
        box = (50, y, 1350, y + 32)
        sheet.paste(ImageChops.multiply(sheet.crop(box), highlighted), box)
    page, alone = Image.new("RGB", FINE, (120, 95, 70)), Image.new("L", FINE, 255)
    page.paste(sheet, (170, 190))
    alone.paste(_text((1400, 1900), 24), (170, 190))
    light = (
        Image.linear_gradient("L").rotate(90).resize(FINE).point([140 + v * 115 // 255 for v in range(256)])
    )
    warm = Image.merge(
        "RGB", (light, light.point(lambda v: v * 96 // 100), light.point(lambda v: v * 88 // 100))
    )
    faxed = bilevel(_scanned(ImageChops.multiply(page, warm), 8))
    box = (230, 230, 1500, 2050)
    assert _unlike(faxed.crop(box), bilevel(alone).crop(box)) < 0.5


def test_the_darkness_option_changes_type_and_photographs() -> None:
    page = _text((1728, 600), 26, 150).filter(ImageFilter.GaussianBlur(1))
    inks = [_ink(bilevel(page, darkness=darkness)) for darkness in (-80, 0, 80)]
    assert inks[0] < inks[1] < inks[2]
    photo = photograph(800, 800)
    tones = [_ink(bilevel(photo, treatment=Treatment.PHOTO, darkness=darkness)) for darkness in (-60, 0, 60)]
    assert tones[0] + 0.05 < tones[1] < tones[2] - 0.05


# -- what must not change its meaning ------------------------------------------------------------


@pytest.mark.parametrize("side", [18, 24, 30, 44])
@pytest.mark.parametrize("ground", [255, 225, 200, 170, 140])
@pytest.mark.parametrize("resolution", [Resolution.STANDARD, Resolution.FINE])
def test_an_empty_tick_box_stays_empty_and_a_ticked_one_ticked(
    side: int, ground: int, resolution: Resolution
) -> None:
    page = Image.new("RGB", (1728, 600), (ground, ground, min(255, ground + 10)))
    draw = ImageDraw.Draw(page)
    for x in (300, 600):
        draw.rectangle((x, 200, x + side, 200 + side), (255, 255, 255), (60, 60, 60), 2)
    draw.line((602, 202, 598 + side, 198 + side), (0, 0, 90), 4)
    draw.line((602, 198 + side, 598 + side, 202), (0, 0, 90), 4)
    seen = bilevel(page, resolution)
    empty, ticked = (seen.crop((x + 4, 204, x + side - 3, 197 + side)) for x in (300, 600))
    assert empty.getextrema() == (255, 255)
    assert _ink(ticked) > 0.15


PALE_FILLS = [
    (153, 230, False),
    (200, 230, False),
    (60, 210, False),
    (0, 225, False),
    (60, 210, True),
    (0, 225, True),
]


@pytest.mark.parametrize("resolution", [Resolution.FINE, Resolution.STANDARD])
@pytest.mark.parametrize(("frame", "fill", "scanned"), PALE_FILLS)
def test_an_empty_tick_box_with_a_pale_fill_stays_empty(
    frame: int, fill: int, resolution: Resolution, scanned: bool
) -> None:
    """Before, the fill of a box narrower than a stroke was ink: a box that nobody ticked came out marked."""
    across = 1 if resolution is Resolution.FINE else 2
    page = Image.new("L", (3456, 2400), 255)
    draw = ImageDraw.Draw(page)
    boxes: list[tuple[int, int, int]] = []
    for row, size in enumerate((34, 36, 44, 52)):
        for column in range(8):
            left, top = 200 + 160 * column, 300 + 160 * row
            shape = draw.rectangle if column % 2 else draw.ellipse
            shape((left, top, left + size - 1, top + size - 1), fill, frame, 4)
            boxes.append((left, top, size))
    draw.text((200, 1200), WORDS, 0, font(REGULAR, 60))
    page = page.resize((1728, 1200 // across), Image.Resampling.BOX)
    faxed = bilevel(_scanned(page.convert("RGB"), 6) if scanned else page, resolution)
    for left, top, size in boxes:
        edges = (left + 10, (top + 10) // across, left + size - 10, (top + size - 10) // across)
        inside = faxed.crop([edge // 2 for edge in edges])
        assert _ink(inside) < 0.35


@pytest.mark.parametrize("size", [24, 30, 44])
def test_a_small_pale_field_gets_no_line_that_looks_like_a_mark(size: int) -> None:
    page = Image.new("L", (1000, 600), 255)
    page.paste(200, (500, 300, 500 + size, 300 + size))
    seen = bilevel(page)
    assert seen.crop((504, 304, 496 + size, 296 + size)).getextrema() == (255, 255)


@pytest.mark.parametrize("resolution", [Resolution.FINE, Resolution.STANDARD])
@pytest.mark.parametrize("shape", ["ellipse", "diamond", "letter"])
def test_a_black_shape_without_type_beside_it_is_black_to_its_edge(
    shape: str, resolution: Resolution
) -> None:
    page = Image.new("L", (2000, 1600), 255)
    draw = ImageDraw.Draw(page)
    match shape:
        case "ellipse":
            draw.ellipse((204, 206, 1213, 1195), 0)
        case "diamond":
            draw.polygon([(211, 700), (700, 301), (1207, 703), (703, 1110)], 0)
        case _:
            draw.text((150, 150), "O", 0, font(BOLD, 1300))
    page = page.resize((500, 400 if resolution is Resolution.FINE else 200), Image.Resampling.BOX)
    made = bilevel(page, resolution)
    inner = page.point(lambda level: 255 if level < 10 else 0)
    lost = ImageStat.Stat(ImageChops.multiply(made, inner)).sum[0] / ImageStat.Stat(inner).sum[0]
    assert lost < 0.003


def test_a_blacked_out_passage_stays_black() -> None:
    page = _text((1728, 400), 30)
    ImageDraw.Draw(page).rectangle((300, 60, 900, 180), 8)
    hidden = bilevel(page.filter(ImageFilter.GaussianBlur(0.7))).crop((310, 70, 890, 170))
    assert hidden.getextrema() == (0, 0)


def test_millimetre_paper_does_not_bury_its_curve() -> None:
    page = Image.new("RGB", (1728, 1200), "white")
    draw = ImageDraw.Draw(page)
    for at in range(0, 1728, 8):
        draw.line((at, 0, at, 1199), (255, 150, 150) if at % 40 == 0 else (255, 200, 200))
        draw.line((0, at, 1727, at), (255, 150, 150) if at % 40 == 0 else (255, 200, 200))
    curve = [(x, 600 + (150 if x % 200 < 12 else 0) - (x % 200) // 4) for x in range(50, 1700, 3)]
    draw.line(curve, (20, 20, 20), 2)
    alone = Image.new("L", page.size, 255)
    ImageDraw.Draw(alone).line(curve, 0, 2)
    seen = bilevel(page)
    missing = ImageChops.subtract(seen, alone)
    assert _ink(ImageChops.invert(missing)) < 0.1 * _ink(alone)
    assert _ink(seen) < 2 * _ink(alone)


def test_the_grid_of_scanned_millimetre_paper_goes_and_its_curve_stays() -> None:
    page = Image.new("RGB", FINE, (255, 233, 233))
    draw = ImageDraw.Draw(page)
    for at in range(0, FINE[1], 8):
        colour, thick = ((255, 128, 128), 2) if at % 40 == 0 else ((255, 179, 179), 1)
        draw.line((at, 0, at, FINE[1]), colour, thick)
        draw.line((0, at, FINE[0], at), colour, thick)
    curve = [(x, 600 + (150 if x % 200 < 12 else 0) - (x % 200) // 4) for x in range(50, 1700, 3)]
    draw.line(curve, (20, 20, 20), 2)
    alone = Image.new("L", page.size, 255)
    ImageDraw.Draw(alone).line(curve, 0, 2)
    seen = bilevel(_scanned(page, 8))
    missing = ImageChops.subtract(seen, alone)
    assert _ink(ImageChops.invert(missing)) < 0.15 * _ink(alone)
    assert _octets(seen) < 6 * _octets(alone)


def test_the_lines_of_a_pale_table_stay() -> None:
    page = Image.new("L", (1728, 1200), 255)
    draw = ImageDraw.Draw(page)
    for y in range(100, 1100, 44):
        draw.line((100, y, 1600, y), 190, 2)
    for x in range(100, 1601, 250):
        draw.line((x, 100, x, 1090), 190, 2)
    seen = bilevel(page)
    for y in range(100, 1100, 44):
        assert (
            seen.crop((120, y - 1, 1580, y + 3)).resize((1, 1), Image.Resampling.BOX).getpixel((0, 0)) < 180
        )


@pytest.mark.parametrize("thick", [3, 6, 7])
def test_the_rules_of_a_pale_narrow_table_stay(thick: int) -> None:
    page = Image.new("L", FINE, 255)
    draw = ImageDraw.Draw(page)
    for row in range(9):
        draw.rectangle((100, 200 + row * 44, 1500, 199 + row * 44 + thick), 176)
    for column in range(9):
        draw.rectangle((100 + column * 175, 200, 99 + column * 175 + thick, 552), 176)
        for row in range(8 if column < 8 else 0):
            draw.text((112 + column * 175, 213 + row * 44), f"cell {column}{row}", 0, font(MONOSPACED, 22))
    faxed = bilevel(page)
    for row in range(9):
        whole = faxed.crop((100, 201 + row * 44, 1500, 202 + row * 44))
        assert _ink(whole) > 0.98, "a rule has gaps"


def test_the_stripes_under_a_scanned_card_go_and_its_type_stays() -> None:
    rng = random.Random(5)
    page = Image.new("L", FINE, 245)
    draw = ImageDraw.Draw(page)
    for left in range(200, 1200, 14):
        draw.rectangle((left, 300, left + 6, 900), 190)
    for row in range(5):
        draw.text((260, 360 + row * 100), "SPECIMEN 12 08 1964", 20, font(MONOSPACED, 34))
    noise = Image.frombytes("L", FINE, bytes(rng.randrange(-3, 4) % 256 for _ in range(FINE[0])) * FINE[1])
    scanned = ImageChops.add_modulo(page.filter(ImageFilter.GaussianBlur(1)), noise)
    faxed = bilevel(scanned)
    assert _ink(faxed.crop((900, 320, 1190, 880))) < 0.02, "stripes"
    words = Image.new("L", FINE, 255)
    for row in range(5):
        ImageDraw.Draw(words).text((260, 360 + row * 100), "SPECIMEN 12 08 1964", 0, font(MONOSPACED, 34))
    box = (240, 340, 900, 800)
    assert likeness(faxed.crop(box), words.crop(box), 8) > 0.9


def test_pale_bars_in_a_scanned_table_are_no_stripes_and_its_lines_stay() -> None:
    page = Image.new("RGB", FINE, (244, 243, 238))
    draw = ImageDraw.Draw(page)
    lines = [327 + row * 37 for row in range(24)]
    for line in lines:
        draw.rectangle((1150, line - 27, 1390, line - 12), (170, 195, 170))
        draw.line((150, line, 1600, line), (200, 170, 175), 3)
    faxed = bilevel(_scanned(page, 8))
    for line in lines:
        assert _ink(faxed.crop((1110, line, 1430, line + 2))) > 0.9


def _on_a_ground(kind: str) -> tuple[Image.Image, Image.Image]:
    """A page with type on the ground of a certificate or a prescription, and its type alone."""
    page = Image.new("RGB", (2 * FINE[0], 2 * FINE[1]), "white")
    draw = ImageDraw.Draw(page)
    if kind == "waves":
        for row in range(190):
            wave = [(x, 60 + 24 * row + 30 * math.sin(x / 80 + row * 0.35)) for x in range(60, 3400, 8)]
            draw.line(wave, (150, 190, 170), 3)
    elif kind == "flat waves":
        draw.rectangle((60, 60, 3400, 4400), (220, 239, 220))
        for row in range(300):
            wave = [(x, 70 + 14.4 * row + 11 * math.sin(x / 102)) for x in range(60, 3400, 8)]
            draw.line(wave, (168, 208, 171), 3)
    elif kind == "rosette":
        for ring in range(22):
            turns = [turn * math.tau / 1400 for turn in range(1401)]
            far = [1500 - 66 * ring + 130 * math.sin((11 + ring) * turn) for turn in turns]
            rose = [(1728 + r * math.cos(t), 2200 + r * math.sin(t)) for r, t in zip(far, turns, strict=True)]
            draw.line(rose, (150, 190, 170), 4)
    elif kind == "dots":
        for x, y in itertools.product(range(60, 3400, 20), range(60, 4500, 20)):
            draw.ellipse((x - 3, y - 3, x + 3, y + 3), (160, 195, 230))
    else:
        for row in range(120):
            at = (60 - row * 14 % 120, 60 + 37 * row)
            draw.text(at, "GENUINEDOCUMENT" * 17, (175, 195, 215), font(REGULAR, 24))
    page = page.resize(FINE, Image.Resampling.BOX)
    words = Image.new("L", FINE, 255)
    for row in range(24):
        at = (150, 150 + row * 84)
        ImageDraw.Draw(page).text(at, f"{WORDS} {row}", (35, 35, 60), font(REGULAR, 30))
        ImageDraw.Draw(words).text(at, f"{WORDS} {row}", 0, font(REGULAR, 30))
    return page, words


@pytest.mark.parametrize("kind", ["waves", "flat waves", "rosette", "dots", "microprint"])
def test_the_security_ground_of_a_scan_goes_and_the_type_on_it_stays(kind: str) -> None:
    page, words = _on_a_ground(kind)
    faxed, clear = bilevel(_scanned(page, 5)), bilevel(words)
    assert likeness(faxed, clear, 4) > 0.9
    assert _octets(faxed) < 1.3 * _octets(clear)


def _lost_of_small_print(ground: str, ink: tuple[int, int, int], pixels: int) -> float:
    """The share of small letters on a scanned ground that is missing from the fax."""
    page, _ = _on_a_ground(ground)
    draw, letters = ImageDraw.Draw(page), Image.new("L", FINE, 0)
    for row in range(3, 24, 4):
        draw.text((150, 196 + row * 84), f"{WORDS} {WORDS}", ink, font(REGULAR, pixels))
        ImageDraw.Draw(letters).text((150, 196 + row * 84), f"{WORDS} {WORDS}", 255, font(REGULAR, pixels))
    missing = ImageChops.darker(bilevel(_scanned(page, 5)), letters)
    return ImageStat.Stat(missing).sum[0] / ImageStat.Stat(letters).sum[0]


def test_grey_small_print_on_a_security_ground_is_not_taken_for_it() -> None:
    assert _lost_of_small_print("waves", (110, 110, 110), 19) < 0.2


def test_flat_waves_of_a_picture_without_noise_are_no_lines_of_a_table() -> None:
    page, words = _on_a_ground("flat waves")
    faxed, clear = bilevel(page), bilevel(words)
    assert likeness(faxed, clear, 4) > 0.9
    assert _octets(faxed) < 1.3 * _octets(clear)


def test_small_print_on_flat_waves_keeps_its_thin_strokes() -> None:
    assert _lost_of_small_print("flat waves", (40, 80, 50), 18) < 0.1


def test_the_security_ground_of_a_coarse_scan_goes_although_its_grain_is_as_deep() -> None:
    page, words = _on_a_ground("dots")
    page, words = (image.crop((0, 0, 1728, 1500)) for image in (page, words))
    fill = page.resize(FINE).point(lambda level: 250)
    fill.paste(page, (0, 0))
    coarse = fill.resize((FINE[0] * 3 // 4, FINE[1] * 3 // 4), Image.Resampling.BOX)
    rng = random.Random(8)
    grain = Image.frombytes(
        "L", coarse.size, bytes(int(rng.gauss(128, 5)) for _ in range(coarse.width * coarse.height))
    )
    scanned = ImageChops.add(coarse, grain.convert("RGB"), 1, -135).resize(FINE, Image.Resampling.BICUBIC)
    faxed = bilevel(scanned).crop((0, 0, 1728, 1500))
    assert likeness(faxed, bilevel(words), 4) > 0.9
    assert _octets(faxed) < 1.3 * _octets(bilevel(words))


def test_the_ground_of_a_drawn_certificate_goes_from_under_its_type(rendered: Rendered) -> None:
    waves = []
    for row in range(80):
        points = [f"{x} {30 + 9.7 * row + 6 * math.sin(x / 15 + row * 0.35):.2f}" for x in range(30, 565, 3)]
        waves.append(f"{points[0]} m {' '.join(f'{point} l' for point in points[1:])} S")
    ground = f"0.5 0.65 0.75 RG 0.5 w {' '.join(waves)}"
    lines = " ".join(f"({WORDS} {row}) Tj T*" for row in range(24))
    typed = f"0 g BT /F 11 Tf 30 TL 60 780 Td {lines} ET"
    on_ground = rendered(pdf([(595, 842, f"{ground} {typed}")])).coded_page(0)
    alone = rendered(pdf([(595, 842, typed)])).coded_page(0)
    assert len(on_ground.data) < 1.2 * len(alone.data)
    assert likeness(picture(on_ground), picture(alone), 4) > 0.9


def _of_pale_lines(kind: str) -> Image.Image:
    """A page with dark type among the thin pale lines that it is about."""
    rng = random.Random(3)
    page = Image.new("RGB", FINE, "white")
    draw = ImageDraw.Draw(page)
    if kind == "a table":
        for y in range(100, 2200, 36):
            draw.line((60, y, 1660, y), (190, 190, 190), 2)
            draw.text((80, y + 6), f"{y} Mill Lane {y} the old town", (20, 20, 20), font(REGULAR, 22))
        for x in range(60, 1661, 160):
            draw.line((x, 100, x, 2188), (190, 190, 190), 2)
    elif kind == "a map":
        for road in range(80):
            x, y, turn, points = rng.uniform(100, 1600), rng.uniform(100, 2200), rng.uniform(0, 6.3), []
            for _ in range(60):
                turn += rng.uniform(-0.2, 0.2)
                x, y = x + 12 * math.cos(turn), y + 12 * math.sin(turn)
                points.append((x, y))
            draw.line(points, [(170, 170, 170), (190, 160, 120), (130, 170, 210)][road % 3], 1 + road % 3)
        for row in range(20):
            draw.text((rng.randrange(100, 1200), 100 + row * 100), f"Mill Lane {row}", 0, font(REGULAR, 24))
    else:
        for row in range(70):
            draw.text((100, 100 + row * 30), f"{row} {WORDS} {WORDS}", (135, 135, 140), font(REGULAR, 22))
        for stroke in range(5):
            signed = [(300 + x, 400 + 330 * stroke + 40 * math.sin(x / 9)) for x in range(700)]
            draw.line(signed, (20, 20, 90), 5)
    return page


@pytest.mark.parametrize("kind", ["a table", "a map", "signed small print"])
def test_pale_lines_that_a_page_is_about_are_no_security_ground(kind: str) -> None:
    page = _of_pale_lines(kind)
    faxed = bilevel(_scanned(page, 5))
    lines = page.convert("L").point([0 if level < 215 else 255 for level in range(256)])
    assert likeness(faxed, lines, 8) > 0.8
    assert _ink(faxed) > 0.8 * _ink(lines)


@pytest.mark.parametrize("colour", [(0, 255, 255), (255, 0, 255), (255, 190, 0), (190, 190, 190)])
def test_type_under_a_highlighter_in_a_scan_keeps_its_letters(colour: tuple[int, int, int]) -> None:
    rng = random.Random(6)
    page, words = Image.new("RGB", FINE, (250, 249, 246)), Image.new("L", FINE, 255)
    draw, drawn = ImageDraw.Draw(page), ImageDraw.Draw(words)
    for row in range(20):
        draw.rectangle((300, 200 + row * 60, 1200, 238 + row * 60), colour)
        draw.text((320, 202 + row * 60), WORDS, (25, 25, 25), font(MONOSPACED, 28))
        drawn.text((320, 202 + row * 60), WORDS, 0, font(MONOSPACED, 28))
    noise = Image.frombytes("L", FINE, bytes(rng.randrange(7) for _ in range(FINE[0])) * FINE[1])
    scanned = ImageChops.subtract(page.filter(ImageFilter.GaussianBlur(1.2)), noise.convert("RGB"))
    faxed = bilevel(scanned)
    box = (310, 206, 1020, 200 + 19 * 60 + 30)
    missing = ImageStat.Stat(ImageChops.subtract(faxed, words).crop(box)).sum[0]
    assert missing < 0.3 * ImageStat.Stat(ImageChops.invert(words.crop(box))).sum[0]
    for row in range(20):
        line = (310, 206 + row * 60, 1020, 232 + row * 60)
        assert _ink(faxed.crop(line)) < 2 * _ink(words.crop(line)), "more than the letters"


def test_gaps_in_the_letters_of_a_noisy_scan_stay_open_at_standard_resolution() -> None:
    page, clean = Image.new("RGB", FINE, (240, 239, 234)), Image.new("L", FINE, 255)
    for row in range(40):
        at = (120, 120 + row * 51)
        ImageDraw.Draw(page).text(at, f"{WORDS} {WORDS}", (90, 90, 90), font(REGULAR, 24))
        ImageDraw.Draw(clean).text(at, f"{WORDS} {WORDS}", 0, font(REGULAR, 24))
    size = (FINE[0], FINE[1] // 2)
    scanned = _noisy(page.filter(ImageFilter.GaussianBlur(1)).resize(size, Image.Resampling.BOX), 12)
    faxed, letters = bilevel(scanned, Resolution.STANDARD), clean.resize(size, Image.Resampling.BOX)
    paper = letters.point([255 if level > 192 else 0 for level in range(256)])
    filled = ImageChops.darker(ImageChops.invert(faxed), paper)
    assert ImageStat.Stat(filled).sum[0] < 0.46 * ImageStat.Stat(ImageChops.invert(letters)).sum[0]


def test_highlighted_lines_of_a_scan_are_no_photograph_at_standard_resolution() -> None:
    """Tiles of as many rows as at fine would be twice as high there, and hold a line of type and its tint."""
    size = (FINE[0], FINE[1] // 2)
    page, clean = (Image.new("RGB", FINE, white) for white in ((250, 249, 246), (255, 255, 255)))
    for row in range(28):
        colour = [(255, 192, 0), (190, 190, 190), (255, 130, 130), (255, 255, 0)][row % 4]
        for sheet, tint in ((page, colour), (clean, (255, 255, 255))):
            draw = ImageDraw.Draw(sheet)
            draw.rectangle((300, 200 + row * 60, 1250, 238 + row * 60), tint)
            draw.text((320, 202 + row * 60), WORDS, (25, 25, 25), font(MONOSPACED, 28))
    noise = Image.frombytes("L", FINE, random.Random(6).randbytes(FINE[0] * FINE[1]))
    grain = noise.point([value // 42 for value in range(256)]).convert("RGB")
    scanned = ImageChops.subtract(page.filter(ImageFilter.GaussianBlur(1.2)), grain)
    faxed, typed = (bilevel(each.resize(size), Resolution.STANDARD) for each in (scanned, clean))
    lines = [(320, 103 + row * 30, 1040, 116 + row * 30) for row in range(28)]
    assert sum(_unlike(faxed.crop(line), typed.crop(line)) < 0.4 for line in lines) == len(lines)


@pytest.mark.parametrize("tint", [(255, 225, 120), (180, 220, 255), (150, 200, 150)])
def test_noise_on_tints_of_a_scan_whose_paper_is_pure_white_is_no_ink(tint: tuple[int, int, int]) -> None:
    page = Image.new("RGB", FINE, "white")
    draw = ImageDraw.Draw(page)
    draw.rectangle((100, 300, 900, 900), fill=tint)
    draw.text((200, 500), WORDS[:20], "black", font(MONOSPACED, 40))
    noise = Image.effect_noise(FINE, 14).convert("RGB")  # the paper is too bright for half of it
    scan = ImageChops.add(page, noise, 1, -128)
    faxed = bilevel(scan)
    beside = faxed.crop((130, 620, 870, 870))
    assert beside.histogram()[0] < beside.width * beside.height * 0.04
    assert faxed.crop((190, 490, 700, 560)).histogram()[0] > 1_000  # type stays
    assert _octets(faxed) < 8_000


def test_thin_pale_curves_stay_whole() -> None:
    page = Image.new("L", (1728, 600), 255)
    ImageDraw.Draw(page).line([(x, 300 + (x * 37 % 191) - 95) for x in range(50, 1700, 40)], 170, 1)
    seen = bilevel(page)
    assert _ink(seen) > 0.8 * _ink(page.point([0] * 254 + [255] * 2))


# -- tints and photographs ------------------------------------------------------------------------


@pytest.mark.parametrize("tone", [60, 90, 130, 180, 200])
def test_a_flat_tint_costs_next_to_nothing(tone: int) -> None:
    page = Image.new("L", FINE, 255)
    page.paste(tone, (200, 300, 1500, 1900))
    assert _octets(bilevel(page)) < 3000


def test_a_darker_tint_looks_darker() -> None:
    inks = []
    for tone in (235, 190, 140, 90, 50, 10):
        page = Image.new("L", (1728, 900), 255)
        page.paste(tone, (200, 300, 1500, 700))
        inks.append(_ink(bilevel(page).crop((300, 400, 1400, 600))))
    assert inks == sorted(inks)
    assert inks[0] == 0
    assert inks[-1] == 1


# Of one luma, as the colours of a chart's legend can be.
_ONE_LUMA = [(190, 65, 84), (50, 138, 70), (68, 106, 220), (150, 80, 150), (120, 112, 30)]


@pytest.mark.parametrize("resolution", [Resolution.FINE, Resolution.STANDARD])
def test_colours_of_one_luma_are_told_apart_and_agree_with_their_legend(resolution: Resolution) -> None:
    page = Image.new("RGB", (1728, 1600), "white")
    lefts = [150 + 252 * number for number in range(len(_ONE_LUMA))]  # lines repeat in 36 pixels both ways
    for left, colour in zip(lefts, _ONE_LUMA, strict=True):
        page.paste(colour, (left, 200, left + 72, 700))  # a bar of the chart
        page.paste(colour, (left + 20, 1000, left + 50, 1030))  # the legend's square
    rows = 1600 * resolution.y_dpi // 196
    made = bilevel(page.resize((1728, rows), Image.Resampling.NEAREST), resolution)
    made = made.resize(page.size, Image.Resampling.NEAREST)
    bars = [made.crop((left + 18, 360, left + 54, 396)) for left in lefts]
    for one, other in itertools.combinations(bars, 2):
        assert _unlike(one, other) > 0.3
    for left in lefts:
        legend, bar = (made.crop((left + 26, top, left + 44, top + 16)) for top in (1008, 1008 - 14 * 36))
        assert _unlike(legend, bar) < 0.1


def _pie(colours: list[tuple[int, int, int]], between: int) -> Image.Image:
    """A chart of 500 pixels in a page, with white lines of ``between`` pixels between its sectors."""
    large = Image.new("RGB", (4 * 800, 4 * 700), "white")
    draw, ends = ImageDraw.Draw(large), [-90 + 360 * share // 100 for share in (0, 31, 53, 70, 84, 94, 100)]
    for colour, (begin, end) in zip(colours, itertools.pairwise(ends), strict=True):
        draw.pieslice((4 * 100, 4 * 100, 4 * 600, 4 * 600), begin, end, fill=colour)
    for end in ends if between else ():
        x, y = 4 * 350 + 1000 * math.cos(math.radians(end)), 4 * 350 + 1000 * math.sin(math.radians(end))
        draw.line((4 * 350, 4 * 350, x, y), fill="white", width=4 * between)
    return large.resize((800, 700), Image.Resampling.LANCZOS)


def _even(page: Image.Image, filtered: ImageFilter.Filter) -> int:
    """How many pixels of the chart, 16 within its rim and 40 from its centre, are black after the filter."""
    within = Image.new("L", page.size, 0)
    draw = ImageDraw.Draw(within)
    draw.ellipse((116, 116, 584, 584), fill=255)
    draw.ellipse((310, 310, 390, 390), fill=0)
    return Image.composite(page.filter(filtered), Image.new("L", page.size, 255), within).histogram()[0]


def test_a_colour_that_fades_has_lying_lines_alone() -> None:
    """A card from green to turquoise: of a few colours, each of one level as far as lines go."""
    page = Image.new("RGB", (1728, 700), "white")
    dark, light = (35, 176, 120), (35, 183, 168)
    for x in range(1000):
        shade = tuple(a + (b - a) * x // 1000 for a, b in zip(dark, light, strict=True))
        ImageDraw.Draw(page).line((300 + x, 100, 300 + x, 600), shade)
    flat = Image.new("RGB", page.size, "white")
    ImageDraw.Draw(flat).rectangle((300, 100, 1299, 600), (30, 175, 123))
    assert _octets(bilevel(page)) < 1.5 * _octets(bilevel(flat))


def test_white_lines_between_the_sectors_of_a_chart_are_no_light_type_in_black_boxes() -> None:
    office = [(68, 114, 196), (237, 125, 49), (165, 165, 165), (255, 192, 0), (91, 155, 213), (112, 173, 71)]
    made = bilevel(_pie(office, 3))
    assert _even(made, ImageFilter.MaxFilter(9)) < 60  # solid black, 9 pixels each way


def test_round_rims_of_a_dark_chart_in_a_picture_are_not_white_in_steps() -> None:
    dark = [(31, 56, 100), (31, 56, 100), (84, 130, 53), (112, 48, 160), (112, 48, 160), (84, 130, 53)]
    made = ImageChops.invert(bilevel(_pie(dark, 0)))
    assert _even(made, ImageFilter.MaxFilter(9)) < 60  # white, 9 pixels each way


def test_a_wedge_that_narrows_to_a_point_is_of_one_tint(rendered: Rendered) -> None:
    typed = "0 g BT /F 10 Tf 60 720 Td (harbour) Tj ET"
    drawn = f"0.7 g 60 500 400 200 re f 0.4 g 60 570 m 360 600 l 60 630 l f {typed}"
    page = picture(rendered(pdf([(595, 842, drawn)])).coded_page(0))
    middle = page.height / 2 + (421 - 600) * 196 / 72
    wedge = page.crop((400, round(middle) - 30, 1000, round(middle) + 30))
    assert wedge.filter(ImageFilter.MaxFilter(7)).histogram()[0] == 0  # nowhere solid black
    assert ImageChops.invert(wedge).filter(ImageFilter.MaxFilter(17)).histogram()[0] == 0  # nor white


@pytest.mark.parametrize("slope", [30, 90])
def test_a_light_area_beside_a_dark_one_is_no_light_type(rendered: Rendered, slope: int) -> None:
    drawn = f"0.7 g 60 500 400 200 re f 0.4 g 60 {600 - slope} m 360 600 l 60 {600 + slope} l f"
    page = picture(rendered(pdf([(595, 842, drawn)])).coded_page(0))
    solid = page.crop((120, 600, 1600, 1000)).filter(ImageFilter.MaxFilter(9))
    assert solid.histogram()[0] < 60


def test_what_is_between_areas_close_together_has_no_lines() -> None:
    large = Image.new("L", (3200, 1600), 255)
    draw = ImageDraw.Draw(large)
    for x in (300, 900, 1500):
        draw.ellipse((x, 600, x + 560, 1160), fill=130)
    made = bilevel(large.resize((800, 400), Image.Resampling.LANCZOS))
    for x in (220, 370):
        assert _ink(made.crop((x - 3, 150, x + 4, 290))) == 0


def test_bars_of_light_type_close_together_do_not_grow_into_one(rendered: Rendered) -> None:
    drawn = []
    for row in range(4):
        y, x = 700 - 22 * row, 100 + 40 * row
        drawn.append(f"0.26 0.65 0.96 rg {x} {y} 220 17 re f 0.87 G 0.3 w 60 {y - 2.5} m 500 {y - 2.5} l S")
        drawn.append(f"1 g BT /F 10 Tf {x + 8} {y + 4} Td (harbour) Tj ET")
    page = picture(rendered(pdf([(595, 842, " ".join(drawn))])).coded_page(0))
    for row in range(3):
        right, middle = (240 + 40 * row) * 204 / 72, page.height / 2 + (421 - 697.5 + 22 * row) * 196 / 72
        between = page.crop((round(right - 170), round(middle - 6), round(right), round(middle + 6)))
        white = between.resize((1, 12), Image.Resampling.BOX).histogram()[250:]
        assert sum(white) >= 4, row
        bar = page.crop((round(right - 170), round(middle + 12), round(right), round(middle + 46)))
        assert _ink(bar) > 0.6


def test_bars_that_end_where_the_page_is_surveyed_are_no_photograph() -> None:
    page = Image.new("L", (1728, 1600), 255)
    for left in range(144, 1440, 288):
        page.paste(107, (left, 192, left + 72, 720))
    assert _ink(bilevel(page).crop((160, 360, 200, 420))) < 0.4


def test_a_gradient_and_a_table_keep_the_lines_that_cost_next_to_nothing() -> None:
    gradient = Image.linear_gradient("L").rotate(90).resize((1400, 1500))
    page = Image.new("RGB", FINE, "white")
    page.paste(Image.merge("RGB", (gradient, gradient, Image.new("L", gradient.size, 200))), (160, 300))
    drawn = replace(Drawing.of_image(page, Rect(0, 0, *page.size)), photographs=())
    data = screening.bilevel(drawn, Resolution.FINE, Treatment.AUTO)
    assert len(encode(Raster(*FINE, data, Resolution.FINE), Coding.MMR).data) < 12_000
    table = Image.new("RGB", FINE, "white")
    for row in range(20):
        table.paste(
            (222, 205, 190) if row % 2 else (180, 200, 235), (160, 300 + 60 * row, 1560, 360 + 60 * row)
        )
    assert _octets(bilevel(table)) < 3000


def test_a_small_dark_grey_square_is_no_part_of_a_page_of_type_alone() -> None:
    page = _text(FINE, 24, 0)
    assert not _toned(page)
    page.paste(255, (100, 900, 1600, 1100))
    page.paste(107, (500, 990, 528, 1018))
    assert [first <= 990 and below >= 1018 for first, below in _toned(page)] == [True]


@pytest.mark.parametrize(
    ("resolution", "size", "bound"),
    [
        (Resolution.STANDARD, (1728, 1143), 110),
        (Resolution.FINE, FINE, 150),
        (Resolution.SUPERFINE, (1728, 4574), 210),
        (Resolution.R300, (2592, 3508), 210),
    ],
)
def test_a_photograph_that_fills_the_page_goes_in_minutes_not_in_a_quarter_of_an_hour(
    resolution: Resolution, size: tuple[int, int], bound: float
) -> None:
    grey = photograph(*size)
    ours = _seconds(bilevel(grey, resolution, Treatment.PHOTO), resolution)
    diffused = _seconds(grey.convert("1").convert("L"), resolution)
    assert ours < bound
    assert ours < diffused / 3


@pytest.mark.parametrize("resolution", list(Resolution))
def test_the_screen_keeps_the_tones_of_a_photograph(resolution: Resolution) -> None:
    grey = photograph(800, 800)
    for treatment in (Treatment.PHOTO, Treatment.AUTO):
        assert likeness(bilevel(grey, resolution, treatment), grey, block=40) > 0.9


def test_a_darker_grey_prints_darker() -> None:
    steps = Image.new("L", (1600, 300))
    tones = range(255, -1, -32)
    for number, tone in enumerate(tones):
        steps.paste(tone, (number * 178, 0, number * 178 + 178, 300))
    seen = bilevel(steps, treatment=Treatment.PHOTO)
    inks = [_ink(seen.crop((n * 178 + 10, 10, n * 178 + 168, 290))) for n in range(len(tones))]
    assert inks == sorted(inks)
    assert inks[0] == 0
    assert inks[-1] == 1
    assert all(darker - lighter > 0.03 for lighter, darker in itertools.pairwise(inks[2:-1]))


@pytest.mark.parametrize("resolution", [Resolution.STANDARD, Resolution.FINE, Resolution.SUPERFINE])
def test_a_mixed_page_has_crisp_text_beside_a_halftone(resolution: Resolution) -> None:
    size = (1728, round(2287 * resolution.y_dpi / 196))
    page = _text(size, max(16, round(26 * resolution.y_dpi / 196)))
    box = (500, size[1] // 3, 1300, size[1] * 2 // 3)
    picture = photograph(box[2] - box[0], box[3] - box[1])
    page.paste(255, (box[0] - 60, box[1] - 60, box[2] + 60, box[3] + 60))
    page.paste(picture, box[:2])
    mixed, crisp = bilevel(page, resolution), bilevel(page, resolution, Treatment.TEXT)
    above = (0, 0, size[0], box[1] - 80)
    assert _unlike(mixed.crop(above), crisp.crop(above)) < 0.01
    assert likeness(mixed.crop(box), picture, block=50) > 0.85


# -- bands and bounds ------------------------------------------------------------------------------


@pytest.mark.parametrize("dpi", [100, 200, 300])
def test_a_dithered_scan_in_black_and_white_is_drawn_once_and_is_the_page_it_was_in_colours(
    dpi: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scan = tmp_path / "scan.pdf"
    photograph(8 * dpi, 11 * dpi).convert("1").save(scan, resolution=dpi)
    draw = pdfium.FPDF_RenderPageBitmap
    drawn: list[int] = []

    def counted(*arguments: object) -> None:
        drawn.append(1)
        draw(*arguments)

    monkeypatch.setattr(pdfium, "FPDF_RenderPageBitmap", counted)
    monkeypatch.setattr(pdf_source, "drawn_black_and_white", lambda *_: None)
    in_grey = _page_of(scan)
    assert len(drawn) == 1
    monkeypatch.setattr(pdf_source, "scan_of", lambda _page, _layout: None)
    assert _page_of(scan) == in_grey
    assert len(drawn) == 1 + 1


@pytest.mark.parametrize("few", [True, False], ids=["few", "many"])
@pytest.mark.parametrize("size", [(595, 842), (842, 595)], ids=["upright", "turned"])
def test_only_what_is_around_type_is_drawn_a_second_time_without_it(
    size: tuple[int, int], few: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    width, height = size
    tints = f"0.7 g 30 30 {width - 60} {height - 60} re f 0.5 0.6 1 rg 90 90 {width - 300} 70 re f 0 g\n"
    lines = (height - 90, 120, 100) if few else range(60, height - 60, 20)
    words = "".join(f"BT /F 14 Tf 60 {y} Td ({'Type on a tint ' * (1 if few else 9)}) Tj ET\n" for y in lines)
    draw = pdfium.FPDF_RenderPageBitmap
    drawn: list[int] = []

    def counted(bitmap: Any, *arguments: object) -> None:
        drawn.append(pdfium.FPDFBitmap_GetHeight(bitmap))
        draw(bitmap, *arguments)

    monkeypatch.setattr(pdfium, "FPDF_RenderPageBitmap", counted)
    pixels = []
    for content in (tints + words, tints):
        source = pdf_source.PdfSource(pdf([(width, height, content)]))
        layout = lay_out(source.size(0), PageFormat(Resolution.FINE))
        drawing = source.draw(0, layout)
        drawn.clear()
        # Parts that overlap, as those of a page may: what is drawn of one must outlast the next.
        half = layout.rows // 2
        made = [drawing.draw(*part) for part in ((0, half + 200), (half, layout.rows - half))]
        pixels.append([replace(each, page=bytes(each.page)) for each in made])
        if content != tints and few:
            assert 0 < sum(drawn) < layout.rows / 2
    seen = 0
    for with_type, without in zip(*pixels, strict=True):
        assert with_type.under is not None
        for box in with_type.type_boxes:
            for row in range(box.top, box.below):
                part = slice(with_type.stride * row + 4 * box.left, with_type.stride * row + 4 * box.right)
                assert with_type.under[part] == without.page[part]
                seen += with_type.page[part] != without.page[part]
    assert seen


def test_lines_of_type_are_drawn_at_once_but_nothing_between_them_is_taken_for_type(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slanting = "".join(f"{x} 300 m {x + 300} 600 l S\n" for x in range(50, 300, 9))
    words = "".join(f"BT /F 14 Tf 100 {y} Td (Type on slanting lines) Tj ET\n" for y in (500, 470))
    source = pdf_source.PdfSource(pdf([(595, 842, "0.7 G " + slanting + words)]))
    layout = lay_out(source.size(0), PageFormat(Resolution.FINE))
    drawing = source.draw(0, layout)
    draw = pdfium.FPDF_RenderPageBitmap
    drawn: list[int] = []

    def counted(bitmap: Any, *arguments: object) -> None:
        drawn.append(pdfium.FPDFBitmap_GetHeight(bitmap))
        draw(bitmap, *arguments)

    monkeypatch.setattr(pdfium, "FPDF_RenderPageBitmap", counted)
    upper, lower = drawing.draw(0, layout.rows).type_boxes
    assert drawn[-1] == lower.below - upper.top
    for box, y in ((upper, 500), (lower, 470)):
        baseline = layout.top + (842 - y) / 842 * layout.box_rows
        assert box.top < baseline - 10 < baseline < box.below
        assert box.below - box.top < 70
        begin, end = (layout.left + x / 595 * layout.box_width for x in (100, 230))
        assert begin - 20 < box.left < begin < end < box.right < end + 100
    assert upper.below < lower.top


def test_the_objects_of_a_page_are_gone_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = "".join(
        f"0.8 g 50 {y} 400 9 re f 0 g BT /F 8 Tf 60 {y} Td (Cell) Tj ET\n" for y in range(50, 800, 5)
    )
    get_object = pdfium.FPDFPage_GetObject
    asked: list[int] = []

    def counted(page: Any, index: int) -> object:
        asked.append(index)
        return get_object(page, index)

    monkeypatch.setattr(pdfium, "FPDFPage_GetObject", counted)
    source = pdf_source.PdfSource(pdf([(595, 842, cells)]))
    layout = lay_out(source.size(0), PageFormat(Resolution.FINE))
    source.draw(0, layout).draw(0, layout.rows)
    source.remarks(0)
    assert len(set(asked)) == 2 * 150
    assert len(asked) < 2 * 150 + 20  # whether it is a scan, the first ones tell


def test_a_slanting_picture_beside_type_is_the_same_with_and_without_it() -> None:
    grey = random.Random(1).randbytes(40 * 40).hex()
    picture = f"q 250 40 -40 250 300 300 cm BI /W 40 /H 40 /CS /G /BPC 8 /F /AHx ID {grey}> EI Q\n"
    words = "".join(f"BT /F 14 Tf 60 {y} Td (Type) Tj ET\n" for y in (700, 400))
    source = pdf_source.PdfSource(pdf([(595, 842, "0.7 g 30 280 200 500 re f 0 g " + picture + words)]))
    layout = lay_out(source.size(0), PageFormat(Resolution.FINE))
    pixels = source.draw(0, layout).draw(0, layout.rows)
    assert pixels.under is not None
    size = (layout.width, layout.rows)
    with_type, without = (
        Image.frombytes("RGB", size, bytes(octets), "raw", "BGRX") for octets in (pixels.page, pixels.under)
    )
    differing = ImageChops.difference(with_type, without).getbbox()
    assert differing is not None
    assert differing[2] < layout.width * 0.3


def test_type_far_from_a_tint_is_the_same_whether_or_not_more_tints_follow(tmp_path: Path) -> None:
    width, height = 595, 842
    made = []
    for tints in ([height - 100], [height - 100, 60]):
        page = tmp_path / f"{len(tints)}.pdf"
        boxes = "".join(f"0.7 0.8 0.9 rg 40 {y} 500 50 re f " for y in tints)
        page.write_bytes(pdf([(width, height, boxes + "0.3 g\n" + words(width, height))]))
        made.append(_page_of(page))
    row_octets = 1728 // 8
    begin, end = 400 * row_octets, 1900 * row_octets
    assert made[0][begin:end] == made[1][begin:end]
    assert made[0][begin:end].count(0) < 0.9 * (end - begin)
    assert made[0][end:] != made[1][end:]


def test_a_photograph_in_a_document_changes_nothing_away_from_it() -> None:
    width, rows, stride = 1728, 900, 4 * 1728
    made = []
    for box in (Rect(400, 100, 1200, 600), None):
        without_type = Image.new("RGB", (width, rows), "white")
        ImageDraw.Draw(without_type).line((60, 660, 1600, 660), (150, 150, 160), 2)
        if box is not None:
            without_type.paste(photograph(800, 500), (box.left, box.top))
        page = without_type.copy()
        ImageDraw.Draw(page).text((60, 700), WORDS, (90, 90, 90), font(MONOSPACED, 30))
        with_type, without = (memoryview(image.tobytes("raw", "BGRX")) for image in (page, without_type))

        def draw(first: int, count: int, page: memoryview = with_type, under: memoryview = without) -> Pixels:
            part = slice(first * stride, (first + count) * stride)
            return Pixels(page[part], 4, stride, under[part], (Rect(0, 0, width, count),))

        drawing = Drawing(width, rows, Rect(0, 0, width, rows), draw, () if box is None else (box,))
        made.append(screening.bilevel(drawing, Resolution.FINE, Treatment.AUTO))
    beyond = 630 * width // 8
    assert any(made[0][:beyond])
    assert not any(made[1][:beyond])
    assert made[0][beyond:] == made[1][beyond:]
    assert sum(octet != 0 for octet in made[0][beyond:]) > 500


_DRAWN, _AS_PATTERN = b"q 480 0 0 400 60 300 cm /I Do Q", b"/Pattern cs /P scn 60 300 480 400 re f"


def _with_picture(path: Path, grey: Image.Image, content: bytes) -> Image.Image:
    """A page of ``content`` with ``grey`` as /I, and as /P a pattern of it, as browsers write backgrounds."""
    document = pikepdf.Pdf.new()
    image = document.make_stream(
        grey.tobytes(),
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Image,
        Width=grey.width,
        Height=grey.height,
        ColorSpace=pikepdf.Name.DeviceGray,
        BitsPerComponent=8,
    )
    named = {"/XObject": {"/I": image}}
    pattern = document.make_stream(
        _DRAWN,
        Type=pikepdf.Name.Pattern,
        PatternType=1,
        PaintType=1,
        TilingType=1,
        BBox=[0, 0, 595, 842],
        XStep=595,
        YStep=842,
        Resources=named,
    )
    page = document.add_blank_page(page_size=(595, 842))
    page.Contents = document.make_stream(content)
    page.Resources = pikepdf.Dictionary({**named, "/Pattern": {"/P": pattern}})
    document.save(path)
    octets = _page_of(path)
    return ImageChops.invert(Image.frombytes("1", (1728, len(octets) // 216), octets).convert("L"))


def test_a_photograph_that_fills_an_area_as_a_pattern_is_a_photograph(tmp_path: Path) -> None:
    grey = photograph(800, 500).convert("L")
    made = [_with_picture(tmp_path / "page.pdf", grey, content) for content in (_DRAWN, _AS_PATTERN)]
    assert 0.02 < _ink(made[0]) < 0.5
    assert _unlike(*made) < 0.05


@pytest.mark.parametrize("content", [_DRAWN, _AS_PATTERN], ids=["picture", "pattern"])
def test_a_fading_colour_is_no_photograph(tmp_path: Path, content: bytes) -> None:
    page = _with_picture(tmp_path / "page.pdf", Image.linear_gradient("L").resize((900, 500)), content)
    assert 0.02 < _ink(page) < 0.5
    assert _octets(page) < 10_000


def _page_of(pdf: Path) -> bytes:
    source = pdf_source.PdfSource(pdf.read_bytes())
    layout = lay_out(source.size(0), PageFormat(Resolution.FINE))
    return screening.bilevel(source.draw(0, layout), Resolution.FINE, Treatment.AUTO)


def test_a_page_in_bands_is_the_page_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    page = _text((1728, 2400), 26, (90, 90, 90), (255, 255, 255))
    ImageDraw.Draw(page).rectangle((200, 700, 1500, 900), (0x44, 0x72, 0xC4))
    page.paste(photograph(800, 500), (500, 1100))
    whole = bilevel(page)
    monkeypatch.setattr(screening, "BAND_PIXELS", 1728 * 700)
    assert _unlike(bilevel(page), whole) < 0.01


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (100, 1), (1, 500), (1729, 2288), (2432, 3234)])
def test_a_page_of_any_size_is_worked_on(size: tuple[int, int]) -> None:
    for tone in (128, 0, 255):
        page = Image.new("L", size, tone)
        for treatment in Treatment:
            assert bilevel(page, Resolution.FINE, treatment).size == size


def test_a_page_of_type_is_cut_at_the_threshold_alone() -> None:
    page = _text((1733, 90), 30)
    drawing = Drawing.of_image(page, Rect(0, 0, *page.size))
    looked_at = look_at(drawing.draw(0, page.height), *page.size)
    data = screening.bilevel(replace(drawing, looked_at=looked_at), Resolution.FINE, Treatment.AUTO)
    expected = page.point([255 if value < TEXT_THRESHOLD else 0 for value in range(256)]).convert("1")
    assert data == expected.tobytes()


@pytest.mark.parametrize("size", [(1, 1), (7, 3), (1729, 50)])
def test_the_levels_of_a_page_are_its_histogram(size: tuple[int, int]) -> None:
    page = Image.frombytes("L", size, random.Random(1).randbytes(size[0] * size[1]))
    rows = (page.crop((0, row, size[0], row + 1)).tobytes() for row in range(size[1]))
    padded = b"".join(row + b"\0\0\0" for row in rows)
    assert _bilevel.levels(padded, size[0] + 3, *size) == page.histogram()


def test_a_scan_is_toned_as_a_whole_once_more_of_it_is_than_is_spared() -> None:
    page = Image.new("L", (600, 300), 255)
    page.paste(160, (100, 100, 110, 110))  # nothing near is dark
    toned = partial(_bilevel.toned, page.tobytes(), 600, 600, 300, 120, 236, 24, 196)
    assert toned(-1) == [(100, 110, True)]
    assert toned(99) == [(0, 300, True)]
    assert toned(100) == []


def test_octets_that_are_no_picture_are_refused() -> None:
    for wrong in [
        (b"12345678", 3, 3, 3, 176),
        (b"", 0, 0, 0, 176),
        (b"1", -1, -1, -1, 176),
        (b"1", 1 << 62, 1 << 62, 1 << 62, 176),
    ]:
        with pytest.raises(ValueError, match="picture"):
            _bilevel.threshold(*wrong)
        with pytest.raises(ValueError, match="picture"):
            _bilevel.toned(*wrong[:4], 1, 2, 24, 196, 0)
        with pytest.raises(ValueError, match="picture"):
            _bilevel.levels(*wrong[:4])
    good = (100, 50, 204, 196, 0, 0, 100, 50, 1, True)
    for place, wrong_value in enumerate([0, 1 << 40, 1, 10_000, -1, 51, 101, 51, 3]):
        values = list(good)
        values[place] = wrong_value
        with pytest.raises(ValueError, match="picture"):
            _bilevel.ground(*values)
    ground = _bilevel.ground(*good)
    octets = bytes(100 * 50)
    for wrong_survey in [
        (2, 100, 50, 0, 0, 50),
        (1, 99, 50, 0, 0, 50),
        (1, 100, 51, 0, 0, 51),
        (1, 100, 50, 1, 0, 50),
        (1, 100, 50, 0, 5, 50),
    ]:
        with pytest.raises(ValueError, match="picture"):
            _bilevel.survey(ground, octets, *wrong_survey)
    with pytest.raises(ValueError, match="picture"):
        _bilevel.survey(ground[:-1], octets, 1, 100, 50, 0, 0, 50)
    with pytest.raises(ValueError, match="picture"):
        _bilevel.settle(ground, b"1234567", 0)
    with pytest.raises(ValueError, match="picture"):
        _bilevel.bilevel(ground, octets, b"1", b"", 1, 100, 50, 0, 0, 50, b"", 0)
    with pytest.raises(ValueError, match="picture"):
        _bilevel.bilevel(ground, octets, None, b"", 1, 100, 50, 0, 0, 51, b"", 0)
    with pytest.raises(ValueError, match="picture"):
        _bilevel.planes(octets, 100, 100, 50)  # one octet a pixel
    colours = bytes(4 * 100 * 50)
    for octets_of_planes in ((0, 0), (100 * 50, 100 * 50 - 1), (100 * 50 + 1, 100 * 50)):
        planes = (bytearray(octets_of_planes[0]), bytearray(octets_of_planes[1]))
        with pytest.raises(ValueError, match="picture"):
            _bilevel.survey(ground, colours, 4, 400, 50, 0, 0, 50, planes)
        with pytest.raises(ValueError, match="picture"):
            _bilevel.bilevel(ground, colours, None, b"", 4, 400, 50, 0, 0, 50, b"", 0, planes)


def test_planes_made_before_give_the_same_page() -> None:
    size = (300, 200)
    page = _text(size, 20, (150, 20, 20), (235, 240, 200)).filter(ImageFilter.GaussianBlur(1))
    octets = page.tobytes("raw", "BGRX")
    made = []
    for planes in (None, planes_of(octets, 4 * size[0], *size)):
        ground = _bilevel.ground(*size, 204, 196, 0, 0, *size, 1, True)
        _bilevel.survey(ground, octets, 4, 4 * size[0], size[1], 0, 0, size[1], planes)
        _bilevel.settle(ground, b"", 0)
        black = _bilevel.bilevel(
            ground, octets, None, b"", 4, 4 * size[0], size[1], 0, 0, size[1], b"", 0, planes
        )
        made.append((bytes(ground), black))
    assert made[0] == made[1]
    assert any(made[0][1])
