"""Filters of lists of faxes: search words, marks of faxes (``word_tables``), and times converted to ids.

A search gives its newest matches first, by the index alone: the number of other faxes hardly matters.
"""

from __future__ import annotations

import itertools
import re
import sqlite3
from collections.abc import Sequence

from appliance.spelling import UMLAUTS

# The index has groups of three letters.  A word of two letters is searched with each of these after it; one
# letter is searched in this many of the newest faxes only, since nearly every fax has it.
PAIR = 2
_BEHIND_A_PAIR = "abcdefghijklmnopqrstuvwxyz0123456789 -.,/äöüßéèáàóçñ"
ONE_LETTER_REACH = 1000
# The most words of a search; further ones are ignored.
MOST_WORDS = 8
# Of a long number only the last digits are searched in the index; the matches are compared with all of it.
_END_OF_NUMBER = 5
# How German letters are written, too.  The index has a word as it was written, so all of these are searched.
_WRITTEN_TOO: dict[str, tuple[str, ...]] = {"ß": ("ß", "ss"), "ss": ("ss", "ß")}
for _umlaut, _two in UMLAUTS.items():
    _WRITTEN_TOO |= {_umlaut: (_umlaut, _two, _two[0]), _two: (_two, _umlaut), _two[0]: (_two[0], _umlaut)}
_LETTERS = re.compile("|".join(_WRITTEN_TOO))
_MOST_SPELLINGS = 32  # of a word; each is searched, and words have few of these letters
# Digits without + or 0 at their beginning may be anything.
_WRITTEN_NUMBER = re.compile(r"[(]?[+0][0-9 ()/.–-]+")
# Up to this many marks with the same beginning are searched in the index; with more, each fax is compared.
MOST_MARKS = 100

# Ids are in the order of time except where the clock was set: this many rows around a time are compared for
# the first and last id.
_ABOUT = 500


def ids_since(table: str, stamp: str) -> str:
    """SQL: the first id that rows from a time (``?``) on may have, by the index of ``stamp``."""
    return (
        f"(SELECT MIN(id) FROM (SELECT id FROM {table} WHERE {stamp} >= ? ORDER BY {stamp} LIMIT {_ABOUT}))"
    )


def ids_until(table: str, stamp: str) -> str:
    """SQL: the last id that rows before a time (``?``) may have."""
    rows = f"SELECT id FROM {table} WHERE {stamp} < ? ORDER BY {stamp} DESC LIMIT {_ABOUT}"
    return f"(SELECT MAX(id) FROM ({rows}))"


def terms(
    table: str, text: str, marks: Sequence[str], before_id: int | None
) -> list[tuple[str, tuple[object, ...]]]:
    """SQL terms, each with its values, for rows of ``table`` that have every word of ``text``.

    ``marks``: as ``any_mark`` gives them; a row has one of each.  They are a preselection: the caller also
    compares the fax itself.  Empty without words and marks.
    """
    words = text.replace("\0", " ").split()[:MOST_WORDS]
    asked = [_asked(word) for word in words if len(word) >= PAIR]
    found: list[tuple[str, tuple[object, ...]]] = []
    number = _number(" ".join(words))
    if number:
        asked = [f"({' OR '.join([_asked(number), *filter(None, [' AND '.join(asked)])])})"]
    if asked or marks:
        found.append((f"{table} MATCH ?", (" AND ".join([*asked, *marks]),)))
    has = f"instr({table}.words, ?) > 0"
    if number:
        found.append((f"({has} OR {' AND '.join([has] * len(words))})", (number, *words)))
    else:
        found += [(has, (word,)) for word in words if _long_number(word)]
    if words and not asked:
        newest = f"COALESCE(?, (SELECT rowid + 1 FROM {table} ORDER BY rowid DESC LIMIT 1))"
        found.append((f"instr(lower({table}.words), ?) > 0", (words[0].lower(),)))
        found.append((f"{table}.rowid >= {newest} - {ONE_LETTER_REACH}", (before_id,)))
    return found


def any_mark(db: sqlite3.Connection, names: Sequence[str], beginnings: Sequence[str] = ()) -> str | None:
    """The search term for faxes with one of the marks ``names``, or one beginning with one of ``beginnings``.

    None when there are too many.  Marks that no fax has had find nothing.
    """
    listed = ", ".join("?" * len(names))
    ways = [f"name IN ({listed})", *["name >= ? AND name < ? || char(0x10FFFF)"] * len(beginnings)]
    rows = db.execute(
        f"SELECT letters FROM mark_letters WHERE {' OR '.join(ways)} LIMIT {MOST_MARKS + 1}",
        (*names, *[name for name in beginnings for _ in range(2)]),
    ).fetchall()
    if len(rows) > MOST_MARKS:
        return None
    return _one_of([row[0] for row in rows] or [_NOBODYS])


# No mark has these letters.
_NOBODYS = "\uf8ff\uf8ff\ue000"


def _asked(word: str) -> str:
    if _long_number(word):
        return _quoted(word[-_END_OF_NUMBER:])
    return _one_of([phrase for each in _spellings(word.lower()) for phrase in _phrases(each)])


def _number(text: str) -> str:
    """The digits that every form of a telephone number has; empty for a text that is not written as one.

    0431/555 12 34 and 0049 431 5551234 are stored as +494315551234 where the region is known.
    """
    if _WRITTEN_NUMBER.fullmatch(text) is None:
        return ""
    digits = "".join(filter(str.isdigit, text.replace("(0)", ""))).lstrip("0")
    return digits if len(digits) >= PAIR + 1 else ""


def _phrases(word: str) -> list[str]:
    if len(word) < PAIR:
        return []
    return [word + letter for letter in _BEHIND_A_PAIR] if len(word) == PAIR else [word]


def _spellings(word: str) -> list[str]:
    """``word`` as it is written, first, and as others write it: muller, müller."""
    letters = _LETTERS.findall(word)
    between = _LETTERS.split(word)
    ways = itertools.product(*(_WRITTEN_TOO[each] for each in letters))
    return [
        between[0] + "".join(map("".join, zip(way, between[1:], strict=True)))
        for way in itertools.islice(ways, _MOST_SPELLINGS)
    ]


def _long_number(word: str) -> bool:
    digits = word.removeprefix("+")
    return len(word) > _END_OF_NUMBER and digits.isascii() and digits.isdecimal()


def _one_of(phrases: Sequence[str]) -> str:
    return f"({' OR '.join(_quoted(phrase) for phrase in phrases)})"


def _quoted(phrase: str) -> str:
    return '"' + phrase.replace('"', '""') + '"'
