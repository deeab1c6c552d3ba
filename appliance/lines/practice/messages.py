"""The messages between the box and the process of the practice machines: lines of JSON over its pipes."""

from __future__ import annotations

import dataclasses
import functools
import json
import types
from enum import Enum, IntFlag
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from appliance.lines.practice.machine import MachineResult, MachineSettings
from appliance.lines.practice.network import Impairment

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class OpenCall:
    """Box to process: a machine takes (or places) a call.

    ``peer`` is where the box listens when the machine calls; an answering machine waits for the
    first packet.  With ``stepped`` its time advances only by ``Step``.  The answer is ``MachineOpened``,
    later ``MachineEnded``.
    """

    call: int
    settings: MachineSettings
    to_machine: Impairment
    from_machine: Impairment
    stepped: bool
    peer_host: str = ""
    peer_port: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Bye:
    """Box to process: the box has hung up this call.  ``MachineEnded`` follows."""

    call: int


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """Box to process: ``seconds`` pass for these calls.  The answer is ``Stepped``."""

    calls: tuple[int, ...]
    seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class Stepped:
    """Process to box: the seconds of a ``Step`` have passed."""


@dataclasses.dataclass(frozen=True, slots=True)
class MachineOpened:
    """Process to box: the machine listens here."""

    call: int
    port: int


@dataclasses.dataclass(frozen=True, slots=True)
class MachineEnded:
    """Process to box: the machine has hung up, or could not start (``trouble`` says why)."""

    call: int
    result: MachineResult | None
    trouble: str = ""


Message = OpenCall | Bye | Step | MachineOpened | Stepped | MachineEnded
_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in get_args(Message)}


def to_line(message: Message) -> bytes:
    """One line of JSON with its newline."""
    body = {"kind": type(message).__name__, "body": _plain(message)}
    return json.dumps(body, separators=(",", ":")).encode() + b"\n"


def from_line(line: bytes) -> Message:
    """The message of a line.  Raises ValueError, KeyError or TypeError: a bug on the other side."""
    outer = json.loads(line)
    message: Message = _typed(_KINDS[outer["kind"]], outer["body"])
    return message


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, IntFlag):
        return int(value)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _typed(kind: Any, value: Any) -> Any:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        return _typed(next(each for each in get_args(kind) if each is not type(None)), value)
    if origin is tuple:
        return tuple(_typed(get_args(kind)[0], each) for each in value)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = _hints(kind)
        return kind(**{name: _typed(hints[name], each) for name, each in value.items()})
    if isinstance(kind, type) and issubclass(kind, IntFlag):
        return kind(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind[value]
    if kind is Path:
        return Path(value)
    if kind is float:
        return float(value)
    return value
