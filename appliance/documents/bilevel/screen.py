"""Grey to black and white, region by region: type and lines crisp on any background, tints as rows of
lines, photographs under a line screen.

The pixels are processed by our own `_bilevel`; docs/pages.md describes the method and its measurements.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from PIL import Image, ImageChops, ImageFilter

from appliance.documents.bilevel import _bilevel
from appliance.documents.drawing import Drawing, LookedAt, Pixels, Rect
from appliance.documents.options import Treatment
from appliance.t4.page import Resolution

# On a page with nothing but black on white, darker than this is black.  Above the middle, so that hairlines
# and small type, which anti-aliasing turns grey, do not break up.
TEXT_THRESHOLD = 168

# A page is plain when all its greys between these are edges of letters, with darker and lighter beside them.
PLAIN_INK, PLAIN_WHITE = 120, 236

# Pixels of a page processed at a time: a whole A4 page at fine; larger ones come in bands.  Each pixel takes
# some 20 octets meanwhile.
BAND_PIXELS = 4_300_000
# Rows around a band, at 196 per inch, that are taken into account: a bar of a table is seen as a whole.
_AROUND_ROWS = 168
# Parts of a page with so many white rows at 196 per inch between them are processed separately.
_APART_ROWS = 24
_TILE = 24  # rows of a tile in `_bilevel`

_TONES = {Treatment.TEXT: 0, Treatment.AUTO: 1, Treatment.PHOTO: 2}
_BOX = struct.Struct("@4n")


def look_at(grey: Pixels, width: int, rows: int, y_dpi: int = 196, spared: int = -1) -> LookedAt:
    """Examines a page in grey: which parts are more than black on white.

    ``spared``: of a scan, which is toned as a whole or not at all, how many toned pixels do not count.
    """
    apart = _APART_ROWS * y_dpi // 196
    toned = _bilevel.toned(grey.page, grey.stride, width, rows, PLAIN_INK, PLAIN_WHITE, apart, y_dpi, spared)
    return LookedAt(grey, tuple((first, end) for first, end, _ in toned), any(tones for *_, tones in toned))


@dataclass(frozen=True, slots=True)
class _Look:
    """How a page is converted to black and white."""

    resolution: Resolution
    treatment: Treatment
    darkness: int


@dataclass(frozen=True, slots=True)
class _Band:
    """Rows of a page: ``rows`` from ``first`` are drawn, those from ``upper`` to ``below`` are the result."""

    first: int
    rows: int
    upper: int
    below: int


def bilevel(drawing: Drawing, resolution: Resolution, treatment: Treatment, darkness: int = 0) -> bytes:
    """``drawing`` as packed rows of fax: a set bit is black.

    ``darkness`` is -100 (lighter) to 100 (darker).
    """
    width, rows = drawing.width, drawing.rows
    look = _Look(resolution, treatment, darkness)
    looked_at = drawing.looked_at if treatment is not Treatment.PHOTO and not darkness else None
    spans = ((0, rows),) if looked_at is None else looked_at.toned
    bands = [band for span in spans for band in _bands(width, rows, *span, resolution.y_dpi)]
    if looked_at is None:
        return b"".join(_by_content(drawing, bands, None, look))
    grey = looked_at.grey
    begins, ends = (0, *(band.below for band in bands)), (*(band.upper for band in bands), rows)
    # Before the conversion, which may overwrite these pixels.
    plain = [_by_threshold(grey, width, begin, end) for begin, end in zip(begins, ends, strict=True)]
    toned = [*_by_content(drawing, bands, grey, look), b""] if bands else [b""]
    return b"".join(chain.from_iterable(zip(plain, toned, strict=True)))


def _by_threshold(grey: Pixels, width: int, begin: int, end: int) -> bytes:
    """Rows ``begin`` to before ``end`` of a page in black and white."""
    if begin == end:
        return b""
    octets = memoryview(grey.page)[begin * grey.stride :]
    return _bilevel.threshold(octets, grey.stride, width, end - begin, TEXT_THRESHOLD)


def _by_content(
    drawing: Drawing,
    bands: Sequence[_Band],
    elsewhere: Pixels | None,
    look: _Look,
) -> Iterator[bytes]:
    """Each of ``bands`` in black and white.  ``elsewhere``: the pixels outside of them."""
    boxes = b"".join(map(_packed, drawing.photographs or ()))
    kept: list[Pixels] | None = [] if drawing.width * drawing.rows <= BAND_PIXELS else None
    ground = _ground_of(drawing, bands, elsewhere, look, kept)
    _bilevel.settle(ground, boxes, look.darkness)
    for number, band in enumerate(bands):
        pixels = drawing.draw(band.first, band.rows) if kept is None else kept[number]
        yield _bilevel.bilevel(
            ground,
            pixels.page,
            pixels.under,
            b"".join(map(_packed, pixels.type_boxes)),
            pixels.channels,
            pixels.stride,
            band.rows,
            band.first,
            band.upper,
            band.below,
            boxes,
            look.darkness,
            pixels.planes,
        )


def _ground_of(
    drawing: Drawing,
    bands: Sequence[_Band],
    elsewhere: Pixels | None,
    look: _Look,
    kept: list[Pixels] | None,
) -> bytearray:
    """What was seen of the whole page, not yet settled; the pixels of ``bands`` are added to ``kept``."""
    content = drawing.content
    ground = _bilevel.ground(
        drawing.width,
        drawing.rows,
        look.resolution.x_dpi,
        look.resolution.y_dpi,
        content.left,
        content.top,
        content.right,
        content.below,
        _TONES[look.treatment],
        drawing.photographs is None,
    )
    whole = _Band(0, drawing.rows, 0, drawing.rows)
    surveyed = 0
    for band in bands:
        pixels = _with_planes(drawing.draw(band.first, band.rows), drawing.width, band.rows)
        if kept is not None:
            kept.append(pixels)
        begin = max(surveyed, band.upper // _TILE * _TILE)
        end = min(-(-band.below // _TILE) * _TILE, drawing.rows)
        if elsewhere is not None and begin > surveyed:
            _survey(ground, elsewhere, whole, surveyed, begin)
        if end > begin:
            _survey(ground, pixels, band, begin, end)
            surveyed = end
    if elsewhere is not None and surveyed < drawing.rows:
        _survey(ground, elsewhere, whole, surveyed, drawing.rows)
    return ground


# By how many levels of grey something must be darker than its surroundings to be visible; and the share of
# the page's samples below which it is dust.
_SEEN, _DUST = 14, 0.0002
_SAMPLE = 4  # pixels a side
_SURROUNDINGS = 9  # samples


def is_seen(drawing: Drawing) -> bool:
    """Whether anything is visible on the page, however light: more than the dust of a white scan."""
    samples = darker = 0
    step = max(_TILE, BAND_PIXELS // drawing.width)
    for first in range(0, drawing.rows, step):
        rows = min(step, drawing.rows - first)
        pixels = drawing.draw(first, rows)
        mode, form = ("L", "L") if pixels.channels == 1 else ("RGB", "BGRX")
        size = (drawing.width, rows)
        image = Image.frombytes(mode, size, bytes(pixels.page), "raw", form, pixels.stride, 1)
        grey = image.convert("L").reduce(_SAMPLE)
        around = grey.filter(ImageFilter.MaxFilter(_SURROUNDINGS))
        darker += sum(ImageChops.subtract(around, grey).histogram()[_SEEN:])
        samples += grey.width * grey.height
    return darker > samples * _DUST


def _packed(box: Rect) -> bytes:
    return _BOX.pack(box.left, box.top, box.right, box.below)


def _with_planes(pixels: Pixels, width: int, rows: int) -> Pixels:
    if pixels.planes is not None or pixels.channels == 1:
        return pixels
    return replace(pixels, planes=planes_of(pixels.page, pixels.stride, width, rows))


def planes_of(page: bytes | memoryview, stride: int, width: int, rows: int) -> tuple[memoryview, memoryview]:
    """Both planes of a page in colour, see `_bilevel.planes`."""
    both = memoryview(_bilevel.planes(page, stride, width, rows))
    return both[: width * rows], both[width * rows :]


def _survey(ground: bytearray, pixels: Pixels, of: _Band, begin: int, end: int) -> None:
    """Adds rows ``begin`` to before ``end`` of the page to ``ground``; ``pixels``: of the band ``of``."""
    _bilevel.survey(
        ground,
        pixels.page,
        pixels.channels,
        pixels.stride,
        of.rows,
        of.first,
        begin,
        end,
        pixels.planes,
    )


def _bands(width: int, rows: int, top: int, end: int, y_dpi: int) -> Iterator[_Band]:
    """Rows ``top`` to before ``end`` of a page of ``rows`` in bands, with the rows around each."""
    apart = _APART_ROWS * y_dpi // 196
    first = max(0, top - apart) // _TILE * _TILE
    last = min(-(-(end + apart) // _TILE) * _TILE, rows)
    top, end = max(0, top - apart // 2), min(end + apart // 2, rows)
    if width * (last - first) <= BAND_PIXELS:
        yield _Band(first, last - first, top, end)
        return
    around = _AROUND_ROWS * y_dpi // 196
    core = max(_TILE, (BAND_PIXELS // width - 2 * around) // _TILE * _TILE)
    for upper in range(top // _TILE * _TILE, end, core):
        below = min(upper + core, end)
        first, last = max(0, upper - around), min(below + around, rows)
        yield _Band(first, last - first, max(upper, top), below)
