"""Fax pages without a container: files of T.4 or T.6 codes, as modem programs keep them, and CALS.

They do not say how wide they are and in which order their bits are.  This is found: by the EOLs of T.4, and
by the width at which the rows fit.  Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from appliance.documents import causes
from appliance.documents.errors import DocumentError
from appliance.documents.first_octets import CALS
from appliance.t4.bits import from_bits, reverse_bits, to_bits
from appliance.t4.codes import EOFB, EOL
from appliance.t4.group4 import End, decode_rows
from appliance.t4.page import SCAN_LINE_PIXELS, Coding, Raster
from appliance.t4.rows import longest_row_bits
from appliance.t4.tolerant import MAX_PAGE_PIXELS, ReceivedRows, TolerantDecoder

# A fax page has some 50,000 octets.
LARGEST = 8 << 20
_WIDTHS = sorted({pixels for widths in SCAN_LINE_PIXELS.values() for pixels in widths.values()})
# Octets from which width and coding of T.4 are found, ten rows of a photograph; good rows that show it.
_TRIED, _LEAST_ROWS = 1 << 13, 8
# Of T.6 without EOFB: the last places at which a page is tried to begin, and rows that show that it does.
_MOST_SEAMS, _ROWS_BEHIND_SEAM = 200, 64
_FIRST_EOL = re.compile(f"0*{EOL}")
# RTC has six EOLs, with a tag bit each in two-dimensional coding; some programs write fewer.
_RTC = re.compile(f"(?:{EOL}1?){{4,}}")
# CALS (MIL-R-28002): a header of records, and those that say how the pixels lie; angles are in degrees.
_CALS_HEADER = 2048
_CALS_SIZE = re.compile(rb"rpelcnt:\s{0,20}(\d{1,6})\s{0,20},\s{0,20}(\d{1,6})")
_CALS_DENSITY = re.compile(rb"rdensty:\s{0,20}(\d{1,5})")
_CALS_PATH = re.compile(rb"rorient:\s{0,20}(\d{1,3})")
_CALS_PIXELS = 64_000_000


@dataclass(frozen=True, slots=True)
class FaxPage:
    """A page.  ``dpi`` is 0 if it is not stated; ``turned``: by how many degrees to turn it to the left.

    ``is_ended``: the file says where it ends.
    """

    raster: Raster
    is_damaged: bool
    is_ended: bool = True
    dpi: int = 0
    turned: int = 0


def is_group3(content: bytes) -> bool:
    """Whether a file, of which the beginning is enough, consists of rows of T.4."""
    return content.startswith(b"\0") and _coding_of(to_bits(_in_order(content[:_TRIED]))) is not None


def fax_pages(content: bytes, most: int) -> list[FaxPage]:
    """The pages of a file, at most ``most`` and one.  Raises DocumentError: DOCUMENT_DAMAGED."""
    if content.startswith(CALS):
        return [_cals(content)]
    received = _group3(content, most + 1)
    if received:
        return [_page(page, is_ended=True) for page in received]
    received = _group4(content, most + 1)
    if not received:
        raise DocumentError(causes.DOCUMENT_DAMAGED, "no rows of a fax can be read in it")
    *followed, last = received
    return [
        *(_page(page, is_ended=page.ended_with_rtc or not page.bad_rows) for page in followed),
        _page(last, is_ended=last.ended_with_rtc),
    ]


def _page(received: ReceivedRows, *, is_ended: bool) -> FaxPage:
    return FaxPage(received.raster, received.bad_rows > 0 or not received.ends_with_row, is_ended)


def _in_order(content: bytes) -> bytes:
    """T.4 with the first bit of an octet in its most significant position."""
    return max((content, reverse_bits(content)), key=lambda each: to_bits(each[:_TRIED]).count(EOL))


def _coding_of(bits: str) -> tuple[Coding, int] | None:
    """The coding and width at which most of the first rows of T.4 are good."""
    if not _FIRST_EOL.match(bits):
        return None
    tried = from_bits(bits[: 8 * _TRIED])
    found = [
        (good, coding, width)
        for coding in (Coding.MH, Coding.MR)
        for width in _WIDTHS
        if (good := _good_rows(_decoded(coding, width, tried))) >= _LEAST_ROWS
    ]
    return max(found, key=lambda each: each[0])[1:] if found else None


def _good_rows(received: ReceivedRows) -> int:
    """Good rows; 0 if they are not most."""
    good = received.rows - received.bad_rows
    return good if good > received.bad_rows else 0


def _decoded(coding: Coding, width: int, octets: bytes) -> ReceivedRows:
    decoder = TolerantDecoder(coding, width)
    decoder.feed(octets)
    return decoder.finish()


def _group3(content: bytes, most: int) -> list[ReceivedRows]:
    """The pages of T.4, each ended by its RTC; none if it is not T.4."""
    bits = to_bits(_in_order(content))
    found = _coding_of(bits)
    if found is None:
        return []
    pieces = [piece for piece in _RTC.split(bits) if "1" in piece][:most]
    tag = "1" if found[0] is Coding.MR else ""
    pages = [_decoded(*found, from_bits(_begun(piece, tag) + (EOL + tag) * 6)) for piece in pieces]
    return [page for page in pages if page.rows]


def _begun(piece: str, tag: str) -> str:
    """A page with an EOL before its first row, which may have gone with the RTC before it."""
    return piece if _FIRST_EOL.match(piece) else EOL + tag + piece


def _group4(content: bytes, most: int) -> list[ReceivedRows]:
    """The pages of T.6; none if it is not T.6."""
    best: list[ReceivedRows] = []
    for octets in (content, reverse_bits(content)):
        pieces = list(_ended_by_eofb(to_bits(octets)))[:most]
        for width in _WIDTHS:
            first = _decoded(Coding.MMR, width, pieces[0]) if pieces else None
            if first is not None and first.rows - first.bad_rows > max(
                _LEAST_ROWS, sum(page.rows - page.bad_rows for page in best[:1])
            ):
                apart = (page for piece in pieces for page in _told_apart(piece, width))
                best = list(islice(apart, most))
    return [page for page in best if page.rows]


def _ended_by_eofb(bits: str) -> Iterator[bytes]:
    """The octets of each page; the next one begins with an octet of its own."""
    begin = 0
    while bits.find("1", begin) >= 0:
        end = bits.find(EOFB, begin)
        end = len(bits) if end < 0 else end + len(EOFB)
        yield from_bits(bits[begin:end])
        begin = -(-end // 8) * 8


def _told_apart(octets: bytes, width: int) -> Iterator[ReceivedRows]:
    """The pages of T.6 in a piece of which only the last one may end in EOFB."""
    while True:
        page = _decoded(Coding.MMR, width, octets)
        seam = _seam(octets, width) if page.bad_rows and not page.ended_with_rtc else 0
        if not seam:
            yield page
            return
        yield _decoded(Coding.MMR, width, octets[:seam])
        octets = octets[seam:]


def _seam(octets: bytes, width: int) -> int:
    """The octet with which the page after the first one begins, 0 if none does.

    The first page's last row is filled up with zeros; behind these, rows follow that refer to a white one.
    """
    candidates: list[int] = []
    at, above, end = 0, b"", End.FULL
    window = 2 * longest_row_bits(width) // 8  # octets; a row and the beginning of the next
    for _ in range(MAX_PAGE_PIXELS // width):
        if end is not End.FULL:
            break
        piece = octets[at >> 3 : (at >> 3) + window]
        is_last = (at >> 3) + window >= len(octets)
        above, position, end = decode_rows(piece, at & 7, width, 1, above=above, last=is_last)
        at = (at & ~7) + position
        octet = -(-at // 8)
        if above and not octets[octet - 1] & ((1 << (8 * octet - at)) - 1):
            candidates.append(octet)
    for octet in reversed(candidates[-_MOST_SEAMS:]):
        rows, _, end = decode_rows(octets[octet:], 0, width, _ROWS_BEHIND_SEAM, above=b"", last=True)
        if end is End.FULL or (end is not End.DAMAGED and len(rows) >= _LEAST_ROWS * ((width + 7) // 8)):
            return octet
    return 0


def _cals(content: bytes) -> FaxPage:
    """The page of a CALS file of type 1."""
    head = content[:_CALS_HEADER]
    size, density, path = _CALS_SIZE.search(head), _CALS_DENSITY.search(head), _CALS_PATH.search(head)
    width, rows = (int(size[1]), int(size[2])) if size is not None else (0, 0)
    if not 0 < width * rows <= _CALS_PIXELS:
        raise DocumentError(causes.DOCUMENT_DAMAGED, f"a CALS file of {width} x {rows} pixels")
    decoder = TolerantDecoder(Coding.MMR, width, max_rows=rows)
    decoder.feed(content[_CALS_HEADER:])
    received = decoder.finish()
    good = received.rows - received.bad_rows
    if not good:
        raise DocumentError(causes.DOCUMENT_DAMAGED, "no rows can be read in it; tiles are not read")
    turned = int(path[1]) if path is not None and int(path[1]) in {90, 180, 270} else 0
    dpi = int(density[1]) if density else 0
    return FaxPage(received.raster, good < rows, dpi=dpi, turned=turned)
