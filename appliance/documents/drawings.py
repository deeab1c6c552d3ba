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

from appliance.documents.conditions import decided
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
_NUMBER = re.compile(r"\s*([-+]?[\d.]+)")
_LENGTH = re.compile(r"\s*\+?(\d{1,9}(?:\.\d{0,9})?)(px|pt|pc|mm|cm|in)?\s*")
_UNITS_PX = {"px": 1.0, "pt": 96 / 72, "pc": 16.0, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96.0}
# Strokes that do not grow with the drawing, and those under the letters; a stroke's width; transformations.
_FIXED = re.compile(r"vector-effect\s*:\s*non-scaling-stroke")
_UNDER = re.compile(r"paint-order\s*:\s*stroke")
_WIDTH = re.compile(r"stroke-width\s*:\s*([\d.]{1,12})(?![\d.])")
_TRANSFORM = re.compile(r"(?<![\w-])(scale|matrix)\s*\(([^()]{1,200})\)")
_NUMBERS = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
# Functions of transformations, and how many numbers each takes (CSS Transforms 1, section 8).
_FUNCTION = re.compile(r"(\w{1,12})\s{0,10}\(([^()]{0,200})\)")
_TAKES = {
    "matrix": {6},
    "translate": {1, 2},
    "scale": {1, 2},
    "rotate": {1, 3},
    "skewX": {1},
    "skewY": {1},
}
_BETWEEN_NUMBERS = re.compile(r"(?:[\s,]|deg|g?rad|turn|px)*")
_TRANSFORMS = ("transform", "gradientTransform", "patternTransform")
# Values that are a number or a percentage, as attributes and in style sheets, where a variable may stand for
# them with what it is if nothing sets it.
_NO_SHARE = "stroke-miterlimit"  # a number only
_PLAIN_VALUES = (
    "opacity",
    "fill-opacity",
    "stroke-opacity",
    "stop-opacity",
    "flood-opacity",
    _NO_SHARE,
    "offset",
)
_PLAIN = re.compile(
    r"\s{0,9}(?:[-+]?(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:[eE][-+]?\d{1,3})?\s{0,9}%?|inherit)\s{0,9}"
)
_DECLARED = re.compile(rf"(?<![\w-])({'|'.join(_PLAIN_VALUES[:-1])})\s{{0,9}}:\s{{0,9}}([^;}}!]{{1,200}})")
_VARIABLE = re.compile(r"var\([^,()]{1,80},([^,()]{1,80})\)")
# The direction of a marker as an angle, and the degrees of each unit (SVG 2, 13.7.4).
_ANGLE = re.compile(r"\s{0,9}([-+]?(?:\d{1,9}(?:\.\d{0,20})?|\.\d{1,20}))(deg|grad|rad|turn)?\s{0,9}")
_DEGREES = {"deg": 1.0, "": 1.0, "grad": 0.9, "rad": 57.29578, "turn": 360.0}
_DIRECTIONS = frozenset({"auto", "auto-start-reverse"})
# The point around which a transformation turns (CSS Transforms 1, section 6), and places on its axes.
_ORIGIN = re.compile(r"(?<![\w-])transform-origin\s{0,9}:\s{0,9}([^;}!]{1,100})")
_PLACES = {"left": 0.0, "top": 0.0, "center": 0.5, "right": 1.0, "bottom": 1.0}
_SHARE = re.compile(r"(-?\d{1,9}(?:\.\d{0,9})?)%")
_GROUND = re.compile(r"(?<![\w-])background(?:-color)?\s{0,9}:\s{0,9}([^;!]{1,100})")
_SHEET_PX = 718.0  # the width of a drawing that gives none
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
_MOST = 100_000  # elements of a drawing
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
        width, height = (_pixels(root.get(side)) for side in ("width", "height"))
        if width > 0 and height > 0:
            root.set("viewBox", f"0 0 {width:g} {height:g}")


