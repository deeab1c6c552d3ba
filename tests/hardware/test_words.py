"""All messages of the hardware tests can be translated."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from appliance.hardware.words import parted
from webui import catalogue

_SUITE = Path(__file__).parents[2] / "hardware-tests"
# Calls whose texts a person reads.
_SPEAKING = {"skip", "importorskip", "BrokenError", "sees", "does", "reads", "parametrize"}


def _texts(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield ast.get_docstring(node) or f"{node.name} has no sentence"
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in _SPEAKING:
            continue
        given = [key.value for key in node.keywords if key.arg in ("none", "reason")]
        if name not in ("parametrize", "importorskip"):
            # Of a question only the words are a sentence; the thing is a name.
            given += node.args[:1] if name in ("sees", "does", "reads") else node.args
        for part in given:
            found = constants.get(part.id) if isinstance(part, ast.Name) else part
            if isinstance(found, ast.Constant):
                yield str(found.value)
            elif isinstance(found, ast.JoinedStr):
                yield _with_values(found)


def _with_values(text: ast.JoinedStr) -> str:
    """An f-string as it may come out; of a choice between two words its first."""
    words = ""
    for piece in text.values:
        if isinstance(piece, ast.Constant):
            words += str(piece.value)
        elif isinstance(piece, ast.FormattedValue):
            chosen = piece.value.body if isinstance(piece.value, ast.IfExp) else None
            words += str(chosen.value) if isinstance(chosen, ast.Constant) else "x"
    return words


def test_every_sentence_of_the_suite_is_in_the_catalogue() -> None:
    known = {message for message, _ in catalogue.sentences()}
    lacking = [
        f"{path.name}: {text}"
        for path in sorted(_SUITE.glob("test_*.py"))
        for text in _texts(path)
        if parted(text)[0] not in known
    ]
    # Made of what others said: a line's state, a cause of the table.
    made = (": x: x x", "of x faxes were not delivered: x")
    assert [each for each in lacking if not each.endswith(made)] == []


def test_a_sentence_with_names_comes_apart_into_its_place_in_the_table() -> None:
    sentence, values = parted("“retry” was felt instead of “cancel”: pins are mixed up.")
    assert sentence == "“{other}” was felt instead of “{button}”: pins are mixed up."
    assert values == {"other": "retry", "button": "cancel"}
    assert parted("something {else}") == ("something {else}", {})
