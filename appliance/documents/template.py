"""Cover pages from an owner's template.  Runs inside the worker process only.

A template's blocks become *strips*: pieces of a page, as wide as the sheet, that are not broken; the
strips fill pages.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from appliance.causes import COVER_TEMPLATE_WRONG, DOCUMENT_TOO_MANY_PAGES
from appliance.documents import type as typeface
from appliance.documents.errors import DocumentError
from appliance.documents.geometry import PIXELS_PER_MM, Layout, PageSize
from appliance.documents.markup import (
    Align,
    Block,
    Cell,
    Paragraph,
    Picture,
    Row,
    Rule,
    TemplateError,
    fields_of,
    parse,
)
from appliance.documents.options import CoverPage, Paper, Treatment, clean_line, clean_message
from appliance.documents.placing import place
from appliance.remarks import Remark

# More than a message of the longest takes on any sheet.
MOST_PAGES = 25
_MARGIN_MM, _TOP_MM, _BOTTOM_MM = 20.0, 18.0, 15.0
_LEADING = 1.45
_ASCENT = 0.93  # of an em: where letters stand, below the top of their line (DejaVu Sans)
_RULE_MM, _RULE_ROOM_MM = 0.5, 3.0  # its thickness, and the room it takes
_PICTURE_ROOM_MM = 3.0  # below a picture
_CELL_GAP_MM = 2.0
_BULLET_MM = 5.0
_PICTURE_PIXELS = 4_000_000
# Laid out at this many pixels a millimetre whatever the fax's resolution, so that lines break alike.
_SCALE = 32.0
# Letters without a space between them that are measured at once.
_LONGEST_WORD = 300
# The number of pages is known after the first layout, which has this in its place.
_PAGES_ROOM = "000"


@dataclass(frozen=True, slots=True)
class _Word:
    """Letters of one look, measured; ``space`` before it when it is not first on its line."""

    text: str
    bold: bool
    em_mm: float
    width_mm: float
    space: bool
    breaks: bool = False  # a line ends before it


@dataclass(frozen=True, slots=True)
class _Text:
    x_mm: float
    y_mm: float  # below the strip's top
    text: str
    bold: bool
    em_mm: float


@dataclass(frozen=True, slots=True)
class _Line:
    x_mm: float
    y_mm: float
    width_mm: float


@dataclass(frozen=True, slots=True)
class _Image:
    x_mm: float
    width_mm: float
    height_mm: float
    picture: Image.Image


_Item = _Text | _Line | _Image


@dataclass(frozen=True, slots=True)
class _Strip:
    height_mm: float
    items: tuple[_Item, ...]


class TemplateSource:
    """The pages of a template with its fields filled in.

    Raises DocumentError for a template that cannot be used.
    """

    def __init__(self, cover: CoverPage, paper: Paper) -> None:
        self._paper = paper
        self._fields = _fields(cover)
        self.treatment = Treatment.TEXT
        try:
            self._blocks = parse(cover.template)
        except TemplateError as error:
            raise DocumentError(COVER_TEMPLATE_WRONG, str(error)) from None
        self._pages = self._lay_out()
        self.count = len(self._pages)

    @property
    def total_pages(self) -> int:
        """Pages of the whole fax.  Set before drawing."""
        return int(self._fields["pages"])

    @total_pages.setter
    def total_pages(self, total: int) -> None:
        self._fields["pages"] = str(total)
        pages = self._lay_out()
        # A shorter number may in theory save a page; others have counted on it by now.
        self._pages = [*pages, *([[]] * (self.count - len(pages)))]

    def _lay_out(self) -> list[list[_Strip]]:
        width, height = self._paper.value
        strips = self._strips(self._blocks, _MARGIN_MM, width - 2 * _MARGIN_MM)
        return _fill(strips, height - _TOP_MM - _BOTTOM_MM)

    def size(self, index: int) -> PageSize:
        return PageSize(*self._paper.value)

    def draw(self, index: int, layout: Layout) -> Image.Image:
        scale = PIXELS_PER_MM[layout.resolution.x_dpi]
        width, height = self._paper.value

        def px(mm: float) -> int:
            return round(mm * scale)

        sheet = typeface.Sheet(px(width), px(height))
        y = _TOP_MM
        for strip in self._pages[index]:
            for item in strip.items:
                match item:
                    case _Text():
                        face = typeface.font(_face(item.bold), px(item.em_mm))
                        sheet.text(px(item.x_mm), px(y + item.y_mm), item.text, face)
                    case _Line():
                        at = px(y + item.y_mm)
                        sheet.line(px(item.x_mm), at, px(item.x_mm + item.width_mm), at, px(_RULE_MM))
                    case _Image():
                        size = max(1, px(item.width_mm)), max(1, px(item.height_mm))
                        small = item.picture.resize(size, Image.Resampling.LANCZOS)
                        sheet.image.paste(small, (px(item.x_mm), px(y)))
            y += strip.height_mm
        return place(sheet.image, layout)

    def remarks(self, index: int | None) -> tuple[Remark, ...]:
        return ()

    def octets(self) -> None:
        return None

    # -- layout ------------------------------------------------------------------------------------

    def _strips(self, blocks: Sequence[Block], left: float, width: float) -> Iterator[_Strip]:
        for block in blocks:
            named = list(fields_of(block))
            if named and not any(self._fields[name] for name in named):
                continue
            match block:
                case Paragraph():
                    yield from self._paragraph(block, left, width)
                case Row():
                    yield from self._row(block, left, width)
                case Picture():
                    yield self._picture(block, left, width)
                case Rule():
                    yield _Strip(2 * _RULE_ROOM_MM, (_Line(left, _RULE_ROOM_MM, width),))

    def _row(self, row: Row, left: float, width: float) -> Iterator[_Strip]:
        columns: list[Iterator[_Strip]] = []
        at = left
        for cell, share in zip(row.cells, _shares(row.cells), strict=True):
            room = width * share
            columns.append(self._strips(cell.blocks, at, max(1.0, room - _CELL_GAP_MM)))
            at += room
        for side_by_side in itertools.zip_longest(*columns):
            there = [strip for strip in side_by_side if strip is not None]
            items = tuple(item for strip in there for item in strip.items)
            yield _Strip(max(strip.height_mm for strip in there), items)

    def _picture(self, picture: Picture, left: float, width: float) -> _Strip:
        try:
            with Image.open(io.BytesIO(picture.content), formats=["PNG", "JPEG"]) as opened:
                if opened.width * opened.height > _PICTURE_PIXELS:
                    raise DocumentError(COVER_TEMPLATE_WRONG, f"a picture of {opened.size} pixels")
                layered = opened.convert("RGBA")
        except DocumentError:
            raise
        except Exception:  # what decoders raise for damage is of many kinds
            raise DocumentError(COVER_TEMPLATE_WRONG, "a picture cannot be read") from None
        paper = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        grey = Image.alpha_composite(paper, layered).convert("L")
        self.treatment = Treatment.AUTO
        across = min(picture.width_mm, width)
        # A picture as high as a page is made smaller; nothing is cut off.
        highest = self._paper.value[1] - _TOP_MM - _BOTTOM_MM - _PICTURE_ROOM_MM
        across = min(across, highest * grey.width / grey.height)
        down = across * grey.height / grey.width
        at = left + _beside(picture.align, width - across)
        return _Strip(down + _PICTURE_ROOM_MM, (_Image(at, across, down, grey),))

    def _paragraph(self, paragraph: Paragraph, left: float, width: float) -> Iterator[_Strip]:
        inset = _BULLET_MM if paragraph.bullet else 0.0
        lines = _broken(self._words(paragraph), max(1.0, width - inset))
        for number, line in enumerate(lines):
            em = max((word.em_mm for word in line), default=paragraph.pieces[0].em_mm)
            extra = paragraph.after_mm if number == len(lines) - 1 else 0.0
            taken = sum(word.width_mm for word in line) + sum(
                _space_mm(word) for word in line[1:] if word.space
            )
            at = left + inset + _beside(paragraph.align, width - inset - taken)
            items: list[_Item] = []
            if paragraph.bullet and number == 0:
                items.append(_Text(left, 0.0, "•", False, em))
            for word in _joined(line):
                at += _space_mm(word) if word.space else 0.0
                # Letters of different sizes stand on one line.
                items.append(_Text(at, (em - word.em_mm) * _ASCENT, word.text, word.bold, word.em_mm))
                at += word.width_mm
            yield _Strip(em * _LEADING + extra, tuple(items))

    def _words(self, paragraph: Paragraph) -> Iterator[_Word]:
        space = False
        for piece in paragraph.pieces:
            text = self._fields[piece.text] if piece.is_field else piece.text
            for number, line in enumerate(text.split("\n")):
                breaks = number > 0
                if breaks:
                    space = False
                for place_, letters in enumerate(typeface.expand_tabs(line).split(" ")):
                    space = space or place_ > 0
                    if not letters and not breaks:
                        continue
                    for start in range(0, len(letters) or 1, _LONGEST_WORD):
                        part = letters[start : start + _LONGEST_WORD]
                        width = _width_mm(part, piece.bold, piece.em_mm)
                        yield _Word(part, piece.bold, piece.em_mm, width, space, breaks)
                        space = breaks = False


def _fields(cover: CoverPage) -> dict[str, str]:
    return {
        "to_name": clean_line(cover.to_name),
        "to_company": clean_line(cover.to_company),
        "to_number": clean_line(cover.to_number),
        "from_name": clean_line(cover.from_name),
        "from_company": clean_line(cover.from_company),
        "from_number": clean_line(cover.from_number),
        "subject": clean_line(cover.subject),
        "message": clean_message(cover.message).strip("\n"),
        "date": clean_line(cover.date),
        "time": clean_line(cover.time),
        "pages": _PAGES_ROOM,
    }


def _broken(words: Iterator[_Word], room: float) -> list[list[_Word]]:
    """The words in lines; one that is wider than a line is broken."""
    lines: list[list[_Word]] = [[]]
    taken = 0.0
    for whole in words:
        word = whole
        if word.breaks:
            lines.append([])
            taken = 0.0
        gap = _space_mm(word) if lines[-1] and word.space else 0.0
        # What fits on a line of its own is not broken; what does not begins where there is room.
        needed = word.width_mm if word.width_mm <= room else word.em_mm
        if lines[-1] and taken + gap + needed > room:
            lines.append([])
            taken = gap = 0.0
        while word.width_mm > room and len(word.text) > 1:
            head, word = _cut(word, room - taken - gap)
            lines[-1].append(head)
            lines.append([])
            taken = gap = 0.0
        lines[-1].append(word)
        taken += gap + word.width_mm
    return lines


def _joined(line: Sequence[_Word]) -> Iterator[_Word]:
    """The line's words, those of one look as one; the first without a space before it."""
    together: _Word | None = None
    for word in line:
        if together is None:
            together = replace(word, space=False)
        elif (word.bold, word.em_mm) == (together.bold, together.em_mm):
            gap = " " if word.space else ""
            width = together.width_mm + (_space_mm(word) if gap else 0.0) + word.width_mm
            together = replace(together, text=together.text + gap + word.text, width_mm=width)
        else:
            yield together
            together = word
    if together is not None:
        yield together


