"""What counts as a press of a button: bounces, long presses, accidents."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.panel.buttons import (
    DEBOUNCE_S,
    HOLD_POWER_S,
    HOLD_S,
    HOLDS,
    PRESS_LIMIT_S,
    QUIET_S,
    STUCK_S,
    Button,
    ButtonContact,
    Gesture,
)


def gestures(button: Button, edges: list[tuple[float, bool]], until: float) -> list[Gesture]:
    """What a button says of these edges; it is looked at whenever it wants to be."""
    contact, said = ButtonContact(button), []
    for at, pressed in edges:
        while (due := contact.deadline()) is not None and due <= at:
            said += [touch.gesture for touch in contact.advance(due)]
        said += [touch.gesture for touch in contact.edge(pressed, at)]
    while (due := contact.deadline()) is not None and due <= until:
        said += [touch.gesture for touch in contact.advance(due)]
    return said


@pytest.mark.parametrize("button", Button)
def test_down_and_up_again_is_one_press(button: Button) -> None:
    assert gestures(button, [(1.0, True), (1.2, False)], 2.0) == [Gesture.DOWN, Gesture.PRESS]


def test_a_bouncing_contact_is_one_press() -> None:
    bounces = [(1.0 + n * 0.004, n % 2 == 0) for n in range(7)]  # ends down
    ups = [(1.3 + n * 0.004, n % 2 == 1) for n in range(7)]  # ends up
    assert gestures(Button.CANCEL, bounces + ups, 3.0) == [Gesture.DOWN, Gesture.PRESS]


def test_a_contact_shorter_than_the_debounce_time_is_ignored() -> None:
    assert gestures(Button.RETRY, [(1.0, True), (1.0 + DEBOUNCE_S / 2, False)], 2.0) == []


def test_a_press_is_acknowledged_within_a_tenth_of_a_second() -> None:
    contact = ButtonContact(Button.NEWEST)
    contact.edge(True, 5.0)
    due = contact.deadline()
    assert due is not None
    assert due - 5.0 <= 0.1
    assert [touch.gesture for touch in contact.advance(due)] == [Gesture.DOWN]


@pytest.mark.parametrize(("button", "after"), [(Button.CANCEL, HOLD_S), (Button.POWER, HOLD_POWER_S)])
def test_a_hold_is_said_while_the_finger_is_there_and_is_no_press_besides(
    button: Button, after: float
) -> None:
    edges = [(1.0, True), (1.0 + after + 1, False)]
    assert gestures(button, edges, 20.0) == [Gesture.DOWN, Gesture.HOLD]


def test_a_touch_longer_than_a_press_and_shorter_than_a_hold_does_nothing() -> None:
    edges = [(1.0, True), (1.0 + PRESS_LIMIT_S + 0.2, False)]
    assert gestures(Button.CANCEL, edges, 20.0) == [Gesture.DOWN]


def test_presses_in_quick_succession_ask_once() -> None:
    edges = [(1.0 + n * 0.1, n % 2 == 0) for n in range(int(QUIET_S / 0.1))]
    assert gestures(Button.CANCEL, edges, 20.0).count(Gesture.PRESS) == 1


def test_a_stuck_button_says_so_once_and_works_again_when_it_is_free() -> None:
    edges = [(1.0, True), (STUCK_S * 3, False), (STUCK_S * 3 + 5, True), (STUCK_S * 3 + 5.2, False)]
    said = gestures(Button.RETRY, edges, STUCK_S * 4)
    assert said == [
        Gesture.DOWN, Gesture.HOLD, Gesture.STUCK, Gesture.FREE, Gesture.DOWN, Gesture.PRESS,
    ]  # fmt: skip


@given(
    st.sampled_from(Button),
    st.lists(st.floats(0.0005, 3.0), max_size=60),
)
def test_a_touch_is_a_press_or_a_hold_and_never_both_whatever_the_contact_does(
    button: Button, gaps: list[float]
) -> None:
    at, edges = 0.0, []
    for number, gap in enumerate(gaps):
        at += gap
        edges.append((at, number % 2 == 0))
    said = gestures(button, edges, at + 2 * STUCK_S)
    for before, after in itertools.pairwise(said):
        assert after is not Gesture.PRESS or before is Gesture.DOWN  # a press follows its own finger
        assert after is not Gesture.HOLD or before is Gesture.DOWN
    if button not in HOLDS:
        assert Gesture.HOLD not in said
    # Two presses are never nearer than an impatient finger.
    assert said.count(Gesture.PRESS) <= 1 + at / QUIET_S
