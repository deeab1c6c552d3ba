"""Small pictures of fax pages, for lists and previews."""

from __future__ import annotations

import io

from PIL import Image, ImageChops

from appliance.documents.geometry import PIXELS_PER_MM, ROWS_PER_MM
from appliance.t4.coding import decode
from appliance.t4.page import CodedPage, Raster

SIDE_PIXELS = 320  # longest side of a thumbnail


def thumbnail(page: CodedPage | Raster, side: int = SIDE_PIXELS) -> bytes:
    """A PNG in grey, at most ``side`` pixels on its longer side, in the page's true proportions.

    Raises PageError for a page whose coded data are damaged, ValueError for one without rows.
    """
    raster = page if isinstance(page, Raster) else decode(page)
    if not raster.rows:
        raise ValueError("a page without rows")
    width_mm = raster.width / PIXELS_PER_MM[raster.resolution.x_dpi]
    height_mm = raster.rows / ROWS_PER_MM[raster.resolution.y_dpi]
    scale = side / max(width_mm, height_mm)
    size = (max(1, round(width_mm * scale)), max(1, round(height_mm * scale)))
    image = Image.frombytes("1", (raster.width, raster.rows), raster.data)
    grey = ImageChops.invert(image.convert("L"))
    out = io.BytesIO()
    grey.resize(size, Image.Resampling.BOX, reducing_gap=2.0).save(out, "PNG", optimize=True)
    return out.getvalue()
