"""Compressed RTF of Microsoft's mail programs ([MS-OXRTFCP]).  Pure."""

from __future__ import annotations

import struct

_HEADER = struct.Struct("<IIII")  # octets after this field, octets unpacked, the type, a checksum
_COMPRESSED, _PLAIN = 0x75465A4C, 0x414C454D
# The initial dictionary (2.1.3.1.1): references may point there before anything was written.
_BEGINNING = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor "
    rb"MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0" + b"\r\n" + rb"\par "
    rb"\pard\plain\f0\fs20\b\i\u\tab\tx"
)
_WINDOW = 4096
_SHORTEST = 2  # fewest octets that a reference stands for
_MOST = 64 << 20  # octets unpacked


def decompressed(octets: bytes) -> bytes | None:
    """The RTF; None when it is damaged or larger than `_MOST`."""
    if len(octets) < _HEADER.size:
        return None
    _, size, kind, _ = _HEADER.unpack_from(octets)
    if size > _MOST:
        return None
    if kind == _PLAIN:
        return octets[_HEADER.size : _HEADER.size + size]
    return _unpacked(octets[_HEADER.size :], size) if kind == _COMPRESSED else None


def _unpacked(octets: bytes, size: int) -> bytes | None:
    window = bytearray(_BEGINNING.ljust(_WINDOW, b"\0"))
    at = len(_BEGINNING)
    made = bytearray()
    place = 0
    while place < len(octets):
        control, place = octets[place], place + 1
        for bit in range(8):
            if not control >> bit & 1:
                taken = octets[place : place + 1]
                place += 1
            else:
                pair = octets[place : place + 2]
                place += 2
                if len(pair) < 2:
                    return None
                start, count = int.from_bytes(pair, "big") >> 4, (pair[1] & 0xF) + _SHORTEST
                if start == at:  # the end mark
                    return bytes(made[:size])
                taken = b""
                for step in range(count):
                    letter = window[(start + step) % _WINDOW]
                    taken += bytes([letter])
                    window[(at + step) % _WINDOW] = letter
            for letter in taken:
                window[at] = letter
                at = (at + 1) % _WINDOW
            made += taken
            if len(made) > _MOST:
                return None
            if place >= len(octets):
                break
    return bytes(made) if len(made) >= size else None
