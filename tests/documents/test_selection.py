"""Page selections as a person writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.causes import Side
from appliance.documents.causes import DOCUMENT_PAGES_INVALID, DOCUMENT_PAGES_MISSING
from appliance.documents.errors import DocumentError
from appliance.documents.selection import parse_pages


@pytest.mark.parametrize(
    ("selection", "pages"),
    [
        ("", [1, 2, 3, 4, 5, 6]),
        ("  ", [1, 2, 3, 4, 5, 6]),
        ("1-5,2", [1, 2, 3, 4, 5, 2]),
        ("6,1", [6, 1]),
        ("2,2,2", [2, 2, 2]),
        ("5-3", [5, 4, 3]),
        (" 1 - 2 , 4 ", [1, 2, 4]),
        ("4-", [4, 5, 6]),
        ("-2", [1, 2]),
        ("1–3", [1, 2, 3]),
        ("1;3", [1, 3]),
        ("03", [3]),
    ],
)
def test_order_and_repeats_stay_as_written(selection: str, pages: list[int]) -> None:
    chosen = parse_pages(selection, 6)
    assert ([page + 1 for page in chosen.pages], chosen.shortened) == (pages, "")


@pytest.mark.parametrize(
    ("selection", "pages", "shortened"),
    [
        ("1-7", [1, 2, 3, 4, 5, 6], "1-7"),
        ("5-999999999", [5, 6], "5-999999999"),
        ("-9", [1, 2, 3, 4, 5, 6], "-9"),
        ("2, 6 - 8, 5-9", [2, 6, 5, 6], "6 - 8"),
    ],
)
def test_a_range_that_ends_behind_the_last_page_ends_with_it(
    selection: str, pages: list[int], shortened: str
) -> None:
    chosen = parse_pages(selection, 6)
    assert ([page + 1 for page in chosen.pages], chosen.shortened) == (pages, shortened)


@pytest.mark.parametrize(
    "selection", ["a", "1,,2", "-", "1-2-3", "1,", "1.5", "+1", "1 2", "--1", "٣", "1" * 20, "1," * 3000]
)
def test_what_cannot_be_read_is_the_users_mistake(selection: str) -> None:
    with pytest.raises(DocumentError) as refusal:
        parse_pages(selection, 6)
    assert refusal.value.cause is DOCUMENT_PAGES_INVALID
    assert refusal.value.cause.side is Side.USER


@pytest.mark.parametrize("selection", ["7", "0", "7-8", "9-", "9-3", "3-0", "0-9", "999999999"])
def test_a_page_that_is_not_there_is_named(selection: str) -> None:
    with pytest.raises(DocumentError) as refusal:
        parse_pages(selection, 6)
    assert refusal.value.cause is DOCUMENT_PAGES_MISSING


def test_a_selection_cannot_grow_without_bound() -> None:
    with pytest.raises(DocumentError):
        parse_pages(",".join(["1-99999"] * 3), 99999)


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=20))
def test_every_written_range_reads_back(ranges: list[tuple[int, int]]) -> None:
    expected = []
    for first, last in ranges:
        step = 1 if last >= first else -1
        expected += range(first - 1, last - 1 + step, step)
    assert parse_pages(",".join(f"{a}-{b}" for a, b in ranges), 40).pages == expected


@given(st.text(max_size=30))
def test_any_text_is_pages_or_a_named_error(text: str) -> None:
    try:
        pages = parse_pages(text, 9).pages
    except DocumentError as error:
        cause = error.cause
    else:
        assert all(0 <= page < 9 for page in pages)
        return
    assert cause in {DOCUMENT_PAGES_INVALID, DOCUMENT_PAGES_MISSING}
