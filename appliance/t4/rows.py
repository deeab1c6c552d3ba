"""Decoding single rows of MH, MR and MMR, and putting rows of pixels together.

A row is held as its *changing elements* (T.4 4.2.1.1): the ascending positions where the colour
differs from the pixel before, the first pixel being compared with white.  So an even index is a change
to black and an odd one a change to white, and a white row is the empty list.
"""

from __future__ import annotations

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

# Zero bits that callers append to the bits they hand over: a code word may begin in the last real bit,
# and the window behind it must still be whole.  Zeros are no code word, so decoding ends there.
PADDING = 2 * RUN_WINDOW

_RUN_MASK = (1 << RUN_WINDOW) - 1
_MODE_MASK = (1 << MODE_WINDOW) - 1


class RowError(ValueError):
    """The bits are no row of this width.  ``used`` is how many bits went well before."""

    def __init__(self, used: int) -> None:
        super().__init__(f"no such code word, or a run beyond the row, at bit {used}")
        self.used = used


def longest_row_bits(width: int) -> int:
    """No row of ``width`` pixels takes more bits than this in any of the three codings.

    The dearest way to code two pixels is a horizontal mode with two runs of one pixel: 3 + 6 + 3 bits.
    The rest is for make-up codes of few, long runs.
    """
    return 6 * width + 64


def _run(value: int, shift: int, table: tuple[Entry, ...]) -> tuple[int, int]:
    """A whole run, make-up codes and all: (pixels, shift behind it).

    The pixels are -1 where there is no such code word or the bits have come to their end.
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
    """Adds a change; two at one place (a run of 0 pixels) are none."""
    if changes and changes[-1] == position:
        changes.pop()
    else:
        changes.append(position)


def decode_row_1d(value: int, length: int, width: int) -> tuple[list[int], int]:
    """One row of T.4's one-dimensional coding.

    ``value`` holds ``length`` bits and ``PADDING`` zeros behind them.  Returns the changing elements
    and how many bits the row took.  Raises RowError when no row of exactly ``width`` pixels begins there.
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


def decode_row_2d(value: int, length: int, width: int, reference: list[int]) -> tuple[list[int], int]:
    """One row of two-dimensional coding against the changing elements of the row above it.

    Input and result as ``decode_row_1d``.
    """
    # Behind the last change there are imaginary ones just after the row (T.4 4.2.1.1), enough for
    # looking at b2 from either colour.
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
            if a1 <= a0:
                raise RowError(whole - shift)
            a0 = a1
            changes.append(a1)
            if a0 >= width:
                break
            # The other colour: its b1 is the neighbour, before only if a1 went left of the old b1.
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


def paint_row(changes: list[int], width: int) -> bytes:
    """The pixels of a row: packed octets, a set bit is black."""
    octets = (width + 7) // 8
    if not changes:
        return bytes(octets)
    row = 0
    for position in changes:
        row ^= (1 << (width - position)) - 1
    return (row << (8 * octets - width)).to_bytes(octets, "big")


class GrowingPage:
    """Rows decoded so far, each marked good or bad."""

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
        """So many bits are missing here; ``fill_gaps`` makes rows of them."""
        if self._gaps and self._gaps[-1][0] == len(self.bad):
            bits += self._gaps.pop()[1]
        self._gaps.append((len(self.bad), bits))

    def fill_gaps(self, row_bits: float) -> None:
        """Puts bad rows where rows are missing: as many as the gap's bits held at ``row_bits`` each."""
        for at, bits in reversed(self._gaps):
            rows = min(max(1, round(bits / row_bits)), self.max_rows - len(self.bad))
            octets = at * self.row_octets
            above = bytes(self.pixels[octets - self.row_octets : octets]) if at else bytes(self.row_octets)
            self.pixels[octets:octets] = above * rows
            self.bad[at:at] = b"\1" * rows
        self._gaps.clear()

    def add(self, row: bytes) -> None:
        if len(self.bad) >= self.max_rows:
            self.too_long = True
            return
        self.pixels += row
        self.bad.append(0)

    def add_bad(self) -> None:
        """A row that is not known: the one above again."""
        if len(self.bad) >= self.max_rows:
            self.too_long = True
            return
        self.pixels += self.pixels[-self.row_octets :] or bytes(self.row_octets)
        self.bad.append(1)

    def drop(self, rows: int) -> None:
        """Takes the last rows back.  Not from a page that is full: they may not have gone in."""
        if rows and not self.too_long:
            del self.pixels[-rows * self.row_octets :]
            del self.bad[-rows:]
