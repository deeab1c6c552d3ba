"""Encodings that a text does not name but that its octets show: HZ, Thai, those of DOS and the Mac.  Pure."""

from __future__ import annotations

import re
from contextlib import suppress

# How HZ changes to Chinese letters and back (RFC 1843); all its octets are ASCII.
_HZ = re.compile(rb"~\{(?:[\x21-\x77][\x21-\x7e]){1,2000}~\}")
_LEAST_THAI = 4  # letters beyond ASCII
_THAI = re.compile("[\u0e01-\u0e3a\u0e3f-\u0e5b]")
_CONSONANT = re.compile("[\u0e01-\u0e2e]")
# What no Thai has: marks above or below that stand on nothing, vowels before no consonant, letters no longer
# used, and ends of words, digits or Latin letters within a word.
_NOT_THAI = re.compile(
    "(?:^|[^\u0e01-\u0e2e\u0e31\u0e34-\u0e3a\u0e47-\u0e4e])[\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]"
    "|[\u0e40-\u0e44](?![\u0e01-\u0e2e])|[\u0e03\u0e05\u0e4e\u0e4f\u0e5a\u0e5b]"
    "|[\u0e2fA-Za-z\u0e50-\u0e59](?=[\u0e01-\u0e4d])|[\u0e01-\u0e4d](?=[A-Za-z\u0e50-\u0e59])"
)
_MOST_THAI, _CONSONANTS = 0.95, 0.4  # shares of the letters beyond ASCII
# Letters beyond ASCII of Western Europe, the most frequent first, and the signs in its texts.
_FREQUENT, _RARER = "äöüÄÖÜßéèàç", "êëâîïôûùñáíóúåæøÅÆØÉÈÇÑãõœìòŒÁÀÂÊÓÚ"
_SIGNS = frozenset("§°«»–—‘’‚“”„•…©®™€£½¼²³·¿¡´\u00a0")
_WESTERN = {"mac_roman": "Mac Roman", "cp850": "DOS 850"}
_LEAST_SCORE = 0.75  # of the letters, see `_score`
# Capitals within a word of small letters, signs between letters and digits behind them, as a wrong encoding
# makes them.
_GARBLED = re.compile(
    r"[^\W\d_](?=[^\x00-\x7f])[A-ZÀ-ÖØ-ÞŒŠŽŸ](?=[a-zß-öø-ÿ])|[a-zß-öø-ÿ](?=[^\x00-\x7f])[A-ZÀ-ÖØ-ÞŒŠŽŸ]"
    r"|[ß-öø-ÿ][A-Z0-9]|[^\W\d_](?=[^\x00-\x7f])[^\w\s’‘–—…•·](?=[^\W\d_])"
)


def escaped_chinese(content: bytes) -> str:
    """The text of HZ; empty for any other."""
    if _HZ.search(content) and content.isascii():
        with suppress(ValueError):
            return content.decode("hz")
    return ""


def shown_by_letters(content: bytes) -> tuple[str, str]:
    """A text that is likely in one of these encodings, and its encoding; empty ones otherwise."""
    thai = _decoded(content, "cp874")
    if thai and _is_thai(thai):
        return thai, "Windows-874"
    scored = [(_score(text), text, name) for name in _WESTERN if (text := _decoded(content, name))]
    score, text, name = max(scored, default=(0.0, "", ""))
    return (text, _WESTERN[name]) if score >= _LEAST_SCORE else ("", "")


def is_garbled(text: str) -> bool:
    """Whether words of ``text`` look as a wrong encoding of Western Europe makes them."""
    return _GARBLED.search(text) is not None


def _decoded(content: bytes, name: str) -> str:
    with suppress(ValueError):
        return content.decode(name)
    return ""


def _is_thai(text: str) -> bool:
    beyond = [letter for letter in text if not letter.isascii()]
    if len(beyond) < _LEAST_THAI or _NOT_THAI.search(text):
        return False
    thai = "".join(beyond)
    return len(_THAI.findall(thai)) >= _MOST_THAI * len(beyond) and len(
        _CONSONANT.findall(thai)
    ) >= _CONSONANTS * len(beyond)


def _score(text: str) -> float:
    """How likely the letters beyond ASCII are those of words of Western Europe, from 0 to 1."""
    if is_garbled(text):
        return 0.0
    letters = [letter for letter in text if not letter.isascii() and letter not in _SIGNS]
    worth = sum(1.0 if letter in _FREQUENT else 0.5 * (letter in _RARER) for letter in letters)
    return worth / len(letters) if letters else 0.0
