"""Documents that are typeset into a PDF first: text and web pages.  Runs inside the worker process only."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

from appliance.documents import causes
from appliance.documents.bounded import Bounds, Typeset, UnboundedError
from appliance.documents.errors import DocumentError
from appliance.documents.file_part import FilePart
from appliance.documents.pdf.source import PdfSource
from appliance.documents.text.cards import in_words
from appliance.documents.text.coded import codes_in
from appliance.documents.text.hypertext import HTML_LIMIT, PICTURE, as_html, html_text
from appliance.documents.text.line_mode import without_carriage_control
from appliance.documents.text.plain import (
    as_printed,
    columns_of,
    declared_charset,
    decode,
    guess_remarks,
    text_html,
    text_style,
    without_pgp,
)
from appliance.documents.text.tables import lay_out_table
from appliance.documents.workshop import Workshop
from appliance.remarks import CODES_SHOWN, LAYOUT_SIMPLIFIED, PART_LEFT_OUT, PICTURE_LOST, Remark

# Limits of the layout.  A text of 200 pages takes 9 s on a fast processor; a web page that takes longer than
# this was made to, and only its text is faxed.  All are below the time limit of a page.
_MOST_PLAIN = 2_000_000  # characters of a page that is faxed as plain text
_SHORT = 50_000  # characters of a text that is typeset without a child
_TEXT = Bounds(cpu_seconds=45, wall_seconds=50.0)
_HTML = Bounds(cpu_seconds=20, wall_seconds=28.0)
_PLAIN = Bounds(cpu_seconds=20, wall_seconds=25.0)
# Elements of a page that show something other than text.
_SCRIPT = re.compile(r"<script\b", re.IGNORECASE)
_SHOWN = re.compile(r"<(?:img|svg|input|textarea|object|hr|table)\b|background", re.IGNORECASE)


class TypesetSource(PdfSource):
    """The pages of a PDF that was made from another format, with the remarks made on the way."""

    def __init__(self, made: Typeset) -> None:
        super().__init__(made.pdf, counts_itself=False)
        self._remarks = made.remarks

    def remarks(self, index: int | None) -> Sequence[Remark]:
        page = None if index is None else index + 1
        return [remark for remark in self._remarks if remark.page == page]


def open_text(content: bytes, charset: str, workshop: Workshop, *, is_table: bool = False) -> TypesetSource:
    """The pages of a plain text; ``is_table``: it is called a table, and is drawn as one if it is.

    Raises DocumentError: DOCUMENT_EMPTY, DOCUMENT_ENCRYPTED, DOCUMENT_TOO_MANY_PAGES, DOCUMENT_TIMED_OUT.
    """
    text, guessed = decode(content, charset)
    text, locked = without_pgp(as_printed(without_carriage_control(text)))
    if locked and not text.strip("\ufeff \t\r\n"):
        raise DocumentError(causes.DOCUMENT_ENCRYPTED, "by PGP")
    told = in_words(text, workshop.labels)
    made = _text(told or text, workshop, _TEXT, is_table=is_table)
    remarks = guess_remarks(guessed)
    if not told and (codes := codes_in(text)):
        remarks.append(Remark(CODES_SHOWN, detail=codes))
    if locked:
        remarks.append(Remark(PART_LEFT_OUT, detail="a passage that is encrypted by PGP"))
    return TypesetSource(Typeset(made.pdf, (*remarks, *made.remarks)))


def _text(text: str, workshop: Workshop, bounds: Bounds, *, is_table: bool = False) -> Typeset:
    most = workshop.limits.pages

    def make() -> Typeset:
        from appliance.documents.typeset.typesetting import typeset  # noqa: PLC0415 (only a child needs it)

        table = lay_out_table(text, workshop.paper) if is_table else None
        if table is None:
            shown, style = text, text_style(workshop.paper, columns_of(text))
        else:
            shown = table.text
            style = text_style(workshop.paper, table.columns, landscape=table.landscape)
        return typeset(text_html(shown, most), workshop.paper, style=style, most_pages=most, foreign=False)

    made_from = f"{workshop.paper} {is_table} {text}".encode()
    return workshop.once("text", made_from, make, bounds if len(text) > _SHORT else None)


def open_html(content: bytes, charset: str, workshop: Workshop, *, is_xml: bool = False) -> TypesetSource:
    """The pages of a web page, which ``is_xml`` if it is XHTML; as plain text if it cannot be laid out.

    Raises DocumentError as `open_text`.
    """
    page, guessed = decode(content, charset or declared_charset(content))
    page = page.replace("\0", "")
    if is_xml:
        page = as_html(page)
    if _is_left_to_its_script(page):
        raise DocumentError(causes.DOCUMENT_EMPTY, "only a script would write it")
    made = typeset_page(page, workshop)
    return TypesetSource(Typeset(made.pdf, (*guess_remarks(guessed), *made.remarks)))


def _is_left_to_its_script(page: str) -> bool:
    """Whether the page is empty until its script has run, which only a browser does."""
    if len(page) > HTML_LIMIT or not _SCRIPT.search(page) or _SHOWN.search(page):
        return False
    return not html_text(page)


def open_svg(content: bytes, workshop: Workshop) -> TypesetSource:
    """The page of an SVG drawing, on a sheet of its size.  Raises DocumentError as `open_text`."""
    page = '<!doctype html><body style="margin:0"><img src="cid:drawing" style="max-height:270mm">'

    def make() -> Typeset:
        from appliance.documents.typeset.typesetting import typeset  # noqa: PLC0415

        parts = {"drawing": FilePart("", "image/svg+xml", content)}
        return typeset(page, workshop.paper, parts=parts, most_pages=workshop.limits.pages)

    made = workshop.once("drawing", str(workshop.paper).encode() + content, make, _HTML)
    if any(remark.kind is PICTURE_LOST for remark in made.remarks):
        raise DocumentError(causes.DOCUMENT_DAMAGED, "the drawing cannot be read")
    return TypesetSource(made)


def typeset_page(page: str, workshop: Workshop, parts: Mapping[str, FilePart] | None = None) -> Typeset:
    """``page`` as designed, or as plain text with a remark."""

    def make() -> Typeset:
        from appliance.documents.typeset.typesetting import typeset  # noqa: PLC0415 (only a child needs it)

        return typeset(page, workshop.paper, parts=parts, most_pages=workshop.limits.pages)

    digest = hashlib.sha256(f"{workshop.paper} {page}".encode("utf-8", "replace"))
    for name, part in sorted((parts or {}).items()):
        digest.update(name.encode("utf-8", "replace") + part.content)
    made_from = digest.digest()
    try:
        return workshop.attempt("page", made_from, make, _HTML)
    except UnboundedError as error:
        return _simplified(page, workshop, str(error))


def _simplified(page: str, workshop: Workshop, why: str) -> Typeset:
    if len(page) > _MOST_PLAIN:
        raise DocumentError(causes.DOCUMENT_TOO_LARGE, f"{len(page)} characters of HTML; {why}")
    plain = _text(html_text(page, _MOST_PLAIN), workshop, _PLAIN)
    remarks = [Remark(LAYOUT_SIMPLIFIED, detail=why), *plain.remarks]
    if PICTURE.search(page):
        remarks.append(Remark(PICTURE_LOST, detail="those of a page that is faxed as its text"))
    return Typeset(plain.pdf, tuple(remarks))
