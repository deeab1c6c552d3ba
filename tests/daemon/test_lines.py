"""Lines made from settings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.box import Box
from appliance.configuration import open_box
from appliance.daemon.lines import LEARNED_FOLDER, Lines
from appliance.exchange.remote import Exchange, RemoteLine
from appliance.lines.causes import NUMBER_EMERGENCY
from appliance.lines.line import LineKind
from appliance.lines.modem.settings import ClassOneModem
from appliance.lines.practice.settings import PracticeSettings
from appliance.lines.sip.numbers import DialFormat, to_dial
from appliance.lines.sip.settings import MediaChoice, SipSettings, SipTrunk
from appliance.services.rules import RefusedError
from appliance.settings.fields import from_document
from appliance.settings.files import SETTINGS_FILE

TRUNK = SipTrunk(name="trunk", server="sip.example.net")


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    box = open_box(tmp_path)
    yield box
    box.close()


def test_lines_stand_in_the_owners_order_with_practice_last(box: Box) -> None:
    box.settings.add(ClassOneModem(name="modem", position=3, deny=("+1",)))
    box.settings.add(SipTrunk(name="audio", server="a", media=MediaChoice.G711_ONLY, position=2))
    box.settings.add(SipTrunk(name="trunk", server="b", position=1, send=False))
    box.settings.add(SipTrunk(name="off", server="c", enabled=False))
    lines = Lines(box, Exchange()).build()
    assert [(managed.line.name, managed.line.kind) for managed in lines] == [
        ("trunk", LineKind.T38),
        ("audio", LineKind.G711),
        ("modem", LineKind.MODEM),
        ("practice", LineKind.PRACTICE),
    ]
    assert (lines[0].send, lines[2].deny) == (False, ("+1",))
    assert box.rules.number("9990").dial == "9990"


def test_each_line_has_a_file_of_its_own_for_what_is_learned_of_it(box: Box) -> None:
    names = ["trunk", "Trunk", "a.b", "a b-1"]
    for name in names:
        box.settings.add(SipTrunk(name=name, server="sip.example.net"))
    lines = [managed.line for managed in Lines(box, Exchange()).build()]
    files = {line.spec.learned for line in lines if isinstance(line, RemoteLine) and line.name in names}
    assert len(files) == len(names)
    assert {file.parent for file in files if file} == {(box.data / LEARNED_FOLDER).absolute()}
    again = [managed.line for managed in Lines(box, Exchange()).build()]
    assert {line.spec.learned for line in again if isinstance(line, RemoteLine)} >= files, (
        "after a restart, too"
    )


def test_a_line_with_a_wrong_setting_is_left_out_and_the_others_stay(
    box: Box, caplog: pytest.LogCaptureFixture
) -> None:
    box.settings.add(SipTrunk(name="bad", server="host"))
    box.settings.add(TRUNK)
    box.close()
    file = box.data / SETTINGS_FILE
    file.write_text(file.read_text().replace('"host"', '"not a host!"'))
    box = open_box(box.data)
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
        (DialFormat.E164_PLUS, "+49301234567"),
        (DialFormat.E164, "49301234567"),
        (DialFormat.INTERNATIONAL, "0049301234567"),
        (DialFormat.NATIONAL, "0301234567"),
    ],
)
def test_a_trunk_gets_numbers_in_its_own_form(form: DialFormat, dialled: str) -> None:
    entry = SipTrunk(name="t", server="x", country_code="49", form=form)
    assert to_dial("+49301234567", entry.dialling) == dialled


@pytest.mark.parametrize("media", ["both", "t38", "g711"])
def test_every_choice_of_media_is_known_to_the_trunk(media: str) -> None:
    trunk = from_document(SipTrunk, {"name": "t", "server": "x", "media": media}, "lines.1")
    assert trunk.media is MediaChoice(media)


def test_media_ports_are_shared_out_without_overlap() -> None:
    made = SipSettings(media_first=4000, media_last=4099)
    assert (made.udptl_ports.first, made.udptl_ports.last) == (4000, 4049)
    assert (made.rtp_ports.first, made.rtp_ports.last) == (4050, 4099)
