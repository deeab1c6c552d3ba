"""Narrowing lists of faxes: words that a person typed (table ``fax_words``), moments as bounds of ids."""

from __future__ import annotations

# What is shorter is not in the index: the table knows letters in threes.
SHORTEST = 3
# So many of the newest faxes are gone through for such a word: more would take as long as there are faxes.
SHORT_REACH = 20_000
# More words than this narrow nothing down further.
MOST_WORDS = 8

# Ids come in the order of time but where the clock was set meanwhile: so many rows about a moment are looked
# at for the first and last id.
_ABOUT = 500


def ids_since(table: str, stamp: str) -> str:
    """SQL: ids of ``table`` that may belong to rows from a moment (``?``) on, by its index of ``stamp``."""
    rows = f"SELECT id FROM {table} WHERE {stamp} >= ? ORDER BY {stamp} LIMIT {_ABOUT}"
    return f"{table}.id >= (SELECT MIN(id) FROM ({rows}))"


def ids_until(table: str, stamp: str) -> str:
    """SQL: likewise for rows before a moment."""
    rows = f"SELECT id FROM {table} WHERE {stamp} < ? ORDER BY {stamp} DESC LIMIT {_ABOUT}"
    return f"{table}.id <= (SELECT MAX(id) FROM ({rows}))"


def within_reach(before_id: int | None) -> tuple[str, int | None]:
    """SQL, with its value: rows of ``fax_words`` that are gone through for a word that is ``short``."""
    newest = "COALESCE(?, (SELECT value FROM sequence WHERE name = 'fax'))"
    return f"fax_words.rowid > {newest} - {SHORT_REACH}", before_id


def short(text: str) -> str:
    """The LIKE pattern for a text that is one word too short for ``match``; empty for any other.

    LIKE knows ASCII letters alone in capitals and small.
    """
    word = text.strip()
    if not word.isascii() or not word.isalnum() or len(word) >= SHORTEST:
        return ""
    return f"%{word}%"


def match(text: str) -> str:
    """The query that finds every word of ``text``; empty when no word is long enough."""
    words = [word for word in text.split() if len(word) >= SHORTEST][:MOST_WORDS]
    return " AND ".join('"' + word.replace('"', '""') + '"' for word in words)
