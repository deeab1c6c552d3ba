"""What is printed besides a fax's pages: a note above received pages, a report about a sent fax.

Words and dates are in the language of ``PaperSettings``, else of the fax's owner, else of the first
administrator.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from appliance.deliver.settings import PaperSettings
from appliance.documents import typeface
from appliance.documents.geometry import PIXELS_PER_MM, ROWS_PER_MM
from appliance.documents.options import clean_line
from appliance.documents.pages_pdf import write_pdf
from appliance.documents.thumbnail import thumbnail
from appliance.language import ENGLISH, Formatter, marked, said, speak
from appliance.settings.accounts import User, language_for
from appliance.settings.store import SettingsStore
from appliance.spool.model import Job, JobState, Received
from appliance.station import StationSettings
from appliance.t4.coding import PageError, decode
from appliance.t4.page import CodedPage, Raster, Resolution

# The note above a received page, mm: its strip, its letters, its margins.
_STRIP_MM, _NOTE_MM, _NOTE_SIDE_MM = 6.5, 4.0, 6.0
# A report, mm: the sheet, its margin, its heading, its letters and lines, the column of values, the picture.
_WIDTH_MM, _HEIGHT_MM, _MARGIN_MM = 215.0, 290.0, 22.0
_HEADING_MM, _LETTER_MM, _LINE_MM, _VALUES_MM = 7.5, 4.0, 6.2, 48.0
_PICTURE_MM = 130.0
# Grey level below which a pixel is black: a stroke that fills less than half of a row at standard resolution
# must not vanish.
_BLACK_BELOW = 190
# The resolution at which a sheet is drawn and printed.
_RESOLUTION = Resolution.FINE
# The note on sheets that may have been printed before.
AGAIN = marked("Printed again: the first print was not reported as finished. Some of it may be here twice.")


def write_for(settings: SettingsStore, owner: str) -> Formatter:
    """Sets this thread's language to that of the reader of ``owner``'s paper; what formats dates for them."""
    chosen = settings.section(PaperSettings).language
    speak(chosen or language_for(settings.items(User).values(), owner) or ENGLISH)
    return settings.section(StationSettings).writer()


# -- received faxes --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PageHeading:
    """What stands above each page: whose fax it is (``caller``), that it may be on paper already (``again``).

    False when it says nothing.
    """

    writer: Formatter
    caller: bool
    again: bool

    def __bool__(self) -> bool:
        return self.caller or self.again


def noted(
    pages: Iterable[CodedPage | Raster], fax: Received, note: PageHeading
) -> Iterator[CodedPage | Raster]:
    """The pages of a received fax, each with the note above it."""
    caller = " ".join(filter(None, (fax.caller, fax.caller_name))) or fax.tsi or said("an unknown number")
    for number, page in enumerate(pages, 1):
        lines = []
        if note.caller:
            line = said("Fax from {caller}, {moment}, page {number} of {pages}").format(
                caller=clean_line(caller),
                moment=note.writer.date_time(fax.started_at),
                number=number,
                pages=fax.pages,
            )
            lines.append(line)
        if note.again:
            lines.append(said(AGAIN))
        try:
            raster = page if isinstance(page, Raster) else decode(page)
        except PageError:  # damaged: it is printed without a note
            yield page
            continue
        strip = b"".join(_strip(line, raster.width, raster.resolution) for line in lines)
        rows = len(strip) // raster.row_octets
        yield Raster(raster.width, raster.rows + rows, strip + raster.data, raster.resolution)


def _strip(line: str, width: int, resolution: Resolution) -> bytes:
    scale = PIXELS_PER_MM[resolution.x_dpi]
    sheet = typeface.Sheet(width, round(_STRIP_MM * scale))
    face = typeface.font(typeface.REGULAR, round(_NOTE_MM * scale))
    side = round(_NOTE_SIDE_MM * scale)
    sheet.text(side, round(scale), typeface.fit(line, face, width - 2 * side), face)
    return _bilevel(sheet.at(width, round(_STRIP_MM * ROWS_PER_MM[resolution.y_dpi])))


def _bilevel(image: Image.Image) -> bytes:
    """Packed rows of ``image``; a set bit is black."""
    return image.point(lambda grey: 255 if grey < _BLACK_BELOW else 0).convert("1").tobytes()


# -- reports ---------------------------------------------------------------------------------------


def write_report(
    path: Path, job: Job, first_page: CodedPage | None, writer: Formatter, *, again: bool = False
) -> None:
    """Writes a PDF of one sheet to ``path``: how a fax ended, with a picture of its first page.

    ``again``: the sheet may be on paper already.  Raises OSError.
    """
    sheet = _Report()
    sheet.heading(_title(job.state))
    if job.practice:
        sheet.words(said("It goes to the practice machine inside the box; nobody outside gets it."))
        sheet.gap()
    if again:
        sheet.words(said(AGAIN))
        sheet.gap()
    for label, value in (
        (said("To"), " ".join(filter(None, (job.given or job.number, job.name, job.company)))),
        (said("Sent by"), " ".join(filter(None, (job.owner, job.from_user, job.from_computer)))),
        (said("Subject"), job.options.cover.subject if job.options.cover else ""),
        (said("Pages confirmed"), f"{job.pages_confirmed} / {job.pages or 0}"),
        (said("Calls"), str(job.tries)),
        (said("Ended"), writer.date_time(job.ended_at)),
        (said("Answered as"), job.remote_id),
        (said("Number of the fax"), str(job.id)),
    ):
        if value:
            sheet.field(label, clean_line(value))
    if job.cause is not None:
        sheet.gap()
        sheet.words(said(job.cause.sentence))
        if job.state is not JobState.DELIVERED:
            sheet.words(said(job.cause.advice))
    if first_page is not None:
        sheet.picture(first_page)
    write_pdf(path, [sheet.page()], title=f"Fax {job.id}")


def _title(state: JobState) -> str:
    match state:
        case JobState.DELIVERED:
            return said("The fax was delivered")
        case JobState.CANCELLED:
            return said("The fax was cancelled")
        case JobState.UNKNOWN:
            return said("Nobody knows whether the fax arrived")
    return said("The fax was not delivered")


class _Report:
    """A sheet that is filled from the top down, drawn in square pixels."""

    def __init__(self) -> None:
        self._scale = PIXELS_PER_MM[_RESOLUTION.x_dpi]
        self._sheet = typeface.Sheet(self._mm(_WIDTH_MM), self._mm(_HEIGHT_MM))
        self._top = self._mm(_MARGIN_MM)
        self._left, self._right = self._mm(_MARGIN_MM), self._mm(_WIDTH_MM - _MARGIN_MM)
        self._face = typeface.font(typeface.REGULAR, self._mm(_LETTER_MM))

    def _mm(self, length: float) -> int:
        return round(length * self._scale)

    def heading(self, text: str) -> None:
        """A heading, shortened to one line."""
        face = typeface.font(typeface.BOLD, self._mm(_HEADING_MM))
        self._sheet.text(self._left, self._top, typeface.fit(text, face, self._right - self._left), face)
        self._top += self._mm(2 * _HEADING_MM)

    def field(self, label: str, value: str) -> None:
        """A line with a label and its value."""
        values = self._left + self._mm(_VALUES_MM)
        bold = typeface.font(typeface.BOLD, self._mm(_LETTER_MM))
        self._sheet.text(self._left, self._top, typeface.fit(label, bold, values - self._left), bold)
        self._lines(value, values)

    def words(self, text: str) -> None:
        """A paragraph."""
        self._lines(text, self._left)

    def _lines(self, text: str, left: int) -> None:
        for line in typeface.wrap_pixels(text, self._face, self._right - left):
            self._sheet.text(left, self._top, line, self._face)
            self._top += self._mm(_LINE_MM)

    def gap(self) -> None:
        """An empty line."""
        self._top += self._mm(_LINE_MM)

    def picture(self, page: CodedPage) -> None:
        """A picture of a page, as large as fits; none where there is no room or the page is damaged."""
        self.gap()
        room = self._mm(_HEIGHT_MM - _MARGIN_MM) - self._top
        side = min(self._mm(_PICTURE_MM), room)
        if side < self._mm(_LINE_MM):
            return
        try:
            picture = thumbnail(page, side)
        except (PageError, ValueError):
            return
        # Halftoned: the printer gets black and white.
        image = Image.open(io.BytesIO(picture)).convert("1").convert("L")
        self._sheet.image.paste(image, (self._left, self._top))
        right, bottom = self._left + image.width, self._top + image.height
        for edge in (
            (self._left, self._top, right, self._top),
            (self._left, bottom, right, bottom),
            (self._left, self._top, self._left, bottom),
            (right, self._top, right, bottom),
        ):
            self._sheet.line(*edge, 1)

    def page(self) -> Raster:
        """The finished sheet."""
        width = self._sheet.image.width
        rows = round(_HEIGHT_MM * ROWS_PER_MM[_RESOLUTION.y_dpi])
        return Raster(width, rows, _bilevel(self._sheet.at(width, rows)), _RESOLUTION)
