"""Cover templates: a small part of HTML with places for fields, read into blocks.  Pure.

What is understood: ``h1 h2 h3 p div br hr pre ul li table tr td th img b strong big small center``, with the
attributes ``align`` (left, center, right), ``width`` (of a cell in percent, of a picture in
millimetres) and ``src`` (a PNG or JPEG as a ``data:`` address).  Other elements are passed over, what is
in them is kept; ``script``, ``style``, ``head`` and ``title`` go with all that is in them.  Nothing is
ever fetched.

A field is written ``{{subject}}``.  A paragraph or a row of a table that names fields is left out when all
of them are empty.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from html.parser import HTMLParser

from appliance.documents.hypertext import whole_tags

FIELDS = (
    "to_name",
    "to_company",
    "to_number",
    "from_name",
    "from_company",
    "from_number",
    "subject",
    "message",
    "date",
    "time",
    "pages",
)

# Bounds of one template: what an owner writes by hand stays far below.
MOST_PARTS = 5000  # elements and texts
MOST_FIELDS = 60
DEEPEST = 12  # tables and lists within each other
MOST_PICTURES = 8
LARGEST_PICTURE = 150_000  # octets of a picture's file

# Ems, and the room below a block, mm.
NORMAL_MM = 4.4
_EMS = {"h1": 10.0, "h2": 7.0, "h3": 5.4, "big": 5.6, "small": 3.3}
_AFTER_MM = {"h1": 4.0, "h2": 3.0, "h3": 2.0, "p": 2.5}
_BOLD = frozenset({"h1", "h2", "h3", "b", "strong"})
_DEFAULT_PICTURE_MM = 40.0
_WIDEST_PICTURE_MM = 170.0

_FIELD = re.compile(r"\{\{\s*([^{}]{0,40}?)\s*\}\}")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_PICTURE = re.compile(r"data:image/(?:png|jpeg);base64,", re.IGNORECASE)
_NUMBER = re.compile(r"\s*+([0-9]{1,3}(?:\.[0-9]{1,2})?)\s*+(?:%|mm)?\s*+")

_DROPPED = frozenset({"script", "style", "head", "title", "template"})
_BLOCKS = frozenset({"h1", "h2", "h3", "p", "div", "pre", "li", "ul", "ol", "center"})
_VOID = frozenset({"br", "hr", "img"})


class TemplateError(ValueError):
    """The template cannot be used; the message says why, for who wrote it."""


class Align(Enum):
    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Piece:
    """Text, or with ``is_field`` the name of a field; ``\\n`` in text is a line break."""

    text: str
    is_field: bool = False
    bold: bool = False
    em_mm: float = NORMAL_MM


@dataclass(slots=True)
class Paragraph:
    pieces: list[Piece]
    align: Align = Align.LEFT
    after_mm: float = 0.0
    bullet: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG or JPEG file, yet to be decoded."""

    content: bytes
    width_mm: float
    align: Align


@dataclass(slots=True)
class Cell:
    blocks: list[Block] = field(default_factory=list)
    percent: float | None = None


@dataclass(slots=True)
class Row:
    cells: list[Cell] = field(default_factory=list)


Block = Paragraph | Rule | Picture | Row


def parse(html: str) -> list[Block]:
    """The template's blocks, top to bottom.  Raises TemplateError."""
    reader = _Reader()
    reader.feed(whole_tags(html))
    reader.close()
    return reader.result()


def fields_of(block: Block) -> Iterator[str]:
    """The fields that a block names."""
    if isinstance(block, Paragraph):
        yield from (piece.text for piece in block.pieces if piece.is_field)
    elif isinstance(block, Row):
        for cell in block.cells:
            for inner in cell.blocks:
                yield from fields_of(inner)


