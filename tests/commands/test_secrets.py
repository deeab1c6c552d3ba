"""Secrets of the settings are read from standard input, never from the command line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from appliance.cli import main
from appliance.configuration import CATALOGUE, open_settings
from appliance.deliver.settings import MailOutSettings
from appliance.settings.fields import describe

SECRETS = [
    f"{name}.{field.name}"
    for name, kind in CATALOGUE.sections.items()
    for field in describe(kind)
    if field.secret
]


@pytest.mark.parametrize("path", SECRETS)
def test_a_secret_on_the_command_line_is_refused_and_not_kept(
    tmp_path: Path, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "set", path, "hunter2", "--data", str(tmp_path)]) == 64
    said = capsys.readouterr().err
    assert "standard input" in said
    assert "hunter2" not in said
    assert "hunter2" not in str(open_settings(tmp_path).export(secrets=True))


def test_a_password_is_read_from_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["config", "set", "mail_out.password", "--data", str(tmp_path)]
    monkeypatch.setattr("sys.stdin", io.StringIO("pass word\nmore\n"))
    assert main(command) == 0
    assert open_settings(tmp_path).section(MailOutSettings).password == "pass word"
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(command) == 64
    assert open_settings(tmp_path).section(MailOutSettings).password == "pass word"
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    assert main(command) == 0
    assert open_settings(tmp_path).section(MailOutSettings).password == ""


def test_another_setting_needs_its_value_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "set", "station.name", "--data", str(tmp_path)]) == 64
    assert "station.name: a value is needed" in capsys.readouterr().err


def test_the_password_of_a_new_line_is_no_argument_either(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["line", "add", "sip", "trunk", "--server", "sip.provider.example", "--set", "password=hunter2"]
    assert main([*line, "--data", str(tmp_path)]) == 64
    assert "--password-file" in capsys.readouterr().err
    assert "hunter2" not in str(open_settings(tmp_path).export(secrets=True))
