"""Parts of a web page that a screen shows and paper does not: changed so that it does, or remarked.  Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree.ElementTree import Element

from appliance.documents.drawings import SVG, prepare_drawing
from appliance.remarks import LAYOUT_SIMPLIFIED, MOVEMENT_LEFT_OUT, PART_LEFT_OUT, PICTURE_LOST, Remark

# Frames of a page that are shown as their text (HTML 4.8.5).
_MOST_FRAMES = 50
_LOCAL = ("data:", "cid:")
_INVISIBLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
# An address of a file beside the page: without scheme and server (RFC 3986 4.2).
_BESIDE = re.compile(r"\s*(?![a-zA-Z][a-zA-Z0-9+.-]*:|//|#)\S")
_MATHS = "{http://www.w3.org/1998/Math/MathML}"
# Elements of formulas that are more than a row of characters.
_TALL = {
    f"{_MATHS}{kind}"
    for kind in (
        "mfrac",
        "msup",
        "msub",
        "msubsup",
        "msqrt",
        "mroot",
        "mover",
        "munder",
        "munderover",
        "mtable",
    )
}
_DOT = "\N{BULLET}"
_CHOSEN = "\N{BALLOT BOX WITH CHECK} "


def prepare_page(page: Element, parse: Callable[[str], Element]) -> list[Remark]:
    """Changes the tree of ``page``; returns remarks, each once.  ``parse`` makes a tree of HTML."""
    told: dict[Remark, None] = {}
    scripted = any(element.tag == "script" for element in page.iter())
    waiting = list(page.iter())
    frames = 0
    beside: dict[str, None] = {}
    while waiting:
        element = waiting.pop()
        remark: Remark | None = None
        match element.tag:
            case "iframe" if element.get("srcdoc") and frames < _MOST_FRAMES:
                frames += 1
                _take_in(element, parse(element.get("srcdoc", "")))
                waiting += list(element.iter())[1:]
            case "iframe" | "frame" if _is_seen(element):
                remark = Remark(PART_LEFT_OUT, detail="a frame that shows another page")
            case "video":
                remark = _poster(element)
            case "audio":
                remark = Remark(PART_LEFT_OUT, detail="a sound")
            case "canvas" if scripted:
                remark = Remark(PART_LEFT_OUT, detail="what a script of the page draws")
            case "img":
                _take_source(element)
                if _BESIDE.match(element.get("src", "")):
                    beside[element.get("src", "").strip()] = None
            case "picture":
                _take_picture(element)
            case "input" if element.get("type", "").lower() == "password":
                element.set("value", _DOT * len(element.get("value", "")))
            case "select" if element.get("multiple") is not None:
                for option in element.iter("option"):
                    if option.get("selected") is not None:
                        option.text = _CHOSEN + (option.text or "")
            case "meter" | "progress":
                _say_share(element)
            case tag if tag == f"{SVG}svg":
                told.update(dict.fromkeys(prepare_drawing(element)))
            case tag if tag in _TALL:
                remark = Remark(LAYOUT_SIMPLIFIED, detail="formulas")
        if remark is not None:
            told[remark] = None
    if beside:
        told[Remark(PICTURE_LOST, detail=f"did not come along: {', '.join(beside)}")] = None
    return list(told)


def _take_in(frame: Element, page: Element) -> None:
    """Makes ``frame`` a block that contains the body of ``page``."""
    body = page.find("body")
    _become(frame, "div")
    if body is not None:
        frame.text = body.text
        frame.extend(list(body))


def _is_seen(frame: Element) -> bool:
    """Whether a frame is visible: many only count readers."""
    source = frame.get("src", "").strip().lower()
    if source in {"", "about:blank"} or source.startswith("javascript:") or frame.get("hidden") is not None:
        return False
    sides = {frame.get("width", "").strip(), frame.get("height", "").strip()}
    return not sides & {"0", "1", "0px", "1px"} and not _INVISIBLE.search(frame.get("style", ""))


def _poster(film: Element) -> Remark:
    """Puts a film's poster in its place, if the page has it; a remark on the film."""
    poster = film.get("poster", "")
    if not poster.lower().startswith(_LOCAL):
        return Remark(PART_LEFT_OUT, detail="a film")
    _become(film, "img")
    film.set("src", poster)
    return Remark(MOVEMENT_LEFT_OUT)


def _take_source(picture: Element) -> None:
    """Sets the source of a picture that is given by a script's attribute or by a choice of several."""
    if picture.get("src", "").lower().startswith(_LOCAL):
        return
    choice = _first_of(picture.get("srcset", ""))
    if choice.lower().startswith(_LOCAL) or (choice and not picture.get("src")):
        picture.set("src", choice)
    elif not picture.get("src") and picture.get("data-src"):
        picture.set("src", picture.get("data-src", ""))


def _take_picture(element: Element) -> None:
    picture = element.find("img")
    if picture is None or picture.get("src", "").lower().startswith(_LOCAL):
        return
    choices = (_first_of(source.get("srcset", "")) for source in element.iter("source"))
    local = next((choice for choice in choices if choice.lower().startswith(_LOCAL)), "")
    if local:
        picture.set("src", local)


def _first_of(choices: str) -> str:
    """The first address of a ``srcset``; it may contain commas, but no spaces."""
    return (choices.split() or [""])[0].rstrip(",")


def _say_share(bar: Element) -> None:
    """Puts the value of a progress bar or meter as text in its place."""
    try:
        value, most = float(bar.get("value", "")), float(bar.get("max", "1"))
    except ValueError:
        return
    words = f"{value / most:.0%}" if bar.get("max") is None and most else f"{value:g} / {most:g}"
    _become(bar, "span")
    bar.text = words


def _become(element: Element, tag: str) -> None:
    """Makes ``element`` an empty one of another kind; the text behind it stays."""
    tail = element.tail
    element.clear()
    element.tag, element.tail = tag, tail
