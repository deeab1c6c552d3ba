"""The small display: its text, and the SSD1306 on the I²C bus that shows it."""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass
from typing import Any

from appliance.panel import words
from appliance.panel.model import BoxContact, BoxView, Condition
from appliance.panel.settings import I2C_BUS, Display, PanelSettings

_log = logging.getLogger(__name__)

# 128 × 64 pixels, letters of 6 × 8 from the display library, four lines with space between them.
LINES, LETTERS = 4, 21
LINE_PIXELS = 16
# A reserved address (RFC 5737) and a port: only the route to them is looked up, nothing is sent.
_AWAY = ("192.0.2.1", 9)


def own_address() -> str:
    """The address of this machine on its network, its host name while it has none.  Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_AWAY)
            address: str = probe.getsockname()[0]
        except OSError:
            return socket.gethostname()
    return address


def lines(view: BoxView) -> tuple[str, ...]:
    """The text of the display: state, activity, address, and the set-up code while it is valid.

    In the language of the box's country; at most LINES lines of LETTERS letters.
    """

    def word(sentence: str) -> str:
        return words.word(sentence, view.region)

    match view.contact:
        case BoxContact.STARTING:
            said = [word(words.STARTS), "", "", ""]
        case BoxContact.STOPPING:
            said = [word(words.STOPS), word(words.WAIT), "", ""]
        case BoxContact.LOST:
            said = ["faxbox", word(words.NO_ANSWER), "", ""]
        case BoxContact.ANSWERS:
            code = word(words.CODE).format(code=view.setup_code) if view.setup_code else ""
            said = [word(_state(view)), _traffic(view), view.address, code]
    return tuple(line[:LETTERS] for line in said)


def _state(view: BoxView) -> str:
    if view.setup:
        return words.TO_BE_SET_UP
    return {
        Condition.OK: words.READY,
        Condition.WARNING: words.READY_BUT,
        Condition.FAILING: words.CANNOT_SEND,
    }[view.condition]


def _traffic(view: BoxView) -> str:
    counts = {
        words.SENDING: len(view.sending),
        words.RECEIVING: view.receiving,
        words.UNREAD: view.unread,
        words.FAILED: view.wants_person,
    }
    parts = [words.word(each, view.region).format(number=count) for each, count in counts.items() if count]
    return ", ".join(parts)


@dataclass
class Screen:
    """The display; after a failure it is not used again."""

    device: Any
    _said: tuple[str, ...] = ()

    def show(self, said: tuple[str, ...]) -> None:
        """Writes the lines if they changed."""
        from luma.core.render import canvas  # noqa: PLC0415 (only where a display is)

        if said == self._said or self.device is None:
            return
        self._said = said
        try:
            with canvas(self.device) as draw:
                for number, line in enumerate(said):
                    draw.text((0, number * LINE_PIXELS + 2), line, fill="white")
        except Exception as error:  # the bus, the library, a loose plug
            _log.warning("the display failed and is left alone: %s", error)
            self.device = None


def open_screen(settings: PanelSettings) -> Screen | None:
    """The display that the settings name, None when there is none or it cannot be opened."""
    if settings.display is Display.NONE:
        return None
    try:
        from luma.core.interface.serial import i2c  # noqa: PLC0415 (only where a display is)
        from luma.oled.device import ssd1306  # noqa: PLC0415

        return Screen(ssd1306(i2c(port=I2C_BUS, address=settings.display_address)))
    except Exception as error:
        _log.warning("there is no display at address 0x%02x: %s", settings.display_address, error)
        return None
