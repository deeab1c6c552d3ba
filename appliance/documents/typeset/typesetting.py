"""HTML to PDF by WeasyPrint: the one engine for text, e-mails, web pages and cover pages.

Nothing is ever fetched: pictures come from ``data:`` addresses and from the accompanying parts (``cid:`` and
file names).  Runs only inside a bounded child of the worker: hostile pages take for ever or kill their
process.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import html
import logging
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import weasyprint
from PIL import Image, ImageFile
from weasyprint.formatting_structure import boxes

from appliance.documents.bounded import Typeset
from appliance.documents.causes import DOCUMENT_TOO_MANY_PAGES
from appliance.documents.errors import DocumentError
from appliance.documents.file_part import FilePart
from appliance.documents.options import Paper
from appliance.documents.signs import font_of, named_in
from appliance.documents.text.direction import direct
from appliance.documents.text.hypertext import html_text
from appliance.documents.typeset.font_map import fonts
from appliance.documents.typeset.invisible_words import Words
from appliance.documents.typeset.library import mend
from appliance.documents.typeset.overflow import cut_pages, width_needed
from appliance.documents.typeset.page_files import PageFiles
from appliance.documents.typeset.screen_parts import prepare_page
from appliance.remarks import (
    CONTENT_CUT,
    GLYPHS_MISSING,
    HIDDEN_LEFT_OUT,
    LAYOUT_SIMPLIFIED,
    PAGE_WHITE,
    PICTURE_LOST,
    PRINT_ONLY,
    SCREEN_ONLY,
    Remark,
)

mend()
# WeasyPrint changes it for the whole process on import; truncated pictures are handled by `pictures`.
ImageFile.LOAD_TRUNCATED_IMAGES = False

PX_PER_MM = 96 / 25.4  # CSS's pixel
# Depth of recursion: Python's default ends at 150 nested elements, a far larger one crashes it.
_CALLS = 10_000
# Pixels of the largest picture; larger ones are left out.  An A4 page at 600 dpi has 35 million.
_PICTURE_PIXELS = 40_000_000
# A page that is wider than the sheet is laid out on a sheet up to this many times as wide, then scaled down.
_WIDEST = 3.0
# The same, to keep words in tables whole; beyond it type would be too small to read (6 pt instead of 12).
_WIDEST_FOR_WORDS = 2.0
# Sides of the largest page that was meant as one, mm.
_LARGEST_PAGE_MM = 3_000.0
_MARGIN_MM = 10.0
# Missing letters listed in a remark.
_SHOWN_LETTERS = 20
_CODE, _MOST_TRIED = re.compile(r"U\+([0-9A-F]{4,6})"), 100  # as `letter_named` writes them; sheets
# Words listed in a remark.
_SHOWN_WORDS = 10
# Rules for one medium only (Media Queries 4, 2.1).
_MEDIA = re.compile(
    r"@media\s+(?:only\s+)?(?:print|screen)\s*[{,]"
    r"|media\s*=\s*[\"']?(?:print|screen)\b[^\"'>(]{0,20}[\"'>]",
    re.IGNORECASE,
)
_SCRIPT = re.compile(r"<script\b", re.IGNORECASE)
# Categories of invisible characters: controls, formats, variation selectors.
_UNSEEN = frozenset({"Cc", "Cf", "Mn"})
# WeasyPrint's messages about drawings that it cannot draw, and about unknown rules.
_DRAWINGS_LOST = ("Failed to render SVG", "Failed to load inline SVG")
_RULE_IGNORED = "Ignored `%s:%s`"
_GROUNDS = ("background", "background-color", "background-image")

# The base style sheet: paper, margins, and that nothing leaves the paper.
_SHEET = """
@page {{ size: {width:.1f}mm {height:.1f}mm !important; margin: {margin:.1f}mm !important; }}
html {{ font-family: "Liberation Sans", "DejaVu Sans", sans-serif; }}
body {{ overflow-wrap: anywhere; }}
pre {{ white-space: pre-wrap !important; tab-size: 8; }}
img {{ max-width: 100%; }}
:where(dialog:not([open]), [popover]) {{ display: none; }}
textarea {{ height: auto !important; min-height: 3em; white-space: pre-wrap !important; }}
:where(input) {{ display: inline-block; }}
input {{ white-space: normal !important; }}
input:not([type=checkbox], [type=radio]) {{ height: auto !important; min-height: 1.2em; }}
"""


def typeset(
    html: str,
    paper: Paper,
    *,
    style: str = "",
    parts: Mapping[str, FilePart] | None = None,
    most_pages: int,
    foreign: bool = True,
    prepare: Callable[[Element], None] | None = None,
) -> Typeset:
    """``html`` as a PDF on sheets of ``paper``.

    ``prepare`` may change the parsed page.  ``style`` comes after the page's own; ``foreign`` pages get
    margins and are scaled down when they are wider than the sheet.  Raises DocumentError
    (DOCUMENT_TOO_MANY_PAGES), and whatever the libraries raise for hostile pages.
    """
    page = _Page(html, paper, style, PageFiles(parts or {}), foreign=foreign, prepare=prepare)
    losses = _Losses()
    with _process_settings():
        with losses:
            document, is_cut = page.fitted()
            other = (
                _only_on(page.lay_out(medium="screen"), document) if foreign and _MEDIA.search(html) else []
            )
        if len(document.pages) > most_pages:
            raise DocumentError(DOCUMENT_TOO_MANY_PAGES, f"{len(document.pages)} of at most {most_pages}")
        if foreign:
            grounds = page.files.lacks or losses.grounds
            other += _seen_on_paper(document, html, grounds=grounds)
        for sheet in document.pages:
            if not 1.0 < max(sheet.width, sheet.height) / PX_PER_MM < _LARGEST_PAGE_MM:
                raise ValueError(f"a page of {sheet.width} x {sheet.height} px")
        with losses:
            pdf = document.write_pdf()
        losses.check()
        remarks = [*page.noted, *other, *page.files.remarks(losses.pictures), *losses.remarks(document)]
        if is_cut:
            remarks.append(Remark(CONTENT_CUT))
        elif foreign:
            remarks += [Remark(CONTENT_CUT, number) for number in cut_pages(document)]
        return Typeset(pdf, tuple(remarks))


@dataclass(slots=True)
class _Page:
    """A page of HTML with its files, and how it is laid out; `typeset` says what each is."""

    html: str
    paper: Paper
    style: str
    files: PageFiles
    foreign: bool
    prepare: Callable[[Element], None] | None
    noted: Sequence[Remark] = ()  # of the last layout
    _whole_words: bool = True

    def fitted(self) -> tuple[weasyprint.Document, bool]:
        """The page on sheets as wide as it needs, and whether even the widest cuts it off."""
        document = self.lay_out()
        if not self.foreign:
            return document, False
        needed = width_needed(document)
        if needed > _WIDEST_FOR_WORDS:
            self._whole_words = False
            document = self.lay_out()
            needed = width_needed(document)
        if needed > 1.0:
            document = self.lay_out(min(needed, _WIDEST))
        return document, needed > _WIDEST

    def lay_out(self, widened: float = 1.0, medium: str = "print") -> weasyprint.Document:
        """The page on sheets that are ``widened`` times as large, to be scaled down."""
        sheets = [self.style]
        if self.foreign:
            width, height = (side * widened for side in self.paper.value)
            sheets.insert(0, _SHEET.format(width=width, height=height, margin=_MARGIN_MM))
        page = weasyprint.HTML(string=self.html, url_fetcher=self.files, base_url=None, media_type=medium)
        if self.prepare is not None:
            self.prepare(page.etree_element)
        if self.foreign:
            self.noted = prepare_page(page.etree_element, _parsed, whole_words=self._whole_words)
        direct(page.etree_element)
        return page.render(
            stylesheets=[*map(_style, sheets), *map(_signs, named_in(self.html.encode()))],
            presentational_hints=True,
            font_config=fonts(),
        )


def _seen_on_paper(document: weasyprint.Document, html: str, *, grounds: bool) -> Iterator[Remark]:
    """Makes words visible whose background is missing (``grounds``); returns remarks on pages without
    visible words, and on words that wait for a script.
    """
    words = Words(document)
    if words.is_bare and html_text(html).strip():
        yield Remark(PAGE_WHITE, 1)
    if grounds and words.blacken():
        yield Remark(LAYOUT_SIMPLIFIED, detail="white words whose ground is missing are black")
    yield from (Remark(PAGE_WHITE, number) for number in words.blank_pages())
    hidden = words.hidden() if _SCRIPT.search(html) else []
    if hidden:
        yield Remark(
            HIDDEN_LEFT_OUT, detail=f"words that a script would show: {' '.join(hidden[:_SHOWN_WORDS])}"
        )


@functools.lru_cache(maxsize=16)
def _style(sheet: str) -> weasyprint.CSS:
    """One of our own style sheets, which name no files."""
    return weasyprint.CSS(string=sheet)


def _signs(family: str) -> weasyprint.CSS:
    """A style sheet with one of the fonts that stand for Windows' own."""
    address = f"data:font/ttf;base64,{base64.b64encode(font_of(family)).decode()}"
    return weasyprint.CSS(
        string=f'@font-face {{ font-family: "{family}"; src: url({address}) }}', font_config=fonts()
    )


