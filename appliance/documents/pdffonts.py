"""Fonts that a PDF names without bringing them and whose letters nobody can know.

A composite font with the encoding Identity says which glyph of its own is meant (ISO 32000-1 9.7.5.2).
Without the font the number means nothing: pdfium takes that glyph of another font, some other letter.
"""

from __future__ import annotations

import ctypes
import re

from pypdfium2 import raw

from appliance.documents.pdfunits import texts_with

_COMPOSITE = re.compile(rb"/Subtype\s*/Type0\b")
_IDENTITY = re.compile(rb"/Encoding\s*/Identity-[HV]\b")
_NAME = re.compile(rb"/BaseFont\s*/([^\s/<>\[\]()]{1,120})")
_LONGEST_NAME = 200  # octets


def identity_fonts(content: bytes) -> frozenset[str]:
    """Names of the composite fonts of a document whose codes are glyphs of their own."""
    names = set()
    for text in texts_with(content, b"Type0"):
        for match in _COMPOSITE.finditer(text):
            start, end = text.rfind(b"<<", 0, match.start()), text.find(b">>", match.end())
            dictionary = text[max(0, start) : end if end >= 0 else len(text)]
            name = _NAME.search(dictionary)
            if name is not None and _IDENTITY.search(dictionary):
                names.add(name[1].decode("latin-1"))
    return frozenset(names)


# Every PDF program has these or their likes (ISO 32000-1 9.6.2.2): nothing is to be said about them.
_EVERYWHERE = re.compile(
    r"(helvetica|times|courier|arial|symbol|zapfdingbats|liberation|nimbus)", re.IGNORECASE
)


# A font of which a part is embedded has such a name (ISO 32000-1 9.6.4).
_PART = re.compile(rb"[A-Z]{6}\+")


def may_lack_fonts(content: bytes) -> bool:
    """Whether a font of the document may be none of those and not embedded: most documents embed parts."""
    return any(
        not _PART.match(name) and not _EVERYWHERE.match(name.decode("latin-1"))
        for text in texts_with(content, b"/BaseFont")
        for name in _NAME.findall(text)
    )


def replaced_font(handle: object) -> str:
    """The name of the font of a piece of type that the document does not bring, nothing when it does."""
    name = _missing(handle)
    return "" if _EVERYWHERE.match(name) else name


def lost_font(handle: object, names: frozenset[str]) -> str:
    """The name of the font of a piece of type when it is one of ``names`` and not embedded, else nothing."""
    name = _missing(handle)
    return name if name in names else ""


def _missing(handle: object) -> str:
    """The name of the font of a piece of type when it is not embedded, else nothing."""
    font = raw.FPDFTextObj_GetFont(handle)
    if not font or raw.FPDFFont_GetIsEmbedded(font) != 0:
        return ""
    buffer = ctypes.create_string_buffer(_LONGEST_NAME)
    if not 0 < raw.FPDFFont_GetBaseFontName(font, buffer, _LONGEST_NAME) <= _LONGEST_NAME:
        return ""
    return buffer.value.decode("utf-8", "replace")
