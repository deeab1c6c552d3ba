"""Every command in the docs is run here, run by a named test, or listed with a reason."""

from __future__ import annotations

import argparse
import ast
import importlib
import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from appliance.cli import _modules_for
from tests.api.test_docs import shell_on_box

PROJECT = Path(__file__).parents[2]
PAGES = sorted(
    str(page.relative_to(PROJECT))
    for page in (*PROJECT.glob("*.md"), *PROJECT.glob("docs/*.md"), *PROJECT.glob("systemd/*.md"))
)

_MOVING = "tests/api_ictfax/test_moving.py::test_every_command_of_the_page_runs_as_shown"
# Pages whose commands are all run by a test of their own.
FOLLOWED = {
    "docs/api.md": "tests/api/test_docs.py::test_every_transcript_is_true",
    "docs/api-ictfax.md": "tests/api_ictfax/test_docs.py::test_every_transcript_is_true",
    "docs/api-ifax.md": "tests/api_ifax/test_docs.py::test_every_transcript_is_true",
    "docs/clients.md": _MOVING,
    "docs/moving-from-ictfax.md": _MOVING,
    "docs/moving-from-ifax.md": _MOVING,
    "docs/moving-from-hylafax.md": _MOVING,
    "docs/moving-from-faxbot.md": _MOVING,
    "docs/deliveries.md": "tests/deliver/test_docs.py::test_the_commands_that_the_text_shows_are_taken",
}

# Run here, in this order, beside a box.  What is in braces stands for the page's example: the folder, an id.
RUN = {
    "faxbox serve --data /var/lib/faxbox --http 127.0.0.1:8080": "",  # the box that the others run beside
    "faxbox send letter.pdf photo.jpg --to 9990": "faxbox send letter.pdf photo.jpg --to 9990",
    "faxbox key add billing --data /var/lib/faxbox": "faxbox key add billing --data {data}",
    "faxbox practice receive --data /var/lib/faxbox": "faxbox practice receive --data {data}",
    "faxbox backup FOLDER --received --data /var/lib/faxbox": (
        "faxbox backup {folder} --received --data {data} --passphrase-file passphrase"
    ),
    "faxbox config get --data /var/lib/faxbox": "faxbox config get --data {data}",
    "faxbox list": "faxbox list",
    "faxbox show 12": "faxbox show {sent}",
    "faxbox inbox --unread": "faxbox inbox --unread",
    "faxbox cancel 12": "faxbox cancel {waiting}",
    "faxbox resend 12 --to 9990": "faxbox resend {sent} --to 9990",
    "faxbox hardware-test --list": "faxbox hardware-test --list",
    "faxbox config set scans.folder /srv/scans": "faxbox config set scans.folder {folder}",
    "faxbox certificate fax.example.org --data /var/lib/faxbox": (
        "faxbox certificate fax.example.org --data {data}"
    ),
}

