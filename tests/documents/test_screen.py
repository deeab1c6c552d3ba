"""Grey to black and white: crisp text, halftones that compress, side by side on a page."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageStat

from appliance.documents import screen as screening
from appliance.documents.options import Treatment
from appliance.documents.screen import TEXT_THRESHOLD, Regions, packed_by_pillow, screen, tone_regions
from appliance.documents.type import MONOSPACED, font
from appliance.t4.coding import encode
from appliance.t4.page import Coding, Raster, Resolution
from tests.documents.making import likeness, photograph

FINE = (1728, 2287)
BITS_PER_SECOND = 14_400


def bilevel(grey: Image.Image, resolution: Resolution, treatment: Treatment) -> Image.Image:
    """What is tested, as an image to look at (mode 1, 255 is black)."""
    return Image.frombytes("1", grey.size, screening.bilevel(grey, resolution, treatment))


def _raster(image: Image.Image, resolution: Resolution) -> Raster:
    return Raster(image.width, image.height, image.tobytes(), resolution)


def _seconds(image: Image.Image, resolution: Resolution) -> float:
    return len(encode(_raster(image, resolution), Coding.MMR).data) * 8 / BITS_PER_SECOND


def _text(size: tuple[int, int], pixels: int, fill: int = 0) -> Image.Image:
    page = Image.new("L", size, 255)
    draw = ImageDraw.Draw(page)
    for y in range(40, size[1] - 40, pixels + 8):
        draw.text((60, y), "The quick brown fox jumps over the lazy dog " * 2, fill, font(MONOSPACED, pixels))
    return page


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
    diffused = _seconds(ImageChops.invert(grey).convert("1"), resolution)
    assert ours < bound
    assert ours < diffused / 3


@pytest.mark.parametrize("resolution", list(Resolution))
def test_the_screen_keeps_the_tones_of_a_photograph(resolution: Resolution) -> None:
    size = (800, 800)
    grey = photograph(*size)
    seen = ImageChops.invert(bilevel(grey, resolution, Treatment.PHOTO).convert("L"))
    assert likeness(seen, grey, block=40) > 0.95


@pytest.mark.parametrize("tone", [64, 96, 128, 160, 192])
def test_a_darker_grey_prints_darker(tone: int) -> None:
    def blackness(value: int) -> float:
        grey = Image.new("L", (320, 320), value)
        mean: float = ImageStat.Stat(bilevel(grey, Resolution.FINE, Treatment.PHOTO).convert("L")).mean[0]
        return mean

    assert blackness(tone) > blackness(tone + 24) + 4
    assert 0 < blackness(tone) < 255


def test_white_stays_white_and_black_black_under_the_screen() -> None:
    for value in (255, 225):
        assert bilevel(Image.new("L", (64, 64), value), Resolution.FINE, Treatment.PHOTO).getbbox() is None
    black = bilevel(Image.new("L", (64, 64), 0), Resolution.FINE, Treatment.PHOTO)
    assert black.convert("L").getextrema() == (255, 255)


@pytest.mark.parametrize("pixels", [14, 24, 40, 90])
@pytest.mark.parametrize("fill", [0, 30])
def test_a_page_of_text_is_never_screened(pixels: int, fill: int) -> None:
    page = _text(FINE, pixels, fill)
    for grey in (page, page.filter(ImageFilter.GaussianBlur(0.8))):  # as printed, as scanned
        assert tone_regions(grey, Resolution.FINE) is None
        crisp = bilevel(grey, Resolution.FINE, Treatment.TEXT)
        assert bilevel(grey, Resolution.FINE, Treatment.AUTO).tobytes() == crisp.tobytes()


@pytest.mark.parametrize("grey", [120, 160])
def test_light_small_type_does_not_vanish(grey: int) -> None:
    page = _text((1728, 600), 26, grey)
    dark = bilevel(_text((1728, 600), 26), Resolution.FINE, Treatment.AUTO)
    light = bilevel(page, Resolution.FINE, Treatment.AUTO)
    assert likeness(light.convert("L"), dark.convert("L")) > 0.9


@pytest.mark.parametrize("resolution", [Resolution.STANDARD, Resolution.FINE, Resolution.SUPERFINE])
def test_a_mixed_page_has_crisp_text_beside_a_halftone(resolution: Resolution) -> None:
    size = (1728, round(2287 * resolution.y_dpi / 196))
    page = _text(size, max(16, round(26 * resolution.y_dpi / 196)))
    box = (500, size[1] // 3, 1300, size[1] * 2 // 3)
    picture = photograph(box[2] - box[0], box[3] - box[1])
    page.paste(255, (box[0] - 60, box[1] - 60, box[2] + 60, box[3] + 60))
    page.paste(picture, box[:2])
    mixed = bilevel(page, resolution, Treatment.AUTO)
    crisp = bilevel(page, resolution, Treatment.TEXT)
    above = (0, 0, size[0], box[1] - 80)
    assert mixed.crop(above).tobytes() == crisp.crop(above).tobytes()
    halftone = ImageChops.invert(mixed.convert("L")).crop(box)
    assert likeness(halftone, picture, block=50) > 0.9
    assert likeness(ImageChops.invert(crisp.convert("L")).crop(box), picture, block=50) < 0.9


def test_black_type_on_a_tint_stays_readable() -> None:
    page = _text((1728, 800), 40)
    tinted = ImageChops.darker(page, Image.new("L", page.size, 200))
    regions = tone_regions(tinted, Resolution.FINE)
    assert regions is not None
    mixed = bilevel(tinted, Resolution.FINE, Treatment.AUTO)
    # every pixel of the type itself is black
    type_only = page.point([255 if value < 40 else 0 for value in range(256)])
    missing = ImageChops.subtract(type_only, mixed.convert("L"))
    assert missing.getbbox() is None


def test_the_mask_covers_the_page_whatever_its_size() -> None:
    for size in [(1, 1), (7, 3), (100, 1), (1, 500), (1729, 2288), (2432, 3234)]:
        grey = Image.new("L", size, 128)
        for resolution in Resolution:
            assert screen(size[0], resolution).width == size[0]
            assert bilevel(grey, resolution, Treatment.AUTO).size == size


@settings(max_examples=80, deadline=None)
@given(data=st.data(), width=st.integers(1, 70), rows=st.integers(1, 40))
def test_the_compiled_loop_and_pillow_make_the_same_bits(data: st.DataObject, width: int, rows: int) -> None:
    compiled = pytest.importorskip("appliance.documents._bilevel")

    def drawn(height: int) -> Image.Image:
        size = width * height
        return Image.frombytes("L", (width, height), data.draw(st.binary(min_size=size, max_size=size)))

    grey, levels = drawn(rows), drawn(data.draw(st.integers(1, 7)))
    pixels = grey.tobytes()
    assert compiled.pack(pixels, width, rows, TEXT_THRESHOLD) == packed_by_pillow(grey)
    screened = compiled.pack(pixels, width, rows, TEXT_THRESHOLD, levels.tobytes())
    assert screened == packed_by_pillow(grey, levels)
    numerator, denominator = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 60))
    mask = drawn((rows - 1) * numerator // denominator + 1).point([0] * 128 + [255] * 128)
    mixed = compiled.pack(
        pixels, width, rows, TEXT_THRESHOLD, levels.tobytes(), mask.tobytes(), numerator, denominator
    )
    assert mixed == packed_by_pillow(grey, levels, Regions(mask, numerator, denominator))


def test_the_compiled_loop_refuses_octets_that_are_no_picture() -> None:
    compiled = pytest.importorskip("appliance.documents._bilevel")
    for wrong in [
        (b"12345678", 3, 3, 176),
        (b"", 0, 0, 176),
        (b"1", -1, -1, 176),
        (b"1", 1 << 62, 1 << 62, 176),
        (b"12", 2, 1, 176, b"1"),
        (b"12", 2, 1, 176, b""),
        (b"12", 2, 1, 176, b"12", b"1"),
        (b"12", 1, 2, 176, b"12", b"1", 1, 1),
        (b"12", 1, 2, 176, b"1", b"12", 1, 0),
        (b"12", 1, 2, 176, b"12", b"12", 1 << 62, 1),
        (b"12", 1, 2, 176, b"12", b"12", -1, 1),
        (b"12", 2, 1, 176, None, b"12"),
    ]:
        with pytest.raises(ValueError, match="picture"):
            compiled.pack(*wrong)


def test_without_the_compiled_loop_the_page_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    page = _text((1733, 900), 30)
    page.paste(photograph(600, 400), (300, 300))
    for treatment in Treatment:
        fast = screening.bilevel(page, Resolution.FINE, treatment)
        with monkeypatch.context() as without:
            without.setattr(screening, "_bilevel", None)
            assert screening.bilevel(page, Resolution.FINE, treatment) == fast
