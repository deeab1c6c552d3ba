"""A run of the panel's part on simulated pins."""

from __future__ import annotations

from pathlib import Path

import gpiozero
from gpiozero.pins.mock import MockConnectedPin, MockFactory

from appliance.configuration import open_settings
from appliance.hardware.rig import Rig
from appliance.panel.board import button_pins, lamp_pins
from appliance.panel.buttons import Button
from appliance.panel.lamps import LineLamp
from appliance.panel.settings import PanelSettings
from tests.hardware.forked import tested

SETTINGS = PanelSettings()
LAMPS = {
    f"line {lamp.line + 1}" if isinstance(lamp, LineLamp) else lamp.name.lower(): pin
    for lamp, pin in lamp_pins(SETTINGS).items()
}
BUTTONS = button_pins(SETTINGS)
SPARE = (7, 8, 9, 10, 11, 12, 16, 18, 20, 21)
JIG = dict(zip((*LAMPS.values(), *BUTTONS.values()), SPARE, strict=True))


class DrawnPanel:
    """A person before a panel that is drawn from the simulated pins."""

    def __init__(self, factory: MockFactory, broken: int | None) -> None:
        self._factory = factory
        self._broken = broken

    def sees(self, question: str, thing: str) -> bool:
        pin = LAMPS[thing]
        drawn = bool(self._factory.pin(pin).state) and pin != self._broken
        return drawn is ("lit" in question)

    def does(self, request: str, thing: str) -> None:
        pin = BUTTONS[Button(thing)]
        if pin != self._broken:
            self._factory.pin(pin).drive_low()
            self._factory.pin(pin).drive_high()

    def reads(self, question: str, thing: str) -> str:
        raise AssertionError(question)


def wire(factory: MockFactory, broken: int | None) -> None:
    """Each lamp's level arrives at its spare pin, each spare pin's at its button."""
    for pin, spare in JIG.items():
        source, target = (spare, pin) if pin in BUTTONS.values() else (pin, spare)
        far = factory.pin(target)
        if pin != broken:
            factory.pin(source, pin_class=MockConnectedPin, input_pin=far)


def run(data: Path, out: Path, how: str, broken: int | None = None) -> int:
    """Tests the panel, in a process of its own; 0 when all of it works.

    ``how`` is ``wires`` (each pin is joined to a spare one) or ``person`` (somebody who looks at the drawn
    panel and presses).  ``broken`` is a pin that nothing is joined to, or that the person finds dead.
    """
    factory = gpiozero.Device.pin_factory = MockFactory()
    person = DrawnPanel(factory, broken) if how == "person" else None
    if how == "wires":
        wire(factory, broken)
    rig = Rig(data, open_settings(data), person=person, jig=JIG if how == "wires" else {})
    return tested(out, "panel", rig)
