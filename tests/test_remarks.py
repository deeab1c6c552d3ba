"""The table of remarks: complete sentences, documentation that is up to date, and the owner's rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.remarks import (
    MOST_REMARKS,
    PAGE_WHITE,
    PICTURES_LEFT_OUT,
    Remark,
    RemarkKind,
    Rule,
    all_kinds,
    as_markdown,
    from_json,
    kind_of,
    to_json,
    verdict,
)

DOCUMENT = Path(__file__).parent.parent / "docs" / "remarks.md"
LOST, NOTED = Remark(PAGE_WHITE, 2), Remark(PICTURES_LEFT_OUT)


@pytest.mark.parametrize("kind", all_kinds(), ids=lambda kind: kind.code)
def test_each_row_speaks_in_whole_sentences(kind: RemarkKind) -> None:
    for words in (kind.sentence, kind.advice):
        assert words[0].isupper()
        assert words.endswith(".")
        assert "  " not in words
    assert kind_of(kind.code) is kind


def test_the_documentation_shows_the_table_as_it_is() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == as_markdown(), (
        "run: python -m appliance.remarks > docs/remarks.md"
    )


def test_a_remark_survives_json_and_their_number_is_bounded() -> None:
    remark = Remark(PAGE_WHITE, 3, "letter.pdf", "all grey")
    assert from_json(to_json([remark])) == (remark,)
    assert len(to_json([remark] * 1000)) == MOST_REMARKS


@pytest.mark.parametrize(
    ("remarks", "lost", "noted", "rule"),
    [
        ((), Rule.REFUSE, Rule.REFUSE, Rule.SEND),
        ((NOTED,), Rule.HOLD, Rule.SEND, Rule.SEND),
        ((NOTED, LOST), Rule.HOLD, Rule.SEND, Rule.HOLD),
        ((NOTED, LOST), Rule.SEND, Rule.REFUSE, Rule.REFUSE),
        ((LOST,), Rule.SEND, Rule.REFUSE, Rule.SEND),
    ],
)
def test_the_strictest_rule_that_concerns_a_remark_decides(
    remarks: tuple[Remark, ...], lost: Rule, noted: Rule, rule: Rule
) -> None:
    assert verdict(remarks, lost=lost, noted=noted) is rule
