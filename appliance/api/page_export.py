"""Fax pages in formats for people: PNG, PDF, TIFF, and a confirmation of a sent fax.

Only pages coded by the box come in here; documents from outside were converted by the limited worker, or the
pages were received in a call.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from appliance import at_rest
from appliance.api.causes import NOT_FOUND
from appliance.api.problems import Flaw, ProblemError, problem_of
from appliance.box import Box
from appliance.dispatch.making import local_time
from appliance.documents.causes import DOCUMENT_GONE
from appliance.documents.pages_pdf import write_pdf
from appliance.documents.rendered import RenderedDocument
from appliance.documents.thumbnail import thumbnail
from appliance.language import said as _
from appliance.numbers import NumberSettings
from appliance.services.causes import STATE_FORBIDS
from appliance.spool.errors import NotFoundError
from appliance.spool.model import Attempt, Job, JobState, Received, ReceivedPageFile
from appliance.station import StationSettings
from appliance.t4.coding import PageError, decode
from appliance.t4.page import CodedPage, Raster, Resolution
from appliance.t4.tiff import FaxTiff, TiffError, write_tiff

F = TypeVar("F")

VIEWS_FOLDER = "views"

# The confirmation: A4 at 300 dpi, in millimetres.
_DPI_PIXELS_PER_MM = 300 / 25.4
_SHEET_MM = (210.0, 297.0)
_MARGIN_MM = 18.0
_TITLE_MM, _TYPE_MM, _LABEL_MM, _LABEL_GAP_MM = 8.0, 3.6, 42.0, 4.0
_LEADING = 1.5
_PICTURE_MM = 110.0  # longest height of the picture of the first page
_BLACK_BELOW = 128  # grey level below which a pixel of a letter's edge is black


def rendered(box: Box, job: Job) -> RenderedDocument:
    """The pages of a sent fax or one to be sent.

    Raises ProblemError: STATE_FORBIDS before they are ready, DOCUMENT_GONE after they were deleted.
    """
    if not job.rendered_path:
        if job.state.ended:
            raise ProblemError(DOCUMENT_GONE, "its pages were never made")
        raise ProblemError(STATE_FORBIDS, "its pages are not ready yet")
    try:
        return RenderedDocument.open(box.data / job.rendered_path)
    except at_rest.SealedError as error:
        raise ProblemError(DOCUMENT_GONE, f"its pages cannot be read: {error}") from None
    except (OSError, ValueError):
        raise ProblemError(DOCUMENT_GONE, "its pages are no longer kept") from None


def sent_page(document: RenderedDocument, page: int) -> CodedPage:
    """Page ``page``, from 1, of a fax to send.  Raises ProblemError."""
    if not 1 <= page <= len(document.pages):
        raise ProblemError(NOT_FOUND, f"there are {len(document.pages)} pages")
    try:
        return document.coded_page(page - 1)
    except at_rest.SealedError as error:
        raise ProblemError(DOCUMENT_GONE, f"page {page} cannot be read: {error}") from None
    except OSError:
        raise ProblemError(DOCUMENT_GONE, "its pages are no longer kept") from None


def sent_pages(box: Box, job: Job) -> Iterator[CodedPage]:
    """The pages of a fax to send, or sent, one at a time.  Raises ProblemError."""
    document = rendered(box, job)
    for number in range(len(document.pages)):
        yield sent_page(document, number + 1)


def received_page(box: Box, pages: Sequence[ReceivedPageFile], page: int) -> CodedPage | Raster:
    """Page ``page``, from 1, of a received fax.  Raises ProblemError."""
    wanted = [file for file in pages if file.number == page - 1]
    if not wanted:
        raise ProblemError(NOT_FOUND, f"there are {len(pages)} pages")
    return next(received_pages(box, wanted))


def received_pages(box: Box, pages: Sequence[ReceivedPageFile]) -> Iterator[CodedPage | Raster]:
    """The pages of a received fax, one at a time.  Raises ProblemError."""
    for file in pages:
        try:
            with FaxTiff(box.inbox.open_page(file)) as tiff:
                yield tiff.page(0)
        except at_rest.SealedError as error:
            raise ProblemError(DOCUMENT_GONE, f"page {file.number + 1} cannot be read: {error}") from None
        except (OSError, TiffError, PageError):
            raise ProblemError(DOCUMENT_GONE, f"page {file.number + 1} cannot be read") from None


def png(page: CodedPage | Raster, *, small: bool = False) -> bytes:
    """The page in black and white with all its pixels, or a ``small`` picture of it."""
    raster = page if isinstance(page, Raster) else decode(page)
    if not raster.rows:
        raise ProblemError(NOT_FOUND, "the page is empty")
    if small:
        return thumbnail(raster)
    from PIL import Image  # noqa: PLC0415 (only loaded once somebody looks at pages)

    image = Image.frombytes("1", (raster.width, raster.rows), raster.data, "raw", "1;I")
    out = io.BytesIO()
    image.save(out, "PNG", dpi=raster.resolution.value)
    return out.getvalue()


@contextlib.contextmanager
def temporary_file(box: Box, suffix: str) -> Iterator[Path]:
    """A new empty temporary file for content that is sent once and then deleted, or at once when it fails."""
    folder = at_rest.reading_root(box.data) / VIEWS_FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=suffix, delete=False) as file:
        path = Path(file.name)
    try:
        yield path
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def sweep(box: Box) -> None:
    """Deletes temporary files that a crash left."""
    for folder in {box.data, at_rest.temporary_root(box.data)}:
        for path in (folder / VIEWS_FOLDER).glob("*"):
            path.unlink(missing_ok=True)


def sent_pdf(box: Box, job: Job) -> Path:
    """A fax to send, or sent, as a temporary PDF.  Raises ProblemError."""
    title = f"{'Practice fax' if job.practice else 'Fax'} {job.id} to {job.given}"
    return pdf_of(box, sent_pages(box, job), title, job.created_at)


def received_pdf(box: Box, fax: Received, pages: Sequence[ReceivedPageFile]) -> Path:
    """A received fax as a temporary PDF.  Raises ProblemError."""
    title = f"{'Practice fax' if fax.practice else 'Fax'} {fax.id} from {fax.caller or fax.tsi}"
    return pdf_of(box, received_pages(box, pages), title, fax.started_at, box.inbox.page_texts(fax.id))


def received_tiff(box: Box, pages: Sequence[ReceivedPageFile]) -> Path:
    """A received fax as a temporary TIFF.  Raises ProblemError."""
    return _tiff_of(box, received_pages(box, pages))


def sent_tiff(box: Box, job: Job) -> Path:
    """A fax to send, or sent, as a temporary TIFF.  Raises ProblemError."""
    return _tiff_of(box, sent_pages(box, job))


def _tiff_of(box: Box, pages: Iterator[CodedPage | Raster]) -> Path:
    with temporary_file(box, ".tiff") as path:
        try:
            write_tiff(path, pages)
        except ValueError:
            raise ProblemError(NOT_FOUND, "the fax has no pages") from None
    return path


@contextlib.contextmanager
def naming(fax_id: int) -> Iterator[None]:
    """Names the fax in a problem: one of several.  Raises ProblemError."""
    try:
        yield
    except (ProblemError, NotFoundError) as error:
        problem, which = problem_of(error), Flaw("ids", _("Fax {id}").format(id=fax_id))
        raise ProblemError(problem.cause, f"fax {fax_id}: {problem.detail}", (which,)) from None


def of_each(ids: Iterable[int], get: Callable[[int], F]) -> list[F]:
    """What ``get`` returns for each fax.  Raises ProblemError, which names the fax."""
    found = []
    for fax_id in ids:
        with naming(fax_id):
            found.append(get(fax_id))
    return found


def _one_after_the_other(
    faxes: Iterable[tuple[int, Callable[[], Iterator[CodedPage | Raster]]]],
) -> Iterator[CodedPage | Raster]:
    for fax_id, pages in faxes:
        with naming(fax_id):
            yield from pages()


def received_together(box: Box, faxes: Sequence[tuple[Received, Sequence[ReceivedPageFile]]]) -> Path:
    """Received faxes, one after the other, in one temporary PDF.  Raises ProblemError."""
    pages = _one_after_the_other((fax.id, partial(received_pages, box, files)) for fax, files in faxes)
    return pdf_of(box, pages, ", ".join(f"Fax {fax.id}" for fax, _ in faxes)[:200], box.clock())


def received_zip(box: Box, faxes: Sequence[tuple[Received, Sequence[ReceivedPageFile]]]) -> Path:
    """Received faxes as a temporary ZIP of PDFs.  Raises ProblemError."""
    return _zip_of(box, ((fax.id, partial(received_pdf, box, fax, files)) for fax, files in faxes))


def sent_together(box: Box, jobs: Sequence[Job]) -> Path:
    """Faxes to send, or sent, one after the other, in one temporary PDF.  Raises ProblemError."""
    pages = _one_after_the_other((job.id, partial(sent_pages, box, job)) for job in jobs)
    return pdf_of(box, pages, ", ".join(f"Fax {job.id}" for job in jobs)[:200], box.clock())


def sent_zip(box: Box, jobs: Sequence[Job]) -> Path:
    """Faxes to send, or sent, as a temporary ZIP of PDFs.  Raises ProblemError."""
    return _zip_of(box, ((job.id, partial(sent_pdf, box, job)) for job in jobs))


def _zip_of(box: Box, faxes: Iterable[tuple[int, Callable[[], Path]]]) -> Path:
    """A temporary ZIP; ``faxes``: each fax's id, and what makes its PDF."""
    with temporary_file(box, ".zip") as path, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for fax_id, make in faxes:
            with naming(fax_id):
                made = make()
            try:
                archive.write(made, f"fax-{fax_id}.pdf")
            finally:
                made.unlink(missing_ok=True)
    return path


