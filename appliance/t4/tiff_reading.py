"""Reads TIFF files of bilevel pages: uncompressed, MH with and without EOLs, MR, MMR.

Either photometric sense, bit order and byte order, and any strips are accepted.  Everything that a file
states is checked and limited.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import log
from os import PathLike
from typing import BinaryIO, Final, Self

from appliance.t4 import tiff_tags as tags
from appliance.t4.bits import from_bits, reverse_bits, to_bits
from appliance.t4.codes import EOFB, EOL, EOLS_IN_RTC, TAG_ONE_DIMENSIONAL
from appliance.t4.coding import MAX_PIXELS
from appliance.t4.group4 import count_with_empty_runs
from appliance.t4.page import CodedPage, Coding, Raster, Resolution
from appliance.t4.rows import decode_row, longest_row_bits
from appliance.t4.tolerant import TolerantDecoder

# Limits on what a file may state: far above any fax, far below the memory.
MAX_PAGES = 10_000
_MAX_ENTRIES = 1_000
_MAX_WIDTH = 20_000
_MAX_STRIPS = 1 << 16
_MAX_DESCRIPTION = 1 << 14

# Octets at the end of a page in which EOFB is searched: ECM pads its last frame of up to 256 octets (T.4
# Annex A).
_EOFB_SOUGHT_OCTETS = 256 + 3

_INVERTED: Final = bytes(255 - octet for octet in range(256))


class TiffError(ValueError):
    """Not a TIFF file of bilevel pages, or a damaged or too large one; the text explains it."""


class TiffDataError(TiffError):
    """The directory of a page is valid, but its data have fewer rows."""


def without_rtc(bits: str) -> str:
    """The coded rows up to the first two EOLs in succession, with or without tag bits."""
    ends = [bits.find(EOL + tag + EOL) for tag in ("", TAG_ONE_DIMENSIONAL)]
    return bits[: min((end for end in ends if end >= 0), default=len(bits))]


def nearest_resolution(x_dpi: float, y_dpi: float) -> Resolution:
    """The Group 3 resolution closest in ratio to these pixels per inch; 200 × 100 gives standard.

    Raises ValueError unless both are positive.
    """
    if not (x_dpi > 0 and y_dpi > 0):
        raise ValueError(f"a resolution of {x_dpi} x {y_dpi}")
    return min(Resolution, key=lambda r: log(x_dpi / r.x_dpi) ** 2 + log(y_dpi / r.y_dpi) ** 2)


@dataclass(frozen=True, slots=True)
class _Directory:
    """The checked content of a page's directory."""

    width: int
    rows: int
    compression: int
    inverted: bool  # BlackIsZero
    lsb_first: bool
    t4_options: int
    strips: tuple[tuple[int, int], ...]  # offset, octets
    rows_per_strip: int
    resolution: Resolution


