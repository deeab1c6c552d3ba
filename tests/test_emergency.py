"""Emergency numbers are never dialled, whatever is written around them and whatever a line makes of it."""

from __future__ import annotations

import contextlib

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import shortnumberinfo

from appliance.lines.causes import NUMBER_EMERGENCY, NUMBER_INVALID
from appliance.lines.modem.dialling import DialRules, UndialableError, dial_command
from appliance.lines.sip.numbers import DialFormat, DiallingRules, NumberError, checked_sip_address, to_dial
from appliance.numbering.emergency import _LONGEST, WELL_KNOWN
from appliance.numbers import Number, NumberSettings, read_number

COUNTRIES = ("DE", "GB", "US", "FR", "IT", "AU", "BR", "JP", "CH", "NZ", "DK", "IN", "")
SHORT = [f"{number:0{width}}" for width in (2, 3) for number in range(10**width)]


def services(region: str) -> list[str]:
    if not region:
        return sorted(WELL_KNOWN)
    return [number for number in SHORT if shortnumberinfo.is_emergency_number(number, region)]


NUMBERS = [(region, number) for region in COUNTRIES for number in services(region)]
# What somebody may write around one, to reach it or by mistake.
TRICKS = (
    "N",
    " N ",
    "(N)",
    "0N",
    "00N",
    "9N",
    "*31#N",
    "#31#N",
    "*67N",
    "*N",
    "#N",
    "**N",
    "N#",
    "N*",
    "N##",
    "N0",
    "N0000",
    "0N00",
    "+N",
    "0-N",
    "N-1",
    "N/22",
    "+CN",
    "00CN",
    "+C(0)N",
    "+C0N",
    "+C N0000",
    "tel:N",
    "N;",
    "N,",
    "N@x",
    "N\r\n",
    "N\r\nATD1",
    "N;ext=1",
    "WN",
    "!N",
    "\uff11\uff11\uff12",
    "\u0661\u0661\u0662",
)
BREAKS = (" ", "-", ".", "\u00a0", "\u200b", "\u2011")


@pytest.mark.parametrize(("region", "number"), NUMBERS)
def test_no_way_of_writing_reaches_an_emergency_service(region: str, number: str) -> None:
    code = str(phonenumbers.country_code_for_region(region)) if region else ""
    ways = [trick.replace("N", number).replace("C", code) for trick in TRICKS if code or "C" not in trick]
    for written in ways + [each.join(number) for each in BREAKS]:
        found = read_number(written, NumberSettings(region=region))
        assert found in (NUMBER_EMERGENCY, NUMBER_INVALID), f"{written!r} in {region!r} became {found}"


@pytest.mark.parametrize(
    ("region", "written", "dial"),
    [
        ("DE", "0911 123456", "+49911123456"),  # Nuremberg
        ("DE", "+49 911 123456", "+49911123456"),
        ("GB", "0113 496 0000", "+441134960000"),  # Leeds
        ("GB", "0118 496 0000", "+441184960000"),  # Reading
        ("IT", "011 345 6789", "+390113456789"),  # Turin
        ("ES", "911 23 45 67", "+34911234567"),  # Madrid
        ("", "911 23 45 67", "911234567"),
        ("AR", "11 2345-6789", "+541123456789"),  # Buenos Aires
        ("US", "+91 11 2345 6789", "+911123456789"),  # Delhi
        ("PE", "999 123 456", "+51999123456"),
        ("", "030 1234567", "0301234567"),
        ("", "+49 30 1234567", "+49301234567"),
        ("", "*31#0301234567", "*31#0301234567"),
    ],
)
def test_numbers_that_only_look_alike_are_dialled(region: str, written: str, dial: str) -> None:
    found = read_number(written, NumberSettings(region=region))
    assert isinstance(found, Number)
    assert found.dial == dial


def test_an_extension_that_the_owner_named_may_look_like_a_prefix_and_an_emergency_number() -> None:
    owner = NumberSettings(region="DE", internal="[1-9][0-9]{3}")
    for number in ("9112", "1100", "9990"):
        assert isinstance(read_number(number, owner), Number)
        assert read_number(number, NumberSettings()) is NUMBER_EMERGENCY
    assert read_number("0112", NumberSettings(region="DE", internal="[0-9]+")) is NUMBER_EMERGENCY
    for prefix in "09":
        owner = NumberSettings(region="DE", internal=".*", outside_prefix=prefix)
        assert read_number(f"{prefix}112", owner) is NUMBER_EMERGENCY


def test_a_service_code_does_not_turn_a_number_into_another() -> None:
    assert read_number("*67 030 1234567", NumberSettings(region="DE")) is NUMBER_INVALID


@pytest.mark.parametrize(
    ("number", "rules"),
    [
        ("112", DialRules()),
        ("0,112", DialRules()),
        ("112", DialRules(prefix="0,")),
        ("+49112", DialRules(country_code="49")),
        ("+4930112555", DialRules(country_code="4930", trunk="")),
        ("#31#110", DialRules(country_code="49")),
        ("1120000", DialRules(country_code="49")),
    ],
)
def test_a_modem_is_not_told_to_dial_one(number: str, rules: DialRules) -> None:
    with pytest.raises(UndialableError):
        dial_command(number, rules)


@pytest.mark.parametrize(
    ("number", "rules"),
    [
        ("112", DiallingRules()),
        ("110", DiallingRules(country_code="49", outside_prefix="0")),
        ("+49112", DiallingRules(country_code="49", format=DialFormat.NATIONAL)),
        ("+4930112", DiallingRules("4930", national_prefix="", format=DialFormat.NATIONAL)),
        ("00112", DiallingRules(country_code="49")),
        ("*31#112", DiallingRules()),
    ],
)
def test_a_trunk_is_not_asked_for_one(number: str, rules: DiallingRules) -> None:
    with pytest.raises(NumberError):
        to_dial(number, rules)


@pytest.mark.parametrize(
    "address",
    [
        "sip:112@trunk.example",
        "sips:110@192.0.2.1",
        "sip:+49112@trunk.example",
        "sip:%31%312@trunk.example",
        "sip:911;phone-context=x@trunk.example",
        "sip:112,@trunk.example",
        "sip:999",
        "sip:1-1-2@x",
        "sip:0112@trunk.example",
    ],
)
def test_a_sip_address_does_not_hide_one(address: str) -> None:
    with pytest.raises(NumberError):
        checked_sip_address(address)


def test_addresses_of_machines_are_still_called() -> None:
    for address in ("sip:fax@192.0.2.1", "sip:9990@127.0.0.1:5070", "sip:127.0.0.1:5066;transport=tcp"):
        assert checked_sip_address(address) == address


_HOSTILE = st.text(alphabet="0123456789+*#,;@\r\n W!&ATDatd%:", max_size=30)


@settings(max_examples=300, deadline=None)
@given(_HOSTILE)
def test_nothing_but_a_dial_string_reaches_the_wire(text: str) -> None:
    try:
        command = dial_command(text, DialRules(prefix="0,"))
    except UndialableError:
        pass
    else:
        assert set(command[2:]) <= set("0123456789*#,")
    with contextlib.suppress(NumberError):
        assert set(to_dial(text, DiallingRules())) <= set("+0123456789*#")


def test_the_library_has_no_longer_emergency_number_than_we_look_for() -> None:
    lengths = [
        length
        for region in phonenumbers.SUPPORTED_REGIONS
        if (known := phonenumbers.PhoneMetadata.short_metadata_for_region(region)) and known.emergency
        for length in known.emergency.possible_length or ()
    ]
    assert max(lengths) <= _LONGEST
