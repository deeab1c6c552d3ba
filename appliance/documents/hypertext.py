"""HTML from outside, made fit for Python's own parser.  Pure.

For what has a beginning and no end (``<a <a <a``, ``<!--<!--``, a quotation mark alone) that parser looks
through the rest of the page again and again: an e-mail of 200 kB took it five minutes (CVE-2025-6069).  So
it only gets what is whole.
"""

from __future__ import annotations

import re

_COMMENT, _COMMENT_END = "<!--", "-->"
# Doctypes, conditions of word processors, processing instructions: nothing to read in them.
_DECLARATION = re.compile(r"<[!?][^<>]*>")
# ``[^<>]`` ends where the next one may begin: each character is looked at once.
_TAG = re.compile(r"<(/?[a-zA-Z][^<>]*+)>|<")
_NAME = re.compile(r"/?[a-zA-Z][^\s/\"']*+")
# A tag in which every quotation is closed.
_CLOSED = re.compile(r"(?:[^\"']|\"[^\"]*+\"|'[^']*+')*+")


def whole_tags(page: str) -> str:
    """``page`` without comments and declarations, where each ``<`` begins a tag that ends.

    A tag keeps its attributes if their quotations end within it; any other ``<`` becomes text.
    """
    return _TAG.sub(_whole, _DECLARATION.sub("", _without_comments(page)))


def _whole(found: re.Match[str]) -> str:
    tag = found[1]
    if tag is None:
        return "&lt;"
    if _CLOSED.fullmatch(tag):
        return found[0]
    name = _NAME.match(tag)
    return f"<{name[0]}>" if name else "&lt;"


def _without_comments(page: str) -> str:
    kept: list[str] = []
    at = 0
    while (begin := page.find(_COMMENT, at)) >= 0:
        end = page.find(_COMMENT_END, begin + len(_COMMENT))
        if end < 0:
            break
        kept.append(page[at:begin])
        at = end + len(_COMMENT_END)
    return "".join(kept) + page[at:]
