"""The table of flows in docs/web.md: its tests exist, are written once, and cover all four views."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.web.views import VIEWS, usual

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "docs/web.md"


def table() -> dict[str, list[str]]:
    """The tests of each flow, and those that go it by keyboard alone."""
    rows = re.findall(
        r"^\| ([^|]+?) \| `(\w+)` \| `(\w+)` \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE
    )
    return {flow: [test, by_keyboard] for flow, test, by_keyboard in rows}


def written() -> dict[str, set[str]]:
    """Every test of the pages, with its fixtures."""
    found = {}
    for path in HERE.glob("test_*.py"):
        for each in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(each, ast.FunctionDef) and each.name.startswith("test_"):
                found[each.name] = {argument.arg for argument in each.args.args}
    return found


def test_every_flow_has_a_test_for_every_screen_and_language_and_one_by_keyboard_alone() -> None:
    known = written()
    flows = table()
    assert len(flows) >= 14
    assert [name for names in flows.values() for name in names if name not in known] == []
    assert [names[0] for names in flows.values() if "view" not in known[names[0]]] == []


def test_by_default_the_flows_together_are_seen_in_all_four_views() -> None:
    flows = {name for names in table().values() for name in names}
    assert {usual(name) for name in flows if "view" in written()[name]} == set(VIEWS)