class FaxTiff:
    """A TIFF file open for reading; ``len`` is the number of pages, without reduced-size previews.

    Opening reads directories only; one page is in memory at a time.  Opening and the methods that read a page
    raise OSError when the file cannot be read, and TiffError when it is invalid.
    """

    def __init__(self, path: str | PathLike[str] | BinaryIO) -> None:
        """``path`` may be an open file, which ``close`` then closes."""
        self._file = (
            open(path, "rb")  # noqa: SIM115 - closed by close()
            if isinstance(path, (str, PathLike))
            else path
        )
        try:
            self._size = self._file.seek(0, 2)
            self._order, first = self._header()
            self._directories = list(self._walk(first))
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._directories)

    def __iter__(self) -> Iterator[CodedPage | Raster]:
        """The pages in order."""
        for number in range(len(self)):
            yield self.page(number)

    def page(self, number: int) -> CodedPage | Raster:
        """Page ``number`` (from 0): coded, if its data have the form of a ``CodedPage``, else its pixels.

        Coded data are not checked; ``decode`` does that.  Raises IndexError when there is no such page.
        """
        with self._naming(number):
            directory = self._directory(self._directories[number])
            if len(directory.strips) == 1 and not directory.inverted:
                coded = _as_coded(directory, self._strip(directory, 0))
                if coded is not None:
                    return coded
            return self._raster(directory)

    def raster(self, number: int) -> Raster:
        """The pixels of page ``number`` (from 0).  Damaged MH and MR rows are repaired by ``tolerant``."""
        with self._naming(number):
            return self._raster(self._directory(self._directories[number]))

    def prove(self, number: int) -> None:
        """Raises TiffDataError when the data of page ``number`` (from 0) have fewer rows than stated.

        Damaged rows are no error here.
        """
        with self._naming(number):
            directory = self._directory(self._directories[number])
            left = directory.rows
            for strip in range(len(directory.strips)):
                rows = min(directory.rows_per_strip, left)
                data = self._strip(directory, strip)
                # With MH and MR each row has its EOL.
                if directory.compression != tags.GROUP3 or to_bits(data).count(EOL) < rows:
                    _prove(directory, data, rows)
                left -= rows

    def description(self, number: int) -> str:
        """The ImageDescription of page ``number`` (from 0), empty without one."""
        with self._naming(number):
            entries = self._entries(self._directories[number])
            octets = bytes(self._values(entries, tags.IMAGE_DESCRIPTION, _MAX_DESCRIPTION))
            return octets.rstrip(b"\0").decode("ascii", "replace")

    @contextmanager
    def _naming(self, number: int) -> Iterator[None]:
        try:
            yield
        except TiffError as error:
            raise type(error)(f"page {number + 1}: {error}") from error

    # -- structure

    def _read(self, offset: int, octets: int) -> bytes:
        if offset + octets > self._size:
            raise TiffError(f"the file ends before octet {offset + octets}")
        self._file.seek(offset)
        data = self._file.read(octets)
        if len(data) != octets:
            raise TiffError(f"the file ends before octet {offset + octets}")
        return data

    def _header(self) -> tuple[str, int]:
        head = self._read(0, 8)
        order = {b"II": "<", b"MM": ">"}.get(head[:2])
        if order is None or struct.unpack_from(order + "H", head, 2) != (42,):
            raise TiffError("not a TIFF file")
        (first,) = struct.unpack_from(order + "I", head, 4)
        return order, first

    def _walk(self, offset: int) -> Iterator[int]:
        """Offsets of the directories that are pages."""
        seen: set[int] = set()
        while offset:
            if offset in seen:
                raise TiffError("its directories run in a circle")
            seen.add(offset)
            if len(seen) > MAX_PAGES:
                raise TiffError(f"more than {MAX_PAGES} pages")
            entries = self._entries(offset)
            if not self._value(entries, tags.SUBFILE_TYPE, 0) & tags.SUBFILE_REDUCED:
                yield offset
            end = offset + 2 + 12 * self._count(offset)
            (offset,) = struct.unpack(self._order + "I", self._read(end, 4))

    def _count(self, offset: int) -> int:
        (count,) = struct.unpack(self._order + "H", self._read(offset, 2))
        if not 0 < count <= _MAX_ENTRIES:
            raise TiffError(f"a directory of {count} entries")
        return int(count)

    def _entries(self, offset: int) -> dict[int, tuple[int, int, bytes]]:
        """By tag: type, count, and the four octets that are the value or its offset."""
        count = self._count(offset)
        table = self._read(offset + 2, 12 * count)
        entries: dict[int, tuple[int, int, bytes]] = {}
        for start in range(0, len(table), 12):
            tag, kind, values = struct.unpack_from(self._order + "HHI", table, start)
            entries.setdefault(tag, (kind, values, table[start + 8 : start + 12]))
        return entries

    def _values(self, entries: dict[int, tuple[int, int, bytes]], tag: int, limit: int) -> tuple[int, ...]:
        """The numbers of a field (two for each rational), none when it is missing."""
        if tag not in entries:
            return ()
        kind, count, inline = entries[tag]
        if kind not in tags.SIZES or not 0 < count <= limit:
            raise TiffError(f"tag {tag} has {count} values of type {kind}")
        octets = tags.SIZES[kind] * count
        if octets > 4:
            (offset,) = struct.unpack(self._order + "I", inline)
            inline = self._read(offset, octets)
        letter, numbers = {
            tags.SHORT: ("H", count),
            tags.LONG: ("I", count),
            tags.RATIONAL: ("I", 2 * count),
        }.get(kind, ("B", count))
        return struct.unpack_from(f"{self._order}{numbers}{letter}", inline)

    def _value(self, entries: dict[int, tuple[int, int, bytes]], tag: int, default: int) -> int:
        values = self._values(entries, tag, 2)
        return values[0] if values else default

    def _directory(self, offset: int) -> _Directory:
        entries = self._entries(offset)
        width = self._value(entries, tags.WIDTH, 0)
        rows = self._value(entries, tags.LENGTH, 0)
        if not 0 < width <= _MAX_WIDTH or rows <= 0 or width * rows > MAX_PIXELS:
            raise TiffError(f"{width} x {rows} pixels")
        bits = self._value(entries, tags.BITS_PER_SAMPLE, 1)
        samples = self._value(entries, tags.SAMPLES_PER_PIXEL, 1)
        photometric = self._value(entries, tags.PHOTOMETRIC, tags.WHITE_IS_ZERO)
        if bits != 1 or samples != 1 or photometric not in (tags.WHITE_IS_ZERO, tags.BLACK_IS_ZERO):
            raise TiffError("not black and white")
        compression = self._value(entries, tags.COMPRESSION, tags.UNCOMPRESSED)
        if compression not in (tags.UNCOMPRESSED, tags.RLE, tags.GROUP3, tags.GROUP4):
            raise TiffError(f"compression {compression} is no fax coding")
        t4_options = self._value(entries, tags.T4_OPTIONS, 0)
        t6_options = self._value(entries, tags.T6_OPTIONS, 0)
        if (compression == tags.GROUP3 and t4_options & tags.T4_UNCOMPRESSED_MODE) or (
            compression == tags.GROUP4 and t6_options & tags.T6_UNCOMPRESSED_MODE
        ):
            raise TiffError("uncompressed mode is not supported")
        if tags.TILE_WIDTH in entries:
            raise TiffError("tiles instead of strips")
        rows_per_strip = min(self._value(entries, tags.ROWS_PER_STRIP, rows), rows) or rows
        offsets = self._values(entries, tags.STRIP_OFFSETS, _MAX_STRIPS)
        octets = self._values(entries, tags.STRIP_OCTETS, _MAX_STRIPS)
        if not octets and len(offsets) == 1:
            octets = (max(self._size - offsets[0], 0),)  # some old writers leave it out
        if len(offsets) != len(octets) or len(offsets) != -(-rows // rows_per_strip):
            raise TiffError(f"{len(offsets)} strips of {rows_per_strip} rows for {rows} rows")
        if sum(octets) > self._size:
            raise TiffError("its strips are larger than the file")
        return _Directory(
            width=width,
            rows=rows,
            compression=compression,
            inverted=photometric == tags.BLACK_IS_ZERO,
            lsb_first=self._value(entries, tags.FILL_ORDER, tags.MSB_FIRST) == tags.LSB_FIRST,
            t4_options=t4_options,
            strips=tuple(zip(offsets, octets, strict=True)),
            rows_per_strip=rows_per_strip,
            resolution=self._resolution(entries),
        )

    def _resolution(self, entries: dict[int, tuple[int, int, bytes]]) -> Resolution:
        """The nearest resolution; fine when it is missing or invalid."""
        x = self._values(entries, tags.X_RESOLUTION, 1)
        y = self._values(entries, tags.Y_RESOLUTION, 1)
        if len(x) != 2 or len(y) != 2 or not all((*x, *y)):
            return Resolution.FINE
        inches = 2.54 if self._value(entries, tags.RESOLUTION_UNIT, tags.INCH) == tags.CENTIMETRE else 1.0
        return nearest_resolution(inches * x[0] / x[1], inches * y[0] / y[1])

    # -- pixels

    def _strip(self, directory: _Directory, strip: int) -> bytes:
        data = self._read(*directory.strips[strip])
        return reverse_bits(data) if directory.lsb_first else data

    def _raster(self, directory: _Directory) -> Raster:
        pixels = bytearray()
        left = directory.rows
        for strip in range(len(directory.strips)):
            rows = min(directory.rows_per_strip, left)
            pixels += _expand(directory, self._strip(directory, strip), rows)
            left -= rows
        row_octets = (directory.width + 7) // 8
        if directory.inverted:
            pixels = pixels.translate(_INVERTED)
        if beyond := 8 * row_octets - directory.width:
            # Clear the padding bits after each row.
            clean = bytes(octet >> beyond << beyond for octet in range(256))
            pixels[row_octets - 1 :: row_octets] = pixels[row_octets - 1 :: row_octets].translate(clean)
        return Raster(directory.width, directory.rows, bytes(pixels), directory.resolution)


def _as_coded(directory: _Directory, data: bytes) -> CodedPage | None:
    """The strip as a ``CodedPage``, if it has, or can be given, the framing used on the line, else None."""
    if directory.compression == tags.GROUP4:
        if EOFB not in to_bits(data[-_EOFB_SOUGHT_OCTETS:]):
            return None
        return CodedPage(Coding.MMR, directory.resolution, directory.width, directory.rows, data)
    if directory.compression != tags.GROUP3 or directory.t4_options & tags.T4_FILL:
        return None
    bits = without_rtc(to_bits(data))
    if not bits.startswith(EOL) or bits.count(EOL) != directory.rows:
        return None
    two_dimensional = bool(directory.t4_options & tags.T4_TWO_DIMENSIONAL)
    end = EOL + TAG_ONE_DIMENSIONAL if two_dimensional else EOL
    return CodedPage(
        Coding.MR if two_dimensional else Coding.MH,
        directory.resolution,
        directory.width,
        directory.rows,
        from_bits(bits + end * EOLS_IN_RTC),
    )


def _expand(directory: _Directory, data: bytes, rows: int) -> bytes:
    """The rows of a strip as packed pixels, in the photometric sense of the file."""
    width = directory.width
    if directory.compression == tags.UNCOMPRESSED:
        octets = rows * ((width + 7) // 8)
        if len(data) < octets:
            raise TiffError(f"{len(data)} octets for {rows} rows of {width} pixels")
        return data[:octets]
    if directory.compression == tags.RLE:
        return _expand_rle(data, width, rows)
    return _decode(directory, data, rows, joined=False).data


def _decode(directory: _Directory, data: bytes, rows: int, *, joined: bool) -> Raster:
    """The rows of a strip in a fax coding; with ``joined`` a damaged row may stand for two.

    Raises TiffDataError when there are fewer than ``rows``.
    """
    if directory.compression == tags.GROUP4:
        coding = Coding.MMR
    else:
        coding = Coding.MR if directory.t4_options & tags.T4_TWO_DIMENSIONAL else Coding.MH
    decoder = TolerantDecoder(coding, directory.width, max_rows=rows)
    decoder.feed(data)
    received = decoder.finish()
    good = received.rows - (received.bad_rows if coding is Coding.MMR else 0)
    if joined and coding is not Coding.MMR:
        good += received.bad_rows
    if good < rows:
        raise TiffDataError(f"its data end after {good} of {rows} rows")
    return received.raster


def _prove(directory: _Directory, data: bytes, rows: int) -> None:
    """Raises TiffDataError when a strip has fewer than ``rows``, however they are read."""
    try:
        _decode(directory, data, rows, joined=True)
    except TiffDataError:
        found = 0
        if directory.compression == tags.GROUP4:
            found = count_with_empty_runs(data, directory.width, rows)
        if found < rows:
            raise


def _expand_rle(data: bytes, width: int, rows: int) -> bytes:
    """Compression 2: MH rows without EOLs, each beginning on an octet.  Raises TiffError."""
    pixels = bytearray()
    window = longest_row_bits(width) // 8 + 1
    position = 0
    for row in range(rows):
        found = decode_row(to_bits(data[position : position + window]), width, None)
        if found is None:
            raise TiffError(f"its data end after {row} of {rows} rows")
        position += (found[1] + 7) // 8
        pixels += found[0]
    return bytes(pixels)
