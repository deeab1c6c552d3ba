"""G.711: A-law and µ-law octets to 16-bit linear samples and back, by table (ITU-T G.711).

Linear samples are native 16-bit integers packed in bytes, the scale of ITU-T G.191 shifted to 16 bits,
as spandsp takes them.
"""

from __future__ import annotations

import array
import sys
from collections.abc import Callable
from enum import IntEnum


class Law(IntEnum):
    """The value is the static payload type (RFC 3551 table 4)."""

    MU = 0
    A = 8


_BIAS = 0x84  # G.711 table 2: µ-law's segments begin at a bias of 33, here in 16-bit scale
_CLIP = 32635


def _from_mu(octet: int) -> int:
    octet = ~octet & 0xFF
    magnitude = (((octet & 0x0F) << 3) + _BIAS << (octet >> 4 & 7)) - _BIAS
    return -magnitude if octet & 0x80 else magnitude


def _from_a(octet: int) -> int:
    octet ^= 0x55
    segment = octet >> 4 & 7
    magnitude = (octet & 0x0F) << 4 | 8
    if segment:
        magnitude = (magnitude | 0x100) << (segment - 1)
    return magnitude if octet & 0x80 else -magnitude


def _to_mu(magnitude: int) -> int:
    biased = min(magnitude, _CLIP) + _BIAS
    segment = max(biased.bit_length() - 8, 0)
    return ~(segment << 4 | (biased >> segment + 3 & 0x0F)) & 0xFF


def _to_a(magnitude: int) -> int:
    segment = max(magnitude.bit_length() - 8, 0)
    step = magnitude >> (segment + 3 if segment else 4) & 0x0F
    return (0x80 | segment << 4 | step) ^ 0x55


def _positive(encoded: Callable[[int], int]) -> bytes:
    """The octets of all samples that are not negative.  No step of either law is smaller than four."""
    return b"".join(bytes([encoded(sample)]) * 4 for sample in range(0, 0x8000, 4))


def _octets(sample: int) -> bytes:
    return sample.to_bytes(2, sys.byteorder, signed=True)


_DECODE = {
    Law.MU: [_octets(_from_mu(octet)) for octet in range(256)],
    Law.A: [_octets(_from_a(octet)) for octet in range(256)],
}
_MU, _A = _positive(_to_mu), _positive(_to_a)
_OTHER_SIGN = bytes(octet ^ 0x80 for octet in range(0x100))
# Indexed by the sample's 16 bits taken as an unsigned number: after the others the negative ones, from the
# smallest.  A-law takes their one's complement: -1 belongs to the smallest negative step.
_ENCODE = {
    Law.MU: _MU + (_MU[1:] + _MU[-1:])[::-1].translate(_OTHER_SIGN),
    Law.A: _A + _A[::-1].translate(_OTHER_SIGN),
}


def decode(octets: bytes, law: Law) -> bytes:
    """One 16-bit sample for each octet."""
    table = _DECODE[law]
    return b"".join([table[octet] for octet in octets])


def encode(samples: bytes, law: Law) -> bytes:
    """One octet for each 16-bit sample.  Raises ValueError for half a sample."""
    return bytes(map(_ENCODE[law].__getitem__, array.array("H", samples)))
