"""Decoding of single rows of MH, MR and MMR, and assembly of rows of pixels."""

from __future__ import annotations

import struct

from appliance.t4 import _mmr
from appliance.t4.codes import BLACK_TABLE, MODE_TABLE, WHITE_TABLE
from appliance.t4.page import Resolution

# The tables that `_mmr` decodes with.
PACKED_TABLES = b"".join(struct.pack("2h", *entry) for entry in (*WHITE_TABLE, *BLACK_TABLE, *MODE_TABLE))


def longest_row_bits(width: int) -> int:
    """Upper bound of the bits of a row of ``width`` pixels in any of the three codings.

    The longest code for two pixels is a horizontal mode with two runs of one pixel: 3 + 6 + 3 bits.
    The constant is for the make-up codes of few, long runs.
    """
    return 6 * width + 64


def decode_row(bits: str, width: int, above: bytes | None) -> tuple[bytes, int] | None:
    """The row of ``width`` pixels at the beginning of a string of 0 and 1, and its number of bits, or None.

    ``above`` is the row above it in two-dimensional coding, None in one-dimensional coding.  Rows are packed
    octets.
    """
    return _mmr.decode_row(bits, width, above, PACKED_TABLES)


class GrowingPage:
    """The rows decoded so far, each marked good or bad; at most ``max_rows``."""

    def __init__(self, width: int, resolution: Resolution, max_rows: int) -> None:
        self.width = width
        self.resolution = resolution
        self.max_rows = max_rows
        self.row_octets = (width + 7) // 8
        self.pixels = bytearray()
        self.bad = bytearray()  # one octet a row: 1 is bad
        self.too_long = False
        self._gaps: list[tuple[int, int]] = []  # rows before a gap, and the bits that it held

    def add_gap(self, bits: int) -> None:
        """Notes that ``bits`` bits are missing here; ``fill_gaps`` replaces them by rows."""
        if self._gaps and self._gaps[-1][0] == len(self.bad):
            bits += self._gaps.pop()[1]
        self._gaps.append((len(self.bad), bits))

    def fill_gaps(self, row_bits: float) -> None:
        """Inserts bad rows into the gaps: as many as the missing bits make at ``row_bits`` each."""
        for at, bits in reversed(self._gaps):
            rows = min(max(1, round(bits / row_bits)), self.max_rows - len(self.bad))
            octets = at * self.row_octets
            above = bytes(self.pixels[octets - self.row_octets : octets]) if at else bytes(self.row_octets)
            self.pixels[octets:octets] = above * rows
            self.bad[at:at] = b"\1" * rows
        self._gaps.clear()

    def add_good(self, rows: bytes) -> None:
        """Adds good rows of packed octets, for which there is room."""
        self.pixels += rows
        self.bad += bytes(len(rows) // self.row_octets)

    def add(self, row: bytes) -> None:
        """Adds a good row of packed octets."""
        if len(self.bad) >= self.max_rows:
            self.too_long = True
            return
        self.pixels += row
        self.bad.append(0)

    def add_bad(self) -> None:
        """Adds a bad row: a copy of the one above, white at the top."""
        if len(self.bad) >= self.max_rows:
            self.too_long = True
            return
        self.pixels += self.pixels[-self.row_octets :] or bytes(self.row_octets)
        self.bad.append(1)

    def drop(self, rows: int) -> None:
        """Removes the last rows, but not from a page that is full: they may not have been added."""
        if rows and not self.too_long:
            del self.pixels[-rows * self.row_octets :]
            del self.bad[-rows:]
