"""The texts of the small display (driven by luma.oled)."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import replace

import pytest

from appliance.language import codes, say
from appliance.panel import screen, words
from appliance.panel.model import BoxContact, BoxView, Condition

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
