"""Annotations without an appearance (ISO 32000-1 12.5.5): lines and stamps that pdfium leaves out.

pdfium makes an appearance for most kinds of annotation without one.  Lines, polygons and the standard's own
stamps get theirs here; the others are reported in remarks.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from typing import Any

import pypdfium2
from pypdfium2 import raw

from appliance.documents.hypertext import html_text
from appliance.remarks import COMMENTS_LEFT_OUT, MARK_LOST, MOVEMENT_LEFT_OUT, Remark

_NORMAL = raw.FPDF_ANNOT_APPEARANCEMODE_NORMAL
_UNSEEN = raw.FPDF_ANNOT_FLAG_HIDDEN | raw.FPDF_ANNOT_FLAG_NOVIEW
_MOST_MARKS = 2_000  # annotations of one page that are looked at
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
_STAMP_RIM = 0.12  # margin around the words, as a share of the lesser side
_STAMP_LINE = 2.0  # points
_DEFAULT_LINE = 1.0  # points (12.5.4)
_LONGEST_TEXT = 100_000  # octets

# Kinds that are invisible without an appearance, and their names.
_NEVER_DRAWN = {
    raw.FPDF_ANNOT_CARET: "Caret",
    raw.FPDF_ANNOT_FILEATTACHMENT: "FileAttachment",
    raw.FPDF_ANNOT_WATERMARK: "Watermark",
    raw.FPDF_ANNOT_UNKNOWN: "of an unknown kind",
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
# Kinds that move, sound or turn, and their names: paper shows at most a still picture.
_PLAYED = {
    raw.FPDF_ANNOT_MOVIE: "Movie",
    raw.FPDF_ANNOT_RICHMEDIA: "RichMedia",
    raw.FPDF_ANNOT_SCREEN: "Screen",
    raw.FPDF_ANNOT_SOUND: "Sound",
    raw.FPDF_ANNOT_THREED: "3D",
}


def give_appearances(document: pypdfium2.PdfDocument, page: pypdfium2.PdfPage) -> list[Remark]:
    """Draws the annotations of ``page`` that have no appearance, where possible; remarks on the others."""
    lost: set[str] = set()
    played: set[str] = set()
    comments = 0
    for index in range(min(raw.FPDFPage_GetAnnotCount(page), _MOST_MARKS)):
        mark = raw.FPDFPage_GetAnnot(page, index)
        if not mark:
            continue
        drawn = raw.FPDFAnnot_HasKey(mark, b"AP")
        comments += _is_comment(mark)
        player = _PLAYED.get(raw.FPDFAnnot_GetSubtype(mark))
        if player is not None:
            if not raw.FPDFAnnot_GetFlags(mark) & _UNSEEN:
                (played if drawn else lost).add(player)
        elif _is_printed(mark) and not drawn:
            lost.add(_draw(document, mark))
        raw.FPDFPage_CloseAnnot(mark)
    noted = [Remark(COMMENTS_LEFT_OUT, detail=f"comments: {comments}")] if comments else []
    said = [Remark(MARK_LOST, detail=name) for name in sorted(filter(None, lost))]
    return [*said, *noted, *(Remark(MOVEMENT_LEFT_OUT, detail=name) for name in sorted(played))]


def has_open_redactions(page: pypdfium2.PdfPage) -> bool:
    """Whether text is marked for redaction and still stands on ``page`` (ISO 32000-2 12.5.6.23)."""
    for index in range(min(raw.FPDFPage_GetAnnotCount(page), _MOST_MARKS)):
        mark = raw.FPDFPage_GetAnnot(page, index)
        if not mark:
            continue
        redacts = raw.FPDFAnnot_GetSubtype(mark) == raw.FPDF_ANNOT_REDACT
        raw.FPDFPage_CloseAnnot(mark)
        if redacts:
            return True
    return False


def _is_comment(mark: Any) -> bool:
    """Whether it has words that viewers show in a separate window, which is not printed."""
    seen = not raw.FPDFAnnot_GetFlags(mark) & _UNSEEN
    return seen and raw.FPDFAnnot_GetSubtype(mark) in _COMMENTED and bool(_string(mark, b"Contents").strip())


def _is_printed(mark: Any) -> bool:
    flags = raw.FPDFAnnot_GetFlags(mark)
    return bool(flags & raw.FPDF_ANNOT_FLAG_PRINT) and not flags & raw.FPDF_ANNOT_FLAG_HIDDEN


def _draw(document: pypdfium2.PdfDocument, mark: Any) -> str:
    """Draws the annotation; empty on success, else the name of what is not drawn."""
    kind = raw.FPDFAnnot_GetSubtype(mark)
    if kind == raw.FPDF_ANNOT_LINE:
        start, end = raw.FS_POINTF(), raw.FS_POINTF()
        known = raw.FPDFAnnot_GetLine(mark, start, end)
        return "" if known and _draw_line(mark, (start, end), closed=False) else "Line"
    if kind in {raw.FPDF_ANNOT_POLYLINE, raw.FPDF_ANNOT_POLYGON}:
        closed = kind == raw.FPDF_ANNOT_POLYGON
        count = raw.FPDFAnnot_GetVertices(mark, None, 0)
        points = (raw.FS_POINTF * min(count, _MOST_POINTS))()
        if 1 < count <= _MOST_POINTS and raw.FPDFAnnot_GetVertices(mark, points, count) == count:
            return "" if _draw_line(mark, points, closed=closed) else "PolyLine"
        return "Polygon" if closed else "PolyLine"
    if kind == raw.FPDF_ANNOT_STAMP:
        name = _string(mark, b"Name") or _NAMELESS
        return "" if name in _STAMPS and _draw_stamp(document, mark, name) else f"Stamp {name}"
    if kind == raw.FPDF_ANNOT_FREETEXT and not _string(mark, b"Contents").strip():
        words = html_text(_string(mark, b"RC"))  # pdfium draws only the plain words
        taken = not words or raw.FPDFAnnot_SetStringValue(mark, b"Contents", _wide(words))
        return "" if taken else "FreeText"
    return _NEVER_DRAWN.get(kind, "")


def _draw_line(mark: Any, points: Sequence[raw.FS_POINTF], *, closed: bool) -> bool:
    across, down, thick = ctypes.c_float(), ctypes.c_float(), ctypes.c_float()
    if not raw.FPDFAnnot_GetBorder(mark, across, down, thick):
        thick.value = _DEFAULT_LINE
    red, green, blue = (value / 255 for value in _colour_of(mark))
    steps = " ".join(f"{point.x:.2f} {point.y:.2f} {'l' if n else 'm'}" for n, point in enumerate(points))
    drawing = f"{red:.3f} {green:.3f} {blue:.3f} RG {thick.value:.2f} w {steps} {'s' if closed else 'S'}"
    return bool(raw.FPDFAnnot_SetAP(mark, _NORMAL, _wide(drawing)))


def _draw_stamp(document: pypdfium2.PdfDocument, mark: Any, name: str) -> bool:
    """Draws the words of a stamp in a frame, as large as its rectangle allows."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).upper()
    place = raw.FS_RECTF()
    if not raw.FPDFAnnot_GetRect(mark, place):
        return False
    width, height = place.right - place.left, place.top - place.bottom
    if not (width > 2 * _STAMP_LINE and height > 2 * _STAMP_LINE):
        return False
    text = raw.FPDFPageObj_NewTextObj(document, _STAMP_FONT, _STAMP_FONT_POINTS)
    raw.FPDFText_SetText(text, _wide(words))
    ends = [ctypes.c_float() for _ in range(4)]
    raw.FPDFPageObj_GetBounds(text, *ends)
    left, low, right, high = (end.value for end in ends)
    rim = _STAMP_RIM * min(width, height) + _STAMP_LINE
    if not (right > left and high > low and width > 2 * rim and height > 2 * rim):
        raw.FPDFPageObj_Destroy(text)
        return False
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
    drawn = [bool(raw.FPDFAnnot_AppendObject(mark, each)) for each in (frame, text)]
    return all(drawn)


def _colour_of(mark: Any) -> tuple[int, int, int]:
    red, green, blue, opaque = (ctypes.c_uint() for _ in range(4))
    if not raw.FPDFAnnot_GetColor(mark, raw.FPDFANNOT_COLORTYPE_Color, red, green, blue, opaque):
        return 0, 0, 0
    return red.value, green.value, blue.value


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
