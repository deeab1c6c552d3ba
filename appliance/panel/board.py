"""The GPIO pins of the panel, over gpiozero."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping
from typing import Any

import gpiozero

from appliance.panel.buttons import Button
from appliance.panel.lamps import AnyLamp, Lamp, LineLamp
from appliance.panel.service import BoardError
from appliance.panel.settings import PanelSettings, clashes

_log = logging.getLogger(__name__)

__all__ = ["Board", "BoardError", "button_pins", "lamp_pins"]

# Called for each edge, in a thread of gpiozero's, with the button and whether it is down.
Edge = Callable[[Button, bool], None]


def lamp_pins(settings: PanelSettings) -> dict[AnyLamp, int]:
    """Each lamp that is wired, with its BCM pin number."""
    single = {
        Lamp.POWER: settings.power_led,
        Lamp.ACTIVITY: settings.activity_led,
        Lamp.INBOX: settings.inbox_led,
        Lamp.FAULT: settings.fault_led,
    }
    found: dict[AnyLamp, int] = {lamp: pin for lamp, pin in single.items() if pin is not None}
    return found | {LineLamp(number): pin for number, pin in enumerate(settings.line_leds)}


def button_pins(settings: PanelSettings) -> dict[Button, int]:
    """Each button that is wired, with its BCM pin number."""
    single = {
        Button.CANCEL: settings.cancel_button,
        Button.NEWEST: settings.newest_button,
        Button.RETRY: settings.retry_button,
        Button.POWER: settings.power_button,
    }
    return {button: pin for button, pin in single.items() if pin is not None}


class Board:
    """The lamps, buttons and buzzer of ``settings``.

    Raises BoardError when the pins cannot be opened; afterwards ``show`` raises it when one of them fails.
    """

    def __init__(self, settings: PanelSettings, edge: Edge) -> None:
        wrong = clashes(settings)
        if wrong:
            raise BoardError("; ".join(wrong))
        self._devices = contextlib.ExitStack()
        self._shown: dict[AnyLamp, bool] = {}
        self._sounding = False
        try:
            self._lamps = {
                lamp: self._made(gpiozero.LED(pin, active_high=settings.leds_active_high))
                for lamp, pin in lamp_pins(settings).items()
            }
            self._buzzer = (
                self._made(gpiozero.Buzzer(settings.buzzer)) if settings.buzzer is not None else None
            )
            for button, pin in button_pins(settings).items():
                self._listen(button, self._made(gpiozero.Button(pin, pull_up=settings.buttons_pull_up)), edge)
        except Exception as error:  # gpiozero, lgpio and the kernel each raise errors of their own
            self.close()
            raise BoardError(f"{type(error).__name__}: {error}") from error

    def show(self, lit: Mapping[AnyLamp, bool], sounds: bool) -> None:
        """Sets the lamps and the buzzer that changed; lamps that are not wired are ignored."""
        try:
            for lamp, level in lit.items():
                if lamp in self._lamps and self._shown.get(lamp) is not level:
                    self._lamps[lamp].value = level
                    self._shown[lamp] = level
            if self._buzzer is not None and self._sounding is not sounds:
                self._buzzer.value = sounds
                self._sounding = sounds
        except Exception as error:
            raise BoardError(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Switches the lamps off and releases the pins."""
        try:
            self._devices.close()
        except Exception as error:
            _log.warning("the panel's pins could not be given back: %s", error)

    def _made(self, device: Any) -> Any:
        self._devices.callback(device.close)
        return device

    def _listen(self, button: Button, device: Any, edge: Edge) -> None:
        device.when_pressed = lambda: edge(button, True)
        device.when_released = lambda: edge(button, False)
        if device.is_pressed:
            edge(button, True)
