"""Result codes, caller identification, dial strings, capability lists: what is tolerated and what is not."""

from __future__ import annotations

import pytest

from appliance.lines.modem.dialling import DialRules, UndialableError, call_progress_command, dial_command
from appliance.lines.modem.identify import carriers_in, number_list
from appliance.lines.modem.quirks import TABLE, carrier_of, modulation_code, quirks_for
from appliance.lines.modem.results import Result, caller_field, raw_caller_fields, result_of, ring_kind
from appliance.t30.dce import Carrier


@pytest.mark.parametrize(
    ("line", "result"),
    [
        ("OK", Result.OK),
        ("CONNECT", Result.CONNECT),
        ("CONNECT 14400", Result.CONNECT),
        ("no carrier", Result.NO_CARRIER),
        ("NO DIAL TONE", Result.NO_DIALTONE),
        ("NO DIALTONE", Result.NO_DIALTONE),
        ("+FCERROR", Result.FCERROR),
        ("+FRH:3", Result.V21_HEARD),
        ("RING 2", Result.RING),
        ("RING", Result.RING),
        ("+CME ERROR: 3", Result.ERROR),
        ("BLACKLISTED", Result.BLOCKED),
        ("DELAYED 00:02:00", Result.BLOCKED),
        ("Dial locked", Result.BLOCKED),
        ("DELAYED BY RAIN", None),
        ("OKAY", None),
        ("CONNECTION REFUSED", None),
        ("RINGTONE", None),
        ("", None),
    ],
)
def test_each_result_line_of_a_modem_is_recognised(line: str, result: Result | None) -> None:
    assert result_of(line) is result


def test_distinctive_rings_are_told_apart() -> None:
    assert [ring_kind(line) for line in ("RING", "RING 1", "RING B", "ring 2")] == ["", "1", "B", "2"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("NMBR = 0301234567", ("NMBR", "0301234567")),
        ("NMBR=P", ("NMBR", "")),
        ("NAME = SMITH & CO", ("NAME", "SMITH & CO")),
        ("DATE = 1123", ("DATE", "1123")),
        ("NMBR = " + "9" * 500, ("NMBR", "9" * 40)),
        ("RING", None),
        ("NUMBER = 1", None),
        ("Nmbr: 0301234567", ("NMBR", "0301234567")),
        ("CALLER NUMBER: 0301234567", ("NMBR", "0301234567")),
        ("CALLER NAME: SMITH", ("NAME", "SMITH")),
        ("NMBR = Anonymous", ("NMBR", "")),
    ],
)
def test_the_callers_number_is_read_from_a_line_of_any_modem(
    line: str, found: tuple[str, str] | None
) -> None:
    assert caller_field(line) == found


DATE = b"\x01\x0811230611"


def message(kind: int, body: bytes, *, checksum: int | None = None) -> str:
    octets = bytes([kind, len(body)]) + body
    right = -sum(octets) % 256
    return (octets + bytes([right if checksum is None else checksum])).hex().upper()


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        (message(0x80, DATE + b"\x02\x040301\x07\x05SMITH"), [("NMBR", "0301"), ("NAME", "SMITH")]),
        ("MESG = " + message(0x80, DATE + b"\x02\x040301"), [("NMBR", "0301")]),
        (message(0x80, DATE + b"\x04\x01P"), []),  # reason for absence: withheld
        (message(0x80, b"\x02\x01P"), [("NMBR", "")]),
        (message(0x04, b"112306110301234567"), [("NMBR", "0301234567")]),
        (message(0x04, b"112306110301234567")[:-2], [("NMBR", "0301234567")]),  # without its checksum
        (message(0x80, b"\x02\x040301", checksum=1), []),
        (message(0x80, b"\x02\x40" + b"0301"), []),  # a parameter longer than the message
        ("80FF02", []),
        ("8", []),
        ("80" + "00" * 2000, []),
        ("NMBR = 1", []),
    ],
)
def test_the_callers_number_is_read_from_the_octets_of_the_network(
    line: str, fields: list[tuple[str, str]]
) -> None:
    assert raw_caller_fields(line) == fields


