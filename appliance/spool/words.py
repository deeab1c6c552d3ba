"""Searching faxes by words: what a person typed as a query of the table ``fax_words``."""

from __future__ import annotations

# What is shorter is found nowhere: the table knows letters in threes.
SHORTEST = 3
# More words than this narrow nothing down further.
MOST_WORDS = 8


def match(text: str) -> str:
    """The query that finds every word of ``text``; empty when no word is long enough."""
    words = [word for word in text.split() if len(word) >= SHORTEST][:MOST_WORDS]
    return " AND ".join('"' + word.replace('"', '""') + '"' for word in words)
