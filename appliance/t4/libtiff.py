"""libtiff's fax encoder for data without a file.

It uses the system's library if that is installed (see ``system_libtiff``), else the one in Pillow.  Both make
a TIFF file, in memory, whose only strip is the coded data.

Callers have to limit the number of pixels, because Pillow uses an octet for each.
"""

from __future__ import annotations

import io
import struct
from enum import Enum

from appliance.t4 import tiff_tags as tags
from appliance.t4.system_libtiff import SystemLibtiffError, compress_strip, system_libtiff

_ONE_STRIP = 1 << 30  # octets: more than any page we code


class Scheme(Enum):
    """TIFF's Compression tag and Pillow's name for it."""

    GROUP3 = (tags.GROUP3, "group3")
    GROUP4 = (tags.GROUP4, "group4")


def compress(scheme: Scheme, width: int, rows: int, pixels: bytes, *, two_dimensional: bool = False) -> bytes:
    """Encodes packed rows (a set bit is black).

    Group 3: an EOL before each row, no RTC; with ``two_dimensional`` tag bits and K = 2, libtiff's value up
    to 150 lines per inch.  Group 4: EOFB at the end.
    """
    library = system_libtiff()
    if library is None:
        return compress_by_pillow(scheme, width, rows, pixels, two_dimensional)
    fields = [
        (tags.WIDTH, width),
        (tags.LENGTH, rows),
        (tags.ROWS_PER_STRIP, rows),
        (tags.BITS_PER_SAMPLE, 1),
        (tags.SAMPLES_PER_PIXEL, 1),
        (tags.COMPRESSION, scheme.value[0]),
        (tags.PHOTOMETRIC, tags.BLACK_IS_ZERO),
    ]
    if two_dimensional:
        fields.append((tags.T4_OPTIONS, tags.T4_TWO_DIMENSIONAL))
    try:
        return compress_strip(library, fields, pixels)
    except (SystemLibtiffError, OSError):  # the process's limit on file sizes applies to files in memory too
        return compress_by_pillow(scheme, width, rows, pixels, two_dimensional)


def compress_by_pillow(scheme: Scheme, width: int, rows: int, pixels: bytes, two_dimensional: bool) -> bytes:
    """``compress`` by Pillow."""
    # Imported only when needed: the processes that carry calls and answer clients do not load it.
    from PIL import Image, TiffImagePlugin  # noqa: PLC0415

    options = TiffImagePlugin.ImageFileDirectory_v2()
    if two_dimensional:
        options[tags.T4_OPTIONS] = tags.T4_TWO_DIMENSIONAL
    out = io.BytesIO()
    image = Image.frombytes("1", (width, rows), pixels)
    image.save(out, "TIFF", compression=scheme.value[1], tiffinfo=options, strip_size=_ONE_STRIP)
    file = out.getbuffer()
    offset, size = _only_strip(file)
    return bytes(file[offset : offset + size])


def _only_strip(file: memoryview) -> tuple[int, int]:
    """Offset and length of the only strip of a little-endian TIFF file, octets."""
    (directory,) = struct.unpack_from("<I", file, 4)
    (count,) = struct.unpack_from("<H", file, directory)
    found = {}
    for entry in range(count):
        tag, kind, values, value = struct.unpack_from("<HHII", file, directory + 2 + 12 * entry)
        if tag in (tags.STRIP_OFFSETS, tags.STRIP_OCTETS):
            if values != 1:
                raise AssertionError("libtiff made more than one strip")
            found[tag] = value if kind == tags.LONG else value & 0xFFFF
    return found[tags.STRIP_OFFSETS], found[tags.STRIP_OCTETS]
