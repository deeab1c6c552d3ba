"""Conditions of style sheets: ``@supports``, ``@container``, the features that ``@media`` asks for.  Pure.

WeasyPrint skips such rules.  A page may hide its words first and show them where a condition holds, so each
is decided here as a browser that prints decides it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import tinycss2

_WORTH_A_LOOK = re.compile(r"@(?:supports|container)\b|@media\b[^{;]{0,1000}(?:\(|\bnot\b)", re.IGNORECASE)
_CONDITION = re.compile(r"\(|\bnot\b", re.IGNORECASE)
# Characters of the longest style sheet that is examined, and rules within rules.
_LONGEST, _DEEPEST = 500_000, 8
# The sheet within its margins, in pixels of CSS (A4).
_SIDES = {"width": 718.0, "height": 1047.0, "inline-size": 718.0, "block-size": 1047.0}
_PIXELS = {"px": 1.0, "em": 16.0, "rem": 16.0, "pt": 96 / 72, "in": 96.0, "cm": 96 / 2.54, "mm": 96 / 25.4}
# Other features (Media Queries 5) with the values that hold on paper; None: without a value.
_HOLD = {
    ("orientation", "portrait"),
    ("color", None),
    ("grid", "0"),
    ("scripting", "none"),
    ("update", "none"),
    ("overflow-block", "paged"),
    ("prefers-color-scheme", "light"),
    ("prefers-reduced-motion", "no-preference"),
    ("prefers-contrast", "no-preference"),
    ("forced-colors", "none"),
    ("inverted-colors", "none"),
}
_COMPARED: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
    "=": operator.eq,
}
_OTHER_MEDIUM = {"print": ["screen"], "screen": ["print"], "all": []}
_NOWHERE = "nowhere"  # a medium that no page is laid out for

_Leaf = Callable[[Sequence[Any]], bool]


def decided(sheet: str, depth: int = 0) -> str:
    """``sheet`` with the rules of conditions that hold in place of the conditions, and without the others."""
    if not _WORTH_A_LOOK.search(sheet) or len(sheet) > _LONGEST or depth > _DEEPEST:
        return sheet
    try:
        return "".join(_rule(each, depth) for each in tinycss2.parse_stylesheet(sheet))
    except RecursionError:  # no page needs brackets that deep
        return sheet


def media_of(query: str) -> str:
    """The media, separated by commas, for which ``query`` holds."""
    if not _CONDITION.search(query):
        return query
    return ", ".join(_media(tinycss2.parse_component_value_list(query))) or _NOWHERE


def _rule(rule: Any, depth: int) -> str:
    if rule.type == "error":  # as a ";" behind the last rule: browsers ignore it
        return ""
    if rule.type != "at-rule" or rule.content is None:
        return str(rule.serialize())
    inner = decided(tinycss2.serialize(rule.content), depth + 1)
    match rule.lower_at_keyword:
        case "supports":
            return inner if _holds(rule.prelude, _is_known) else ""
        case "container":
            return inner if _holds(_behind_name(rule.prelude), _is_so) else ""
        case "media":
            return f"@media {media_of(tinycss2.serialize(rule.prelude))}{{{inner}}}"
        case "layer":
            return f"@layer{tinycss2.serialize(rule.prelude)}{{{inner}}}"
    return str(rule.serialize())


def _seen(tokens: Sequence[Any]) -> list[Any]:
    return [token for token in tokens if token.type not in {"whitespace", "comment"}]


def _word(token: Any) -> str:
    return str(token.lower_value) if token.type == "ident" else ""


def _behind_name(tokens: Sequence[Any]) -> list[Any]:
    seen = _seen(tokens)
    return seen[1:] if seen and _word(seen[0]) not in {"", "not"} else seen


def _media(tokens: Sequence[Any]) -> list[str]:
    found: dict[str, None] = {}
    for comma, part in groupby(_seen(tokens), lambda token: token == ","):
        query = list(part)
        if comma:
            continue
        negated = len(query) > 1 and _word(query[0]) == "not" and _word(query[1]) != ""
        if negated or _word(query[0]) == "only":
            query = query[1:]
        named = bool(query) and _word(query[0]) not in {"", "not"}
        medium, features = (_word(query[0]), query[1:]) if named else ("all", query)
        holds = not features or _holds(features[1:] if _word(features[0]) == "and" else features, _is_so)
        if negated:
            found.update(dict.fromkeys(_OTHER_MEDIUM.get(medium, ["all"]) if holds else ["all"]))
        elif holds:
            found[medium] = None
    return list(found)


def _holds(tokens: Sequence[Any], leaf: _Leaf) -> bool:
    """Whether a condition of terms with ``not``, ``and`` and ``or`` holds (Conditional Rules 5, 2)."""
    seen = _seen(tokens)
    if seen and _word(seen[0]) == "not":
        return not _holds(seen[1:], leaf)
    terms = [_term(token, leaf) for token in seen if token.type in {"() block", "function"}]
    return any(terms) if any(_word(token) == "or" for token in seen) else bool(terms) and all(terms)


def _term(token: Any, leaf: _Leaf) -> bool:
    if token.type == "function":
        return leaf is _is_known
    within = _seen(token.content)
    nested = within and (within[0].type in {"() block", "function"} or _word(within[0]) == "not")
    return _holds(within, leaf) if nested else leaf(within)


def _is_known(_: Sequence[Any]) -> bool:
    """Whether a browser knows a property with a value: what pages ask for, it knows."""
    return True


def _is_so(tokens: Sequence[Any]) -> bool:
    """Whether a feature of the medium, or of what is around a part of the page, is as it says."""
    name, _, value = tinycss2.serialize(tokens).lower().partition(":")
    side = _SIDES.get(re.sub(r"^(?:min|max)-(?:device-)?", "", name.strip()))
    if value and side is not None:
        length = _length(_seen(tinycss2.parse_component_value_list(value)))
        if length is None:
            return False
        return side >= length if "min-" in name else side <= length if "max-" in name else side == length
    return (
        _is_between(tokens)
        if not value and len(tokens) > 1
        else (name.strip(), value.strip() or None) in _HOLD
    )


def _is_between(tokens: Sequence[Any]) -> bool:
    """Whether ``width > 30em``, ``10px <= width < 90px`` and the like hold."""
    sides: list[float | None] = []
    signs: list[str] = []
    for is_sign, part in groupby(tokens, lambda token: token.type == "literal"):
        pieces = list(part)
        if is_sign:
            signs.append("".join(str(piece.value) for piece in pieces))
        else:
            sides.append(_SIDES.get(_word(pieces[0])) if _word(pieces[0]) else _length(pieces))
    pairs = zip(sides, signs, sides[1:], strict=False)
    return bool(signs) and all(
        one is not None and other is not None and sign in _COMPARED and _COMPARED[sign](one, other)
        for one, sign, other in pairs
    )


def _length(tokens: Sequence[Any]) -> float | None:
    match tokens:
        case [token] if token.type == "dimension" and token.lower_unit in _PIXELS:
            return float(token.value) * _PIXELS[token.lower_unit]
        case [token] if token.type == "number" and not token.value:
            return 0.0
    return None
