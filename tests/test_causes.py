"""The table of causes: complete sentences, documentation that is up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.causes import Cause, all_causes, as_markdown, cause_of

DOCUMENT = Path(__file__).parent.parent / "docs" / "causes.md"


@pytest.mark.parametrize("cause", all_causes(), ids=lambda cause: cause.code)
def test_each_row_speaks_in_whole_sentences(cause: Cause) -> None:
    for words in (cause.sentence, cause.advice):
        assert words[0].isupper()
        assert words.endswith(".")
        assert "  " not in words


def test_a_code_leads_to_its_row() -> None:
    assert all(cause_of(cause.code) is cause for cause in all_causes())


def test_the_documentation_shows_the_table_as_it_is() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == as_markdown(), (
        "run: python -m appliance.causes > docs/causes.md"
    )
