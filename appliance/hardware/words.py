"""What the hardware tests say, so that it can be said in other languages.

The suite runs in a process of its own and tells plain sentences.  Whoever shows them finds here which
sentence of the table one is, and what stands at its places.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from appliance.language import said

# What each part of the suite is called; what is not here is called as its file.
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
    "{count} faxes have not ended.",
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
    """What a part of the suite is called, in the present reader's language."""
    return said(PARTS.get(part, part))


def parted(told: str) -> tuple[str, Mapping[str, str]]:
    """The sentence of the table that ``told`` is, and what stands at its places.

    What the table does not have comes back as it is, without places.
    """
    for sentence, fits in _patterns():
        match = fits.fullmatch(told)
        if match is not None:
            return sentence, match.groupdict()
    return told, {}


def spoken(told: str) -> str:
    """What the suite told, in the present reader's language."""
    sentence, values = parted(told)
    return said(sentence).format(**values) if values else said(sentence)
