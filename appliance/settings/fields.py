"""Typed, documented documents: a frozen dataclass declares the content of a settings document.

Each field is made with ``setting(default, "what it means", …)``.  From that one description come the
checks (type, bounds, unknown keys), the text forms of the command line, the masking of secrets and
the reference in the documentation.

A kind with several shapes (a line: a SIP trunk, a modem) is a base class and its ``variant``s; the key
``type`` of a document selects one.

Types: bool, int, float, str, an Enum of strings, any of these or None, and ``tuple[X, ...]``.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from enum import Enum
from typing import Any, TypeVar

from appliance.language import one_line, said
from appliance.url_passwords import MASK, masked, unmasked

D = TypeVar("D")

# A text without control characters: in an e-mail header or a command they would begin another line.
ONE_LINE_PATTERN = r"[^\x00-\x1f\x7f]*"
# A name that is used in paths, scopes and reports.
NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._@ -]{0,63}"
TYPE_KEY = "type"  # of a document: which variant it is
# Longest text of a field that names no limit of its own, characters.
TEXT_LIMIT = 4000
# Longest list of a field.
LIST_LIMIT = 1000


class SettingError(ValueError):
    """The user's mistake in a settings document: ``path`` names the field, ``problem`` is a sentence."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


@dataclass(frozen=True, slots=True)
class _Rule:
    help: str
    secret: bool
    url: bool
    minimum: float | None
    maximum: float | None
    max_length: int
    lines: bool
    pattern: re.Pattern[str] | None
    check: Callable[[Any], str | None] | None


@dataclass(frozen=True, slots=True)
class FieldDescription:
    """One field for people: documentation, forms, JSON schema."""

    name: str
    type: str  # "text", "whole number", "number", "yes or no", "one of …", "list of …"
    default: Any
    help: str
    secret: bool
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...]
    required: bool
    max_length: int  # of a text, characters
    pattern: str  # the whole of a text has this form; empty: any


def setting(
    default: Any = MISSING,
    help: str = "",
    *,
    secret: bool = False,
    url: bool = False,
    minimum: float | None = None,
    maximum: float | None = None,
    max_length: int = TEXT_LIMIT,
    lines: bool = False,
    pattern: str | None = None,
    check: Callable[[Any], str | None] | None = None,
) -> Any:
    """A field of a settings document; without ``default`` it is required.

    ``minimum`` and ``maximum`` bound numbers (each, in a list), ``max_length`` and ``pattern`` texts, which
    are made one line unless they may have several ``lines``;
    ``check`` gets the value and returns what is wrong with it, or None.  ``secret``: the value is never
    shown; ``url``: a password within it is never shown.
    """
    form = re.compile(pattern) if pattern else None
    rule = _Rule(help, secret, url, minimum, maximum, max_length, lines or secret, form, check)
    if default is MISSING:
        return field(metadata={"rule": rule}, repr=not secret)
    return field(default=default, metadata={"rule": rule}, repr=not secret)


_VARIANTS: dict[type[Any], dict[str, type[Any]]] = {}  # of a base class, by their word
_WORDS: dict[type[Any], tuple[type[Any], str]] = {}  # of a variant: its base class and its word


def variant(base: type[Any], word: str) -> Callable[[type[D]], type[D]]:
    """Registers a subclass of ``base`` for documents whose ``type`` is ``word``."""

    def register(kind: type[D]) -> type[D]:
        _VARIANTS.setdefault(base, {})[word] = kind
        _WORDS[kind] = (base, word)
        return kind

    return register


def variants(kind: type[Any]) -> Mapping[str, type[Any]]:
    """The variants of ``kind`` by their word; empty for a kind with one shape."""
    return _VARIANTS.get(kind, {})


def from_document(kind: type[D], document: Mapping[str, Any], where: str, old: D | None = None) -> D:
    """Makes ``kind``, or the variant of it that ``document`` names, from JSON data.

    ``where`` names it in errors.  A masked secret, or password of a URL, takes its value from ``old``.  A
    setting of another variant is ignored when it has its default.  Raises SettingError for an unknown or
    missing key, a wrong type, or a value out of bounds.
    """
    kind = _shape(kind, document, where)
    hints = typing.get_type_hints(kind)
    known = {f.name: f for f in _fields(kind)}
    for name in document:
        if problem := problem_with_key(kind, name, document[name]):
            raise SettingError(f"{where}.{name}", problem)
    values: dict[str, Any] = {}
    for name, described in known.items():
        path = f"{where}.{name}"
        if name not in document:
            if described.default is MISSING:
                raise SettingError(path, said("this is required"))
            continue
        value = document[name]
        if _rule(described).secret and value == MASK:
            values[name] = getattr(old, name) if old is not None else described.default
            continue
        values[name] = _checked(hints[name], value, _rule(described), path)
        if _rule(described).url:
            try:
                values[name] = unmasked(values[name], getattr(old, name, ""))
            except ValueError as error:
                raise SettingError(path, str(error)) from None
    return kind(**values)


