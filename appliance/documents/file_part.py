"""Files that come with a document: pictures and style sheets of a web page, parts of an e-mail or a book."""

from __future__ import annotations

import html
from dataclasses import dataclass
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file that comes with a document."""

    name: str
    media_type: str
    content: bytes
    content_id: str = ""
    by_address: bool = False  # whether the page names it by its address


def part_key(number: str) -> str:
    """A Content-ID in the form in which references to it can be compared (RFC 2392 2).

    Pages write it in another case, with %XX, and with HTML entities.
    """
    return unquote(html.unescape(number)).strip("<> ").lower()
