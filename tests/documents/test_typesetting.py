"""The internals of WeasyPrint that typesetting overrides are used as it expects."""

from __future__ import annotations

from typing import Any

import pytest
from weasyprint.layout import preferred
from weasyprint.pdf import fonts as pdf_fonts

from appliance.documents.options import Paper
from appliance.documents.typeset import library
from appliance.documents.typeset.typesetting import typeset


def test_weasyprint_names_arrays_of_glyphs_by_their_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """cffi keeps what it has parsed of such a name forever, and each takes it 2.4 ms."""
    ours, names, parsed = pdf_fonts.ffi, [], []

    class Counting:
        def __getattr__(self, name: str) -> Any:
            return getattr(ours, name)

        def new(self, name: str, *content: Any) -> Any:
            names.append(name)
            return ours.new(name, *content)

    class Parsing:
        def __getattr__(self, name: str) -> Any:
            return getattr(cffi, name)

        def new(self, name: str, *content: Any) -> Any:
            parsed.append(name)
            return cffi.new(name, *content)

    cffi = ours._ffi
    monkeypatch.setattr(ours, "_ffi", Parsing())
    monkeypatch.setattr(pdf_fonts, "ffi", Counting())
    typeset("<p>Seven letters", Paper.A4, most_pages=1)
    assert [name for name in names if name.startswith("hb_codepoint_t[") and name != "hb_codepoint_t[]"]
    assert {name for name in parsed if name.startswith("hb_codepoint_t")} == {"hb_codepoint_t[]"}


WORDS = (
    "The quick brown fox, hyphens, 3,400.00\u00a0€, Straße – naïve ﬃ e\u0301\u0302, "
    "السلام عليكم, ภาษาไทย, 中文測試. "
)
TABLE = f"<table><tr><td>{WORDS * 4}<td style='overflow-wrap:normal'>{WORDS * 4}<td>{WORDS * 4}"


def test_the_least_width_of_a_cell_is_found_without_all_of_its_text_for_each_letter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[int] = []

    def counting(text: str, *more: Any, **named: Any) -> Any:
        seen.append(len(text))
        return whole(text, *more, **named)

    whole = library._split_first_line
    monkeypatch.setattr(library, "_split_first_line", counting)
    ours = typeset(TABLE, Paper.A4, most_pages=9)
    assert len(seen) > 500, "WeasyPrint does not ask for it here any more"
    assert sum(seen) < 60 * len(seen)
    monkeypatch.setattr(preferred, "split_first_line", whole)
    assert ours.pdf == typeset(TABLE, Paper.A4, most_pages=9).pdf
