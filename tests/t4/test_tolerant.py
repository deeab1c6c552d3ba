"""Damaged pages: repair, counting of bad rows, premature end."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.t4.bits import from_bits, to_bits
from appliance.t4.codes import EOFB, EOL
from appliance.t4.coding import encode, with_fill
from appliance.t4.page import Coding, Raster, Resolution
from appliance.t4.tolerant import MAX_PAGE_PIXELS, ReceivedRows, TolerantDecoder
from tests.t4 import pages, reference

ROWS = 120
TOO_SHORT = reference.row_1d([300, 310], 1700)  # a row, but not of 1728 pixels
TAG = {Coding.MH: "", Coding.MR: "1"}


def decoded(coding: Coding, bits: str | bytes, width: int = 1728, piece: int = 1 << 20) -> ReceivedRows:
    data = from_bits(bits) if isinstance(bits, str) else bits
    decoder = TolerantDecoder(coding, width)
    for at in range(0, len(data), piece):
        decoder.feed(data[at : at + piece])
    return decoder.finish()


def coded_rows(coding: Coding, seed: int = 1, k: int = 4) -> tuple[Raster, list[str]]:
    """A page and what stands before each of its EOLs: nothing, the rows, and nothing five times."""
    page = pages.text_like(seed, rows=ROWS)
    return page, to_bits(encode(page, coding, k=k).data).split(EOL)


def row_of(raster: Raster, row: int) -> bytes:
    return raster.data[row * raster.row_octets : (row + 1) * raster.row_octets]


def last_row_bits(page: Raster, coded: str) -> int:
    """Bits of a page's last row without the fill before RTC."""
    above, last = (pages.changes_of(row_of(page, page.rows - n), page.width) for n in (2, 1))
    exact = [
        tag + bits
        for tag in ("", "0", "1")
        for bits in (reference.row_1d(last, page.width), reference.row_2d(last, above, page.width))
        if coded.startswith(tag + bits) and "1" not in coded[len(tag + bits) :]
    ]
    return len(exact[0])


def with_copies(page: Raster, bad: set[int]) -> bytes:
    """The page with each of these rows replaced by the one above."""
    rows: list[bytes] = []
    for row in range(page.rows):
        above = rows[-1] if rows else bytes(page.row_octets)
        rows.append(above if row in bad else row_of(page, row))
    return b"".join(rows)


# -- good pages


@given(pages.rasters(), st.sampled_from(list(Coding)), st.integers(1, 70), st.integers(0, 300))
def test_a_good_page_comes_out_whole_however_it_is_cut(
    page: Raster, coding: Coding, piece: int, fill: int
) -> None:
    data = encode(page, coding).data
    if coding is not Coding.MMR:
        data = with_fill(data, fill)
    found = decoded(coding, data, page.width, piece)
    assert found.raster.data == page.data
    assert found == ReceivedRows(found.raster, page.rows, 0, 0, True)


