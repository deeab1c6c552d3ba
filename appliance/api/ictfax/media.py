"""A stored document as one PDF."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

from appliance import at_rest
from appliance.api.intake import HEAD_OCTETS
from appliance.box import Box
from appliance.dispatch.making import sources
from appliance.documents.causes import DOCUMENT_EMPTY, DOCUMENT_GONE
from appliance.documents.errors import DocumentError
from appliance.documents.kinds import Kind
from appliance.documents.options import RenderOptions
from appliance.documents.pages_pdf import write_pdf
from appliance.documents.render import render
from appliance.documents.sniff import sniff
from appliance.spool.model import Document

# Documents rendered at once to be looked at: rendering of faxes goes first.
_LOOKING = threading.BoundedSemaphore(1)


def document_pdf(box: Box, document: Document) -> bytes:
    """The document's own file if it is a single whole PDF, else its pages as they are faxed.

    Raises DocumentError.
    """
    if not document.files:
        raise DocumentError(DOCUMENT_EMPTY, f"document {document.id} has no file")
    first = document.files[0]
    try:
        if len(document.files) == 1 and not first.pages:
            with at_rest.open_file(box.data / first.path) as file:
                head = file.read(HEAD_OCTETS)
                if head.startswith(b"%PDF-") and sniff(head, first.name) is Kind.PDF:
                    return head + file.read()
    except FileNotFoundError as error:
        raise DocumentError(DOCUMENT_GONE, first.name) from error
    with _LOOKING, box.documents.temporary_folder() as folder:
        rendered = render(sources(box.data, document.files), folder / "pages", RenderOptions(), workers=1)
        target = folder / "document.pdf"
        created = datetime.fromtimestamp(document.created_at, UTC)
        write_pdf(target, rendered.coded_pages(), title=document.name, created=created)
        return target.read_bytes()
