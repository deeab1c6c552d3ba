"""Changes parts of a web page that only a screen shows so that paper shows them, or remarks them.  Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree.ElementTree import Element

from appliance.documents.typeset.conditions import media_of
from appliance.documents.typeset.drawings import SVG, prepare_drawing
from appliance.documents.typeset.styles import declared, for_paper
from appliance.remarks import (
    LAYOUT_SIMPLIFIED,
    MOVEMENT_LEFT_OUT,
    PART_LEFT_OUT,
    PICTURE_LOST,
    PICTURES_LEFT_OUT,
    Remark,
)

# Frames of a page that are shown as their text (HTML 4.8.5).
_MOST_FRAMES = 50
_LOCAL = ("data:", "cid:")
_INVISIBLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
# An address of a file beside the page: without scheme and server (RFC 3986 4.2).
_BESIDE = re.compile(r"\s*(?![a-zA-Z][a-zA-Z0-9+.-]*:|//|#)\S")
# A picture of a style: an address that is no font's.
_STYLE_PICTURE = re.compile(
    r"url\(\s*[\"']?([^\"')\s]{1,300}?)(?<!\.ttf)(?<!\.otf)(?<!\.eot)(?<!\.woff)(?<!\.woff2)[\"'\s)]",
    re.IGNORECASE,
)
# A row of this many cells belongs to a table of figures: its words are not broken, the table is scaled down
# instead.  Longer words (addresses) may be broken.
_MANY_CELLS, _LONGEST_WORD = 6, 25
_WHOLE_WORDS = "overflow-wrap: break-word"
_MATHS = "{http://www.w3.org/1998/Math/MathML}"
# Elements of formulas that a row of characters cannot show.
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
_CELLS = frozenset({"td", "th"})
# HTML 4.9.11; of rows it allows more, but a table has no more.
_MOST_SPANNED = {"colspan": 1000, "rowspan": 5000}
# What a frame may contain as a replacement, and addresses of frames that WeasyPrint draws itself.
_INSTEAD = frozenset({"img", f"{SVG}svg", "iframe"})
_SHOWN_PICTURES = ("data:image/", "cid:")
# Longest address of a placeholder that a script replaces by a picture: a pixel, or an empty drawing.
_LONGEST_PLACEHOLDER = 400
_LATER = ("data-src", "data-lazy-src", "data-original", "data-srcset", "data-lazy-srcset")
_DOT = "\N{BULLET}"
_CHOSEN = "\N{BALLOT BOX WITH CHECK} "


def prepare_page(page: Element, parse: Callable[[str], Element], *, whole_words: bool = True) -> list[Remark]:
    """Changes the tree of ``page``; returns remarks, each once.  ``parse`` makes a tree of HTML.

    ``whole_words``: in tables of many columns words do not break.
    """
    told: dict[Remark, None] = {}
    scripted = any(element.tag == "script" for element in page.iter())
    waiting = list(page.iter())
    frames = 0
    beside: dict[str, None] = {}
    grounds: dict[str, None] = {}
    named = {element.get("id"): element for element in waiting if element.get("id")}
    while waiting:
        element = waiting.pop()
        if element.get("style"):
            element.set("style", declared(element.get("style", "")))
        grounds.update(dict.fromkeys(_grounds_beside(element)))
        match element.tag:
            case "iframe" if element.get("srcdoc") and frames < _MOST_FRAMES:
                frames += 1
                _take_in(element, parse(element.get("srcdoc", "")))
                waiting += list(element.iter())[1:]
            case "tr" if whole_words and sum(cell.tag in _CELLS for cell in element) >= _MANY_CELLS:
                _keep_words(element)
            case tag if tag == f"{SVG}svg":
                told.update(dict.fromkeys(prepare_drawing(element, named)))
            case _:
                lost = _lost(element, scripted=scripted)
                if lost is not None:
                    told[lost] = None
                _show(element)
        if element.tag in _CELLS:
            _limit_spans(element)
        if element.tag == "img":
            _take_source(element)
            if _BESIDE.match(element.get("src", "")):
                beside[element.get("src", "").strip()] = None
    if grounds:
        told[Remark(PICTURES_LEFT_OUT, detail=f"did not come along: {', '.join(grounds)}")] = None
    if beside:
        told[Remark(PICTURE_LOST, detail=f"did not come along: {', '.join(beside)}")] = None
    return list(told)


def _lost(element: Element, *, scripted: bool) -> Remark | None:
    """A remark on what paper cannot show of ``element``.  ``scripted``: whether the page has scripts."""
    match element.tag:
        case "iframe" | "frame" if _is_seen(element):
            return Remark(PART_LEFT_OUT, detail="a frame that shows another page")
        case "video" if _has_poster(element):
            return Remark(MOVEMENT_LEFT_OUT)
        case "video":
            return Remark(PART_LEFT_OUT, detail="a film")
        case "audio":
            return Remark(PART_LEFT_OUT, detail="a sound")
        case "embed" | "object" if _shows_nothing(element):
            return Remark(PART_LEFT_OUT, detail="what another program would show in the page")
        case "link" if _is_style_beside(element):
            return Remark(LAYOUT_SIMPLIFIED, detail=f"did not come along: {element.get('href')}")
        case "canvas" if scripted:
            return Remark(PART_LEFT_OUT, detail="what a script of the page draws")
        case tag if tag in _TALL:
            return Remark(LAYOUT_SIMPLIFIED, detail="formulas")
    return None


def _show(element: Element) -> None:
    """Changes an element whose look on a screen the library does not draw by itself."""
    match element.tag, element.get("type", "").lower():
        case "video", _ if _has_poster(element):
            poster = element.get("poster", "")
            _become(element, "img")
            element.set("src", poster)
        case "style", _:
            element.text = for_paper(element.text or "")
            element.set("media", media_of(element.get("media", "")))
        case "template", _ if element.get("shadowrootmode") is not None:
            element.tag = "div"  # shown in place of the element around it
        case "input", "hidden":
            _become(element, "span")
        case "input", "image":
            element.tag = "img"
        case "input", "password":
            element.set("value", _DOT * len(element.get("value", "")))
        case "select", _ if element.get("multiple") is not None or element.get("size", "1") not in {"0", "1"}:
            element.set("multiple", "")  # shows several lines of it
            for option in element.iter("option"):
                if option.get("selected") is not None:
                    option.text = _CHOSEN + (option.text or "")
        case "picture", _:
            _take_picture(element)
        case (("meter" | "progress"), _):
            _say_share(element)


def _has_poster(film: Element) -> bool:
    return film.get("poster", "").lower().startswith(_LOCAL)


def _grounds_beside(element: Element) -> list[str]:
    """The addresses of pictures in files beside the page that the element's styles name."""
    if not isinstance(element.tag, str):
        return []
    style = element.text if element.tag == "style" else element.get("style")
    found = [address for address in _STYLE_PICTURE.findall(style or "") if _BESIDE.match(address)]
    ground = element.get("background", "")
    return [*found, ground] if _BESIDE.match(ground) else found


