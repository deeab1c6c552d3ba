"""Decoding of single rows of MH, MR and MMR, and assembly of rows of pixels.

A row is represented by its *changing elements* (T.4 4.2.1.1): the ascending positions where the colour
differs from the pixel before, the first pixel being compared with white.  So an even index is a change
to black and an odd one a change to white, and a white row is the empty list.
"""

from __future__ import annotations

import struct

from appliance.t4.bits import to_bits
from appliance.t4.codes import (
    BLACK_TABLE,
    MODE_HORIZONTAL,
    MODE_PASS,
    MODE_TABLE,
    MODE_WINDOW,
    RUN_WINDOW,
    WHITE_TABLE,
    Entry,
)
from appliance.t4.page import Resolution

try:
    from appliance.t4._mmr import decode_row as _compiled
except ImportError:  # set up without a C compiler
    _compiled = None  # type: ignore[assignment]

# Widest row that `_mmr` takes, pixels (its MOST_WIDTH), and the tables that it decodes with.
COMPILED_WIDEST = 1 << 16
PACKED_TABLES = b"".join(struct.pack("2h", *entry) for entry in (*WHITE_TABLE, *BLACK_TABLE, *MODE_TABLE))

# Zero bits that callers append to the coded bits, so that a full window can be read at the last bit.  Zeros
# are no code word, so decoding ends there.
PADDING = 2 * RUN_WINDOW

_RUN_MASK = (1 << RUN_WINDOW) - 1
_MODE_MASK = (1 << MODE_WINDOW) - 1


class RowError(ValueError):
    """The bits are not a row of this width.  ``used`` is the number of bits decoded before the error."""

    def __init__(self, used: int) -> None:
        super().__init__(f"no such code word, or a run beyond the row, at bit {used}")
        self.used = used


def longest_row_bits(width: int) -> int:
    """Upper bound of the bits of a row of ``width`` pixels in any of the three codings.

    The longest code for two pixels is a horizontal mode with two runs of one pixel: 3 + 6 + 3 bits.
    The constant is for the make-up codes of few, long runs.
    """
    return 6 * width + 64


def _run(value: int, shift: int, table: tuple[Entry, ...]) -> tuple[int, int]:
    """Decodes one run with its make-up codes: (pixels, shift after it).

    The pixels are -1 when there is no such code word or the bits have ended.
    """
    pixels = 0
    while shift >= 0:
        size, run = table[(value >> shift) & _RUN_MASK]
        if not size:
            break
        shift -= size
        if run >= 0:
            return pixels + run, shift
        pixels -= run
    return -1, shift


def _toggle(changes: list[int], position: int) -> None:
    """Adds a change; two at one position (a run of 0 pixels) cancel each other."""
    if changes and changes[-1] == position:
        changes.pop()
    else:
        changes.append(position)


def decode_row_1d(value: int, length: int, width: int) -> tuple[list[int], int]:
    """Decodes one row of T.4's one-dimensional coding.

    ``value`` has ``length`` bits followed by ``PADDING`` zeros.  Returns the changing elements and the
    number of bits of the row.  Raises RowError unless it begins with a row of exactly ``width`` pixels.
    """
    changes: list[int] = []
    position = 0
    whole = length + PADDING - RUN_WINDOW
    shift = whole
    white, black, mask = WHITE_TABLE, BLACK_TABLE, _RUN_MASK
    append = changes.append
    table = white
    while position < width:
        if shift < 0:
            raise RowError(whole - shift)
        size, run = table[(value >> shift) & mask]
        if run > 0:
            shift -= size
            position += run
            append(position)
        else:
            run, shift = _run(value, shift, table)
            if run < 0:
                raise RowError(whole - shift)
            position += run
            _toggle(changes, position)
        table = black if table is white else white
    used = whole - shift
    if position != width or used > length:
        raise RowError(used)
    if changes and changes[-1] == width:
        changes.pop()
    return changes, used


