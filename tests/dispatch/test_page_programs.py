"""What reads a page and is ended from outside is run again: its words and codes decide where a fax goes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from appliance.dispatch import page_programs, route_reading
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
