"""Finds fonts that a PDF does not embed and whose letters cannot be known.

In a composite font with the encoding Identity a code selects a glyph of that font (ISO 32000-1 9.7.5.2).
Without the font the code means nothing, unless the document says which letters are meant (ToUnicode) or the
font's order is known: pdfium draws that glyph of another font, that is, some other letter.
"""

from __future__ import annotations

import ctypes
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pypdfium2
from pypdfium2 import raw

from appliance.documents.pdf.objects import Objects
from appliance.documents.pdf.substitutes import SIGNS_OF_WINDOWS, family_with, key_of, letters_in
from appliance.documents.pdf.units import Texts

_COMPOSITE = re.compile(rb"/Subtype\s*/Type0\b")
_IDENTITY = re.compile(rb"/Encoding\s*/Identity-[HV]\b")
_NAME = re.compile(rb"/BaseFont\s*/([^\s/<>\[\]()]{1,120})")
_LONGEST_NAME = 200  # octets


def identity_fonts(texts: Texts) -> frozenset[str]:
    """Names of the document's composite fonts whose codes select glyphs of the font itself."""
    names = set()
    for text in texts.having(b"/Type0"):
        for match in _COMPOSITE.finditer(text):
            start, end = text.rfind(b"<<", 0, match.start()), text.find(b">>", match.end())
            dictionary = text[max(0, start) : end if end >= 0 else len(text)]
            name = _NAME.search(dictionary)
            if name is not None and _IDENTITY.search(dictionary):
                names.add(name[1].decode("latin-1"))
    return frozenset(names)


# Every PDF program has these or similar fonts (ISO 32000-1 9.6.2.2), so they need no remark.
_EVERYWHERE = re.compile(
    r"(helvetica|times|courier|arial|symbol|zapfdingbats|liberation|nimbus)", re.IGNORECASE
)


# The name of a font of which a subset is embedded (ISO 32000-1 9.6.4).
_PART = re.compile(rb"[A-Z]{6}\+")


# An encoding that names letters one by one (ISO 32000-1 9.6.6.1), and each name in it.
_DIFFERENCES = re.compile(rb"/Differences\s*\[([^\]]{0,20000})\]")
_LETTER_NAME = re.compile(rb"/([^\s/\[\]<>()]{1,100})")
# Names in common use besides those of the standard encodings.
_ALSO_COMMON = {".notdef", "Euro", "sfthyphen"}


def may_lack_fonts(texts: Texts) -> bool:
    """Whether the document may use a font that is neither embedded nor standard, or lacks letters.

    A quick check: most documents embed subsets.
    """
    if any(map(_names_rare_letters, texts.having(b"/Differences"))):
        return True
    return any(
        not _PART.match(name) and not _EVERYWHERE.match(name.decode("latin-1"))
        for text in texts.having(b"/BaseFont")
        for name in _NAME.findall(text)
    )


def _names_rare_letters(text: bytes) -> bool:
    """Whether an encoding names letters that common fonts lack, or by names that are not standard."""
    named = set(_LETTER_NAME.findall(b" ".join(_DIFFERENCES.findall(text))))
    return not named <= _common_names()


@cache
def _common_names() -> frozenset[bytes]:
    """The standard names of western Europe's letters and signs (annex D)."""
    from fontTools.encodings import MacRoman, StandardEncoding  # noqa: PLC0415 (for few documents)

    names = {*StandardEncoding.StandardEncoding, *MacRoman.MacRoman, *_ALSO_COMMON}
    return frozenset(name.encode() for name in names)


@dataclass(frozen=True, slots=True)
class Unlike:
    """How a page differs from the original: names of fonts that are replaced, with all letters (``replaced``)
    or without some (``lost``).  ``better``: families of the box that have more of the letters, by the keys of
    the fonts' names.
    """

    replaced: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    better: Mapping[str, str] = field(default_factory=dict)


# Fonts of Windows whose first glyphs have the order of Apple's standard one (TrueType reference manual,
# 'post' format 1), as Liberation's have: from the space on, ASCII's letters in ASCII's order.
_KNOWN_ORDER = re.compile(
    r"^(arial|times ?new ?roman|courier ?new|verdana|tahoma|georgia|trebuchet|comic ?sans|liberation)",
    re.IGNORECASE,
)
_FIRST_GLYPH, _LAST_GLYPH = 3, 97
_NO_GLYPH = 0  # pdfium omits it
MOST_LETTERS = 100_000  # of one page
_LARGEST_FONT = 64 << 20  # octets