@pytest.mark.parametrize(
    ("number", "rules", "command"),
    [
        ("030 123-456", DialRules(), "DT030123456"),
        ("+49 30 123456", DialRules(country_code="49"), "DT030123456"),
        ("+44 20 7946 0000", DialRules(country_code="49"), "DT00442079460000"),
        ("12", DialRules(prefix="0,"), "DT0,12"),
        ("12", DialRules(prefix="9W", blind=True), "DT9W12"),
        ("12", DialRules(pulse=True), "DP12"),
        ("0301,,22", DialRules(), "DT0301,,22"),
        ("*31#55", DialRules(), "DT*31#55"),
    ],
)
def test_numbers_become_dial_commands(number: str, rules: DialRules, command: str) -> None:
    assert dial_command(number, rules) == command


@pytest.mark.parametrize(
    ("number", "rules", "command"),
    [
        ("+49301234", DialRules(country_code="49"), "DT*31#0301234"),
        ("+49301234", DialRules(prefix="0,", country_code="49"), "DT0,*31#0301234"),
        ("+14155552671", DialRules(country_code="1", trunk="1"), "DT*6714155552671"),
        ("+49301234", DialRules(country_code="49", withhold="#31#"), "DT#31#0301234"),
        ("+49301234,,42", DialRules(country_code="49"), "DT*31#0301234,,42"),
    ],
)
def test_number_of_ours_is_withheld_in_the_way_of_the_country(
    number: str, rules: DialRules, command: str
) -> None:
    assert dial_command(number, rules, withhold=True) == command


def test_no_code_before_a_number_reaches_an_emergency_service() -> None:
    with pytest.raises(UndialableError):
        dial_command("112", DialRules(country_code="49"), withhold=True)


@pytest.mark.parametrize("number", ["", "abc", "1;+FCLASS=0", "1\rATH", "1@b", "+", "1" * 61, "٣٤", "1\n2"])
def test_a_text_that_is_no_number_is_not_dialled(number: str) -> None:
    with pytest.raises(UndialableError):
        dial_command(number, DialRules())


def test_a_star_is_refused_with_pulse_dialling() -> None:
    with pytest.raises(UndialableError):
        dial_command("*55", DialRules(pulse=True))


@pytest.mark.parametrize("prefix", ["0;", "AT", "9\r", "0" * 21])
def test_a_prefix_is_checked_when_it_is_set(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        DialRules(prefix=prefix)


def test_blind_dialling_does_not_wait_for_the_tone() -> None:
    assert call_progress_command(DialRules(blind=True)) == "X3"
    assert call_progress_command(DialRules()) == "X4"


@pytest.mark.parametrize(
    ("answer", "numbers"),
    [
        ("3,24,48,72,96", {3, 24, 48, 72, 96}),
        ("(3,24, 48)", {3, 24, 48}),
        ("+FTM: (24,48,72-74)", {24, 48, 72, 73, 74}),
        ("+FTM=(96)", {96}),
        ("", set()),
        ("garbage", set()),
        ("9-2", set()),
    ],
)
def test_number_lists_are_read_in_the_spellings_of_all_modems(answer: str, numbers: set[int]) -> None:
    assert number_list(answer) == numbers


def test_unknown_carriers_in_an_ability_list_are_ignored() -> None:
    assert carriers_in("24,96,97,98,145,146,8,999") == {
        Carrier.V27TER_2400,
        Carrier.V29_9600,
        Carrier.V17_9600,
        Carrier.V17_14400,
    }


def test_each_carrier_has_its_number() -> None:
    for carrier in set(Carrier) - {Carrier.V21}:
        assert carrier_of(modulation_code(carrier, short_train=False)) is carrier
    assert modulation_code(Carrier.V17_14400, short_train=True) == 146
    assert modulation_code(Carrier.V29_9600, short_train=True) == 96


@pytest.mark.parametrize(
    ("identity", "row"),
    [
        ("U.S. Robotics 56K FAX EXT V4.11.2", "U.S. Robotics"),
        ("56000 / CX93001-EIS_V0.2002-V92 / CONEXANT", "Conexant and Rockwell"),
        ("LT V.92 1.0 MT5634ZBA-USB / Lucent", "Lucent and Agere"),
        ("Multi-Tech / MT9234", "MultiTech"),
        ("spandsp", "Software modem (spandsp)"),
        ("Acme 1", "A modem without known peculiarities"),
    ],
)
def test_each_identity_selects_its_row_of_quirks(identity: str, row: str) -> None:
    assert quirks_for(identity)[0] == row


def test_every_row_has_a_name_of_its_own_and_a_reason() -> None:
    assert len({row.name for row in TABLE}) == len(TABLE)
    assert all(row.reason for row in TABLE)
