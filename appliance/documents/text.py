"""Plain text as pages of monospaced type."""

from __future__ import annotations

from PIL import Image

from appliance.causes import DOCUMENT_EMPTY, DOCUMENT_TOO_MANY_PAGES
from appliance.documents import type as typeface
from appliance.documents.errors import DocumentError
from appliance.documents.geometry import PIXELS_PER_MM, Layout, PageSize
from appliance.documents.options import Limits, Paper
from appliance.documents.placing import place
from appliance.remarks import Remark

COLUMNS = 80
_MARGIN_MM = 10.0
_TOP_MM = 12.0
_LEADING = 1.2  # line pitch, in ems
_ADVANCE = 0.602  # of a character of the monospaced face, in ems
_CONTROLS = {code: None for code in (*range(32), *range(127, 160)) if code not in {9, 10, 12}}


class TextSource:
    """Lines of 80 columns, wrapped; tabs every eight columns; a form feed begins a new page."""

    def __init__(self, text: str, paper: Paper, limits: Limits) -> None:
        self._paper = paper
        width, height = paper.value
        self._em_mm = (width - 2 * _MARGIN_MM) / COLUMNS / _ADVANCE
        self._pitch_mm = self._em_mm * _LEADING
        self._rows = int((height - 2 * _TOP_MM) / self._pitch_mm)
        self._pages = self._paginate(text, limits)
        self.count = len(self._pages)

    def _paginate(self, text: str, limits: Limits) -> list[list[str]]:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        pages: list[list[str]] = []
        for sheet in text.rstrip("\n\f\t ").split("\f"):
            page: list[str] = []
            for line in sheet.removesuffix("\n").split("\n"):
                for piece in typeface.wrap_columns(typeface.expand_tabs(line), COLUMNS):
                    if len(page) == self._rows:
                        pages.append(page)
                        page = []
                    page.append(piece.translate(_CONTROLS))
                if len(pages) > limits.pages:
                    raise DocumentError(DOCUMENT_TOO_MANY_PAGES, f"more than {limits.pages}")
            pages.append(page)
        if not any(line.strip() for page in pages for line in page):
            raise DocumentError(DOCUMENT_EMPTY, "only white space")
        return pages

    def size(self, index: int) -> PageSize:
        return PageSize(*self._paper.value)

    def draw(self, index: int, layout: Layout) -> Image.Image:
        scale = PIXELS_PER_MM[layout.resolution.x_dpi]
        width, height = self._paper.value
        sheet = typeface.Sheet(round(width * scale), round(height * scale))
        em = round(self._em_mm * scale)
        face = typeface.font(typeface.MONOSPACED, em)
        for number, line in enumerate(self._pages[index]):
            if line:
                at = (round(_MARGIN_MM * scale), round((_TOP_MM + number * self._pitch_mm) * scale))
                _draw_columns(sheet, at, line, face, self._em_mm * _ADVANCE * scale)
        return place(sheet.image, layout)

    def remarks(self, index: int | None) -> tuple[Remark, ...]:
        return ()

    def octets(self) -> None:
        return None


def _draw_columns(
    sheet: typeface.Sheet, at: tuple[int, int], line: str, face: typeface.Font, advance: float
) -> None:
    """Draw ``line``; characters two columns wide, and those of a face of no fixed pitch, one by one."""
    x, y = at
    if abs(face.getlength(line) - advance * len(line)) <= advance:
        sheet.text(x, y, line, face)
        return
    column = 0
    cluster = ""
    for character in line:
        taken = typeface.columns(character)
        if taken and cluster:
            sheet.text(round(x + (column - typeface.columns(cluster[0])) * advance), y, cluster, face)
            cluster = ""
        column += taken
        cluster += character
    if cluster:
        sheet.text(round(x + (column - typeface.columns(cluster[0])) * advance), y, cluster, face)
