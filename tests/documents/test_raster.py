"""Printer rasters written by Ghostscript become pages; damaged ones are refused."""

from __future__ import annotations

import random
import struct
import subprocess
from functools import cache

import pytest

from appliance.documents.causes import DOCUMENT_DAMAGED, DOCUMENT_EMPTY, DOCUMENT_TOO_LARGE
from appliance.documents.errors import DocumentError
from appliance.documents.options import Limits
from appliance.documents.pictures.raster import RasterSource
from tests.documents.conftest import Rendered
from tests.documents.making import need

# Two A4 pages: a black square 72 pt wide near the first one's lower left corner, a red one above it.
PAGES = (
    "100 100 72 72 rectfill 1 0 0 setrgbcolor 100 300 72 72 rectfill showpage "
    "0 setgray 300 600 72 72 rectfill showpage"
)
PWG_SIZE, PWG_RESOLUTION = 4 + 372, 4 + 276


@cache
def raster(device: str, space: int, bits: int, dpi: int) -> bytes:
    done = subprocess.run(
        [
            need("gs"),
            "-q",
            "-dSAFER",
            f"-sDEVICE={device}",
            f"-dcupsColorSpace={space}",
            f"-dcupsBitsPerColor={bits}",
            "-dcupsColorOrder=0",
            f"-r{dpi}",
            "-sPAPERSIZE=a4",
            "-sOutputFile=%stdout",
            "-sstdout=%stderr",
            "-dNOPAUSE",
            "-dBATCH",
            "-c",
            PAGES,
        ],
        capture_output=True,
        timeout=120,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize(
    ("device", "space", "bits", "dpi"),
    [
        ("pwgraster", 19, 8, 600),  # srgb_8
        ("pwgraster", 18, 8, 300),  # sgray_8
        ("pwgraster", 3, 8, 300),  # black_8
        ("pwgraster", 3, 1, 600),  # black_1
        ("appleraster", 19, 8, 600),
        ("appleraster", 18, 8, 300),
    ],
)
def test_a_raster_of_each_kind_is_drawn_as_it_was(device: str, space: int, bits: int, dpi: int) -> None:
    source = RasterSource(raster(device, space, bits, dpi), Limits())
    assert source.count == 2
    assert source.size(0).width == pytest.approx(210, abs=0.5)
    assert source.size(0).height == pytest.approx(297, abs=0.5)
    first, second = source.image(0), source.image(1)
    at = dpi / 72

    def grey(x: float, y: float) -> int:
        found = first.getpixel((int(x * at), int((842 - y) * at)))
        assert isinstance(found, int)
        return found

    assert (grey(136, 136), grey(50, 50)) == (0, 255)
    if bits == 8:
        assert 0 < grey(136, 336) < 200  # red is a grey
    assert second.getpixel((int(336 * at), int((842 - 636) * at))) == 0


def test_a_raster_becomes_fax_pages(rendered: Rendered) -> None:
    made = rendered(raster("pwgraster", 19, 8, 600), name="a.pwg")
    assert len(made.pages) == 2


def refused(content: bytes) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        RasterSource(content, Limits())
    return caught.value


def test_a_raster_that_ends_early_or_has_no_page_is_refused() -> None:
    whole = raster("pwgraster", 18, 8, 300)
    for length in (5, 500, 1799, 1801, len(whole) // 2, len(whole) - 1):
        assert refused(whole[:length]).cause is DOCUMENT_DAMAGED, length
    assert refused(whole[:4]).cause is DOCUMENT_EMPTY


def test_an_apple_raster_with_fewer_pages_than_it_says_is_refused() -> None:
    whole = bytearray(raster("appleraster", 18, 8, 300))
    struct.pack_into(">I", whole, 8, 3)
    assert "2 of 3 pages" in str(refused(bytes(whole)))


@pytest.mark.parametrize("size", [(60_000, 60_000), (0xFFFFFFFF, 1), (1, 0xFFFFFFFF)])
def test_a_raster_that_says_it_is_huge_is_refused_before_anything_is_unpacked(size: tuple[int, int]) -> None:
    content = bytearray(raster("pwgraster", 18, 8, 300))
    struct.pack_into(">II", content, PWG_SIZE, *size)
    assert refused(bytes(content)).cause is DOCUMENT_TOO_LARGE


@pytest.mark.parametrize("dpi", [0, 1, 100_000])
def test_a_raster_of_no_known_resolution_is_refused(dpi: int) -> None:
    content = bytearray(raster("pwgraster", 18, 8, 300))
    struct.pack_into(">II", content, PWG_RESOLUTION, dpi, dpi)
    assert refused(bytes(content)).cause is DOCUMENT_DAMAGED


def mutate(rounds: int) -> None:
    chance = random.Random(5102)
    seeds = [raster("pwgraster", 3, 1, 75), raster("appleraster", 19, 8, 75)]
    for _ in range(rounds):
        content = bytearray(chance.choice(seeds))
        for _ in range(chance.randrange(1, 8)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        try:
            source = RasterSource(bytes(content), Limits(image_pixels=2_000_000))
            for index in range(source.count):
                source.image(index)
        except DocumentError:
            pass


def test_damage_anywhere_in_a_raster_is_drawn_or_refused() -> None:
    mutate(300)


@pytest.mark.full
def test_damage_in_a_hundred_thousand_rasters_is_drawn_or_refused() -> None:
    mutate(100_000)
