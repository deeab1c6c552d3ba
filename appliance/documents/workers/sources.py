"""Opening a document and drawing its pages.  Runs inside the worker process only.

Every source tells how many pages it has and how large each is, and draws one into a layout.
"""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Sequence
from pathlib import PurePath

from appliance.documents import causes
from appliance.documents.dicom import encapsulated, encapsulates
from appliance.documents.drawing import PageDrawer
from appliance.documents.errors import DocumentError
from appliance.documents.first_octets import GZIP
from appliance.documents.foreign import is_iwork
from appliance.documents.kinds import Kind, promises_table, promises_xhtml
from appliance.documents.mail.letters import open_letter
from appliance.documents.mail.signed import is_signed, signed_content
from appliance.documents.office.converted import open_djvu, open_xps
from appliance.documents.office.iwork import Previewed, preview_of
from appliance.documents.office.libreoffice import open_office
from appliance.documents.office.postscript import open_postscript
from appliance.documents.options import Limits
from appliance.documents.pdf.portfolio import open_portfolio
from appliance.documents.pdf.source import PdfSource
from appliance.documents.pictures.photographs import straightened
from appliance.documents.pictures.raster import RasterSource
from appliance.documents.pictures.raw_fax import FaxCodes
from appliance.documents.pictures.source import ImageSource
from appliance.documents.sniff import sniff
from appliance.documents.text.plain import charset_of
from appliance.documents.typeset.epub import open_epub
from appliance.documents.typeset.source import open_html, open_svg, open_text
from appliance.documents.workshop import Workshop

# Kinds whose readers need their signature first; a byte order mark and blank lines before it are removed.
_STRIPPED = frozenset({Kind.RTF, Kind.POSTSCRIPT, Kind.EMAIL})
# The beginning of a signed part of an e-mail (RFC 8551 3.1).
_ENTITY = re.compile(rb"(?:MIME-Version|Content-[A-Za-z-]{1,40}):", re.IGNORECASE)
_MOST_INFLATED = 20 << 20  # octets of a drawing


def open_source(
    content: bytes, name: str, media_type: str, workshop: Workshop, file: str | None = None
) -> PageDrawer:
    """The drawer for ``content``, a file called ``name``.  Raises DocumentError.

    ``file``: where ``content`` can be read again, if anywhere, so that it need not be kept in memory.
    """
    kind = sniff(content, name, media_type)
    if kind in _STRIPPED:
        content = content.removeprefix(codecs.BOM_UTF8).lstrip()
    match kind:
        case Kind.PDF:
            return open_portfolio(PdfSource(content, file), workshop, open_source)
        case Kind.TEXT:
            is_table = promises_table(name, media_type)
            return open_text(content, charset_of(media_type), workshop, is_table=is_table)
        case Kind.HTML:
            is_xml = promises_xhtml(name, media_type)
            return open_html(content, charset_of(media_type), workshop, is_xml=is_xml)
        case Kind.SVG:
            return open_svg(inflated(content) if content.startswith(GZIP) else content, workshop)
        case Kind.OFFICE | Kind.RTF:
            return open_office(content, name, workshop)
        case Kind.EPUB:
            return open_epub(content, workshop, open_source)
        case Kind.XPS:
            return open_xps(content, workshop)
        case Kind.DJVU:
            return open_djvu(content, workshop)
        case Kind.POSTSCRIPT:
            return open_postscript(content, workshop)
        case Kind.RASTER:
            return RasterSource(content, workshop.limits)
        case Kind.IWORK:
            preview, pages = preview_of(content)
            if is_iwork(pages):
                raise DocumentError(causes.DOCUMENT_UNSUPPORTED, "a preview within a preview")
            return Previewed(open_source(pages, preview, "", workshop))
        case Kind.FAX:
            return FaxCodes(content, workshop.paper, workshop.limits)
        case Kind.DICOM:
            return open_source(_within_dicom(content), PurePath(name).stem, "", workshop)
        case Kind.SIGNED:
            return open_source(*_within_signature(content, name), workshop)
        case Kind.EMAIL | Kind.MSG | Kind.TNEF:
            return open_letter(content, kind, workshop, open_source)
        case _:
            source = ImageSource(content, kind, workshop.paper, workshop.limits, file)
            return straightened(source, workshop.paper, workshop.straighten)


def _within_dicom(content: bytes) -> bytes:
    """The document within a DICOM file.  Raises DocumentError."""
    within = encapsulated(content)
    if not within or encapsulates(within):
        raise DocumentError(causes.DOCUMENT_DAMAGED, "no document can be read in the DICOM file")
    return within


def _within_signature(content: bytes, name: str) -> tuple[bytes, str, str]:
    """The file within a signed one, its name, and an empty type, which is unknown.  Raises DocumentError."""
    within = signed_content(content)
    if within is None:
        raise DocumentError(causes.DOCUMENT_DAMAGED, "nothing can be read within the signature")
    if is_signed(within):
        raise DocumentError(causes.DOCUMENT_UNSUPPORTED, "a signed file within a signed file")
    is_entity = _ENTITY.match(within) is not None
    return within, "message.eml" if is_entity else name.removesuffix(".p7m").removesuffix(".P7M"), ""


def inflated(content: bytes) -> bytes:
    """The content of a gzip file.  Raises DocumentError: DOCUMENT_DAMAGED, DOCUMENT_TOO_LARGE."""
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        made = reader.decompress(content, _MOST_INFLATED)
    except zlib.error as error:
        raise DocumentError(causes.DOCUMENT_DAMAGED, str(error)) from None
    if not reader.eof:
        cause = causes.DOCUMENT_TOO_LARGE if len(made) == _MOST_INFLATED else causes.DOCUMENT_DAMAGED
        raise DocumentError(cause, f"{len(made)} octets unpacked")
    return made


def total_pages(selected: Sequence[Sequence[int]], limits: Limits) -> int:
    """The number of pages in the selections.  Raises DocumentError when there are none or too many."""
    total = sum(len(pages) for pages in selected)
    if total == 0:
        raise DocumentError(causes.DOCUMENT_EMPTY, "no page")
    if total > limits.pages:
        raise DocumentError(causes.DOCUMENT_TOO_MANY_PAGES, f"{total} of at most {limits.pages}")
    return total
