"""The owner's settings for a modem override the table of quirks, and reach the modem."""

from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.exchange.making import make_line
from appliance.lines.modem.line import ModemLine
from appliance.lines.modem.overlay import overlay
from appliance.lines.modem.quirks import T31, FlowControl, QuietBefore, Quirks, quirks_for
from appliance.lines.modem.settings import ClassOneModem
from appliance.settings.fields import from_document
from appliance.t30.dce import Carrier


def test_words_are_laid_over_the_row_and_leave_the_rest_alone() -> None:
    _, row = quirks_for("Lucent")
    made = overlay(
        [
            "training_ms=250",
            "bare_dle=yes",
            "quiet_before=+FTS",
            "send=V29_9600,V29_7200",
            "flow=none",
            "flow_commands=&K3,\\Q3",
            "speed=57600",
        ]
    )(row)
    assert (made.training_ms, made.bare_dle, made.quiet_before) == (250, True, QuietBefore.SEND)
    assert made.send == frozenset({Carrier.V29_9600, Carrier.V29_7200})
    assert (made.flow, made.flow_commands, made.speed) == (FlowControl.NONE, ("&K3", "\\Q3"), 57600)
    assert made.connect_on_any_carrier is row.connect_on_any_carrier
    assert made.receive is row.receive


@pytest.mark.parametrize(
    "word",
    [
        "nothing=1",
        "training_ms",
        "training_ms=-1",
        "training_ms=99999",
        "training_ms=1e3",
        "bare_dle=1",
        "quiet_before=+FXX",
        "send=",
        "send=V21",
        "send=V34",
        "flow=xon",
        "speed=12345",
        "ecm_frame_octets=100",
        "flow_commands=AT\r\nATD112",
        "fcs_octets=9",
        "training_ms=" + "9" * 5000,
    ],
)
def test_an_unknown_quirk_or_value_is_refused_with_the_reason(word: str) -> None:
    with pytest.raises(ValueError, match=r"needed|there is no"):
        overlay([word])


@given(st.sampled_from([field.name for field in fields(Quirks)]), st.text(max_size=30))
def test_any_value_makes_quirks_or_a_value_error(name: str, text: str) -> None:
    try:
        made = overlay([f"{name}={text}"])(T31)
    except ValueError:
        return
    assert isinstance(made, Quirks)


def test_a_lines_settings_reach_its_modem() -> None:
    entry = ClassOneModem(
        name="telephone",
        modem_speed=38400,
        modem_flow=FlowControl.NONE,
        modem_quirks=("training_ms=400",),
    )
    line = make_line(entry, None)
    assert isinstance(line, ModemLine)
    settings = line._settings
    assert (settings.speed, settings.flow) == (38400, FlowControl.NONE)
    assert settings.adjust is not None
    assert settings.adjust(T31).training_ms == 400
    plain = make_line(ClassOneModem(name="telephone"), None)
    assert isinstance(plain, ModemLine)
    assert (plain._settings.speed, plain._settings.flow) == (None, None)


@pytest.mark.parametrize("more", [{"modem_quirks": ("nothing=1",)}, {"modem_speed": 12345}])
def test_settings_that_no_modem_can_have_are_said_when_they_are_made(more: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"nothing|modem_speed"):
        from_document(ClassOneModem, {"name": "telephone", **more}, "lines.1")
