"""Finds what the pages of an Office file do not show: hidden parts, comments, notes, films, icons of files.
Pure.

Searched in the parts of a ZIP file (ECMA-376; OpenDocument 1.3) and in RTF.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from urllib.parse import unquote

from appliance.remarks import (
    ATTACHMENT_LEFT_OUT,
    COMMENTS_LEFT_OUT,
    HIDDEN_LEFT_OUT,
    MOVEMENT_LEFT_OUT,
    PART_LEFT_OUT,
    Remark,
)

# Parts included as a whole or from another file; diagrams and their drawings; formulas.
_TAKEN_IN = re.compile(rb"<w:(?:altChunk|subDoc)\b")
_DIAGRAM = re.compile(rb"<a:graphicData\b[^>]{0,200}\buri=\"[^\"]{1,100}/diagram\"")
_DIAGRAM_DRAWN = re.compile(r"^(?:word|xl|ppt)/diagrams/drawing\d*\.xml$")
_FORMULA = re.compile(rb"<m:oMath\b")
# Pictures, by their names; how such files begin; and the references to them (ECMA-376 part 2, 9.3).
PICTURES = re.compile(r"^(?:(?:word|xl|ppt)/media|Pictures)/[^/]+\.(?:png|jpe?g)$", re.IGNORECASE)
KNOWN_PICTURES = (
    b"\x89PNG",
    b"\xff\xd8",
    b"GIF8",
    b"BM",
    b"RIFF",
    b"II*\0",
    b"MM\0*",
    b"\1\0\0\0",
    b"\xd7\xcd",
)
_RELATION = re.compile(rb"<Relationship\b[^>]{1,2000}>")
_OF_PICTURE = re.compile(rb"\bType=\"[^\"]{1,200}/image\"")
_ODF_PICTURE = re.compile(rb"<draw:image\b[^>]{0,500}?\bxlink:href=\"(?:\./)?(Pictures/[^\"]{1,300})\"")
_TARGET = re.compile(rb"\bTarget=\"([^\"]{1,500})\"")
# The parts that are searched, by name.
LOOKED_INTO = re.compile(
    r"^(?:word/(?:document|comments|styles)\.xml|xl/workbook\.xml|xl/worksheets/sheet\d+\.xml|xl/(?:threaded)?[cC]omments/?[^/]*\.xml"
    r"|ppt/(?:slides/slide\d+|notesSlides/notesSlide\d+|comments/[^/]+)\.xml|content\.xml)$"
)
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
_ICON = re.compile(rb"DrawAspect=\"Icon\"|dvAspect=\"DVASPECT_ICON\"|showAsIcon=\"(?:1|true)\"")
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
_MOST_CELLS = 200_000


def unseen(names: list[str], parts: Mapping[str, bytes]) -> Iterator[Remark]:
    """Remarks on an Office file with the parts ``names``; ``parts`` holds those of `LOOKED_INTO`."""
    hidden = {what: count for what, count in _hidden(parts).items() if count}
    if hidden:
        yield Remark(HIDDEN_LEFT_OUT, detail=", ".join(f"{what}: {count}" for what, count in hidden.items()))
    left_out = {"comments": sum(len(_COMMENT.findall(part)) for part in parts.values())}
    left_out["notes"] = sum(
        bool(_NOTE.search(part)) for name, part in parts.items() if name.startswith("ppt/notesSlides/")
    ) + sum(len(_ODF_NOTE.findall(part)) for name, part in parts.items() if name == "content.xml")
    if any(left_out.values()):
        yield Remark(
            COMMENTS_LEFT_OUT,
            detail=", ".join(f"{what}: {count}" for what, count in left_out.items() if count),
        )
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
    written = 0 if formulas else sum(len(_FORMULA.findall(part)) for part in text)
    if written:
        yield Remark(PART_LEFT_OUT, detail=f"formulas: {written}; LibreOffice Math draws them")


def missing_pictures(names: list[str], parts: Mapping[str, bytes]) -> int:
    """How many pictures a file refers to and does not have."""
    there = {name.lower() for name in names}
    of_odf = _ODF_PICTURE.findall(parts.get("content.xml", b""))
    missing = sum(unquote(path.decode("utf-8", "replace")).lower() not in there for path in of_odf)
    for name, part in parts.items():
        if not name.endswith(".rels"):
            continue
        folder = posixpath.dirname(posixpath.dirname(name))
        for relation in _RELATION.findall(part):
            target = _TARGET.search(relation)
            if target is None or not _OF_PICTURE.search(relation) or b'"External"' in relation:
                continue
            path = posixpath.normpath(posixpath.join("/", folder, target[1].decode("utf-8", "replace")))
            missing += unquote(path.lstrip("/")).lower() not in there
    return missing


def unseen_in_rtf(content: bytes) -> Iterator[Remark]:
    """Remarks on an RTF (Word 2007 RTF specification 1.9.1)."""
    texts, comments = len(_RTF_HIDDEN.findall(content)), len(_RTF_COMMENT.findall(content))
    if texts:
        yield Remark(HIDDEN_LEFT_OUT, detail=f"texts: {texts}")
    if comments:
        yield Remark(COMMENTS_LEFT_OUT, detail=f"comments: {comments}")


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
