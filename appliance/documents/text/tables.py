"""Tables in text files (CSV, TSV), laid out in columns of monospaced type.  Pure."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from appliance.documents.options import Paper
from appliance.documents.text.direction import right_to_left
from appliance.documents.text.plain import COLUMNS, rows_of

_SEPARATORS = ";\t,|"
# How Excel's files name their separator.
_NAMED = re.compile(r"\ufeff?sep=(.)\n", re.IGNORECASE)
_NUMBER = re.compile(r"[-+(]?\s?[€$£]?\s?\d[\d.,'\u00a0 ]*\)?\s?(?:%|[€$£]|[A-Z]{3})?")
_NUMBERS = 0.8  # share of a column's cells from which it is one of numbers
# A table: rows with as many cells as most have, at least, and the most cells of a row.
_REGULAR, _MOST_CELLS = 0.8, 60
_MOST_LINES = 100  # of a cell; more are the rest of a file behind a quotation mark without an end
# Characters on a line: of a portrait sheet and a landscape one (9 pt), and of one with many columns (7 pt).
_PORTRAIT, _LANDSCAPE, _WIDEST = 100, 150, 190
_GAP = "  "
# Characters of the narrowest column, and of words that are not broken where there is room.
_LEAST_CELL, _LONG_WORD = 4, 14
_RULE = "─"


@dataclass(frozen=True, slots=True)
class LaidOut:
    """A table as text with a form feed between pages; each line has at most ``columns`` characters."""

    text: str
    columns: int
    landscape: bool


def lay_out_table(text: str, paper: Paper) -> LaidOut | None:
    """The table that ``text`` is; None when it is none, or too wide to be read as one."""
    rows = rows_in(text)
    if not rows or any(right_to_left(cell) for row in rows for cell in row):
        return None
    cells = list(zip_longest(*rows, fillvalue=""))
    natural = [max(_width(line) for cell in column for line in cell.split("\n")) for column in cells]
    words = [
        min(_LONG_WORD, max((_width(word) for cell in column for word in cell.split()), default=1))
        for column in cells
    ]
    gaps = len(_GAP) * (len(cells) - 1)
    if sum(natural) + gaps <= _PORTRAIT:
        most, landscape = _PORTRAIT, False
    else:
        most, landscape = (_LANDSCAPE if sum(words) + gaps <= _LANDSCAPE else _WIDEST), True
    widths = _narrowed(natural, [max(_LEAST_CELL, word) for word in words], most - gaps)
    if widths is None:
        return None
    columns = max(COLUMNS, sum(widths) + gaps)
    is_number = [_is_of_numbers(column[1:]) for column in cells]
    blocks = [list(_lines(row, widths, is_number)) for row in zip_longest(*cells)]
    pages = _pages(
        blocks, sum(widths) + gaps, rows_of(paper, columns, landscape=landscape), _has_heading(rows)
    )
    return LaidOut("\f".join(pages), columns, landscape)


def rows_in(text: str) -> list[list[str]]:
    """The rows of a table; none when ``text`` is no table."""
    named = _NAMED.match(text)
    if named:
        text = text[named.end() :]
    candidates = named[1] if named else _SEPARATORS
    return next((rows for separator in candidates if (rows := _parsed(text, separator))), [])


def _parsed(text: str, separator: str) -> list[list[str]]:
    """The rows between whose cells ``separator`` stands; none when most differ in length."""
    try:
        read = csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=separator)
        rows = [[_plain(cell) for cell in row] for row in read]
    except csv.Error:
        return []
    filled = [row for row in rows if any(row)]
    if len(filled) < 2 or any(cell.count("\n") > _MOST_LINES for row in filled for cell in row):
        return []
    most = Counter(map(len, filled)).most_common(1)[0]
    if most[0] < 2 or most[1] < _REGULAR * len(filled) or max(map(len, filled)) > _MOST_CELLS:
        return []
    return filled


def _plain(cell: str) -> str:
    return "\n".join(" ".join(line.split()) for line in cell.strip().splitlines())


def _width(text: str) -> int:
    return sum(
        2 if unicodedata.east_asian_width(letter) in "WF" else not unicodedata.combining(letter)
        for letter in text
    )


def _narrowed(widths: Sequence[int], least: Sequence[int], most: int) -> list[int] | None:
    """``widths`` with the largest ones made smaller until all fit; None when they do not."""
    made = [min(max(1, width), most) for width in widths]
    low = [min(width, floor) for width, floor in zip(made, least, strict=True)]
    excess = sum(made) - most
    while excess > 0:
        spare = [(width, number) for number, width in enumerate(made) if width > low[number]]
        if not spare:
            return None
        made[max(spare)[1]] -= 1
        excess -= 1
    return made


def _is_of_numbers(column: Sequence[str]) -> bool:
    filled = [cell for cell in column if cell]
    return bool(filled) and sum(_NUMBER.fullmatch(cell) is not None for cell in filled) >= _NUMBERS * len(
        filled
    )


def _has_heading(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: words only, and none twice."""
    first = [cell for cell in rows[0] if cell]
    is_words = not any(_NUMBER.fullmatch(cell) for cell in first)
    return len(rows[0]) > 1 and is_words and len(set(first)) == len(first) >= len(rows[0]) - 1


def _lines(row: Sequence[str], widths: Sequence[int], is_number: Sequence[bool]) -> Iterator[str]:
    """A row as lines: a long cell is continued below itself."""
    wrapped = [list(_wrapped(cell, width)) for cell, width in zip(row, widths, strict=True)]
    for pieces in zip_longest(*wrapped, fillvalue=""):
        padded = (
            " " * (width - _width(piece)) + piece if right else piece + " " * (width - _width(piece))
            for piece, width, right in zip(pieces, widths, is_number, strict=True)
        )
        yield _GAP.join(padded).rstrip()


def _wrapped(cell: str, width: int) -> Iterator[str]:
    for line in cell.split("\n"):
        piece = ""
        for word in line.split(" "):
            rest = word
            if piece and _width(piece) + 1 + _width(rest) <= width:
                piece += " " + rest
                continue
            if piece:
                yield piece
            while (end := _fitting(rest, width)) < len(rest):
                yield rest[:end]
                rest = rest[end:]
            piece = rest
        yield piece


def _fitting(text: str, width: int) -> int:
    """How many of the first characters of ``text`` fit; at least one."""
    filled = 0
    for at, letter in enumerate(text):
        filled += _width(letter)
        if filled > width:
            return max(1, at)
    return len(text)


def _pages(blocks: Sequence[list[str]], width: int, room: int, heading: bool) -> Iterator[str]:
    """The pages of at most ``room`` lines, the heading on each."""
    top = [*blocks[0], _RULE * width] if heading else []
    if len(top) > room // 2:
        top = []
    page = list(top)
    for block in blocks[bool(top) :]:
        if len(page) > len(top) and len(page) + len(block) > room:
            yield "\n".join(page)
            page = list(top)
        page += block
    yield "\n".join(page)
