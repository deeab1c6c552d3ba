"""Numbers: one form for every spelling, and no spelling around the rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.causes import NUMBER_EMERGENCY, NUMBER_INVALID, NUMBER_NOT_ALLOWED, Cause
from appliance.numbers import Number, read_number
from appliance.settings.sections import NumberSettings
from appliance.spool.model import Reach

GERMANY = NumberSettings(region="DE")
PRACTICE = frozenset({"9990", "9991"})


@pytest.mark.parametrize(
    "written",
    [
        "+49 30 1234567",
        "030 1234567",
        "0049301234567",
        "+49 (0)30 123-4567",
        "(030) 123.45.67",
        "+49 30\u00a01234567",
    ],
)
def test_every_spelling_of_a_number_becomes_one(written: str) -> None:
    assert read_number(written, GERMANY) == Number("+49301234567", Reach.DOMESTIC)


def test_a_number_of_another_country_is_abroad() -> None:
    assert read_number("+1 415 555 2671", GERMANY) == Number("+14155552671", Reach.ABROAD)


@pytest.mark.parametrize(
    ("written", "settings"),
    [
        ("112", GERMANY),
        ("1 1 0", GERMANY),
        ("+49 112", GERMANY),
        ("0112", NumberSettings(region="DE", outside_prefix="0")),
        ("911", NumberSettings(region="US")),
        ("9911", NumberSettings(region="US", outside_prefix="9")),
        ("999", NumberSettings(region="GB", internal="[0-9]{3}")),
        ("112", NumberSettings()),
        ("000", NumberSettings(region="AU")),
        ("5050", NumberSettings(region="DE", emergency=("5050",), internal="[0-9]+")),
    ],
)
def test_an_emergency_number_is_never_dialled(written: str, settings: NumberSettings) -> None:
    assert read_number(written, settings) is NUMBER_EMERGENCY


@pytest.mark.parametrize(
    "written", ["", "+", "abc", "12a34", "+49", "1" * 40, "030 1234567; rm", "sip:x@y", "٣٤٥٦٧٨"]
)
def test_what_is_not_a_number_is_refused(written: str) -> None:
    assert read_number(written, GERMANY) is NUMBER_INVALID


@pytest.mark.parametrize(
    ("written", "more"),
    [
        ("0900 1234567", {}),
        ("+1 900 234 5678", {}),
        ("030 1234567", {"deny": ("+4930",)}),
        ("+1 415 555 2671", {"allow": ("+49",)}),
    ],
)
def test_the_owners_rules_hold_for_every_spelling(written: str, more: dict[str, tuple[str, ...]]) -> None:
    settings = NumberSettings(region="DE", **more)  # type: ignore[arg-type]
    assert read_number(written, settings) is NUMBER_NOT_ALLOWED


def test_practice_numbers_and_extensions_stay_inside() -> None:
    settings = NumberSettings(region="DE", internal="[1-8][0-9]{2}")
    assert read_number("9990", settings, PRACTICE) == Number("9990", Reach.PRACTICE)
    assert read_number("412", settings, PRACTICE) == Number("412", Reach.INTERNAL)
    assert read_number("9992", settings, PRACTICE) is not Reach.PRACTICE


def test_an_area_code_completes_local_numbers() -> None:
    assert read_number("1234567", NumberSettings(region="DE", area_code="030")) == Number(
        "+49301234567", Reach.DOMESTIC
    )


def test_without_a_country_numbers_are_dialled_as_written() -> None:
    assert read_number("030 123", NumberSettings()) == Number("030123", Reach.DOMESTIC)


@given(st.text(max_size=30) | st.text("+0123456789 ()-", max_size=20))
def test_whatever_is_written_reads_as_a_number_or_a_row_and_reads_the_same_again(written: str) -> None:
    found = read_number(written, GERMANY, PRACTICE)
    if isinstance(found, Cause):
        return
    again = read_number(found.dial, GERMANY, PRACTICE)
    assert again == found
