"""The command line loads only the given command's modules, and lists every command."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from appliance.cli import _WORDS, main

# What the panel, a process that lives as long as the box, never needs: 30 MB in all.
_NOT_FOR_THE_PANEL = (
    "appliance.box",
    "appliance.api.server",
    "appliance.configuration",
    "appliance.lines",
    "appliance.spool",
    "PIL",
    "asyncio",
    "phonenumbers",
)
# What the box's own process needs only for some requests, or never.
_NOT_FOR_THE_BOX = (
    "PIL",
    "pypdfium2",
    "weasyprint",
    "appliance.lines.sip.line",
    "appliance.t38.fax",
    "gpiozero",
    "babel",
    "jinja2",
    "jsonschema",
    "segno",
)


def test_output_that_nobody_reads_any_more_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        command = [sys.executable, "-m", "appliance.cli", "version"]
        done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_the_help_names_every_word(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert [word for word in _WORDS if word not in shown] == []


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["sned"], "there is no 'sned'; did you mean send?"),
        (["line", "lsit"], "there is no 'lsit'; did you mean list?"),
        (["send", "--quality", "fien", "--to", "9990", "x"], "there is no 'fien'; did you mean fine?"),
        (["xyzzy"], "(choose from"),
        (["list", "--limit", "many"], "'many': a whole number from 1 to 200 is needed"),
        (["show", "last"], "'last': a whole number of at least 1 is needed"),
        (["demo", "--speed", "nan"], "'nan': a number from 0.1 to 50 is needed"),
        (["key", "add", "shop", "--quota", "-5"], "'-5': a whole number of at least 0 is needed"),
    ],
)
def test_what_is_typed_wrongly_is_told_in_words(
    typed: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(typed)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("word", _WORDS)
def test_each_word_is_found_in_its_module(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([word, "--help"])
    assert ended.value.code == 0
    assert f"faxbox {word}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("loaded", "unwanted"),
    [
        (("appliance.cli", "appliance.commands.panel", "appliance.panel.board"), _NOT_FOR_THE_PANEL),
        (
            ("appliance.cli", "appliance.daemon.box_process", "appliance.api.server", "webui.door"),
            _NOT_FOR_THE_BOX,
        ),
    ],
    ids=["panel", "box"],
)
def test_processes_that_live_long_load_nothing_that_they_do_not_use(
    loaded: tuple[str, ...], unwanted: tuple[str, ...]
) -> None:
    look = f"import sys, {', '.join(loaded)}; print(*(set({unwanted!r}) & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert said.stdout.split() == []


def test_a_request_in_a_language_that_is_the_codes_own_loads_no_other() -> None:
    """As the box's own proof of life over HTTP is, every ten seconds."""
    look = "import sys; from appliance import language; print(language.choose('en'), 'babel' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["en", "False"]
