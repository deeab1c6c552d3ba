"""Files of fax codes (`faxcodes`) as pages.  Runs inside the worker process only."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

from appliance.documents import causes
from appliance.documents.errors import DocumentError
from appliance.documents.geometry import MM_PER_INCH
from appliance.documents.kinds import Kind
from appliance.documents.options import Limits, Paper
from appliance.documents.pictures.fax_codes import LARGEST, FaxPage, fax_pages
from appliance.documents.pictures.source import ImageSource
from appliance.documents.pictures.tiff import guessed_resolution
from appliance.remarks import CONTENT_DAMAGED, PAGES_MISSING, Remark

_CALS_DPI = 300
# Lengths of sheets (Letter, A4, Legal, B4, A3), and how much of one a page may differ from it.
_SHEETS_MM, _NEAR = (279.4, 297.0, 355.6, 364.0, 420.0), 0.02
_TURNS = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}


class FaxCodes(ImageSource):
    """The pages of a file of fax codes, drawn as those of a TIFF with the same rows."""

    def __init__(self, content: bytes, paper: Paper, limits: Limits) -> None:
        """Raises DocumentError."""
        if len(content) > LARGEST:
            raise DocumentError(causes.DOCUMENT_TOO_LARGE, f"fax codes of {len(content)} octets")
        pages = fax_pages(content, limits.pages)
        self._damaged_pages = frozenset(number for number, page in enumerate(pages) if page.is_damaged)
        self._runs_on = any(not page.is_ended and not _is_as_long_as_a_sheet(page) for page in pages)
        super().__init__(_as_tiff(pages), Kind.TIFF, paper, limits)

    def remarks(self, index: int | None) -> Sequence[Remark]:
        if index is None and self._runs_on:
            return [*super().remarks(index), Remark(PAGES_MISSING, detail="the codes have no end (EOFB)")]
        more = [Remark(CONTENT_DAMAGED)] if index in self._damaged_pages else []
        return [*super().remarks(index), *more]


def _is_as_long_as_a_sheet(page: FaxPage) -> bool:
    """Whether a page whose end is not stated may be all there is: not cut off, nor several run together."""
    _, down = guessed_resolution(page.raster.width, page.raster.rows)
    length = page.raster.rows / (down or _CALS_DPI) * MM_PER_INCH
    return not page.is_damaged and any(abs(length - sheet) < _NEAR * sheet for sheet in _SHEETS_MM)


def _as_tiff(pages: Sequence[FaxPage]) -> bytes:
    # The pages of a fax have one resolution, which the longest of them shows.
    longest = max(pages, key=lambda page: page.raster.rows)
    dpi = guessed_resolution(longest.raster.width, longest.raster.rows)
    if longest.dpi or not dpi[0]:
        dpi = (longest.dpi or _CALS_DPI,) * 2
    first, *others = map(_picture, pages)
    out = io.BytesIO()
    first.save(out, "TIFF", compression="group4", dpi=dpi, save_all=True, append_images=others)
    return out.getvalue()


def _picture(page: FaxPage) -> Image.Image:
    raster = page.raster
    made = Image.frombytes("1", (raster.width, raster.rows), raster.data, "raw", "1;I")
    turn = _TURNS.get(page.turned)
    return made if turn is None else made.transpose(turn)
