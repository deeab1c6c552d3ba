"""Hides annotations on layers that are not printed (ISO 32000-1 8.11, 12.5.2); pdfium draws them, too.

pdfium knows the layers of a page's content alone; what is asked of a layer here is asked in its order.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import pypdfium2
from pypdfium2 import raw

from appliance.documents.pdf.enclosures import numbered_annotations
from appliance.documents.pdf.marks import MOST_MARKS, UNSEEN
from appliance.documents.pdf.streams import IRREGULAR
from appliance.remarks import SCREEN_ONLY, Remark

if TYPE_CHECKING:
    import pikepdf

_MOST_LAYERS = 10_000  # of a document, and named by one annotation
_DEEPEST = 8  # nested parts of a visibility expression


def hide_unprinted(page: pypdfium2.PdfPage, index: int, document: pikepdf.Pdf) -> list[Remark]:
    """Hides the annotations of ``page``, number ``index`` of ``document``, whose layer is not printed.

    Returns a remark if one of them is shown on screen.  Where the document breaks the standard, the
    annotation is printed.
    """
    said: list[Remark] = []
    layers: _Layers | None = None
    for number, examined, content in _layered(document, index):
        layers = layers or _Layers(document)
        if layers.shows(content, "Print"):
            continue
        mark = raw.FPDFPage_GetAnnot(page, number)
        if not mark:
            continue
        flags = raw.FPDFAnnot_GetFlags(mark)
        raw.FPDFAnnot_SetFlags(mark, flags | raw.FPDF_ANNOT_FLAG_HIDDEN)
        raw.FPDFPage_CloseAnnot(mark)
        examined["/F"] = flags | raw.FPDF_ANNOT_FLAG_HIDDEN  # so that nobody misses what it shows
        if not said and not flags & UNSEEN and layers.shows(content, "View"):
            said.append(Remark(SCREEN_ONLY))
    return said


def _layered(document: pikepdf.Pdf, index: int) -> Iterator[tuple[int, Any, Any]]:
    """A page's annotations on layers, each with its number and its layer or group of layers."""
    try:
        for number, mark in islice(numbered_annotations(document.pages[index].obj), MOST_MARKS):
            content = mark.get("/OC")
            if getattr(content, "_type_name", "") == "dictionary":
                yield number, mark, content
    except IRREGULAR:
        return


class _Layers:
    """The states of a document's layers when it is opened."""

    def __init__(self, document: pikepdf.Pdf) -> None:
        self._on: set[tuple[int, int]] = set()
        self._off: set[tuple[int, int]] = set()
        self._usually = True
        try:
            state = document.Root["/OCProperties"]["/D"]
            self._usually = str(state.get("/BaseState")) != "/OFF"
            self._on = _named(state.get("/ON"))
            self._off = _named(state.get("/OFF"))
        except IRREGULAR:
            return

    def shows(self, content: Any, where: str) -> bool:
        """Whether what is on this layer or group of layers is shown on "View" or "Print"."""
        try:
            if str(content.get("/Type")) != "/OCMD":
                return self._is_on(content, where)
            expression = content.get("/VE")
            if expression is not None:
                return self._holds(expression, where, 0)
            members = content.get("/OCGs")
            if members is None:
                return True
            if members._type_name == "dictionary":
                members = [members]
            states = [
                self._is_on(each, where)
                for each in islice(members, _MOST_LAYERS)
                if getattr(each, "_type_name", "") == "dictionary"
            ]
        except IRREGULAR:
            return True
        if not states:
            return True
        match str(content.get("/P")):
            case "/AllOn":
                return all(states)
            case "/AllOff":
                return not any(states)
            case "/AnyOff":
                return not all(states)
            case _:
                return any(states)

    def _is_on(self, layer: Any, where: str) -> bool:
        usage = layer.get("/Usage")
        for use in (where, "View") if usage is not None else ():
            state = usage.get(f"/{use}", {}).get(f"/{use}State")
            if state is not None:
                return str(state) != "/OFF"
        if layer.objgen in self._off:
            return False
        return layer.objgen in self._on or self._usually

    def _holds(self, expression: Any, where: str, depth: int) -> bool:
        """Whether a visibility expression (ISO 32000-1 8.11.2.2) is true."""
        if expression._type_name == "dictionary":
            return self._is_on(expression, where)
        if depth >= _DEEPEST:
            return True
        operator, *operands = islice(expression, _MOST_LAYERS)
        found = (self._holds(each, where, depth + 1) for each in operands)
        match str(operator):
            case "/Not":
                return not next(found, False)
            case "/And":
                return all(found)
            case _:
                return any(found)


def _named(layers: Any) -> set[tuple[int, int]]:
    return {each.objgen for each in islice(layers if layers is not None else (), _MOST_LAYERS)}
