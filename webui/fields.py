"""Forms made from the descriptions of settings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from appliance.language import said as _
from appliance.settings.fields import TEXT_LIMIT, FieldDescription, as_sentence
from webui.choice_words import choice_word
from webui.settings_words import label_of


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values to choose from."""

    value: str
    word: str
    on: bool


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of a form.  ``kind``: flag, choice, choices, number, list, lines (a long text), secret, text.

    ``usual`` is the default in words, ``changed`` whether the value differs from it; ``reset`` is the default
    as JSON data, for the button that restores it.
    """

    name: str
    kind: str
    label: str
    help: str
    value: str
    on: bool
    choices: list[Choice]
    required: bool
    optional: bool  # null when empty
    numbers: bool  # a list of numbers
    minimum: float | None
    maximum: float | None
    max_length: int
    usual: str
    changed: bool
    reset: Any


Options = Mapping[str, Callable[[], list[tuple[str, str]]]]


def form_fields(
    described: Iterable[FieldDescription],
    values: Mapping[str, Any],
    *,
    without: Collection[str] = (),
    options: Options | None = None,
) -> list[FormField]:
    """The fields with these values.  ``options``: values of fields that are chosen from a list of the box."""
    return [
        _field(each, values.get(each.name, each.default), options or {})
        for each in described
        if each.name not in without
    ]


def _field(described: FieldDescription, value: Any, options: Options) -> FormField:
    word = described.type.removesuffix(" or none")
    listed = word.startswith("list of ")
    choices = [(value, choice_word(described.name, value)) for value in described.choices]
    if described.name in options:
        choices = options[described.name]()
    kind = "text"
    if choices:
        kind = "choices" if listed else "choice"
    elif listed:
        kind = "list"
    elif word == "yes or no":
        kind = "flag"
    elif word in ("whole number", "number"):
        kind = "number"
    elif described.secret:
        kind = "secret"
    elif described.max_length > TEXT_LIMIT or described.name == "notes":
        kind = "lines"
    chosen = set(value or ()) if listed else {value}
    return FormField(
        name=described.name,
        kind=kind,
        label=_(label_of(described.name)),
        help=_(as_sentence(described.help)),
        value=_text(value),
        on=value is True,
        choices=[Choice(each, text or "–", each in chosen) for each, text in choices],
        required=described.required,
        optional=described.type.endswith(" or none"),
        numbers=listed and word.removeprefix("list of ") in ("whole number", "number"),
        minimum=described.minimum,
        maximum=described.maximum,
        max_length=described.max_length,
        usual=_usual(described.name, described.default),
        changed=not described.required and value != described.default,
        reset=described.default,
    )


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "\n".join(_text(entry) for entry in value)
    if isinstance(value, float):
        return f"{value:g}"
    return "" if value is None else str(value)


def _usual(name: str, default: Any) -> str:
    if isinstance(default, bool):
        return _("yes") if default else _("no")
    if default in ("", None, [], ()):
        return _("empty")
    if isinstance(default, list | tuple):
        return ", ".join(choice_word(name, _text(entry)) for entry in default)
    return choice_word(name, _text(default))