def pdf_of(
    box: Box, pages: Iterator[CodedPage | Raster], title: str, at: float, texts: Sequence[str] = ()
) -> Path:
    """Pages as a temporary PDF, dated ``at`` (Unix time), with their ``texts``.  Raises ProblemError."""
    with temporary_file(box, ".pdf") as path:
        try:
            write_pdf(path, pages, title=title, created=local_time(box, at), texts=texts)
        except PageError:
            raise ProblemError(DOCUMENT_GONE, "a page is damaged") from None
        except ValueError:
            raise ProblemError(NOT_FOUND, "the fax has no pages") from None
        except at_rest.SealedError as error:
            raise ProblemError(DOCUMENT_GONE, f"a page cannot be read: {error}") from None
        except OSError:
            raise ProblemError(DOCUMENT_GONE, "its pages are no longer kept") from None
    return path


# -- the confirmation ------------------------------------------------------------------------------


def confirmation_pdf(box: Box, job: Job, attempts: Sequence[Attempt]) -> Path:
    """A one-page PDF about the result of a fax, with a picture of its first page while that is kept."""
    station = box.settings.section(StationSettings)
    heading, rows = _account(box, job, attempts, station)
    try:
        picture: CodedPage | None = rendered(box, job).coded_page(0)
    except (ProblemError, OSError, IndexError):
        picture = None
    return pdf_of(box, iter([_draw(heading, rows, picture)]), f"{heading} {job.id}", box.clock())


