"""The pins on gpiozero's simulated board: lamps, buttons, a broken board."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory, MockPin

from appliance.panel.board import Board, BoardError, button_pins, lamp_pins
from appliance.panel.buttons import Button
from appliance.panel.lamps import Lamp, LineLamp
from appliance.panel.settings import PanelSettings, clashes

WIRED = PanelSettings(buzzer=12)
DARK: dict[Any, bool] = dict.fromkeys(lamp_pins(WIRED), False)


@pytest.fixture(name="factory")
def _factory() -> Iterator[MockFactory]:
    before = gpiozero.Device.pin_factory
    gpiozero.Device.pin_factory = MockFactory()
    try:
        yield gpiozero.Device.pin_factory
    finally:
        gpiozero.Device.pin_factory.reset()
        gpiozero.Device.pin_factory = before


def ignore(_button: Button, _pressed: bool) -> None:
    pass


@pytest.mark.parametrize("lamp", DARK)
@pytest.mark.parametrize("active_high", [True, False])
def test_a_lamp_is_lit_on_its_own_pin_and_no_other(
    factory: MockFactory, lamp: Any, active_high: bool
) -> None:
    board = Board(replace(WIRED, leds_active_high=active_high), ignore)
    board.show({**DARK, lamp: True}, sounds=False)
    levels = {other: bool(factory.pin(pin).state) for other, pin in lamp_pins(WIRED).items()}
    assert levels == {other: (other == lamp) is active_high for other in DARK}
    board.close()


def test_the_buzzer_sounds_and_stops(factory: MockFactory) -> None:
    board = Board(WIRED, ignore)
    board.show(DARK, sounds=True)
    assert factory.pin(12).state
    board.show(DARK, sounds=False)
    assert not factory.pin(12).state
    board.close()


@pytest.mark.parametrize(("button", "pin"), button_pins(WIRED).items())
@pytest.mark.parametrize("pull_up", [True, False])
def test_a_button_says_down_and_up(factory: MockFactory, button: Button, pin: int, pull_up: bool) -> None:
    said: list[tuple[Button, bool]] = []
    board = Board(
        replace(WIRED, buttons_pull_up=pull_up), lambda which, pressed: said.append((which, pressed))
    )
    contact: MockPin = factory.pin(pin)
    down, up = (contact.drive_low, contact.drive_high) if pull_up else (contact.drive_high, contact.drive_low)
    down()
    up()
    assert said == [(button, True), (button, False)]
    board.close()


def test_a_button_that_is_down_when_the_panel_comes_up_is_told(
    factory: MockFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The simulated pin lets its pull-up win over the finger.
    monkeypatch.setattr(MockPin, "_set_pull", lambda *_: None)
    factory.pin(WIRED.power_button).drive_low()
    said: list[tuple[Button, bool]] = []
    board = Board(WIRED, lambda which, pressed: said.append((which, pressed)))
    assert (Button.POWER, True) in said
    board.close()


def test_pins_are_given_back(factory: MockFactory) -> None:
    Board(WIRED, ignore).close()
    Board(WIRED, ignore).close()


def test_parts_that_are_not_wired_are_passed_over(factory: MockFactory) -> None:
    bare = PanelSettings(
        power_led=None, line_leds=(), activity_led=None, inbox_led=None, fault_led=None,
        cancel_button=None, newest_button=None, retry_button=None, power_button=None,
    )  # fmt: skip
    board = Board(bare, ignore)
    board.show({**DARK, LineLamp(9): True}, sounds=True)
    board.close()


def test_a_pin_with_two_things_on_it_is_refused_by_name(factory: MockFactory) -> None:
    twice = replace(WIRED, fault_led=WIRED.cancel_button)
    assert clashes(twice) == ["pin 5 is given to fault_led and cancel_button"]
    with pytest.raises(BoardError, match="pin 5"):
        Board(twice, ignore)


def test_without_a_chip_there_is_an_error_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "lgpio")
    with pytest.raises(BoardError):
        Board(WIRED, ignore)


def test_a_lamp_whose_pin_throws_is_an_error_of_the_board(
    factory: MockFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = Board(WIRED, ignore)

    def broken(*_: object) -> None:
        raise OSError("the chip is gone")

    monkeypatch.setattr(MockPin, "_set_state", broken)
    with pytest.raises(BoardError, match="the chip is gone"):
        board.show({Lamp.POWER: True}, sounds=False)
    monkeypatch.undo()
    board.close()
