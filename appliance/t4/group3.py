"""Tolerant decoding of MH and MR: finds rows between EOLs and repairs some bit errors.

``tolerant`` states the rules.  Bits are strings of 0 and 1 in line order.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from appliance.t4.bits import to_bits
from appliance.t4.codes import EOL, EOLS_IN_RTC
from appliance.t4.row_reader import ZEROS_AT_THE_END, RowReader
from appliance.t4.rows import GrowingPage, longest_row_bits

# Two EOLs in succession begin an RTC: no row is empty.
_EOLS_THAT_END = 2

# Bits of fill kept while waiting for the EOL after it; more of them would make no difference.
_FILL_KEPT = 32

# Bits of an EOL with the tag bits before and after it.
_EOL_AND_TAGS = len(EOL) + 2

# Most repairs tried in succession; each good row allows one more.  A page with more errors than good rows
# cannot be repaired, and must not take unlimited time.
_REPAIRS = 100

# Number of recent good rows from which the length of rows is estimated.
_RECENT_ROWS = 32
# Rows of text hardly ever need more than one bit for this many pixels.
_PIXELS_PER_BIT_OF_A_BUSY_ROW = 2

# A piece without an EOL that is as long as this many busy rows is a gap, and counts by the page's average
# row.  A shorter one may be a single row of a picture.
_BUSY_ROWS_OF_A_GAP = 4

# Marks lost octets, so that the bits before and after them never form a row: no row of T.4 has so many ones.
_GAP_MARK = "1" * 64


@dataclass(frozen=True, slots=True)
class _Split:
    """The piece before an EOL that may be a bit error within a row."""

    bits: str
    bad_rows: int  # number of bad rows that it was counted as


class Group3Decoder:
    """Decodes MH, or MR with ``two_dimensional``, into ``page``."""

    def __init__(self, page: GrowingPage, two_dimensional: bool) -> None:
        self._page = page
        self._tagged = two_dimensional
        self._reader = RowReader(page.width, tagged=two_dimensional)
        self._waiting = ""  # bits since the last EOL
        self._begun = False  # an EOL has been seen
        self._eols = 0  # EOLs in succession
        self._fill = 0  # zeros of fill before the last EOL
        self._doubtful = 0  # bad rows after an incomplete RTC: noise, unless a good row follows
        self._broken_eols = 0  # bad rows at the end of the page that look like damaged EOLs
        self._repairs = _REPAIRS  # repairs that may still be tried
        self._row_lengths: deque[int] = deque((0, 0), maxlen=_RECENT_ROWS)
        self._split: _Split | None = None  # the piece before, if it may be the beginning of a row
        self._longest = 2 * longest_row_bits(page.width)
        self._gap_bits = 0  # bits lost from ``_waiting``, or not kept in it
        self._lossy = False  # octets were lost in ``_waiting``
        self._rows = self._rows_bits = 0  # good rows, and their bits with fill and EOL
        self.ended = False
        self.undecoded = 0  # octets behind the end of the page
        self.ends_with_row = True  # nothing follows the last complete row (valid after ``finish``)

    @property
    def ended_properly(self) -> bool:
        """Whether the page ended with RTC rather than in mid page."""
        # Noise after the carrier is one piece or two; more is an unreadable continuation of the page.
        return self._eols >= _EOLS_THAT_END and self._doubtful <= EOLS_IN_RTC

    def gap(self, octets: int) -> None:
        """To be called when ``octets`` octets were lost at this place."""
        self._gap_bits += 8 * octets
        self._lossy = True
        self._waiting += _GAP_MARK

    def feed(self, octets: bytes) -> None:
        """Decodes further octets, first bit of the line in the most significant bit."""
        if self.ended:
            self.undecoded += len(octets)
            return
        searched = max(len(self._waiting) - len(EOL) + 1, 0)
        bits = self._waiting + to_bits(octets)
        begin = 0
        while (end := bits.find(EOL, searched)) >= 0:
            self._take(self._shortened(bits[begin:end]))
            if self.ended:
                self._waiting = ""
                return
            begin = searched = end + len(EOL)
        self._waiting = self._shortened(bits[begin:])

    def _shortened(self, bits: str) -> str:
        """The part to keep of a piece that may be longer than any row; the rest is fill or noise."""
        if len(bits) <= self._longest:
            return bits
        content = bits.rstrip("0")
        self._gap_bits += max(0, len(content) - self._longest)
        # The zeros are kept because an EOL may end with them.
        return content[: self._longest] + "0" * min(len(bits) - len(content), _FILL_KEPT)

    def finish(self) -> None:
        """No more octets come: completes the last row and fills gaps."""
        self._finish_last_row()
        busy = self._page.width / _PIXELS_PER_BIT_OF_A_BUSY_ROW
        self._page.fill_gaps(self._rows_bits / self._rows if self._rows else busy)

    def _finish_last_row(self) -> None:
        if not self._begun or self.ended_properly:
            return
        if self._eols >= _EOLS_THAT_END:
            for _ in range(self._eols - 1 + self._doubtful):
                self._page.add_bad()
        elif self._lossy:
            self._gap(self._waiting)
            self.ends_with_row = False
        else:
            row = self._reader.whole(self._waiting)
            if row is not None:
                self._good(row, len(self._waiting))
            else:
                self.ends_with_row = "1" not in self._waiting[self._tagged :]

    def _take(self, bits: str) -> None:
        """Handles the piece before an EOL."""
        content = bits.rstrip("0")
        if self._lossy:
            self._gap(bits)
        elif not content and self._eols == 1 and len(bits) > self._tagged and len(bits) % len(EOL):
            # Zeros between two EOLs that are not an EOL of RTC, which has no fill.
            if self._tagged and self._fill <= ZEROS_AT_THE_END:
                self._bad(bits)  # a white row (01 with its tag bit) with a bit error
            else:
                # Fill with a bit error that makes it look like an EOL, or the first zeros of a row.
                self._split = _Split(bits, 0)
        elif not content or (self._tagged and len(content) == 1):
            # A tag bit alone, or EOLs without their 1.
            self._end_of_line()
        else:
            row = self._reader.whole(bits)
            if row is not None:
                self._repairs = min(self._repairs + 1, _REPAIRS)
                self._good(row, len(content))
            elif not self._repairs:
                self._bad(bits)
            else:
                self._repairs -= 1
                self._repair(bits)
        self._begun = True
        self._lossy = False
        self._gap_bits = 0
        self._fill = len(bits) - len(content)
        self._rows_bits += self._fill

    def _end_of_line(self) -> None:
        """Counts another EOL in succession."""
        self._split = None
        self._eols += 1
        if self._eols == _EOLS_THAT_END:
            # The bad "rows" just before were EOLs of this RTC.
            self._page.drop(self._broken_eols)
            self._broken_eols = 0
        if self._eols >= EOLS_IN_RTC:
            self.ended = True

    def _good(self, row: bytes, bits: int) -> None:
        """Adds a good row of ``bits`` bits."""
        if self._eols >= _EOLS_THAT_END:
            # That was no RTC: rows were lost there.
            for _ in range(self._eols - 1 + self._doubtful):
                self._page.add_bad()
        self._doubtful = self._broken_eols = 0
        self._split = None
        self._eols = 1
        self._reader.reference = row
        self._row_lengths.append(bits)
        self._rows += 1
        self._rows_bits += bits + len(EOL)
        self._page.add(row)

    def _bad(self, bits: str) -> None:
        """Handles a piece between two EOLs that is not a row."""
        self._split = self._reader.reference = None
        if not self._begun:
            self._eols = 1  # noise of the training
            return
        broken_eol = self._is_broken_eol(bits)
        if self._eols >= _EOLS_THAT_END:
            if broken_eol:
                self._end_of_line()
            else:
                self._doubtful += 1
            return
        self._eols = 1
        if broken_eol:
            self._broken_eols += 1
            rows = 1
        else:
            self._broken_eols = 0
            # A long piece is several rows without their EOLs.  Their number is estimated from the longest of
            # the recent rows or a busy row of text, whichever is longer.
            busy = max(*self._row_lengths, self._page.width // _PIXELS_PER_BIT_OF_A_BUSY_ROW)
            length = len(bits) + self._gap_bits
            if length >= _BUSY_ROWS_OF_A_GAP * busy:
                self._page.add_gap(length)
                return
            rows = max(1, round(length / busy))
        for _ in range(rows):
            self._page.add_bad()
        if rows == 1:
            self._split = _Split(bits, rows)

    def _gap(self, bits: str) -> None:
        """Handles a piece with lost octets: bad rows, whose number is estimated at the end of the page."""
        self._split = self._reader.reference = None
        self._broken_eols = 0
        if self._eols >= _EOLS_THAT_END:
            self._doubtful += 1
            return
        self._eols = 1
        self._page.add_gap(len(bits) - bits.count(_GAP_MARK) * len(_GAP_MARK) + self._gap_bits)

    def _is_broken_eol(self, bits: str) -> bool:
        """Whether a bad piece may be an EOL of an RTC with its tag bits, or what is left of one."""
        if len(bits) > _EOL_AND_TAGS:
            return False
        # A one-dimensional row is never so short.  A two-dimensional one may be, but it seldom has mostly
        # zeros, and with fill it ends with them.
        return not self._tagged or (bits.endswith("1") and bits.count("0") >= 2 * bits.count("1"))

    def _join(self, bits: str) -> bool:
        """Joins this piece and the one before it if they are a row that a wrong bit split by an EOL."""
        split = self._split
        if split is None:
            return False
        rows = self._reader.joined(split.bits, bits)
        if not rows:
            return False
        self._page.drop(split.bad_rows)
        if len(rows) == 1:
            self._good(rows[0], len(split.bits) + len(bits))
        else:
            self._bad(bits)  # several repairs are possible: one bad row
        return True

    def _repair(self, bits: str) -> None:
        """Handles a piece that is not a row: looks for EOLs with one or two wrong bits."""
        row = self._reader.shifted(bits, self._fill)
        if row is not None:
            self._good(row, len(bits))
            return
        if self._join(bits):
            return
        rows, rtc = self._reader.series(bits)
        for row, used in rows:
            self._good(row, used)
        if rtc:
            self._end_of_line()
        if rows:
            return
        # Perhaps at least the row after such an EOL can be decoded.
        last = self._reader.last_row(bits)
        if last is None:
            self._bad(bits)
            return
        row, at = last
        if at:
            self._bad(bits[:at])
        self._good(row, len(bits) - at)
