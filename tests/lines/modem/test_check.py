"""``faxbox check modem``: a good modem, a dead line, ports that are no modems."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.lines.modem import check
from tests.softmodem.served import served
from tests.softmodem.stations import FaxMachine

pytestmark = pytest.mark.realtime


def checked(*arguments: str) -> tuple[int, str]:
    lines: list[str] = []
    code = check.run(arguments, lines.append)
    return code, "\n".join(lines)


def test_a_good_modem_on_a_good_line_sends_a_test_page(tmp_path: Path) -> None:
    port, received = tmp_path / "faxmodem0", tmp_path / "received.tif"
    with served() as exchange:
        exchange.plug_in(port, "1")
        machine = FaxMachine(receive=received)
        exchange.connect("2", machine)
        code, said = checked(str(port), "--call", "2")
        exchange.do(machine.close)
    assert code == 0, said
    assert "V.27ter up to 4800 bit/s, V.29 up to 9600 bit/s, V.17 up to 14400 bit/s" in said
    assert "Dial tone: heard." in said
    assert "The receiving machine" in said or "was delivered" in said
    assert "At 14400 bit/s, with error correction." in said
    assert machine.words == "OK"


def test_a_line_without_dial_tone_is_told(tmp_path: Path) -> None:
    port = tmp_path / "faxmodem0"
    with served() as exchange:
        exchange.plug_in(port, "1")
        exchange.exchange.dead.add("1")
        code, said = checked(str(port))
        blind_code, blind_said = checked(str(port), "--blind")
    assert code == 1
    assert "Dial tone: none." in said
    assert "--blind" in said
    assert blind_code == 0, blind_said


def test_check_modem_says_that_a_missing_port_is_not_plugged_in() -> None:
    code, said = checked("/dev/faxmodem-that-is-not-there")
    assert code == 1
    assert "is not plugged in" in said


def test_check_modem_says_that_nothing_answers_on_a_silent_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.lines.modem.identify.QUERY_S", 0.2)
    master, slave = os.openpty()
    try:
        code, said = checked(os.ttyname(slave))
    finally:
        os.close(master)
        os.close(slave)
    assert code == 1
    assert "Nothing on this port answers to AT." in said


def test_check_modem_says_that_no_modem_is_plugged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.lines.modem.check.candidates", lambda _: [])
    code, said = checked()
    assert code == 1
    assert "No fax modem is plugged in." in said


def test_check_modem_ends_with_2_for_wrong_arguments() -> None:
    assert checked("--nonsense")[0] == 2
    assert checked("--prefix", "ATZ;")[0] == 2
