"""PDF pages through pdfium, drawn at the resolution of the fax page, as for printing.

pdfium scales in both directions separately, so a page at 204 x 98 is drawn once and never resampled.
pdfium is not thread-safe: one worker process, one thread.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import pypdfium2
from pypdfium2 import raw

from appliance.documents.bilevel.screen import BAND_PIXELS
from appliance.documents.causes import DOCUMENT_DAMAGED, DOCUMENT_EMPTY
from appliance.documents.drawing import Drawing
from appliance.documents.errors import DocumentError
from appliance.documents.geometry import LARGEST_SIDE_MM, MM_PER_INCH, Layout, PageSize
from appliance.documents.pdf.drawing import DrawnPage
from appliance.documents.pdf.fonts import Unlike, identity_fonts, may_lack_fonts, stand_in
from appliance.documents.pdf.layers import hide_unprinted
from appliance.documents.pdf.lines import keep_thin_lines
from appliance.documents.pdf.marks import give_appearances, has_open_redactions, incomplete_marks
from appliance.documents.pdf.objects import Objects, listed, lost_pictures
from appliance.documents.pdf.opening import opened, opened_by_pdfium, with_all_pages
from appliance.documents.pdf.places import pixels_per_point
from appliance.documents.pdf.reading import PdfReading
from appliance.documents.pdf.scans import ScanLook, drawn_black_and_white, scan_of
from appliance.documents.pdf.states import has_layers, is_collection, state_remarks
from appliance.documents.pdf.substitutes import taking, use_own_fonts
from appliance.documents.pdf.units import Texts, box_key, units_of
from appliance.remarks import (
    FILE_LEFT_OUT,
    FONT_REPLACED,
    GLYPHS_MISSING,
    LONGEST_FILE_NAME,
    MOST_REMARKS,
    PAGES_MISSING,
    REDACTION_OPEN,
    XFA_SHELL,
    Remark,
)

_POINTS_PER_INCH = 72.0
# A PDF of more octets is not kept in memory if it can be read again.
_LARGEST_PDF_KEPT = 1 << 20


class PdfSource:
    """A PDF.  ``file``: where ``content`` can be read again, if anywhere; then a long one is not kept in
    memory.  ``counts_itself``: it comes from elsewhere, and may count its pages wrongly.
    """

    # An open page holds its decoded pictures: one is open at a time, of all documents of the fax.
    _with_open_page: ClassVar[PdfSource | None] = None

    def __init__(self, content: bytes, file: str | None = None, *, counts_itself: bool = True) -> None:
        use_own_fonts()
        made = opened(content)
        kept = file is None or made.content is not content or len(content) <= _LARGEST_PDF_KEPT
        self._made_from: bytes | str = made.content
        if file is not None and not kept:
            made.document.close()
            self._made_from = file
            made = replace(made, document=opened_by_pdfium(file))
        self._reading = PdfReading(self._made_from, len(made.content), len(made.document))
        if counts_itself and (whole := with_all_pages(made, self._reading)) is not None:
            made = whole
            self._made_from = made.content
            self._reading = PdfReading(made.content, len(made.content), len(made.document))
        self._document, self._repaired = made.document, made.remarks
        self.count = len(self._document)
        if self.count <= 0:
            raise DocumentError(DOCUMENT_EMPTY, "a PDF without pages")
        if counts_itself and 0 < (pages := self._reading.pages_listed()) < self.count:
            # What is no page in the list of pages is a white one for pdfium.
            self._repaired += (Remark(PAGES_MISSING, detail=f"{pages} of {self.count} pages"),)
        content = made.content
        self._instead: dict[
            str, str
        ] = {}  # families for fonts that are not embedded and whose letters others lack
        form = self._document.get_formtype()
        # A dynamic XFA form is not in the PDF's pages (ISO 32000-1 12.7.8); only Adobe's program draws it.
        self._shell = form == raw.FORMTYPE_XFA_FULL and _is_shell(self._document)
        self._has_form = form != raw.FORMTYPE_NONE
        self._begin_forms()
        texts = Texts(content)
        self._units = units_of(texts)
        self._identity_fonts = identity_fonts(texts)
        self._may_lack_fonts = bool(self._identity_fonts) or may_lack_fonts(texts)
        self._layers = has_layers(texts)
        self._is_collection = is_collection(texts) and self._document.count_attachments() > 0
        self._collected = _collected(self._document) if self._is_collection else []
        self._seen_to: int | None = None  # the open page, once it is prepared for drawing
        self._unlike = Unlike()  # of that page
        self._marks: list[Remark] = []  # on the annotations of that page
        self._open: tuple[int, pypdfium2.PdfPage] | None = None
        self._listed: Objects | None = None  # the objects of that page, once asked for
        self._is_whole = False  # its only picture was decoded when it was drawn

    def _begin_forms(self) -> None:
        """Makes pdfium draw the values of form fields."""
        if self._has_form:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._document.init_forms()

    def size(self, index: int) -> PageSize:
        page = self._page(index)
        unit = self._units.get(box_key(page.get_mediabox()), 1.0) if self._units else 1.0
        width, height = (side * unit / _POINTS_PER_INCH * MM_PER_INCH for side in page.get_size())
        largest = max(width, height)
        if not (width > 0 and height > 0 and math.isfinite(largest)):
            raise DocumentError(DOCUMENT_DAMAGED, f"page {index + 1} is {width} x {height} mm")
        shrink = min(1.0, LARGEST_SIDE_MM / largest)
        return PageSize(width * shrink, height * shrink)

    def _page(self, index: int) -> pypdfium2.PdfPage:
        """Page ``index``, kept open until another is asked for: its size is asked before it is drawn."""
        if self._open is not None and self._open[0] == index:
            return self._open[1]
        if PdfSource._with_open_page is not None:
            PdfSource._with_open_page._close_page()
        try:
            with taking(self._instead):
                page = self._document[index]
                if not all(page.get_size()):  # its crop box is outside the sheet
                    page.set_cropbox(*page.get_mediabox())
                    page.close()
                    page = self._document[index]
            self._open = (index, page)
            PdfSource._with_open_page = self
            return page
        except (pypdfium2.PdfiumError, IndexError) as error:
            raise DocumentError(DOCUMENT_DAMAGED, f"page {index + 1}: {error}"[:200]) from None

    def _close_page(self) -> None:
        if self._open is not None:
            self._open[1].close()
            PdfSource._with_open_page = None
        self._open = self._seen_to = self._listed = None
        self._is_whole = False

    def close(self) -> None:
        """Frees what pdfium holds of the document, which is not used again."""
        self._close_page()
        self._document.close()

    def collection(self) -> pypdfium2.PdfDocument | None:
        """The document if it is a wrapper of other files (ISO 32000-1 12.3.5)."""
        return self._document if self._is_collection else None

    def files_follow(self) -> None:
        """Says that the files of the collection are faxed behind it."""
        self._collected = []

    def _with_letters(self, index: int) -> pypdfium2.PdfPage:
        """Page ``index``; fonts that are not embedded are replaced by those that have its letters."""
        page = self._page(index)
        self._unlike = stand_in(page, self._objects(page), self._identity_fonts)
        if not self._unlike.better.items() - self._instead.items():
            return page
        self._instead.update(self._unlike.better)
        self._close_page()
        self._document.close()  # pdfium keeps the fonts of a document
        self._document = opened_by_pdfium(self._made_from)
        self._begin_forms()
        page = self._page(index)
        self._unlike = stand_in(page, self._objects(page), self._identity_fonts)
        return page

    def draw(self, index: int, layout: Layout) -> Drawing:
        if index != self._seen_to:
            self._prepare(index, layout)
        page = self._page(index)
        scan = scan_of(page, layout) if layout.width * layout.rows <= BAND_PIXELS else None
        drawn = DrawnPage(page, layout, self._objects(page))
        if scan is None:
            return drawn.of_objects()
        plain = None
        if scan.look is ScanLook.BLACK_AND_WHITE and not self._layers:
            plain = drawn_black_and_white(page, index, layout, scan, self._reading)
        self._is_whole = plain is not None
        return drawn.of_scan(scan, plain)

    def _objects(self, page: pypdfium2.PdfPage) -> Objects:
        """The objects of the open ``page``, listed once: there may be thousands."""
        if self._listed is None:
            self._listed = listed(page)
        return self._listed

    def _prepare(self, index: int, layout: Layout) -> None:
        """Changes the open page so that pdfium draws it as it is printed, on this ``layout``."""
        page = self._with_letters(index) if self._may_lack_fonts else self._page(index)
        if keep_thin_lines(page, self._objects(page), pixels_per_point(page, layout)):
            self._listed = None
        examined = self._reading.document() if self._layers else None
        self._marks = hide_unprinted(page, index, examined) if examined is not None else []
        self._marks += give_appearances(self._document, page)
        self._seen_to = index

    def remarks(self, index: int | None) -> Sequence[Remark]:
        if index is None:
            shell = [Remark(XFA_SHELL)] if self._shell else []
            return [*self._repaired, *shell, *self._enclosed()]
        page = self._page(index)
        said = [*state_remarks(page, self._layers), *incomplete_marks(page)]
        if has_open_redactions(page):
            said.append(Remark(REDACTION_OPEN))
        lost = 0 if self._is_whole else lost_pictures(page, self._objects(page))
        said += self._reading.remarks(index, lost)
        if index == self._seen_to:
            said += self._marks
            said += [Remark(GLYPHS_MISSING, detail=name) for name in sorted(self._unlike.lost)]
            said += [Remark(FONT_REPLACED, detail=name) for name in sorted(self._unlike.replaced)]
        return said

    def _enclosed(self) -> Sequence[Remark]:
        return self._collected if self._is_collection else self._reading.enclosed()


def _collected(document: pypdfium2.PdfDocument) -> list[Remark]:
    """A remark for each file in a collection, whose page is only its wrapper (ISO 32000-1 12.3.5)."""
    numbers = range(min(document.count_attachments(), MOST_REMARKS))
    return [Remark(FILE_LEFT_OUT, file=_attached(document, number)[:LONGEST_FILE_NAME]) for number in numbers]


def _attached(document: pypdfium2.PdfDocument, number: int) -> str:
    """The name of an attached file; a damaged one has none."""
    try:
        return str(document.get_attachment(number).get_name())
    except pypdfium2.PdfiumError:
        return ""


# Words of the page that Adobe puts in an XFA form ("Please wait"); the second is in every language's.
_WAITING = ("please wait", "adobe.com/go/reader", "pdf viewer may not be able", "pdf-anzeigeprogramm")


def _is_shell(document: pypdfium2.PdfDocument) -> bool:
    """Whether the only page is the one that says to wait for the form."""
    if len(document) != 1:
        return False
    text = document[0].get_textpage().get_text_range().lower()
    return not text.strip() or any(words in text for words in _WAITING)
