"""The table of what the box does when a line is wrong names tests that exist, and leaves out no line."""

from __future__ import annotations

import ast
import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
TABLE = (PROJECT / "docs" / "line-truth.md").read_text(encoding="utf-8")
ROWS = [line for line in TABLE.splitlines() if re.match(r"\| [A-E]\d*[ ,]", line)]
LINES = {"A": 4, "B": 6, "C": 12, "D": 8}


def test_each_named_test_exists() -> None:
    missing = []
    for row in ROWS:
        named = re.findall(r"`(tests/[^`]+)`", row)
        assert named, row
        for each in named:
            file, _, name = each.partition("::")
            tree = ast.parse((PROJECT / file).read_text(encoding="utf-8"))
            if name not in {found.name for found in ast.walk(tree) if isinstance(found, ast.FunctionDef)}:
                missing.append(each)
    assert missing == []


def test_no_line_is_left_out() -> None:
    begun = " ".join(row.split("|")[1] for row in ROWS)
    for letter, count in LINES.items():
        for number in range(1, count + 1):
            assert re.search(rf"\b{letter}{number}\b", begun), (letter, number)
