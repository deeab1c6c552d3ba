"""Pages in memory: adapted to the receiver, and stored as received."""

from __future__ import annotations

import random

import pytest

from appliance.t4.coding import decode, encode
from appliance.t4.page import CodedPage, Coding, PaperLength, PaperWidth, Raster, Resolution
from appliance.t30.memory import MemoryPages, MemoryStore
from appliance.t30.parameters import Accepts, ReceivedPage

EVERYTHING = Accepts(frozenset(Coding), frozenset(Resolution), PaperWidth.A3, PaperLength.UNLIMITED)
PLAIN = Accepts(frozenset({Coding.MH}), frozenset({Resolution.STANDARD}), PaperWidth.A4, PaperLength.A4)


def raster(rows: int = 50, resolution: Resolution = Resolution.FINE, width: int = 1728) -> Raster:
    rng = random.Random(rows)
    data = b"".join(rng.choice((bytes(width // 8), rng.randbytes(width // 8))) for _ in range(rows))
    return Raster(width, rows, data, resolution)


def fetched(source: MemoryPages, number: int, accepts: Accepts) -> tuple[CodedPage | None, bool]:
    answers: list[tuple[CodedPage | None, bool]] = []
    source.fetch(number, accepts, lambda page, last: answers.append((page, last)))
    (answer,) = answers
    return answer


def test_pages_come_in_order_in_the_most_compact_coding_and_the_last_is_told():
    pages = [raster(20), raster(30)]
    source = MemoryPages(pages)
    for number, page in enumerate(pages):
        coded, last = fetched(source, number, EVERYTHING)
        assert coded is not None
        assert (coded.coding, decode(coded), last) == (Coding.MMR, page, number == 1)
    assert fetched(source, 2, EVERYTHING) == (None, True)
    assert fetched(MemoryPages([]), 0, EVERYTHING) == (None, True)


def test_a_coded_page_goes_as_it_is_where_it_may():
    page = encode(raster(), Coding.MR)
    assert fetched(MemoryPages([page]), 0, EVERYTHING) == (page, True)
    coded, _ = fetched(MemoryPages([encode(raster(40, Resolution.STANDARD), Coding.MMR)]), 0, PLAIN)
    assert coded == encode(raster(40, Resolution.STANDARD), Coding.MH)


@pytest.mark.parametrize(("resolution", "factor"), [(Resolution.FINE, 2), (Resolution.SUPERFINE, 4)])
@pytest.mark.parametrize("rows", [40, 41])
def test_a_coarser_receiver_gets_merged_rows_without_losing_black(resolution, factor, rows):
    page = raster(rows, resolution)
    coded, _ = fetched(MemoryPages([page]), 0, PLAIN)
    assert coded is not None
    got = decode(coded)
    assert (got.resolution, got.rows) == (Resolution.STANDARD, -(-rows // factor))
    step = page.row_octets
    for row in range(got.rows):
        group = page.data[row * factor * step : (row + 1) * factor * step]
        black = 0
        for start in range(0, len(group), step):
            black |= int.from_bytes(group[start : start + step], "big")
        assert got.data[row * step : (row + 1) * step] == black.to_bytes(step, "big")


def test_what_does_not_fit_cannot_be_had():
    for page in (raster(width=2432), raster(resolution=Resolution.R300, width=2592), raster(width=800)):
        assert fetched(MemoryPages([page, raster()]), 0, PLAIN) == (None, True)


def test_a_page_that_comes_again_replaces_the_earlier():
    store = MemoryStore()
    done: list[bool] = []
    for number, page in ((0, raster(1)), (1, raster(2)), (1, raster(3))):
        store.store(number, ReceivedPage(page if number else encode(page, Coding.MH)), done.append)
    assert store.rasters() == [raster(1), raster(3)]
    assert done == [True] * 3
