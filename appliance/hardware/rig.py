"""What a run may test, the person who helps, and the error of a broken part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from appliance.settings.store import SettingsStore


class BrokenError(Exception):
    """A part does not work: a sentence, and advice."""

    def __init__(self, sentence: str, advice: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.advice = advice


class BoxInterface(Protocol):
    """The REST interface of the box that runs."""

    def get(self, path: str) -> Any:
        """The JSON that the box answers a GET with."""

    def read(self, path: str) -> bytes:
        """The octets that the box answers a GET with."""

    def post(self, path: str, content: dict[str, Any]) -> Any:
        """The JSON that the box answers a POST of ``content`` with."""


class Person(Protocol):
    """The person at the box.  ``thing`` names the lamp, button or part that a question is about."""

    def sees(self, question: str, thing: str) -> bool:
        """The person's answer to a yes-or-no question."""

    def does(self, request: str, thing: str) -> None:
        """Asks the person to do something now, and does not wait."""

    def reads(self, question: str, thing: str) -> str:
        """What the person reads on the box and types in."""


class AtTerminal:
    """The person at the keyboard."""

    def sees(self, question: str, thing: str) -> bool:
        return input(f"{question} [y/n] ").strip().lower().startswith(("y", "j"))

    def does(self, request: str, thing: str) -> None:
        print(request, flush=True)

    def reads(self, question: str, thing: str) -> str:
        return input(f"{question} ").strip()


@dataclass(frozen=True)
class Rig:
    """A box and what a run may do with it.

    ``box`` is None where none runs.  ``jig``: pins of the panel, each with the spare pin that a wire joins it
    to.  ``numbers``: lines by name, each with the number under which it is called.  ``machine`` is /, or a
    folder like it.
    """

    data: Path
    store: SettingsStore
    box: BoxInterface | None = None
    person: Person | None = None
    jig: Mapping[int, int] = field(default_factory=dict)
    numbers: Mapping[str, str] = field(default_factory=dict)
    machine: Path = Path("/")
    fax_to: str = ""  # number of a fax machine whose owner expects a page over each trunk
    load_to: str = "9990"
    load_s: float = 3600.0
    heat_s: float = 300.0
    printers: tuple[str, ...] = ()
    power_cut: bool = False  # the person is going to pull the plug
    watchdog: bool = False  # the box may be made to hang, to check that systemd restarts it
    # Time for that:  WatchdogSec=120 in the unit, a stop of 60 s at most, and a slow start.
    watchdog_s: float = 400.0
