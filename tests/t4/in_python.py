"""Decoding of rows in Python, to compare the compiled decoder with.

A row is represented by its *changing elements* (T.4 4.2.1.1): the ascending positions where the colour
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
from appliance.t4.group4 import End
from appliance.t4.rows import longest_row_bits
from tests.t4 import pages

# Zero bits behind the coded bits, so that a full window can be read at the last bit.  Zeros are no code word,
# so decoding ends there.
PADDING = 2 * RUN_WINDOW
_RUN_MASK = (1 << RUN_WINDOW) - 1
_MODE_MASK = (1 << MODE_WINDOW) - 1
# Octets of coded data taken for one row at first; most rows are far shorter.
_WINDOW_OCTETS = 64
_EOFB_BITS = 24
_EOFB_VALUE = 0x001001


class RowError(ValueError):
    """The bits are not a row of this width.  ``used`` is the number of bits decoded before the error."""

    def __init__(self, used: int) -> None:
        super().__init__(f"no such code word, or a run beyond the row, at bit {used}")
        self.used = used


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
            if a1 < 0 or (a1 <= a0 and not (empty_runs and a1 == a0)):
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


def decode_row(bits: str, width: int, above: bytes | None) -> tuple[bytes, int] | None:
    """See ``rows.decode_row``."""
    value = int(bits or "0", 2) << PADDING
    try:
        if above is None:
            changes, used = decode_row_1d(value, len(bits), width)
        else:
            changes, used = decode_row_2d(value, len(bits), width, pages.changes_of(above, width))
    except RowError:
        return None
    return pages.paint(changes, width), used


def decode_rows(
    data: bytes, skip: int, width: int, most: int, *, above: bytes, last: bool, empty_runs: bool = False
) -> tuple[bytes, int, End]:
    """See ``group4.decode_rows``; ``empty_runs`` as for `decode_row_2d`."""
    longest = longest_row_bits(width)
    reference = pages.changes_of(above, width) if above else []
    pixels = bytearray()
    rows, position, window = 0, skip, _WINDOW_OCTETS
    while True:
        octet = position >> 3
        piece = data[octet : octet + window]
        length = 8 * len(piece) - (position & 7)
        value = int.from_bytes(piece, "big") & ((1 << max(length, 0)) - 1)
        if length >= _EOFB_BITS and value >> (length - _EOFB_BITS) == _EOFB_VALUE:
            return bytes(pixels), position, End.ENDED
        if last and not value and octet + window >= len(data):
            return bytes(pixels), position, End.MORE  # padding of the last octet, without EOFB
        try:
            changes, used = decode_row_2d(value << PADDING, length, width, reference, empty_runs=empty_runs)
        except RowError as error:
            if error.used + PADDING > length and length < longest:
                if octet + window < len(data):
                    # One octet more than the longest row, which may begin at the last bit of its first octet.
                    window = longest // 8 + 2
                    continue
                if not last:
                    return bytes(pixels), position, End.MORE
            return bytes(pixels), position, End.DAMAGED
        if rows == most:
            return bytes(pixels), position, End.FULL
        reference = changes
        position += used
        window = _WINDOW_OCTETS
        pixels += pages.paint(changes, width)
        rows += 1
