"""The compiled coder codes as libtiff does, bit by bit, and decodes rows as the one in Python does."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.t4 import _mmr, coding, group4, row_reader, rows
from appliance.t4.bits import from_bits, to_bits
from appliance.t4.codes import BLACK_CODES, EOL, HORIZONTAL, WHITE_CODES
from appliance.t4.coding import PageError, count_rows, decode, encode
from appliance.t4.group4 import End, count_with_empty_runs
from appliance.t4.page import Coding, Raster, Resolution
from appliance.t4.tolerant import ReceivedRows, TolerantDecoder
from tests.t4 import by_libtiff, in_python, pages, reference
from tests.t4.test_hostile import mutated

WORDS = coding._WORDS
AS_MMR = (WORDS, 0, False)


def is_as_by_libtiff(page: Raster) -> bool:
    mh, mr, mmr = encode(page, Coding.MH), encode(page, Coding.MR, k=2), encode(page, Coding.MMR)
    return (
        mh.data == by_libtiff.group3(page, two_dimensional=False) + from_bits(EOL * 6)
        and mr.data == by_libtiff.group3(page, two_dimensional=True) + from_bits((EOL + "1") * 6)
        and mmr.data == by_libtiff.group4(page)
    )


@given(pages.rasters())
def test_every_page_is_coded_as_libtiff_does(page: Raster) -> None:
    assert is_as_by_libtiff(page)


@pytest.mark.parametrize("width", [1, 7, 63, 64, 65, 1728, 2623, 2624, 5184, 5200, 20_000, 65_536])
def test_noise_and_runs_of_any_length_are_coded_as_libtiff_does(width: int) -> None:
    lots = random.Random(width)
    everything = (1 << width) - 1
    values = [lots.getrandbits(width), 0, everything, 0, everything >> 1, 1, everything ^ 1, 0]
    values += [lots.getrandbits(width) & lots.getrandbits(width) for _ in range(4)]
    octets = (width + 7) // 8
    data = b"".join((v << (8 * octets - width)).to_bytes(octets, "big") for v in values)
    assert is_as_by_libtiff(Raster(width, len(values), data, Resolution.STANDARD))


def test_bits_behind_the_last_pixel_count_for_nothing() -> None:
    assert _mmr.encode(b"\xff\xff", 11, 1, *AS_MMR) == _mmr.encode(b"\xff\xe0", 11, 1, *AS_MMR)


@pytest.mark.parametrize(
    "wrong",
    [
        (b"12", 8, 1, *AS_MMR),
        (b"1", 9, 1, *AS_MMR),
        (b"", 0, 0, *AS_MMR),
        (b"1", -1, -1, *AS_MMR),
        (b"1", 1 << 62, 1 << 62, *AS_MMR),
        (bytes((1 << 23) + 1), (1 << 26) + 1, 1, *AS_MMR),
        (b"1", 8, 1, WORDS, -1, False),
        (b"1", 8, 1, WORDS[:-1], 0, False),
        (b"1", 8, 1, bytes(len(WORDS)), 0, False),
        (b"1", 8, 1, b"\x0e" * len(WORDS), 0, False),
    ],
)
def test_octets_that_are_no_picture_are_refused(wrong: tuple[bytes, int, int, bytes, int, bool]) -> None:
    with pytest.raises(ValueError, match="picture"):
        _mmr.encode(*wrong)


@pytest.mark.parametrize("coding", Coding)
def test_a_very_wide_row_is_coded_and_decoded(coding: Coding) -> None:
    page = Raster(65_544, 2, bytes(8193) + b"\xf0" * 8193, Resolution.FINE)
    assert decode(encode(page, coding)) == page


def test_a_page_without_rows_is_its_end() -> None:
    empty = encode(Raster(1728, 0, b"", Resolution.FINE), Coding.MMR)
    assert empty.data == _mmr.encode(b"", 1728, 0, *AS_MMR) == from_bits(EOL * 2)


Decoded = tuple[bytes, int, End]


def both(
    data: bytes, skip: int, width: int, most: int, *, above: bytes, last: bool
) -> tuple[Decoded, Decoded]:
    """The same by the compiled decoder and by the one in Python."""
    compiled = group4.decode_rows(data, skip, width, most, above=above, last=last)
    return compiled, in_python.decode_rows(data, skip, width, most, above=above, last=last)


@given(pages.rasters())
def test_every_page_is_decoded_to_its_pixels(page: Raster) -> None:
    data = _mmr.encode(page.data, page.width, page.rows, *AS_MMR)
    compiled, expected = both(data, 0, page.width, page.rows, above=b"", last=True)
    assert compiled == expected
    assert compiled[0] == page.data
    assert compiled[2] is End.ENDED


def test_damage_is_found_where_the_decoder_in_python_finds_it() -> None:
    rng = random.Random(6)
    ends = set()
    for number in range(20_000 if pages.SWEEP else 400):
        width = rng.choice((1, 7, 8, 9, 75, 600, 1728, 1729, 2432))
        page = pages.text_like(number % 5, width, 40)
        data = encode(page, Coding.MMR).data
        if rng.random() < 0.8:
            data = mutated(data, rng)
        above = rng.choice((b"", page.data[: page.row_octets], rng.randbytes(page.row_octets)))
        skip, most = rng.choice((0, 0, 3, 7)), rng.choice((0, 39, 40, 500))
        compiled, expected = both(data, skip, width, most, above=above, last=number % 2 == 0)
        assert compiled == expected, f"number {number}"
        ends.add(compiled[2])
    assert ends == set(End)


@given(pages.rasters(max_rows=2), st.text("01", max_size=60), st.integers(0, 400), st.booleans())
def test_any_bits_are_the_row_that_they_are_in_python(
    page: Raster, bits: str, kept: int, two_dimensional: bool
) -> None:
    last = page.data[-page.row_octets :]
    above = page.data[: page.row_octets] if two_dimensional else None
    changes = pages.changes_of(last, page.width)
    if above is None:
        good = reference.row_1d(changes, page.width)
    else:
        good = reference.row_2d(changes, pages.changes_of(above, page.width), page.width)
    for tried in (good + bits, good[:kept] + bits, bits):
        expected = in_python.decode_row(tried, page.width, above)
        assert rows.decode_row(tried, page.width, above) == expected
    assert rows.decode_row(good + bits, page.width, above) == (last, len(good))


@pytest.mark.parametrize("coding", [Coding.MH, Coding.MR])
def test_damaged_rows_are_repaired_as_with_the_decoder_in_python(
    coding: Coding, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(8)
    good = encode(pages.text_like(2, 600, 40), coding).data
    tried = [mutated(good, rng) for _ in range(60)]
    compiled = [_received(coding, 600, data) for data in tried]
    monkeypatch.setattr(row_reader, "decode_row", in_python.decode_row)
    assert compiled == [_received(coding, 600, data) for data in tried]


def _received(coding: Coding, width: int, data: bytes) -> ReceivedRows:
    decoder = TolerantDecoder(coding, width)
    decoder.feed(data)
    return decoder.finish()


EMPTY_RUNS = HORIZONTAL + WHITE_CODES[0] + BLACK_CODES[0]


@pytest.mark.parametrize("width", [1, 7, 1728, 1729])
def test_a_row_that_never_gets_on_is_damage(width: int) -> None:
    data = from_bits("1" * 7 + EMPTY_RUNS * 900)
    with pytest.raises(PageError, match="1 of 8 rows"):
        count_rows(Coding.MMR, width, data)
    assert count_with_empty_runs(data, width, 100) == 7


def test_rows_with_empty_runs_are_those_of_the_decoder_in_python() -> None:
    rng = random.Random(9)
    counts = set()
    for number in range(20_000 if pages.SWEEP else 600):
        width = rng.choice((1, 2, 7, 8, 75, 600))
        data = encode(pages.text_like(number % 5, width, 20), Coding.MMR).data
        bits = to_bits(data)
        for _ in range(rng.randrange(4)):
            at = rng.randrange(len(bits))
            instead = rng.choice((EMPTY_RUNS, "010", "1", "0001", ""))
            bits = bits[:at] + instead + bits[at + rng.randrange(3) :]
        data = from_bits(bits)
        pixels, _, _ = in_python.decode_rows(data, 0, width, 20, above=b"", last=True, empty_runs=True)
        found = count_with_empty_runs(data, width, 20)
        assert found == len(pixels) // -(-width // 8)
        counts.add(found)
    assert len(counts) > 10


def test_a_page_of_more_than_one_piece_is_decoded_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    page = pages.text_like(4)
    monkeypatch.setattr(group4, "_PIECE_OCTETS", 3 * page.row_octets)
    assert count_rows(Coding.MMR, page.width, encode(page, Coding.MMR).data) == page.rows
    decoder = TolerantDecoder(Coding.MMR, page.width, max_rows=page.rows - 1)
    decoder.feed(encode(page, Coding.MMR).data)
    received = decoder.finish()
    assert received.too_long
    assert received.raster.data == page.data[: -page.row_octets]


@pytest.mark.parametrize(
    "wrong",
    [
        {"skip": 8},
        {"skip": -1},
        {"width": 0},
        {"width": (1 << 26) + 1, "above": bytes((1 << 23) + 1)},
        {"longest": 0},
        {"most": -1},
        {"most": 1 << 62},
        {"above": b"1"},
        {"tables": rows.PACKED_TABLES[:-1]},
    ],
)
def test_sizes_that_are_no_rows_are_refused(wrong: dict[str, object]) -> None:
    right: dict[str, Any] = {"data": b"\xff", "skip": 0, "width": 16, "longest": 160, "most": 1}
    right |= {"above": b"12", "last": True, "tables": rows.PACKED_TABLES, "empty_runs": False}
    _mmr.decode(*right.values())
    with pytest.raises(ValueError, match="row of that size"):
        _mmr.decode(*(right | wrong).values())


@pytest.mark.parametrize(
    "wrong",
    [
        ("1", 0, None, rows.PACKED_TABLES),
        ("1", (1 << 26) + 1, None, rows.PACKED_TABLES),
        ("1", 9, b"1", rows.PACKED_TABLES),
        ("1", 9, None, b""),
    ],
)
def test_a_row_of_an_impossible_size_is_refused(wrong: tuple[str, int, bytes | None, bytes]) -> None:
    with pytest.raises(ValueError, match="row of that size"):
        _mmr.decode_row(*wrong)
