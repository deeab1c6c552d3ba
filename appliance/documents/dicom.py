"""Reads the document that a DICOM file encapsulates (PS3.3 A.45), such as a hospital's letter in PDF.  Pure.

Pictures of medical devices are no documents, and are refused by that name (`foreign`).
"""

from __future__ import annotations

import re
import zlib
from typing import Literal

# The class of the file is one of encapsulated documents (PS3.4 B.5); its beginning says so.
_DOCUMENT = re.compile(rb".{128}DICM.{0,600}?1\.2\.840\.10008\.5\.1\.4\.1\.1\.104\.\d", re.DOTALL)
_HEADER = 132  # octets before the first element
# How the elements are written (PS3.5 A).
_IMPLICIT, _BIG, _DEFLATED = b"1.2.840.10008.1.2", b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.1.99"
_SYNTAX, _CONTENT = (0x0002, 0x0010), (0x0042, 0x0011)
_ITEM, _ITEM_END, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
# Kinds of values whose length has four octets (PS3.5 7.1.2), and a length that is not stated.
_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_UNSTATED = 0xFFFFFFFF
_DEEPEST, _MOST_OCTETS = 16, 100 << 20


def encapsulates(content: bytes) -> bool:
    """Whether a file is DICOM with a document in it; its beginning is enough."""
    return _DOCUMENT.match(content) is not None


def encapsulated(content: bytes) -> bytes:
    """The document in a DICOM file; empty when it is damaged."""
    try:
        return _encapsulated(content)
    except (IndexError, zlib.error):
        return b""


def _encapsulated(content: bytes) -> bytes:
    meta = _Elements(content, is_explicit=True, order="little")
    at, syntax = _HEADER, b""
    while content[at : at + 2] == b"\2\0":
        tag, value, at = meta.element(at, 0)
        if tag == _SYNTAX:
            syntax = value.rstrip(b"\0 ")
    if syntax == _DEFLATED:
        content, at = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content[at:], _MOST_OCTETS), 0
    elements = _Elements(
        content, is_explicit=syntax != _IMPLICIT, order="big" if syntax == _BIG else "little"
    )
    while at < len(content):
        tag, value, at = elements.element(at, 0)
        if tag >= _CONTENT:
            return value if tag == _CONTENT else b""
    return b""


class _Elements:
    def __init__(self, content: bytes, *, is_explicit: bool, order: Literal["little", "big"]) -> None:
        self._content = content
        self._is_explicit = is_explicit
        self._order: Literal["little", "big"] = order

    def _number(self, at: int, octets: int) -> int:
        piece = self._content[at : at + octets]
        if len(piece) < octets:
            raise IndexError
        return int.from_bytes(piece, self._order)

    def element(self, at: int, depth: int) -> tuple[tuple[int, int], bytes, int]:
        """The tag and value of the element at ``at``, and where the next one begins.

        Raises IndexError where the file is truncated.
        """
        tag = self._number(at, 2), self._number(at + 2, 2)
        kind = self._content[at + 4 : at + 6]
        if not self._is_explicit or tag[0] == _ITEM[0]:
            length, start = self._number(at + 4, 4), at + 8
        elif kind in _LONG:
            length, start = self._number(at + 8, 4), at + 12
        else:
            length, start = self._number(at + 6, 2), at + 8
        if length != _UNSTATED:
            if start + length > len(self._content):
                raise IndexError
            return tag, self._content[start : start + length], start + length
        if depth >= _DEEPEST:
            raise IndexError
        end = _ITEM_END if tag == _ITEM else _SEQUENCE_END
        at = start
        while True:
            inner, _, at = self.element(at, depth + 1)
            if inner == end:
                return tag, b"", at
