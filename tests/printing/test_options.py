"""Options, title and URIs of a print job, hostile ones included."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.printing.options import MOST_OPTIONS, parse_options, read_fax_options
from appliance.spool.options import Quality


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("phone=123 fit nocollate", {"phone": "123", "fit": "true", "collate": "false"}),
        ("phone='+49 30 12' x=1", {"phone": "+49 30 12", "x": "1"}),
        ('phone="a\\"b" y=2', {"phone": 'a"b', "y": "2"}),
        ("phone=+49\\ 30\\ 12", {"phone": "+49 30 12"}),
        (
            "media-col={media-size={x=1 y=2} t='a b'} phone=5",
            {"media-col": "{media-size={x=1 y=2} t='a b'}", "phone": "5"},
        ),
        ("phone=1 phone=2", {"phone": "1"}),
        ("phone='open", {"phone": "open"}),
        ("phone=Grüße", {"phone": "Grüße"}),
    ],
)
def test_options_are_read_as_cups_writes_them(text: str, options: dict[str, str]) -> None:
    assert parse_options(text) == options


@given(st.text(max_size=400))
def test_no_text_breaks_the_parser_or_grows_in_it(text: str) -> None:
    found = parse_options(text)
    assert len(found) <= MOST_OPTIONS
    assert sum(map(len, found.values())) <= 5 * len(found) + len(text)
    read_fax_options(found, text, [text])


@pytest.mark.parametrize(
    ("options", "title", "uris", "numbers"),
    [
        ({"phone": "Custom.+49 30 12"}, "fax 999", [], ("+49 30 12",)),
        ({"FaxNumber": "123"}, "", [], ("123",)),
        ({"phone": "123", "faxPrefix": "0"}, "", [], ("0123",)),
        ({"phone": "123; 0456;123"}, "", [], ("123", "0456")),
        ({"phone": "None"}, "Fax: 030 123-45", [], ("030 123-45",)),
        ({}, "  fax 0301234 letter", [], ("0301234",)),
        ({}, "Re: fax 0301234", [], ()),
        ({}, "faxes 0301234", [], ()),
        ({}, "", ["tel:+4930123;phone-context=x", "fax:0123"], ("+4930123", "0123")),
        ({}, "fax 999", ["tel:+1555 evil=1 raw"], ()),
        ({"phone": "5551234,,,42; 030 1234567 p42"}, "", [], ("5551234,,,42", "030 1234567 p42")),
        ({"phone": "030 1234567 ext. 42"}, "", [], ("030 1234567 ext. 42",)),
        ({"phone": "030 1234567;ext=42;0456"}, "", [], ("030 1234567;ext=42", "0456")),
        ({}, "fax 5551234,,,42 letter", [], ("5551234,,,42",)),
        ({}, "", ["tel:+4930123;ext=42;phone-context=x"], ("+4930123;ext=42",)),
        ({"phone": "0123;rm -rf"}, "", [], ()),
        ({"phone": "030", "1234": "true"}, "", [], ()),
        ({"phone": "1$(reboot)"}, "fax 0301234", [], ()),
        ({"phone": "٣٤٥٦"}, "", [], ()),
    ],
)
def test_the_number_comes_from_the_first_place_that_says_one_and_is_never_guessed(
    options: dict[str, str], title: str, uris: list[str], numbers: tuple[str, ...]
) -> None:
    assert read_fax_options(options, title, uris).numbers == numbers


def test_cover_quality_and_time_are_options() -> None:
    now = datetime(2026, 11, 28, 12, 0)
    asked = read_fax_options({"FaxCover": "none", "FaxQuality": "Fine", "FaxTime": "11:30"}, "", now=now)
    assert (asked.cover, asked.quality, asked.at) == ("", Quality.FINE, datetime(2026, 11, 29, 11, 30))
    asked = read_fax_options({"FaxCover": "Usual", "FaxQuality": "lovely", "FaxTime": "none"}, "", now=now)
    assert (asked.cover, asked.quality, asked.at, asked.no_time) == (None, None, None, "")


@pytest.mark.parametrize("written", ["soon", "22.30", "25:00", "2026-13-01T08:00"])
def test_what_is_no_time_is_not_taken_for_now(written: str) -> None:
    assert read_fax_options({"FaxTime": written}, "").no_time == written


def test_a_time_with_its_zone_keeps_it() -> None:
    asked = read_fax_options({"FaxTime": "2026-12-01T08:00+05:30"}, "")
    assert asked.at is not None
    assert asked.at.timestamp() == datetime(2026, 12, 1, 2, 30, tzinfo=UTC).timestamp()
