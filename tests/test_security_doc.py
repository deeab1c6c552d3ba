"""The tests that docs/security.md names exist and contain tests."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
TEXT = (PROJECT / "docs/security.md").read_text()
_PROMISES = TEXT.split("\n## What is promised\n")[1].split("\n## ")[0]
ROWS = re.findall(r"^\| (.+) \| ([^|]+) \|$", _PROMISES, re.MULTILINE)[1:]  # without the table's head
_NAMED = re.compile(r"`(tests/[\w/.]+?)(?:::(\w+))?`")


def _tests(path: Path) -> str:
    files = [path] if path.suffix == ".py" else sorted(path.rglob("test_*.py"))
    return "\n".join(file.read_text() for file in files if file.is_file())


@pytest.mark.parametrize(("promise", "held_by"), ROWS, ids=[promise[:40] for promise, _ in ROWS])
def test_each_promise_names_tests_that_there_are(promise: str, held_by: str) -> None:
    named = _NAMED.findall(held_by)
    assert named, f"nothing holds: {promise}"
    for path, function in named:
        found = re.findall(r"^(?:async )?def (test_\w+)", _tests(PROJECT / path), re.MULTILINE)
        assert found, f"{path} tests nothing"
        assert not function or function in found, f"{path} has no {function}"


def test_no_backquoted_test_stands_outside_the_promises_that_is_not_there() -> None:
    for path, function in _NAMED.findall(TEXT):
        assert (PROJECT / path).exists(), path
        assert not function or f"def {function}(" in _tests(PROJECT / path), function