def _lay_ground(root: Element) -> None:
    """Draws the background of a whole drawing, which WeasyPrint leaves out: its words may be white."""
    colours = _GROUND.findall(root.get("style", ""))
    left, top, width, height = _box_of(root)
    if not colours or width <= 0 or height <= 0:
        return
    colour = colours[-1].strip()
    with contextlib.suppress(ValueError):  # of anything but a colour
        ImageColor.getrgb(colour)
        place = {"x": f"{left:g}", "y": f"{top:g}", "width": f"{width:g}", "height": f"{height:g}"}
        root.insert(0, Element(f"{SVG}rect", {**place, "fill": colour, "stroke": "none"}))


def _box_of(drawing: Element) -> tuple[float, float, float, float]:
    """Left, top, width and height of what a drawing shows, in its own units; zeros if it does not say."""
    box = [_number(each) for each in _NUMBERS.findall(drawing.get("viewBox", ""))]
    if len(box) != 4:
        return 0.0, 0.0, _pixels(drawing.get("width")), _pixels(drawing.get("height"))
    return box[0], box[1], box[2], box[3]


def _pixels(length: str | None) -> float:
    """A length in CSS's pixels; 0 for one that is not fixed."""
    found = _LENGTH.fullmatch(length or "")
    return float(found[1]) * _UNITS_PX[found[2] or "px"] if found else 0.0


def prepare_drawing(root: Element, page: Mapping[str | None, Element] = _NOTHING) -> list[Remark]:
    """Changes the drawing ``root`` in place; returns remarks, each once.

    ``page``: the elements of the surrounding page by id, because a drawing may use those of other drawings.
    """
    said: dict[Remark, None] = {}
    _drop_impossible_values(root)
    _draw_strokes_as_meant(root)
    named = {element.get("id"): element for element in root.iter() if element.get("id")}
    _take_used(root, named, page)
    for number, parent in enumerate(list(root.iter())):
        if number >= _MOST:
            break
        if _kind(parent) == "switch":
            _decide(parent)
        for child in list(parent):
            said.update(dict.fromkeys(_prepare(parent, child, root, named)))
    return list(said)


def _draws(root: Element) -> bool:
    return any(_kind(element) in _DRAWN for element in root.iter())


def _drop_impossible_values(root: Element) -> None:
    """Removes values that are not possible: WeasyPrint fails at them, browsers ignore them.

    What a transformation turns around is given in numbers, the only form that WeasyPrint reads.
    """
    _, _, *sides = _box_of(root)

    def around(found: re.Match[str]) -> str:
        return f"transform-origin:{_origin(found[1], sides)}"

    for element in root.iter():
        for attribute in _TRANSFORMS:
            functions = _FUNCTION.findall(element.get(attribute, ""))
            possible = all(_is_possible(name, values) for name, values in functions)
            # WeasyPrint needs to reverse those of gradients and patterns.
            if not possible or (attribute != "transform" and any(_is_flat(*each) for each in functions)):
                del element.attrib[attribute]
        for attribute in _PLAIN_VALUES:
            if not _is_plain(attribute, element.get(attribute, "0")):
                del element.attrib[attribute]
        if "transform-origin" in element.attrib:
            element.set("transform-origin", _origin(element.get("transform-origin", ""), sides))
        if "style" in element.attrib:
            element.set("style", _ORIGIN.sub(around, _DECLARED.sub(_possible, element.get("style", ""))))
        if _kind(element) == "style" and element.text:
            element.text = _ORIGIN.sub(around, _DECLARED.sub(_possible, element.text))
        direction = element.get("orient", "auto")
        if direction not in _DIRECTIONS:
            angle = _ANGLE.fullmatch(direction)
            element.set("orient", f"{float(angle[1]) * _DEGREES[angle[2] or '']:g}" if angle else "0")


