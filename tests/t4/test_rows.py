"""Single rows: code words, runs, padding, errors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.t4.codes import BLACK_CODES, EOL, HORIZONTAL, PASS, VERTICAL, WHITE_CODES
from appliance.t4.rows import decode_row, longest_row_bits
from tests.t4 import pages, reference

Found = tuple[list[int], int] | None


def decode_1d(bits: str, width: int) -> Found:
    """The changing elements of a row, and its number of bits."""
    found = decode_row(bits, width, None)
    return None if found is None else (pages.changes_of(found[0], width), found[1])


def decode_2d(bits: str, width: int, above: list[int]) -> Found:
    found = decode_row(bits, width, pages.paint(above, width))
    return None if found is None else (pages.changes_of(found[0], width), found[1])


@st.composite
def row_pairs(draw: st.DrawFn) -> tuple[int, list[int], list[int]]:
    """Width, a row and the row above it."""
    page = draw(pages.rasters(max_rows=2).filter(lambda page: page.rows == 2))
    half = page.row_octets
    return (
        page.width,
        pages.changes_of(page.data[half:], page.width),
        pages.changes_of(page.data[:half], page.width),
    )


def test_no_code_word_begins_another_one() -> None:
    for words in (
        [*WHITE_CODES.values(), EOL],
        [*BLACK_CODES.values(), EOL],
        [HORIZONTAL, PASS, *VERTICAL.values(), EOL],
    ):
        assert len(set(words)) == len(words)
        assert not [(a, b) for a in words for b in words if a != b and b.startswith(a)]


def test_every_run_of_the_tables_is_there() -> None:
    runs = {*range(64), *range(64, 2561, 64)}
    assert set(WHITE_CODES) == runs
    assert set(BLACK_CODES) == runs


@pytest.mark.parametrize("black", [False, True])
def test_every_run_length_decodes_to_itself(black: bool) -> None:
    width = 5400  # two make-up codes of 2560 and more
    for run in [*range(1, 2700), *range(2700, width, 61)]:
        changes = [0, run] if black else [run]
        bits = reference.row_1d(changes, width)
        assert decode_1d(bits, width) == (changes, len(bits))


@given(row_pairs(), st.text("01", max_size=40))
def test_a_one_dimensional_row_decodes_to_itself_and_no_further(
    pair: tuple[int, list[int], list[int]], behind: str
) -> None:
    width, row, _ = pair
    bits = reference.row_1d(row, width)
    assert decode_1d(bits + behind, width) == (row, len(bits))
    assert len(bits) <= longest_row_bits(width)


@given(row_pairs(), st.text("01", max_size=40))
def test_a_two_dimensional_row_decodes_to_itself_and_no_further(
    pair: tuple[int, list[int], list[int]], behind: str
) -> None:
    width, row, above = pair
    bits = reference.row_2d(row, above, width)
    assert decode_2d(bits + behind, width, above) == (row, len(bits))
    assert len(bits) <= longest_row_bits(width)


@given(row_pairs())
def test_a_row_that_lacks_its_last_bit_is_no_row(pair: tuple[int, list[int], list[int]]) -> None:
    width, row, above = pair
    assert decode_1d(reference.row_1d(row, width)[:-1], width) is None
    assert decode_2d(reference.row_2d(row, above, width)[:-1], width, above) is None


@given(st.text("01", max_size=200), row_pairs())
def test_any_bits_are_a_row_of_the_right_width_or_an_error(
    bits: str, pair: tuple[int, list[int], list[int]]
) -> None:
    width, _, above = pair
    for found in (decode_1d(bits, width), decode_2d(bits, width, above)):
        assert found is None or found[1] <= len(bits)


def test_runs_beyond_the_row_are_errors() -> None:
    assert decode_1d(WHITE_CODES[63] + BLACK_CODES[2], 64) is None
    assert decode_2d(VERTICAL[1], 64, []) is None
    assert decode_2d(PASS, 64, []) is None


def test_a_run_of_no_pixels_inside_a_row_is_no_change() -> None:
    row = WHITE_CODES[10] + BLACK_CODES[0] + WHITE_CODES[5] + BLACK_CODES[17]
    assert decode_1d(row, 32) == ([15], len(row))
