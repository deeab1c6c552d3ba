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
* What looks like an EOL with a wrong bit or two is repaired when the rows around it prove it: when the
  row before it, or the row behind it, comes out to the bit.
* Nothing is counted before the first EOL (training leaves noise there) and behind the last one of a
  page that just stops, unless it is a whole row.

MMR has no EOLs (T.6): the page ends at its first fault, which counts as one bad row.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import combinations, groupby

from appliance.t4.bits import to_bits
from appliance.t4.codes import EOL, EOLS_IN_RTC, TAG_ONE_DIMENSIONAL
from appliance.t4.page import Coding, Raster, Resolution
from appliance.t4.rows import (
    PADDING,
    RowError,
    decode_row_1d,
    decode_row_2d,
    longest_row_bits,
    paint_row,
)

# A page of more pixels than this is cut: 64 Mpixel are 4.8 m of A4 at fine.
MAX_PAGE_PIXELS = 1 << 26

# Two EOLs in succession begin an RTC: see above.
_EOLS_THAT_END = 2

# Fill kept while waiting for the EOL behind it.  More changes nothing: T.4 sets fill no limit but time.
_FILL_KEPT = 32

# Rows that look alike in MH (margins, blank lines) are decoded once; so many are remembered.
_REMEMBERED_ROWS = 128

# Bits of coded data looked at for one MMR row at first: most rows are far shorter.
_MMR_WINDOW_OCTETS = 64
_EOFB_BITS = 24
_EOFB_VALUE = 0x001001

# An EOL with up to so many of its zeros turned into ones is still looked for, where rows can prove it.
_BROKEN_BITS = 2
_BROKEN_EOLS = frozenset(
    "".join("1" if at in hit else "0" for at in range(len(EOL) - 1)) + "1"
    for count in range(_BROKEN_BITS + 1)
    for hit in combinations(range(len(EOL) - 1), count)
)

# An EOL with a tag bit before and behind it.
_EOL_AND_TAGS = len(EOL) + 2

# So many places in a bad piece are tried for such an EOL: noise must not cost more time than pages do.
_TRIES = 64

# So many repairs are tried in succession, and one more for every row that comes out well.  A page that
# has more wrong than right is beyond repair, and whoever sends it must not make us work for it.
_REPAIRS = 100

# What an EOL was before a wrong bit made it: one of its zeros was a one.
_SPLITTING_EOLS = tuple(f"{1 << bit | 1:012b}" for bit in range(1, 12))

# No code word of a row begins with more zeros than this (extended make-up codes, T.4 table 3b).
_ZEROS_BEFORE_A_ONE = 7
# And none ends with more (white 3).
_ZEROS_AT_THE_END = 3

# How many good rows tell how long rows are hereabouts.
_RECENT_ROWS = 32
# Rows of text hardly ever take more than a bit for so many pixels.
_PIXELS_PER_BIT_OF_A_BUSY_ROW = 2

# A decoded row: its changing elements and its pixels.
_Row = tuple[list[int], bytes]


