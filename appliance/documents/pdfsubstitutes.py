"""The fonts that stand in for those a PDF names and does not bring: the box's own, from Debian.

pdfium has faces of its own for the standard fonts, with the letters of western Europe only, and asks for
all others what the machine has.  Here it is told: Liberation (Latin, Greek, Cyrillic, Hebrew) for western
names in their style, WenQuanYi for those of China, Japan and Korea.
"""

from __future__ import annotations

import ctypes
import re
from functools import cache
from typing import Any

import pypdfium2

_CHARACTERS = ctypes.POINTER(ctypes.c_char)
_CJK = "WenQuanYi Micro Hei"

# Windows' numbers of charsets, as pdfium uses them: symbols; Japanese, Korean, Chinese of both kinds.
_SYMBOL_CHARSET = 2
_CJK_CHARSETS = frozenset({128, 129, 134, 136})
# What is known of a font whose name says nothing (FXFONT_FF in pdfium's sources).
_FIXED_PITCH, _ROMAN = 0x01, 0x10
_BOLD_FROM = 600

# Fonts of signs, each in an order of its own; the box has none of Windows'.
SIGNS_OF_WINDOWS = re.compile(r"wingding|webding", re.IGNORECASE)
_SIGNS = re.compile(r"wingding|webding|dingbats|symbol", re.IGNORECASE)

_NAMES = (
    (
        re.compile(
            r"simsun|simhei|simkai|simfang|mingliu|ms-?(p|ui)?(gothic|mincho)|meiryo|yu ?gothic|yu ?mincho"
            r"|heisei|kozuka|hiragino|batang|gulim|dotum|malgun|gungsuh|^st(song|hei|kaiti|fangsong)|^hy|kaiti|fangsong"
            r"|microsoft ?(yahei|jhenghei)|dengxian|pingfang|source ?han|cjk|nanum|[^\x00-\x7f]",
            re.IGNORECASE,
        ),
        _CJK,
    ),
    (re.compile(r"courier|mono|consol|typewriter|ocr", re.IGNORECASE), "Liberation Mono"),
    (re.compile(r"calibri|carlito", re.IGNORECASE), "Carlito"),
    (re.compile(r"cambria|caladea", re.IGNORECASE), "Caladea"),
    (re.compile(r"arial ?narrow", re.IGNORECASE), "Liberation Sans Narrow"),
    (re.compile(r"arial|helvetica|sans|verdana|tahoma|gothic|grotes", re.IGNORECASE), "Liberation Sans"),
    (
        re.compile(
            r"times|serif|roman|garamond|georgia|palatino|book|century|minion|song|ming", re.IGNORECASE
        ),
        "Liberation Serif",
    ),
)


class _Substitutes(pypdfium2.PdfSysfontBase):  # type: ignore[misc]
    """What pdfium asks (fpdf_sysfontinfo.h)."""

    def MapFont(  # noqa: N802, PLR0917 - pdfium's
        self, _: Any, weight: int, italic: int, charset: int, pitch: int, face: Any, exact: Any
    ) -> Any:
        name = (ctypes.cast(face, ctypes.c_char_p).value or b"").decode("utf-8", "replace")
        for candidate in (name, *faces(name, weight, bool(italic), charset, pitch)):
            if found := self._face(candidate):
                return found
        return self.default.MapFont(self.default, weight, italic, charset, pitch, face, exact)

    def _face(self, name: str) -> Any:
        octets = ctypes.c_char_p(name.encode())
        return self.default.GetFont(self.default, ctypes.cast(octets, _CHARACTERS)) if name else None


def faces(name: str, weight: int, italic: bool, charset: int, pitch: int) -> list[str]:
    """The faces to look for in place of the font ``name``, the best first."""
    if charset in _CJK_CHARSETS:
        return [_CJK]
    if _SIGNS.search(name) or (charset == _SYMBOL_CHARSET and not any(p.search(name) for p, _ in _NAMES)):
        return []
    by_pitch = (
        "Liberation Mono"
        if pitch & _FIXED_PITCH
        else "Liberation Serif"
        if pitch & _ROMAN
        else "Liberation Sans"
    )
    family = next((family for pattern, family in _NAMES if pattern.search(name)), by_pitch)
    style = f"{' Bold' if weight >= _BOLD_FROM else ''}{' Italic' if italic else ''}"
    return [f"{family}{style}", family]


@cache
def use_own_fonts() -> None:
    """From now on pdfium takes these fonts; once for the process."""
    _Substitutes().setup()
