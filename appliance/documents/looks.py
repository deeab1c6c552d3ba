"""Pages with the changes that a user chose: turned by quarters, lighter or darker."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from appliance.documents.drawing import Bitmap, Drawing, PageDrawer, Rect
from appliance.documents.geometry import Layout, PageSize
from appliance.documents.options import MOST_DARKNESS, Look
from appliance.remarks import Remark

# One step of lightness in the renderer's unit of darkness; three of them are nearly the whole range.
STEP = 30
_TURNS = {
    1: Image.Transpose.ROTATE_270,  # Pillow turns anticlockwise
    2: Image.Transpose.ROTATE_180,
    3: Image.Transpose.ROTATE_90,
}


class TurnedSource:
    """The pages of another source, each turned clockwise by a number of quarters."""

    def __init__(self, source: PageDrawer, turn: int) -> None:
        self._source = source
        self._turn = turn % 4

    @property
    def count(self) -> int:
        return self._source.count

    def size(self, index: int) -> PageSize:
        size = self._source.size(index)
        return PageSize(size.height, size.width) if self._turn % 2 else size

    def draw(self, index: int, layout: Layout) -> Drawing:
        # The layout may turn the page a quarter anticlockwise: both turns are made here together.
        turn = (self._turn - (1 if layout.turned else 0)) % 4
        box = (layout.box_width, layout.box_rows)
        across, down = box if turn % 2 == 0 else (box[1], box[0])
        upright = Layout(layout.resolution, layout.paper, across, down, 0, 0, across, down, False)
        drawn = image_of(self._source.draw(index, upright))
        if turn:
            drawn = drawn.transpose(_TURNS[turn])
        page = Image.new(drawn.mode, (layout.width, layout.rows), "white")
        page.paste(drawn, (layout.left, layout.top))
        return Drawing.of_image(page, Rect.of(layout))

    def remarks(self, index: int | None) -> Sequence[Remark]:
        return self._source.remarks(index)


def image_of(drawn: Image.Image | Drawing | Bitmap) -> Image.Image:
    """A copy of what a source drew, as an image of mode L or RGB."""
    if isinstance(drawn, Image.Image):
        return drawn.convert("L") if drawn.mode not in ("L", "RGB") else drawn
    size = (drawn.width, drawn.rows)
    if isinstance(drawn, Bitmap):
        return Image.frombytes("1", size, drawn.data, "raw", "1;I").convert("L")
    pixels = drawn.draw(0, drawn.rows)
    mode, raw = ("L", "L") if pixels.channels == 1 else ("RGB", "BGRX")
    return Image.frombytes(mode, size, bytes(pixels.page), "raw", raw, pixels.stride)


def turned(source: PageDrawer, look: Look) -> PageDrawer:
    """``source``, with its pages turned if ``look`` says so."""
    return TurnedSource(source, look.turn) if look.turn else source


def darkness(of_fax: int, look: Look) -> int:
    """The darkness of pages with this look, in a fax with darkness ``of_fax``."""
    return max(-MOST_DARKNESS, min(MOST_DARKNESS, of_fax - STEP * look.lightness))