def _origin(value: str, sides: list[float]) -> str:
    """A point in numbers; ``sides``: those of the drawing, to which places and percentages refer."""
    words = [*value.lower().split(), "center", "center"][:2]
    if words[0] in {"top", "bottom"} or words[1] in {"left", "right"}:
        words.reverse()
    point = []
    for word, side in zip(words, sides, strict=True):
        share = _SHARE.fullmatch(word)
        if share or word in _PLACES:
            point.append(side * (float(share[1]) / 100 if share else _PLACES[word]))
        else:
            sign = -1 if word.startswith("-") else 1
            point.append(sign * _pixels(word.lstrip("-")))
    return " ".join(f"{each:g}" for each in point)


def _is_flat(function: str, values: str) -> bool:
    """Whether a transformation, which is possible, leaves nothing of what it is applied to."""
    numbers = [float(each) for each in _NUMBERS.findall(values)]
    if function == "scale":
        return 0 in numbers
    return function == "matrix" and numbers[0] * numbers[3] == numbers[1] * numbers[2]


def _possible(declaration: re.Match[str]) -> str:
    """A declaration with its value, or that of the variable in it; empty when it is none."""
    value = _VARIABLE.sub(r"\1", declaration[2])
    return f"{declaration[1]}:{value}" if _is_plain(declaration[1], value) else ""


def _is_plain(name: str, value: str) -> bool:
    return _PLAIN.fullmatch(value) is not None and not (name == _NO_SHARE and "%" in value)


def _is_possible(function: str, values: str) -> bool:
    is_known = len(_NUMBERS.findall(values)) in _TAKES.get(function, ())
    return is_known and _BETWEEN_NUMBERS.fullmatch(_NUMBERS.sub("", values)) is not None


def _draw_strokes_as_meant(root: Element) -> None:
    """Sets plainly what WeasyPrint does not know of strokes: those that do not grow with their drawing, and
    those that lie under the letters (SVG 2, 8.13 and 13.8), which would else cover them.
    """
    sheets = " ".join(each.text or "" for each in root.iter() if _kind(each) == "style")
    fixed, under = _FIXED.search(sheets) is not None, _UNDER.search(sheets) is not None
    letters: list[tuple[Element, Element]] = []
    waiting = [(root, root, 1.0, 1.0, under)]
    for _ in range(_MOST):
        if not waiting:
            break
        parent, element, scale, width, below = waiting.pop()
        own = f"stroke-width:{element.get('stroke-width', '')};paint-order:{element.get('paint-order', '')}"
        said = f"{own};vector-effect:{element.get('vector-effect', '')};{element.get('style', '')}"
        scale *= _scale_of(element)
        if found := _WIDTH.findall(said):
            width = _number(found[-1])
        below = _UNDER.search(said) is not None or (below and "paint-order:normal" not in said)
        if (fixed or _FIXED.search(said)) and scale > 0:
            _declare(element, f"stroke-width:{width / scale:g}")
        if below and _kind(element) == "text":
            letters.append((parent, element))
        waiting += [(element, child, scale, width, below) for child in element]
    for parent, text in letters:
        halo = deepcopy(text)
        halo.tail = ""
        _declare(halo, "fill:none")
        _declare(text, "stroke:none")
        parent.insert(list(parent).index(text), halo)


def _declare(element: Element, declaration: str) -> None:
    element.set("style", f"{element.get('style', '')};{declaration}".lstrip(";"))


def _scale_of(element: Element) -> float:
    """By what factor an element's own coordinates are larger than those around it."""
    scale = 1.0
    for name, values in _TRANSFORM.findall(f"{element.get('transform', '')} {element.get('style', '')}"):
        numbers = [_number(each) for each in _NUMBERS.findall(values)]
        if name == "scale" and numbers:
            scale *= abs(numbers[0] * numbers[-1]) ** 0.5
        elif name == "matrix" and len(numbers) == 6:
            scale *= abs(numbers[0] * numbers[3] - numbers[1] * numbers[2]) ** 0.5
    box = [_number(each) for each in _NUMBERS.findall(element.get("viewBox", ""))]
    if _kind(element) == "svg" and len(box) == 4 and box[2] > 0:
        scale *= (_pixels(element.get("width")) or _SHEET_PX) / box[2]
    return scale


