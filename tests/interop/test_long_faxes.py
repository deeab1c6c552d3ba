"""Faxes of 1, 28 and 200 pages, and their memory."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from appliance.causes import DELIVERED, RECEIVED
from appliance.t4.coding import decode, encode
from appliance.t4.page import CodedPage, Coding
from appliance.t4.tiff import write_tiff
from appliance.t30.memory import MemoryStore
from appliance.t30.parameters import Accepts, ReceivedPage
from tests.interop.harness import Setup, different_pixels, drawn_page, run, tiff_rasters

ROWS = 1100
DISTINCT = 8  # pages that are drawn; longer faxes repeat them in a varying order
RASTER_OCTETS = 216 * ROWS


class DrawnWhenAsked:
    """A page source that makes each page at the moment it is asked for, and keeps none."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._coded = [encode(drawn_page(number, ROWS), Coding.MMR) for number in range(DISTINCT)]

    def fetch(self, number: int, accepts: Accepts, deliver: Callable[[CodedPage | None, bool], None]) -> None:
        deliver(encode(decode(self._coded[order(number)]), Coding.MMR), number == self._total - 1)


class StoreOfSums(MemoryStore):
    """Judges each page as it comes and keeps only the verdict."""

    def __init__(self) -> None:
        super().__init__()
        self._expected = [drawn_page(number, ROWS) for number in range(DISTINCT)]
        self.wrong: list[int] = []
        self.count = 0

    def store(self, number: int, page: ReceivedPage, stored: Callable[[bool], None]) -> None:
        raster = decode(page.page) if isinstance(page.page, CodedPage) else page.page
        if different_pixels(self._expected[order(number)], raster):
            self.wrong.append(number)
        self.count = number + 1
        stored(True)


class Memory:
    """How many octets more the process needed while this was entered: Linux's high-water mark."""

    def __enter__(self) -> Memory:
        Path("/proc/self/clear_refs").write_text("5")  # resets the mark
        self._before = self._read("VmRSS")
        return self

    def __exit__(self, *_: object) -> None:
        self.grown = self._read("VmHWM") - self._before

    @staticmethod
    def _read(name: str) -> int:
        found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
        assert found is not None
        return 1024 * int(found[1])


def order(number: int) -> int:
    return (number * 5 + number // DISTINCT) % DISTINCT


@pytest.mark.parametrize("pages", [1, 28, 200])
def test_a_long_fax_is_sent_whole_without_all_its_rasters_in_memory(tmp_path: Path, pages: int) -> None:
    """Whole, in order, and never with all its rasters in memory."""
    source = DrawnWhenAsked(pages)
    with Memory() as memory:
        outcome = run(Setup(source=source, count_only=True), tmp_path)
    assert outcome.result.cause is DELIVERED
    assert outcome.result.pages_sent == pages
    assert memory.grown < 60 * RASTER_OCTETS, f"{memory.grown:,} octets for {pages} pages"
    expected = [drawn_page(number, ROWS) for number in range(DISTINCT)]
    with Image.open(tmp_path / "call-in.tif") as tiff:
        assert tiff.n_frames == pages
    for number, raster in enumerate(tiff_rasters(tmp_path / "call-in.tif")):
        assert different_pixels(expected[order(number)], raster) == 0, f"page {number + 1}"


@pytest.mark.parametrize("pages", [1, 28, 200])
def test_a_long_fax_is_received_whole_without_all_its_rasters_in_memory(tmp_path: Path, pages: int) -> None:
    document = tmp_path / "call-out.tif"
    coded = [encode(drawn_page(number, ROWS), Coding.MMR) for number in range(DISTINCT)]
    write_tiff(document, (coded[order(number)] for number in range(pages)))
    store = StoreOfSums()
    with Memory() as memory:
        outcome = run(Setup(we_send=False, store=store, document=document), tmp_path)
    assert outcome.result.cause is RECEIVED
    assert store.count == pages
    assert store.wrong == []
    assert memory.grown < 60 * RASTER_OCTETS, f"{memory.grown:,} octets for {pages} pages"
