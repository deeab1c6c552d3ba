"""The example in docs/drive-modem-from-outside.md does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[3] / "docs" / "drive-modem-from-outside.md"


def test_the_example_prints_what_the_document_says(capsys: pytest.CaptureFixture[str]) -> None:
    text = DOCUMENT.read_text()
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    promise = re.search(r"It prints `(.*?)`", text)
    assert code is not None
    assert promise is not None
    exec(code.group(1), {})
    assert capsys.readouterr().out.strip() == promise.group(1)
