"""The places that CONTRIBUTING.md names exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
# A diff's file, and what stands below it up to the next file or the end of the block.
HUNKS = re.findall(r"^--- (\S+)\n(.*?)(?=^--- |^```)", PAGE, re.MULTILINE | re.DOTALL)


def test_every_file_named_is_there():
    named = set(re.findall(r"`((?:appliance|tests|docs|bench|image-build)/[^`]*)`", PAGE))
    named |= set(re.findall(r"\]\(([^)#:]+)\)", PAGE))
    assert len(named) > 8
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("docs/t30.md", "| FTT |"),
        ("docs/t30.md", "When does T4 end?"),
        ("appliance/t30/timers.py", "\nT4_S = "),
        ("docs/life-of-a-call.md", "When something dies"),
    ],
)
def test_a_question_s_answer_stands_where_it_is_looked_for(page, words):
    assert words in (ROOT / page).read_text()


@pytest.mark.parametrize(("file", "hunk"), HUNKS, ids=[file for file, _ in HUNKS])
def test_a_diff_shown_fits_the_file_as_it_is(file, hunk):
    """Its unchanged lines stand there one after the other, and the names that it defines are free."""
    text, at = (ROOT / file).read_text(), 0
    for line in hunk.splitlines():
        if not line.startswith("+"):
            at = text.find("\n" + line[1:] + "\n", at)
            assert at >= 0, f"{file} has no such line from there on: {line[1:]}"
    for name in re.findall(r"^\+(?: {4})?(\w+)(?:: \w+)? = ", hunk, re.MULTILINE):
        assert not re.search(rf"^(?: {{4}})?{name}\b.* = ", text, re.MULTILINE), f"{file} has {name}"


def test_both_diffs_are_looked_at():
    assert [file.rsplit("/", 1)[-1] for file, _ in HUNKS] == ["quirks.py", "model.py", "schema.py"]
