"""Imports follow the table of rooms in docs/architecture.md: a room imports what its row names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
HOUSE = PROJECT / "appliance"
EVERYTHING = "everything above"
ALL_READERS = "all of these"
# Rooms whose every way to the faxes is a service of the box, and what they must not reach past it.
DOORS = ("deliver", "api", "printing", "webui")
_ROW = re.compile(r"\| `(?:appliance/(?=\w)|(?=webui/))(\w+)(?:/|\.py)` \|[^|]*\|([^|]*)\|")
# The one room outside of ``appliance``.
PAGES = "webui"


_READER_ROW = re.compile(r"\| `appliance/documents/(\w+)/` \|[^|]*\|([^|]*)\|")
_ARCHITECTURE = (PROJECT / "docs/architecture.md").read_text()
_ROWS = _ROW.findall(_ARCHITECTURE)


def _plan() -> dict[str, set[str]]:
    """Each room of the table with the rooms that it may import."""
    plan: dict[str, set[str]] = {}
    for room, names in _ROWS:
        allowed = re.findall(r"\w+", re.sub(r"\([^)]*\)", "", names))
        plan[room] = set(plan) if names.strip() == EVERYTHING else set(allowed)
    return plan


def _parts() -> dict[tuple[str, str], set[str]]:
    """(room, room that it may import in part) → the modules of that part."""
    return {
        (room, other): set(re.findall(r"\w+", modules))
        for room, names in _ROWS
        for other, modules in re.findall(r"(\w+) \(([^)]*)\)", names)
    }


def _readers() -> dict[str, set[str]]:
    """Each package of readers with the others that it may import, which stand above it."""
    readers: dict[str, set[str]] = {}
    for package, names in _READER_ROW.findall(_ARCHITECTURE):
        allowed = set(readers) if names.strip() == ALL_READERS else set(re.findall(r"\w+", names))
        assert allowed <= set(readers), package
        readers[package] = allowed
    return readers


PLAN = _plan()
PARTS = _parts()


def _imports(file: Path) -> Iterator[str]:
    """The rooms that a file imports, at its top or anywhere in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "appliance":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("appliance."):
            yield (node.module or "").split(".")[1]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == PAGES:
            yield PAGES
        elif isinstance(node, ast.Import):
            yield from (each.name.split(".")[1] for each in node.names if each.name.startswith("appliance."))


def test_every_room_has_a_row() -> None:
    rooms = {each.stem for each in HOUSE.iterdir() if each.suffix == ".py" or (each / "__init__.py").exists()}
    assert set(PLAN) == (rooms | {PAGES}) - {"__init__"}


def test_a_row_names_only_rooms_above_it() -> None:
    above: set[str] = set()
    for room, allowed in PLAN.items():
        assert allowed <= above, room
        above.add(room)


def _files(room: str) -> list[Path]:
    place = PROJECT / PAGES if room == PAGES else HOUSE / room
    return sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]


def _modules(file: Path, room: str) -> Iterator[str]:
    """The modules of ``room`` that a file imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == f"appliance.{room}":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"appliance.{room}."):
            yield (node.module or "").split(".")[2]


@pytest.mark.parametrize(("room", "other"), PARTS)
def test_a_room_imports_only_the_named_part_of_another(room: str, other: str) -> None:
    for file in _files(room):
        strange = set(_modules(file, other)) - PARTS[room, other]
        assert not strange, f"{file.relative_to(PROJECT)} imports {strange} of {other}"


@pytest.mark.parametrize("room", DOORS)
def test_a_door_does_not_reach_past_the_services(room: str) -> None:
    for file in _files(room):
        for node in ast.walk(ast.parse(file.read_text())):
            past = isinstance(node, ast.Attribute) and node.attr in ("spool", "_spool")
            assert not past, f"{file.relative_to(PROJECT)}:{getattr(node, 'lineno', 0)} reaches the spool"


@pytest.mark.parametrize("room", PLAN)
def test_a_room_imports_what_its_row_names(room: str) -> None:
    for file in _files(room):
        strange = set(_imports(file)) - PLAN[room] - {room, "__version__"}
        assert not strange, f"{file.relative_to(PROJECT)} imports {strange}"


def test_every_package_of_readers_has_a_row() -> None:
    assert set(_readers()) == {each.parent.name for each in HOUSE.glob("documents/*/__init__.py")}


@pytest.mark.parametrize(("package", "allowed"), _readers().items())
def test_readers_import_what_their_row_names(package: str, allowed: set[str]) -> None:
    for file in (HOUSE / "documents" / package).rglob("*.py"):
        strange = set(_modules(file, "documents")) & set(_readers()) - allowed - {package}
        assert not strange, f"{file.relative_to(PROJECT)} imports {strange}"


def _of(module: str) -> str:
    """The module that holds this name of an import, empty when it is none of ours."""
    while module and module not in MODULES:
        module = module.rpartition(".")[0]
    return module


MODULES = {
    ".".join(file.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__"): file
    for place in (HOUSE, PROJECT / PAGES)
    for file in place.rglob("*.py")
}


def test_modules_do_not_import_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for name, file in MODULES.items():
        nodes = list(ast.walk(ast.parse(file.read_text())))
        whole = {_of(each.name) for node in nodes if isinstance(node, ast.Import) for each in node.names}
        named = {
            _of(f"{node.module}.{each.name}")
            for node in nodes
            if isinstance(node, ast.ImportFrom)
            for each in node.names
        }
        graph[name] = (whole | named) - {name, ""}
    tuple(TopologicalSorter(graph).static_order())  # CycleError names a circle


# The beginning of a function that other files may call, and what in C is neither code nor a name in use.
_FUNCTION = re.compile(r"^(?!static|typedef)(?:[A-Za-z_]\w*[ *]+)+(\w+)\([^;{}]*\)\s*\{", re.MULTILINE)
_NO_CODE = re.compile(r'/\*.*?\*/|"[^"\n]*"', re.DOTALL)


def test_files_of_c_do_not_call_each_other_in_a_circle() -> None:
    code = {file: _NO_CODE.sub("", file.read_text()) for file in HOUSE.rglob("*.c")}
    home = {name: file for file, text in code.items() for name in _FUNCTION.findall(text)}
    assert len(home) > 50
    graph = {
        file: {home[name] for name in set(re.findall(r"\w+", text)) & set(home)} - {file}
        for file, text in code.items()
    }
    tuple(TopologicalSorter(graph).static_order())  # CycleError names a circle


def test_a_class_name_stands_for_one_thing() -> None:
    places: dict[str, list[str]] = {}
    for module, file in MODULES.items():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(module)
    assert not {name: modules for name, modules in places.items() if len(modules) > 1}
