"""The meaning of T.30 frames in the reader's language.

The trace of a call has it in English, in parts separated by commas (``appliance/t30/trace.py``); T.30's own
names, and unknown parts, stay as they are.
"""

from __future__ import annotations

import re

from appliance.language import said as _


def _words() -> dict[str, str]:
    return {
        "standard": _("standard quality"),
        "fine": _("fine quality"),
        "superfine": _("very fine quality"),
        "r300": "300 dpi",
        "r400": "400 dpi",
        "r16_15": "408 × 391 dpi",
        "receives": _("can receive"),
        "ready to transmit": _("has pages to fetch"),
        "64 octet frames preferred": _("wants short frames"),
        "half at 7.7": _("half of it at fine quality"),
        "half at 15.4": _("half of it at very fine quality"),
        "length unlimited": _("any length"),
        "(not shown)": _("(not shown)"),
    }


def _patterns() -> tuple[tuple[str, str], ...]:
    """Patterns of parts with values in them, and their words."""
    return (
        ("width (.+)", _("width {what}")),
        ("length (.+)", _("length {what}")),
        ("page ([0-9]+)", _("page {what}, counted from 0")),
        ("block ([0-9]+)", _("block {what}")),
        ("1 frames", _("1 frame")),
        ("1 frames again", _("1 frame again")),
        ("([0-9]+) frames", _("{what} frames")),
        ("([0-9]+) frames again", _("{what} frames again")),
    )


def in_words(meaning: str) -> str:
    """``meaning`` in the reader's language."""
    words, patterns = _words(), _patterns()
    return ", ".join(_part(part, words, patterns) for part in meaning.split(", "))


def _part(part: str, words: dict[str, str], patterns: tuple[tuple[str, str], ...]) -> str:
    if part in words:
        return words[part]
    for pattern, sentence in patterns:
        if found := re.fullmatch(pattern, part):
            return sentence.format(what=found[found.lastindex or 0])
    return part
