"""The owner's changes to the table of quirks for one modem, written as words: ``training_ms=400``.

A word has a field of ``Quirks`` and its value: ``yes`` or ``no``, a number, a word of an enum
(``quiet_before=+FTS``, ``flow=none``), or with commas several carriers (``send=V29_9600,V29_7200``) or
commands (``flow_commands=&K3,\\Q3``).
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from enum import Enum
from typing import Any

from appliance.language import said
from appliance.lines.modem.quirks import FlowControl, Quirks
from appliance.settings.fields import one_of
from appliance.t30.dce import Carrier

# The longest silence or wait, ms, and the most tries; larger values are mistakes.
MOST = 5000
SPEEDS = (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)
_ALLOWED: dict[str, tuple[int, ...]] = {
    "speed": SPEEDS,
    "ecm_frame_octets": (64, 256),
    "fcs_octets": (0, 1, 2),
}
# V.250 5.2.1: a command line is printable characters; its longest here, as `port` takes them.
COMMAND_LIMIT = 40
_HINTS = typing.get_type_hints(Quirks)


def overlay(words: Sequence[str]) -> Callable[[Quirks], Quirks]:
    """A function that applies ``words`` to a row of the table.  Raises ValueError with a sentence."""
    changes: dict[str, Any] = {}
    for word in words:
        name, _, text = word.partition("=")
        if name not in _HINTS:
            sentence = said("there is no {name}; there are {names}")
            raise ValueError(sentence.format(name=repr(name), names=", ".join(sorted(_HINTS))))
        changes[name] = _value(name, text)
    return lambda quirks: replace(quirks, **changes)


def _value(name: str, text: str) -> Any:
    """The value of a field, from its text.  Raises ValueError with a sentence that names the field."""
    hint = _HINTS[name]
    try:
        if hint is bool:
            return _switch(text)
        if hint is int:
            return _number(text, _ALLOWED.get(name, range(MOST + 1)))
        if isinstance(hint, type) and issubclass(hint, Enum):
            return _member(text, hint)
        parts = [part.strip() for part in text.split(",") if part.strip()]
        return _carriers(parts) if name in ("send", "receive") else _commands(parts)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _switch(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError(said("yes or no is needed"))
    return text == "yes"


def _number(text: str, allowed: Collection[int]) -> int:
    written = text.isascii() and text.isdecimal() and len(text) <= len(str(max(SPEEDS)))
    number = int(text) if written else -1
    if number in allowed:
        return number
    if isinstance(allowed, range):
        raise ValueError(said("a whole number from 0 to {most} is needed").format(most=MOST))
    raise ValueError(one_of(map(str, allowed)))


def _member(text: str, choices: type[Enum]) -> Enum:
    known = {str(each.value): each for each in choices if each is not FlowControl.AUTO}
    if text not in known:
        raise ValueError(one_of(known))
    return known[text]


def _carriers(parts: Sequence[str]) -> frozenset[Carrier]:
    carriers = {carrier.name: carrier for carrier in Carrier if carrier is not Carrier.V21}
    if not parts or not carriers.keys() >= set(parts):
        raise ValueError(said("some of {choices} are needed").format(choices=", ".join(carriers)))
    return frozenset(carriers[part] for part in parts)


def _commands(parts: Sequence[str]) -> tuple[str, ...]:
    if any(len(part) > COMMAND_LIMIT or not part.isascii() or not part.isprintable() for part in parts):
        raise ValueError(said("commands such as &K3 are needed"))
    return tuple(parts)
