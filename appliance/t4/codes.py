"""The code words of T.4 and T.6 and the look-up tables that decode them.

White and black runs are from T.4 tables 2/T.4 (terminating), 3a/T.4 (make-up) and 3b/T.4 (the
extended make-up codes that both colours share); the two-dimensional modes are from table 4/T.4, the
same as table 1/T.6.  Code words are written here as strings of 0 and 1, the first bit on the line first.
"""

from __future__ import annotations

# Table 2/T.4: runs 0 to 63.
_WHITE_TERMINATING = """
00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 110100 110101
101010 101011 0100111 0001100 0001000 0010111 0000011 0000100 0101000 0101011 0010011 0100100 0011000
00000010 00000011 00011010 00011011 00010010 00010011 00010100 00010101 00010110 00010111 00101000
00101001 00101010 00101011 00101100 00101101 00000100 00000101 00001010 00001011 01010010 01010011
01010100 01010101 00100100 00100101 01011000 01011001 01011010 01011011 01001010 01001011 00110010
00110011 00110100
"""
_BLACK_TERMINATING = """
0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 00000100 00000111
000011000 0000010111 0000011000 0000001000 00001100111 00001101000 00001101100 00000110111 00000101000
00000010111 00000011000 000011001010 000011001011 000011001100 000011001101 000001101000 000001101001
000001101010 000001101011 000011010010 000011010011 000011010100 000011010101 000011010110 000011010111
000001101100 000001101101 000011011010 000011011011 000001010100 000001010101 000001010110 000001010111
000001100100 000001100101 000001010010 000001010011 000000100100 000000110111 000000111000 000000100111
000000101000 000001011000 000001011001 000000101011 000000101100 000001011010 000001100110 000001100111
"""
# Table 3a/T.4: runs 64, 128 … 1728.
_WHITE_MAKE_UP = """
11011 10010 010111 0110111 00110110 00110111 01100100 01100101 01101000 01100111 011001100 011001101
011010010 011010011 011010100 011010101 011010110 011010111 011011000 011011001 011011010 011011011
010011000 010011001 010011010 011000 010011011
"""
_BLACK_MAKE_UP = """
0000001111 000011001000 000011001001 000001011011 000000110011 000000110100 000000110101 0000001101100
0000001101101 0000001001010 0000001001011 0000001001100 0000001001101 0000001110010 0000001110011
0000001110100 0000001110101 0000001110110 0000001110111 0000001010010 0000001010011 0000001010100
0000001010101 0000001011010 0000001011011 0000001100100 0000001100101
"""
# Table 3b/T.4: runs 1792, 1856 … 2560, white or black; longer runs repeat 2560 (T.4 4.1.1).
_EXTENDED_MAKE_UP = """
00000001000 00000001100 00000001101 000000010010 000000010011 000000010100 000000010101 000000010110
000000010111 000000011100 000000011101 000000011110 000000011111
"""


def _run_codes(terminating: str, make_up: str) -> dict[int, str]:
    codes = dict(enumerate(terminating.split()))
    codes |= {64 * step: word for step, word in enumerate((make_up + _EXTENDED_MAKE_UP).split(), 1)}
    return codes


WHITE_CODES = _run_codes(_WHITE_TERMINATING, _WHITE_MAKE_UP)
BLACK_CODES = _run_codes(_BLACK_TERMINATING, _BLACK_MAKE_UP)

EOL = "000000000001"  # T.4 4.1.2
EOLS_IN_RTC = 6  # T.4 4.1.4; with two-dimensional coding each is followed by the tag 1 (4.2.4)
EOFB = EOL + EOL  # T.6 2.4.1.1
TAG_ONE_DIMENSIONAL = "1"  # T.4 4.2.2: the bit after an EOL specifies how the next row
# is coded; the other value is two-dimensional

HORIZONTAL = "001"
PASS = "0001"
# Vertical modes by a1 − b1: V0, VR1 to VR3, VL1 to VL3.
VERTICAL = {0: "1", 1: "011", 2: "000011", 3: "0000011", -1: "010", -2: "000010", -3: "0000010"}

RUN_WINDOW = 13  # bits of the longest run code
MODE_WINDOW = 7  # bits of the longest mode code

# Values of ``MODE_TABLE`` besides the differences of the vertical modes.
MODE_HORIZONTAL = 4
MODE_PASS = 5
MODE_NONE = 6  # no mode that T.4 or T.6 defines, extensions (uncompressed mode) included

Entry = tuple[int, int]  # bits of the code word, its meaning


def _spread(words: dict[str, int], window: int, missing: Entry) -> tuple[Entry, ...]:
    """A look-up table indexed by the next ``window`` bits; ``missing`` where there is no code word."""
    table = [missing] * (1 << window)
    for word, meaning in words.items():
        free = window - len(word)
        first = int(word, 2) << free
        table[first : first + (1 << free)] = [(len(word), meaning)] * (1 << free)
    return tuple(table)


def _run_table(codes: dict[int, str]) -> tuple[Entry, ...]:
    # Runs 0 to 63 as they are, make-up codes negated, so that one comparison finds the common case (a run
    # greater than 0).  No code word: 0 bits.
    return _spread({word: run if run < 64 else -run for run, word in codes.items()}, RUN_WINDOW, (0, 0))


WHITE_TABLE = _run_table(WHITE_CODES)
BLACK_TABLE = _run_table(BLACK_CODES)
MODE_TABLE = _spread(
    {word: difference for difference, word in VERTICAL.items()}
    | {HORIZONTAL: MODE_HORIZONTAL, PASS: MODE_PASS},
    MODE_WINDOW,
    (0, MODE_NONE),
)
