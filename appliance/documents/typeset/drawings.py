"""SVG drawings, changed so that the library that draws them omits nothing silently.  Pure.

It does not support foreign content, text along a path, or ``switch`` (SVG 2, 5.8): their words are set where
they stand.  What cannot be drawn is reported in remarks.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from types import MappingProxyType
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from PIL import ImageColor

from appliance.documents.typeset.conditions import decided
from appliance.documents.typeset.drawing_values import (
    MOST,
    blend_by_effects,
    box_of,
    draw_strokes_as_meant,
    drop_impossible_values,
    kind_of,
    number_in,
    pixels,
)
from appliance.remarks import (
    LAYOUT_SIMPLIFIED,
    MOVEMENT_LEFT_OUT,
    PART_LEFT_OUT,
    PICTURES_LEFT_OUT,
    SCREEN_ONLY,
    Remark,
)

SVG = "{http://www.w3.org/2000/svg}"
_XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
_MOVES = frozenset({"animate", "animateColor", "animateMotion", "animateTransform", "set"})
_KEYFRAMES = re.compile(r"@(?:-webkit-)?keyframes\b")
_IMPORT = re.compile(r"@import\b[^;]{0,500};?")
_START = re.compile(r"\s*[Mm]\s*([-+.\deE]+)[\s,]+([-+.\deE]+)")
_GROUND = re.compile(r"(?<![\w-])background(?:-color)?\s{0,9}:\s{0,9}([^;!]{1,100})")
# What WeasyPrint leaves out of an effect, with a change of colours.
_EFFECTS = frozenset(
    {"feColorMatrix", "feComponentTransfer", "feFlood", "feImage", "feTurbulence"}
    | {"feDiffuseLighting", "feSpecularLighting"}
)
# The steps of an effect that WeasyPrint does: it moves the whole, or blends it with what is below.
_DONE, _WHOLE = frozenset({"feOffset", "feBlend"}), "SourceGraphic"
_DRAWN = frozenset(
    {"path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "image", "use"}
)
_BLOCKS = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "flowPara", "flowDiv"})
_FONT_PX, _LINE = 16.0, 1.2  # HTML's defaults
# How many parts one drawing of a page may copy from the others, and elements of each (icons are small).
_MOST_TAKEN, _LARGEST_TAKEN = 50, 500
_NOTHING: Mapping[str | None, Element] = MappingProxyType({})


def drawable(content: bytes) -> tuple[bytes, tuple[Remark, ...]]:
    """The file ``content`` changed so that all that is possible is drawn, and remarks about the rest."""
    try:
        root = ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError):
        return content, ()
    _frame(root)
    said = prepare_drawing(root)
    _lay_ground(root)
    return ElementTree.tostring(root, encoding="utf-8"), tuple(said)


def _frame(root: Element) -> None:
    """Names the part of the plane that a drawing of a fixed size shows, so that it can be made smaller.

    Without it the drawing would keep its size and be cut off; browsers do the same for pictures.
    """
    if root.get("viewBox") is None:
        width, height = (pixels(root.get(side)) for side in ("width", "height"))
        if width > 0 and height > 0:
            root.set("viewBox", f"0 0 {width:g} {height:g}")


def _lay_ground(root: Element) -> None:
    """Draws the background of a whole drawing, which WeasyPrint leaves out: its words may be white."""
    colours = _GROUND.findall(root.get("style", ""))
    left, top, width, height = box_of(root)
    if not colours or width <= 0 or height <= 0:
        return
    colour = colours[-1].strip()
    with contextlib.suppress(ValueError):  # of anything but a colour
        ImageColor.getrgb(colour)
        place = {"x": f"{left:g}", "y": f"{top:g}", "width": f"{width:g}", "height": f"{height:g}"}
        root.insert(0, Element(f"{SVG}rect", {**place, "fill": colour, "stroke": "none"}))


def prepare_drawing(root: Element, page: Mapping[str | None, Element] = _NOTHING) -> list[Remark]:
    """Changes the drawing ``root`` in place; returns remarks, each once.

    ``page``: the elements of the surrounding page by id, because a drawing may use those of other drawings.
    """
    said: dict[Remark, None] = {}
    drop_impossible_values(root)
    draw_strokes_as_meant(root)
    blend_by_effects(root, SVG)
    named = {element.get("id"): element for element in root.iter() if element.get("id")}
    _take_used(root, named, page)
    for number, parent in enumerate(list(root.iter())):
        if number >= MOST:
            break
        if kind_of(parent) == "switch":
            _decide(parent)
        for child in list(parent):
            said.update(dict.fromkeys(_prepare(parent, child, root, named)))
    return list(said)


def _draws(root: Element) -> bool:
    return any(kind_of(element) in _DRAWN for element in root.iter())


def _take_used(root: Element, named: dict[str | None, Element], page: Mapping[str | None, Element]) -> None:
    """Copies into the drawing the parts of other drawings on the page that it uses; ``named``: its own
    elements by id.
    """
    taken = 0
    waiting = [each for each in root.iter() if kind_of(each) == "use"] if page else []
    while waiting and taken < _MOST_TAKEN:
        use = waiting.pop()
        target = _target(use, page) if _target(use, named) is None else None
        if target is None or sum(1 for _ in target.iter()) > _LARGEST_TAKEN:
            continue
        taken += 1
        copy = deepcopy(target)
        copy.tail = ""
        SubElement(root, f"{SVG}defs").append(copy)
        named |= {each.get("id"): each for each in copy.iter() if each.get("id")}
        waiting += [each for each in copy.iter() if kind_of(each) == "use"]


def _decide(switch: Element) -> None:
    """Keeps the default branch (SVG 2, 5.8), else the first that can be drawn."""
    for each in list(switch):
        if not isinstance(each.tag, str) or (switch.tag.startswith(SVG) and not each.tag.startswith(SVG)):
            switch.remove(each)
    branches = list(switch)
    common = [each for each in branches if each.get("systemLanguage") is None]
    drawn = [each for each in common or branches if kind_of(each) != "foreignObject"]
    for branch in branches:
        if branch is not next(iter(drawn or common or branches)):
            switch.remove(branch)


def _prepare(
    parent: Element, child: Element, root: Element, named: dict[str | None, Element]
) -> Iterator[Remark]:
    match kind_of(child):
        case kind if kind in _MOVES:
            yield Remark(MOVEMENT_LEFT_OUT)
        case "style":
            text = child.text or ""
            if _KEYFRAMES.search(text):
                yield Remark(MOVEMENT_LEFT_OUT)
            child.text = decided(_IMPORT.sub("", text))
            if _IMPORT.search(text):
                yield Remark(PICTURES_LEFT_OUT, detail="a style sheet")
        case "script" if "".join(child.itertext()).strip():
            # Most scripts only answer to the mouse.
            kind_of_loss = SCREEN_ONLY if _draws(root) else PART_LEFT_OUT
            yield Remark(kind_of_loss, detail="what a script of the drawing makes")
        case "filter":
            yield from _simplify(child)
        case kind if kind in _EFFECTS:
            yield Remark(LAYOUT_SIMPLIFIED, detail="an effect of a drawing")
        case "use":
            target = _target(child, named)
            if target is None:
                yield Remark(PART_LEFT_OUT, detail="a drawing that another file has")
            elif kind_of(target) == "symbol":
                for side in ("width", "height"):  # WeasyPrint lacks the default (SVG 2, 5.5)
                    child.set(side, child.get(side) or target.get(side) or "100%")
        case "tref":
            target = _target(child, named)
            child.tag, child.text = f"{SVG}tspan", "".join(target.itertext()) if target is not None else ""
        case "textPath":
            child.tag = f"{SVG}tspan"
            path = _target(child, named)
            start = _START.match(path.get("d", "")) if path is not None else None
            if start is not None:
                child.set("x", start[1])
                child.set("y", start[2])
            yield Remark(LAYOUT_SIMPLIFIED, detail="words along a line")
        case "foreignObject" | "flowRoot":
            yield from _set_plainly(parent, child)


def _simplify(effect: Element) -> Iterator[Remark]:
    """Leaves out the steps of an effect that WeasyPrint would do with the whole instead of its shadow."""
    steps = [each for each in effect if kind_of(each).startswith("fe")]
    done = [each for each in steps if kind_of(each) in _DONE]
    if not done or (len(steps) == 1 and done[0].get("in", _WHOLE) == _WHOLE):
        return
    for each in done:
        effect.remove(each)
    if not any(_WHOLE in each.attrib.values() for step in steps for each in step.iter()):
        yield Remark(LAYOUT_SIMPLIFIED, detail="an effect of a drawing")


def _target(element: Element, named: Mapping[str | None, Element]) -> Element | None:
    reference = (element.get("href") or element.get(_XLINK_HREF) or "").strip()
    return named.get(reference[1:]) if reference.startswith("#") else None


def _set_plainly(parent: Element, foreign: Element) -> Iterator[Remark]:
    """Replaces what only browsers or one editor can draw by its words, line by line, in the same place."""
    lines = [" ".join(line.split()) for line in _text(foreign).split("\n")]
    lines = [line for line in lines if line]
    pictures = any(kind_of(each) in {"img", "iframe", "object", "video", "canvas"} for each in foreign.iter())
    if pictures:
        yield Remark(PART_LEFT_OUT, detail="a web page within a drawing")
    if not lines:
        return
    frame = next((each for each in foreign.iter() if kind_of(each) == "rect"), foreign)
    x, y, height = (number_in(frame.get(key)) for key in ("x", "y", "height"))
    size = min(_FONT_PX, height / len(lines) / _LINE) if height > 0 else _FONT_PX
    at = list(parent).index(foreign)
    for number, line in enumerate(lines):
        place = {"x": f"{x:g}", "y": f"{y + size * (1 + number * _LINE):g}", "font-size": f"{size:g}"}
        text = Element(f"{SVG}text", place)
        text.text = line
        parent.insert(at + number, text)
    parent.remove(foreign)
    yield Remark(LAYOUT_SIMPLIFIED, detail="words of a web page within a drawing")


def _text(element: Element) -> str:
    """The text in ``element``, each block as a line."""
    pieces = [element.text or ""]
    for child in element:
        if kind_of(child) not in {"style", "script"}:
            block = "\n" if kind_of(child) in _BLOCKS else ""
            pieces += [block, _text(child), block]
        pieces.append(child.tail or "")
    return "".join(pieces)