@pytest.mark.parametrize("coding", list(Coding))
def test_rows_are_there_as_soon_as_their_octets_are(coding: Coding) -> None:
    page = pages.text_like(2, rows=600)
    data = encode(page, coding).data
    decoder = TolerantDecoder(coding, 1728)
    decoder.feed(data[: len(data) // 2])
    assert decoder.rows > 200
    assert not decoder.ended
    decoder.feed(data[len(data) // 2 :] + bytes(80))
    assert decoder.ended
    assert decoder.bad_rows == 0
    decoder.feed(b"\x55" * 1000)  # behind the end
    assert decoder.finish().raster == page


def test_the_page_carries_the_resolution_it_was_told() -> None:
    decoder = TolerantDecoder(Coding.MH, 1728, Resolution.STANDARD)
    assert decoder.finish().raster.resolution is Resolution.STANDARD


@pytest.mark.parametrize("lead", ["0", "1", "0" * 500, "1" * 333, "01" * 100, "1100101" * 9])
@pytest.mark.parametrize("coding", [Coding.MH, Coding.MR])
def test_what_training_leaves_before_the_first_eol_counts_for_nothing(coding: Coding, lead: str) -> None:
    page, rows = coded_rows(coding)
    found = decoded(coding, lead + EOL.join(rows))
    assert found == ReceivedRows(page, ROWS, 0, 0, True)


# -- bad rows


@given(st.sets(st.integers(0, ROWS - 1), max_size=30))
@settings(max_examples=50)
def test_mh_counts_bad_rows_and_their_longest_run_and_repeats_the_row_above(bad: set[int]) -> None:
    page, rows = coded_rows(Coding.MH)
    for row in bad:
        rows[row + 1] = TOO_SHORT
    found = decoded(Coding.MH, EOL.join(rows))
    longest = max((n for n in range(31) for at in range(ROWS) if set(range(at, at + n)) <= bad), default=0)
    assert (found.rows, found.bad_rows, found.longest_bad_run) == (ROWS, len(bad), longest)
    assert found.ended_with_rtc
    assert found.raster.data == with_copies(page, bad)


@given(st.integers(0, ROWS - 1), st.sampled_from([2, 4, 8]))
@settings(max_examples=50)
def test_mr_counts_rows_as_bad_up_to_the_next_one_dimensional_one(row: int, k: int) -> None:
    page, rows = coded_rows(Coding.MR, k=k)
    rows[row + 1] = rows[row + 1][0] + TOO_SHORT[: len(rows[row + 1]) // 2 + 9]
    found = decoded(Coding.MR, EOL.join(rows))
    bad = set(range(row, min((row // k + 1) * k, ROWS)))
    assert (found.rows, found.bad_rows, found.longest_bad_run) == (ROWS, len(bad), len(bad))
    assert found.ended_with_rtc
    assert found.raster.data == with_copies(page, bad)


@pytest.mark.parametrize("rest", ["", "1", "0011", TOO_SHORT, "10" * 40])
def test_a_row_followed_by_anything_but_fill_is_bad(rest: str) -> None:
    _, rows = coded_rows(Coding.MH)
    rows[60] += "1" + rest
    assert decoded(Coding.MH, EOL.join(rows)).bad_rows == 1


def test_mmr_ends_at_its_first_fault() -> None:
    page = pages.text_like(4, rows=200)
    data = encode(page, Coding.MMR).data
    data = data[: len(data) // 2] + b"\x00\x00" + data[len(data) // 2 + 2 :]
    found = decoded(Coding.MMR, data)
    assert 20 < found.rows < 200
    assert (found.bad_rows, found.longest_bad_run, found.ended_with_rtc) == (1, 1, False)
    good = (found.rows - 2) * 216  # the row with the fault may have come out by chance
    assert found.raster.data[:good] == page.data[:good]


def test_a_mmr_page_that_is_cut_short_has_not_ended() -> None:
    page = pages.text_like(4, rows=200)
    data = encode(page, Coding.MMR).data
    found = decoded(Coding.MMR, data[: len(data) // 2])
    assert not found.ended_with_rtc
    assert found.rows - found.bad_rows < 200
    bits = to_bits(data).rstrip("0").removesuffix(EOFB)
    found = decoded(Coding.MMR, bits)
    assert (found.rows, found.bad_rows, found.ended_with_rtc) == (200, 0, False)


# -- the end of a page


@pytest.mark.parametrize("eols", range(8))
@pytest.mark.parametrize("coding", [Coding.MH, Coding.MR])
def test_two_eols_in_succession_end_a_page_and_one_does_not(coding: Coding, eols: int) -> None:
    page, rows = coded_rows(coding)
    found = decoded(coding, EOL.join(rows[: ROWS + 1]) + (EOL + TAG[coding]) * eols)
    assert found == ReceivedRows(page, ROWS, 0, 0, eols >= 2)


def test_rtc_of_a_machine_that_forgets_the_tag_bits_ends_an_mr_page() -> None:
    page, rows = coded_rows(Coding.MR)
    assert decoded(Coding.MR, EOL.join(rows[: ROWS + 1]) + EOL * 6) == ReceivedRows(page, ROWS, 0, 0, True)


@pytest.mark.parametrize("coding", [Coding.MH, Coding.MR])
def test_an_rtc_with_any_one_bit_wrong_still_ends_the_page(coding: Coding) -> None:
    page, rows = coded_rows(coding)
    body = EOL.join([*rows[:ROWS], rows[ROWS].rstrip("0").ljust(last_row_bits(page, rows[ROWS]), "0")])
    rtc = (EOL + TAG[coding]) * 6
    for at in range(len(rtc)):
        hit = rtc[:at] + ("1" if rtc[at] == "0" else "0") + rtc[at + 1 :]
        found = decoded(coding, body + hit)
        assert found == ReceivedRows(page, ROWS, 0, 0, True), at


@pytest.mark.parametrize("coding", [Coding.MH, Coding.MR])
def test_noise_behind_an_rtc_counts_for_nothing(coding: Coding) -> None:
    page, rows = coded_rows(coding)
    for eols in (2, 4, 6):
        end = (EOL + TAG[coding]) * eols + "110010111" * 11
        found = decoded(coding, EOL.join(rows[: ROWS + 1]) + end)
        assert found == ReceivedRows(page, ROWS, 0, 0, True)


@pytest.mark.parametrize("coding", [Coding.MH, Coding.MR])
def test_nothing_is_looked_at_behind_six_eols(coding: Coding) -> None:
    page, rows = coded_rows(coding)
    found = decoded(coding, EOL.join(rows) + EOL.join(rows))
    assert found == ReceivedRows(page, ROWS, 0, 0, True)


def test_a_page_that_goes_on_after_two_eols_has_lost_a_row_there() -> None:
    page, rows = coded_rows(Coding.MH)
    rows[50] = ""
    found = decoded(Coding.MH, EOL.join(rows))
    assert found == ReceivedRows(Raster(1728, ROWS, with_copies(page, {49})), ROWS, 1, 1, True)


def test_a_page_of_noise_after_two_eols_has_not_ended() -> None:
    _, rows = coded_rows(Coding.MH)
    found = decoded(Coding.MH, EOL.join(rows[:50]) + EOL + EOL + (TOO_SHORT + EOL) * 70)
    assert not found.ended_with_rtc
    assert found.bad_rows == 70 + 1


@pytest.mark.parametrize("coding", [Coding.MH, Coding.MR])
def test_a_page_that_just_stops_keeps_its_whole_rows(coding: Coding) -> None:
    page, rows = coded_rows(coding)
    body = EOL.join(rows[:80])
    assert decoded(coding, body) == ReceivedRows(Raster(1728, 79, page.data[: 79 * 216]), 79, 0, 0, False)
    cut = decoded(coding, body + EOL + "10011")
    assert cut == ReceivedRows(Raster(1728, 79, page.data[: 79 * 216]), 79, 0, 0, False, ends_with_row=False)


@pytest.mark.parametrize("coding", list(Coding))
@pytest.mark.parametrize("data", [b"", b"\x00", b"\xff", bytes(5000), b"\xff" * 30])
def test_no_page_at_all_has_no_rows_and_has_not_ended(coding: Coding, data: bytes) -> None:
    if coding is Coding.MMR and data:
        return  # white rows, or a fault
    found = decoded(coding, data)
    assert (found.rows, found.ended_with_rtc) == (0, False)


# -- EOLs that were hit


@pytest.mark.parametrize("coding", [Coding.MH, Coding.MR])
def test_an_eol_with_a_zero_turned_into_a_one_is_found_again(coding: Coding) -> None:
    page, rows = coded_rows(coding)
    repaired = 0
    tries = 0
    for row in range(1, ROWS, 7):
        for zero in range(11):
            eol = EOL[:zero] + "1" + EOL[zero + 1 :]
            found = decoded(coding, EOL.join(rows[:row]) + eol + EOL.join(rows[row:]))
            tries += 1
            repaired += found == ReceivedRows(page, ROWS, 0, 0, True)
            assert found.ended_with_rtc
            assert abs(found.rows - ROWS) <= 1
    assert repaired > 0.95 * tries


@pytest.mark.parametrize("coding", [Coding.MH, Coding.MR])
def test_an_eol_that_lost_its_one_is_found_again(coding: Coding) -> None:
    page, rows = coded_rows(coding)
    for row in range(1, ROWS):
        if "1" in rows[row + 1]:
            bits = EOL.join(rows[:row]) + "0" * 12 + EOL.join(rows[row:])
            found = decoded(coding, bits)
            assert abs(found.rows - ROWS) <= 1
            assert found.bad_rows <= 4
            if coding is Coding.MH:
                assert found == ReceivedRows(page, ROWS, 0, 0, True)


def test_a_row_that_a_wrong_bit_split_is_put_together_again() -> None:
    page, rows = coded_rows(Coding.MH)
    bits = EOL.join(rows)
    splits = [
        at
        for at in range(100, len(bits) - 100)
        if bits[at] == "1" and EOL in bits[at - 10 : at] + "0" + bits[at + 1 : at + 12]
    ]
    tested = repaired = 0
    for at in splits:
        hit = bits[:at] + "0" + bits[at + 1 :]
        if len(hit.split(EOL)) == len(rows) + 1:
            tested += 1
            found = decoded(Coding.MH, hit)
            assert found.rows == ROWS
            # Where several repairs are possible the row counts as bad: none is guessed.
            assert found.bad_rows == (found.raster != page)
            repaired += found.raster == page
    assert repaired > 0.8 * tested > 3


@pytest.mark.parametrize("coding", [Coding.MH, Coding.MR])
def test_a_wrong_bit_in_fill_costs_nothing(coding: Coding) -> None:
    page, rows = coded_rows(coding)
    tag = 1 if coding is Coding.MR else 0
    for row in range(1, ROWS, 5):
        hit = list(rows)
        hit[row] += "0" * 40 + "1" + "0" * 45
        assert decoded(coding, EOL.join(hit)) == ReceivedRows(page, ROWS, 0, 0, True), (row, tag)


def test_a_burst_of_noise_leaves_the_page_nearly_as_long_as_it_was() -> None:
    """Counting a long piece between two EOLs as one row would shorten the page and hide the damage."""
    page = pages.text_like(6, rows=400)
    data = bytearray(encode(page, Coding.MH).data)
    rng = random.Random(6)
    at = len(data) // 2
    data[at : at + 4000] = rng.randbytes(4000)
    found = decoded(Coding.MH, bytes(data))
    assert found.ended_with_rtc
    lost = 400 - sum(row_of(found.raster, row) == row_of(page, row) for row in range(min(400, found.rows)))
    assert lost > 20
    assert found.bad_rows > 10
    assert 320 < found.rows < 420


# -- bounds


@pytest.mark.parametrize("coding", list(Coding))
def test_a_page_is_cut_at_the_bound(coding: Coding) -> None:
    page = pages.text_like(7, rows=100)
    decoder = TolerantDecoder(coding, 1728, max_rows=60)
    decoder.feed(encode(page, coding).data)
    found = decoder.finish()
    assert (found.rows, found.too_long) == (60, True)
    assert found.raster.data == page.data[: 60 * 216]


def test_a_million_white_rows_take_no_more_memory_than_the_bound() -> None:
    width = 1 << 20
    decoder = TolerantDecoder(Coding.MMR, width)
    decoder.feed(b"\xff" * 125_000)
    found = decoder.finish()
    assert found.too_long
    assert found.rows * width == MAX_PAGE_PIXELS


@pytest.mark.parametrize("octet", [0x00, 0xFF, 0x55, 0x08])
@pytest.mark.parametrize("coding", [Coding.MH, Coding.MR])
def test_octets_without_an_eol_are_not_kept(coding: Coding, octet: int) -> None:
    page, rows = coded_rows(coding)
    decoder = TolerantDecoder(coding, 1728)
    decoder.feed(from_bits(EOL.join(rows[:50]) + EOL))
    for _ in range(500):
        decoder.feed(bytes([octet]) * 1000)
    held = decoder._decoder._waiting  # type: ignore[union-attr]
    assert len(held) < 30_000
    decoder.feed(from_bits(EOL.join(["1", *rows[50:]])))
    found = decoder.finish()
    assert found.ended_with_rtc
    assert found.raster.data.endswith(page.data[-40 * 216 :])


def test_a_width_must_be_positive() -> None:
    with pytest.raises(ValueError, match="0 pixels"):
        TolerantDecoder(Coding.MH, 0)