def _account(
    box: Box, job: Job, attempts: Sequence[Attempt], station: StationSettings
) -> tuple[str, list[tuple[str, str]]]:
    region = box.settings.section(NumberSettings).region
    clock = station.writer(region)
    delivered = job.state.value == "delivered"
    last = attempts[-1] if attempts else None
    pages = _("{count} of {pages}").format(count=job.pages_confirmed, pages=job.pages)
    practice = _("It goes to the practice machine inside the box; nobody outside gets it.")
    rows = [
        (_("State"), _state(job.state)),
        (_("Result"), _(job.cause.sentence) if job.cause else ""),
        (_("Advice"), _(job.cause.advice) if job.cause and not delivered else ""),
        (_("To"), f"{job.name}  ({job.given})" if job.name else job.given),
        (_("Practice"), practice if job.practice else ""),
        (_("Receiving machine"), job.remote_id),
        (_("From"), "  ".join(part for part in (station.name, station.station_id) if part)),
        (_("Pages confirmed"), pages if job.pages is not None else _("not prepared")),
        (_("Handed in"), clock.date_time(job.created_at)),
        (_("Ended"), clock.date_time(job.ended_at)),
        (_("Tries"), str(job.tries)),
        (_("Time on the line"), f"{job.seconds_on_line:.0f} s"),
        (_("Line"), last.line if last else ""),
        (_("Fax"), f"{job.id}  ({job.uuid})"),
        (_("Tag"), job.tag),
    ]
    return (_("Fax delivered") if delivered else _("Fax report")), [row for row in rows if row[1]]


