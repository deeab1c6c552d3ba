"""Finds what a PDF page shows only on screen, or only in print (ISO 32000-1 8.11.4.4, 12.5.3).

pdfium, which knows layers and the flags of annotations, draws both small; the drawings are compared.
"""

from __future__ import annotations

import pypdfium2
from PIL import Image, ImageChops
from pypdfium2 import raw

from appliance.documents.pdf.units import Texts
from appliance.remarks import PRINT_ONLY, SCREEN_ONLY, Remark

_LAYERS = b"/OCProperties"
_COLLECTION = b"/Collection"
_SIDE = 700  # pixels of the longer side: a letter of 8 pt is some pixels
# By how many levels a pixel must differ, and how many pixels, for a reader to miss something.
_DIFFERENT, _FEWEST = 48, 6


def has_layers(texts: Texts) -> bool:
    """Whether the document may have layers, which can be hidden (ISO 32000-1 8.11)."""
    return any(True for _ in texts.having(_LAYERS))


def is_collection(texts: Texts) -> bool:
    """Whether the document may be a collection, a wrapper of other files (ISO 32000-1 12.3.5)."""
    return any(True for _ in texts.having(_COLLECTION))


def state_remarks(page: pypdfium2.PdfPage, layers: bool) -> list[Remark]:
    """Remarks on ``page``; it is examined only when the document has ``layers`` or it has annotations."""
    if not layers and raw.FPDFPage_GetAnnotCount(page) <= 0:
        return []
    screen, printed = (_small(page, flags) for flags in (raw.FPDF_ANNOT, raw.FPDF_ANNOT | raw.FPDF_PRINTING))
    found = []
    for kind, missing in (
        (SCREEN_ONLY, ImageChops.subtract(printed, screen)),
        (PRINT_ONLY, ImageChops.subtract(screen, printed)),
    ):
        if sum(missing.histogram()[_DIFFERENT:]) >= _FEWEST:
            found.append(Remark(kind))
    return found


def _small(page: pypdfium2.PdfPage, flags: int) -> Image.Image:
    width, height = page.get_size()
    scale = _SIDE / max(width, height, 1.0)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    bitmap = pypdfium2.PdfBitmap.new_native(*size, raw.FPDFBitmap_Gray)
    bitmap.fill_rect((255, 255, 255, 255), 0, 0, *size)
    raw.FPDF_RenderPageBitmap(bitmap, page, 0, 0, *size, 0, flags)
    if page.formenv is not None:
        raw.FPDF_FFLDraw(page.formenv, bitmap, page, 0, 0, *size, 0, flags)
    octets = bytes(memoryview(bitmap.buffer).cast("B"))
    return Image.frombytes("L", size, octets, "raw", "L", bitmap.stride, 1)
