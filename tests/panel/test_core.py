"""Every light and every button, with a simulated clock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from appliance.panel import lamps
from appliance.panel.buttons import HOLD_POWER_S, HOLD_S, RESET_S, STUCK_S, Button
from appliance.panel.core import ANSWERS, DONE_S, Order, Panel
from appliance.panel.lamps import LANGUAGE, AnyLamp, Lamp, LineLamp, Meaning, Pattern
from appliance.panel.model import BoxContact, BoxView, Condition, PanelLine

UP = PanelLine("trunk", usable=True, calls=0)
READY = BoxView(contact=BoxContact.ANSWERS, lines=(UP,))

CASES: list[tuple[str, BoxView, AnyLamp, Meaning]] = [
    ("at first", BoxView(), Lamp.POWER, lamps.POWER_CHANGING),
    ("stopping", replace(READY, contact=BoxContact.STOPPING), Lamp.POWER, lamps.POWER_CHANGING),
    ("lost", replace(READY, contact=BoxContact.LOST), Lamp.POWER, lamps.POWER_ALONE),
    ("ready", READY, Lamp.POWER, lamps.POWER_READY),
    ("set-up", replace(READY, setup=True), Lamp.POWER, lamps.POWER_SETUP),
    ("line ready", READY, LineLamp(0), lamps.LINE_READY),
    ("line busy", replace(READY, lines=(replace(UP, calls=2),)), LineLamp(0), lamps.LINE_BUSY),
    ("line down", replace(READY, lines=(replace(UP, usable=False),)), LineLamp(0), lamps.LINE_DOWN),
    ("no second line", READY, LineLamp(1), lamps.LINE_NONE),
    ("idle", READY, Lamp.ACTIVITY, lamps.ACTIVITY_NONE),
    ("sending", replace(READY, sending=(4,)), Lamp.ACTIVITY, lamps.ACTIVITY_SENDING),
    ("receiving", replace(READY, receiving=1), Lamp.ACTIVITY, lamps.ACTIVITY_RECEIVING),
    ("both", replace(READY, sending=(4,), receiving=1), Lamp.ACTIVITY, lamps.ACTIVITY_BOTH),
    ("all read", READY, Lamp.INBOX, lamps.INBOX_EMPTY),
    ("unread", replace(READY, unread=3), Lamp.INBOX, lamps.INBOX_UNREAD),
    ("no fault", READY, Lamp.FAULT, lamps.FAULT_NONE),
    ("failed fax", replace(READY, wants_person=1), Lamp.FAULT, lamps.FAULT_FAX),
    ("warning", replace(READY, condition=Condition.WARNING), Lamp.FAULT, lamps.FAULT_WARNING),
    ("failing", replace(READY, condition=Condition.FAILING), Lamp.FAULT, lamps.FAULT_FAILING),
]


def panel_of(view: BoxView) -> Panel:
    panel = Panel(2, Button, started=0.0)
    panel.box_is(view, 100.0)
    return panel


@pytest.mark.parametrize(
    ("view", "lamp", "meaning"), [each[1:] for each in CASES], ids=[each[0] for each in CASES]
)
def test_a_lamp_says_how_the_box_is(view: BoxView, lamp: AnyLamp, meaning: Meaning) -> None:
    panel = panel_of(view)
    assert panel.meanings()[lamp] is meaning
    rhythm = [panel.lit(100.0 + n / 20)[lamp] for n in range(80)]  # four seconds
    assert rhythm == [meaning.pattern.level(100.0 + n / 20) for n in range(80)]
    assert (len(set(rhythm)) == 2) is bool(meaning.pattern.seconds)  # blinks, or is steady


def test_every_row_of_the_language_is_said_by_some_state_of_the_box() -> None:
    stuck = panel_of(READY)
    stuck.edge(Button.NEWEST, True, 101.0)
    stuck.advance(101.0 + STUCK_S + 1)
    said = {meaning for _, view, lamp, _ in CASES for meaning in panel_of(view).meanings().values()}
    assert said | set(stuck.meanings().values()) == set(LANGUAGE)


def test_two_states_of_a_lamp_never_look_alike() -> None:
    for lamp in {meaning.lamp for meaning in LANGUAGE}:
        patterns = [meaning.pattern for meaning in LANGUAGE if meaning.lamp == lamp]
        assert len(patterns) == len(set(patterns)), lamp


def test_nothing_flashes_more_often_than_three_times_a_second() -> None:
    for meaning in LANGUAGE:
        starts = [
            at
            for at in range(1, 400)
            if meaning.pattern.level(at / 40) > meaning.pattern.level((at - 1) / 40)
        ]
        assert len(starts) <= 3 * 10, meaning


def test_with_nothing_to_say_nothing_blinks() -> None:
    panel = panel_of(READY)
    assert panel.deadline(100.0) is None
    assert {lamp for lamp, lit in panel.lit(100.0).items() if lit} == {Lamp.POWER, LineLamp(0)}


def test_a_lamp_is_asked_for_again_exactly_when_it_changes() -> None:
    for meaning in LANGUAGE:
        pattern: Pattern = meaning.pattern
        at = 7.0
        for _ in range(20):
            due = pattern.next_change(at)
            if due is None:
                break
            assert pattern.level(due + 1e-6) is not pattern.level(due - 1e-6)
            at = due + 1e-6


@pytest.mark.parametrize(
    ("button", "seconds", "order"),
    [
        (Button.CANCEL, 0.3, Order.CANCEL_ONE),
        (Button.CANCEL, HOLD_S + 1, Order.CANCEL_ALL),
        (Button.NEWEST, 0.3, Order.HAND_ON_NEWEST),
        (Button.RETRY, 0.3, Order.RETRY_FAILED),
        (Button.RETRY, HOLD_S + 1, Order.SEEN),
        (Button.POWER, HOLD_POWER_S + 1, Order.SHUT_DOWN),
    ],
)
def test_each_button_gives_its_order_once(button: Button, seconds: float, order: Order) -> None:
    panel = panel_of(READY)
    panel.edge(button, True, 101.0)
    panel.advance(101.0 + seconds / 2)
    panel.edge(button, False, 101.0 + seconds)
    panel.advance(120.0)
    assert panel.orders() == [(order, button)]
    assert panel.orders() == []


def hold_both(panel: Panel, begun: float, ended: float) -> list[Order]:
    """Cancel, then power, and both up at ``ended``; what was asked for."""
    panel.edge(Button.CANCEL, True, begun - 0.4)
    panel.edge(Button.POWER, True, begun)
    at = begun
    while at < ended:
        at = min(at + 0.05, ended)
        panel.advance(at)
    panel.edge(Button.POWER, False, ended)
    panel.edge(Button.CANCEL, False, ended + 0.2)
    panel.advance(ended + 5)
    return [order for order, _ in panel.orders()]


@pytest.mark.parametrize("seconds", [0.3, HOLD_S + 1, HOLD_POWER_S + 1, RESET_S - 0.1])
def test_two_buttons_let_go_before_their_time_mean_nothing_not_even_each_alone(seconds: float) -> None:
    assert hold_both(panel_of(READY), 101.0, 101.0 + seconds) == []


def test_cancel_and_power_held_together_put_the_box_back_once_while_every_lamp_warns() -> None:
    panel = panel_of(READY)
    assert hold_both(panel, 101.0, 101.0 + RESET_S + 9) == [Order.RESET]
    panel.edge(Button.CANCEL, True, 150.0)
    panel.edge(Button.CANCEL, False, 150.3)
    panel.advance(152.0)
    assert panel.orders() == [(Order.CANCEL_ONE, Button.CANCEL)]  # alone it means what it always means

    panel.edge(Button.CANCEL, True, 200.0)
    panel.edge(Button.POWER, True, 200.0)
    panel.advance(200.1)
    levels = set()
    at = 200.1
    while at < 203.0:
        due = panel.deadline(at)
        assert due is not None
        at = max(due, at + 1e-6)
        panel.advance(at)
        lit = set(panel.lit(at).values())
        assert len(lit) == 1  # all alike
        levels |= lit
    assert levels == {True, False}


def test_a_short_press_of_the_power_button_does_nothing() -> None:
    panel = panel_of(READY)
    panel.edge(Button.POWER, True, 101.0)
    panel.edge(Button.POWER, False, 101.4)
    panel.advance(120.0)
    assert panel.orders() == []


def test_the_power_button_held_at_the_start_asks_for_set_up_and_not_to_shut_down() -> None:
    panel = Panel(2, Button, started=100.0)
    panel.edge(Button.POWER, True, 100.1)
    for tenth in range(1, 100):
        panel.advance(100.1 + tenth / 10)
    panel.edge(Button.POWER, False, 111.0)
    panel.advance(112.0)
    assert panel.orders() == [(Order.SET_UP, Button.POWER)]
    panel.edge(Button.POWER, True, 130.0)  # later it means what it always means
    panel.advance(130.0 + HOLD_POWER_S + 1)
    assert panel.orders() == [(Order.SHUT_DOWN, Button.POWER)]


@pytest.mark.parametrize("button", Button)
def test_a_press_inverts_its_lamp_within_a_tenth_of_a_second(button: Button) -> None:
    panel = panel_of(READY)
    before = panel.lit(101.0)[ANSWERS[button]]
    panel.edge(button, True, 101.0)
    due = panel.deadline(101.0)
    assert due is not None
    assert due <= 101.1
    panel.advance(due)
    assert panel.lit(due)[ANSWERS[button]] is not before


def test_done_is_one_long_light_and_refused_three_flashes() -> None:
    panel = panel_of(READY)
    panel.answered(Button.NEWEST, True, 101.0)
    assert all(panel.lit(101.0 + n / 100)[Lamp.INBOX] for n in range(int(DONE_S * 100)))
    panel.advance(103.0)
    assert not panel.lit(103.0)[Lamp.INBOX]
    panel.answered(Button.NEWEST, False, 104.0)
    levels = [panel.lit(104.0 + n / 100)[Lamp.INBOX] for n in range(100)]
    assert (
        sum(1 for before, after in zip([False, *levels], levels, strict=False) if after and not before) == 3
    )


def test_a_fax_that_came_in_is_one_beep_and_one_that_failed_three() -> None:
    panel = panel_of(READY)
    panel.box_is(replace(READY, unread=1), 101.0)
    assert _beeps(panel, 101.0) == 1
    panel.box_is(replace(READY, unread=1, wants_person=1), 110.0)
    assert _beeps(panel, 110.0) == 3
    panel.box_is(READY, 120.0)
    assert _beeps(panel, 120.0) == 0


def test_the_buzzer_says_nothing_about_faxes_from_before_the_panel_started() -> None:
    panel = Panel(2, Button, started=0.0)
    panel.box_is(replace(READY, unread=9, wants_person=2), 1.0)
    assert _beeps(panel, 1.0) == 0


def test_every_lamp_blinks_for_ten_seconds_when_a_computer_wants_to_see_which_box_it_is() -> None:
    panel = panel_of(READY)
    panel.box_is(replace(READY, shown=1), 100.0)
    seen = [panel.lit(100.0 + at / 10) for at in range(100)]
    for lamp in Lamp:
        assert {lit[lamp] for lit in seen} == {True, False}
    panel.advance(110.1)
    assert panel.lit(110.1) == panel_of(READY).lit(110.1)


def _beeps(panel: Panel, since: float) -> int:
    levels = [panel.sounds(since + n / 100) for n in range(200)]
    return sum(1 for before, after in zip([False, *levels], levels, strict=False) if after and not before)
