"""Digits that are dialled after the answer: an extension, a choice in a voice menu.

The normalised form of a number with such digits is ``NUMBER,,,DIGITS``: each comma is a pause of ``PAUSE_S``,
as a modem dials it (V.250 6.3.1.2).  There may be several groups of pauses and digits.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# V.250 6.3.10 (register S8): the pause of a comma unless the modem was told otherwise, seconds.
PAUSE_S = 2.0
# The most pauses of one number, 40 s together.
MOST_PAUSES = 20
# The most digits after a number: a card number with its PIN has fewer.
MOST_DIGITS = 24
# Pauses for a word such as "extension", and for ``w``.
_WORD_PAUSES = 2

# What may follow a number in running text, for the doors' patterns: ``,,42``, `` ext. 42``, ``p42``.
BEHIND = r"(?: ?(?:[,pw]{1,20}|;?(?:ext(?:ension|n)?|x)[.:= ]{0,2})[0-9*#]{1,24}){0,4}"
# Separators of numbers in a list: a semicolon (not that of ``;ext=``); in lists with commas a single one,
# since several are pauses.
_SEMICOLON = r";(?! ?(?:ext(?:ension|n)?|x)[.:= ])"
_BETWEEN = re.compile(rf"\n|(?<!,),(?!,)|{_SEMICOLON}", re.IGNORECASE)
_BETWEEN_WITHOUT_COMMAS = re.compile(_SEMICOLON, re.IGNORECASE)

_STEP = re.compile(r"(,+)([0-9*#]+)")
_CANONICAL = re.compile(r"([^,]*)((?:,+[0-9*#]+)*)")
# What people write between a number and the digits after it, without blanks and full stops.
_WRITTEN = re.compile(
    r"(?P<number>\+?[0-9*#]+)(?P<rest>(?:(?:[,;pw]+|;?(?:extension|extn|ext|x)[:=]?)[0-9*#]+)*)",
    re.IGNORECASE,
)
_WRITTEN_STEP = re.compile(r"([^0-9*#]+)([0-9*#]+)")


@dataclass(frozen=True, slots=True)
class DialOn:
    """One group: ``digits`` after ``pause_s`` seconds of silence."""

    pause_s: float
    digits: str


def split(number: str) -> tuple[str, tuple[DialOn, ...]]:
    """Splits a normalised number into the part for the network and the digits to dial after the answer."""
    found = _CANONICAL.fullmatch(number)
    if found is None:
        return number, ()
    steps = (DialOn(len(pause) * PAUSE_S, digits) for pause, digits in _STEP.findall(found[2]))
    return found[1], tuple(steps)


def numbers_apart(written: str, *, commas: bool = True) -> list[str]:
    """The numbers of a list as somebody wrote it, each with its digits to dial after the answer.

    ``commas``: a single comma or a line break ends a number; else only a semicolon does.
    """
    between = _BETWEEN if commas else _BETWEEN_WITHOUT_COMMAS
    return [each for part in between.split(written) if (each := part.strip())]


def read(compact: str) -> tuple[str, str] | None:
    """Splits a written number without blanks into the number and the digits after it (``,,42``).

    ``,`` and ``p`` are a pause; ``w``, ``;``, ``x`` and ``ext`` two.  None for a text that is not a number,
    or has more pauses and digits than permitted.
    """
    found = _WRITTEN.fullmatch(compact)
    if found is None:
        return None
    pauses = digits = 0
    behind: list[str] = []
    for mark, group in _WRITTEN_STEP.findall(found["rest"]):
        count = _pauses(mark.lower())
        pauses, digits = pauses + count, digits + len(group)
        behind.append("," * count + group)
    if pauses > MOST_PAUSES or digits > MOST_DIGITS:
        return None
    return found["number"], "".join(behind)


def _pauses(mark: str) -> int:
    if "x" in mark:
        return _WORD_PAUSES
    return sum(1 if each in ",p" else _WORD_PAUSES for each in mark)
