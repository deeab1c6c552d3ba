"""Decoding as the octets come in, damaged rows and all.

What T.4 says about it, and what is done here:

* A row is good when its code words add up to the scan line (T.4 4.1.1) and only fill stands between
  them and the EOL.  Any other row is bad: it is replaced by a copy of the row above it (white at the
  top of the page) and counted.
* Decoding takes up again at the next EOL, which no sequence of code words contains (4.1.2).
* With MR the rows after a bad row refer to pixels that nobody has.  They count as bad too, up to the
  next one-dimensional row: that is what K is for (4.2.1.1).
* RTC is six EOLs (4.1.4).  No row is empty, so two EOLs with nothing between them are its beginning
  already; damage within RTC must not cost the page.  But a burst of noise can look so as well: only at
  the sixth are later octets ignored, and a good row before that takes the end back.
* An EOL in which a bit or two are wrong joins two rows, or stands a few bits off; a wrong bit within a
  row can look like an EOL and split it.  Such guesses are taken when they make rows come out to the bit,
  never when more than one does.
* A long piece without an EOL was several rows, and so is a piece of which octets were lost (``gap``): it
  counts as many bad rows as its bits make at the page's average, which keeps the page about as long as it
  was and the count honest.
* Nothing is counted before the first EOL (training leaves noise there) and behind the last one of a
  page that just stops, unless it is a whole row.

MMR has no EOLs (T.6): the page ends at its first fault, which counts as one bad row.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from appliance.t4.group3 import Group3Decoder
from appliance.t4.group4 import Group4Decoder
from appliance.t4.page import Coding, Raster, Resolution
from appliance.t4.rows import GrowingPage

# A page of more pixels than this is cut: 64 Mpixel are 4.8 m of A4 at fine.
MAX_PAGE_PIXELS = 1 << 26


@dataclass(frozen=True, slots=True)
class ReceivedRows:
    """A page as decoded, repaired where needed."""

    raster: Raster
    rows: int
    bad_rows: int
    longest_bad_run: int
    ended_with_rtc: bool  # with EOFB when the coding is MMR
    too_long: bool = False  # rows beyond the limit were thrown away
    ends_with_row: bool = True  # no piece of a row stands behind the last whole one


class TolerantDecoder:
    """Takes coded octets as they come, the first bit in the most significant position.

    ``max_rows`` bounds the page (MAX_PAGE_PIXELS when None); whatever comes behind is counted nowhere
    and kept nowhere.  Memory is bounded by the page and by one row of coded data.
    """

    def __init__(
        self,
        coding: Coding,
        width: int,
        resolution: Resolution = Resolution.FINE,
        *,
        max_rows: int | None = None,
    ) -> None:
        if width <= 0:
            raise ValueError(f"a row of {width} pixels")
        limit = MAX_PAGE_PIXELS // width
        self._page = GrowingPage(width, resolution, limit if max_rows is None else max_rows)
        self._decoder: Group3Decoder | Group4Decoder = (
            Group4Decoder(self._page)
            if coding is Coding.MMR
            else Group3Decoder(self._page, coding is Coding.MR)
        )

    @property
    def rows(self) -> int:
        """Rows so far."""
        return len(self._page.bad)

    @property
    def bad_rows(self) -> int:
        """Bad rows so far."""
        return self._page.bad.count(1)

    @property
    def ended(self) -> bool:
        """The whole RTC or EOFB has been seen: further octets are ignored."""
        return self._decoder.ended

    def feed(self, octets: bytes) -> None:
        """More of the page."""
        if not self._decoder.ended:
            self._decoder.feed(octets)

    def gap(self, octets: int) -> None:
        """About so many octets were lost here: the rows that they held count as bad."""
        if not self._decoder.ended:
            self._decoder.gap(octets)

    def finish(self) -> ReceivedRows:
        """The page, after the last octet.  Feeding more afterwards is an error of the caller."""
        self._decoder.finish()
        page = self._page
        raster = Raster(page.width, len(page.bad), bytes(page.pixels), page.resolution)
        longest = max((len(list(run)) for bad, run in groupby(page.bad) if bad), default=0)
        return ReceivedRows(
            raster,
            len(page.bad),
            page.bad.count(1),
            longest,
            self._decoder.ended_properly,
            page.too_long,
            self._decoder.ends_with_row,
        )