def _kind(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _take_used(root: Element, named: dict[str | None, Element], page: Mapping[str | None, Element]) -> None:
    """Copies into the drawing the parts of other drawings on the page that it uses; ``named``: its own
    elements by id.
    """
    taken = 0
    waiting = [each for each in root.iter() if _kind(each) == "use"] if page else []
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
        waiting += [each for each in copy.iter() if _kind(each) == "use"]


def _decide(switch: Element) -> None:
    """Keeps the default branch (SVG 2, 5.8), else the first that can be drawn."""
    for each in list(switch):
        if not isinstance(each.tag, str) or (switch.tag.startswith(SVG) and not each.tag.startswith(SVG)):
            switch.remove(each)
    branches = list(switch)
    common = [each for each in branches if each.get("systemLanguage") is None]
    drawn = [each for each in common or branches if _kind(each) != "foreignObject"]
    for branch in branches:
        if branch is not next(iter(drawn or common or branches)):
            switch.remove(branch)


def _prepare(
    parent: Element, child: Element, root: Element, named: dict[str | None, Element]
) -> Iterator[Remark]:
    kind = _kind(child)
    if kind in _MOVES:
        yield Remark(MOVEMENT_LEFT_OUT)
    elif kind == "style":
        text = child.text or ""
        if _KEYFRAMES.search(text):
            yield Remark(MOVEMENT_LEFT_OUT)
        child.text = decided(_IMPORT.sub("", text))
        if _IMPORT.search(text):
            yield Remark(PICTURES_LEFT_OUT, detail="a style sheet")
    elif kind == "script" and "".join(child.itertext()).strip():
        # Most scripts only answer to the mouse.
        kind_of_loss = SCREEN_ONLY if _draws(root) else PART_LEFT_OUT
        yield Remark(kind_of_loss, detail="what a script of the drawing makes")
    elif kind == "filter":
        yield from _simplify(child)
    elif kind in _EFFECTS:
        yield Remark(LAYOUT_SIMPLIFIED, detail="an effect of a drawing")
    elif kind == "use":
        target = _target(child, named)
        if target is None:
            yield Remark(PART_LEFT_OUT, detail="a drawing that another file has")
        elif _kind(target) == "symbol":
            for side in ("width", "height"):  # WeasyPrint lacks the default (SVG 2, 5.5)
                child.set(side, child.get(side) or target.get(side) or "100%")
    elif kind == "tref":
        target = _target(child, named)
        child.tag, child.text = f"{SVG}tspan", "".join(target.itertext()) if target is not None else ""
    elif kind == "textPath":
        child.tag = f"{SVG}tspan"
        path = _target(child, named)
        start = _START.match(path.get("d", "")) if path is not None else None
        if start is not None:
            child.set("x", start[1])
            child.set("y", start[2])
        yield Remark(LAYOUT_SIMPLIFIED, detail="words along a line")
    elif kind in {"foreignObject", "flowRoot"}:
        yield from _set_plainly(parent, child)


def _simplify(effect: Element) -> Iterator[Remark]:
    """Leaves out the steps of an effect that WeasyPrint would do with the whole instead of its shadow."""
    steps = [each for each in effect if _kind(each).startswith("fe")]
    done = [each for each in steps if _kind(each) in _DONE]
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
    pictures = any(_kind(each) in {"img", "iframe", "object", "video", "canvas"} for each in foreign.iter())
    if pictures:
        yield Remark(PART_LEFT_OUT, detail="a web page within a drawing")
    if not lines:
        return
    frame = next((each for each in foreign.iter() if _kind(each) == "rect"), foreign)
    x, y, height = (_number(frame.get(key)) for key in ("x", "y", "height"))
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
        if _kind(child) not in {"style", "script"}:
            block = "\n" if _kind(child) in _BLOCKS else ""
            pieces += [block, _text(child), block]
        pieces.append(child.tail or "")
    return "".join(pieces)


def _number(value: str | None) -> float:
    found = _NUMBER.match(value or "")
    try:
        return float(found[1]) if found else 0.0
    except ValueError:
        return 0.0
