"""The panel's settings: which pin carries what.  Pins are BCM numbers, as in gpiozero."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from appliance.settings.fields import setting
from appliance.settings.files import Catalogue
from appliance.settings.secrets import SecretSettings

# Pins 0 and 1 identify an add-on board, 2 and 3 are the display's bus; the header ends at 27.
FIRST_PIN, LAST_PIN = 4, 27


def _pin(default: Any, help: str) -> Any:
    """A field for one pin, or for several."""
    return setting(default, help, minimum=FIRST_PIN, maximum=LAST_PIN)


# The display's bus, on the pins 2 and 3.
I2C_BUS = 1


class Display(Enum):
    """Which small display is on the I²C bus."""

    NONE = "none"
    SSD1306 = "ssd1306"  # 128 × 64, white on black


@dataclass(frozen=True, slots=True)
class PanelSettings:
    """The front panel: which GPIO pin (BCM number) carries what; none: that part is not there."""

    power_led: int | None = _pin(17, "lamp for power and readiness, green")
    line_leds: tuple[int, ...] = _pin((27, 22), "lamp of each line, in the order of the lines, green")
    activity_led: int | None = _pin(23, "lamp for sending and receiving, yellow")
    inbox_led: int | None = _pin(24, "lamp for received faxes that nobody has read, blue")
    fault_led: int | None = _pin(25, "lamp for what needs a person, red")
    leds_active_high: bool = setting(True, "a lamp is lit by a high level (pin, resistor, lamp, ground)")
    cancel_button: int | None = _pin(5, "button that cancels what is being sent; held: everything")
    newest_button: int | None = _pin(6, "button that prints or forwards the newest received fax")
    retry_button: int | None = _pin(13, "button that sends the last failed fax again")
    power_button: int | None = _pin(
        19, "button that shuts down when held; held while the box starts: set-up mode"
    )
    buttons_pull_up: bool = setting(True, "a button connects its pin to ground")
    buzzer: int | None = _pin(None, "buzzer: one beep when a fax came in, three when one failed")
    display: Display = setting(Display.NONE, "small display on the I²C bus (pins 2 and 3)")
    display_address: int = setting(0x3C, "the display's address on the bus", minimum=0x03, maximum=0x77)
    forward_to: str = setting(
        "", "the newest-fax button forwards to this number; empty: it prints", max_length=64
    )
    printer: str = setting(
        "", "the CUPS printer that the newest-fax button prints on; empty: its default", max_length=127
    )


def pins(settings: PanelSettings) -> Iterator[tuple[str, int]]:
    """Each pin that is used, with its part: ``power_led``, ``line_leds 1``, ``cancel_button`` …"""
    for name in (
        "power_led",
        "activity_led",
        "inbox_led",
        "fault_led",
        "buzzer",
        "cancel_button",
        "newest_button",
        "retry_button",
        "power_button",
    ):
        pin = getattr(settings, name)
        if pin is not None:
            yield name, pin
    for number, pin in enumerate(settings.line_leds, 1):
        yield f"line_leds {number}", pin


def clashes(settings: PanelSettings) -> list[str]:
    """A sentence for each pin that is used more than once."""
    users: dict[int, list[str]] = {}
    for name, pin in pins(settings):
        users.setdefault(pin, []).append(name)
    return [
        f"pin {pin} is given to {' and '.join(names)}"
        for pin, names in sorted(users.items())
        if len(names) > 1
    ]


# The sections that the panel's process reads.  The whole catalogue would load every package that has
# settings, and the panel would keep them in memory for months.
CATALOGUE = Catalogue(
    sections={"panel": PanelSettings, "secrets": SecretSettings},
    lists={},
    partial=True,
)
