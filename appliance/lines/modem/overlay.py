"""The owner's changes to the table of quirks for one modem, written as words: ``training_ms=400``.

A word has a field of ``Quirks`` and its value: ``yes`` or ``no``, a number, a word of an enum
(``quiet_before=+FTS``, ``flow=none``), or with commas several carriers (``send=V29_9600,V29_7200``) or
commands (``flow_commands=&K3,\\Q3``).
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Sequence
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
    hint = _HINTS[name]
    if hint is bool:
        if text not in ("yes", "no"):
            raise ValueError(f"{name}: " + said("yes or no is needed"))
        return text == "yes"
    if hint is int:
        written = text.isascii() and text.isdecimal() and len(text) <= len(str(max(SPEEDS)))
        number = int(text) if written else -1
        allowed = _ALLOWED.get(name, range(MOST + 1))
        if number not in allowed:
            sentence = (
                said("a whole number from 0 to {most} is needed").format(most=MOST)
                if isinstance(allowed, range)
                else one_of(map(str, allowed))
            )
            raise ValueError(f"{name}: {sentence}")
        return number
    if isinstance(hint, type) and issubclass(hint, Enum):
        known = {str(each.value): each for each in hint if each is not FlowControl.AUTO}
        if text not in known:
            raise ValueError(f"{name}: {one_of(known)}")
        return known[text]
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if name in ("send", "receive"):
        carriers = {carrier.name: carrier for carrier in Carrier if carrier is not Carrier.V21}
        unknown = [part for part in parts if part not in carriers]
        if unknown or not parts:
            some = said("some of {choices} are needed").format(choices=", ".join(carriers))
            raise ValueError(f"{name}: {some}")
        return frozenset(carriers[part] for part in parts)
    if any(len(part) > COMMAND_LIMIT or not part.isascii() or not part.isprintable() for part in parts):
        raise ValueError(f"{name}: " + said("commands such as &K3 are needed"))
    return tuple(parts)
