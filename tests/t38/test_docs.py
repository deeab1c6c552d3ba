"""The example in docs/drive-from-outside.md does what it says."""

from __future__ import annotations

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "drive-from-outside.md"


def test_the_example_runs_and_prints_what_the_text_says(capsys):
    text = DOCUMENT.read_text()
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (promised,) = re.findall(r"It prints `(.*?)`", text)
    assert len(program.splitlines()) < 45
    names: dict[str, object] = {}
    exec(compile(program, str(DOCUMENT), "exec"), names)
    assert capsys.readouterr().out.strip() == promised
    assert names["store"].rasters() == [names["page"]]
