"""Numbers: one form for every spelling, and no spelling around the rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.causes import Cause
from appliance.lines.causes import NUMBER_EMERGENCY, NUMBER_INVALID, NUMBER_NOT_ALLOWED
from appliance.lines.settings import LineSettings
from appliance.lines.sip.numbers import DialFormat
from appliance.lines.sip.settings import SipTrunk
from appliance.numbers import Number, NumberSettings, plan_for, read_number
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


@pytest.mark.parametrize("written", ["0 0900 1234567", "0-0900-1234567", "00 137 1234567", "0 0190 123456"])
def test_a_premium_number_is_one_behind_a_0_for_outside_that_nobody_told_us_of(written: str) -> None:
    """An exchange takes the first 0 for itself; it would be another country's, which has none such."""
    refused = (NUMBER_NOT_ALLOWED, NUMBER_INVALID)
    assert read_number(written, GERMANY) in refused
    assert read_on(line_in("49"), written) in refused


@pytest.mark.parametrize("written", ["0044 20 79460000", "001 801 234 5670", "0090 212 345 67 89"])
def test_a_number_that_its_country_has_is_taken_for_nothing_else(written: str) -> None:
    assert isinstance(read_number(written, GERMANY), Number)


# -- the country of the line that carries the call ------------------------------------------------


def line_in(country: str, **more: object) -> LineSettings:
    return SipTrunk(name="trunk", server="sip.example.net", country_code=country, **more)  # type: ignore[arg-type]


def read_on(line: LineSettings, written: str, **rules: object) -> Number | Cause:
    settings = NumberSettings(**rules)  # type: ignore[arg-type]
    return read_number(written, settings, plan=plan_for(settings, line))


@pytest.mark.parametrize("written", ["09001234567", "00499001234567", "00442079460000", "0019002345678"])
def test_rules_ask_the_country_of_the_line_where_the_owner_named_none(written: str) -> None:
    assert read_on(line_in("49"), written, deny=("+49900", "+44")) is NUMBER_NOT_ALLOWED


@pytest.mark.parametrize(
    "written", ["+881612345678", "00882161234567", "+8835100123456", "+870773111632", "+979123456789"]
)
def test_satellites_and_networks_of_no_country_are_premium(written: str) -> None:
    assert read_on(line_in("49"), written) is NUMBER_NOT_ALLOWED
    assert isinstance(read_on(line_in("49"), written, premium=True), Number)
    assert read_on(line_in(""), written) is NUMBER_NOT_ALLOWED  # no country anywhere


@pytest.mark.parametrize(
    ("country", "written", "reach"),
    [
        ("49", "030 123456", Reach.DOMESTIC),
        ("49", "0049 30 123456", Reach.DOMESTIC),
        ("49", "0044 20 79460000", Reach.ABROAD),
        ("1", "+1 416 555 0100", Reach.DOMESTIC),  # Canada: the code alone does not say which
        ("1", "+1 876 555 1234", Reach.ABROAD),  # Jamaica has its code, not its country
        ("1", "011 49 30 123456", Reach.ABROAD),
        ("7", "+7 727 250 0000", Reach.ABROAD),  # Kazakhstan
        ("", "0044 20 79460000", Reach.DOMESTIC),  # nobody knows
    ],
)
def test_abroad_is_what_leaves_the_country_of_the_line(country: str, written: str, reach: Reach) -> None:
    found = read_on(line_in(country), written)
    assert isinstance(found, Number)
    assert found.reach is reach


def test_abroad_is_abroad_of_the_line_whatever_the_owners_region() -> None:
    found = read_on(line_in("43"), "030 123456", region="DE")
    assert found == Number("+4930123456", Reach.ABROAD)


@pytest.mark.parametrize(
    ("country", "written"),
    [
        ("49", "0900 1234567 00"),  # exchanges connect before the last digits
        ("49", "01049 0900 1234567"),  # through another carrier
        ("33", "1000"),  # a short number that costs more than a call
        ("49", "11833"),  # enquiries, which put calls through at their own rate
        ("49", "+49 118 33"),
        ("44", "118 500"),
        # A modem dials digits behind a pause into a call that is not up, and the exchange takes them.
        ("49", "0900,1234567"),
        ("49", "0900,,1,234567"),
        ("49", "09 ext 001234567"),
        ("49", "0900w1234567,,42"),
        ("49", "0900;1234567890123456"),
        ("49", "118,33"),
        # Enquiries that are not under 118.
        ("1", "411"),
        ("1", "1-411"),
        ("1", "9 411"),
        ("1", "1 212 555 1212"),
        ("1", "+1 555 1212"),
        ("31", "1850"),
        ("31", "0 1888"),
        ("31", "18008"),
        ("32", "1207"),
        ("39", "412"),
        ("61", "12455"),
        ("61", "+61 12455"),
        ("81", "104"),
    ],
)
def test_nothing_before_or_behind_a_premium_number_makes_it_another(country: str, written: str) -> None:
    assert read_on(line_in(country), written) is NUMBER_NOT_ALLOWED


