"""Finds what the pages of an Office file do not show: hidden parts, comments, notes, films, icons of files.
Pure.

Searched in the parts of a ZIP file (ECMA-376; OpenDocument 1.3) and in RTF.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from urllib.parse import unquote
from xml.etree import ElementTree

from appliance.remarks import (
    ATTACHMENT_LEFT_OUT,
    COMMENTS_LEFT_OUT,
    CONTENT_CUT,
    HIDDEN_LEFT_OUT,
    MOVEMENT_LEFT_OUT,
    PART_LEFT_OUT,
    Remark,
    counted,
)

# Parts included as a whole or from another file; diagrams and their drawings; formulas.
_TAKEN_IN = re.compile(rb"<w:(?:altChunk|subDoc)\b")
_DIAGRAM = re.compile(rb"<a:graphicData\b[^>]{0,200}\buri=\"[^\"]{1,100}/diagram\"")
_DIAGRAM_DRAWN = re.compile(r"^(?:word|xl|ppt)/diagrams/drawing\d*\.xml$")
_FORMULA = re.compile(rb"<m:oMath\b")
# Pictures, by their names, and references to them and to others (ECMA-376 part 2, 9.3).
PICTURES = re.compile(r"^(?:(?:word|xl|ppt)/media|Pictures)/[^/]+\.(?:png|jpe?g)$", re.IGNORECASE)
_RELATION = re.compile(rb"<Relationship\b[^>]{1,2000}>")
_TYPE = re.compile(rb"\bType=\"([^\"]{1,200})\"")
_ID = re.compile(rb"\bId=\"([^\"]{1,100})\"")
# Pictures in the text, and embedded objects with what stands for them.
_SHOWN = re.compile(rb"<(?:a:blip\b[^>]{0,300}?\br:embed|v:imagedata\b[^>]{0,300}?\br:id)=\"([^\"]{1,100})\"")
_EMBEDDED = re.compile(rb"<(?:w:object|p:oleObj)\b(?:(?!</(?:w:object|p:oleObj)>).){0,20000}", re.DOTALL)
_STANDS_FOR_IT = re.compile(rb"<v:imagedata\b|<a:blip\b|\bspid=\"")
# Widths of a sheet and of a table's columns.
_SHEET_WIDTH = re.compile(rb"<w:pgSz\b[^>]{0,200}?\bw:w=\"(\d{1,6})")
_GRID = re.compile(rb"<w:tblGrid>((?:<w:gridCol\b[^>]{0,100}>(?:</w:gridCol>)?\s*){1,200})")
_GRID_COLUMN = re.compile(rb"\bw:w=\"(\d{1,6})")
# Charts: their numbers, as far as the chart itself has them.
_OF_NUMBERS, _NUMBER_OF_CHART = b"numRef>", re.compile(rb"<(?:\w+:)?v>[^<]")
_ODF_PICTURE = re.compile(rb"<draw:image\b[^>]{0,500}?\bxlink:href=\"(?:\./)?(Pictures/[^\"]{1,300})\"")
_TARGET = re.compile(rb"\bTarget=\"([^\"]{1,500})\"")
# The parts that are searched, by name.
LOOKED_INTO = re.compile(
    r"^(?:word/(?:document|comments|styles)\.xml|xl/workbook\.xml|xl/worksheets/sheet\d+\.xml|xl/(?:threaded)?[cC]omments/?[^/]*\.xml"
    r"|ppt/(?:slides/slide\d+|notesSlides/notesSlide\d+|comments/[^/]+)\.xml|content\.xml"
    r"|(?:word|xl|ppt)/charts/[^/]+\.xml)$"
)
LARGEST_PART = 4 << 20  # octets of each that are searched
_FILMS = re.compile(r"\.(?:mp4|m4v|mov|avi|wmv|mpe?g|mp3|m4a|wav|wma|ogg|webm)$", re.IGNORECASE)

_WORD_TEXT_HIDDEN = re.compile(
    rb"<w:r\b[^>]*>\s*<w:rPr>(?:(?!</w:rPr>).){0,2000}?<w:vanish\s*/>(?:(?!</w:rPr>).){0,2000}?</w:rPr>"
    rb"(?:(?!</w:r>).){0,400}?<w:t\b",
    re.DOTALL,
)
_STYLE_HIDDEN = re.compile(
    rb"<w:style\b[^>]{0,300}?w:styleId=\"([^\"]{1,100})\"(?:(?!</w:style>).){0,3000}?<w:vanish\s*/>",
    re.DOTALL,
)
_STYLE_USED = re.compile(rb"<w:[rp]Style\s+w:val=\"([^\"]{1,100})\"")
_SHEET_HIDDEN = re.compile(rb"<(?:\w+:)?sheet\b[^>]*\bstate=\"(?:hidden|veryHidden)\"")
_ROW = re.compile(rb"<(?:\w+:)?row\b([^>]{0,500})>")
_CELL_FILLED = re.compile(rb"<(?:\w+:)?c\b[^>]{0,300}>\s*<(?:\w+:)?(?:v|f|is)\b")
_COLUMNS_HIDDEN = re.compile(
    rb"<(?:\w+:)?col\b(?=[^>]{0,300}\bhidden=\"(?:1|true)\")(?=[^>]{0,300}\bmin=\"(\d{1,5})\")"
    rb"(?=[^>]{0,300}\bmax=\"(\d{1,5})\")"
)
_HIDDEN = re.compile(rb"\bhidden=\"(?:1|true)\"")
_SLIDE_HIDDEN = re.compile(rb"<p:sld\b[^>]{0,3000}\bshow=\"(?:0|false)\"")
_NOTE = re.compile(
    rb"<p:sp>(?:(?!</p:sp>).){0,4000}?<p:ph\b[^>]{0,200}type=\"body\"(?:(?!</p:sp>).){0,8000}?<a:t>[^<]",
    re.DOTALL,
)
_COMMENT = re.compile(rb"<(?:w:comment|comment|threadedComment|p:cm|p188:cm|office:annotation)\b")
# An embedded object that is shown as an icon; Windows' packager shows any file so.
_ICON = re.compile(
    rb"<(?:\w+:)?(?:OLEObject|oleObj|oleObject)\b(?=[^>]{0,2000}"
    rb"(?:DrawAspect=\"Icon\"|dvAspect=\"DVASPECT_ICON\"|showAsIcon=\"(?:1|true)\""
    rb"|[pP]rogI[dD]=\"(?:Package|Packager Shell Object|Objekt-Manager-Shellobjekt)\"))"
)
_ODF_TABLE_HIDDEN = re.compile(rb"<style:table-properties\b[^>]{0,500}\btable:display=\"false\"")
_ODF_ROW_HIDDEN = re.compile(
    rb"<table:table-row\b[^>]{0,500}table:visibility=\"(?:collapse|filter)\"[^>]{0,300}(?<!/)>"
    rb"((?:(?!</table:table-row>).){0,20000})",
    re.DOTALL,
)
_ODF_COLUMN_HIDDEN = re.compile(
    rb"<table:table-column\b(?=[^>]{0,500}table:visibility=\"(?:collapse|filter)\")"
    rb"(?:(?=[^>]{0,500}number-columns-repeated=\"(\d{1,6})\"))?"
)
_ODF_TEXT = re.compile(rb"<text:p\b")
_TO_THE_END = 100  # columns; this many hidden ones are the unused rest of the sheet
_ODF_TEXT_HIDDEN = re.compile(rb"text:display=\"none\"")
_ODF_SLIDE_HIDDEN = re.compile(rb"presentation:visibility=\"hidden\"")
_ODF_NOTE = re.compile(
    rb"<presentation:notes\b(?:(?!</presentation:notes>).){0,8000}?<text:(?:p|span)\b[^>]{0,300}>[^<\s]",
    re.DOTALL,
)
_PRINT_AREA = re.compile(
    rb"<(?:\w+:)?definedName\b(?=[^>]{0,200}\bname=\"_xlnm\.Print_Area\")[^>]{0,200}\blocalSheetId=\"(\d{1,4})\"[^>]{0,200}>"
    rb"([^<]{1,4000})<"
)
_CORNER = re.compile(rb"\$?([A-Z]{1,3})\$?(\d{1,7})")
_CELL = re.compile(
    rb"<(?:\w+:)?c\b[^>]{0,100}?\br=\"([A-Z]{1,3})(\d{1,7})\"[^>]{0,300}>\s*<(?:\w+:)?(?:v|f|is)\b"
)
# Comments in RTF, and hidden text that is not switched off at once.
_RTF_HIDDEN = re.compile(rb"\\v(?![0-9a-z])[^{}\\]{0,20}(?:\\(?!v0)[a-z]+-?\d* ?){0,20}[^{}\\\s]")
_RTF_COMMENT = re.compile(rb"\{\\\*\\annotation\b")
# Pictures in RTF, those that are written in hexadecimal digits and are of kinds with a file of their own.
_RTF_PICTURE, _BRACE = re.compile(rb"\{\\pict\b"), re.compile(rb"[{}]")
_RTF_DRAWN, _RTF_BINARY = re.compile(rb"\\(?:png|jpeg|emf)blip\b|\\wmetafile\d"), re.compile(rb"\\bin\d")
_RTF_WORD, _NO_DIGIT = re.compile(rb"\\[a-z]{1,40}-?\d{0,12}"), re.compile(rb"[^0-9A-Fa-f]+")
_MOST_CELLS, _MOST_RTF_PICTURES = 200_000, 100


def unseen(names: list[str], parts: Mapping[str, bytes]) -> Iterator[Remark]:
    """Remarks on an Office file with the parts ``names``; ``parts`` holds those of `LOOKED_INTO`."""
    yield from counted(HIDDEN_LEFT_OUT, _hidden(parts))
    comments = sum(len(_COMMENT.findall(part)) for part in parts.values())
    notes = sum(
        bool(_NOTE.search(part)) for name, part in parts.items() if name.startswith("ppt/notesSlides/")
    ) + len(_ODF_NOTE.findall(parts.get("content.xml", b"")))
    yield from counted(COMMENTS_LEFT_OUT, {"comments": comments, "notes": notes})
    icons = sum(len(_ICON.findall(part)) for part in parts.values())
    if icons:
        yield Remark(ATTACHMENT_LEFT_OUT, detail=f"{icons} shown as icons")
    films = [name.rpartition("/")[2] for name in names if _FILMS.search(name)]
    if films:
        yield Remark(MOVEMENT_LEFT_OUT, detail=", ".join(films))


def not_drawn(names: list[str], parts: Mapping[str, bytes], *, formulas: bool) -> Iterator[Remark]:
    """Remarks on what LibreOffice leaves out of an Office file; ``formulas``: whether it draws those."""
    text = [part for name, part in parts.items() if name.endswith(".xml")]
    taken_in = sum(len(_TAKEN_IN.findall(part)) for part in text)
    if taken_in:
        yield Remark(PART_LEFT_OUT, detail=f"documents within the document: {taken_in}")
    diagrams = sum(len(_DIAGRAM.findall(part)) for part in text)
    if diagrams > sum(_DIAGRAM_DRAWN.match(name) is not None for name in names):
        yield Remark(PART_LEFT_OUT, detail="a diagram (SmartArt) without its drawing")
    if _has_wide_table(parts.get("word/document.xml", b"")):
        yield Remark(CONTENT_CUT, detail="a table that is wider than the sheet")
    lost = sum(_is_chart_lost(each, parts) for each in _relations(parts))
    if lost:
        yield Remark(PART_LEFT_OUT, detail=f"charts: {lost}")
    written = 0 if formulas else sum(len(_FORMULA.findall(part)) for part in text)
    if written:
        yield Remark(PART_LEFT_OUT, detail=f"formulas: {written}; LibreOffice Math draws them")


def _has_wide_table(document: bytes) -> bool:
    """Whether a table of a Word file is wider than its widest sheet (ECMA-376 part 1, 17.4.48, 17.6.13)."""
    widest = max(map(int, _SHEET_WIDTH.findall(document)), default=0)
    grids = (sum(map(int, _GRID_COLUMN.findall(grid))) for grid in _GRID.findall(document))
    return any(width > widest > 0 for width in grids)


def _is_chart_lost(related: _Related, parts: Mapping[str, bytes]) -> bool:
    """Whether a chart is damaged or missing, has its numbers elsewhere, or is of the kinds since 2016."""
    if related.kind != "chart" or not related.target:
        return related.kind == "chartEx"
    chart = parts.get(related.target, b"")
    try:
        ElementTree.fromstring(chart)
    except (ElementTree.ParseError, ValueError, LookupError):
        return len(chart) < LARGEST_PART
    in_cells = related.target.startswith("xl/")  # LibreOffice reads those
    return _OF_NUMBERS in chart and not in_cells and not _NUMBER_OF_CHART.search(chart)


def pictures_of(names: list[str], parts: Mapping[str, bytes]) -> tuple[set[str], int]:
    """The names of the pictures that a file refers to, and how many more of them it does not have."""
    there = {name.lower(): name for name in names}
    of_odf = _ODF_PICTURE.findall(parts.get("content.xml", b""))
    relations = list(_relations(parts))
    referred = [unquote(path.decode("utf-8", "replace")) for path in of_odf]
    referred += [each.target for each in relations if each.kind == "image" and each.target]
    missing = sum(path.lower() not in there for path in referred)
    return (
        {there[path.lower()] for path in referred if path.lower() in there},
        missing + _never_related(parts, relations) + _without_picture(parts),
    )


@dataclass(frozen=True, slots=True)
class _Related:
    """A reference of the part ``source`` to the part ``target``; to something outside the file if empty."""

    source: str
    number: str
    kind: str  # the last word of its type
    target: str


def _relations(parts: Mapping[str, bytes]) -> Iterator[_Related]:
    for name, part in parts.items():
        if not name.endswith(".rels"):
            continue
        folder = posixpath.dirname(posixpath.dirname(name))
        source = posixpath.join(folder, posixpath.basename(name).removesuffix(".rels"))
        for relation in _RELATION.findall(part):
            target, kind, number = (look.search(relation) for look in (_TARGET, _TYPE, _ID))
            if target is None or kind is None or number is None:
                continue
            path = posixpath.normpath(posixpath.join("/", folder, target[1].decode("utf-8", "replace")))
            within = "" if b'"External"' in relation else unquote(path.lstrip("/"))
            said = kind[1].decode("utf-8", "replace").rpartition("/")[2]
            yield _Related(source, number[1].decode("utf-8", "replace"), said, within)


def _never_related(parts: Mapping[str, bytes], relations: list[_Related]) -> int:
    """How many pictures are shown of which nothing says in which part they are."""
    known = {(each.source, each.number.encode()) for each in relations}
    sources = {each.source for each in relations}
    return sum(
        (name, number) not in known for name in sources for number in _SHOWN.findall(parts.get(name, b""))
    )


def _without_picture(parts: Mapping[str, bytes]) -> int:
    """How many embedded objects have no picture that stands for them."""
    return sum(
        not _STANDS_FOR_IT.search(found) for part in parts.values() for found in _EMBEDDED.findall(part)
    )


def unseen_in_rtf(content: bytes) -> Iterator[Remark]:
    """Remarks on an RTF (Word 2007 RTF specification 1.9.1)."""
    yield from counted(HIDDEN_LEFT_OUT, {"texts": len(_RTF_HIDDEN.findall(content))})
    yield from counted(COMMENTS_LEFT_OUT, {"comments": len(_RTF_COMMENT.findall(content))})


def pictures_in_rtf(content: bytes) -> Iterator[bytes]:
    """The pictures of an RTF of the kinds that everybody draws."""
    for begin in islice(_RTF_PICTURE.finditer(content), _MOST_RTF_PICTURES):
        depth, at, pieces = 1, begin.end(), []
        for brace in _BRACE.finditer(content, at):
            if depth == 1:
                pieces.append(content[at : brace.start()])
            depth += 1 if brace[0] == b"{" else -1
            at = brace.end()
            if not depth:
                break
        about = b"".join(pieces)
        if _RTF_DRAWN.search(about) and not _RTF_BINARY.search(about):
            yield _octets_of(_RTF_WORD.sub(b" ", about))


def _octets_of(digits: bytes) -> bytes:
    hexadecimal = _NO_DIGIT.sub(b"", digits)
    return bytes.fromhex(hexadecimal[: len(hexadecimal) // 2 * 2].decode())


def _hidden(parts: Mapping[str, bytes]) -> dict[str, int]:
    """The number of hidden things of each kind."""
    sheets = [part for name, part in parts.items() if name.startswith("xl/worksheets/")]
    content = parts.get("content.xml", b"")
    return {
        "sheets": len(_SHEET_HIDDEN.findall(parts.get("xl/workbook.xml", b"")))
        + len(_ODF_TABLE_HIDDEN.findall(content)),
        "rows or columns": sum(map(_hidden_rows, sheets)) + _hidden_in_odf(content),
        "slides": sum(
            bool(_SLIDE_HIDDEN.search(part)) for name, part in parts.items() if name.startswith("ppt/slides/")
        )
        + len(_ODF_SLIDE_HIDDEN.findall(content)),
        "sheets beyond the print area": _outside(parts),
        "texts": len(_WORD_TEXT_HIDDEN.findall(parts.get("word/document.xml", b"")))
        + _hidden_by_style(parts)
        + len(_ODF_TEXT_HIDDEN.findall(content)),
    }


def _hidden_by_style(parts: Mapping[str, bytes]) -> int:
    """The number of texts and paragraphs of a Word file that have a hidden style."""
    hidden = set(_STYLE_HIDDEN.findall(parts.get("word/styles.xml", b"")))
    return sum(style in hidden for style in _STYLE_USED.findall(parts.get("word/document.xml", b"")))


def _hidden_rows(sheet: bytes) -> int:
    """The number of hidden rows and columns that are not empty."""
    rows = 0
    for found in _ROW.finditer(sheet):
        if _HIDDEN.search(found[1]) and not found[1].endswith(b"/"):
            end = sheet.find(b"row>", found.end())
            rows += bool(_CELL_FILLED.search(sheet, found.end(), end if end >= 0 else len(sheet)))
    hidden = [(int(first), int(last)) for first, last in _COLUMNS_HIDDEN.findall(sheet)]
    if not hidden:
        return rows
    filled = {_column(found[1]) for found in islice(_CELL.finditer(sheet), _MOST_CELLS)}
    return rows + sum(any(first <= column <= last for first, last in hidden) for column in filled)


def _hidden_in_odf(content: bytes) -> int:
    """The number of hidden rows with content, and of hidden columns except those up to the end of the
    sheet.
    """
    rows = sum(_ODF_TEXT.search(row) is not None for row in _ODF_ROW_HIDDEN.findall(content))
    columns = _ODF_COLUMN_HIDDEN.findall(content)
    return rows + sum(int(repeated or 1) < _TO_THE_END for repeated in columns)


def _outside(parts: Mapping[str, bytes]) -> int:
    """The number of sheets with content outside the print area (ECMA-376 part 1, 18.2.6)."""
    areas = _PRINT_AREA.findall(parts.get("xl/workbook.xml", b""))
    return sum(
        _reaches_beyond(parts.get(f"xl/worksheets/sheet{int(number) + 1}.xml", b""), area)
        for number, area in areas
    )


def _reaches_beyond(sheet: bytes, area: bytes) -> bool:
    frames = []
    for each in area.split(b","):
        corners = [(_column(c), int(r)) for c, r in _CORNER.findall(each.rpartition(b"!")[2])]
        if len(corners) not in {1, 2}:
            return False  # whole columns, or a name
        frames.append((corners[0], corners[-1]))
    cells = ((_column(found[1]), int(found[2])) for found in islice(_CELL.finditer(sheet), _MOST_CELLS))
    return not all(
        any(a[0] <= column <= b[0] and a[1] <= row <= b[1] for a, b in frames) for column, row in cells
    )


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
