"""The four paths through the box in docs/architecture.md agree with the code."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
_PAGE = (ROOT / "docs/architecture.md").read_text()
_CHAPTER = _PAGE.split("## Four paths through the box", 1)[1].split("\n## ", 1)[0]
WAYS = dict(re.findall(r"\*\*(.+?)\*\*\n((?:\n?\|.*)+)", _CHAPTER))


def _names(rows: str) -> list[str]:
    """What stands in code quotes in the first column, below the table's head."""
    cells = [line.split("|")[1] for line in rows.strip().splitlines()[2:]]
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


@cache
def _made() -> dict[str, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every class and function that a module of the product defines."""
    return {
        node.name: node
        for file in (ROOT / "appliance").rglob("*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    }


def _methods(name: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """What a class does, but for how it is made; of a function nothing."""
    node = _made().get(name)
    return [
        step
        for step in (node.body if isinstance(node, ast.ClassDef) else [])
        if isinstance(step, ast.FunctionDef | ast.AsyncFunctionDef) and step.name != "__init__"
    ]


def _stands(name: str) -> bool:
    if name.endswith(".py"):
        return any(file.match(name) for file in (ROOT / "appliance").rglob(name.rsplit("/", 1)[-1]))
    *before, last = name.split(".")
    if before and before[-1] in _made():
        return last in {method.name for method in _methods(before[-1])}
    return last in _made() or any((ROOT / "appliance").rglob(f"{last}.py"))


def test_there_are_four_ways():
    assert len(WAYS) == 4, list(WAYS)


@pytest.mark.parametrize("way", WAYS)
def test_each_object_on_a_way_is_one_of_the_code(way):
    names = _names(WAYS[way])
    assert names
    assert [name for name in names if not _stands(name)] == []


@pytest.mark.parametrize("way", WAYS)
def test_no_object_on_a_way_only_hands_on(way):
    """An object that hands on has methods of one kind alone: another's call, with what came as it came."""
    methods = {name: _methods(name.rsplit(".", 1)[-1]) for name in _names(WAYS[way])}
    assert [name for name, has in methods.items() if has and all(map(_is_one_call, has))] == []


def _is_one_call(method: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a method is nothing but another's call, with its own parameters as they came."""
    body = [
        step
        for step in method.body
        if not (isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant))  # its docstring
    ]
    if len(body) != 1 or not isinstance(body[0], ast.Expr | ast.Return):
        return False
    call = body[0].value
    call = call.value if isinstance(call, ast.Await) else call
    return isinstance(call, ast.Call) and all(isinstance(argument, ast.Name) for argument in call.args)
