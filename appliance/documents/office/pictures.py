"""Whether LibreOffice can read a picture of an Office file; it silently leaves out what it cannot.  Pure."""

from __future__ import annotations

import io
import struct
import zlib
from xml.etree import ElementTree

from PIL import Image

from appliance.documents import first_octets
from appliance.documents.pictures.jpeg import DAMAGE
from appliance.documents.pictures.modes import is_damaged

# Octets of the largest picture that is looked at, packed ones unpacked, and pixels of the largest one.
LARGEST, _MOST_PIXELS = 32 << 20, 40_000_000
# How pictures begin that Pillow knows by these names.
_BITMAPS = {
    first_octets.GIF: "GIF",
    first_octets.BMP: "BMP",
    first_octets.RIFF: "WEBP",
} | dict.fromkeys(first_octets.TIFF, "TIFF")
# What begins PostScript, also with a preview, and a PCX; pictures of the old Macintosh begin with anything.
_LEFT_TO_LIBREOFFICE = (first_octets.POSTSCRIPT, first_octets.EPS_WITH_PREVIEW, b"\x0a\x05")
_OF_MACINTOSH = (".pct", ".pict")

# Metafiles ([MS-EMF] 2.3, [MS-WMF] 2.3): where the mark of an EMF is and the headers of a WMF; how a record
# begins (kind and length in an EMF, length and kind in a WMF), and the kind of the last one.
_EMF_FIRST, _EMF_MARK, _EMF_MARK_AT = b"\1\0\0\0", b" EMF", 40
_EMF_RECORD, _EMF_LAST = struct.Struct("<II"), 14
_WMF_PLACED_OCTETS, _WMF_HEADER = 22, 18
_WMF_STARTS = (b"\1\0\x09\0", b"\2\0\x09\0")
_WMF_RECORD, _WMF_LAST = struct.Struct("<IH"), 0
_MOST_RECORDS = 1_000_000


def is_readable(name: str, content: bytes) -> bool:
    """Whether the picture ``content``, in a part ``name``, is whole and of a kind that LibreOffice draws."""
    if content.startswith(first_octets.GZIP):
        try:
            content = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(content, LARGEST)
        except zlib.error:
            return False
    if content.startswith((first_octets.JPEG, first_octets.PNG)):
        return not is_damaged(content)
    for beginning, kind in _BITMAPS.items():
        if content.startswith(beginning):
            return _is_bitmap(content, kind)
    if content.startswith(_EMF_FIRST) and content[_EMF_MARK_AT:].startswith(_EMF_MARK):
        return _has_its_records(content, 0, _EMF_RECORD, 0, _EMF_LAST)
    placed = _WMF_PLACED_OCTETS if content.startswith(first_octets.PLACED_METAFILE) else 0
    if content.startswith(_WMF_STARTS, placed):
        return _has_its_records(content, placed + _WMF_HEADER, _WMF_RECORD, 1, _WMF_LAST)
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return _is_drawing(content)
    return content.startswith(_LEFT_TO_LIBREOFFICE) or name.lower().endswith(_OF_MACINTOSH)


def _is_bitmap(content: bytes, kind: str) -> bool:
    try:
        with Image.open(io.BytesIO(content), formats=[kind]) as picture:
            if picture.width * picture.height <= _MOST_PIXELS:
                picture.load()
    except DAMAGE:
        return False
    return True


def _has_its_records(content: bytes, at: int, record: struct.Struct, kind_at: int, last: int) -> bool:
    """Whether records follow each other from ``at`` to one of the kind ``last``."""
    for _ in range(_MOST_RECORDS):
        if at + record.size > len(content):
            return False
        head = record.unpack_from(content, at)
        octets = head[1 - kind_at] * (1 if kind_at == 0 else 2)  # a WMF counts in words
        if head[kind_at] == last:
            return True
        if octets < record.size:
            return False
        at += octets
    return True


def _is_drawing(content: bytes) -> bool:
    try:
        return ElementTree.fromstring(content).tag.endswith("svg")
    except (ElementTree.ParseError, ValueError, LookupError):
        return False
