"""Draws annotations without an appearance (ISO 32000-1 12.5.5) that pdfium leaves out: lines and stamps.

pdfium makes an appearance for most kinds of annotation without one.  Lines, polygons and the standard's own
stamps get theirs here; those that still have none once the page is drawn are remarked.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pypdfium2
from pypdfium2 import raw

from appliance.documents.pdf.objects import bounds_of, clip_of
from appliance.documents.text.hypertext import html_text
from appliance.remarks import (
    COMMENTS_LEFT_OUT,
    CONTENT_CUT,
    LONGEST_DETAIL,
    MARK_LOST,
    MOVEMENT_LEFT_OUT,
    Remark,
    counted,
)

_NORMAL = raw.FPDF_ANNOT_APPEARANCEMODE_NORMAL
UNSEEN = raw.FPDF_ANNOT_FLAG_HIDDEN | raw.FPDF_ANNOT_FLAG_NOVIEW
MOST_MARKS = 2_000  # annotations of one page that are examined
_MOST_POINTS = 10_000  # of one line

# Stamps that the standard names (12.5.6.12, table 181), with the default.
_STAMPS = frozenset(
    {
        "Approved",
        "AsIs",
        "Confidential",
        "Departmental",
        "Draft",
        "Experimental",
        "Expired",
        "Final",
        "ForComment",
        "ForPublicRelease",
        "NotApproved",
        "NotForPublicRelease",
        "Sold",
        "TopSecret",
    }
)
_NAMELESS = "Draft"
_STAMP_FONT, _STAMP_FONT_POINTS = b"Helvetica-Bold", 24.0
_STAMP_RIM = 0.12  # margin around the words, as a share of the shorter side
_STAMP_LINE = 2.0  # points
_DEFAULT_LINE = 1.0  # points (12.5.4)
_LONGEST_TEXT = 100_000  # octets

# Kinds that need no appearance, or are remarked elsewhere.
_WITHOUT_LOOKS = {
    raw.FPDF_ANNOT_LINK,
    raw.FPDF_ANNOT_POPUP,
    raw.FPDF_ANNOT_PRINTERMARK,
    raw.FPDF_ANNOT_REDACT,
    raw.FPDF_ANNOT_TRAPNET,
    raw.FPDF_ANNOT_WIDGET,
}
# Kinds whose words are comments, not part of the page.
_COMMENTED = {
    raw.FPDF_ANNOT_TEXT,
    raw.FPDF_ANNOT_HIGHLIGHT,
    raw.FPDF_ANNOT_UNDERLINE,
    raw.FPDF_ANNOT_SQUIGGLY,
    raw.FPDF_ANNOT_STRIKEOUT,
    raw.FPDF_ANNOT_CARET,
    raw.FPDF_ANNOT_SQUARE,
    raw.FPDF_ANNOT_CIRCLE,
    raw.FPDF_ANNOT_LINE,
    raw.FPDF_ANNOT_POLYGON,
    raw.FPDF_ANNOT_POLYLINE,
    raw.FPDF_ANNOT_INK,
}
# Films, sounds and 3D drawings, and their names: paper shows at most a still picture.
_PLAYED = {
    raw.FPDF_ANNOT_MOVIE: "Movie",
    raw.FPDF_ANNOT_RICHMEDIA: "RichMedia",
    raw.FPDF_ANNOT_SCREEN: "Screen",
    raw.FPDF_ANNOT_SOUND: "Sound",
    raw.FPDF_ANNOT_THREED: "3D",
}


def give_appearances(document: pypdfium2.PdfDocument, page: pypdfium2.PdfPage) -> list[Remark]:
    """Draws annotations of ``page`` that pdfium would leave out, where possible; returns remarks on comments
    and films.
    """
    lost: set[str] = set()
    played: set[str] = set()
    comments = 0
    for mark in _marks(page):
        drawn = raw.FPDFAnnot_HasKey(mark, b"AP")
        comments += _is_comment(mark)
        player = _PLAYED.get(raw.FPDFAnnot_GetSubtype(mark))
        if player is not None:
            if not raw.FPDFAnnot_GetFlags(mark) & UNSEEN:
                (played if drawn else lost).add(player)
        elif _is_printed(mark) and not drawn:
            _draw(document, mark)
    noted = counted(COMMENTS_LEFT_OUT, {"comments": comments})
    said = [Remark(MARK_LOST, detail=name) for name in sorted(lost)]
    return [*said, *noted, *(Remark(MOVEMENT_LEFT_OUT, detail=name) for name in sorted(played))]


def incomplete_marks(page: pypdfium2.PdfPage) -> list[Remark]:
    """Remarks on annotations of ``page``, which has been drawn: those left out, and those with words cut."""
    lost: set[str] = set()
    cut: set[str] = set()
    for mark in _marks(page):
        kind = raw.FPDFAnnot_GetSubtype(mark)
        if _is_printed(mark) and kind not in _PLAYED:
            if not raw.FPDFAnnot_HasKey(mark, b"AP") and kind not in _WITHOUT_LOOKS:
                lost.add(" ".join(filter(None, (_string(mark, key) for key in (b"Subtype", b"Name")))))
            pieces = range(min(raw.FPDFAnnot_GetObjectCount(mark), _MOST_POINTS))
            if any(_is_text_cut(raw.FPDFAnnot_GetObject(mark, number)) for number in pieces):
                cut.add(_string(mark, b"T") or "words of a mark")
    found = [(MARK_LOST, name) for name in sorted(lost)] + [(CONTENT_CUT, name) for name in sorted(cut)]
    return [Remark(kind, detail=name[:LONGEST_DETAIL]) for kind, name in found]


def _is_text_cut(handle: Any) -> bool:
    """Whether at least half a letter of a text is outside its clip."""
    if raw.FPDFPageObj_GetType(handle) != raw.FPDF_PAGEOBJ_TEXT:
        return False
    clip, text = clip_of(handle), bounds_of(handle)
    if clip is None or text is None:
        return False
    half = min(text[2] - text[0], text[3] - text[1]) / 2
    return any(inner - outer > half for outer, inner in zip(text[:2], clip[:2], strict=True)) or any(
        outer - inner > half for outer, inner in zip(text[2:], clip[2:], strict=True)
    )


def has_open_redactions(page: pypdfium2.PdfPage) -> bool:
    """Whether text that is marked for redaction is still on ``page`` (ISO 32000-2 12.5.6.23)."""
    return any(raw.FPDFAnnot_GetSubtype(mark) == raw.FPDF_ANNOT_REDACT for mark in _marks(page))


def _marks(page: pypdfium2.PdfPage) -> Iterator[Any]:
    """The annotations of ``page``, each open until the next is taken."""
    for index in range(min(raw.FPDFPage_GetAnnotCount(page), MOST_MARKS)):
        mark = raw.FPDFPage_GetAnnot(page, index)
        if mark:
            try:
                yield mark
            finally:
                raw.FPDFPage_CloseAnnot(mark)


def _is_comment(mark: Any) -> bool:
    """Whether the annotation has words that viewers show in a separate window, which is not printed."""
    seen = not raw.FPDFAnnot_GetFlags(mark) & UNSEEN
    return seen and raw.FPDFAnnot_GetSubtype(mark) in _COMMENTED and bool(_string(mark, b"Contents").strip())


def _is_printed(mark: Any) -> bool:
    flags = raw.FPDFAnnot_GetFlags(mark)
    return bool(flags & raw.FPDF_ANNOT_FLAG_PRINT) and not flags & raw.FPDF_ANNOT_FLAG_HIDDEN


def _draw(document: pypdfium2.PdfDocument, mark: Any) -> None:
    """Draws the annotation if it is a line, a polygon or a stamp; gives free text its words, and what was
    drawn by hand its room.
    """
    kind = raw.FPDFAnnot_GetSubtype(mark)
    if kind == raw.FPDF_ANNOT_LINE:
        start, end = raw.FS_POINTF(), raw.FS_POINTF()
        if raw.FPDFAnnot_GetLine(mark, start, end):
            _draw_line(mark, (start, end), closed=False)
    elif kind in {raw.FPDF_ANNOT_POLYLINE, raw.FPDF_ANNOT_POLYGON}:
        count = raw.FPDFAnnot_GetVertices(mark, None, 0)
        points = (raw.FS_POINTF * min(count, _MOST_POINTS))()
        if 1 < count <= _MOST_POINTS and raw.FPDFAnnot_GetVertices(mark, points, count) == count:
            _draw_line(mark, points, closed=kind == raw.FPDF_ANNOT_POLYGON)
    elif kind == raw.FPDF_ANNOT_INK:
        _make_room(mark, _strokes(mark), _thickness_of(mark))
    elif kind == raw.FPDF_ANNOT_STAMP:
        name = _string(mark, b"Name") or _NAMELESS
        if name in _STAMPS:
            _draw_stamp(document, mark, name)
    elif kind == raw.FPDF_ANNOT_FREETEXT and not _string(mark, b"Contents").strip():
        words = html_text(_string(mark, b"RC"))  # pdfium draws only the plain words
        if words:
            raw.FPDFAnnot_SetStringValue(mark, b"Contents", _wide(words))


def _strokes(mark: Any) -> list[raw.FS_POINTF]:
    """The points of what was drawn by hand, the strokes one after another."""
    found: list[raw.FS_POINTF] = []
    for stroke in range(raw.FPDFAnnot_GetInkListCount(mark)):
        count = raw.FPDFAnnot_GetInkListPath(mark, stroke, None, 0)
        if len(found) + count > _MOST_POINTS:
            break
        points = (raw.FS_POINTF * count)()
        raw.FPDFAnnot_GetInkListPath(mark, stroke, points, count)
        found += points
    return found


def _make_room(mark: Any, points: Sequence[raw.FS_POINTF], thick: float) -> None:
    """Widens the rectangle of the annotation to ``points``: what is outside it is not drawn."""
    place = raw.FS_RECTF()
    if not points or not raw.FPDFAnnot_GetRect(mark, place):
        return
    across, down = [point.x for point in points], [point.y for point in points]
    place.left, place.right = min(place.left, min(across) - thick), max(place.right, max(across) + thick)
    place.bottom, place.top = min(place.bottom, min(down) - thick), max(place.top, max(down) + thick)
    raw.FPDFAnnot_SetRect(mark, place)


def _thickness_of(mark: Any) -> float:
    across, down, thick = ctypes.c_float(), ctypes.c_float(), ctypes.c_float()
    return thick.value if raw.FPDFAnnot_GetBorder(mark, across, down, thick) else _DEFAULT_LINE


def _draw_line(mark: Any, points: Sequence[raw.FS_POINTF], *, closed: bool) -> None:
    thick = _thickness_of(mark)
    _make_room(mark, points, thick)
    stroke = _colour_of(mark, raw.FPDFANNOT_COLORTYPE_Color)
    filled = closed and raw.FPDFAnnot_HasKey(mark, b"IC")
    inside = f" {_colour_of(mark, raw.FPDFANNOT_COLORTYPE_InteriorColor)} rg" if filled else ""
    steps = " ".join(f"{point.x:.2f} {point.y:.2f} {'l' if n else 'm'}" for n, point in enumerate(points))
    paint = "b" if filled else "s" if closed else "S"
    drawing = f"{stroke} RG{inside} {thick:.2f} w {steps} {paint}"
    raw.FPDFAnnot_SetAP(mark, _NORMAL, _wide(drawing))


def _draw_stamp(document: pypdfium2.PdfDocument, mark: Any, name: str) -> None:
    """Draws the words of a stamp in a frame, as large as its rectangle allows."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).upper()
    place = raw.FS_RECTF()
    if not raw.FPDFAnnot_GetRect(mark, place):
        return
    width, height = place.right - place.left, place.top - place.bottom
    if not (width > 2 * _STAMP_LINE and height > 2 * _STAMP_LINE):
        return
    text = raw.FPDFPageObj_NewTextObj(document, _STAMP_FONT, _STAMP_FONT_POINTS)
    raw.FPDFText_SetText(text, _wide(words))
    ends = [ctypes.c_float() for _ in range(4)]
    raw.FPDFPageObj_GetBounds(text, *ends)
    left, low, right, high = (end.value for end in ends)
    rim = _STAMP_RIM * min(width, height) + _STAMP_LINE
    if not (right > left and high > low and width > 2 * rim and height > 2 * rim):
        raw.FPDFPageObj_Destroy(text)
        return
    scale = min((width - 2 * rim) / (right - left), (height - 2 * rim) / (high - low))
    middle = (place.left + place.right) / 2, (place.bottom + place.top) / 2
    raw.FPDFPageObj_Transform(
        text,
        scale,
        0,
        0,
        scale,
        middle[0] - scale * (left + right) / 2,
        middle[1] - scale * (low + high) / 2,
    )
    half = _STAMP_LINE / 2
    frame = raw.FPDFPageObj_CreateNewRect(
        place.left + half, place.bottom + half, width - _STAMP_LINE, height - _STAMP_LINE
    )
    raw.FPDFPath_SetDrawMode(frame, raw.FPDF_FILLMODE_NONE, True)
    raw.FPDFPageObj_SetStrokeWidth(frame, _STAMP_LINE)
    for each in (frame, text):
        raw.FPDFAnnot_AppendObject(mark, each)


def _colour_of(mark: Any, use: int) -> str:
    """A colour of the annotation as PDF operands; black when it has none for ``use``."""
    levels = [ctypes.c_uint() for _ in range(4)]
    raw.FPDFAnnot_GetColor(mark, use, *levels)
    return " ".join(f"{level.value / 255:.3f}" for level in levels[:3])


def _string(mark: Any, key: bytes) -> str:
    """A text of the annotation; empty when there is none, or it is longer than `_LONGEST_TEXT`."""
    octets = raw.FPDFAnnot_GetStringValue(mark, key, None, 0)
    if not 2 < octets <= _LONGEST_TEXT:
        return ""
    text = (ctypes.c_ushort * (octets // 2))()
    raw.FPDFAnnot_GetStringValue(mark, key, text, octets)
    return bytes(text)[: octets - 2].decode("utf-16-le", "replace")


def _wide(text: str) -> Any:
    """``text`` as pdfium's API takes it (UTF-16)."""
    octets = text.encode("utf-16-le") + b"\0\0"
    return (ctypes.c_ushort * (len(octets) // 2)).from_buffer_copy(octets)
