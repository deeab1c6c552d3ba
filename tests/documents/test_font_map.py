"""A process forked after the fonts were looked up has a font map of its own where Pango uses a thread."""

from __future__ import annotations

import os

import pytest

from appliance.documents.options import Paper
from appliance.documents.typeset import font_map
from appliance.documents.typeset.typesetting import typeset


def _typeset() -> bytes:
    return typeset("<p>Ag Ωя <b lang='ja'>日本語</b></p>", Paper.A4, most_pages=1).pdf


def test_a_process_forked_from_one_whose_map_has_a_thread_looks_fonts_up_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    of_another = font_map._MapThread(exists=True, process=os.getppid())
    monkeypatch.setattr(font_map, "_MAP_THREAD", of_another)
    inherited = font_map._FONTS.font_map
    monkeypatch.setattr(font_map._FONTS, "font_map", inherited)
    _typeset()
    assert font_map._FONTS.font_map is not inherited
    own = font_map._FONTS.font_map
    _typeset()
    assert font_map._FONTS.font_map is own


def test_a_process_keeps_the_map_that_it_has_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(font_map, "_MAP_THREAD", font_map._MapThread(exists=True, process=os.getpid()))
    made = font_map._FONTS.font_map
    _typeset()
    assert font_map._FONTS.font_map is made
