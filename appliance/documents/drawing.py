"""What a source gives for a page: finished black and white, or pixels that the method makes so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from appliance.documents.geometry import Layout


@dataclass(frozen=True, slots=True)
class Box:
    """Pixels of a page; ``right`` and ``below`` are the first ones outside."""

    left: int
    top: int
    right: int
    below: int

    @classmethod
    def of(cls, layout: Layout) -> Box:
        """Where the document's content is."""
        return cls(layout.left, layout.top, layout.left + layout.box_width, layout.top + layout.box_rows)


@dataclass(frozen=True, slots=True)
class Bitmap:
    """A page that was black and white already: packed rows, a set bit is black."""

    width: int
    rows: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Pixels:
    """Rows of a page: octets of grey (``channels`` 1) or of blue, green, red and one unused (4).

    ``under`` is the same without the page's type, where the document tells what is type.
    """

    page: bytes | memoryview
    channels: int
    stride: int
    under: bytes | memoryview | None = None


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A whole page in ``grey``, and where it is more than black on white: there a threshold is not enough.

    ``toned`` are first rows and rows after the last ones, with white rows between them and all else.  Without
    ``tones`` there are only wide black areas in them, on which white type may stand.
    """

    grey: Pixels
    toned: tuple[tuple[int, int], ...]
    tones: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """A page in tones, ``width`` by ``rows`` pixels.

    ``draw(first, rows)`` gives these rows of it.  A page that is drawn as a whole keeps what was drawn of it;
    of larger ones the next call may overwrite it.
    ``photographs`` are the boxes where a photograph can be, None when that can be anywhere.  ``looked_at``:
    what is known of the page in grey, None when nobody has looked.
    """

    width: int
    rows: int
    content: Box
    draw: Callable[[int, int], Pixels]
    photographs: tuple[Box, ...] | None = None
    looked_at: LookedAt | None = None

    @classmethod
    def of_image(cls, image: Image.Image, content: Box) -> Drawing:
        """The page that ``image`` (mode L, or RGB) is."""
        channels = 1 if image.mode == "L" else 4
        octets = memoryview(image.tobytes() if channels == 1 else image.tobytes("raw", "BGRX"))
        stride = channels * image.width

        def draw(first: int, rows: int) -> Pixels:
            return Pixels(octets[first * stride : (first + rows) * stride], channels, stride)

        return cls(image.width, image.height, content, draw)
