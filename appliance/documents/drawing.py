"""A document of any kind as the renderer sees it: pages in black and white, or still to be converted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from appliance.documents.geometry import Layout, PageSize
from appliance.remarks import Remark


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle of a page, pixels; ``right`` and ``below`` are the first ones outside."""

    left: int
    top: int
    right: int
    below: int

    @classmethod
    def of(cls, layout: Layout) -> Rect:
        """The box of the document's content."""
        return cls(layout.left, layout.top, layout.left + layout.box_width, layout.top + layout.box_rows)


@dataclass(frozen=True, slots=True)
class Bitmap:
    """A page in black and white: packed rows, a set bit is black."""

    width: int
    rows: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Pixels:
    """Rows of a page, octets: grey (``channels`` 1), or blue, green, red and one unused (4).

    ``under`` is the same without the page's type, where the document tells what is type, in the
    ``type_boxes``, which lie one below the other. Elsewhere is no type. ``planes``: of ``page``, if they
    were made before (see `_bilevel.planes`); the conversion overwrites them.
    """

    page: bytes | memoryview
    channels: int
    stride: int
    under: bytes | memoryview | None = None
    type_boxes: Sequence[Rect] = ()
    planes: tuple[memoryview, memoryview] | None = None


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A whole page in ``grey``, and its parts for which a threshold is not enough.

    ``toned`` are pairs of a part's first row and the row after its last; white rows lie between the parts.
    Without ``tones`` there are only wide black areas in them, on which white type may stand.
    """

    grey: Pixels
    toned: tuple[tuple[int, int], ...]
    tones: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """A page in grey or colour, ``width`` by ``rows`` pixels.

    ``draw(first, count)`` returns so many rows of it.  A page that is drawn as a whole keeps its pixels; of
    larger ones the next call may overwrite them.
    ``photographs`` are the boxes where a photograph can be, None when it can be anywhere.  ``looked_at``:
    what is known of the page in grey, None when it was not examined.
    """

    width: int
    rows: int
    content: Rect
    draw: Callable[[int, int], Pixels]
    photographs: tuple[Rect, ...] | None = None
    looked_at: LookedAt | None = None

    @classmethod
    def of_image(cls, image: Image.Image, content: Rect) -> Drawing:
        """The page that ``image`` (mode L or RGB) shows."""
        channels = 1 if image.mode == "L" else 4
        octets = memoryview(image.tobytes() if channels == 1 else image.tobytes("raw", "BGRX"))
        stride = channels * image.width

        def draw(first: int, rows: int) -> Pixels:
            return Pixels(octets[first * stride : (first + rows) * stride], channels, stride)

        return cls(image.width, image.height, content, draw)


class PageDrawer(Protocol):
    """A document that can draw its pages."""

    @property
    def count(self) -> int:
        """The number of pages."""

    def size(self, index: int) -> PageSize:
        """Size of page ``index`` (from 0) on paper."""

    def draw(self, index: int, layout: Layout) -> Image.Image | Drawing | Bitmap:
        """Page ``index`` (from 0) as ``layout.width`` by ``layout.rows`` pixels.

        An image is of mode L (0 black) and contains type only.  The next call may overwrite the result.
        """
        ...

    def remarks(self, index: int | None) -> Sequence[Remark]:
        """Remarks on page ``index`` once it was drawn; None: on the whole document.

        The caller fills in page and file name.
        """
        ...
