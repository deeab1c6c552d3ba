"""libtiff's fax encoder, through Pillow: a TIFF file in memory whose only strip is the coded data."""

from __future__ import annotations

import io
import struct

from PIL import Image, TiffImagePlugin

from appliance.t4 import tiff_tags as tags
from appliance.t4.page import Raster

_ONE_STRIP = 1 << 30  # octets: more than any page


def group4(page: Raster) -> bytes:
    """MMR with EOFB."""
    return _compressed(page, "group4", {})


def group3(page: Raster, *, two_dimensional: bool) -> bytes:
    """MH, or MR with K = 2: an EOL before each row, the last octet filled with zeros, no RTC."""
    return _compressed(page, "group3", {tags.T4_OPTIONS: tags.T4_TWO_DIMENSIONAL} if two_dimensional else {})


def _compressed(page: Raster, scheme: str, fields: dict[int, int]) -> bytes:
    options = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in fields.items():
        options[tag] = value
    out = io.BytesIO()
    image = Image.frombytes("1", (page.width, page.rows), page.data)
    image.save(out, "TIFF", compression=scheme, tiffinfo=options, strip_size=_ONE_STRIP)
    file = out.getvalue()
    (directory,) = struct.unpack_from("<I", file, 4)
    (count,) = struct.unpack_from("<H", file, directory)
    found = {}
    for entry in range(count):
        tag, kind, values, value = struct.unpack_from("<HHII", file, directory + 2 + 12 * entry)
        if tag in (tags.STRIP_OFFSETS, tags.STRIP_OCTETS):
            assert values == 1
            found[tag] = value if kind == tags.LONG else value & 0xFFFF
    offset = found[tags.STRIP_OFFSETS]
    return file[offset : offset + found[tags.STRIP_OCTETS]]
