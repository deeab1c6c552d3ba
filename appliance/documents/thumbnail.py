"""Small pictures of fax pages, for lists and previews."""

from __future__ import annotations

import io

from appliance.documents.geometry import PIXELS_PER_MM, ROWS_PER_MM
from appliance.t4.coding import decode
from appliance.t4.page import CodedPage, Raster

SIDE_PIXELS = 320  # longest side of a thumbnail


def thumbnail(page: CodedPage | Raster, side: int = SIDE_PIXELS) -> bytes:
    """A PNG in grey, at most ``side`` pixels on its longer side, in the page's true proportions.

    Raises PageError for a page whose coded data are damaged, ValueError for one without rows.
    """
    from PIL import Image  # noqa: PLC0415 (only loaded once somebody looks at pages)

    raster = page if isinstance(page, Raster) else decode(page)
    if not raster.rows:
        raise ValueError("a page without rows")
    width_mm = raster.width / PIXELS_PER_MM[raster.resolution.x_dpi]
    height_mm = raster.rows / ROWS_PER_MM[raster.resolution.y_dpi]
    scale = side / max(width_mm, height_mm)
    size = (max(1, round(width_mm * scale)), max(1, round(height_mm * scale)))
    # Black is 1 in a fax page and 0 in a picture: inverted while it is read, which costs nothing.
    image = Image.frombytes("1", (raster.width, raster.rows), raster.data, "raw", "1;I")
    out = io.BytesIO()
    image.convert("L").resize(size, Image.Resampling.BOX, reducing_gap=2.0).save(out, "PNG")
    return out.getvalue()
