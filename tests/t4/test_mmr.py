"""The compiled MMR coder makes what libtiff makes, bit by bit, and refuses what is no picture."""

from __future__ import annotations

import random

import pytest
from hypothesis import given

from appliance.t4 import coding, libtiff
from appliance.t4.coding import decode, encode
from appliance.t4.libtiff import Scheme
from appliance.t4.page import Coding, Raster, Resolution
from tests.t4 import pages

mmr = pytest.importorskip("appliance.t4._mmr")
WORDS = coding._MMR_WORDS


@given(pages.rasters())
def test_every_page_is_coded_as_libtiff_does(page: Raster) -> None:
    coded = mmr.encode(page.data, page.width, page.rows, WORDS)
    assert coded == libtiff.compress(Scheme.GROUP4, page.width, page.rows, page.data)


@pytest.mark.parametrize("width", [1, 7, 63, 64, 65, 1728, 2623, 2624, 5184, 5200, 20_000, 65_536])
def test_noise_and_runs_of_any_length_are_coded_as_libtiff_does(width: int) -> None:
    lots = random.Random(width)
    everything = (1 << width) - 1
    values = [lots.getrandbits(width), 0, everything, 0, everything >> 1, 1, everything ^ 1, 0]
    values += [lots.getrandbits(width) & lots.getrandbits(width) for _ in range(4)]
    octets = (width + 7) // 8
    data = b"".join((v << (8 * octets - width)).to_bytes(octets, "big") for v in values)
    coded = mmr.encode(data, width, len(values), WORDS)
    assert coded == libtiff.compress(Scheme.GROUP4, width, len(values), data)


def test_bits_behind_the_last_pixel_count_for_nothing() -> None:
    assert mmr.encode(b"\xff\xff", 11, 1, WORDS) == mmr.encode(b"\xff\xe0", 11, 1, WORDS)


@pytest.mark.parametrize(
    "wrong",
    [
        (b"12", 8, 1, WORDS),
        (b"1", 9, 1, WORDS),
        (b"", 0, 0, WORDS),
        (b"1", -1, -1, WORDS),
        (b"1", 1 << 62, 1 << 62, WORDS),
        (bytes(8193), 65_537, 1, WORDS),
        (b"1", 8, 1, WORDS[:-1]),
        (b"1", 8, 1, bytes(len(WORDS))),
        (b"1", 8, 1, b"\x0e" * len(WORDS)),
    ],
)
def test_octets_that_are_no_picture_are_refused(wrong: tuple[bytes, int, int, bytes]) -> None:
    with pytest.raises(ValueError, match="picture"):
        mmr.encode(*wrong)


def test_without_the_compiled_coder_the_page_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    page = pages.text_like(3)
    fast = encode(page, Coding.MMR)
    monkeypatch.setattr(coding, "_mmr", None)
    assert encode(page, Coding.MMR) == fast
    assert decode(fast) == page


def test_a_row_too_wide_for_it_is_coded_all_the_same() -> None:
    page = Raster(65_544, 2, bytes(8193) + b"\xf0" * 8193, Resolution.FINE)
    assert decode(encode(page, Coding.MMR)) == page


def test_a_page_without_rows_is_its_end() -> None:
    empty = encode(Raster(1728, 0, b"", Resolution.FINE), Coding.MMR)
    assert empty.data == mmr.encode(b"", 1728, 0, WORDS)
