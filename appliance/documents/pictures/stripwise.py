"""Decodes pictures that are too large to be decoded as a whole, strip by strip: PNG by rows, TIFF by its
strips.

Each strip becomes a small file of the same kind, which Pillow decodes, so its support of the format applies.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from PIL import Image, TiffImagePlugin

from appliance.documents.first_octets import PNG_SIGNATURE
from appliance.documents.pictures.modes import STRIP_PIXELS
from appliance.documents.pictures.tiff import tags_of
from appliance.t4 import tiff_tags as tags

# Octets of a decoded picture from which it is read in strips; A4 at 600 dpi in colour has 140 million.
LARGE_OCTETS = 160_000_000
_OCTETS = {
    "RGB": 4,
    "RGBA": 4,
    "RGBX": 4,
    "CMYK": 4,
    "LAB": 4,
    "YCbCr": 4,
    "LA": 4,
    "I": 4,
    "F": 4,
    "I;16": 2,
}

_PIECE = 1 << 18
# Of a PNG with 8 bits a sample: samples of a pixel, by its type of colour (PNG 3, 11.2.1).
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_NOT_INTERLACED = 0
# The parts of the picture that each strip needs besides its pixels.
_PNG_COPIED = (b"PLTE", b"tRNS")
_TIFF_COPIED = (
    *(tags.WIDTH, tags.BITS_PER_SAMPLE, tags.COMPRESSION, tags.PHOTOMETRIC, tags.FILL_ORDER, tags.PLANES),
    *(tags.SAMPLES_PER_PIXEL, tags.PREDICTOR, tags.COLOUR_MAP, tags.EXTRA_SAMPLES, tags.SAMPLE_FORMAT),
    *(tags.INK_SET, tags.JPEG_TABLES, tags.YCBCR_SUBSAMPLING),
)
_TOGETHER = 1  # PlanarConfiguration: the samples of a pixel

Rows = Iterator[Image.Image]


class Stripwise:
    """A picture that is decoded from top to bottom each time it is read (`Decoded`).

    Parts are as wide as the picture; the next one begins where the last one ended, or at the top.
    """

    def __init__(self, image: Image.Image, size: tuple[int, int], begin: Callable[[], Rows]) -> None:
        self.mode, self.size, self.info = image.mode, size, image.info
        if image.format == "TIFF":
            self.tag_v2 = tags_of(image)
        self._begin = begin
        self._rows: Rows = iter(())
        self._held: list[Image.Image] = []
        self._at = size[1]  # the row after those that were returned

    def crop(self, box: tuple[int, int, int, int], /) -> Image.Image:
        """The part between left, upper, and the first pixels outside.  Raises what decoders raise."""
        left, upper, right, below = box
        if upper < self._at:
            self._rows, self._held, self._at = self._begin(), [], 0
        if (left, right) != (0, self.size[0]) or upper != self._at:
            raise ValueError("a picture in strips has no other parts")
        made = Image.new(self.mode, (right, below - upper))
        filled = 0
        while filled < below - upper:
            strip = self._held.pop() if self._held else next(self._rows, None)
            if strip is None:
                raise ValueError(f"the picture ends after {upper + filled} of {self.size[1]} rows")
            rows = min(strip.height, below - upper - filled)
            if not filled and strip.getpalette() is not None:
                made.putpalette(strip.getpalette() or [])
            made.paste(strip.crop((0, 0, right, rows)), (0, filled))
            made.info = strip.info
            if rows < strip.height:
                self._held.append(strip.crop((0, rows, right, strip.height)))
            filled += rows
        self._at = below
        return made


def in_strips(image: Image.Image, again: Callable[[], BinaryIO]) -> Stripwise | None:
    """The opened ``image`` in strips if it is large and its file allows that, else None; ``again`` opens
    the file again.
    """
    if not is_large(image):
        return None
    if image.format == "TIFF":
        directory, strips = tags_of(image), _TiffStrips.of(image, again)
        size = int(directory.get(tags.WIDTH, 0)), int(directory.get(tags.LENGTH, 0))  # before turning
        return None if strips is None else Stripwise(image, size, strips.rows)
    if image.format == "PNG":
        with again() as file:
            header = file.read(33)
        depth, colours, interlacing = header[24], header[25], header[28]
        if depth == 8 and colours in _SAMPLES and interlacing == _NOT_INTERLACED:
            return Stripwise(image, image.size, lambda: _png_rows(again, image.size, colours))
    return None


def is_large(image: Image.Image) -> bool:
    """Whether the opened ``image`` takes LARGE_OCTETS or more when it is decoded as a whole."""
    return image.width * image.height * _OCTETS.get(image.mode, 1) >= LARGE_OCTETS


def _png_rows(again: Callable[[], BinaryIO], size: tuple[int, int], colours: int) -> Rows:
    """Strips of a PNG.  A row depends on the one before it (PNG 3, 9.2), which comes with each strip."""
    width, height = size
    octets = 1 + width * _SAMPLES[colours]  # of a row: its filter and its samples
    most = max(1, STRIP_PIXELS // width)
    with again() as file:
        copied, pixels = _chunks(file)
        reader = zlib.decompressobj()
        before = bytes(octets)
        waiting = bytearray()
        done = 0
        for piece in pixels:
            rest = piece
            while rest:
                waiting += reader.decompress(rest, _PIECE)
                rest = reader.unconsumed_tail
                rows = min(len(waiting) // octets, height - done)
                if rows >= most or (rows and done + rows == height):
                    strip = _small_png(
                        (width, rows + 1), colours, copied, before + waiting[: rows * octets]
                    ).crop((0, 1, width, rows + 1))
                    del waiting[: rows * octets]
                    before = b"\0" + strip.crop((0, rows - 1, width, rows)).tobytes()
                    done += rows
                    yield strip
                if done == height:
                    return


def _chunks(file: BinaryIO) -> tuple[bytes, Iterator[bytes]]:
    """The chunks that a strip needs, and the contents of those with pixels."""
    file.seek(len(PNG_SIGNATURE))
    copied = b""
    while len(head := file.read(8)) == 8:
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind == b"IDAT":
            file.seek(-8, io.SEEK_CUR)
            break
        content = file.read(length + 4)
        if kind in _PNG_COPIED:
            copied += head + content

    def pixels() -> Iterator[bytes]:
        while len(head := file.read(8)) == 8:
            length = int.from_bytes(head[:4], "big")
            if head[4:] != b"IDAT":
                return
            while length:
                piece = file.read(min(length, _PIECE))
                if not piece:
                    return
                length -= len(piece)
                yield piece
            file.read(4)

    return copied, pixels()


def _small_png(size: tuple[int, int], colours: int, copied: bytes, rows: bytes) -> Image.Image:
    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", *size, 8, colours, 0, 0, _NOT_INTERLACED)
    content = PNG_SIGNATURE + chunk(b"IHDR", header) + copied
    content += chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b"")
    with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
        image.load()
        return image


class _TiffStrips:
    """The strips of a TIFF's page, each of whole rows."""

    def __init__(
        self,
        again: Callable[[], BinaryIO],
        directory: TiffImagePlugin.ImageFileDirectory_v2,
        places: list[tuple[int, int, int]],
    ) -> None:
        self._again = again
        self._directory = directory
        self._places = places  # offset, octets, rows

    @classmethod
    def of(cls, image: Image.Image, again: Callable[[], BinaryIO]) -> _TiffStrips | None:
        """The strips of the page that ``image`` is at; None when they are too large, in planes or tiles."""
        directory = tags_of(image)
        offsets, octets = directory.get(tags.STRIP_OFFSETS), directory.get(tags.STRIP_OCTETS)
        height, width = int(directory.get(tags.LENGTH, 0)), int(directory.get(tags.WIDTH, 0))
        rows = min(int(directory.get(tags.ROWS_PER_STRIP, height)), height)
        if not offsets or not octets or rows < 1 or directory.get(tags.PLANES, _TOGETHER) != _TOGETHER:
            return None
        if len(offsets) != len(octets) or len(offsets) != -(-height // rows):
            return None
        heights = [min(rows, height - at) for at in range(0, height, rows)]
        places = [*zip(map(int, offsets), map(int, octets), heights, strict=True)]
        if directory.get(tags.COMPRESSION, tags.UNCOMPRESSED) == tags.UNCOMPRESSED:
            places = [part for place in places for part in _parts(*place, most=max(1, STRIP_PIXELS // width))]
        if max(rows for _, _, rows in places) * width * _OCTETS.get(image.mode, 1) > LARGE_OCTETS // 2:
            return None
        return cls(again, directory, places)

    def rows(self) -> Rows:
        with self._again() as file:
            for offset, octets, rows in self._places:
                file.seek(offset)
                content = self._small_tiff(file.read(octets), rows)
                with Image.open(io.BytesIO(content), formats=["TIFF"]) as strip:
                    strip.load()
                    yield strip

    def _small_tiff(self, pixels: bytes, rows: int) -> bytes:
        order = self._directory.prefix
        small = TiffImagePlugin.ImageFileDirectory_v2(prefix=order)
        for tag in _TIFF_COPIED:
            if tag in self._directory:
                small.tagtype[tag] = self._directory.tagtype[tag]
                small[tag] = self._directory[tag]
        values: dict[int, Any] = {
            tags.LENGTH: rows,
            tags.ROWS_PER_STRIP: rows,
            tags.STRIP_OCTETS: len(pixels),
        }
        for tag, value in {**values, tags.STRIP_OFFSETS: 0}.items():
            small.tagtype[tag] = tags.LONG
            small[tag] = value
        out = io.BytesIO()
        small.save(out)
        return out.getvalue() + pixels


def _parts(offset: int, octets: int, rows: int, *, most: int) -> Iterator[tuple[int, int, int]]:
    """A strip of uncompressed rows as several of at most so many rows."""
    row = octets // rows
    for at in range(0, rows, most):
        count = min(most, rows - at)
        yield offset + at * row, count * row, count
