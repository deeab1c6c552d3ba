"""HTML from outside, made safe for Python's own parser.  Pure.

After each construct that never ends (``<a <a <a``, ``<!--<!--``, a single quotation mark) that parser
searches the rest of the page: an e-mail of 200 kB took five minutes (CVE-2025-6069). So it gets only complete
tags.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

# Characters of an HTML text that are read unless the caller says otherwise.
HTML_LIMIT = 200_000

_COMMENT, _COMMENT_END = "<!--", "-->"
# Doctypes, conditions of word processors, processing instructions: they contain no text.
_DECLARATION = re.compile(r"<[!?][^<>]*>")
# ``[^<>]`` ends where the next tag may begin, so each character is looked at once.
_TAG = re.compile(r"<(/?[a-zA-Z][^<>]*+)>|<")
# An element that shows a picture.
PICTURE = re.compile(r"<(?:img|svg)\b", re.IGNORECASE)
_NAME = re.compile(r"/?[a-zA-Z][^\s/\"']*+")
# A tag in which every quotation mark is closed.
_CLOSED = re.compile(r"(?:[^\"']|\"[^\"]*+\"|'[^']*+')*+")

# An element without content as XML writes it; HTML knows that of some elements only.
_EMPTY = re.compile(r"<([A-Za-z][\w:.-]{0,60})((?:\s[^<>]{0,5000}?)?)/>")
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track"}
    | {"wbr"}
)


def whole_tags(page: str) -> str:
    """``page`` without comments and declarations, where each ``<`` begins a complete tag.

    A tag keeps its attributes if their quotations end within it; any other ``<`` becomes text.
    """
    return _TAG.sub(_whole, _DECLARATION.sub("", without_comments(page)))


def _whole(found: re.Match[str]) -> str:
    tag = found[1]
    if tag is None:
        return "&lt;"
    if _CLOSED.fullmatch(tag):
        return found[0]
    name = _NAME.match(tag)
    return f"<{name[0]}>" if name else "&lt;"


def without_comments(page: str) -> str:
    """``page`` without its comments; one that never ends stays."""
    kept: list[str] = []
    at = 0
    while (begin := page.find(_COMMENT, at)) >= 0:
        end = page.find(_COMMENT_END, begin + len(_COMMENT))
        if end < 0:
            break
        kept.append(page[at:begin])
        at = end + len(_COMMENT_END)
    return "".join(kept) + page[at:]


def as_html(page: str) -> str:
    """XHTML as HTML: elements that are closed where they begin get an end."""

    def closed(found: re.Match[str]) -> str:
        name, rest = found.groups()
        return found[0] if name.lower() in _VOID else f"<{name}{rest}></{name}>"

    return _EMPTY.sub(closed, page)


_PARAMETER = re.compile(r"<(param|comment)>.*?</\1>", re.IGNORECASE | re.DOTALL)
_LINE_MARK = re.compile(r"<(?:nl|np)>", re.IGNORECASE)


def marked_text(marked: str, *, enriched: bool) -> str:
    """The text of ``text/enriched`` (RFC 1896) or of the older ``text/richtext`` (RFC 1341, 7.1.3)."""
    page = marked.replace("&", "&amp;").replace("\r\n", "\n")
    if enriched:
        page = page.replace("<<", "&lt;")
        page = re.sub(r"\n(\n+)", lambda ends: "<br>" * len(ends[1]), page)
    else:
        page = _LINE_MARK.sub("<br>", re.sub("<lt>", "&lt;", page, flags=re.IGNORECASE))
    return html_text(_PARAMETER.sub("", page))


def html_text(page: str, most: int = HTML_LIMIT) -> str:
    """The readable text of the first ``most`` characters of a page: lines kept apart, cells of a row too."""
    stripper = _Stripper()
    stripper.feed(whole_tags(page[:most]))
    stripper.close()
    lines = (line.strip() for line in "".join(stripper.pieces).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Stripper(HTMLParser):
    _LINES = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "blockquote", "table"})
    _CELLS = frozenset({"td", "th"})
    _SILENT = frozenset({"script", "style", "head", "title"})
    _GAP = "  "  # between two cells

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag in self._SILENT:
            self._silent += 1
        elif tag in self._LINES:
            self.pieces.append("\n")
        elif tag in self._CELLS:
            self.pieces.append(self._GAP)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in self._LINES:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(re.sub(r"\s+", " ", data))
