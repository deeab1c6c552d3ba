"""Reads rows of MH and MR from the bits between two EOLs, also where wrong bits damaged those EOLs.

Bits are strings of 0 and 1 in line order.
"""

from __future__ import annotations

from itertools import combinations, islice

from appliance.t4.codes import EOL, TAG_ONE_DIMENSIONAL
from appliance.t4.rows import decode_row

# Equal rows of MH (margins, blank lines) are decoded once; this many are cached.
_REMEMBERED_ROWS = 128

# Most zeros of an EOL that may be wrong for it to be recognised, if the rows around it confirm it.
_BROKEN_BITS = 2
_BROKEN_EOLS = frozenset(
    "".join("1" if at in hit else "0" for at in range(len(EOL) - 1)) + "1"
    for count in range(_BROKEN_BITS + 1)
    for hit in combinations(range(len(EOL) - 1), count)
)

# Most positions in a damaged piece that are tried for such an EOL, so that noise takes no more time than
# pages.
_TRIES = 64

# The bits that one wrong bit turns into an EOL: one of its zeros was a one.
_SPLITTING_EOLS = tuple(f"{1 << bit | 1:012b}" for bit in range(1, 12))

# Most zeros at the begin of a row's code words (extended make-up codes, T.4 table 3b).
_ZEROS_BEFORE_A_ONE = 7
# Most zeros at their end (white 3).
ZEROS_AT_THE_END = 3


class RowReader:
    """Decodes pieces of a page of this width; with ``tagged`` each row begins with a tag bit (MR).

    Rows are packed octets.
    """

    def __init__(self, width: int, *, tagged: bool) -> None:
        self._width = width
        self._tagged = tagged
        self._remembered: dict[str, bytes] = {}
        self.reference: bytes | None = None  # the row above, None when it is bad

    def whole(self, bits: str) -> bytes | None:
        """The row of which ``bits`` consist, apart from fill at the end, or None."""
        remembered = self._remembered.get(bits)
        if remembered is not None:
            return remembered
        found = self._at_start(bits)
        if found is None or "1" in bits[found[1] :]:
            return None
        row = found[0]
        if not self._tagged or bits[0] == TAG_ONE_DIMENSIONAL:
            if len(self._remembered) >= _REMEMBERED_ROWS:
                self._remembered.clear()
            self._remembered[bits] = row
        return row

    def shifted(self, bits: str, fill: int) -> bytes | None:
        """The row, if a wrong bit shifted an EOL beside it, or None.  ``fill``: zeros before the first EOL.

        An EOL whose 1 is wrong is found late, at the next 1, which removes the first bits of the row.  One
        with wrong zeros may be found early, with zeros from the end of the row before; its last bits are then
        at the begin of the next row.
        """
        late = ("0" * zeros + "1" + bits for zeros in range(min(fill, _ZEROS_BEFORE_A_ONE + 1)))
        left = bits.find("1") + 1
        early = (bits[left:],) if left < len(EOL) else ()
        eaten = (bits + "0" * zeros for zeros in range(1, ZEROS_AT_THE_END + 1))
        for tried in (*late, *early, *eaten):
            row = self._sure(tried)
            if row is not None:
                return row
        return None

    def series(self, bits: str) -> tuple[list[tuple[bytes, int]], bool]:
        """The rows of ``bits`` with the number of bits of each, if damaged EOLs explain all of it, else none.

        The flag is True when ``bits`` end with such an EOL, which the one after ``bits`` then succeeds.
        """
        reference = self.reference
        rows: list[tuple[bytes, int]] = []
        try:
            while (found := self._at_start(bits)) is not None:
                rows.append(found)
                self.reference, used = found
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
            self.reference = reference

    def joined(self, first: str, second: str) -> list[bytes]:
        """The rows that two pieces may be together, when a wrong bit made an EOL within a row."""
        rows = (self._sure(first + eol + second) for eol in _SPLITTING_EOLS)
        return [row for row in rows if row is not None]

    def last_row(self, bits: str) -> tuple[bytes, int] | None:
        """A row at the end of ``bits`` after an EOL with up to two wrong bits, and where that EOL begins."""
        places = range(len(bits) - len(EOL) - 1, -1, -1)
        eols = (at for at in places if bits[at : at + len(EOL)] in _BROKEN_EOLS)
        for at in islice(eols, _TRIES):
            row = self._sure(bits[at + len(EOL) :])
            if row is not None:
                return row, at
        return None

    def _sure(self, bits: str) -> bytes | None:
        """The row of ``bits`` if it can confirm a repair, or None.

        Only one-dimensional rows can: wrong bits hardly ever add up to the width.  Two-dimensional ones do so
        by chance too often.
        """
        if self._tagged and not bits.startswith(TAG_ONE_DIMENSIONAL):
            return None
        return self.whole(bits)

    def _at_start(self, bits: str) -> tuple[bytes, int] | None:
        """The row at the beginning of ``bits`` and its number of bits, or None."""
        tag = int(self._tagged)
        if len(bits) <= tag:
            return None
        above = None
        if self._tagged and bits[0] != TAG_ONE_DIMENSIONAL:
            above = self.reference
            if above is None:
                return None
        found = decode_row(bits[tag:], self._width, above)
        return None if found is None else (found[0], found[1] + tag)


def _behind_broken_eol(bits: str) -> str | None:
    """What follows an EOL with up to two wrong bits at the begin of ``bits``, fill allowed; else None."""
    fill = len(bits) - len(bits.lstrip("0"))
    for at in range(max(fill - len(EOL), 0), fill + 1):
        if bits[at : at + len(EOL)] in _BROKEN_EOLS:
            return bits[at + len(EOL) :]
    return None
