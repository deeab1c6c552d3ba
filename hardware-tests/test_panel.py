"""The front panel: a person looks and presses, or wires join each pin to a spare one (--jig)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from queue import Empty, Queue

import gpiozero
import pytest

from appliance.hardware.rig import BrokenError, Rig
from appliance.hardware.suite import RIG, parametrize
from appliance.panel.board import Board, BoardError, button_pins, lamp_pins
from appliance.panel.buttons import Button
from appliance.panel.lamps import AnyLamp, LineLamp
from appliance.panel.settings import PanelSettings

# Seconds that a person has to find the button.
PRESS_LIMIT_S = 30.0
# Seconds within which a level reaches the other end of a wire.
WIRE_S = 0.1
_CABLE = "Look at its wires, its resistor and its pin (faxbox panel --wiring)."


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    settings = metafunc.config.stash[RIG].store.section(PanelSettings)
    if "lamp" in metafunc.fixturenames:
        lamps = lamp_pins(settings)
        parametrize(metafunc, "lamp", list(lamps), [_name(lamp) for lamp in lamps], none="no lamp is wired")
    if "button" in metafunc.fixturenames:
        buttons = button_pins(settings)
        names = [button.value for button in buttons]
        parametrize(metafunc, "button", list(buttons), names, none="no button is wired")


@pytest.fixture
def pressed() -> Queue[Button]:
    return Queue()


@pytest.fixture
def board(rig: Rig, pressed: Queue[Button]) -> Iterator[Board]:
    if gpiozero.Device.pin_factory is None and not list(rig.machine.glob("dev/gpiochip*")):
        pytest.skip("this machine has no pins for a front panel")

    def heard(button: Button, down: bool) -> None:
        if down:
            pressed.put(button)

    try:
        made = Board(rig.store.section(PanelSettings), heard)
    except BoardError as error:
        raise BrokenError(
            f"The panel's pins cannot be used: {error}.",
            "Stop the panel for the test (systemctl stop faxbox-panel), and run this as the user faxbox.",
        ) from error
    yield made
    made.close()


def test_lamp(rig: Rig, board: Board, lamp: AnyLamp) -> None:
    """The lamp switches on and off."""
    settings = rig.store.section(PanelSettings)
    pin = lamp_pins(settings)[lamp]
    for lit in (True, False):
        board.show({lamp: lit}, sounds=False)
        if pin in rig.jig:
            with gpiozero.DigitalInputDevice(rig.jig[pin], pull_up=None, active_state=True) as spare:
                good = _becomes(lambda: bool(spare.value), lit is settings.leds_active_high)
        elif rig.person is not None:
            good = rig.person.sees(
                f"Is the lamp “{_name(lamp)}” {'lit' if lit else 'dark'} now?", _name(lamp)
            )
        else:
            pytest.skip("nobody is here to look (--person), and no wire joins it to a spare pin (--jig)")
        if not good:
            raise BrokenError(
                f"The lamp “{_name(lamp)}” is not {'lit' if lit else 'dark'} when it must be.", _CABLE
            )


def test_button(rig: Rig, board: Board, pressed: Queue[Button], button: Button) -> None:
    """A press of the button is detected, and no other button with it."""
    settings = rig.store.section(PanelSettings)
    pin = button_pins(settings)[button]
    while not pressed.empty():
        raise BrokenError(f"The button “{pressed.get().value}” is down though nobody presses it.", _CABLE)
    if pin in rig.jig:
        with gpiozero.DigitalOutputDevice(rig.jig[pin], initial_value=settings.buttons_pull_up) as spare:
            spare.value = not settings.buttons_pull_up
            found = _next(pressed, WIRE_S * 10)
            spare.value = settings.buttons_pull_up
    elif rig.person is not None:
        rig.person.does(f"Press the button “{button.value}” once.", button.value)
        found = _next(pressed, PRESS_LIMIT_S)
    else:
        pytest.skip("nobody is here to press (--person), and no wire joins it to a spare pin (--jig)")
    if found is None:
        raise BrokenError(f"A press of the button “{button.value}” is not felt.", _CABLE)
    if found is not button:
        raise BrokenError(f"“{found.value}” was felt instead of “{button.value}”: pins are mixed up.", _CABLE)


def _name(lamp: AnyLamp) -> str:
    return f"line {lamp.line + 1}" if isinstance(lamp, LineLamp) else lamp.name.lower()


def _becomes(look: Callable[[], bool], wanted: bool) -> bool:
    end = time.monotonic() + WIRE_S
    while (found := look()) is not wanted and time.monotonic() < end:
        time.sleep(WIRE_S / 20)
    return found is wanted


def _next(pressed: Queue[Button], limit_s: float) -> Button | None:
    try:
        return pressed.get(timeout=limit_s)
    except Empty:
        return None
