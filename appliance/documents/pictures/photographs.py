"""A photographed page without its surroundings and its perspective."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from appliance.documents.drawing import Drawing, Rect
from appliance.documents.geometry import Layout, PageSize
from appliance.documents.options import Paper, Straighten
from appliance.documents.pictures.source import ImageSource
from appliance.documents.pictures.straighten import (
    LOOK_SIDE,
    MOST_SIDE,
    Corners,
    Size,
    find_page,
    flat_page,
    flat_size,
)
from appliance.documents.placing import place
from appliance.remarks import PHOTOGRAPH_STRAIGHTENED, Remark


class PhotographedPage:
    """The page between ``corners`` of a photograph, scaled to the size of the paper."""

    count = 1

    def __init__(self, photograph: ImageSource, corners: Corners, shape: Size, paper: Paper) -> None:
        self._photograph = photograph
        self._corners = corners
        self._shape = shape  # of the photograph, in any unit
        self._paper = paper

    def size(self, index: int) -> PageSize:
        width, height = flat_size(self._shape, self._corners, self._paper)
        short, long = self._paper.value
        across, down = (short, long) if width < height else (long, short)
        scale = min(across / width, down / height)
        return PageSize(width * scale, height * scale)

    def draw(self, index: int, layout: Layout) -> Drawing:
        photograph = self._photograph.photograph(MOST_SIDE)
        size = flat_size(photograph.size, self._corners, self._paper)
        page = flat_page(photograph, self._corners, size)
        if layout.turned:
            page = page.transpose(Image.Transpose.ROTATE_90)
        return Drawing.of_image(place(page, layout), Rect.of(layout))

    def remarks(self, index: int | None) -> Sequence[Remark]:
        return () if index is None else (Remark(PHOTOGRAPH_STRAIGHTENED),)


def straightened(source: ImageSource, paper: Paper, which: Straighten) -> ImageSource | PhotographedPage:
    """``source``, or the page seen on it if ``which`` includes such a picture and a page is found.

    Raises DocumentError for a damaged picture.
    """
    if which is Straighten.NONE or not source.may_be_photograph(taken=which is Straighten.TAKEN):
        return source
    seen = source.photograph(LOOK_SIDE)
    corners = find_page(seen)
    return source if corners is None else PhotographedPage(source, corners, seen.size, paper)
