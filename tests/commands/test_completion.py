"""What a real bash completes after ``faxbox completion bash``."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.cli import main

PACKAGED = Path(__file__).parents[2] / "image-build" / "deb" / "faxbox.completion"
HANG_S = 120


@pytest.fixture(name="script", scope="module")
def _script() -> str:
    command = [sys.executable, "-m", "appliance.cli", "completion", "bash"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=HANG_S).stdout


def completed(script: str, *words: str) -> set[str]:
    """What bash offers for the last of ``words``."""
    asked = " ".join(shlex.quote(word) for word in words)
    ask = f'COMP_WORDS=({asked}); COMP_CWORD={len(words) - 1}; _faxbox; printf "%s\\n" "${{COMPREPLY[@]}}"'
    ran = subprocess.run(
        ["bash", "--norc", "-euc", f"{script}\n{ask}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=HANG_S,
    )
    return set(ran.stdout.split())


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("ser",), {"serve"}),
        (("line", ""), {"add", "list"}),
        (("line", "add", ""), {"sip", "modem"}),
        (("line", "add", "sip", "--pass"), {"--password-file"}),
        (("send", "letter.pdf", "--quality", ""), {"standard", "fine", "superfine"}),
        (("send", "--to", "list", "--cov"), {"--cover"}),
        (("config", "set", "mail_out.passw"), {"mail_out.password"}),
        (("key", "add", "shop", "--scope", "ad"), {"admin"}),
        (("send", "$(exit 1)", "--quality", "f"), {"fine"}),
        # Nothing offered: the shell completes the names of files.
        (("send", "lett"), set()),
        (("send", "--trace", "x"), set()),
    ],
)
def test_bash_completes_words_options_values_and_settings(
    script: str, words: tuple[str, ...], offered: set[str]
) -> None:
    assert completed(script, "faxbox", *words) == offered


def test_every_word_of_the_help_is_completed(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out.partition("WORD\n")[2]
    words = {line.split()[0] for line in said.splitlines() if line.startswith("    ") and line[4:5] != " "}
    assert len(words) > 20
    assert completed(script, "faxbox", "") == words


def test_the_packages_file_registers_the_command_in_bash(tmp_path: Path) -> None:
    faxbox = tmp_path / "faxbox"
    faxbox.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m appliance.cli "$@"\n')
    faxbox.chmod(0o755)
    ask = f"PATH={shlex.quote(str(tmp_path))}:$PATH; . {shlex.quote(str(PACKAGED))}; complete -p faxbox"
    ran = subprocess.run(
        ["bash", "--norc", "-euc", ask], capture_output=True, text=True, check=True, timeout=HANG_S
    )
    assert ran.stdout.split() == ["complete", "-o", "default", "-F", "_faxbox", "faxbox"]
