"""Faxes as PDF files for e-mails, webhooks and folders."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from appliance import at_rest
from appliance.box import Box
from appliance.deliver.worker import DeliveryError
from appliance.documents.pages_pdf import write_pdf
from appliance.documents.rendered import RenderedDocument
from appliance.language import marked
from appliance.spool.errors import NotFoundError
from appliance.spool.model import Job, Received, ReceivedPageFile
from appliance.t4.coding import PageError
from appliance.t4.page import CodedPage, Raster
from appliance.t4.tiff import FaxTiff
from appliance.t4.tiff_reading import TiffError

if TYPE_CHECKING:
    from appliance.deliver.paper import PageHeading

FOLDER = "deliveries"  # temporary files, in the data folder

_UNWRITTEN = marked("The PDF could not be written.")
_DAMAGED = marked("A page of the fax is damaged in the box.")


@contextlib.contextmanager
def scratch(box: Box) -> Iterator[Path]:
    """A temporary folder, deleted afterwards.  Raises DeliveryError."""
    try:
        parent = at_rest.reading_root(box.data) / FOLDER
        parent.mkdir(mode=0o700, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=parent) as folder:
            yield Path(folder)
    except OSError as error:
        raise DeliveryError(f"{_UNWRITTEN} {error.strerror}") from error


@contextlib.contextmanager
def still_there() -> Iterator[None]:
    """Raises DeliveryError, final, for a fax that is no longer in the box."""
    try:
        yield
    except NotFoundError:
        raise DeliveryError(marked("The fax is no longer in the box."), final=True) from None


def write_received(box: Box, fax: Received, path: Path, note: PageHeading | None = None) -> None:
    """Writes a received fax as a PDF to ``path``, with ``note`` above each page.

    Raises DeliveryError, OSError.
    """
    from appliance.deliver import paper  # noqa: PLC0415 - only where something is drawn

    with still_there():
        pages = box.inbox.pages(fax.id)
    if not pages:
        raise DeliveryError(marked("The fax has no pages."), final=True)
    sender = fax.caller or fax.tsi
    title = f"{'Practice fax' if fax.practice else 'Fax'} {fax.id} from {sender}".strip()
    created = datetime.fromtimestamp(fax.started_at).astimezone()
    try:
        write_pdf(
            path,
            paper.noted(_pages(box, pages), fax, note) if note else _pages(box, pages),
            title=title,
            created=created,
            texts=box.inbox.page_texts(fax.id),
        )
    except FileNotFoundError as error:
        if (box.data / pages[0].path).exists():
            raise
        raise DeliveryError(marked("The fax's pages are no longer in the box."), final=True) from error
    except (PageError, TiffError, at_rest.SealedError) as error:
        raise DeliveryError(f"{_DAMAGED} {error}", final=True) from error


def write_sent(box: Box, job: Job, path: Path) -> bool:
    """Writes the pages of a job as they were sent to the PDF ``path``; False when they no longer exist."""
    if not job.rendered_path:
        return False
    try:
        document = RenderedDocument.open(box.data / job.rendered_path)
        write_pdf(
            path,
            document.coded_pages(),
            title=f"{'Practice fax' if job.practice else 'Fax'} {job.id} to {job.number}",
        )
    except (OSError, ValueError, PageError):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        return False
    return True


def _pages(box: Box, pages: list[ReceivedPageFile]) -> Iterator[CodedPage | Raster]:
    """The pages, one in memory at a time."""
    for page in pages:
        with FaxTiff(box.inbox.open_page(page)) as tiff:
            yield from tiff


def first_page_sent(box: Box, job: Job) -> CodedPage | None:
    """The first page of a job as it was sent; None when it no longer exists."""
    if not job.rendered_path:
        return None
    try:
        return RenderedDocument.open(box.data / job.rendered_path).coded_page(0)
    except (OSError, ValueError, IndexError):
        return None
