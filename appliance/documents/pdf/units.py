"""UserUnit: the factor by which a PDF page exceeds its boxes (ISO 32000-1 7.7.3.3); pdfium ignores it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator

_NAME = b"/UserUnit"
_UNIT = re.compile(rb"/UserUnit\s*([0-9]{1,6}(?:\.[0-9]{0,6})?)")
_BOX = re.compile(rb"/MediaBox\s*\[((?:\s*[-+]?[0-9.]{1,12}){4})\s*\]")
# What the file is searched for when it is opened, at one go: each search goes through all of its pictures.
_SOUGHT = re.compile(rb"/(?:UserUnit|ObjStm|Differences|BaseFont|OCProperties|Collection|Type0)")
_OBJECT_STREAM = re.compile(rb"/ObjStm\b[^>]{0,2000}?>>\s*stream\r?\n")
# Octets that one object stream may unpack to, and how many streams are examined.
_MOST_UNPACKED = 8 << 20
_MOST_STREAMS = 2_000
_LARGEST_UNIT = 100.0
# Octets around the name within which the rest of the page's dictionary is searched.
_AROUND = 4096

Units = dict[tuple[float, ...], float]


def box_key(sides: Iterable[float]) -> tuple[float, ...]:
    """A MediaBox as a key: pdfium has it in single precision, and most are not in whole points."""
    return tuple(round(side, 2) for side in sides)


class Texts:
    """The file and its unpacked object streams."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._found = frozenset(_SOUGHT.findall(content))

    def having(self, name: bytes) -> Iterator[bytes]:
        """Those that contain ``name``, one of _SOUGHT."""
        assert _SOUGHT.fullmatch(name)
        if name in self._found:
            yield self._content
        if b"/ObjStm" in self._found:
            yield from _unpacked_with(self._content, name)


def units_of(texts: Texts) -> Units:
    """The user units of a document, by the MediaBox of the pages that have one; usually empty."""
    units: Units = {}
    for text in texts.having(_NAME):
        at = text.find(_NAME)
        while at >= 0:
            found = _UNIT.match(text, at)
            start = max(text.rfind(b"endobj", 0, at), at - _AROUND, 0)
            boxes = _BOX.findall(text[start : at + _AROUND])
            if found is not None and boxes:
                try:
                    box = box_key(float(value) for value in boxes[0].split())
                    unit = float(found[1])
                except ValueError:
                    unit = 0.0
                if 0 < unit <= _LARGEST_UNIT:
                    units[box] = unit
            at = text.find(_NAME, at + 1)
    return units


def texts_with(content: bytes, name: bytes) -> Iterator[bytes]:
    """Those of the file and its unpacked object streams that contain ``name``."""
    if name in content:
        yield content
    yield from _unpacked_with(content, name)


def _unpacked_with(content: bytes, name: bytes) -> Iterator[bytes]:
    for number, match in enumerate(_OBJECT_STREAM.finditer(content)):
        if number >= _MOST_STREAMS:
            return
        try:
            unpacked = zlib.decompressobj().decompress(
                memoryview(content)[match.end() : match.end() + _MOST_UNPACKED], _MOST_UNPACKED
            )
        except zlib.error:
            continue
        if name in unpacked:
            yield unpacked
