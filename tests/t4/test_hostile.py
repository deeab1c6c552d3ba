"""Arbitrary octets as coded data or file: a result or a named error, in bounded time and memory.

A few thousand mutations always; a hundred thousand with FAXBOX_SWEEP=1.
"""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path

import pytest

from appliance.t4.bits import reverse_bits
from appliance.t4.coding import PageError, count_rows, decode, encode, with_fill
from appliance.t4.page import CodedPage, Coding, Raster, Resolution
from appliance.t4.tiff import FaxTiff, TiffError, write_tiff
from appliance.t4.tolerant import TolerantDecoder
from tests.t4 import pages

MUTATIONS = 100_000 if pages.SWEEP else 2_000
FILE_MUTATIONS = 10_000 if pages.SWEEP else 1_500
MAX_ROWS = 500


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Some of it overwritten, lost, doubled, moved or cut off."""
    octets = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        at = rng.randrange(len(octets) + 1)
        end = min(at + rng.choice((1, 1, 2, 4, 30, 300)), len(octets))
        match rng.randrange(7):
            case 0:
                octets[at:end] = rng.randbytes(end - at)
            case 1:
                octets[at:end] = bytes(end - at)
            case 2:
                octets[at:end] = b"\xff" * (end - at)
            case 3:
                del octets[at:end]
            case 4:
                octets[at:at] = octets[at:end] * rng.choice((1, 3))
            case 5 if at < len(octets):
                octets[at] ^= 1 << rng.randrange(8)
            case _:
                del octets[at:]
    return bytes(octets)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("coding", list(Coding))
def test_mutated_pages_never_crash_a_decoder_or_grow_it(coding: Coding) -> None:
    rng = random.Random(f"{coding}")
    page = pages.text_like(20, 600, 80)
    good = encode(page, coding).data
    if coding is not Coding.MMR:
        good = with_fill(good, 60)
    refused = 0
    for number in range(MUTATIONS // len(Coding)):
        data = mutated(good, rng)
        decoder = TolerantDecoder(coding, 600, max_rows=MAX_ROWS)
        piece = rng.choice((1, 7, 100, 100_000))
        for at in range(0, len(data), piece):
            decoder.feed(data[at : at + piece])
        found = decoder.finish()
        assert found.rows <= MAX_ROWS
        assert found.raster.rows == found.rows
        assert found.longest_bad_run <= found.bad_rows <= found.rows
        if number % 10 == 0:
            try:
                decode(CodedPage(coding, page.resolution, 600, 80, data))
                count_rows(coding, 600, data)
            except PageError:
                refused += 1
    assert refused


@pytest.mark.parametrize("coding", list(Coding))
def test_pieces_of_any_size_give_the_same_page(coding: Coding) -> None:
    rng = random.Random(21)
    good = encode(pages.text_like(21, 600, 60), coding).data
    for _ in range(40):
        data = mutated(good, rng)
        found = []
        for piece in (1, 13, 100_000):
            decoder = TolerantDecoder(coding, 600, max_rows=MAX_ROWS)
            for at in range(0, len(data), piece):
                decoder.feed(data[at : at + piece])
            found.append(decoder.finish())
        assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("coding", list(Coding))
@pytest.mark.parametrize(
    "pattern", [b"\x00", b"\xff", b"\x00\x10", b"\x10\x00\x01", b"\x08\x20", b"\x00\x10\x01\x40", b"\x24"]
)
def test_endless_patterns_stay_within_the_page(coding: Coding, pattern: bytes) -> None:
    decoder = TolerantDecoder(coding, 4864, max_rows=MAX_ROWS)
    tracemalloc.start()
    try:
        for _ in range(200):
            decoder.feed(pattern * (1024 // len(pattern)))
        found = decoder.finish()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.rows <= MAX_ROWS
    assert peak < 3_000_000


@pytest.mark.timeout(3600)
def test_mutated_files_never_crash_the_reader(tmp_path: Path) -> None:
    rng = random.Random(22)
    made = [pages.text_like(22, 300, 40, Resolution.STANDARD), pages.text_like(23, 301, 30)]
    good = []
    for number, coding in enumerate(Coding):
        file = tmp_path / f"{number}.tif"
        write_tiff(file, [made[0], encode(made[1], coding), encode(made[0], coding)])
        good.append(file.read_bytes())
    path = tmp_path / "mutated.tif"
    read = refused = 0
    for _ in range(FILE_MUTATIONS):
        path.write_bytes(mutated(rng.choice(good), rng))
        try:
            with FaxTiff(path) as tiff:
                for number in range(min(len(tiff), 5)):
                    try:
                        page = tiff.page(number)
                        raster = tiff.raster(number)
                        assert isinstance(page, Raster | CodedPage)
                        assert raster.width * raster.rows <= 1 << 26
                        read += 1
                    except TiffError:
                        refused += 1
        except TiffError:
            refused += 1
    assert read > FILE_MUTATIONS // 10
    assert refused > FILE_MUTATIONS // 10


def test_bits_in_the_order_of_the_line_are_no_page() -> None:
    """The commonest mistake: it must be seen, not decoded to something."""
    page = pages.text_like(24, rows=100)
    for coding in Coding:
        data = reverse_bits(encode(page, coding).data)
        with pytest.raises(PageError):
            decode(CodedPage(coding, page.resolution, page.width, page.rows, data))