def _is_style_beside(link: Element) -> bool:
    return "stylesheet" in link.get("rel", "").lower() and _BESIDE.match(link.get("href", "")) is not None


def _shows_nothing(frame: Element) -> bool:
    """Whether a frame for another program would be visible but has no replacement."""
    address = (frame.get("src") or frame.get("data") or "").strip().lower()
    within = "".join(frame.itertext()).strip() or any(each.tag in _INSTEAD for each in frame.iter())
    if within or not address or address.startswith(_SHOWN_PICTURES):
        return False
    return not _INVISIBLE.search(frame.get("style", ""))


def _limit_spans(cell: Element) -> None:
    """Limits the columns and rows that a cell covers, as browsers do; WeasyPrint makes room for each."""
    for name, most in _MOST_SPANNED.items():
        number = cell.get(name, "").strip()
        if len(number) > len(str(most)) or (number.isdecimal() and int(number) > most):
            cell.set(name, str(most))


def _keep_words(row: Element) -> None:
    """Keeps the words in a row's cells from being broken, except very long ones."""
    for cell in row:
        words = "".join(cell.itertext()).split() if cell.tag in _CELLS else []
        style = cell.get("style", "")
        if words and max(map(len, words)) <= _LONGEST_WORD and "wrap" not in style:
            cell.set("style", f"{style};{_WHOLE_WORDS}" if style else _WHOLE_WORDS)


def _take_in(frame: Element, page: Element) -> None:
    """Makes ``frame`` a block that contains the body of ``page``."""
    body = page.find("body")
    _become(frame, "div")
    if body is not None:
        frame.text = body.text
        frame.extend(list(body))


def _is_seen(frame: Element) -> bool:
    """Whether a frame is visible; many exist only to count readers."""
    source = frame.get("src", "").strip().lower()
    if source in {"", "about:blank"} or source.startswith("javascript:") or frame.get("hidden") is not None:
        return False
    sides = {frame.get("width", "").strip(), frame.get("height", "").strip()}
    return not sides & {"0", "1", "0px", "1px"} and not _INVISIBLE.search(frame.get("style", ""))


def _take_source(picture: Element) -> None:
    """Sets the source of a picture that only a script's attribute or a choice of several names."""
    source = picture.get("src", "")
    later = next((_first_of(picture.get(name, "")) for name in _LATER if picture.get(name)), "")
    if later and source.lower().startswith("data:") and len(source) <= _LONGEST_PLACEHOLDER:
        picture.set("src", later)
        return
    if source.lower().startswith(_LOCAL):
        return
    choice = _first_of(picture.get("srcset", ""))
    if choice.lower().startswith(_LOCAL) or (choice and not source):
        picture.set("src", choice)
    elif not source and later:
        picture.set("src", later)


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
    """Replaces a progress bar or meter by its value as text."""
    try:
        value, most = float(bar.get("value", "")), float(bar.get("max", "1"))
    except ValueError:
        return
    words = f"{value / most:.0%}" if bar.get("max") is None and most else f"{value:g} / {most:g}"
    _become(bar, "span")
    bar.text = words


def _become(element: Element, tag: str) -> None:
    """Makes ``element`` an empty element of another kind; keeps the text after it."""
    tail = element.tail
    element.clear()
    element.tag, element.tail = tag, tail
