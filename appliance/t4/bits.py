"""Octets and bits: reversing, and strings of 0 and 1 for work on code words at C speed."""

from __future__ import annotations

_REVERSED = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))
_OCTET_BITS = tuple(f"{octet:08b}" for octet in range(256))


def reverse_bits(octets: bytes) -> bytes:
    """Each octet with its bits in the opposite order.

    Lines (T.30, T.31, T.38) send the least significant bit first; coded pages keep the first bit of
    the line in the most significant one.
    """
    return octets.translate(_REVERSED)


def to_bits(octets: bytes) -> str:
    """A string of 0 and 1, the most significant bit of the first octet first."""
    return "".join(map(_OCTET_BITS.__getitem__, octets))


def from_bits(bits: str) -> bytes:
    """The octets of a string of 0 and 1, the last one filled with zeros."""
    if not bits:
        return b""
    octets = (len(bits) + 7) // 8
    # Powers of two as base: Python converts in linear time and without a limit on digits.
    return (int(bits, 2) << (8 * octets - len(bits))).to_bytes(octets, "big")
