"""The sentences of the hardware tests, for translation.

The suite runs in a process of its own and prints English sentences.  This module finds the entry of the table
that a sentence matches, and the values in its placeholders.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from appliance.language import said

# The name of each part of the suite; other parts are named after their files.
PARTS = {
    "box": "The box",
    "lines": "Lines",
    "modem": "Modems",
    "panel": "Front panel",
    "printer": "Printers",
    "storage": "Disk",
    "temperature": "Temperature",
    "load": "Load",
    "watchdog": "Watchdog",
    "power_cut": "Power cut",
}
# Sentences of ``hardware-tests/`` with values in them, whose names are in braces.
SENTENCES = (
    "Is the lamp “{lamp}” lit now?",
    "Is the lamp “{lamp}” dark now?",
    "Press the button “{button}” once.",
    "The page that {caller} sent did not come in on {called}.",
    "Faxes that have not ended: {count}.",
    "The panel's pins cannot be used: {error}.",
    "The lamp “{lamp}” is not lit when it must be.",
    "The lamp “{lamp}” is not dark when it must be.",
    "The button “{button}” is down though nobody presses it.",
    "A press of the button “{button}” is not felt.",
    "“{other}” was felt instead of “{button}”: pins are mixed up.",
    "CUPS does not answer: {error}",
    "CUPS has no printer {queue}.",
    "The page did not come out: {error}.",
    "CUPS takes no page for the printer: {error}.",
    "The box's folder cannot be written to: {error}.",
    "The disk is too slow: a durable write takes {ms} ms.",
    "The disk is too slow: {speed} MB/s.",
    "After the power cut {there} records are there, {confirmed} were confirmed.",
    "Record {number} is damaged after the power cut.",
    "{text} is no number.",
)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Of each sentence what fits it."""
    found = []
    for sentence in SENTENCES:
        pieces = re.split(r"\{(\w+)\}", sentence)
        fits = "".join(
            f"(?P<{piece}>.+)" if number % 2 else re.escape(piece) for number, piece in enumerate(pieces)
        )
        found.append((sentence, re.compile(fits, re.DOTALL)))
    return tuple(found)


def name_of(part: str) -> str:
    """The name of a part of the suite in the reader's language."""
    return said(PARTS.get(part, part))


def parted(told: str) -> tuple[str, Mapping[str, str]]:
    """The sentence of the table that ``told`` matches, and the values of its placeholders.

    Returns an unknown sentence unchanged, without values.
    """
    for sentence, fits in _patterns():
        match = fits.fullmatch(told)
        if match is not None:
            return sentence, match.groupdict()
    return told, {}


def spoken(told: str) -> str:
    """A sentence of the suite in the reader's language."""
    sentence, values = parted(told)
    return said(sentence).format(**values) if values else said(sentence)
