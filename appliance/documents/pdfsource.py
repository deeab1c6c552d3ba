"""PDF pages through pdfium, drawn straight at the resolution of the fax page.

pdfium scales by its own matrix in both directions separately, so a page at 204 x 98 is drawn once
and never resampled.  pdfium is not thread-safe: one worker process, one thread.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pypdfium2
from PIL import Image
from pypdfium2 import raw

from appliance.causes import DOCUMENT_DAMAGED, DOCUMENT_EMPTY, DOCUMENT_ENCRYPTED
from appliance.documents.errors import DocumentError
from appliance.documents.geometry import LARGEST_SIDE_MM, MM_PER_INCH, Layout, PageSize
from appliance.remarks import Remark

_POINTS_PER_INCH = 72.0
_QUARTER_ANTICLOCKWISE = 3  # pdfium counts quarters clockwise


class PdfSource:
    def __init__(self, content: bytes) -> None:
        try:
            self._document = pypdfium2.PdfDocument(content)
        except pypdfium2.PdfiumError as error:
            if getattr(error, "err_code", None) in {raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY}:
                raise DocumentError(DOCUMENT_ENCRYPTED, str(error)[:200]) from None
            raise DocumentError(DOCUMENT_DAMAGED, str(error)[:200]) from None
        self.count = len(self._document)
        if self.count <= 0:
            raise DocumentError(DOCUMENT_EMPTY, "a PDF without pages")
        if self._document.get_formtype() != raw.FORMTYPE_NONE:
            self._document.init_forms()  # so that what was filled in is drawn
        self._bitmap: pypdfium2.PdfBitmap | None = None
        self._open: tuple[int, pypdfium2.PdfPage] | None = None

    def size(self, index: int) -> PageSize:
        width, height = (side / _POINTS_PER_INCH * MM_PER_INCH for side in self._page(index).get_size())
        largest = max(width, height)
        if not (width > 0 and height > 0 and math.isfinite(largest)):
            raise DocumentError(DOCUMENT_DAMAGED, f"page {index + 1} is {width} x {height} mm")
        shrink = min(1.0, LARGEST_SIDE_MM / largest)
        return PageSize(width * shrink, height * shrink)

    def _page(self, index: int) -> pypdfium2.PdfPage:
        """Page ``index``, kept open until another one is wanted: its size is asked before it is drawn."""
        if self._open is not None:
            if self._open[0] == index:
                return self._open[1]
            self._open[1].close()
            self._open = None
        try:
            self._open = (index, self._document[index])
            return self._open[1]
        except (pypdfium2.PdfiumError, IndexError) as error:
            raise DocumentError(DOCUMENT_DAMAGED, f"page {index + 1}: {error}"[:200]) from None

    def draw(self, index: int, layout: Layout) -> Image.Image:
        page = self._page(index)
        size = (layout.width, layout.rows)
        if self._bitmap is None or (self._bitmap.width, self._bitmap.height) != size:
            self._bitmap = pypdfium2.PdfBitmap.new_native(*size, raw.FPDFBitmap_Gray)
        bitmap = self._bitmap
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, *size)
        box = (
            layout.left,
            layout.top,
            layout.box_width,
            layout.box_rows,
            _QUARTER_ANTICLOCKWISE if layout.turned else 0,
        )
        raw.FPDF_RenderPageBitmap(bitmap, page, *box, raw.FPDF_ANNOT)
        if page.formenv is not None:
            raw.FPDF_FFLDraw(page.formenv, bitmap, page, *box, raw.FPDF_ANNOT)
        return Image.frombuffer("L", size, bitmap.buffer, "raw", "L", bitmap.stride, 1)

    def remarks(self, index: int | None) -> Sequence[Remark]:
        return ()

    def octets(self) -> memoryview | None:
        bitmap = self._bitmap
        if bitmap is None or bitmap.stride != bitmap.width:
            return None
        return memoryview(bitmap.buffer).cast("B")
