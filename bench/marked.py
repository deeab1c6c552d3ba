"""Pages with a machine-readable fax number: a bar of 32 fields, read from the received page.

It identifies each of thousands of faxes at the far end independently of names and order.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

WIDTH, ROWS = 1728, 1145  # A4 at 204 × 98
_DPI = (204, 98)
_FIELD = 48  # width of one field
_LEFT = 48
_TOP, _BOTTOM = 500, 560
_BITS = 16
_FIELDS = 2 * _BITS + 2  # a guard on either side, the value, and its complement

# job, page: the content of a mark
PAGE_BITS = 2
MOST = 1 << (_BITS - PAGE_BITS)


def document(fax: int, pages: int = 1) -> bytes:
    """A TIFF whose pages are marked "page n of fax ``fax``"; ``fax`` is below ``MOST``."""
    images = [_page(fax << PAGE_BITS | page) for page in range(pages)]
    output = io.BytesIO()
    images[0].save(output, "TIFF", compression="group4", dpi=_DPI, save_all=True, append_images=images[1:])
    return output.getvalue()


def marks(path: Path) -> list[tuple[int, int] | None]:
    """(fax, page from 0) of each page of a received TIFF; None for a page that cannot be read."""
    found: list[tuple[int, int] | None] = []
    with Image.open(path) as image:
        for frame in range(getattr(image, "n_frames", 1)):
            image.seek(frame)
            found.append(_mark(image.convert("L")))
    return found


def _page(value: int) -> Image.Image:
    image = Image.new("1", (WIDTH, ROWS), 1)
    draw = ImageDraw.Draw(image)
    draw.text((100, 200), f"Fax {value >> PAGE_BITS}, page {value % (1 << PAGE_BITS) + 1}", fill=0)
    for position, ink in enumerate(_fields(value)):
        if ink:
            left = _LEFT + position * _FIELD
            draw.rectangle((left, _TOP, left + _FIELD - 1, _BOTTOM), fill=0)
    return image


def _fields(value: int) -> list[int]:
    bits = [value >> place & 1 for place in range(_BITS)]
    return [1, *bits, *(1 - bit for bit in bits), 1]


def _mark(image: Image.Image) -> tuple[int, int] | None:
    """Reads the mark; the bar's middle is a row where both guards are black."""
    if image.width != WIDTH:
        return None
    first, last = _column(image, 0), _column(image, _FIELDS - 1)
    rows = [row for row, (a, b) in enumerate(zip(first, last, strict=True)) if a < 128 and b < 128]
    if not rows:
        return None
    middle = rows[len(rows) // 2]
    bits = [int(_column(image, position)[middle] < 128) for position in range(1, _FIELDS - 1)]
    value = sum(bit << place for place, bit in enumerate(bits[:_BITS]))
    if _fields(value)[1:-1] != bits:
        return None
    return value >> PAGE_BITS, value % (1 << PAGE_BITS)


def _column(image: Image.Image, position: int) -> Sequence[int]:
    x = _LEFT + position * _FIELD + _FIELD // 2
    return image.crop((x, 0, x + 1, image.height)).tobytes()
