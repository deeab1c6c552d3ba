"""The docs agree with the program."""

from __future__ import annotations

import re
from dataclasses import fields
from enum import Enum
from pathlib import Path

import pytest

from appliance.lines.modem.quirks import TABLE, Quirks

DOCUMENT = Path(__file__).parents[3] / "docs" / "drive-modem-from-outside.md"


def test_the_example_prints_what_the_document_says(capsys: pytest.CaptureFixture[str]) -> None:
    text = DOCUMENT.read_text()
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    promise = re.search(r"It prints `(.*?)`", text)
    assert code is not None
    assert promise is not None
    exec(code.group(1), {})
    assert capsys.readouterr().out.strip() == promise.group(1)


MODEMS = Path(__file__).parents[3] / "docs" / "modems.md"


def quirks_table() -> str:
    """The table of docs/modems.md as the program has it."""
    plain = Quirks()
    lines = ["| modem | differs in | why |", "|---|---|---|"]
    for row in TABLE:
        changed = [
            f"`{f.name}` {_shown(getattr(row.quirks, f.name))}"
            for f in fields(Quirks)
            if getattr(row.quirks, f.name) != getattr(plain, f.name)
        ]
        lines.append(f"| {row.name} | {', '.join(changed)} | {row.reason} |")
    return "\n".join(lines)


def _shown(value: object) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, frozenset):
        return "up to " + max(value, key=lambda c: c.bit_rate).name
    if isinstance(value, tuple):
        return " ".join(f"`{word}`" for word in value)
    return str(value)


def test_the_table_of_modems_is_the_programs() -> None:
    found = re.search(r"<!-- quirks -->\n(.*?)\n?<!-- /quirks -->", MODEMS.read_text(), re.DOTALL)
    assert found is not None
    assert found.group(1) == quirks_table()
