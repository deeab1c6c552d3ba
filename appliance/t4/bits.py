"""Bits of octets: reversal, and strings of 0 and 1, on which Python searches code words at the speed of C."""

from __future__ import annotations

_REVERSED = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))
_OCTET_BITS = tuple(f"{octet:08b}" for octet in range(256))


def reverse_bits(octets: bytes) -> bytes:
    """The octets, each with its bits in reverse order.

    It converts between coded pages (first bit of the line in the most significant bit) and the octets of
    ``appliance.t30.dce`` (in the least significant one).
    """
    return octets.translate(_REVERSED)


def to_bits(octets: bytes) -> str:
    """The bits as a string of 0 and 1, the most significant bit of the first octet first."""
    return "".join(map(_OCTET_BITS.__getitem__, octets))


def from_bits(bits: str) -> bytes:
    """The octets of a string of 0 and 1; the last one is padded with zeros."""
    if not bits:
        return b""
    octets = (len(bits) + 7) // 8
    # Powers of two as base: Python converts in linear time and without a limit on digits.
    return (int(bits, 2) << (8 * octets - len(bits))).to_bytes(octets, "big")
