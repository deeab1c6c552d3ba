"""Decoding of MMR as it arrives.  Without EOLs it cannot continue after an error."""

from __future__ import annotations

from enum import IntEnum

from appliance.t4.rows import (
    COMPILED_WIDEST,
    PACKED_TABLES,
    PADDING,
    GrowingPage,
    RowError,
    changes_of,
    decode_row_2d,
    longest_row_bits,
    paint_row,
)

try:
    from appliance.t4._mmr import decode as _compiled
except ImportError:  # set up without a C compiler
    _compiled = None  # type: ignore[assignment]

# Octets of coded data taken for one row at first; most rows are far shorter.
_MMR_WINDOW_OCTETS = 64
_EOFB_BITS = 24
_EOFB_VALUE = 0x001001
# Octets of pixels that are decoded at once: a page of A4 at fine has half as many.
_PIECE_OCTETS = 1 << 20


class End(IntEnum):
    """Why no further row was decoded; `_mmr.c` has the same numbers."""

    MORE = 0  # the data end
    ENDED = 1  # EOFB
    DAMAGED = 2  # no row of this width follows
    FULL = 3  # as many rows as were asked for, and one more follows


class Group4Decoder:
    """Decodes MMR, that is rows without separators, then EOFB, into ``page``."""

    def __init__(self, page: GrowingPage) -> None:
        self._page = page
        self._data = bytearray()  # octets not yet decoded
        self._skip = 0  # bits of the first one that are decoded
        self.ended = False
        self.ended_properly = False
        self.ends_with_row = True

    def gap(self, octets: int) -> None:
        """Ends the page at the first lost octet: nothing after it can be decoded."""
        self.finish()
        if not self.ended:
            self._page.add_bad()
            self.ended = True

    def feed(self, octets: bytes) -> None:
        """Decodes further octets, first bit of the line in the most significant bit."""
        self._data += octets
        # Decodes only rows that are complete for certain; the last ones wait for finish().
        if len(self._data) >= _MMR_WINDOW_OCTETS:
            self._decode(last=False)

    def finish(self) -> None:
        """No more octets come: decodes the last rows."""
        if not self.ended:
            self._decode(last=True)

    def _decode(self, last: bool) -> None:
        page, end = self._page, End.FULL
        while end is End.FULL and not self.ended:
            most = min(page.max_rows - len(page.bad), max(1, _PIECE_OCTETS // page.row_octets))
            above = page.pixels[-page.row_octets :]
            pixels, position, end = decode_rows(
                self._data, self._skip, page.width, most, above=above, last=last
            )
            page.add_good(pixels)
            del self._data[: position >> 3]
            self._skip = position & 7
            if end is End.DAMAGED or (end is End.FULL and len(page.bad) >= page.max_rows):
                page.add_bad()  # of a full page: it is too long
                self.ended = True
        if end is End.ENDED:
            self.ended = self.ended_properly = True


def decode_rows(
    data: bytes | bytearray, skip: int, width: int, most: int, *, above: bytes | bytearray, last: bool
) -> tuple[bytes, int, End]:
    """Decodes at most ``most`` rows of ``width`` pixels from bit ``skip`` of ``data`` on.

    ``above`` is the row above them as packed octets, empty for a white one.  With ``last`` no data follow:
    zeros behind the last row are padding, and an incomplete row is damage.  Returns the rows as packed
    octets, the bit after them, and why no other followed.
    """
    longest = longest_row_bits(width)
    if _compiled is None or width > COMPILED_WIDEST:
        return _decode_rows(data, skip, width, longest, most, above, last)
    pixels, position, end = _compiled(data, skip, width, longest, most, above, last, PACKED_TABLES)
    return pixels, position, End(end)


def count_with_empty_runs(data: bytes, width: int, most: int) -> int:
    """The number of rows, at most ``most``, if runs of 0 pixels count as changing elements.

    By T.6 they do not; some programs write files for which they do, and libtiff reads them so.
    """
    pixels, _, _ = _decode_rows(
        data, 0, width, longest_row_bits(width), most, b"", last=True, empty_runs=True
    )
    return len(pixels) // ((width + 7) // 8)


def _decode_rows(  # noqa: PLR0917 - as `_mmr.decode`
    data: bytes | bytearray,
    skip: int,
    width: int,
    longest: int,
    most: int,
    above: bytes | bytearray,
    last: bool,
    *,
    empty_runs: bool = False,
) -> tuple[bytes, int, End]:
    """``decode_rows`` in Python; ``empty_runs`` as for `decode_row_2d`."""
    reference = changes_of(above, width)
    pixels = bytearray()
    rows, position, window = 0, skip, _MMR_WINDOW_OCTETS
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
        window = _MMR_WINDOW_OCTETS
        pixels += paint_row(changes, width)
        rows += 1
