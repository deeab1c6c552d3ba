"""Decoding of MMR as it arrives.  Without EOLs it cannot continue after an error."""

from __future__ import annotations

from enum import IntEnum

from appliance.t4 import _mmr
from appliance.t4.rows import PACKED_TABLES, GrowingPage, longest_row_bits

# Octets of coded data taken for one row at first; most rows are far shorter.
_MMR_WINDOW_OCTETS = 64
# Octets of pixels that are decoded at once: a page of A4 at fine has half as many.
_PIECE_OCTETS = 1 << 20


class End(IntEnum):
    """Why no further row was decoded; `c/decode.c` has the same numbers."""

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
        self.undecoded = 0  # octets behind the last good row of a page that has ended

    def gap(self, octets: int) -> None:
        """Ends the page at the first lost octet: nothing after it can be decoded."""
        self.finish()
        if not self.ended:
            self._page.add_bad()
            self.ended = True

    def feed(self, octets: bytes) -> None:
        """Decodes further octets, first bit of the line in the most significant bit."""
        if self.ended:
            self.undecoded += len(octets)
            return
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
                self.undecoded = len(self._data)
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
    pixels, position, end = _mmr.decode(data, skip, width, longest, most, above, last, PACKED_TABLES, False)
    return pixels, position, End(end)


def count_with_empty_runs(data: bytes, width: int, most: int) -> int:
    """The number of rows, at most ``most``, if runs of 0 pixels count as changing elements.

    By T.6 they do not; some programs write files for which they do, and libtiff reads them so.
    """
    pixels, _, _ = _mmr.decode(data, 0, width, longest_row_bits(width), most, b"", True, PACKED_TABLES, True)
    return len(pixels) // ((width + 7) // 8)