def from_file(kind: type[D], document: Mapping[str, Any], where: str) -> tuple[D, dict[str, Any]]:
    """``from_document`` for the content of a file; also returns the keys that ``kind`` does not have.

    A later or an earlier version may have written those.
    """
    shape = _shape(kind, document, where)
    inactive = {name: value for name, value in document.items() if problem_with_key(shape, name, value)}
    known = {name: value for name, value in document.items() if name not in inactive}
    return from_document(kind, known, where), inactive


def to_document(item: Any, *, mask: bool = False, sparse: bool = False) -> dict[str, Any]:
    """The inverse of ``from_document``; with ``mask``, secrets that are set become ``MASK``.

    With ``sparse``, defaults are left out.
    """
    kind = type(item)
    document: dict[str, Any] = {TYPE_KEY: _WORDS[kind][1]} if kind in _WORDS else {}
    for described in _fields(kind):
        value = getattr(item, described.name)
        if sparse and value == described.default:
            continue
        if mask and _rule(described).secret and value:
            value = MASK
        elif mask and _rule(described).url:
            value = masked(value)
        document[described.name] = _plain(value)
    return document


def from_text(kind: type[Any], name: str, text: str, where: str) -> Any:
    """A field's value, as JSON data, from the command line.

    Lists are written with commas, None as ``none`` where it is allowed.  Raises SettingError.
    """
    described = {f.name: f for f in _fields(kind)}.get(name)
    path = f"{where}.{name}"
    if described is None:
        raise SettingError(path, _unknown(kind, name))
    hint = typing.get_type_hints(kind)[name]
    return _plain(_checked(hint, _parse(hint, text, path), _rule(described), path))


def describe(kind: type[Any]) -> list[FieldDescription]:
    """The fields of a document kind, in order."""
    hints = typing.get_type_hints(kind)
    described = []
    for f in _fields(kind):
        rule = _rule(f)
        word, choices = _type_word(hints[f.name])
        described.append(
            FieldDescription(
                f.name,
                word,
                None if f.default is MISSING else _plain(f.default),
                rule.help,
                rule.secret,
                rule.minimum,
                rule.maximum,
                choices,
                f.default is MISSING,
                rule.max_length,
                rule.pattern.pattern if rule.pattern else "",
            )
        )
    return described


def as_sentence(help: str) -> str:
    """A field's help with a capital and a full stop, as in the translation catalogues."""
    return help[:1].upper() + help[1:] + ("" if not help or help.endswith((".", ":")) else ".")


def no_such(sentence: str, name: str, known: Iterable[str]) -> str:
    """``sentence`` about a name that does not exist, with the most similar one, if any."""
    import difflib  # noqa: PLC0415 (for a mistake alone)

    near = difflib.get_close_matches(name, known, 1)
    return sentence + (said("; did you mean {name}?").format(name=near[0]) if near else "")


def one_of(choices: Iterable[str]) -> str:
    """The message for a value that is none of ``choices``."""
    return said("one of {choices} is needed").format(choices=", ".join(choices))


def _type_needed(hint: Any) -> str:
    if hint is bool:
        return said("yes or no is needed")
    if hint is int:
        return said("a whole number is needed")
    return said("a number is needed") if hint is float else said("a text is needed")


def _shape(kind: type[D], document: Mapping[str, Any], where: str) -> type[D]:
    """``kind`` itself, or the variant that the document names."""
    shapes = variants(kind) or variants(_WORDS[kind][0] if kind in _WORDS else kind)
    if not shapes:
        return kind
    if kind in _WORDS and TYPE_KEY not in document:
        return kind
    word = document.get(TYPE_KEY)
    shape = shapes.get(word) if isinstance(word, str) else None
    path = f"{where}.{TYPE_KEY}"
    if shape is None:
        raise SettingError(path, one_of(shapes) if word else said("this is required"))
    if not issubclass(shape, kind):
        stays = said("it stays {kind}; add another instead").format(kind=_WORDS[kind][1])
        raise SettingError(path, stays)
    return shape


