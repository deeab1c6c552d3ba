"""Writes TIFF class F files (RFC 2306; RFC 2301 profiles S and F), one page at a time.

Pillow is not used for it: coded pages go into the file unchanged, the photometric tag is WhiteIsZero as fax
requires, and only one page is in memory.  ``FaxTiff`` (``tiff_reading``) also reads the bilevel files of
other programs.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from os import PathLike
from typing import BinaryIO, Self

from appliance.t4 import tiff_tags as tags
from appliance.t4.bits import from_bits, to_bits
from appliance.t4.coding import encode
from appliance.t4.page import CodedPage, Coding, Raster
from appliance.t4.tiff_reading import FaxTiff, TiffError, nearest_resolution, without_rtc
from appliance.t4.tolerant import ReceivedRows

__all__ = ["FaxTiff", "Page", "TiffError", "TiffWriter", "nearest_resolution", "write_tiff"]

Page = CodedPage | Raster | ReceivedRows


def write_tiff(path: str | PathLike[str], pages: Iterable[Page], *, coding: Coding = Coding.MMR) -> int:
    """Writes all pages to a file, one at a time, and returns their number.

    A coded page is written unchanged, without RTC, which class F leaves out; a raster is encoded with
    ``coding``; received rows get the tags BadFaxLines and ConsecutiveBadFaxLines.
    Raises ValueError when there is no page.  An exception from ``pages`` is passed on; the file then has the
    pages before it.
    """
    with open(path, "wb") as file, TiffWriter(file, coding=coding) as writer:
        for page in pages:
            writer.add(page)
        if not writer.pages:
            raise ValueError("a TIFF file of no pages")
    return writer.pages


class TiffWriter:
    """Writes pages to a new file, which must be seekable; to be ended by ``close`` or used in ``with``.

    ``description`` (ASCII) becomes the ImageDescription of each page.
    """

    def __init__(self, file: BinaryIO, *, coding: Coding = Coding.MMR, description: str = "") -> None:
        self._file = file
        self._description = description.encode("ascii", "replace") + b"\0" if description else b""
        self._coding = coding
        self._page_numbers: list[int] = []  # where the PageNumber values are
        self._link = 4  # where the offset of the next directory belongs
        self._end = 8
        file.write(struct.pack("<2sHI", b"II", 42, 0))

    @property
    def pages(self) -> int:
        """Number of pages so far."""
        return len(self._page_numbers)

    def add(self, page: Page) -> None:
        """Writes a page.  A page without rows, which TIFF does not allow, becomes one white row."""
        bad: ReceivedRows | None = None
        if isinstance(page, ReceivedRows):
            bad, page = page, page.raster
        if not page.rows:
            page = Raster(page.width, 1, bytes((page.width + 7) // 8), page.resolution)
        if isinstance(page, Raster):
            page = encode(page, self._coding)
        group3 = page.coding is not Coding.MMR
        data = from_bits(without_rtc(to_bits(page.data))) if group3 else page.data
        entries: list[tuple[int, int, tuple[int, ...]]] = [
            (tags.SUBFILE_TYPE, tags.LONG, (tags.SUBFILE_PAGE,)),
            (tags.WIDTH, tags.LONG, (page.width,)),
            (tags.LENGTH, tags.LONG, (page.rows,)),
            (tags.BITS_PER_SAMPLE, tags.SHORT, (1,)),
            (tags.COMPRESSION, tags.SHORT, (tags.GROUP3 if group3 else tags.GROUP4,)),
            (tags.PHOTOMETRIC, tags.SHORT, (tags.WHITE_IS_ZERO,)),
            (tags.FILL_ORDER, tags.SHORT, (tags.MSB_FIRST,)),
            *([(tags.IMAGE_DESCRIPTION, tags.ASCII, tuple(self._description))] if self._description else []),
            (tags.STRIP_OFFSETS, tags.LONG, (self._end,)),
            (tags.ORIENTATION, tags.SHORT, (1,)),
            (tags.SAMPLES_PER_PIXEL, tags.SHORT, (1,)),
            (tags.ROWS_PER_STRIP, tags.LONG, (page.rows,)),
            (tags.STRIP_OCTETS, tags.LONG, (len(data),)),
            (tags.X_RESOLUTION, tags.RATIONAL, (page.resolution.x_dpi, 1)),
            (tags.Y_RESOLUTION, tags.RATIONAL, (page.resolution.y_dpi, 1)),
            (tags.T4_OPTIONS, tags.LONG, (int(page.coding is Coding.MR),))
            if group3
            else (tags.T6_OPTIONS, tags.LONG, (0,)),
            (tags.RESOLUTION_UNIT, tags.SHORT, (tags.INCH,)),
            (tags.PAGE_NUMBER, tags.SHORT, (min(self.pages, 0xFFFF), 0)),
        ]
        if bad is not None:
            entries += [
                (tags.BAD_FAX_LINES, tags.LONG, (bad.bad_rows,)),
                (tags.CLEAN_FAX_DATA, tags.SHORT, (tags.REGENERATED if bad.bad_rows else tags.CLEAN,)),
                (tags.CONSECUTIVE_BAD_FAX_LINES, tags.LONG, (bad.longest_bad_run,)),
            ]
        self._write(data, entries)

    def _write(self, data: bytes, entries: list[tuple[int, int, tuple[int, ...]]]) -> None:
        """Writes the strip, values that do not fit into their entry, the directory, and the link to it."""
        strip = data + bytes(len(data) % 2)  # TIFF requires directories at even offsets
        loose = b""
        loose_at = self._end + len(strip)
        table = struct.pack("<H", len(entries))
        number_entry = 0
        for tag, kind, values in entries:
            letter = {tags.ASCII: "B", tags.SHORT: "H"}.get(kind, "I")
            packed = struct.pack(f"<{len(values)}{letter}", *values)
            if tag == tags.PAGE_NUMBER:
                number_entry = len(table) + 8
            if len(packed) > 4:
                packed, loose = (
                    struct.pack("<I", loose_at + len(loose)),
                    loose + packed + bytes(len(packed) % 2),  # values begin at even offsets
                )
            count = 1 if kind == tags.RATIONAL else len(values)
            table += struct.pack("<HHI", tag, kind, count) + packed.ljust(4, b"\0")
        directory = loose_at + len(loose)
        file = self._file
        file.seek(self._end)
        file.write(strip + loose + table + bytes(4))
        file.seek(self._link)
        file.write(struct.pack("<I", directory))
        self._link = directory + len(table)
        self._end = self._link + 4
        self._page_numbers.append(directory + number_entry)

    def close(self) -> None:
        """Writes the total number of pages into each PageNumber; does not close the file."""
        total = struct.pack("<H", min(self.pages, 0xFFFF))
        for position in self._page_numbers:
            self._file.seek(position + 2)
            self._file.write(total)
        self._file.seek(self._end)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