@pytest.mark.parametrize(
    ("country", "written"),
    [
        ("49", "0900 123456"),  # a digit short
        ("49", "0900 12"),
        ("49", "0900"),
        ("49", "0900 2 123456"),  # a block that was never given out
        ("49", "+49 (0)900 123456"),
        ("49", "010130900123456"),  # through another carrier
        ("49", "01033 11833"),
        ("49", "+49 1033 11833"),
        ("49", "0100 33 11833"),
        ("1", "1010333 411"),
        ("49", "0137 712345"),
        ("49", "0180 51"),
        ("44", "0909 123456"),
        ("44", "0845 12345"),
        ("33", "0891 12345"),
        ("33", "+33 0891 12345"),
        ("39", "899 12345"),
        ("41", "0901 12345"),
        ("43", "0930 12"),
        ("43", "0900 12345"),
        ("31", "0900 123"),
        ("32", "0900 1234"),
        ("1", "+1 900 123 4567"),  # no exchange begins with 1
        ("1", "900 2345"),
        ("49", "+44 909 12345"),  # abroad as at home
        ("49", "0190 123456"),  # given up, and still dear where somebody carries it
        ("49", "+49 190 12"),
        ("49", "01011 0190 123456"),
        ("48", "0 700 123456"),  # a prefix that the country has done away with
    ],
)
def test_a_premium_number_of_any_length_is_premium(country: str, written: str) -> None:
    assert read_on(line_in(country), written) is NUMBER_NOT_ALLOWED
    assert isinstance(read_on(line_in(country), written, premium=True), Number)


@pytest.mark.parametrize(
    ("country", "written"),
    [("44", "070 1234 5678"), ("49", "0700 12345678"), ("1", "212 976 1234"), ("1", "976 1234")],
)
def test_personal_numbers_and_976_are_billed_as_premium_numbers_are(country: str, written: str) -> None:
    assert read_on(line_in(country), written) is NUMBER_NOT_ALLOWED


@pytest.mark.parametrize(
    ("country", "written"),
    [
        ("49", "0906 12"),  # Donauwörth, short
        ("49", "030 1"),
        ("49", "0221 4710 1234 56"),
        ("49", "0800 1234567"),
        ("49", "0800 12345"),  # free of charge, short
        ("43", "01 1"),
        ("39", "06 1234"),
        ("1", "800 976 1234"),  # free of charge
        ("1", "555 0411"),  # a local number that ends like enquiries
        ("49", "5511833"),
        ("1", "+1 876 976 1234"),  # Jamaica, where 976 is an exchange as any
        ("31", "020 123"),
    ],
)
def test_ordinary_numbers_that_are_short_or_strange_are_dialled(country: str, written: str) -> None:
    assert isinstance(read_on(line_in(country), written), Number)


@pytest.mark.parametrize("written", ["+49 0221 99", "0049 0221 99"])
def test_a_zero_behind_the_country_code_hides_nothing_from_a_rule(written: str) -> None:
    assert read_on(line_in("49"), written, deny=("+49221",)) is NUMBER_NOT_ALLOWED
    assert read_on(line_in("43"), written, deny=("+49221",)) is NUMBER_NOT_ALLOWED


@pytest.mark.parametrize("written", ["02,21123456", "0221,,23456", "01049 0221 99"])
def test_no_pause_and_no_carrier_in_front_hides_what_a_rule_forbids(written: str) -> None:
    assert read_on(line_in("49"), written, deny=("+49221",)) in (NUMBER_NOT_ALLOWED, NUMBER_INVALID)


@pytest.mark.parametrize("written", ["030 123456,,42", "+49 30 123456 ext 900", "12,,34", "0221 4710;118"])
def test_digits_behind_a_number_that_is_whole_or_an_extension_are_not_judged_as_a_number(
    written: str,
) -> None:
    assert isinstance(read_on(line_in("49"), written), Number)


@pytest.mark.parametrize("rule", ["+49221", "0049221", "0221"])
def test_a_rule_may_be_written_as_people_dial(rule: str) -> None:
    assert read_on(line_in("49"), "+49 221 123456", deny=(rule,)) is NUMBER_NOT_ALLOWED
    assert isinstance(read_on(line_in("49"), "0221 123456", allow=(rule,)), Number)
    assert read_on(line_in("49"), "030 123456", allow=(rule,)) is NUMBER_NOT_ALLOWED


def test_a_rule_against_calls_abroad_leaves_those_at_home() -> None:
    assert read_on(line_in("49"), "+44 20 79460000", deny=("00",)) is NUMBER_NOT_ALLOWED
    assert isinstance(read_on(line_in("49"), "0049 221 123456", deny=("00",)), Number)


