"""Cover templates: HTML with CSS, with places for fields.

A field is written ``{{subject}}``.  A paragraph or table row whose fields are all empty is left out.
Pictures are PNG or JPEG in ``data:`` addresses, their ``width`` is in millimetres; nothing is ever
fetched.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from xml.etree.ElementTree import Element, SubElement

from appliance.documents.text.direction import right_to_left
from appliance.documents.text.hypertext import whole_tags
from appliance.language import said

FIELDS = (
    "to_name",
    "to_company",
    "to_number",
    "from_name",
    "from_company",
    "from_number",
    "subject",
    "message",
    "date",
    "time",
    "pages",
)

# Limits of one template, far above what an owner writes by hand.
MOST_PARTS = 5000  # elements and texts
MOST_FIELDS = 60
DEEPEST = 60  # elements within each other
MOST_PICTURES = 8
LARGEST_PICTURE = 150_000  # octets of a picture's file
_DEFAULT_PICTURE_MM = 40.0
_WIDEST_PICTURE_MM = 170.0

_FIELD = re.compile(r"\{\{\s*([^{}]{0,40}?)\s*\}\}")
_PICTURE = re.compile(r"data:image/(?:png|jpeg);base64,", re.IGNORECASE)
_NUMBER = re.compile(r"\s*+([0-9]{1,3}(?:\.[0-9]{1,2})?)\s*+(?:mm)?\s*+")

# Elements that are left out when all fields in them are empty, and those that may contain such.
_LEFT_OUT = frozenset({"p", "h1", "h2", "h3", "h4", "li", "pre", "tr"})
_LEFT_OUT_ALONE = frozenset({"div", "center"})
_BLOCKS = _LEFT_OUT | _LEFT_OUT_ALONE | {"table", "ul", "ol", "hr"}
_VOID = frozenset({"br", "hr", "img", "meta", "link", "input", "col", "area", "base", "wbr"})
_NEVER_CLOSED = frozenset({"p", "li", "tr", "td", "th", "thead", "tbody", "html", "body", "head", "dt", "dd"})


class TemplateError(ValueError):
    """The template cannot be used; the message tells its author why."""


def check_template(html: str) -> None:
    """Raises TemplateError for a template that names unknown fields, or exceeds the limits."""
    fields = [found[1] for found in _FIELD.finditer(html)]
    for name in fields:
        if name not in FIELDS:
            sentence = said("there is no field {name}; there are {names}")
            raise TemplateError(sentence.format(name=repr(name), names=", ".join(FIELDS)))
    if len(fields) > MOST_FIELDS:
        raise TemplateError(said("more than {count} fields").format(count=MOST_FIELDS))
    checker = _Checker()
    checker.feed(whole_tags(html))
    checker.close()


class _Checker(HTMLParser):
    """Counts the parts of a template and checks its pictures."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts = self._depth = self._pictures = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._count()
        if tag == "img":
            self._pictures += 1
            if self._pictures > MOST_PICTURES:
                raise TemplateError(said("more than {count} pictures").format(count=MOST_PICTURES))
            _check_picture(dict(attrs).get("src") or "")
        elif tag not in _VOID and tag not in _NEVER_CLOSED:
            self._depth += 1
            if self._depth > DEEPEST:
                raise TemplateError(said("elements lie too deep within each other"))

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and tag not in _NEVER_CLOSED:
            self._depth = max(0, self._depth - 1)

    def handle_data(self, data: str) -> None:
        self._count()

    def _count(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise TemplateError(said("more than {count} elements and texts").format(count=MOST_PARTS))


def _check_picture(source: str) -> None:
    start = _PICTURE.match(source)
    if start is None:
        kinds = said("a picture is given as data:image/png;base64,… or data:image/jpeg;base64,…")
        raise TemplateError(kinds)
    try:
        content = base64.b64decode("".join(source[start.end() :].split()), validate=True)
    except (binascii.Error, ValueError):
        raise TemplateError(said("a picture's content is not base64")) from None
    if len(content) > LARGEST_PICTURE:
        sentence = said("a picture of {octets} octets; at most {most}")
        raise TemplateError(sentence.format(octets=len(content), most=LARGEST_PICTURE))


def fill(root: Element, values: Mapping[str, str]) -> None:
    """Puts the fields' ``values`` into the page ``root``, and removes elements whose fields are all empty."""
    _leave_out(root, values)
    for element in list(root.iter()):
        if element.tag in ("script", "style"):
            continue
        if element.tag == "img":
            _size_picture(element)
        for child in list(element):
            if child.tail:
                _put(element, child, child.tail, values)
        if element.text:
            _put(element, None, element.text, values)


def _leave_out(root: Element, values: Mapping[str, str]) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            alone = child.tag in _LEFT_OUT_ALONE and not any(inner.tag in _BLOCKS for inner in child)
            if child.tag in _LEFT_OUT or alone:
                there = list(named("".join(child.itertext())))
                if there and not any(values[name] for name in there):
                    _remove(parent, child)


def named(text: str) -> Iterator[str]:
    """The fields that ``text`` names, in order, with repetitions."""
    yield from (found[1] for found in _FIELD.finditer(text))


def _remove(parent: Element, child: Element) -> None:
    """Removes ``child``; the text behind it stays."""
    at = list(parent).index(child)
    tail = child.tail or ""
    parent.remove(child)
    if at:
        parent[at - 1].tail = (parent[at - 1].tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail


def _put(parent: Element, after: Element | None, text: str, values: Mapping[str, str]) -> None:
    """Replaces the fields of ``text``, which stands in ``parent`` behind its child ``after``."""
    if "{{" not in text:
        return
    at = 0 if after is None else list(parent).index(after) + 1
    pieces = _FIELD.split(text)
    plain, fields = pieces[0::2], pieces[1::2]
    if after is None:
        parent.text = plain[0]
    else:
        after.tail = plain[0]
    for offset, (name, behind) in enumerate(zip(fields, plain[1:], strict=True)):
        span = _value(values[name])
        span.tail = behind
        parent.insert(at + offset, span)


def _value(value: str) -> Element:
    """A field's value as an element; it keeps line breaks and lines from right to left."""
    span = Element("span", {"class": "field", "style": "white-space: pre-wrap"})
    lines = value.split("\n")
    if len(lines) == 1 or not any(map(right_to_left, lines)):
        span.text = value
        return span
    for line in lines:
        block = SubElement(span, "div", {"dir": "rtl" if right_to_left(line) else "ltr"})
        block.text = line or " "
    return span


def _size_picture(picture: Element) -> None:
    found = _NUMBER.fullmatch(picture.attrib.pop("width", ""))
    width = (float(found[1]) if found else 0.0) or _DEFAULT_PICTURE_MM
    said = picture.get("style", "")
    if "width" not in said:
        picture.set("style", f"width: {min(width, _WIDEST_PICTURE_MM):g}mm; {said}")
