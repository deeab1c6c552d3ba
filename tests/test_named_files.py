"""Files that documents name and modules that packages list exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("appliance", "bench", "docs", "hardware-tests", "image-build", "systemd", "tests", "udev", "webui")
FILES = [
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.*", *(f"{folder}/**/*.*" for folder in FOLDERS))
    for path in ROOT.glob(pattern)
    if path.suffix in (".c", ".md", ".py", ".sh") and "node_modules" not in path.parts
]
DOCUMENTS = [
    name for name in FILES if re.fullmatch(r"(?:docs/[^/]+|[^/]+)\.md", name) and name != "CHANGELOG.md"
]
PACKAGES = [name for name in FILES if re.fullmatch(r"(?:appliance|webui)/(?:.+/)?__init__\.py", name)]
# A name in capitals stands for any.
_NAMED = re.compile(r"`([\w./-]+\.(?:py|c|sh))`")
_LISTED = re.compile(r"((?:``\w+``(?:, )?)+)\s{2,}\S")


def _is_there(name: str) -> bool:
    return "NAME" in name or any(file == name or file.endswith(f"/{name}") for file in FILES)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_document_names_files_that_are_there(document: str) -> None:
    gone = [name for name in _NAMED.findall((ROOT / document).read_text()) if not _is_there(name)]
    assert gone == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_lists_modules_that_it_has(package: str) -> None:
    folder = (ROOT / package).parent
    lines = (ast.get_docstring(ast.parse((ROOT / package).read_text())) or "").splitlines()
    listed = [
        name
        for line in lines
        if (found := _LISTED.match(line))
        for name in re.findall(r"``(\w+)``", found[1])
    ]
    there = {each.stem for each in folder.iterdir() if each.is_dir() or each.suffix in {".py", ".pyi", ".c"}}
    gone = [name for name in listed if name not in there]
    assert gone == []
