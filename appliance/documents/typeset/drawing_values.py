"""Values in SVG drawings that WeasyPrint fails at or does not know: replaced, or removed.  Pure."""

from __future__ import annotations

import re
from copy import deepcopy
from xml.etree.ElementTree import Element, SubElement

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
# How an element is laid over what is below it (Compositing 1, 6.1); WeasyPrint knows it as an effect.
_BLENDED = re.compile(r"mix-blend-mode\s{0,9}:\s{0,9}([a-z-]{1,20})")
_BLEND = "laid-over-by-"
# Four numbers, of which the last two are sides; and a side, in any unit, that nothing has.
_PLAIN_NUMBER = r"[-+]?(?:\d{1,20}(?:\.\d{0,20})?|\.\d{1,20})(?:[eE][-+]?\d{1,2})?"
_BOX = re.compile(rf"\s{{0,99}}{_PLAIN_NUMBER}(?:(?:\s{{1,99}},?|,)\s{{0,99}}{_PLAIN_NUMBER}){{3}}\s{{0,99}}")
_LARGEST_SIDE = 1e8
# Elements whose size is that of their content where none is given.
_WITH_SIZE = frozenset({"svg", "image"})
# Attributes that are numbers or lengths, and what Python reads as a number that is none.
_NUMERIC = frozenset(
    {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "ry", "fx", "fy", "fr", "dx", "dy", "width"}
    | {"height", "refX", "refY", "markerWidth", "markerHeight", "rotate", "offset", "textLength"}
    | {"startOffset", "font-size", "letter-spacing", "stroke-width", "stroke-dasharray"}
    | {"stroke-dashoffset", "stdDeviation"}
)
_NO_NUMBER = re.compile(r"[-+]?(?:nan|inf)", re.IGNORECASE)
_DECLARED_NO_NUMBER = re.compile(
    r"[\w-]{1,40}\s{0,9}:\s{0,9}[-+]?(?:nan|inf(?:inity)?)(?:px|em|%)?\s{0,9}(?:;|$)", re.IGNORECASE
)
_SHEET_PX = 718.0  # the width of a drawing that gives none
MOST = 100_000  # elements of a drawing


def kind_of(element: Element) -> str:
    """The element's name without its namespace; empty for a comment."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def number_in(value: str | None) -> float:
    """The number with which a value begins; 0 if it begins with none."""
    found = _NUMBER.match(value or "")
    try:
        return float(found[1]) if found else 0.0
    except ValueError:
        return 0.0


def blend_by_effects(root: Element, space: str) -> None:
    """Writes ``mix-blend-mode`` as the effect that does the same; ``space``: SVG's, in braces."""
    modes: set[str] = set()

    def put(found: re.Match[str]) -> str:
        modes.add(found[1])
        return f"filter: url(#{_BLEND}{found[1]})"

    for each in root.iter():
        if "style" in each.attrib:
            each.set("style", _BLENDED.sub(put, each.attrib["style"]))
        if kind_of(each) == "style":
            each.text = _BLENDED.sub(put, each.text or "")
    for mode in sorted(modes):
        effect = SubElement(root, f"{space}filter", {"id": _BLEND + mode})
        SubElement(effect, f"{space}feBlend", {"mode": mode})


def box_of(drawing: Element) -> tuple[float, float, float, float]:
    """Left, top, width and height of what a drawing shows, in its own units; zeros if it does not say."""
    box = [number_in(each) for each in _NUMBERS.findall(drawing.get("viewBox", ""))]
    if len(box) != 4:
        return 0.0, 0.0, pixels(drawing.get("width")), pixels(drawing.get("height"))
    return box[0], box[1], box[2], box[3]


def pixels(length: str | None) -> float:
    """A length in CSS's pixels; 0 for one that is not fixed."""
    found = _LENGTH.fullmatch(length or "")
    return float(found[1]) * _UNITS_PX[found[2] or "px"] if found else 0.0


