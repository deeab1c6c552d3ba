"""Lines made from settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.box import Box
from appliance.causes import NUMBER_EMERGENCY
from appliance.daemon.lines import Lines
from appliance.exchange.making import sip_settings, trunk_settings
from appliance.exchange.remote import Exchange
from appliance.lines.line import LineKind
from appliance.lines.sip.numbers import to_dial
from appliance.lines.sip.settings import MediaChoice
from appliance.services.rules import RefusedError
from appliance.settings.items import DialForm, LineEntry, LineType, Media
from appliance.settings.sections import PracticeSettings, SipSettings

TRUNK = LineEntry(name="trunk", type=LineType.SIP, server="sip.example.net")


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = Box(tmp_path)
    yield box
    box.close()


def test_lines_stand_in_the_owners_order_with_practice_last(box: Box) -> None:
    box.settings.add(LineEntry(name="modem", type=LineType.MODEM, position=3, deny=("+1",)))
    box.settings.add(LineEntry(name="audio", type=LineType.SIP, server="a", media=Media.G711, position=2))
    box.settings.add(LineEntry(name="trunk", type=LineType.SIP, server="b", position=1, send=False))
    box.settings.add(LineEntry(name="off", type=LineType.SIP, server="c", enabled=False))
    lines = Lines(box, Exchange()).build()
    assert [(managed.line.name, managed.line.kind) for managed in lines] == [
        ("trunk", LineKind.T38),
        ("audio", LineKind.G711),
        ("modem", LineKind.MODEM),
        ("practice", LineKind.PRACTICE),
    ]
    assert (lines[0].send, lines[2].deny) == (False, ("+1",))
    assert box.rules.number("9990").dial == "9990"


def test_a_line_with_a_wrong_setting_is_left_out_and_the_others_stay(
    box: Box, caplog: pytest.LogCaptureFixture
) -> None:
    box.settings.add(LineEntry(name="bad", type=LineType.SIP, server="not a host!"))
    box.settings.add(TRUNK)
    assert [managed.line.name for managed in Lines(box, Exchange()).build()] == ["trunk", "practice"]
    assert "bad" in caplog.text


def test_without_practice_its_numbers_are_as_any_others(box: Box) -> None:
    box.settings.change(PracticeSettings, {"enabled": False})
    assert Lines(box, Exchange()).build() == []
    with pytest.raises(RefusedError) as refused:
        box.rules.number("9990")
    assert refused.value.cause is NUMBER_EMERGENCY, "it begins as one"


@pytest.mark.parametrize(
    ("form", "dialled"),
    [
        (DialForm.E164_PLUS, "+49301234567"),
        (DialForm.E164, "49301234567"),
        (DialForm.INTERNATIONAL, "0049301234567"),
        (DialForm.NATIONAL, "0301234567"),
    ],
)
def test_a_trunk_gets_numbers_in_its_own_form(form: DialForm, dialled: str) -> None:
    entry = LineEntry(name="t", type=LineType.SIP, server="x", country_code="49", form=form)
    assert to_dial("+49301234567", trunk_settings(entry).dialling) == dialled


@pytest.mark.parametrize("media", Media)
def test_every_choice_of_media_is_known_to_the_trunk(media: Media) -> None:
    entry = LineEntry(name="t", type=LineType.SIP, server="x", media=media)
    assert trunk_settings(entry).media in MediaChoice


def test_media_ports_are_shared_out_without_overlap() -> None:
    made = sip_settings(SipSettings(media_first=4000, media_last=4099))
    assert (made.udptl_ports.first, made.udptl_ports.last) == (4000, 4049)
    assert (made.rtp_ports.first, made.rtp_ports.last) == (4050, 4099)