def problem_with_key(kind: type[Any], name: str, value: Any) -> str:
    """What is wrong with a key of a document of ``kind``; empty for a known one, or an ignored one."""
    base, word = _WORDS.get(kind, (kind, ""))
    if any(described.name == name for described in _fields(kind)) or (word and name == TYPE_KEY):
        return ""
    for other, shape in variants(base).items():
        for described in _fields(shape):
            if described.name == name:
                nothing = "" if described.default is MISSING else _plain(described.default)
                if value == nothing:
                    return ""
                sentence = said("a setting of type {other}, and this is of type {word}")
                return sentence.format(other=other, word=word)
    return _unknown(kind, name)


def _unknown(kind: type[Any], name: str) -> str:
    return no_such(said("there is no such setting"), name, [f.name for f in _fields(kind)])


def _fields(kind: type[Any]) -> Iterator[Field[Any]]:
    return (f for f in fields(kind) if "rule" in f.metadata)


def _rule(described: Field[Any]) -> _Rule:
    rule: _Rule = described.metadata["rule"]
    return rule


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return value


def _unwrap(hint: Any) -> tuple[Any, bool]:
    """The type without None, and whether None was allowed."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        rest = [part for part in typing.get_args(hint) if part is not type(None)]
        return rest[0], True
    return hint, False


def _type_word(hint: Any) -> tuple[str, tuple[str, ...]]:
    hint, optional = _unwrap(hint)
    if typing.get_origin(hint) is tuple:
        word, choices = _type_word(typing.get_args(hint)[0])
        return f"list of {word}", choices
    if issubclass(hint, Enum):
        word, choices = "choice", tuple(str(member.value) for member in hint)
    else:
        words = {bool: "yes or no", int: "whole number", float: "number", str: "text"}
        word, choices = words[hint], ()
    return (f"{word} or none" if optional else word), choices


def _checked(hint: Any, value: Any, rule: _Rule, path: str) -> Any:
    hint, optional = _unwrap(hint)
    if value is None:
        if optional:
            return None
        raise SettingError(path, said("a value is needed"))
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            raise SettingError(path, said("a list is needed"))
        if len(value) > LIST_LIMIT:
            raise SettingError(path, said("at most {count} entries").format(count=LIST_LIMIT))
        entry_hint = typing.get_args(hint)[0]
        entry_rule = replace(rule, check=None)  # the check is for the list as a whole
        made: Any = tuple(
            _checked(entry_hint, entry, entry_rule, f"{path}[{number}]") for number, entry in enumerate(value)
        )
    else:
        made = _checked_one(hint, value, rule, path)
    problem = rule.check(made) if rule.check is not None else None
    if problem:
        raise SettingError(path, problem)
    return made


def _checked_one(hint: Any, value: Any, rule: _Rule, path: str) -> Any:
    if issubclass(hint, Enum):
        try:
            return value if isinstance(value, hint) else hint(value)
        except ValueError:
            raise SettingError(path, one_of(str(member.value) for member in hint)) from None
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not hint:
        raise SettingError(path, _type_needed(hint))
    if isinstance(value, int | float) and not isinstance(value, bool):
        if rule.minimum is not None and not value >= rule.minimum:
            raise SettingError(path, said("at least {number}").format(number=f"{rule.minimum:g}"))
        if rule.maximum is not None and not value <= rule.maximum:
            raise SettingError(path, said("at most {number}").format(number=f"{rule.maximum:g}"))
    if isinstance(value, str):
        if len(value) > rule.max_length:
            raise SettingError(path, said("at most {count} characters").format(count=rule.max_length))
        if "\0" in value:
            raise SettingError(path, said("a NUL character cannot be part of it"))
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            raise SettingError(path, said("half a surrogate pair cannot be part of it"))
        if rule.pattern is not None and not rule.pattern.fullmatch(value):
            form = said("{value} does not have the form that is needed: {help}")
            raise SettingError(path, form.format(value=repr(value), help=said(as_sentence(rule.help))))
        if not rule.lines and not value.isprintable():
            return one_line(value)
    return value


_FLAGS = dict.fromkeys(("yes", "true", "on", "1"), True) | dict.fromkeys(("no", "false", "off", "0"), False)


def _parse(hint: Any, text: str, path: str) -> Any:
    hint, optional = _unwrap(hint)
    if optional and text.lower() == "none":
        return None
    if typing.get_origin(hint) is tuple:
        entry = typing.get_args(hint)[0]
        return [_parse(entry, part.strip(), path) for part in text.split(",")] if text.strip() else []
    if hint not in (bool, int, float):
        return text
    try:
        return _FLAGS[text.lower()] if hint is bool else hint(text)
    except (KeyError, ValueError):
        raise SettingError(path, _type_needed(hint)) from None