_CHANGES = "changes the machine; image-build/packages has them"
# Not run here: the test that runs it, or why it is not run.
ELSEWHERE = {
    "faxbox tail": "tests/commands/test_faxes.py::test_tail_tells_what_happens_as_it_happens",
    "faxbox check modem": "tests/lines/modem/test_check.py::"
    "test_a_good_modem_on_a_good_line_sends_a_test_page",
    "faxbox check trunk NAME --to NUMBER --data /var/lib/faxbox": "tests/commands/test_check.py::"
    "test_the_check_says_in_words_what_the_trunk_offers",
    "faxbox check trunk provider --to 0305550100": "tests/commands/test_check.py::"
    "test_the_check_says_in_words_what_the_trunk_offers",
    "faxbox line add sip": "tests/commands/test_line.py::"
    "test_a_trunk_is_made_by_questions_and_a_wrong_answer_is_asked_again",
    "faxbox hardware-test --data /var/lib/faxbox": "tests/hardware/test_hardware.py::"
    "test_a_run_says_what_was_skipped_and_why_and_signs_it",
    "sudo -u faxbox faxbox hardware-test": "tests/hardware/test_hardware.py::"
    "test_a_run_says_what_was_skipped_and_why_and_signs_it",
    "sudo -u faxbox faxbox hardware-test --minutes 5 --person": "tests/hardware/test_hardware.py::"
    "test_the_test_of_a_working_panel_passes_for_each_lamp_and_button",
    "faxbox hardware-test --verify report.json": "tests/hardware/test_hardware.py::"
    "test_a_report_that_was_changed_is_found",
    "faxbox printing install": "tests/printing/test_cups.py::test_set_up_twice_is_set_up_once",
    "faxbox printing status": "tests/printing/test_cups.py::test_set_up_twice_is_set_up_once",
    "sudo apt install ./faxbox_*.deb": "tests/systemd/test_booted.py::"
    "test_the_box_answers_on_port_80_and_delivers_its_first_fax",
    "faxbox send x.pdf --to sip:fax@pbx.example": "the telephone system there is the reader's",
    "make demo": "tests/commands/test_send.py::test_faxbox_demo_sends_and_receives_over_the_practice_line",
    "make test": "it is what runs this test",
    "git clone https://…/faxbox && cd faxbox": "the address is the reader's",
    '.venv/bin/pytest -m "not realtime" -n 2': "runs other tests",
    ".venv/bin/pre-commit install": "changes the checkout's git",
    "apt install cups cups-filters python3-cups": _CHANGES,
    "apt install cups cups-filters libcups2-dev gcc python3-dev": _CHANGES,
    ".venv/bin/pip install 'faxbox[printing]'": "the set-up does it for the tests",
    "apt install --no-install-recommends libreoffice-writer-nogui libreoffice-calc-nogui "
    "libreoffice-impress-nogui": _CHANGES,
    "apt install --no-install-recommends ghostscript libgxps-utils djvulibre-bin": _CHANGES,
    "install -d -o faxbox -g faxbox -m 2770 /srv/scans": "needs the user that the Debian package makes",
    "useradd -r -g faxbox -s /usr/sbin/nologin scanner": "makes a user of the machine",
    "smbpasswd -a scanner": "needs Samba and asks for a password",
}

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(faxbox [^`]*)`")
# In a sentence: what stands for something, and what may be left out.
_VALUES = {"NUMBER": "9990", "ID": "1", "N": "1", "PORT": "/dev/ttyACM0", "…": "1"}


def commands(page: str) -> Iterator[str]:
    """The commands of a page's blocks, without their remarks."""
    for language, block in _BLOCK.findall((PROJECT / page).read_text(encoding="utf-8")):
        if language in ("sh", "bash"):
            lines = block.splitlines()
        elif language == "console":
            lines = [line[2:] for line in block.splitlines() if line.startswith("$ ")]
        else:
            assert not re.search(r"^(\$ |faxbox |apt |sudo )", block, re.MULTILINE), (
                f"{page}: a block without a name"
            )
            continue
        for line in lines:
            said = re.split(r"\s+#\s", line)[0]
            yield from (command.strip() for command in said.split("; ") if command.strip())


def test_every_command_of_every_page_is_run_or_named_with_a_reason() -> None:
    known = {*RUN, *ELSEWHERE}
    found = {command: page for page in PAGES if page not in FOLLOWED for command in commands(page)}
    assert {command: page for command, page in found.items() if command not in known} == {}
    assert known - set(found) == set(), "no page shows these any more"
    assert not set(RUN) & set(ELSEWHERE)


def test_the_tests_that_are_named_are_there() -> None:
    for named in (*FOLLOWED.values(), *ELSEWHERE.values()):
        if "::" not in named:
            continue
        file, _, name = named.partition("::")
        tree = ast.parse((PROJECT / file).read_text(encoding="utf-8"))
        assert name in {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}, named


@pytest.mark.realtime
def test_the_commands_run_beside_a_box_as_they_stand(tmp_path: Path) -> None:
    sheet = Image.new("L", (400, 600), 255)
    ImageDraw.Draw(sheet).rectangle((100, 100, 300, 200), fill=0)
    sheet.save(tmp_path / "letter.pdf")
    sheet.save(tmp_path / "photo.jpg")
    (tmp_path / "passphrase").write_text("correct horse battery staple\n", encoding="utf-8")
    (tmp_path / "backups").mkdir()
    with shell_on_box(tmp_path) as shell:
        shell.variables["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        shell.variables["FAXBOX_DATA"] = str(tmp_path / "data")
        shell.run(
            'LATER=$(curl -sS $BOX/api/v1/faxes -H "Authorization: Bearer $KEY" -F file=@letter.txt'
            " -F to=9990 -F send_at=2099-01-31T08:00:00Z | grep -o '\"id\": [0-9]*' | head -1)"
        )
        waiting = shell.variables["LATER"].split()[-1]
        stand_in = {
            "data": str(tmp_path / "data"),
            "folder": str(tmp_path / "backups"),
            "waiting": waiting,
            "sent": str(int(waiting) + 1),  # what `faxbox send` made
        }
        for command in RUN.values():
            if command:
                shell.run(command.format_map(stand_in))
    assert [file.suffix for file in (tmp_path / "backups").iterdir()] != []


@pytest.fixture(name="parser", scope="module")
def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="faxbox")
    parser.add_argument("--version", action="version", version="")
    words = parser.add_subparsers(required=True)
    for module in _modules_for(""):
        importlib.import_module(module).register(words)
    return parser


@pytest.mark.parametrize("page", PAGES)
def test_a_command_in_a_sentence_is_one_that_faxbox_takes(parser: argparse.ArgumentParser, page: str) -> None:
    for said in _INLINE.findall((PROJECT / page).read_text(encoding="utf-8")):
        plain = re.sub(r" [<>|] .*|\[[^\]]*\]+", "", said.replace("\n", " "))
        asked = [_VALUES.get(word, word.split("|")[0]) for word in shlex.split(plain)[1:]]
        assert _is_name(parser, asked) or _is_taken(parser, asked), f"{page}: {said}"


def _is_taken(parser: argparse.ArgumentParser, asked: list[str]) -> bool:
    try:
        parser.parse_args(asked)
    except SystemExit as ended:
        return ended.code == 0  # help, or the version
    return True


def _is_name(parser: argparse.ArgumentParser, asked: list[str]) -> bool:
    """Whether these words lead to a command and say no more, as where a sentence only names it."""
    for word in asked:
        below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        if not below or word not in below[0].choices:
            return False
        parser = below[0].choices[word]
    return True
