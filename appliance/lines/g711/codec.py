"""G.711: A-law and µ-law octets to 16-bit linear samples and back, by table (ITU-T G.711).

Linear samples are native 16-bit integers packed in bytes, the scale of ITU-T G.191 shifted to 16 bits,
as spandsp takes them.
"""

from __future__ import annotations

import array
import sys
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


def _to_mu(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), _CLIP) + _BIAS
    segment = max(magnitude.bit_length() - 8, 0)
    return ~(sign | segment << 4 | (magnitude >> segment + 3 & 0x0F)) & 0xFF


def _to_a(sample: int) -> int:
    # Negative values go by one's complement: -1 belongs to the smallest negative step.
    sign, magnitude = (0x80, sample) if sample >= 0 else (0, ~sample)
    segment = max(magnitude.bit_length() - 8, 0)
    step = magnitude >> (segment + 3 if segment else 4) & 0x0F
    return (sign | segment << 4 | step) ^ 0x55


def _signed(pattern: int) -> int:
    return pattern - 0x10000 if pattern & 0x8000 else pattern


def _octets(sample: int) -> bytes:
    return sample.to_bytes(2, sys.byteorder, signed=True)


_DECODE = {
    Law.MU: [_octets(_from_mu(octet)) for octet in range(256)],
    Law.A: [_octets(_from_a(octet)) for octet in range(256)],
}
# Indexed by the sample's 16 bits taken as an unsigned number.
_ENCODE = {
    Law.MU: bytes(_to_mu(_signed(pattern)) for pattern in range(0x10000)),
    Law.A: bytes(_to_a(_signed(pattern)) for pattern in range(0x10000)),
}


def decode(octets: bytes, law: Law) -> bytes:
    """One 16-bit sample for each octet."""
    table = _DECODE[law]
    return b"".join([table[octet] for octet in octets])


def encode(samples: bytes, law: Law) -> bytes:
    """One octet for each 16-bit sample.  Raises ValueError for half a sample."""
    return bytes(map(_ENCODE[law].__getitem__, array.array("H", samples)))
