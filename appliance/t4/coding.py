"""Encoding and decoding of whole pages, fill for the minimum scan line time, and counting of rows."""

from __future__ import annotations

from appliance.t4 import _mmr
from appliance.t4.bits import from_bits, to_bits
from appliance.t4.codes import BLACK_CODES, EOL, EOLS_IN_RTC, TAG_ONE_DIMENSIONAL, WHITE_CODES
from appliance.t4.page import CodedPage, Coding, Raster, Resolution
from appliance.t4.tolerant import TolerantDecoder

# T.4 4.2.1.1: each one-dimensional row is followed by at most K − 1 two-dimensional ones.  K is 2 at
# 3.85 line/mm and 4 at 7.7, and grows with the resolution so that an error damages the same height of paper.
K_BY_RESOLUTION: dict[Resolution, int] = {
    Resolution.STANDARD: 2,
    Resolution.FINE: 4,
    Resolution.R300: 6,
    Resolution.SUPERFINE: 8,
    Resolution.R400: 8,
    Resolution.R16_15: 8,
}

# Largest page: 64 Mpixel are two pages of A3 at 408 × 391, or 4.8 m of A4 at fine.
MAX_PIXELS = 1 << 26


class PageError(ValueError):
    """A page that is too large, or coded data that are damaged or have another number of rows."""


def encode(raster: Raster, coding: Coding, *, k: int | None = None) -> CodedPage:
    """Codes a page: MH and MR with an EOL before each row and RTC, MMR with EOFB.

    ``k`` is MR's K (T.4 4.2.1.1), the resolution's own when None.  Raises PageError when the page is
    beyond MAX_PIXELS, ValueError when ``k`` is less than 1.
    """
    width, rows = raster.width, raster.rows
    if width * rows > MAX_PIXELS:
        raise PageError(f"a page of {width} x {rows} pixels is beyond {MAX_PIXELS}")
    if k is None:
        k = K_BY_RESOLUTION[raster.resolution]
    if k < 1:
        raise ValueError(f"K = {k}")
    match coding:
        case Coding.MH:
            end, every, tagged = EOL * EOLS_IN_RTC, 1, False
        case Coding.MR:
            end, every, tagged = (EOL + TAG_ONE_DIMENSIONAL) * EOLS_IN_RTC, k, True
        case Coding.MMR:
            end, every, tagged = "", 0, False
    # RTC begins on an octet: the zeros before it are fill, which T.4 4.1.3 allows before any EOL.
    data = _mmr.encode(raster.data, width, rows, _WORDS, every, tagged) + from_bits(end)
    return CodedPage(coding, raster.resolution, width, rows, data)


# The code words for `_mmr`: white runs by length, then black ones, each as its number of bits and two octets.
_WORDS = b"".join(
    bytes((len(codes[run]),)) + int(codes[run], 2).to_bytes(2, "big")
    for codes in (WHITE_CODES, BLACK_CODES)
    for run in sorted(codes)
)


def decode(page: CodedPage) -> Raster:
    """The pixels of an undamaged page.

    Raises PageError when a row is damaged, when the number of rows is not that of the page, or when the page
    is larger than MAX_PIXELS.  ``TolerantDecoder`` decodes damaged pages.
    """
    width, rows = page.width, page.rows
    if width * rows > MAX_PIXELS:
        raise PageError(f"a page of {width} x {rows} pixels is beyond {MAX_PIXELS}")
    decoder = TolerantDecoder(page.coding, width, page.resolution, max_rows=rows)
    decoder.feed(page.data)
    received = decoder.finish()
    if received.too_long or received.rows != rows:
        found = f"more than {rows}" if received.too_long else str(received.rows)
        raise PageError(f"{found} rows where the page says {rows}")
    if received.bad_rows:
        raise PageError(f"{received.bad_rows} of {rows} rows are damaged")
    return received.raster


def recode(page: CodedPage, coding: Coding, *, k: int | None = None) -> CodedPage:
    """The page in another coding; the page itself when it has that coding and ``k`` is None.

    Raises PageError as ``decode`` does.
    """
    if coding is page.coding and k is None:
        return page
    return encode(decode(page), coding, k=k)


def decode_rows(coding: Coding, width: int, data: bytes) -> Raster:
    """The rows in coded data of a complete page, as many as there are.

    Raises PageError when a row is damaged or the page is larger than MAX_PIXELS.
    """
    decoder = TolerantDecoder(coding, width, max_rows=MAX_PIXELS // width)
    decoder.feed(data)
    received = decoder.finish()
    if received.too_long:
        raise PageError(f"a page {width} pixels wide is beyond {MAX_PIXELS} pixels")
    if received.bad_rows:
        raise PageError(f"{received.bad_rows} of {received.rows} rows are damaged")
    return received.raster


def count_rows(coding: Coding, width: int, data: bytes) -> int:
    """The number of rows in coded data of a complete page.  Raises PageError as ``decode_rows`` does."""
    return decode_rows(coding, width, data).rows


def minimum_row_bits(scan_ms: int, bit_rate: int) -> int:
    """Minimum length of a row on the line, bits (T.4 clause 3), rounded up.

    ``scan_ms`` is the minimum transmission time in milliseconds (T.30 table 2, bits 21 to 23: 0 to 40),
    ``bit_rate`` in bits a second.
    """
    return -(-scan_ms * bit_rate // 1000)


def with_fill(data: bytes, min_row_bits: int) -> bytes:
    """MH or MR data with fill added, so that no row is shorter on the line than ``min_row_bits``.

    The length of a row includes its data, its fill and one EOL with its tag bit (T.4 clause 3).  Fill goes
    between data and EOL (T.4 4.1.3); there is none within RTC.
    """
    rows = to_bits(data).split(EOL)
    need = min_row_bits - len(EOL)
    # rows[0] is what precedes the first EOL; rows no longer than a tag bit belong to RTC.
    filled = [row.ljust(need, "0") if number and len(row) > 1 else row for number, row in enumerate(rows)]
    filled[-1] = rows[-1]  # after RTC: padding of the last octet
    return from_bits(EOL.join(filled))


__all__ = [
    "K_BY_RESOLUTION",
    "MAX_PIXELS",
    "PageError",
    "count_rows",
    "decode",
    "decode_rows",
    "encode",
    "minimum_row_bits",
    "recode",
    "with_fill",
]
