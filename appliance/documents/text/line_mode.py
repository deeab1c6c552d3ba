"""How printers of lines read a text: lines struck over each other, and carriage control (ASA).  Pure."""

from __future__ import annotations

import re
from itertools import zip_longest

# The first column of each line says what to do before it (ANSI X3.9-1978): a new page, one to three lines
# forward, none.
_BEFORE = {"1": "\n\f", " ": "\n", "0": "\n\n", "-": "\n\n\n", "+": "\r"}
_FIRST_PAGE = re.compile(r"1(?: {5,}\S|[^\W\d_])")
# A listing has so many lines, and this share of them follows the line before at once.
_LEAST_LINES, _SINGLE_SPACED = 5, 0.3


def struck_over(text: str) -> str:
    """``text`` without carriage returns within lines, where a printer would strike letters over each other.

    Underlines and bold type come out once.  Where two different letters would be at one place, each becomes a
    line of its own.
    """
    if "\r" not in text:
        return text
    *lines, rest = text.split("\n")
    # Within a line that a line feed ends; elsewhere a carriage return ends lines itself.
    return "\n".join([*(_together(line) if "\r" in line[:-1] else line for line in lines), rest])


def _together(line: str) -> str:
    parts = [part for part in line.rstrip("\r").split("\r") if part.strip()]
    columns = list(zip_longest(*(part.expandtabs() for part in parts), fillvalue=" "))
    seen = [{letter for letter in column if letter not in " _"} for column in columns]
    if any(len(letters) > 1 for letters in seen):
        return "\n".join(parts)
    return "".join(
        next(iter(letters), "_" if "_" in column else " ")
        for letters, column in zip(seen, columns, strict=True)
    )


def without_carriage_control(text: str) -> str:
    """``text`` with form feeds and blank lines in place of carriage control, if it has such."""
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    filled = [line for line in lines if line]
    if (
        len(filled) < _LEAST_LINES
        or not _FIRST_PAGE.match(filled[0])
        or any(line[0] not in _BEFORE for line in filled)
        or any(line[0] == "1" and not _FIRST_PAGE.match(line) for line in filled)
        or sum(line[0] == " " for line in filled) < _SINGLE_SPACED * len(filled)
    ):
        return text
    made = "".join(_BEFORE[(line or " ")[0]] + line[1:] for line in lines)
    return made.removeprefix("\n\f") + "\n"
