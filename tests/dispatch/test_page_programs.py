"""A page reader that is killed is run again, because routes depend on its words and codes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from appliance.dispatch import page_programs, route_reading, text_reading
from appliance.dispatch.text_reading import read_page


def program(folder: Path, kills: int, says: str) -> Path:
    """A program that is ended as often as the kernel ends it, and then says something."""
    path, tries = folder / "program", folder / "tries"
    path.write_text(
        f"#!/bin/sh\necho x >>{tries}\n[ $(wc -l <{tries}) -le {kills} ] && kill -9 $$\necho '{says}'\n"
    )
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("kills", "read"), [(0, True), (page_programs.TRIES - 1, True), (page_programs.TRIES, False)]
)
def test_words_and_codes_are_read_again_when_their_program_was_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kills: int, read: bool
) -> None:
    page = tmp_path / "page.tiff"
    assert read_page(page, [str(program(tmp_path, kills, "Invoice"))]) == ("Invoice" if read else "")
    (tmp_path / "tries").unlink()
    monkeypatch.setattr(sys, "executable", str(program(tmp_path, kills, '["4711"]')))
    assert route_reading._read_codes(page) == (["4711"] if read else [])


def test_what_takes_too_long_is_not_taken_for_ended_from_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (text_reading, route_reading):
        monkeypatch.setattr(module, "_CPU_S", 1)
    page, tries, endless = tmp_path / "page.tiff", tmp_path / "tries", tmp_path / "program"
    endless.write_text(f"#!/bin/sh\necho x >>{tries}\nwhile :; do :; done\n")
    endless.chmod(0o755)
    assert read_page(page, [str(endless)]) == ""
    monkeypatch.setattr(sys, "executable", str(endless))
    assert route_reading._read_codes(page) == []
    assert tries.read_text() == "x\nx\n"
