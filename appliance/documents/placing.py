"""Bringing a drawn page to its place on the fax page."""

from __future__ import annotations

from PIL import Image

from appliance.documents.geometry import Layout

# Fastest scaling step Pillow may take by whole factors before the exact one.
_REDUCING_GAP = 2.0


def place(grey: Image.Image, layout: Layout) -> Image.Image:
    """``grey`` scaled into the box of ``layout`` on a white page."""
    box = (layout.box_width, layout.box_rows)
    if grey.size != box:
        smaller = grey.width > box[0] or grey.height > box[1]
        method = Image.Resampling.BOX if smaller else Image.Resampling.BICUBIC
        grey = grey.resize(box, method, reducing_gap=_REDUCING_GAP if smaller else None)
    if box == (layout.width, layout.rows):
        return grey
    page = Image.new("L", (layout.width, layout.rows), 255)
    page.paste(grey, (layout.left, layout.top))
    return page
