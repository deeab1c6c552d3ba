"""Puts a drawn page in its place on the fax page."""

from __future__ import annotations

from PIL import Image

from appliance.documents.geometry import Layout

# Pictures are first scaled down by whole factors, to no less than this many times the wanted size.
REDUCING_GAP = 2.0


def place(image: Image.Image, layout: Layout, size: tuple[float, float] | None = None) -> Image.Image:
    """``image`` (mode L or RGB) scaled into the box of ``layout`` on a white page.

    ``size``: of the picture in ``image``, where its last column and row are not whole pixels.
    """
    box = (layout.box_width, layout.box_rows)
    size = size or image.size
    if size != box:
        smaller = size[0] > box[0] or size[1] > box[1]
        method = Image.Resampling.BOX if smaller else Image.Resampling.BICUBIC
        image = image.resize(box, method, (0, 0, *size), REDUCING_GAP if smaller else None)
    if box == (layout.width, layout.rows):
        return image
    page = Image.new(image.mode, (layout.width, layout.rows), "white")
    page.paste(image, (layout.left, layout.top))
    return page
