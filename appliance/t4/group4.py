"""Decoding of MMR as it arrives.  Without EOLs it cannot continue after an error."""

from __future__ import annotations

from appliance.t4.rows import PADDING, GrowingPage, RowError, decode_row_2d, longest_row_bits, paint_row

# Octets of coded data taken for one row at first; most rows are far shorter.
_MMR_WINDOW_OCTETS = 64
_EOFB_BITS = 24
_EOFB_VALUE = 0x001001


class Group4Decoder:
    """Decodes MMR, that is rows without separators, then EOFB, into ``page``."""

    def __init__(self, page: GrowingPage) -> None:
        self._page = page
        self._data = bytearray()  # octets not yet decoded
        self._skip = 0  # bits of the first one that are decoded
        self._reference: list[int] = []
        self._longest = longest_row_bits(page.width)
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
        data, page = self._data, self._page
        position = self._skip
        window = _MMR_WINDOW_OCTETS
        while not self.ended:
            octet = position >> 3
            piece = data[octet : octet + window]
            length = 8 * len(piece) - (position & 7)
            value = int.from_bytes(piece, "big") & ((1 << max(length, 0)) - 1)
            if length >= _EOFB_BITS and value >> (length - _EOFB_BITS) == _EOFB_VALUE:
                self.ended = self.ended_properly = True
                break
            if last and not value and octet + window >= len(data):
                break  # padding of the last octet, without EOFB
            try:
                changes, used = decode_row_2d(value << PADDING, length, page.width, self._reference)
            except RowError as error:
                if error.used + PADDING > length and length < self._longest:
                    if octet + window < len(data):
                        window = self._longest // 8 + 1
                        continue
                    if not last:
                        break
                page.add_bad()
                self.ended = True
                break
            self._reference = changes
            position += used
            window = _MMR_WINDOW_OCTETS
            page.add(paint_row(changes, page.width))
            if page.too_long:
                self.ended = True
        del data[: position >> 3]
        self._skip = position & 7
