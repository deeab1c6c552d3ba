"""Octets with faults."""

from __future__ import annotations

import random


def damaged(rng: random.Random, data: bytes, faults: int, longest: int = 20) -> bytes:
    """``data`` with some octets changed, cut off, or put in between, at most ``longest`` at a place."""
    octets = bytearray(data)
    for _ in range(faults):
        at = rng.randrange(len(octets) + 1)
        match rng.randrange(4):
            case 0 if at < len(octets):
                octets[at] = rng.randrange(256)
            case 1 if at < len(octets):
                octets[at] ^= 1 << rng.randrange(8)
            case 2:
                del octets[at:]
            case _:
                octets[at:at] = rng.randbytes(rng.randint(1, longest))
    return bytes(octets)
