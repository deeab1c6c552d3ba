"""The small display: its text, and the picture of it."""

from __future__ import annotations

import contextlib
import logging
import socket
from typing import TYPE_CHECKING

from appliance.panel import words
from appliance.panel.model import BoxContact, BoxView, Condition
from appliance.panel.settings import Display, PanelSettings
from appliance.panel.ssd1306 import HEIGHT, WIDTH, Ssd1306

if TYPE_CHECKING:
    from PIL.Image import Image

_log = logging.getLogger(__name__)

# Letters of 6 × 11 pixels, four lines with space between them.
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


class Screen:
    """The display that the settings name.  One that fails (a loose plug) is begun anew with the next text."""

    def __init__(self, address: int) -> None:
        self._address = address
        self._device: Ssd1306 | None = None
        self._said: tuple[str, ...] | None = None
        self._failed = False

    def show(self, said: tuple[str, ...]) -> None:
        """Writes the lines if they changed."""
        if said == self._said:
            return
        try:
            if self._device is None:
                self._device = Ssd1306(self._address)
            self._device.show(picture(said))
        except OSError as error:
            if not self._failed:
                _log.warning("the display at address 0x%02x does not work: %s", self._address, error)
            self._failed = True
            self.close()
        else:
            self._said, self._failed = said, False

    def close(self) -> None:
        """Switches the display off."""
        device, self._device, self._said = self._device, None, None
        if device is not None:
            with contextlib.suppress(OSError):
                device.close()


def picture(said: tuple[str, ...]) -> Image:
    """The lines as the display's pixels."""
    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415 (only where a display is)

    made = Image.new("1", (WIDTH, HEIGHT))
    draw, font = ImageDraw.Draw(made), ImageFont.load_default_imagefont()
    for number, line in enumerate(said):
        shown = line.encode("latin-1", "replace").decode("latin-1")  # the letters that the font has
        draw.text((0, number * LINE_PIXELS + 2), shown, fill=1, font=font)
    return made


def open_screen(settings: PanelSettings) -> Screen | None:
    """The display that the settings name, None when there is none."""
    return None if settings.display is Display.NONE else Screen(settings.display_address)
