"""The small display: its texts, and what is written to the SSD1306."""

from __future__ import annotations

import fcntl
import ipaddress
import os
import socket
from dataclasses import replace
from typing import ClassVar

import pytest
from PIL import Image

from appliance.language import codes, say
from appliance.panel import screen, words
from appliance.panel.model import BoxContact, BoxView, Condition
from appliance.panel.settings import Display, PanelSettings

READY = BoxView(contact=BoxContact.ANSWERS, address="192.168.178.123")


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (BoxView(), ("faxbox starts", "", "", "")),
        (replace(READY, contact=BoxContact.STOPPING), ("faxbox stops", "please wait", "", "")),
        (replace(READY, contact=BoxContact.LOST), ("faxbox", "does not answer", "", "")),
        (READY, ("Ready", "", "192.168.178.123", "")),
        (
            replace(READY, setup=True, setup_code="294W-LUVK-VWNC"),
            ("Ready to be set up", "", "192.168.178.123", "Code 294W-LUVK-VWNC"),
        ),
        (
            replace(READY, condition=Condition.WARNING, sending=(4, 5), receiving=1),
            ("Ready, see web page", "2 out, 1 in", "192.168.178.123", ""),
        ),
        (
            replace(READY, condition=Condition.FAILING, unread=3),
            ("Cannot send", "3 unread", "192.168.178.123", ""),
        ),
        (replace(READY, wants_person=2), ("Ready", "2 failed", "192.168.178.123", "")),
    ],
    ids=["starts", "stops", "lost", "ready", "set-up", "warning", "failing", "failed faxes"],
)
def test_the_display_says_how_the_box_is_where_and_its_set_up_code(
    view: BoxView, said: tuple[str, ...]
) -> None:
    assert screen.lines(view) == said


def test_the_display_speaks_the_language_of_the_boxs_country() -> None:
    german = replace(READY, region="DE", setup=True, setup_code="294W-LUVK-VWNC", unread=3)
    assert screen.lines(german) == (
        "Bereit zum Einrichten",
        "3 neu",
        "192.168.178.123",
        "Code 294W-LUVK-VWNC",
    )
    assert screen.lines(replace(READY, region="US"))[0] == "Ready"


@pytest.mark.parametrize("language", codes())
def test_every_sentence_of_the_display_fits_on_one_line_in_every_language(language: str) -> None:
    for sentence in words.DISPLAY:
        shown = say(sentence, language).format(number=9, code="294W-LUVK-VWNC")
        assert len(shown) <= screen.LETTERS, shown


def test_no_line_is_longer_than_the_display_is_wide() -> None:
    busy = replace(READY, sending=tuple(range(100)), receiving=100, unread=1000, wants_person=1000)
    assert max(len(line) for line in screen.lines(busy)) == screen.LETTERS


def test_the_machines_own_address_is_an_address_or_its_name() -> None:
    address = screen.own_address()
    if address != socket.gethostname():  # a machine without a network has only that
        assert ipaddress.ip_address(address)


class Ssd1306Model:
    """The memory of the display (data sheet, 8.7): pages of columns of 8 pixels, the lowest bit on top."""

    # Octets after a command, for those that have some (section 9).
    AFTER: ClassVar[dict[int, int]] = dict.fromkeys(
        (0xD5, 0xA8, 0xD3, 0x8D, 0x20, 0xDA, 0x81, 0xD9, 0xDB), 1
    ) | {
        0x21: 2,
        0x22: 2,
    }

    def __init__(self) -> None:
        self.image = Image.new("1", (128, 64))
        self.on, self.plugged = False, True
        self.values: dict[int, bytes] = {}

    def write(self, file: int, message: bytes) -> int:
        if not self.plugged:
            raise OSError(121, "Remote I/O error")
        kind, octets = message[0], message[1:]
        if kind == 0x40:
            self._pixels(octets)
        else:
            assert kind == 0
            self._commands(octets)
        return len(message)

    def _commands(self, octets: bytes) -> None:
        while octets:
            code, count = octets[0], self.AFTER.get(octets[0], 0)
            self.values[code] = octets[1 : 1 + count]
            assert len(self.values[code]) == count
            if code in (0xAE, 0xAF):
                self.on = code == 0xAF
            octets = octets[1 + count :]

    def _pixels(self, octets: bytes) -> None:
        assert self.values[0x20] == b"\x01"  # vertical addressing
        assert (self.values[0x21], self.values[0x22]) == (b"\x00\x7f", b"\x00\x07")
        assert len(octets) == 1024
        for number, octet in enumerate(octets):
            column, page = divmod(number, 8)
            for bit in range(8):
                self.image.putpixel((column, 8 * page + bit), octet >> bit & 1)


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Ssd1306Model:
    """On the bus, at its usual address."""
    model = Ssd1306Model()
    opened = []

    def choose(file: int, request: int, address: int) -> int:
        assert (request, address) == (0x0703, 0x3C)
        return 0

    real_open, real_write = os.open, os.write
    monkeypatch.setattr(fcntl, "ioctl", choose)

    def open_bus(path: str, flags: int, *more: int, **named: int) -> int:
        if path != "/dev/i2c-1":
            return real_open(path, flags, *more, **named)
        opened.append(real_open("/dev/null", flags))
        return opened[-1]

    monkeypatch.setattr(os, "open", open_bus)
    monkeypatch.setattr(
        os, "write", lambda file, octets: (model.write if file in opened else real_write)(file, octets)
    )
    return model


def test_the_display_gets_the_pixels_of_its_text(display: Ssd1306Model) -> None:
    made = screen.open_screen(PanelSettings(display=Display.SSD1306))
    assert made is not None
    said = ("Bereit zum Einrichten", "3 neu", "192.168.178.123", "Übergröße → ?")
    made.show(said)
    assert display.on
    assert display.image.tobytes() == screen.picture(said).tobytes()
    assert display.image.getbbox() is not None
    made.close()
    assert not display.on


def test_a_display_whose_plug_was_loose_shows_the_next_text(
    display: Ssd1306Model, caplog: pytest.LogCaptureFixture
) -> None:
    made = screen.open_screen(PanelSettings(display=Display.SSD1306))
    assert made is not None
    made.show(("one",))
    display.plugged = False
    for said in ("two", "three", "three"):
        made.show((said,))
    assert len(caplog.records) == 1
    display.plugged = True
    display.image, display.values, display.on = Image.new("1", (128, 64)), {}, False
    made.show(("three",))
    assert display.on
    assert display.image.tobytes() == screen.picture(("three",)).tobytes()


def test_without_a_bus_the_panel_says_so_once_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    made = screen.open_screen(PanelSettings(display=Display.SSD1306, display_address=0x3D))
    assert made is not None
    made.show(("one",))
    made.show(("two",))
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_no_display_is_opened_unless_the_settings_name_one() -> None:
    assert screen.open_screen(PanelSettings()) is None
