"""Names as people look for them: in any case, without marks, or with an umlaut written as two letters."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable

# German umlauts, and how they are written where they are missing.
UMLAUTS = {"ä": "ae", "ö": "oe", "ü": "ue"}
_TWO_LETTERS = str.maketrans(UMLAUTS)


def plain(text: str) -> str:
    """``text`` in small letters without marks, by which it is sorted: Özdemir as ozdemir, Groß as gross."""
    small = text.casefold()
    if small.isascii():
        return small
    return "".join(
        letter for letter in unicodedata.normalize("NFKD", small) if not unicodedata.combining(letter)
    )


def finder(words: Iterable[str]) -> Callable[[str], bool]:
    """Tells whether a text has each of ``words``: Müller has muller, MÜLLER and mueller."""
    asked = [_spellings(word) for word in words]

    def has_them(text: str) -> bool:
        spelled = _spellings(text)
        return all(any(word in where for word in spellings for where in spelled) for spellings in asked)

    return has_them


def _spellings(text: str) -> set[str]:
    small = text.casefold()
    if small.isascii():
        return {small}
    composed = unicodedata.normalize("NFC", small)
    return {plain(composed), plain(composed.translate(_TWO_LETTERS))}
