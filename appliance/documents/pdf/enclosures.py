"""Finds files attached to a PDF (ISO 32000-1 7.11.4), and fields and annotations that are not drawn
completely; by qpdf.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from appliance.documents.pdf.streams import IRREGULAR, plain

if TYPE_CHECKING:
    import pikepdf

_MOST_FILES = 200
# Relationships of a file to its document (ISO 32000-2 table 43): such files repeat the pages for programs.
_SAME_AGAIN = frozenset({"/Alternative", "/Data", "/FormData", "/Schema", "/Source"})

_PRINTED, _HIDDEN = 4, 2  # flags of an annotation (ISO 32000-1 12.5.3)
_HIGHEST = 32  # levels of fields within fields
_MOST_DRAWING = 1 << 20  # octets of a field's appearance
# Kinds of annotations that print nothing, or whose words are remarked elsewhere.
_WITHOUT_LOOKS = frozenset(
    {"/FileAttachment", "/Link", "/Popup", "/PrinterMark", "/Text", "/TrapNet", "/Widget"}
)
# Operators that show text (9.4.3), or a picture.
_DRAWS = re.compile(rb"[)\]>]\s*(?:Tj|TJ|'|\")|\bDo\b|\bEI\b|\bf\*?\s|\bS\s")
_FOR_BLANKS = re.compile(r"\s+")
# Letters for which pdfium has fonts when it draws fields: by Windows' code pages, and by the beginnings of
# their Unicode names.
_CODE_PAGES = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254")
_EASTERN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "FULLWIDTH", "HALFWIDTH", "IDEOGRAPHIC")


def attached_files(document: pikepdf.Pdf) -> list[str]:
    """Names of the files attached to ``document`` that contain more than its pages."""
    return list(_bounded(lambda: _attached(document)))


def files_on(page: Any) -> list[str]:
    """Names of the files attached to a page by annotations (ISO 32000-1 12.5.6.15)."""
    return list(_bounded(lambda: _pinned(page)))


def lost_fields(document: pikepdf.Pdf, page: Any) -> list[str]:
    """Names of the fields of ``page`` that have a value, are printed, and are drawn empty."""
    form = document.Root.get("/AcroForm")
    return list(_bounded(lambda: _lost(form, page)))


def lost_marks(page: Any) -> list[str]:
    """Kinds of the printed annotations of ``page`` that are not drawn completely."""
    return list(_bounded(lambda: _incomplete(page)))


def _bounded(find: Callable[[], Iterator[str]]) -> Iterator[str]:
    """The findings of ``find``, up to the first place where the document breaks the standard."""
    try:
        yield from islice(find(), _MOST_FILES)
    except IRREGULAR:
        return


def _attached(document: pikepdf.Pdf) -> Iterator[str]:
    for name, file in document.attachments.items():
        if str(file.obj.get("/AFRelationship", "")) not in _SAME_AGAIN:
            yield file.filename or str(name)


def _pinned(page: Any) -> Iterator[str]:
    for mark in _annotations(page):
        if str(mark.get("/Subtype")) == "/FileAttachment":
            file = mark.get("/FS")
            if file is not None and file._type_name == "dictionary":
                yield str(file.get("/UF") or file.get("/F") or "attachment")


def _lost(form: Any, page: Any) -> Iterator[str]:
    made_anew = form is not None and bool(form.get("/NeedAppearances", False))
    for mark in _annotations(page):
        if str(mark.get("/Subtype")) == "/Widget" and _is_printed(mark) and _has_room(mark):
            kind = str(_inherited(mark, "/FT"))
            normal = (mark.get("/AP") or {}).get("/N")
            if kind == "/Sig":
                lost = normal is None and _inherited(mark, "/V") is not None
            elif kind in {"/Tx", "/Ch"}:
                lost = _says_more(mark, form is None, made_anew, normal)
            else:
                lost = kind == "/Btn" and _is_on_unseen(mark, normal)
            if lost:
                yield str(_inherited(mark, "/T") or "field")


def _incomplete(page: Any) -> Iterator[str]:
    for mark in filter(_is_printed, _annotations(page)):
        kind = str(mark.get("/Subtype"))
        if kind in _WITHOUT_LOOKS:
            continue
        if mark.get("/AP") is not None:
            if _appearance(mark) is None:
                yield kind[1:]
        elif kind == "/FreeText":
            if not all(map(_is_drawn, _text(mark.get("/Contents")))):
                yield "FreeText"
            if mark.get("/CL") is not None:
                yield "FreeText: the line that leads from it"
        elif kind in {"/Line", "/PolyLine"} and _has_ends(mark.get("/LE")):
            yield f"{kind[1:]}: what stands at its ends"


def _has_ends(ends: Any) -> bool:
    """Whether a line ends in arrows or the like (table 176)."""
    return ends is not None and any(str(end) != "/None" for end in ends)


def _says_more(mark: Any, alone: bool, made_anew: bool, normal: Any) -> bool:
    """Whether a field has text that is not drawn; pdfium itself draws fields without an appearance."""
    value = _text(_inherited(mark, "/V"))
    if normal is None and not value:
        return bool(_text(_inherited(mark, "/RV")))
    if normal is None:
        return alone or not all(map(_is_drawn, value))
    if made_anew or not value or normal._type_name != "stream":
        return made_anew and not all(map(_is_drawn, value))
    drawing = plain(normal, _MOST_DRAWING)
    return not drawing.damaged and not _DRAWS.search(drawing.plain)


def _is_drawn(letter: str) -> bool:
    """Whether pdfium finds a font for a letter of a field that it draws itself."""
    if unicodedata.name(letter, "").startswith(_EASTERN):
        return True
    return any(letter == letter.encode(page, "ignore").decode(page) for page in _CODE_PAGES)


def _is_on_unseen(mark: Any, normal: Any) -> bool:
    """Whether a box is ticked and no drawing is given for that (12.7.4.2.3)."""
    if normal is None or normal._type_name != "dictionary":
        return False
    value, state = _inherited(mark, "/V"), mark.get("/AS")
    if state is None:
        return value is not None and str(value) != "/Off" and str(value) in normal
    return str(state) != "/Off" and str(state) not in normal


def _text(value: Any) -> str:
    if value is None or value._type_name not in {"string", "array"}:
        return ""
    texts = list(value) if value._type_name == "array" else [value]
    return _FOR_BLANKS.sub("", "".join(map(str, texts)))


def _annotations(page: Any) -> Iterator[Any]:
    return (mark for _, mark in numbered_annotations(page))


def numbered_annotations(page: Any) -> Iterator[tuple[int, Any]]:
    """The annotations of a page, each with its place in the page's list, which may contain other things."""
    for number, mark in enumerate(page.get("/Annots") or ()):
        if getattr(mark, "_type_name", "") == "dictionary":
            yield number, mark


def _has_room(mark: Any) -> bool:
    left, low, right, high = (float(side) for side in mark.get("/Rect"))
    return abs(right - left) > 1 and abs(high - low) > 1


def _inherited(field: Any, key: str) -> Any:
    """The value of ``key`` in the field or its nearest parent that has it (12.7.3.1)."""
    for _ in range(_HIGHEST):
        found = field.get(key)
        if found is not None:
            return found
        field = field.get("/Parent")
        if field is None:
            return None
    return None


def appearances(page: Any) -> Iterator[Any]:
    """The appearances of the annotations of ``page`` that are printed (ISO 32000-1 12.5.5)."""
    for mark in filter(_is_printed, _annotations(page)):
        if (appearance := _appearance(mark)) is not None:
            yield appearance


def _appearance(mark: Any) -> Any:
    """The appearance of an annotation in its current state; None when it has none."""
    normal = (mark.get("/AP") or {}).get("/N")
    if normal is not None and normal._type_name == "dictionary":  # one for each state
        normal = normal.get(str(mark.get("/AS", "/Off")))
    return normal


def _is_printed(mark: Any) -> bool:
    flags = int(mark.get("/F", 0))
    return bool(flags & _PRINTED) and not flags & _HIDDEN
