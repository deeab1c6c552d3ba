"""Tones to black and white, region by region: type and lines crisp on whatever ground, tints as rows of
lines, photographs under a line screen.

The pixels are worked on by our own `_bilevel`; docs/pages.md tells the method and what was measured.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from PIL import Image, ImageChops, ImageFilter

from appliance.documents import _bilevel
from appliance.documents.drawing import Box, Drawing
from appliance.documents.options import Treatment
from appliance.t4.page import Resolution

# On a page of nothing but black on white: darker than this is black.  Above the middle, so that hairlines and
# small type, of which anti-aliasing leaves only a grey, do not break up.
TEXT_THRESHOLD = 168

# A page is plain when all its greys between these are rims of letters, with darker and lighter beside them.
PLAIN_INK, PLAIN_WHITE = 120, 236

# Pixels of a page that are worked on at a time: an A4 page at fine is whole, larger ones come in bands.  Each
# pixel takes some 30 octets meanwhile.
BAND_PIXELS = 4_300_000
# Rows beyond a band, at 196 to the inch, that decide about its own: a bar of a table is seen whole.
_AROUND_ROWS = 168
_TILE = 24  # rows in which `_bilevel` surveys

_TONES = {Treatment.TEXT: 0, Treatment.AUTO: 1, Treatment.PHOTO: 2}
_BOX = struct.Struct("@4n")


def is_plain(grey: bytes | memoryview, stride: int, width: int, rows: int) -> bool:
    """Whether the octets of grey are black on white and nothing else, for which a threshold is enough."""
    return _bilevel.plain(grey, stride, width, rows, PLAIN_INK, PLAIN_WHITE)


def bilevel(drawing: Drawing, resolution: Resolution, treatment: Treatment, darkness: int = 0) -> bytes:
    """``drawing`` as packed rows in the sense of fax: a set bit is black.

    ``darkness`` goes from -100 (lighter) to 100 (darker).
    """
    width, rows = drawing.width, drawing.rows
    if drawing.plain and treatment is not Treatment.PHOTO and not darkness:
        whole = drawing.draw(0, rows)
        return _bilevel.threshold(whole.page, whole.stride, width, rows, TEXT_THRESHOLD)
    content = drawing.content
    ground = _bilevel.ground(
        width,
        rows,
        resolution.x_dpi,
        resolution.y_dpi,
        content.left,
        content.top,
        content.right,
        content.below,
        _TONES[treatment],
        drawing.photographs is None,
    )
    boxes = b"".join(_packed(box) for box in drawing.photographs or ())
    bands = list(_bands(width, rows, resolution))
    drawn = None
    for first, count, upper, below in bands:
        drawn = drawing.draw(first, count)
        _bilevel.survey(ground, drawn.page, drawn.channels, drawn.stride, count, first, upper, below)
    _bilevel.settle(ground, boxes, darkness)
    finished = []
    for first, count, upper, below in bands:
        if drawn is None or len(bands) > 1:
            drawn = drawing.draw(first, count)
        finished.append(
            _bilevel.bilevel(
                ground,
                drawn.page,
                drawn.under,
                drawn.channels,
                drawn.stride,
                count,
                first,
                upper,
                below,
                boxes,
                darkness,
            )
        )
    return b"".join(finished)


# A person sees what is so much darker than its surroundings, in levels of grey; a share of the page's samples
# as small as the second is dust.
_SEEN, _DUST = 14, 0.0002
_SAMPLE = 4  # pixels a side
_SURROUNDINGS = 9  # samples


def is_seen(drawing: Drawing) -> bool:
    """Whether a person sees something on the page, however light: more than the dust of a white scan."""
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


def _packed(box: Box) -> bytes:
    return _BOX.pack(box.left, box.top, box.right, box.below)


def _bands(width: int, rows: int, resolution: Resolution) -> Iterator[tuple[int, int, int, int]]:
    """First row and number of rows to draw, first row and row after the last one to make of them."""
    if width * rows <= BAND_PIXELS:
        yield 0, rows, 0, rows
        return
    around = _AROUND_ROWS * resolution.y_dpi // 196
    core = max(_TILE, (BAND_PIXELS // width - 2 * around) // _TILE * _TILE)
    for upper in range(0, rows, core):
        below = min(upper + core, rows)
        first, end = max(0, upper - around), min(below + around, rows)
        yield first, end - first, upper, below
