"""FaxCall: late callbacks, and errors that stay isolated."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from appliance.causes import CANCELLED
from appliance.t4.page import CodedPage, Coding
from appliance.t30 import causes
from appliance.t30.dce import (
    Carrier,
    CarrierMissed,
    CarrierOff,
    CarrierOn,
    Frame,
    HangUp,
    LineOrder,
    Receive,
    SendFrames,
)
from appliance.t30.frames import Fcf, HdlcFrame
from appliance.t30.parameters import CallParameters, Progress, Role
from tests.t30.linked import Pages, Store, owned
from tests.t30.script import ScriptDce, white_page

DIS = [
    CarrierOn(Carrier.V21),
    Frame(HdlcFrame(Fcf.DIS, bytes.fromhex("000a00")).encode(), True),
    CarrierOff(),
]


class Later(Pages):
    """Answers when told to."""

    answer: Callable[[], None]

    def fetch(self, number: int, accepts: object, deliver: Callable[[CodedPage | None, bool], None]) -> None:
        self.answer = lambda: deliver(self.pages[number], True)


def test_late_page_wakes_the_driver_and_pump_takes_it() -> None:
    woken: list[bool] = []
    pages, dce = Later([white_page()]), ScriptDce()
    call = owned(CallParameters(Role.CALLS), dce, pages, Store(), wake=lambda: woken.append(True))
    call.start(0.0)
    dce.events += DIS
    call.pump(5.0)
    assert not any(isinstance(o, SendFrames) for o in dce.waiting)
    assert not woken
    pages.answer()
    assert woken == [True]
    call.pump(6.0)
    assert isinstance(dce.waiting[-1], SendFrames)


def test_page_delivered_at_once_does_not_wake() -> None:
    woken: list[bool] = []
    dce = ScriptDce()
    call = owned(
        CallParameters(Role.CALLS), dce, Pages([white_page()]), Store(), wake=lambda: woken.append(True)
    )
    call.start(0.0)
    dce.events += DIS
    call.pump(5.0)
    assert isinstance(dce.waiting[-1], SendFrames)
    assert not woken


def test_page_in_an_old_format_is_not_used() -> None:
    """A page asked for before the receiver's abilities were known comes after they are."""
    pages, dce = Later([white_page(coding=Coding.MR)]), ScriptDce()
    call = owned(CallParameters(Role.CALLS, poll=True), dce, pages, Store())
    call.start(0.0)
    stale = pages.answer
    dce.events += [DIS[0], Frame(HdlcFrame(Fcf.DIS, bytes.fromhex("008a00")).encode(), True), DIS[2]]
    call.pump(5.0)
    stale()
    call.pump(6.0)
    assert not any(isinstance(o, SendFrames) for o in dce.waiting)
    pages.answer()
    call.pump(7.0)
    assert isinstance(dce.waiting[-1], SendFrames)


def test_signal_that_was_missed_is_listened_for_again() -> None:
    class Counting(ScriptDce):
        listened = 0

        def order(self, order: LineOrder, now: float) -> None:
            self.listened += isinstance(order, Receive)
            super().order(order, now)

    dce = Counting()
    call = owned(CallParameters(Role.CALLS), dce, Pages([white_page()]), Store())
    call.start(0.0)
    dce.events.append(CarrierMissed())
    call.pump(1.0)
    assert dce.listened == 1


class Torn(Pages):
    def fetch(self, number: int, accepts: object, deliver: Callable[[CodedPage | None, bool], None]) -> None:
        raise OSError("the page is gone")


def test_fault_of_ours_ends_this_call_with_its_own_cause() -> None:
    notes: list[Progress] = []
    dce = ScriptDce()
    call = owned(CallParameters(Role.CALLS), dce, Torn([white_page()]), Store(), notes.append)
    call.start(0.0)
    dce.events += DIS
    call.pump(5.0)
    assert call.result is not None
    assert call.result.cause is causes.INTERNAL_FAULT
    assert isinstance(dce.waiting[-1], HangUp)
    assert "the page is gone" in str([p.fields for p in notes if p.event == "fault"])
    call.pump(6.0)
    call.handle_timer(7.0)
    assert call.next_deadline() is None


class Deaf(ScriptDce):
    def order(self, order: LineOrder, now: float) -> None:
        raise RuntimeError("no such order")


def test_line_that_takes_no_order_ends_the_call() -> None:
    call = owned(CallParameters(Role.CALLS), Deaf(), Pages([]), Store())
    call.start(0.0)
    assert call.result is not None
    assert call.result.cause is causes.INTERNAL_FAULT


class Chatty(ScriptDce):
    def take_events(self) -> list[object]:  # type: ignore[override]
        return [CarrierOff()]


def test_line_that_never_falls_silent_ends_the_call() -> None:
    call = owned(CallParameters(Role.CALLS), Chatty(), Pages([]), Store())  # type: ignore[arg-type]
    call.start(0.0)
    assert call.result is not None
    assert call.result.cause is causes.INTERNAL_FAULT


@pytest.mark.parametrize("role", Role)
def test_a_call_cancelled_before_anything_was_heard_ends_as_cancelled(role: Role) -> None:
    dce = ScriptDce()
    call = owned(CallParameters(role), dce, Pages([white_page()]), Store())
    call.start(0.0)
    call.cancel(0.5)
    call.cancel(0.6)
    deadline = call.next_deadline()
    assert deadline is not None
    call.handle_timer(deadline)
    assert call.result is not None
    assert call.result.cause is CANCELLED
