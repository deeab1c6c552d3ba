"""Searching faxes by words: what a person typed as a query of the table ``fax_words``."""

from __future__ import annotations

# What is shorter is not in the index: the table knows letters in threes.
SHORTEST = 3
# More words than this narrow nothing down further.
MOST_WORDS = 8


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
