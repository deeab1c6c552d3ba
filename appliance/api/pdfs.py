"""Faxes as PDF: the pages of one that was received, and a stored document as the box would fax it."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from appliance.box import Box
from appliance.causes import DOCUMENT_EMPTY, DOCUMENT_GONE
from appliance.documents.errors import DocumentError
from appliance.documents.options import RenderOptions, Source
from appliance.documents.pdf import write_pdf
from appliance.documents.render import render
from appliance.documents.sniff import Kind, sniff
from appliance.spool.model import Document, Received
from appliance.t4.page import CodedPage, Raster
from appliance.t4.tiff_reading import FaxTiff

# Documents rendered at once because somebody wants to look at them: faxes to send come first.
_LOOKING = threading.BoundedSemaphore(1)
_HEAD_OCTETS = 64 * 1024


def received_pdf(box: Box, fax: Received) -> bytes:
    """The pages of a received fax as one PDF.

    Raises DocumentError: DOCUMENT_EMPTY for a call without pages, DOCUMENT_GONE for deleted files.
    """
    files = [box.data / page.path for page in box.received_pages(fax.id)]
    if not files:
        raise DocumentError(DOCUMENT_EMPTY, f"fax {fax.id} has no pages")

    def pages() -> Iterator[CodedPage | Raster]:
        for file in files:
            with FaxTiff(file) as tiff:
                for index in range(len(tiff)):
                    yield tiff.page(index)

    created = datetime.fromtimestamp(fax.started_at, UTC)
    with tempfile.TemporaryDirectory(prefix="faxbox-pdf-") as folder:
        target = Path(folder) / "fax.pdf"
        try:
            write_pdf(target, pages(), title=f"Fax {fax.id}", created=created)
        except FileNotFoundError as error:
            raise DocumentError(DOCUMENT_GONE, f"fax {fax.id}") from error
        return target.read_bytes()


def document_pdf(box: Box, document: Document) -> bytes:
    """A stored document as one PDF: its own file when it is a single whole PDF, else as it is faxed.

    Raises DocumentError.
    """
    if not document.files:
        raise DocumentError(DOCUMENT_EMPTY, f"document {document.id} has no file")
    first = document.files[0]
    try:
        if len(document.files) == 1 and not first.pages:
            with (box.data / first.path).open("rb") as file:
                head = file.read(_HEAD_OCTETS)
                if sniff(head, first.name) is Kind.PDF:
                    return head + file.read()
    except FileNotFoundError as error:
        raise DocumentError(DOCUMENT_GONE, first.name) from error
    sources = [Source(box.data / file.path, ",".join(file.pages), file.name) for file in document.files]
    with _LOOKING, tempfile.TemporaryDirectory(prefix="faxbox-pdf-") as folder:
        rendered = render(sources, Path(folder) / "pages", RenderOptions(), workers=1)
        target = Path(folder) / "document.pdf"
        created = datetime.fromtimestamp(document.created_at, UTC)
        write_pdf(target, rendered.coded_pages(), title=document.name, created=created)
        return target.read_bytes()