def drop_impossible_values(root: Element) -> None:
    """Removes values that are not possible: WeasyPrint fails at them, browsers ignore them.

    What a transformation turns around is given in numbers, the only form that WeasyPrint reads.
    """
    _, _, *sides = box_of(root)

    def around(found: re.Match[str]) -> str:
        return f"transform-origin:{_origin(found[1], sides)}"

    for element in root.iter():
        _drop_impossible_box(element)
        _drop_what_is_no_number(element)
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
        if kind_of(element) == "style" and element.text:
            element.text = _ORIGIN.sub(around, _DECLARED.sub(_possible, element.text))
        direction = element.get("orient", "auto")
        if direction not in _DIRECTIONS:
            angle = _ANGLE.fullmatch(direction)
            element.set("orient", f"{float(angle[1]) * _DEGREES[angle[2] or '']:g}" if angle else "0")


def _drop_impossible_box(element: Element) -> None:
    """Removes what is no part of the plane to show (SVG 2, 8.2), or no size that anything can have."""
    if "viewBox" in element.attrib and not _BOX.fullmatch(element.get("viewBox", "")):
        del element.attrib["viewBox"]
    for side in ("width", "height"):
        is_no_size = kind_of(element) in _WITH_SIZE and not _NUMBER.match(element.get(side, "0"))
        if is_no_size or number_in(element.get(side)) > _LARGEST_SIDE:
            del element.attrib[side]


def _drop_what_is_no_number(element: Element) -> None:
    """Removes values that a script failed to calculate, as browsers do; of a line they draw what is before.

    WeasyPrint fails at some, leaves out what has others, or writes them into the PDF.
    """
    for attribute in _NUMERIC & element.attrib.keys():
        if _NO_NUMBER.search(element.get(attribute, "")):
            del element.attrib[attribute]
    if "points" in element.attrib:
        element.set("points", _NO_NUMBER.split(element.get("points", ""))[0])
    if "style" in element.attrib:
        element.set("style", _DECLARED_NO_NUMBER.sub("", element.get("style", "")))


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
            point.append(sign * pixels(word.lstrip("-")))
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


def draw_strokes_as_meant(root: Element) -> None:
    """Sets plainly what WeasyPrint does not know of strokes: those that do not grow with their drawing, and
    those that lie under the letters (SVG 2, 8.13 and 13.8), which would else cover them.
    """
    sheets = " ".join(each.text or "" for each in root.iter() if kind_of(each) == "style")
    fixed, under = _FIXED.search(sheets) is not None, _UNDER.search(sheets) is not None
    letters: list[tuple[Element, Element]] = []
    waiting = [(root, root, 1.0, 1.0, under)]
    for _ in range(MOST):
        if not waiting:
            break
        parent, element, scale, width, below = waiting.pop()
        own = f"stroke-width:{element.get('stroke-width', '')};paint-order:{element.get('paint-order', '')}"
        said = f"{own};vector-effect:{element.get('vector-effect', '')};{element.get('style', '')}"
        scale *= _scale_of(element)
        if found := _WIDTH.findall(said):
            width = number_in(found[-1])
        below = _UNDER.search(said) is not None or (below and "paint-order:normal" not in said)
        if (fixed or _FIXED.search(said)) and scale > 0:
            _declare(element, f"stroke-width:{width / scale:g}")
        if below and kind_of(element) == "text":
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
        numbers = [number_in(each) for each in _NUMBERS.findall(values)]
        if name == "scale" and numbers:
            scale *= abs(numbers[0] * numbers[-1]) ** 0.5
        elif name == "matrix" and len(numbers) == 6:
            scale *= abs(numbers[0] * numbers[3] - numbers[1] * numbers[2]) ** 0.5
    box = [number_in(each) for each in _NUMBERS.findall(element.get("viewBox", ""))]
    if kind_of(element) == "svg" and len(box) == 4 and box[2] > 0:
        scale *= (pixels(element.get("width")) or _SHEET_PX) / box[2]
    return scale