def decode_row_2d(
    value: int, length: int, width: int, reference: list[int], *, empty_runs: bool = False
) -> tuple[list[int], int]:
    """Decodes one row of two-dimensional coding; ``reference`` has the changing elements of the row above.

    With ``empty_runs`` runs of 0 pixels count as changing elements, two at one place.  Parameters, result and
    errors as for ``decode_row_1d``.
    """
    # After the last change there are imaginary ones just after the row (T.4 4.2.1.1), enough to find b2 for
    # either colour.
    above = [*reference, width, width, width, width]
    changes: list[int] = []
    a0 = -1  # the imaginary white pixel before the row
    b = 0  # index of b1; its parity is the colour of a0 (even: white)
    whole = length + PADDING - MODE_WINDOW
    shift = whole
    modes, mask = MODE_TABLE, _MODE_MASK
    while a0 < width:
        size, mode = modes[(value >> shift) & mask]
        shift -= size
        if mode < MODE_HORIZONTAL:
            a1 = above[b] + mode
            if a1 <= a0 and not (empty_runs and a1 == a0):
                raise RowError(whole - shift)
            a0 = a1
            changes.append(a1)
            if a0 >= width:
                break
            # The colour changes: the new b1 is the next change, or the one before if a1 is left of the old
            # b1.
            b += 1 if mode >= 0 or not b else -1
        elif mode == MODE_HORIZONTAL:
            first, second = (BLACK_TABLE, WHITE_TABLE) if b & 1 else (WHITE_TABLE, BLACK_TABLE)
            # From the mode's window to that of the runs, which is longer, and back.
            run, back = _run(value, shift + MODE_WINDOW - RUN_WINDOW, first)
            a1 = max(a0, 0) + run
            if run >= 0:
                run, back = _run(value, back, second)
            shift = back + RUN_WINDOW - MODE_WINDOW
            if run < 0:
                raise RowError(whole - shift)
            a0 = a1 + run
            if empty_runs:
                changes += (a1, a0)
            else:
                _toggle(changes, a1)
                _toggle(changes, a0)
            if a0 >= width:
                break
        elif mode == MODE_PASS:
            a0 = above[b + 1]
            b += 2
            if a0 >= width:  # a1 would lie beyond the row
                raise RowError(whole - shift)
        else:
            raise RowError(whole - shift)
        if shift < 0:
            raise RowError(whole - shift)
        while above[b] <= a0:
            b += 2
    used = whole - shift
    if a0 != width or used > length:
        raise RowError(used)
    while changes and changes[-1] == width:
        changes.pop()
    return changes, used


def changes_of(row: bytes | bytearray, width: int) -> list[int]:
    """The changing elements of a row of packed octets; none of an empty one."""
    bits = to_bits(bytes(row))[:width]
    return [at for at, (left, pixel) in enumerate(zip("0" + bits, bits, strict=False)) if left != pixel]


def decode_row(bits: str, width: int, above: bytes | None) -> tuple[bytes, int] | None:
    """The row of ``width`` pixels at the beginning of a string of 0 and 1, and its number of bits, or None.

    ``above`` is the row above it in two-dimensional coding, None in one-dimensional coding.  Rows are packed
    octets.
    """
    if _compiled is not None and width <= COMPILED_WIDEST:
        return _compiled(bits, width, above, PACKED_TABLES)
    value = int(bits or "0", 2) << PADDING
    try:
        if above is None:
            changes, used = decode_row_1d(value, len(bits), width)
        else:
            changes, used = decode_row_2d(value, len(bits), width, changes_of(above, width))
    except RowError:
        return None
    return paint_row(changes, width), used


def paint_row(changes: list[int], width: int) -> bytes:
    """The pixels of a row as packed octets; a set bit is black."""
    octets = (width + 7) // 8
    if not changes:
        return bytes(octets)
    row = 0
    for position in changes:
        row ^= (1 << (width - position)) - 1
    return (row << (8 * octets - width)).to_bytes(octets, "big")


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
