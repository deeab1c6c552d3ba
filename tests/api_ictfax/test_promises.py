"""The table of promises names existing tests, and the state of each promise."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from appliance.api.ifax.codes import FaxCode

PROJECT = Path(__file__).parents[2]
TABLE = (PROJECT / "docs" / "promises.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| (?!promise|---)(.+) \| (.+) \|(?: `([^`|]+)`)? \|$", re.MULTILINE)


def test_each_named_test_exists() -> None:
    rows = _ROW.findall(TABLE)
    assert len(rows) > 60
    missing = []
    for promise, _, named in rows:
        if named:
            file, _, name = named.partition("::")
            tree = ast.parse((PROJECT / file).read_text(encoding="utf-8"))
            names = {each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)}
            if name not in names:
                missing.append((promise, named))
    assert missing == []


def test_a_kept_promise_has_a_test_and_a_broken_one_says_why() -> None:
    for promise, kept, named in _ROW.findall(TABLE):
        assert bool(named) is not kept.startswith("no"), promise


def test_every_row_of_the_table_is_read() -> None:
    rows = [line for line in TABLE.splitlines() if line.startswith("| ") and not line.startswith("| promise")]
    assert len(rows) == len(_ROW.findall(TABLE))


def test_the_codes_that_the_issue_lists_are_there() -> None:
    for code in (FaxCode.NO_BALANCE, FaxCode.EMPTY, FaxCode.TOO_LARGE, FaxCode.INVALID_FORMAT):
        assert str(int(code)) in TABLE
