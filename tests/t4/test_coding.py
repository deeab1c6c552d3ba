"""MH, MR and MMR against an independent encoder."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.t4.bits import to_bits
from appliance.t4.codes import EOFB, EOL
from appliance.t4.coding import (
    K_BY_RESOLUTION,
    MAX_PIXELS,
    PageError,
    count_rows,
    decode,
    encode,
    minimum_row_bits,
    recode,
    with_fill,
)
from appliance.t4.page import CodedPage, Coding, Raster, Resolution
from appliance.t4.tiff import FaxTiff, write_tiff
from tests.t4 import pages, reference

CODINGS = list(Coding)
RTC = {Coding.MH: EOL * 6, Coding.MR: (EOL + "1") * 6}


def reference_rows(page: Raster) -> list[list[int]]:
    octets = page.row_octets
    return [
        pages.changes_of(page.data[at : at + octets], page.width) for at in range(0, len(page.data), octets)
    ]


def without_end(data: bytes, rtc: str) -> str:
    bits = to_bits(data)
    assert bits.rstrip("0").endswith(rtc.rstrip("0"))
    return bits[: bits.rindex(rtc)].rstrip("0")


@given(pages.rasters())
def test_mh_is_what_t4_says(page: Raster) -> None:
    expected = "".join(EOL + reference.row_1d(row, page.width) for row in reference_rows(page))
    assert without_end(encode(page, Coding.MH).data, RTC[Coding.MH]) == expected.rstrip("0")


@given(pages.rasters(), st.one_of(st.none(), st.integers(1, 9)))
def test_mr_is_what_t4_says_for_any_k(page: Raster, k: int | None) -> None:
    period = k or K_BY_RESOLUTION[page.resolution]
    expected = ""
    above: list[int] = []
    for number, row in enumerate(reference_rows(page)):
        if number % period:
            expected += EOL + "0" + reference.row_2d(row, above, page.width)
        else:
            expected += EOL + "1" + reference.row_1d(row, page.width)
        above = row
    assert without_end(encode(page, Coding.MR, k=k).data, RTC[Coding.MR]) == expected.rstrip("0")


@given(pages.rasters())
def test_mmr_is_what_t6_says(page: Raster) -> None:
    expected = ""
    above: list[int] = []
    for row in reference_rows(page):
        expected += reference.row_2d(row, above, page.width)
        above = row
    assert to_bits(encode(page, Coding.MMR).data).rstrip("0") == expected + EOFB


@given(pages.rasters(), st.sampled_from(CODINGS), st.integers(1, 9))
def test_a_page_comes_back_pixel_for_pixel(page: Raster, coding: Coding, k: int) -> None:
    coded = encode(page, coding, k=k)
    assert (coded.coding, coded.width, coded.rows, coded.resolution) == (
        coding,
        page.width,
        page.rows,
        page.resolution,
    )
    assert decode(coded) == page
    assert count_rows(coding, page.width, coded.data) == page.rows


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("resolution", list(Resolution))
def test_a_whole_page_of_each_resolution_comes_back(coding: Coding, resolution: Resolution) -> None:
    width = {204: 1728, 300: 2592, 400: 3456, 408: 3456}[resolution.x_dpi]
    page = pages.text_like(7, width, 300, resolution)
    assert decode(encode(page, coding)) == page


@pytest.mark.parametrize("coding", CODINGS)
def test_a_page_without_rows_is_only_its_end(coding: Coding) -> None:
    page = Raster(1728, 0, b"")
    coded = encode(page, coding)
    assert decode(coded) == page
    assert count_rows(coding, 1728, coded.data) == 0


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("behind", [b"\0" * 200, b"\xff" * 200, b"\x2a"])
def test_octets_after_the_end_of_a_page_are_ignored(coding: Coding, behind: bytes, tmp_path: Path) -> None:
    page = pages.text_like(2, rows=90)
    coded = encode(page, coding)
    padded = CodedPage(coding, page.resolution, page.width, page.rows, coded.data + behind)
    assert decode(padded) == page
    assert count_rows(coding, page.width, padded.data) == 90
    write_tiff(tmp_path / "page.tif", [padded])
    with FaxTiff(tmp_path / "page.tif") as tiff:
        found = tiff.page(0)
        assert isinstance(found, CodedPage)
        assert decode(found) == page


@given(pages.rasters(), st.sampled_from(CODINGS), st.sampled_from(CODINGS))
@settings(max_examples=50)
def test_recoding_keeps_the_pixels(page: Raster, one: Coding, other: Coding) -> None:
    assert recode(encode(page, one), other) == encode(page, other)


def test_recoding_to_the_same_coding_does_nothing() -> None:
    coded = encode(pages.text_like(1, rows=20), Coding.MR)
    assert recode(coded, Coding.MR) is coded
    assert recode(coded, Coding.MR, k=1).data != coded.data


@pytest.mark.parametrize("coding", CODINGS)
def test_decoding_refuses_a_damaged_page(coding: Coding) -> None:
    page = pages.text_like(3, rows=100)
    coded = encode(page, coding)
    refused = 0
    for at in range(len(coded.data) // 4, len(coded.data) - 20, 97):
        data = bytearray(coded.data)
        data[at] ^= 0x7E
        try:
            assert decode(CodedPage(coding, page.resolution, page.width, page.rows, bytes(data))) != page
        except PageError:
            refused += 1
    assert refused


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("claimed", [99, 101, 1])
def test_decoding_refuses_a_page_of_another_length(coding: Coding, claimed: int) -> None:
    coded = encode(pages.text_like(3, rows=100), coding)
    with pytest.raises(PageError, match="rows where the page says"):
        decode(CodedPage(coding, coded.resolution, coded.width, claimed, coded.data))


@pytest.mark.parametrize("coding", CODINGS)
def test_pages_beyond_the_bound_are_refused(coding: Coding) -> None:
    rows = MAX_PIXELS // 1728 + 1
    with pytest.raises(PageError):
        decode(CodedPage(coding, Resolution.FINE, 1728, rows, b""))
    with pytest.raises(PageError):
        encode(Raster(1728, rows, bytes(rows * 216)), coding)


def test_counting_rows_stops_at_the_bound() -> None:
    with pytest.raises(PageError, match="beyond"):
        count_rows(Coding.MMR, 1 << 20, b"\xff" * 100)  # a white row a bit


def test_counting_rows_refuses_damage() -> None:
    with pytest.raises(PageError, match="damaged"):
        count_rows(Coding.MMR, 1728, bytes(4) + b"\x01")


def test_k_must_be_at_least_one() -> None:
    with pytest.raises(ValueError, match="K = 0"):
        encode(pages.text_like(1, rows=4), Coding.MR, k=0)


def test_minimum_row_bits_are_rounded_up() -> None:
    assert minimum_row_bits(20, 14400) == 288
    assert minimum_row_bits(5, 2400) == 12
    assert minimum_row_bits(5, 7300) == 37
    assert minimum_row_bits(0, 14400) == 0


@given(pages.rasters(), st.sampled_from([Coding.MH, Coding.MR]), st.integers(0, 600))
def test_fill_makes_every_row_long_enough_and_changes_no_pixel(
    page: Raster, coding: Coding, bits: int
) -> None:
    coded = encode(page, coding)
    filled = with_fill(coded.data, bits)
    assert decode(CodedPage(coding, page.resolution, page.width, page.rows, filled)) == page
    rows = to_bits(filled).split(EOL)[1:]
    plain = to_bits(coded.data).split(EOL)[1:]
    assert len(rows) == len(plain)
    for number, (long, short) in enumerate(zip(rows, plain, strict=True)):
        if number < page.rows:
            # A row's time is data, fill, EOL and tag bit (T.4 clause 3): no less, and no more than needed.
            assert len(long) + len(EOL) == max(bits, len(short) + len(EOL))
            assert long.startswith(short)
            assert "1" not in long[len(short) :]
        else:
            assert long.rstrip("0") == short.rstrip("0")  # no fill in RTC


def test_no_minimum_needs_no_fill() -> None:
    coded = encode(pages.text_like(5, rows=50), Coding.MH)
    assert with_fill(coded.data, 0) == coded.data
    assert with_fill(b"", 100) == b""


def test_the_classic_charts_come_back_in_every_coding() -> None:
    for path in pages.charts():
        page = pages.chart_raster(path)
        for coding in CODINGS:
            coded = encode(page, coding)
            assert decode(coded) == page
            assert count_rows(coding, page.width, coded.data) == page.rows
