"""Unpacks files that older programs put into e-mails: uuencode, BinHex.  Pure."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

_UUENCODED = re.compile(
    r"(?m)^begin [0-7]{3,4} ([^\n]{1,200})\n((?:[!-`][ -`]{0,90}\n){0,400000}?)(?:`|[ ])?\n?end$\n?"
)
_BINHEX = re.compile(rb"\(This file must be converted with BinHex[^)]{0,40}\)\s*:")
_BINHEX_WITHIN = 4096
# RFC 1741, appendix A: the 64 letters of BinHex 4.0.
_LETTERS = b"!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr"
_VALUES = {letter: value for value, letter in enumerate(_LETTERS)}
_REPEAT = 0x90
_MOST_OCTETS = 100 << 20  # of a packed file


def without_uuencoded(text: str) -> tuple[str, list[tuple[str, bytes]]]:
    """``text`` without the uuencoded files in it, and those files (name, content)."""
    files: list[tuple[str, bytes]] = []

    def take(found: re.Match[str]) -> str:
        try:
            content = b"".join(map(_uu_line, found[2].splitlines()))
        except binascii.Error:
            return found[0]
        files.append((found[1].strip(), content))
        return ""

    if "\nend" not in text:
        return text, files
    return _UUENCODED.sub(take, text), files


def _uu_line(line: str) -> bytes:
    """One decoded line; some programs omit spaces at its end, others add characters."""
    octets = (ord(line[0]) - 32) & 63
    letters = (octets * 4 + 2) // 3 + 1
    return binascii.a2b_uu(line[:letters].ljust(letters).encode("ascii"))


def is_binhex(content: bytes) -> bool:
    """Whether the file is BinHex 4.0, a Mac's file as text (RFC 1741)."""
    return _BINHEX.search(content[:_BINHEX_WITHIN]) is not None


def from_binhex(content: bytes) -> tuple[str, bytes] | None:
    """Name and data fork of a BinHex 4.0 file (RFC 1741, appendix A), None when it is damaged."""
    found = _BINHEX.search(content)
    if found is None:
        return None
    coded = content[found.end() :].partition(b":")[0]
    octets = _expanded(_six_bits(coded))
    # Length of the name, the name, a zero, type, creator, flags, lengths of both forks, a checksum.
    if not octets or len(octets) < (start := 1 + octets[0] + 1 + 4 + 4 + 2) + 10:
        return None
    length = int.from_bytes(octets[start : start + 4], "big")
    data = octets[start + 10 : start + 10 + length]
    if len(data) != length:
        return None
    return octets[1 : 1 + octets[0]].decode("mac-roman"), data


def _six_bits(coded: bytes) -> Iterator[int]:
    collected = bits = 0
    for letter in coded:
        value = _VALUES.get(letter)
        if value is None:
            continue  # line breaks
        collected, bits = (collected << 6 | value) & 0xFFFF, bits + 6
        if bits >= 8:
            bits -= 8
            yield collected >> bits & 0xFF


def _expanded(octets: Iterator[int]) -> bytes:
    """Expands repetitions: ``X 90 n`` is n times X, ``90 00`` is 90."""
    made = bytearray()
    for octet in octets:
        if octet != _REPEAT:
            made.append(octet)
        elif (count := next(octets, 0)) == 0:
            made.append(_REPEAT)
        elif made:
            made += made[-1:] * (count - 1)
        if len(made) > _MOST_OCTETS:
            break
    return bytes(made)