def _parsed(html: str) -> Element:
    """The tree of a page within the page."""
    tree: Element = weasyprint.HTML(string=html, base_url=None).etree_element
    return tree


def _only_on(screen: weasyprint.Document, paper: weasyprint.Document) -> list[Remark]:
    """A remark when words are only in the screen version, or only in the paper version."""
    shown, printed = _words_of(screen), _words_of(paper)
    found = ((SCREEN_ONLY, shown - printed), (PRINT_ONLY, printed - shown))
    return [Remark(kind, detail=" ".join(sorted(words)[:_SHOWN_WORDS])) for kind, words in found if words]


def _words_of(document: weasyprint.Document) -> set[str]:
    texts = (
        box.text
        for page in document.pages
        for box in page._page_box.descendants()
        if isinstance(box, boxes.TextBox)
    )
    return set(" ".join(texts).split())


@contextlib.contextmanager
def _process_settings() -> Iterator[None]:
    """Settings of the whole process for the layout; restored afterwards."""
    before = sys.getrecursionlimit(), ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS
    sys.setrecursionlimit(_CALLS)
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    Image.MAX_IMAGE_PIXELS = _PICTURE_PIXELS // 2  # Pillow refuses from twice this value on
    try:
        yield
    finally:
        sys.setrecursionlimit(before[0])
        _, ImageFile.LOAD_TRUNCATED_IMAGES, Image.MAX_IMAGE_PIXELS = before