def _cut(word: _Word, room: float) -> tuple[_Word, _Word]:
    """As many letters as fit (one at least), and the others."""
    low, high = 1, len(word.text) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if _width_mm(word.text[:middle], word.bold, word.em_mm) <= room:
            low = middle
        else:
            high = middle - 1
    first, rest = word.text[:low], word.text[low:]
    return (
        replace(word, text=first, width_mm=_width_mm(first, word.bold, word.em_mm), breaks=False),
        replace(word, text=rest, width_mm=_width_mm(rest, word.bold, word.em_mm), space=False, breaks=False),
    )


def _fill(strips: Iterator[_Strip], height: float) -> list[list[_Strip]]:
    """The strips in pages.  Raises DocumentError when there are too many."""
    pages: list[list[_Strip]] = [[]]
    left = height
    for strip in strips:
        if strip.height_mm > left and pages[-1]:
            if len(pages) >= MOST_PAGES:
                raise DocumentError(DOCUMENT_TOO_MANY_PAGES, f"a cover of more than {MOST_PAGES}")
            pages.append([])
            left = height
        pages[-1].append(strip)
        left -= strip.height_mm
    return pages


def _shares(cells: Sequence[Cell]) -> list[float]:
    """How wide the cells of a row are, of 1 in all: as they say, the others evenly."""
    said = [cell.percent for cell in cells]
    given = sum(percent for percent in said if percent)
    others = sum(1 for percent in said if not percent)
    rest = max(100.0 - given, 10.0 * others) / others if others else 0.0
    shares = [percent or rest for percent in said]
    whole = max(sum(shares), 100.0)
    return [share / whole for share in shares]


def _beside(align: Align, free: float) -> float:
    match align:
        case Align.CENTER:
            return max(0.0, free / 2)
        case Align.RIGHT:
            return max(0.0, free)
    return 0.0


def _face(bold: bool) -> str:
    return typeface.BOLD if bold else typeface.REGULAR


def _width_mm(text: str, bold: bool, em_mm: float) -> float:
    return float(typeface.font(_face(bold), round(em_mm * _SCALE)).getlength(text)) / _SCALE


def _space_mm(word: _Word) -> float:
    return _width_mm(" ", word.bold, word.em_mm)