def test_numbers_in_full_may_have_lost_their_plus_where_the_trunk_writes_them_so() -> None:
    trunk = line_in("49", area_code="30", form=DialFormat.E164)
    assert read_on(trunk, "4930555002") == Number("+4930555002", Reach.DOMESTIC)
    assert read_on(trunk, "5550020") == Number("+49305550020", Reach.DOMESTIC)


# Numbers of Germany: national digits, and the verdict on each (None: it is dialled).
NATIONAL = {
    "301234567": None,
    "2211234567": None,
    "15123456789": NUMBER_NOT_ALLOWED,  # denied below
    "9001234567": NUMBER_NOT_ALLOWED,
    "1371234567": NUMBER_NOT_ALLOWED,
    "18061234567": NUMBER_NOT_ALLOWED,
}
PREFIXES = (
    "+49",
    "0049",
    "0",
    "+49(0)",
    "0049 (0)",
    "+490",
    "tel:+49",
    "tel:0",
    "\uff0b49",
    "0 0 4 9 ",
    "(0)",
)
SIGNS = (
    "",
    " ",
    "-",
    ".",
    "/",
    " - ",
    "\u00a0",
    "\u200b",
    "\u2011",
    "\u202c",
    "\u2060",
    "\ufeff",
    "\u00ad",
    ")(",
)


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    """A national number, and one of the ways to write it."""
    national = draw(st.sampled_from(sorted(NATIONAL)))
    wide = draw(st.booleans())
    digits = [chr(ord(digit) + 0xFEE0) if wide else digit for digit in national]
    signs = draw(st.lists(st.sampled_from(SIGNS), min_size=len(digits), max_size=len(digits)))
    body = "".join(digit + sign for digit, sign in zip(digits, signs, strict=True))
    return national, draw(st.sampled_from(PREFIXES)) + body


@given(spellings(), st.sampled_from(["region", "line", "both", "e164"]))
def test_no_spelling_of_a_number_gets_another_verdict(spelling: tuple[str, str], known: str) -> None:
    national, written = spelling
    settings = NumberSettings(region="" if known in ("line", "e164") else "DE", deny=("+49151",))
    form = DialFormat.E164 if known == "e164" else DialFormat.NATIONAL
    line = None if known == "region" else line_in("49", area_code="30", form=form)
    found = read_number(written, settings, plan=plan_for(settings, line))
    expected = NATIONAL[national] or Number(f"+49{national}", Reach.DOMESTIC)
    assert found == expected, written


# -- as people write and paste them ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "dial"),
    [
        ("\u202a+49 30 1234567\u202c", "+49301234567"),  # copied out of a contact
        ("\uff10\uff13\uff10 1234567", "+49301234567"),
        ("tel:+49-30-1234567", "+49301234567"),
        ("tel:1234567;phone-context=+4930", "+49301234567"),
        ("tel:030-1234567;phone-context=example.org", "+49301234567"),
        ("fax:%2B49301234567", "+49301234567"),
        ("+49\u00b730\u00b71234567", "+49301234567"),
        ("030 1234567,,,42", "+49301234567,,,42"),
        ("030 1234567 p42", "+49301234567,42"),
        ("030 1234567 w42", "+49301234567,,42"),
        ("030 1234567 x42", "+49301234567,,42"),
        ("030 1234567 ext. 42", "+49301234567,,42"),
        ("030 1234567 Ext: 4*2#", "+49301234567,,4*2#"),
        ("tel:+49-30-1234567;ext=42", "+49301234567,,42"),
        ("030 1234567,1,,22", "+49301234567,1,,22"),
    ],
)
def test_what_people_write_and_paste_is_read(written: str, dial: str) -> None:
    found = read_number(written, GERMANY)
    assert found == Number(dial, Reach.DOMESTIC)
    assert read_number(dial, GERMANY) == found


@pytest.mark.parametrize(
    "written",
    [
        "030 1234567,",
        "030 1234567,,,x",
        "030 1234567 ext",
        "x42",
        ",42",
        "030 12\u00b234567",
        "030 1234567" + ",1" * 30,
    ],
)
def test_what_is_no_dialling_on_is_refused(written: str) -> None:
    assert read_number(written, GERMANY) is NUMBER_INVALID


@pytest.mark.parametrize("written", ["0900 1234567,,42", "030 1234567,42"])
def test_rules_hold_for_a_number_with_digits_behind_it(written: str) -> None:
    assert read_number(written, NumberSettings(region="DE", deny=("+4930",))) is NUMBER_NOT_ALLOWED


def test_no_pause_hides_an_emergency_number() -> None:
    for settings in (GERMANY, NumberSettings()):
        for written in ("112,1", "0,112", "00,112", "9,112", "12,,110", "112;ext=1"):
            assert read_number(written, settings) in (NUMBER_EMERGENCY, NUMBER_INVALID), written
