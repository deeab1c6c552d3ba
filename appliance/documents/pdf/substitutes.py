"""Fonts that replace those a PDF names and does not embed: the box's own, from Debian.

pdfium has faces of its own for the standard fonts, with western Europe's letters only, and asks the system
for all others.  It gets Liberation (Latin, Greek, Cyrillic) for western names in their style,
WenQuanYi for those of China, Japan and Korea.  A document with letters that these lack can choose others
(`taking`).
"""

from __future__ import annotations

import ctypes
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from functools import cache
from types import MappingProxyType
from typing import Any

import pypdfium2

_CHARACTERS = ctypes.POINTER(ctypes.c_char)
_CJK = "WenQuanYi Micro Hei"

# Windows' charset numbers, as pdfium uses them: symbols; Japanese, Korean, Chinese of both kinds.
_SYMBOL_CHARSET = 2
_CJK_CHARSETS = frozenset({128, 129, 134, 136})
# Flags of a font whose name says nothing (FXFONT_FF in pdfium's sources).
_FIXED_PITCH, _ROMAN = 0x01, 0x10
_BOLD_FROM = 600

# Symbol fonts, whose letters have an order of their own; the box has none of Windows'.
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
    """pdfium's font callbacks (fpdf_sysfontinfo.h).  ``instead``: preferred faces by the keys of names."""

    instead: Mapping[str, str] = MappingProxyType({})

    def MapFont(  # noqa: N802, PLR0917 - pdfium's
        self, _: Any, weight: int, italic: int, charset: int, pitch: int, face: Any, exact: Any
    ) -> Any:
        name = (ctypes.cast(face, ctypes.c_char_p).value or b"").decode("utf-8", "replace")
        for candidate in self._candidates(name, weight, bool(italic), charset, pitch):
            if found := self._face(candidate):
                return found
        return self.default.MapFont(self.default, weight, italic, charset, pitch, face, exact)

    def _candidates(self, name: str, weight: int, italic: bool, charset: int, pitch: int) -> Iterator[str]:
        if family := self.instead.get(key_of(name)):
            yield from _styled(family, weight, italic)
        yield name
        yield from faces(name, weight, italic, charset, pitch)

    def _face(self, name: str) -> Any:
        octets = ctypes.c_char_p(name.encode())
        return self.default.GetFont(self.default, ctypes.cast(octets, _CHARACTERS)) if name else None

    def content(self, family: str) -> bytes:
        """The file of a family's upright face; empty when the box has none."""
        found = next(filter(None, map(self._face, _styled(family, 0, False))), None)
        if not found:
            return b""
        octets = self.default.GetFontData(self.default, found, 0, None, 0)
        buffer = (ctypes.c_ubyte * octets)()
        self.default.GetFontData(self.default, found, 0, buffer, octets)
        self.default.DeleteFont(self.default, found)
        return bytes(buffer)


def faces(name: str, weight: int, italic: bool, charset: int, pitch: int) -> list[str]:
    """The faces to try in place of the font ``name``, best first."""
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
    return _styled(family, weight, italic)


def _styled(family: str, weight: int, italic: bool) -> list[str]:
    style = f"{' Bold' if weight >= _BOLD_FROM else ''}{' Italic' if italic else ''}"
    return [f"{family}{style}", family, f"{family} Book"]  # DejaVu's upright face has this name


# pdfium asks for the standard fonts by these names, whatever the document calls them (ISO 32000-1 9.6.2.2).
_STANDARD = {"arial": "helvetica", "timesnewroman": "times", "couriernew": "courier"}
_PART_OF = re.compile(r"^[A-Z]{6}\+")


def key_of(name: str) -> str:
    """The part that a font's name in the document and in pdfium's question have in common: the name
    without style.
    """
    family = re.split(r"[-,]", _PART_OF.sub("", name).replace(" ", ""))[0]
    family = re.sub(r"(PS)?(MT)?$", "", family).lower()
    return _STANDARD.get(family, family)


@cache
def _own() -> _Substitutes:
    substitutes = _Substitutes()
    substitutes.setup()
    return substitutes


def use_own_fonts() -> None:
    """Makes pdfium use these fonts in this process from now on."""
    _own()


def family_with(letters: Set[int]) -> str:
    """The family of the box with the most of ``letters``; empty when none has any."""
    scripts = {unicodedata.name(chr(letter), "").partition(" ")[0].title() for letter in letters}
    named = ["DejaVu Sans", *(f"Noto Sans {script}" for script in sorted(scripts)), "Symbola", _CJK]
    best = max(named, key=lambda name: len(letters & _letters_of(name)))
    return best if letters & _letters_of(best) else ""


@cache
def _letters_of(name: str) -> frozenset[int]:
    return letters_in(_own().content(name)) or frozenset()


def letters_in(content: bytes) -> frozenset[int] | None:
    """The characters of a font file; None when it does not say."""
    from fontTools.ttLib import TTFont, TTLibError  # noqa: PLC0415 (slow, for few documents)

    try:
        with TTFont(io.BytesIO(content), fontNumber=0, lazy=True) as opened:
            return frozenset(opened.getBestCmap() or ())
    except (TTLibError, KeyError):
        return None


@contextmanager
def taking(instead: Mapping[str, str]) -> Iterator[None]:
    """Makes pages opened within the block use the families ``instead``, by the keys of fonts' names."""
    own = _own()
    own.instead = instead
    try:
        yield
    finally:
        own.instead = MappingProxyType({})