def _state(state: JobState) -> str:
    match state:
        case JobState.DELIVERED:
            return _("Sent")
        case JobState.FAILED:
            return _("Failed")
        case JobState.CANCELLED:
            return _("Cancelled")
        case JobState.UNKNOWN:
            return _("Perhaps arrived")
    return _("On the way")


def _draw(heading: str, rows: Sequence[tuple[str, str]], picture: CodedPage | None) -> Raster:
    from PIL import Image, ImageChops  # noqa: PLC0415 (as above)

    from appliance.documents import typeface  # noqa: PLC0415

    def px(mm: float) -> int:
        return round(mm * _DPI_PIXELS_PER_MM)

    # The width of a scan line at 300 dpi, so that the page can also be faxed.
    width, height = 2592, px(_SHEET_MM[1])
    sheet = typeface.Sheet(width, height)
    bold = typeface.font(typeface.BOLD, px(_TYPE_MM))
    face = typeface.font(typeface.REGULAR, px(_TYPE_MM))
    y = px(_MARGIN_MM)
    sheet.text(px(_MARGIN_MM), y, heading, typeface.font(typeface.BOLD, px(_TITLE_MM)))
    y += px(_TITLE_MM * _LEADING)
    sheet.line(px(_MARGIN_MM), y, width - px(_MARGIN_MM), y, px(0.4))
    y += px(5)
    # Labels may be longer in other languages.
    labels = max((round(bold.getlength(label)) + px(_LABEL_GAP_MM) for label, _value in rows), default=0)
    indent = px(_MARGIN_MM) + max(px(_LABEL_MM), labels)
    room = width - px(_MARGIN_MM) - indent
    for label, value in rows:
        sheet.text(px(_MARGIN_MM), y, label, bold)
        for line in typeface.wrap_pixels(value, face, room):
            sheet.text(indent, y, line, face)
            y += px(_TYPE_MM * _LEADING)
    image = sheet.image.point(lambda grey: 0 if grey < _BLACK_BELOW else 255)
    if picture is not None and picture.rows:
        small = Image.open(io.BytesIO(thumbnail(picture, px(_PICTURE_MM)))).convert("1")
        at = (px(_MARGIN_MM), y + px(6))
        image.paste(small.convert("L"), at)
        corner = (at[0] + small.width, at[1] + small.height)
        for x0, y0, x1, y1 in (
            (at[0], at[1], corner[0], at[1]),
            (at[0], corner[1], corner[0], corner[1]),
            (at[0], at[1], at[0], corner[1]),
            (corner[0], at[1], corner[0], corner[1]),
        ):
            image.paste(0, (x0, y0, x1 + px(0.2), y1 + px(0.2)))
    black = ImageChops.invert(image).convert("1", dither=Image.Dither.NONE)
    return Raster(width, height, black.tobytes(), Resolution.R300)
