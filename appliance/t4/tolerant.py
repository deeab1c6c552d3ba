"""Decoding of pages as their octets arrive, with bit errors and losses.

The rules (clauses are those of T.4):

* A row is good when its code words add up to the scan line (4.1.1) and only fill is between them and the
  EOL.  Any other row is bad: it is replaced by a copy of the row above it (white at the top of the page) and
  counted.
* Decoding resumes at the next EOL, which no sequence of code words contains (4.1.2).
* With MR the rows after a bad row refer to unknown pixels.  They count as bad too, up to the next
  one-dimensional row: that is the purpose of K (4.2.1.1).
* RTC is six EOLs (4.1.4).  No row is empty, so two EOLs in succession are taken as its beginning, and damage
  within RTC does not spoil the page.  As noise can look like that too, later octets are ignored only after
  the sixth EOL, and a good row before it means that it was no RTC.
* An EOL with one or two wrong bits joins two rows, or is found at the wrong place; a wrong bit within a row
  can look like an EOL and split the row.  Such an error is repaired if exactly one repair gives rows of the
  right width.
* A long piece without an EOL, or one with lost octets (``gap``), was several rows.  It counts as many bad
  rows as its bits make at the average length of the page's rows, which keeps length and count about right.
* Nothing counts before the first EOL (noise of the training), nor after the last EOL of a page without RTC,
  unless it is a complete row.

MMR has no EOLs (T.6): the page ends at its first error, which counts as one bad row.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from appliance.t4.group3 import Group3Decoder
from appliance.t4.group4 import Group4Decoder
from appliance.t4.page import Coding, Raster, Resolution
from appliance.t4.rows import GrowingPage

# A page is cut off at this number of pixels: 64 Mpixel are 4.8 m of A4 at fine.
MAX_PAGE_PIXELS = 1 << 26


@dataclass(frozen=True, slots=True)
class ReceivedRows:
    """A decoded and repaired page."""

    raster: Raster
    rows: int
    bad_rows: int
    longest_bad_run: int  # most bad rows in succession
    ended_with_rtc: bool  # with EOFB when the coding is MMR
    too_long: bool = False  # rows beyond the limit were discarded
    ends_with_row: bool = True  # no incomplete row follows the last complete one
    undecoded: int = 0  # octets behind a fault of MMR


class TolerantDecoder:
    """Decodes coded octets as they arrive, the first bit in the most significant position.

    ``width`` is in pixels; ``max_rows`` limits the page (None: MAX_PAGE_PIXELS), further rows are discarded.
    Memory is limited by the page and one row of coded data.  ValueError for a width below 1.
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
        """Number of rows so far."""
        return len(self._page.bad)

    @property
    def bad_rows(self) -> int:
        """Number of bad rows so far."""
        return self._page.bad.count(1)

    @property
    def ended(self) -> bool:
        """Whether the page has ended (complete RTC, EOFB, or an error in MMR): further octets are ignored."""
        return self._decoder.ended

    def feed(self, octets: bytes) -> None:
        """Takes the next octets."""
        self._decoder.feed(octets)

    def gap(self, octets: int) -> None:
        """About ``octets`` octets were lost at this place: the rows in them count as bad."""
        if not self._decoder.ended:
            self._decoder.gap(octets)

    def finish(self) -> ReceivedRows:
        """The page, after the last octet.  To be called once; nothing may be fed afterwards."""
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
            0 if self._decoder.ended_properly else self._decoder.undecoded,
        )