@dataclass(frozen=True, slots=True)
class ReceivedRows:
    """A page as decoded, repaired where needed."""

    raster: Raster
    rows: int
    bad_rows: int
    longest_bad_run: int
    ended_with_rtc: bool  # with EOFB when the coding is MMR
    too_long: bool = False  # rows beyond the limit were thrown away


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
        self._page = _Page(width, resolution, limit if max_rows is None else max_rows)
        self._decoder: _Group3 | _Group4 = (
            _Group4(self._page) if coding is Coding.MMR else _Group3(self._page, coding is Coding.MR)
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

    def finish(self) -> ReceivedRows:
        """The page, after the last octet.  Feeding more afterwards is an error of the caller."""
        self._decoder.finish()
        page = self._page
        raster = Raster(page.width, len(page.bad), bytes(page.pixels), page.resolution)
        longest = max((len(list(run)) for bad, run in groupby(page.bad) if bad), default=0)
        return ReceivedRows(
            raster, len(page.bad), page.bad.count(1), longest, self._decoder.ended_properly, page.too_long
        )


class _Page:
    """Rows decoded so far, each marked good or bad."""

    def __init__(self, width: int, resolution: Resolution, max_rows: int) -> None:
        self.width = width
        self.resolution = resolution
        self.max_rows = max_rows
        self.row_octets = (width + 7) // 8
        self.pixels = bytearray()
        self.bad = bytearray()  # one octet a row: 1 is bad
        self.too_long = False

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
        """Takes the last rows back."""
        if rows:
            del self.pixels[-rows * self.row_octets :]
            del self.bad[-rows:]


@dataclass(frozen=True, slots=True)
class _Split:
    """What stood before an EOL that may not have been one."""

    bits: str
    bad_rows: int  # that it was counted as


class _Group3:
    """MH and MR: rows between EOLs."""

    def __init__(self, page: _Page, two_dimensional: bool) -> None:
        self._page = page
        self._tagged = two_dimensional
        self._waiting = ""  # bits since the last EOL
        self._begun = False  # an EOL has been seen
        self._eols = 0  # EOLs in succession
        self._fill = 0  # zeros before the last EOL that are not its own
        self._reference: list[int] | None = None  # the row above, None when it is not known
        self._doubtful = 0  # bad rows behind an RTC that is not whole: noise, if no good row follows
        self._broken_eols = 0  # bad rows at the end of the page that look more like EOLs
        self._repairs = _REPAIRS  # that may be tried
        self._row_lengths: deque[int] = deque((0, 0), maxlen=_RECENT_ROWS)
        self._split: _Split | None = None  # a piece just before that may be the beginning of a row
        self._remembered: dict[str, _Row] = {}
        self._longest = 2 * longest_row_bits(page.width)
        self.ended = False

    @property
    def ended_properly(self) -> bool:
        # Noise behind the carrier is a piece or two; more of it is a page that went on, unreadably.
        return self._eols >= _EOLS_THAT_END and self._doubtful <= EOLS_IN_RTC

    def feed(self, octets: bytes) -> None:
        searched = max(len(self._waiting) - len(EOL) + 1, 0)
        bits = self._waiting + to_bits(octets)
        begin = 0
        while (end := bits.find(EOL, searched)) >= 0:
            self._take(bits[begin:end])
            if self.ended:
                self._waiting = ""
                return
            begin = searched = end + len(EOL)
        rest = bits[begin:]
        if len(rest) > self._longest:
            # Fill, or noise.  What must be kept are the zeros that an EOL may end.
            content = rest.rstrip("0")
            rest = content[: self._longest] + "0" * min(len(rest) - len(content), _FILL_KEPT)
        self._waiting = rest

    def finish(self) -> None:
        if not self._begun or self.ended_properly:
            return
        if self._eols >= _EOLS_THAT_END:
            for _ in range(self._eols - 1 + self._doubtful):
                self._page.add_bad()
        else:
            row = self._whole_row(self._waiting)
            if row is not None:
                self._good(row, len(self._waiting))

    def _take(self, bits: str) -> None:
        """What stood before an EOL."""
        content = bits.rstrip("0")
        if not content and self._eols == 1 and len(bits) > self._tagged and len(bits) % len(EOL):
            # No EOL of an RTC, where there is no fill.
            if self._tagged and self._fill <= _ZEROS_AT_THE_END:
                self._bad(bits)  # a white row, 01 with its tag bit, that was hit
            else:
                # Fill that was hit and looks like an EOL, or the zeros that a row begins with.
                self._split = _Split(bits, 0)
        elif not content or (self._tagged and len(content) == 1):
            # Nothing but a tag bit, or EOLs that lost their 1.
            self._end_of_line()
        else:
            row = self._whole_row(bits)
            if row is not None:
                self._repairs = min(self._repairs + 1, _REPAIRS)
                self._good(row, len(content))
            elif not self._repairs:
                self._bad(bits)
            else:
                self._repairs -= 1
                self._repair(bits)
        self._begun = True
        self._fill = len(bits) - len(content)

    def _end_of_line(self) -> None:
        """One more EOL in succession."""
        self._split = None
        self._eols += 1
        if self._eols == _EOLS_THAT_END:
            # The bad "rows" just before were EOLs of this RTC.
            self._page.drop(self._broken_eols)
            self._broken_eols = 0
        if self._eols >= EOLS_IN_RTC:
            self.ended = True

    def _good(self, row: _Row, bits: int) -> None:
        """A row, ended by an EOL."""
        if self._eols >= _EOLS_THAT_END:
            # No RTC after all: where it seemed to be, rows were lost.
            for _ in range(self._eols - 1 + self._doubtful):
                self._page.add_bad()
        self._doubtful = self._broken_eols = 0
        self._split = None
        self._eols = 1
        self._reference, painted = row
        self._row_lengths.append(bits)
        self._page.add(painted)

    def _bad(self, bits: str) -> None:
        """Something between two EOLs that is no row."""
        self._split = self._reference = None
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
            # A long piece is several rows whose EOLs are lost.  The longest of the rows before it, or
            # a busy row of text, is a careful measure of how many.
            busy = max(*self._row_lengths, self._page.width // _PIXELS_PER_BIT_OF_A_BUSY_ROW)
            rows = max(1, round(len(bits) / busy))
        for _ in range(rows):
            self._page.add_bad()
        if rows == 1:
            self._split = _Split(bits, rows)

    def _is_broken_eol(self, bits: str) -> bool:
        """Whether a bad piece may be an EOL of an RTC with its tag bits, or what is left of one."""
        if len(bits) > _EOL_AND_TAGS:
            return False
        # A one-dimensional row is never so short.  A two-dimensional one is, but seldom mostly zeros,
        # and with fill behind it ends with them.
        return not self._tagged or (bits.endswith("1") and bits.count("0") >= 2 * bits.count("1"))

    def _join(self, bits: str) -> bool:
        """Whether this piece and the one before it are a row that a wrong bit split with an EOL."""
        split = self._split
        if split is None:
            return False
        whole = [self._sure_row(split.bits + eol + bits) for eol in _SPLITTING_EOLS]
        rows = [row for row in whole if row is not None]
        if not rows:
            return False
        self._page.drop(split.bad_rows)
        if len(rows) == 1:
            self._good(rows[0], len(split.bits) + len(bits))
        else:
            self._bad(bits)  # it is one row, but which?
        return True

    def _repair(self, bits: str) -> None:
        """A piece between two EOLs that is not one row: finds the EOLs that lost or gained a bit or two."""
        row = self._shifted_row(bits)
        if row is not None:
            self._good(row, len(bits))
            return
        if self._join(bits):
            return
        rows, rtc = self._rows_with_broken_eols(bits)
        for row, used in rows:
            self._good(row, used)
        if rtc:
            self._end_of_line()
        if rows:
            return
        # Perhaps the row behind such an EOL can be had.
        tries = _TRIES
        for at in range(len(bits) - len(EOL) - 1, -1, -1):
            if bits[at : at + len(EOL)] not in _BROKEN_EOLS:
                continue
            behind = self._sure_row(bits[at + len(EOL) :])
            if behind is not None:
                if at:
                    self._bad(bits[:at])
                self._good(behind, len(bits) - at)
                return
            tries -= 1
            if not tries:
                break
        self._bad(bits)

    def _rows_with_broken_eols(self, bits: str) -> tuple[list[tuple[_Row, int]], bool]:
        """The rows that ``bits`` are, with the bits of each, if broken EOLs explain all of it.

        None otherwise.  True when the last of the EOLs and the one behind ``bits`` succeed each other.
        """
        reference = self._reference
        rows: list[tuple[_Row, int]] = []
        try:
            while (found := self._row_at_start(bits)) is not None:
                rows.append(found)
                (self._reference, _), used = found
                behind = bits[used:]
                if "1" not in behind:
                    return rows, False
                rest = _behind_broken_eol(behind)
                if rest is None:
                    noisy_fill = len(behind) >= len(EOL) and behind.count("1") <= _BROKEN_BITS
                    return (rows, False) if noisy_fill else ([], False)
                if len(rest) <= 1 or "1" not in rest[self._tagged :]:
                    return rows, True
                bits = rest
            return [], False
        finally:
            self._reference = reference

    def _whole_row(self, bits: str) -> _Row | None:
        """The row that ``bits`` is, fill at its end allowed."""
        remembered = self._remembered.get(bits)
        if remembered is not None:
            return remembered
        found = self._row_at_start(bits)
        if found is None or "1" in bits[found[1] :]:
            return None
        row = found[0]
        if not self._tagged or bits[0] == TAG_ONE_DIMENSIONAL:
            if len(self._remembered) >= _REMEMBERED_ROWS:
                self._remembered.clear()
            self._remembered[bits] = row
        return row

    def _shifted_row(self, bits: str) -> _Row | None:
        """The row when a wrong bit moved the EOL before it or behind it.

        An EOL that lost its 1 is found late, at the next 1: the row's own first bits are gone with it.
        One whose last zeros were hit is found early where zeros stand before it: it takes those of the
        row's end, and leaves its own last bits to the next row.
        """
        late = ("0" * zeros + "1" + bits for zeros in range(min(self._fill, _ZEROS_BEFORE_A_ONE + 1)))
        left = bits.find("1") + 1
        early = (bits[left:],) if left < len(EOL) else ()
        eaten = (bits + "0" * zeros for zeros in range(1, _ZEROS_AT_THE_END + 1))
        for tried in (*late, *early, *eaten):
            row = self._sure_row(tried)
            if row is not None:
                return row
        return None

    def _sure_row(self, bits: str) -> _Row | None:
        """A whole row that proves a guess.

        One-dimensional ones do: of wrong bits hardly any add up.  Two-dimensional ones often do by chance.
        """
        if self._tagged and not bits.startswith(TAG_ONE_DIMENSIONAL):
            return None
        return self._whole_row(bits)

    def _row_at_start(self, bits: str) -> tuple[_Row, int] | None:
        """A row at the beginning of ``bits``, and how many of them it took."""
        width = self._page.width
        tag = 1 if self._tagged else 0
        length = len(bits) - tag
        if length <= 0:
            return None
        value = int(bits, 2) << PADDING
        try:
            if not tag:
                changes, used = decode_row_1d(value, length, width)
            elif bits[0] == TAG_ONE_DIMENSIONAL:
                changes, used = decode_row_1d(value & ((1 << (length + PADDING)) - 1), length, width)
            elif self._reference is not None:
                changes, used = decode_row_2d(value, length, width, self._reference)
            else:
                return None
        except RowError:
            return None
        return (changes, paint_row(changes, width)), used + tag


class _Group4:
    """MMR: rows one behind the other, then EOFB."""

    def __init__(self, page: _Page) -> None:
        self._page = page
        self._data = bytearray()  # octets not yet decoded
        self._skip = 0  # bits of the first one that are
        self._reference: list[int] = []
        self._longest = longest_row_bits(page.width)
        self.ended = False
        self.ended_properly = False

    def feed(self, octets: bytes) -> None:
        self._data += octets
        # A row at a time, each known to be there whole; the last ones wait for finish().
        if len(self._data) >= _MMR_WINDOW_OCTETS:
            self._decode(last=False)

    def finish(self) -> None:
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
                break  # the filling of the last octet, and no EOFB
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


def _behind_broken_eol(bits: str) -> str | None:
    """What follows when ``bits`` begins with an EOL that lost a bit or two, after fill or not."""
    fill = len(bits) - len(bits.lstrip("0"))
    for at in range(max(fill - len(EOL), 0), fill + 1):
        if bits[at : at + len(EOL)] in _BROKEN_EOLS:
            return bits[at + len(EOL) :]
    return None