def stand_in(page: pypdfium2.PdfPage, objects: Objects, identity: frozenset[str]) -> Unlike:
    """Finds the fonts on ``page``, which has these ``objects``, that are not embedded, and blanks out unknown
    glyphs of ``identity`` fonts, which would be drawn as other letters.
    """
    if not any(map(_missing, _fonts_of(objects))):
        return Unlike()  # need not examine each letter
    text = page.get_textpage()
    replaced, lost = set(), set()
    letters: dict[str, set[int]] = {}  # by font
    lacking: set[str] = set()
    unknown: dict[int, _Unknown] = {}
    fonts: dict[int, str] = {}  # of each piece of type
    for index in range(min(text.count_chars(), MOST_LETTERS)):
        handle = raw.FPDFText_GetTextObject(text, index)
        if not handle or raw.FPDFText_IsGenerated(text, index) == 1:
            continue
        address = ctypes.addressof(handle.contents)
        if address not in fonts:
            fonts[address] = _missing(raw.FPDFTextObj_GetFont(handle))
        name = fonts[address]
        if not name:
            continue
        code = raw.FPDFText_GetUnicode(text, index)
        if raw.FPDFText_HasUnicodeMapError(text, index) == 1:
            if name in identity:
                unknown.setdefault(address, _Unknown(handle, name)).codes.append(code)
            elif code > ord(" "):
                lost.add(name)  # its name is known to its own font only
        elif SIGNS_OF_WINDOWS.search(name):
            lost.add(name)
        else:
            letters.setdefault(name, set()).add(code)
            if _lacks(raw.FPDFTextObj_GetFont(handle), code):
                lacking.add(name)
        if not _EVERYWHERE.match(name):
            replaced.add(name)
    text.close()
    for piece in unknown.values():
        if piece.make_gaps():
            lost.add(piece.name)
    better = {key_of(name): family for name in lacking if (family := family_with(letters[name]))}
    return Unlike(frozenset(replaced - lost - lacking), frozenset(lost | lacking), better)


@dataclass(frozen=True, slots=True)
class _Unknown:
    """A text object whose codes select glyphs of a font that is missing."""

    handle: Any
    name: str
    codes: list[int] = field(default_factory=list)

    def make_gaps(self) -> bool:
        """Blanks out unknown glyphs; returns whether there were any."""
        ordered = bool(_KNOWN_ORDER.match(self.name))
        drawn = [
            code if ordered and _FIRST_GLYPH <= code <= _LAST_GLYPH else _NO_GLYPH for code in self.codes
        ]
        if drawn == self.codes:
            return False
        raw.FPDFText_SetCharcodes(self.handle, (ctypes.c_uint32 * len(drawn))(*drawn), len(drawn))
        return True


def _lacks(font: Any, letter: int) -> bool:
    """Whether the font that replaces the document's lacks this letter, or its letters are not known."""
    if letter <= ord(" ") or unicodedata.category(chr(letter)) in _UNSEEN:
        return False
    letters = _letters_of(font)
    return letters is not None and letter not in letters


_UNSEEN = frozenset({"Cc", "Cf", "Mn", "Zs", "Co", "Cn", "Cs"})
_known: dict[tuple[str, int], frozenset[int] | None] = {}  # by name and size in octets


def _letters_of(font: Any) -> frozenset[int] | None:
    """The characters of a font of the box; None for one of pdfium's own, which are Type 1."""
    octets = ctypes.c_size_t()
    raw.FPDFFont_GetFontData(font, None, 0, octets)
    key = _text(raw.FPDFFont_GetFamilyName, font), octets.value
    if key not in _known:
        _known[key] = _read_letters(font, octets.value)
    return _known[key]


def _read_letters(font: Any, octets: int) -> frozenset[int] | None:
    if not 0 < octets <= _LARGEST_FONT:
        return None
    buffer, size = (ctypes.c_uint8 * octets)(), ctypes.c_size_t()
    raw.FPDFFont_GetFontData(font, buffer, octets, size)
    return letters_in(bytes(buffer))


def _fonts_of(objects: Objects) -> Iterator[Any]:
    """The fonts of a page's text, each once."""
    seen = set()
    for handle, kind, _, _ in objects:
        if kind == raw.FPDF_PAGEOBJ_TEXT:
            font = raw.FPDFTextObj_GetFont(handle)
            if font and ctypes.addressof(font.contents) not in seen:
                seen.add(ctypes.addressof(font.contents))
                yield font


def _missing(font: Any) -> str:
    """The name of a font that is not embedded, else empty."""
    if not font or raw.FPDFFont_GetIsEmbedded(font) != 0:
        return ""
    return _text(raw.FPDFFont_GetBaseFontName, font)


def _text(get: Callable[[Any, Any, int], int], font: Any) -> str:
    buffer = ctypes.create_string_buffer(_LONGEST_NAME)
    if not 0 < get(font, buffer, _LONGEST_NAME) <= _LONGEST_NAME:
        return ""
    return buffer.value.decode("utf-8", "replace")
