"""``faxbox line``: a line by options and by questions, with and without a running box."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance.cli import main
from appliance.commands.running_box import BoxUnreachableError
from appliance.configuration import open_settings
from appliance.lines.modem.settings import ClassOneModem
from appliance.lines.settings import LineSettings
from appliance.lines.sip.settings import SipTrunk
from tests.commands.test_beside_a_box import CALL_S, NUMBER, Registrar, box_on, registrar

__all__ = ["registrar"]  # a fixture


def faxbox(*words: object, answers: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "appliance.cli", *map(str, words)]
    return subprocess.run(command, input=answers, capture_output=True, text=True, timeout=CALL_S, check=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "box"
    folder.mkdir()
    return folder


def lines(data: Path) -> list[LineSettings]:
    return list(open_settings(data).items(LineSettings).values())


def test_a_trunk_is_made_by_options_alone(data: Path, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("s3cret\nmore", encoding="utf-8")
    words = ["line", "add", "sip", "provider", "--server", "sip.provider.example", "--username", "acct"]
    words += ["--password-file", str(password), "--country-code", "49", "--area-code", "30"]
    words += ["--caller-number", "+4930123450", "--set", "calls_at_once=4", "--data", str(data)]
    done = faxbox(*words)
    assert done.returncode == 0, done.stderr
    assert "check trunk provider" in done.stdout
    (line,) = lines(data)
    assert isinstance(line, SipTrunk)
    assert (line.name, line.server, line.username, line.password) == (
        "provider",
        "sip.provider.example",
        "acct",
        "s3cret",
    )
    assert (line.country_code, line.caller_number, line.calls_at_once) == ("49", "+4930123450", 4)
    again = faxbox(*words)
    assert (again.returncode, "a line of this name" in again.stderr) == (64, True)
    listed = faxbox("line", "list", "--json", "--data", data)
    assert [each["name"] for each in json.loads(listed.stdout)] == ["provider"]


def test_without_a_terminal_what_is_missing_is_said_with_the_options_that_say_it(data: Path) -> None:
    nothing = faxbox("line", "add", "sip", "--data", data)
    assert (nothing.returncode, lines(data)) == (64, [])
    for word in ("terminal", "--server", "--username", "--password-file", "--country-code", "--ask"):
        assert word in nothing.stderr
    bare = faxbox("line", "add", "sip", "--server", "sip.provider.example", "--data", data)
    assert bare.returncode == 0, bare.stderr
    assert "Without --username the box does not sign in" in bare.stdout
    assert "Without --country-code" in bare.stdout


def test_a_trunk_is_made_by_questions_and_a_wrong_answer_is_asked_again(data: Path) -> None:
    given = ["1", "", "no host!", "sip.provider.example", "acct", "secret", "+49", "49", "30", "", ""]
    done = faxbox("line", "add", "sip", "--ask", "--data", data, answers="\n".join(given) + "\n")
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = lines(data)
    assert isinstance(line, SipTrunk)
    assert (line.name, line.server, line.password, line.country_code, line.register) == (
        "trunk",
        "sip.provider.example",
        "secret",
        "49",
        True,
    )


def test_a_trunk_without_an_account_asks_for_the_addresses_that_call(data: Path) -> None:
    given = ["peer", "office", "sip.provider.example", "203.0.113.0/28, 198.51.100.7", "49", "", "", ""]
    done = faxbox("line", "add", "sip", "--ask", "--data", data, answers="\n".join(given) + "\n")
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = lines(data)
    assert isinstance(line, SipTrunk)
    assert (line.register, line.peers) == (False, ("203.0.113.0/28", "198.51.100.7"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("sip", "x"), "the server is needed"),
        (("sip", "x", "--server", "a b"), "server"),
        (("sip", "x", "--server", "a.example", "--set", "colour=red"), "colour"),
        (("sip", "x", "--server", "a.example", "--password-file", "/nowhere"), "/nowhere"),
        (("sip", "--ask"), "the answers ended"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_made(data: Path, words: tuple[str, ...], said: str) -> None:
    done = faxbox("line", "add", *words, "--data", data)
    assert done.returncode != 0
    assert said in done.stderr
    assert lines(data) == []


def test_a_modem_that_is_not_there_is_a_line_all_the_same_and_said(data: Path, tmp_path: Path) -> None:
    port = tmp_path / "ttyNone"
    done = faxbox("line", "add", "modem", "desk", "--device", port, "--country-code", "49", "--data", data)
    assert (done.returncode, str(port) in done.stdout) == (1, True), done.stdout + done.stderr
    (line,) = lines(data)
    assert isinstance(line, ClassOneModem)
    assert (line.name, line.device) == ("desk", str(port))


@pytest.mark.realtime
def test_a_running_box_takes_the_line_signs_in_and_sends_the_test_page(
    tmp_path: Path, registrar: Registrar
) -> None:
    pytest.importorskip("pjsua2")
    data = tmp_path / "box"
    with box_on(data, registrar):
        words = ["line", "add", "sip", "second", "--server", f"127.0.0.1:{registrar.port}"]
        words += ["--username", "other", "--country-code", "49", "--data", str(data)]
        done = faxbox(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        assert any("other" in contact or "fax" in contact for contact, _ in registrar.registered)
        assert len(registrar.registered) >= 2
        listed = json.loads(faxbox("line", "list", "--json", "--data", data).stdout)
        assert {each["name"] for each in listed if each["usable"]} >= {"trunk", "second"}
        tried = faxbox(*words[:3], "third", *words[4:], "--to", NUMBER)
        assert tried.returncode == 1, "the registrar knows no number"
        assert len(registrar.called) == 1
    assert {line.name for line in lines(data)} == {"trunk", "second", "third"}


def test_a_box_that_goes_away_while_the_line_is_tried_is_said_in_a_sentence(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Going:
        def post(self, path: str, content: dict[str, Any]) -> Any:
            return {}

        def get(self, path: str) -> Any:
            raise BoxUnreachableError("the box does not answer")

    monkeypatch.setattr("appliance.commands.line.running_on", lambda _: Going())
    words = ["trunk", "--server", "sip.example", "--username", "a", "--country-code", "49", "--no-questions"]
    (data / "password").write_text("secret\n", encoding="utf-8")
    words += ["--password-file", str(data / "password"), "--data", str(data)]
    code = main(["line", "add", "sip", *words])
    assert code == 1
    assert "faxbox: the box does not answer" in capsys.readouterr().err