@dataclass(slots=True)
class _Box:
    """An open element that holds blocks: the sheet, a table, a row, a cell; and what is open in it."""

    tag: str
    blocks: list[Block]
    row: Row | None = None
    align: Align | None = None
    bold: bool = False
    opened: list[tuple[str, Align | None]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._boxes = [_Box("", [])]
        self._pieces: list[Piece] = []
        self._dropping = ""
        self._parts = self._fields = self._pictures = 0

    def result(self) -> list[Block]:
        self._end_paragraph()
        return self._boxes[0].blocks

    # -- what the parser meets ---------------------------------------------------------------------

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._count()
        if self._dropping:
            return
        if tag in _DROPPED:
            self._dropping = tag
            return
        given = {name: value or "" for name, value in attrs}
        align = _align(given.get("align", "")) or (Align.CENTER if tag == "center" else None)
        match tag:
            case "br":
                self._pieces.append(Piece("\n", em_mm=self._em()))
            case "hr":
                self._end_paragraph()
                self._box.blocks.append(Rule())
            case "img":
                self._end_paragraph()
                self._box.blocks.append(self._picture(given))
            case "table":
                self._end_paragraph()
                self._enter(_Box("table", self._box.blocks))
            case "tr" if any(box.tag == "table" for box in self._boxes):
                self._leave("tr")
                row = Row()
                self._box.blocks.append(row)
                self._enter(_Box("tr", self._box.blocks, row))
            case "td" | "th":
                self._leave("td")
                if self._box.row is not None:
                    cell = Cell(percent=_number(given.get("width", "")))
                    self._box.row.cells.append(cell)
                    self._enter(_Box("td", cell.blocks, align=align, bold=tag == "th"))
            case _ if tag in _BLOCKS:
                self._end_paragraph()
                self._open(tag, align)
            case "b" | "strong" | "big" | "small":
                self._open(tag, None)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._dropping:
            if tag == self._dropping:
                self._dropping = ""
            return
        opened = self._box.opened
        if tag in ("td", "th", "tr", "table"):
            self._leave("td" if tag == "th" else tag)
        elif any(name == tag for name, _ in opened):
            if tag in _BLOCKS:
                self._end_paragraph()
            while opened.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._dropping:
            return
        self._count()
        kept = any(name == "pre" for name, _ in self._box.opened)
        text = data.replace("\r\n", "\n") if kept else _SPACE.sub(" ", data)
        bold, em = self._bold(), self._em()
        at = 0
        for found in _FIELD.finditer(text):
            self._add(Piece(text[at : found.start()], bold=bold, em_mm=em))
            self._fields += 1
            if found[1] not in FIELDS:
                raise TemplateError(f"there is no field {found[1]!r}; there are {', '.join(FIELDS)}")
            if self._fields > MOST_FIELDS:
                raise TemplateError(f"more than {MOST_FIELDS} fields")
            self._add(Piece(found[1], True, bold, em))
            at = found.end()
        self._add(Piece(text[at:], bold=bold, em_mm=em))

    # -- inside ------------------------------------------------------------------------------------

    @property
    def _box(self) -> _Box:
        return self._boxes[-1]

    def _count(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise TemplateError(f"more than {MOST_PARTS} elements and texts")

    def _open(self, tag: str, align: Align | None) -> None:
        if len(self._box.opened) >= DEEPEST:
            raise TemplateError("elements lie too deep within each other")
        self._box.opened.append((tag, align))

    def _enter(self, box: _Box) -> None:
        if len(self._boxes) >= DEEPEST:
            raise TemplateError("tables lie too deep within each other")
        self._boxes.append(box)

    def _leave(self, tag: str) -> None:
        """Ends the ``tag`` of the innermost table, and what is still open in it."""
        for box in reversed(self._boxes):
            if box.tag == tag:
                break
            if box.tag in ("", "table"):
                return
        self._end_paragraph()
        while self._boxes.pop().tag != tag:
            pass

    def _bold(self) -> bool:
        return any(box.bold or any(tag in _BOLD for tag, _ in box.opened) for box in self._boxes)

    def _em(self) -> float:
        em = NORMAL_MM
        for box in self._boxes:
            for tag, _ in box.opened:
                em = _EMS.get(tag, em)
        return em

    def _align(self) -> Align:
        found = Align.LEFT
        for box in self._boxes:
            found = box.align or found
            for _, align in box.opened:
                found = align or found
        return found

    def _add(self, piece: Piece) -> None:
        if piece.text and (piece.text != " " or self._pieces):
            self._pieces.append(piece)

    def _end_paragraph(self) -> None:
        pieces, self._pieces = self._pieces, []
        if not any(piece.is_field or piece.text.strip(" ") for piece in pieces):
            return
        innermost = next((tag for tag, _ in reversed(self._box.opened) if tag in _BLOCKS), "")
        self._box.blocks.append(
            Paragraph(pieces, self._align(), _AFTER_MM.get(innermost, 0.0), bullet=innermost == "li")
        )

    def _picture(self, given: dict[str, str]) -> Picture:
        self._pictures += 1
        if self._pictures > MOST_PICTURES:
            raise TemplateError(f"more than {MOST_PICTURES} pictures")
        source = given.get("src", "")
        start = _PICTURE.match(source)
        if start is None:
            raise TemplateError("a picture is given as data:image/png;base64,… or data:image/jpeg;base64,…")
        try:
            content = base64.b64decode("".join(source[start.end() :].split()), validate=True)
        except (binascii.Error, ValueError):
            raise TemplateError("a picture's content is not base64") from None
        if len(content) > LARGEST_PICTURE:
            raise TemplateError(f"a picture of {len(content)} octets; at most {LARGEST_PICTURE}")
        width = _number(given.get("width", "")) or _DEFAULT_PICTURE_MM
        align = _align(given.get("align", "")) or self._align()
        return Picture(content, min(width, _WIDEST_PICTURE_MM), align)


def _align(word: str) -> Align | None:
    try:
        return Align(word.strip().lower())
    except ValueError:
        return None


def _number(text: str) -> float | None:
    """The number of a width, more than 0."""
    found = _NUMBER.fullmatch(text)
    return float(found[1]) or None if found else None
