"""Opens a PDF with pdfium, repaired where that is needed.  Runs inside the worker process only."""

from __future__ import annotations

import io
from dataclasses import dataclass

import pypdfium2
from pypdfium2 import raw

from appliance.documents.causes import DOCUMENT_DAMAGED, DOCUMENT_ENCRYPTED
from appliance.documents.errors import DocumentError
from appliance.documents.pdf.mending import (
    Mended,
    is_linearized_and_cut,
    mended,
    with_header,
    without_false_lock,
)
from appliance.documents.pdf.reading import PdfReading
from appliance.remarks import FILE_REPAIRED, PAGES_MISSING, Remark

_ENCRYPTED, _OBJECT_STREAM = b"/Encrypt", b"/ObjStm"
_NO_END = Remark(PAGES_MISSING, detail="the file has no end")
# How many pages of a document are opened right away to check that they exist.
_PAGES_LOOKED_FOR = 1_000


@dataclass(frozen=True, slots=True)
class OpenedPdf:
    """A document, the octets it was made from, and a remark if those were repaired."""

    content: bytes
    document: pypdfium2.PdfDocument
    remarks: tuple[Remark, ...] = ()


def opened(content: bytes) -> OpenedPdf:
    """The document, repaired if pdfium cannot read it.

    Encryption is removed, too, if it hides what is searched for in the octets, if nothing is encrypted, or if
    the owner's password is empty.  Raises DocumentError: DOCUMENT_DAMAGED, DOCUMENT_ENCRYPTED.
    """
    content = with_header(content)
    try:
        return _opened_or_mended(content)
    except DocumentError as error:
        if error.cause is not DOCUMENT_ENCRYPTED:
            raise
        plain = without_false_lock(content)
        if plain is None:
            better = mended(content)  # qpdf also tries an empty owner password
            if better is None:
                raise
            return _opened_mended(better, 0, was_readable=True)
    return OpenedPdf(plain, opened_by_pdfium(plain))


def _opened_or_mended(content: bytes) -> OpenedPdf:
    hidden = _ENCRYPTED in content and _OBJECT_STREAM in content
    refused, declared, better = None, 0, None
    if not hidden:
        try:
            document = opened_by_pdfium(content)
            if _has_its_pages(document):
                cut = (_NO_END,) if is_linearized_and_cut(content) else ()
                return OpenedPdf(content, document, cut)
            declared = len(document)
            better = mended(content) or mended(_saved(document))
            document.close()
        except DocumentError as error:
            if error.cause is DOCUMENT_ENCRYPTED:
                raise
            refused = error
    better = better or mended(content)
    if better is not None:
        return _opened_mended(better, declared, was_readable=hidden)
    if refused is not None:
        raise refused
    return OpenedPdf(content, opened_by_pdfium(content))


def _saved(document: pypdfium2.PdfDocument) -> bytes:
    """The document as pdfium writes it, with a table of cross-references that fits."""
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _opened_mended(better: Mended, declared: int, *, was_readable: bool) -> OpenedPdf:
    """``declared``: how many pages there should be by pdfium; ``was_readable``: no damage is known."""
    document = opened_by_pdfium(better.content)
    declared, found = max(declared, better.declared), len(document)
    if found < declared:
        remarks: tuple[Remark, ...] = (Remark(PAGES_MISSING, detail=f"{found} of {declared} pages"),)
    elif better.is_cut and not was_readable:
        remarks = (_NO_END,)
    else:
        remarks = () if was_readable else (Remark(FILE_REPAIRED),)
    return OpenedPdf(better.content, document, remarks)


def with_all_pages(made: OpenedPdf, reading: PdfReading) -> OpenedPdf | None:
    """The document anew if ``reading`` finds more pages in its list than it counts, with ``made`` closed."""
    counted = len(made.document)
    better = mended(made.content) if reading.pages_listed() > counted else None
    if better is None:
        return None
    whole = _opened_mended(better, 0, was_readable=False)
    has_more = len(whole.document) > counted
    (made if has_more else whole).document.close()
    return whole if has_more else None


def opened_by_pdfium(content: bytes | str) -> pypdfium2.PdfDocument:
    """The document as pdfium opens it.  Raises DocumentError as `opened`."""
    try:
        return pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) in {raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY}:
            raise DocumentError(DOCUMENT_ENCRYPTED, str(error)[:200]) from None
        raise DocumentError(DOCUMENT_DAMAGED, str(error)[:200]) from None


def _has_its_pages(document: pypdfium2.PdfDocument) -> bool:
    size = raw.FS_SIZEF()
    numbers = range(min(len(document), _PAGES_LOOKED_FOR))
    return all(raw.FPDF_GetPageSizeByIndexF(document, number, size) for number in numbers)