class _Losses(logging.Handler):
    """Collects from WeasyPrint's log the letters that no font has, and a page's unreadable pictures."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._letters: dict[str, None] = {}
        self.pictures: set[str] = set()
        self._wanted_memory = False
        self.grounds = False  # whether a background is of a kind that only browsers draw
        self._logger = logging.getLogger("weasyprint")

    def __enter__(self) -> None:
        self._logger.addHandler(self)

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        if not isinstance(record.args, tuple) or not record.args:
            return
        said, about = str(record.msg), str(record.args[0])
        if said.startswith(_RULE_IGNORED):
            self.grounds |= about in _GROUNDS
        elif said.startswith(_DRAWINGS_LOST):
            self.pictures.add(about)
        elif said.startswith(".notdef") and unicodedata.category(about) not in _UNSEEN:
            self._letters[about] = None
        elif said.startswith("Failed to load image") and about.lower().startswith(("data:", "cid:")):
            self.pictures.add(about)
            self._wanted_memory |= "MemoryError" in str(record.args[1])

    def check(self) -> None:
        """Raises MemoryError when a picture was left out for lack of memory."""
        if self._wanted_memory:
            raise MemoryError("a picture of a page")

    def remarks(self, document: weasyprint.Document) -> Iterator[Remark]:
        """A remark for each page with such letters, one for drawings, one for pictures."""
        if self.pictures:
            yield Remark(PICTURE_LOST, detail=f"{len(self.pictures)} of the page's own pictures")
        if not self._letters:
            return
        elsewhere = set(self._letters)
        for number, page in enumerate(document.pages, 1):
            texts = (box.text for box in page._page_box.descendants() if isinstance(box, boxes.TextBox))
            there = set("".join(texts))
            found = [letter for letter in self._letters if letter in there]
            elsewhere.difference_update(found)
            if found:
                shown = ", ".join(map(letter_named, found[:_SHOWN_LETTERS]))
                yield Remark(GLYPHS_MISSING, number, detail=shown)
        if elsewhere:
            shown = ", ".join(map(letter_named, sorted(elsewhere)[:_SHOWN_LETTERS]))
            yield Remark(GLYPHS_MISSING, detail=shown)


def without_glyph(letters: str, paper: Paper) -> frozenset[str]:
    """Those of ``letters`` that no font of the machine has, the first `_SHOWN_LETTERS` at most."""
    made = typeset(f"<p>{html.escape(letters)}", paper, most_pages=_MOST_TRIED, foreign=False)
    said = (remark.detail for remark in made.remarks if remark.kind is GLYPHS_MISSING)
    return frozenset(chr(int(code, 16)) for detail in said for code in _CODE.findall(detail))


def letter_named(letter: str) -> str:
    """A letter with its number, for a person."""
    code = f"U+{ord(letter):04X}"
    return f"{letter} ({code})" if letter.isprintable() else code
