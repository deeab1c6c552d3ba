"""Direction of lines: that of their first letter (UAX #9, rules P2 and P3).

WeasyPrint takes the direction from the markup alone (``dir``), and keeps the source's order of inline
elements in a line whatever its direction.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_RIGHT_TO_LEFT = frozenset({"R", "AL"})
_STRONG = _RIGHT_TO_LEFT | {"L"}
_BLOCKS = frozenset(
    {"p", "div", "td", "th", "li", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote",
     "body", "caption", "center", "address", "article", "section", "header", "footer", "main"}
)  # fmt: skip
_INLINE = frozenset(
    {"a", "abbr", "b", "big", "cite", "em", "font", "i", "ins", "label", "mark", "o:p", "q", "s", "small",
     "span", "strong", "tt", "u"}
)  # fmt: skip


def right_to_left(text: str) -> bool:
    """Whether the first letter of ``text`` that has a direction runs from right to left."""
    if text.isascii():
        return False
    for letter in text:
        way = unicodedata.bidirectional(letter)
        if way in _STRONG:
            return way in _RIGHT_TO_LEFT
    return False


def direct(root: Element) -> None:
    """Gives each block without a direction of its own that of its first letter.

    A block from right to left loses the styles of its inline elements, which would stand in the wrong
    order.
    """
    # Listed before anything is changed; ``iter`` does not recurse, however deep a page is.
    for block in list(root.iter()):
        if block.tag not in _BLOCKS:
            continue
        pieces = list(_pieces(block))
        words = "".join(piece for piece in pieces if isinstance(piece, str))
        if words.isascii():
            continue
        runs_left = right_to_left(words)
        if runs_left and "dir" not in block.attrib:
            block.set("dir", "rtl")
        if runs_left or any(unicodedata.bidirectional(letter) in _RIGHT_TO_LEFT for letter in words):
            _flatten(block, pieces)


def _pieces(block: Element) -> Iterator[str | Element]:
    """The texts of the block itself and of its inline elements, and its other elements, in order."""
    yield block.text or ""
    waiting = [(child, True) for child in reversed(block)]
    while waiting:
        child, opening = waiting.pop()
        if not opening:
            yield child.tail or ""
            continue
        waiting.append((child, False))
        if child.tag in _INLINE:
            yield child.text or ""
            waiting += [(inner, True) for inner in reversed(child)]
        else:
            yield child


def _flatten(block: Element, pieces: list[str | Element]) -> None:
    """Moves the text of inline elements into the block itself, which consists of ``pieces``."""
    block[:] = []
    block.text = ""
    last: Element | None = None
    for piece in pieces:
        if not isinstance(piece, str):
            block.append(piece)
            piece.tail = ""
            last = piece
        elif last is None:
            block.text += piece
        else:
            last.tail = (last.tail or "") + piece
