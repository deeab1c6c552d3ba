"""The bits of DIS, DTC and DCS: their numbers and names (T.30 table 2), and their place in the octets.

Bits are numbered as in the table: bit 1 is the first one on the line.
"""

from __future__ import annotations

from collections.abc import Iterable

MIN_OCTETS = 3  # T.30 5.3.6.2.1: the first 24 bits are always present
LEAST_OCTETS = 2  # a shorter DIS does not tell whether its station receives (bit 10), nor a DCS its rate
MAX_OCTETS = 32  # octets read of a field, a bound against hostile ones: table 2 ends at bit 128


class Bit:
    """Numbers of the bits that the engine uses."""

    T37 = 1
    T38 = 3
    MOBILE_3G = 4
    V8 = 6
    PREFERS_64 = 7
    TRANSMITS = 9
    RECEIVES = 10
    RATE = (11, 12, 13, 14)
    FINE = 15
    TWO_DIMENSIONAL = 16
    WIDTH = (17, 18)
    LENGTH = (19, 20)
    SCAN = (21, 22, 23)
    ECM = 27
    FRAMES_OF_64 = 28  # DCS only
    T6 = 31
    PSA = 35
    SUPERFINE = 41
    R300 = 42
    R400 = 43
    INCH = 44  # DIS: preferred; DCS: used
    METRIC = 45  # DIS only: preferred
    HALF_SCAN_15_4 = 46  # DIS only
    SEP = 47  # DIS: can; DTC: a SEP comes with it
    SUB = 49  # DIS: can; DCS: a SUB comes with it
    PWD = 50  # DIS: can; DTC: a PWD comes with it; DCS: a SID comes with it


# Names of all bits of table 2, for traces.
BIT_NAMES: dict[int, str] = {
    1: "T.37",
    2: "reserved",
    3: "T.38",
    4: "3G mobile",
    5: "reserved",
    6: "V.8",
    7: "64 octet frames preferred",
    8: "reserved",
    9: "ready to transmit",
    10: "receives",
    11: "rate",
    12: "rate",
    13: "rate",
    14: "rate",
    15: "R8x7.7 or 200x200",
    16: "MR",
    17: "width",
    18: "width",
    19: "length",
    20: "length",
    21: "scan time",
    22: "scan time",
    23: "scan time",
    24: "extend",
    25: "reserved",
    26: "uncompressed mode",
    27: "ECM",
    28: "64 octet frames",
    29: "reserved",
    30: "reserved",
    31: "T.6",
    32: "extend",
    33: "field not valid",
    34: "multiple selective polling",
    35: "polled sub-address",
    36: "T.43",
    37: "plane interleave",
    38: "G.726 voice",
    39: "extended voice",
    40: "extend",
    41: "R8x15.4",
    42: "300x300",
    43: "R16x15.4 or 400x400",
    44: "inch",
    45: "metric",
    46: "half scan time at 15.4",
    47: "selective polling",
    48: "extend",
    49: "sub-address",
    50: "password or sender identification",
    51: "data file ready",
    52: "reserved",
    53: "binary file transfer",
    54: "document transfer",
    55: "EDIFACT",
    56: "extend",
    57: "basic transfer mode",
    58: "reserved",
    59: "mixed mode ready",
    60: "character mode",
    61: "reserved",
    62: "mixed mode",
    63: "reserved",
    64: "extend",
    65: "processable mode",
    66: "digital network",
    67: "duplex",
    68: "JPEG",
    69: "full colour",
    70: "Huffman tables",
    71: "12 bit components",
    72: "extend",
    73: "no subsampling",
    74: "custom illuminant",
    75: "custom gamut",
    76: "North American Letter",
    77: "North American Legal",
    78: "T.85",
    79: "T.85 optional L0",
    80: "extend",
    81: "HKM key management",
    82: "RSA key management",
    83: "override",
    84: "HFX40 cipher",
    85: "cipher 2",
    86: "cipher 3",
    87: "HFX40-I hashing",
    88: "extend",
    89: "hashing 2",
    90: "hashing 3",
    91: "reserved",
    92: "T.44",
    93: "T.44",
    94: "T.44",
    95: "T.44 page length",
    96: "extend",
    97: "colour 300 or 400",
    98: "colour 100x100",
    99: "phase C file transfer",
    100: "extended file transfer",
    101: "Internet selective polling",
    102: "Internet routing",
    103: "reserved",
    104: "extend",
    105: "600x600",
    106: "1200x1200",
    107: "300x600",
    108: "400x800",
    109: "600x1200",
    110: "colour 600x600",
    111: "colour 1200x1200",
    112: "extend",
    113: "double sided, alternate",
    114: "double sided, continuous",
    115: "black and white T.44",
    116: "T.45",
    117: "shared memory",
    118: "shared memory",
    119: "T.44 colour space",
    120: "extend",
    121: "T.38 flow control",
    122: "K above 4",
    123: "Internet aware T.38",
    124: "T.89",
    125: "T.89",
    126: "T.89",
    127: "sYCC JPEG",
    128: "extend",
}


def is_extend(bit: int) -> bool:
    """Whether this is an extend bit, the last bit of each octet from the third on: another octet follows."""
    return bit >= 24 and bit % 8 == 0


def octets_of(bits: Iterable[int]) -> bytes:
    """The FIF with these bits set, and extend bits as the length requires."""
    wanted = {bit for bit in bits if not is_extend(bit)}
    octets = bytearray(max(MIN_OCTETS, (max(wanted, default=1) + 7) // 8))
    for bit in wanted:
        octets[(bit - 1) // 8] |= 1 << (bit - 1) % 8
    for index in range(MIN_OCTETS - 1, len(octets) - 1):
        octets[index] |= 0x80
    return bytes(octets)


def bits_of(fif: bytes) -> frozenset[int]:
    """Numbers of the bits set, extend bits left out.

    Octets after one whose extend bit is 0 are ignored, missing ones count as zeros.
    """
    bits: set[int] = set()
    for index, octet in enumerate(fif[:MAX_OCTETS]):
        numbers = (index * 8 + b + 1 for b in range(8) if octet >> b & 1)
        bits.update(n for n in numbers if not is_extend(n))
        if index >= MIN_OCTETS - 1 and not octet & 0x80:
            break
    return frozenset(bits)


def code_of(bits: frozenset[int], numbers: tuple[int, ...]) -> int:
    """The value of the bits ``numbers``, the first of them most significant (as table 2 prints them)."""
    return sum(1 << len(numbers) - 1 - i for i, n in enumerate(numbers) if n in bits)


def bits_with(code: int, numbers: tuple[int, ...]) -> set[int]:
    """The numbers of the bits that are set in ``code``, the inverse of ``code_of``."""
    return {n for i, n in enumerate(numbers) if code >> len(numbers) - 1 - i & 1}
