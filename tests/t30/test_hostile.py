"""Lying, babbling and attacking far ends: no exception, no endless call, bounded memory, valid orders.

FAXBOX_SWEEP=1 mutates a hundred thousand frames; without it a seeded sample of a few thousand.
"""

from __future__ import annotations

import os
import random

import pytest

from appliance.causes import DELIVERED
from appliance.t4.coding import decode
from appliance.t4.page import Coding
from appliance.t30 import causes, timers
from appliance.t30.dce import (
    Carrier,
    CarrierMissed,
    CarrierOff,
    CarrierOn,
    Data,
    Frame,
    HangUp,
    LineEvent,
    LineOrder,
    Receive,
    SendCng,
    Sent,
    Tone,
    ToneHeard,
)
from appliance.t30.frames import Fcf
from appliance.t30.parameters import CallParameters, Capabilities, Progress, Role
from tests.t30.linked import Pages, Store, link, owned
from tests.t30.test_linked import document, pair, pixels

SWEEP = bool(os.environ.get("FAXBOX_SWEEP"))


def mutate(octets: bytes, lots: random.Random) -> bytes:
    data = bytearray(octets)
    match lots.randrange(7):
        case 0:
            return bytes(data[: lots.randrange(len(data) + 1)])
        case 1:
            return bytes(data) + lots.randbytes(lots.randrange(1, 200))
        case 2:
            return lots.randbytes(lots.randrange(260))
        case 3:
            data[2:3] = bytes((lots.choice(list(Fcf)).value | lots.randrange(2),))
        case 4:
            data[1:2] = bytes((lots.choice((0x03, 0x13, 0xC8, 0x00)),))
        case _:
            for _ in range(lots.randrange(1, 5)):
                data[lots.randrange(len(data))] ^= 1 << lots.randrange(8)
    return bytes(data)


class Mutator:
    """Changes V.21 frames on their way; their FCS stays right, so the engine must believe them."""

    def __init__(self, seed: int, share: float) -> None:
        self._lots = random.Random(seed)
        self._share = share
        self.mutated = 0

    def __call__(self, _who: str, _order: int, event: LineEvent) -> LineEvent | None:
        if isinstance(event, Frame) and self._lots.random() < self._share and event.octets[2:3] != b"\x06":
            self.mutated += 1
            return Frame(mutate(event.octets, self._lots), True)
        return event


def test_calls_with_mutated_frames_end_and_do_no_harm() -> None:
    wanted = 100_000 if SWEEP else 3_000
    mutated = seed = 0
    pages = [document(2, Coding.MMR, rows=10), document(2, Coding.MH, rows=10)]
    while mutated < wanted:
        seed += 1
        spoil = Mutator(seed, 0.1 + seed % 5 * 0.15)
        ecm = bool(seed % 2)
        a, b = pair(pages[0] if ecm else pages[1], Capabilities(ecm=ecm))
        link(a, b, spoil)
        mutated += spoil.mutated
        assert a.call.result is not None
        assert b.call.result is not None
        assert causes.INTERNAL_FAULT not in (a.call.result.cause, b.call.result.cause)
        for end in (a, b):
            assert len(end.progress) < timers.NOTES_LIMIT


class Babbler:
    """A DCE whose far end does anything at any time, but which keeps the rules of ``Dce`` itself."""

    def __init__(self, lots: random.Random) -> None:
        self._lots = lots
        self.sending: LineOrder | None = None
        self.events: list[LineEvent] = []
        self.orders = 0
        self.hung_up = False

    def order(self, order: LineOrder, now: float) -> None:
        assert not self.hung_up, "an order after HangUp"
        self.orders += 1
        if isinstance(order, HangUp):
            self.hung_up = True
        elif self.sending is not None:
            raise AssertionError(f"{order} while {self.sending} runs")
        elif not isinstance(order, Receive | SendCng):
            self.sending = order

    def handle_timer(self, now: float) -> None:
        pass

    def next_deadline(self) -> float | None:
        return None

    def take_events(self) -> list[LineEvent]:
        events, self.events = self.events, []
        return events

    def babble(self) -> None:
        lots = self._lots
        if self.sending is not None and lots.random() < 0.5:
            self.sending = None
            self.events.append(Sent())
            return
        carrier = lots.choice(list(Carrier)) if lots.random() < 0.3 else Carrier.V21
        match lots.randrange(10):
            case 0 | 1:
                self.events.append(CarrierOn(carrier))
            case 2 | 3:
                self.events.append(CarrierOff())
            case 4 | 5 | 6:
                code = lots.choice(list(Fcf)).value | lots.randrange(2)
                fif = lots.choice((b"", bytes.fromhex("002afc04"), lots.randbytes(lots.randrange(40))))
                control = lots.choice((0x03, 0x13, 0x13))
                self.events.append(Frame(bytes((0xFF, control, code)) + fif, lots.random() < 0.9))
            case 7:
                self.events.append(Data(lots.randbytes(50) if lots.random() < 0.5 else bytes(400)))
            case 8:
                self.events.append(CarrierMissed())
            case _:
                self.events.append(ToneHeard(lots.choice(list(Tone))))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("ecm", [True, False])
def test_random_events_from_the_far_end_cause_no_internal_fault(role: Role, ecm: bool) -> None:
    pages = document(2, Coding.MH, rows=10)
    for seed in range(3000 if SWEEP else 150):
        lots = random.Random(seed)
        dce = Babbler(lots)
        notes: list[Progress] = []
        store = Store()
        parameters = CallParameters(
            role, "+1", Capabilities(ecm=ecm), poll=seed % 3 == 1, offers_pages=seed % 3 == 2
        )
        call = owned(parameters, dce, Pages(pages), store, notes.append)
        now = 0.0
        call.start(now)
        for _ in range(3000):
            if call.result is not None:
                break
            dce.babble()
            call.pump(now)
            now += lots.choice((0.0, 0.01, 0.1, 1.0))
            deadline = call.next_deadline()
            if deadline is not None and deadline <= now:
                call.handle_timer(now)
        assert call.result is None or call.result.cause is not causes.INTERNAL_FAULT
        if call.result is not None and call.result.cause is DELIVERED:
            assert call.result.pages_sent >= 1
        assert (call.result is None) or dce.hung_up
        assert len(notes) < 2 * timers.NOTES_LIMIT + 10 * dce.orders


def test_account_does_not_grow_with_what_the_far_end_sends() -> None:
    notes: list[Progress] = []
    dce = Babbler(random.Random(1))
    pages = Pages(document(1, Coding.MH, rows=5))
    call = owned(CallParameters(Role.CALLS), dce, pages, Store(), notes.append)
    call.start(0.0)
    for _ in range(4000):
        dce.events += [CarrierOn(Carrier.V21), *[Frame(b"\xff\x03\x00", True)] * 40, CarrierOff()]
        call.pump(0.0)
    assert len(notes) <= timers.NOTES_LIMIT + 10
    assert notes[-1].event == "more_not_noted"


def test_page_without_end_is_ended() -> None:
    a, b = pair(document(1, Coding.MH), Capabilities(ecm=False))

    def flood(who: str, _order: int, event: LineEvent) -> LineEvent | None:
        if who == "a" and isinstance(event, Data) and any(event.octets):
            return Data(b"\xff" * (timers.IMAGE_LIMIT_OCTETS + 1))
        return event

    link(a, b, flood)
    assert b.call.result is not None
    assert b.call.result.cause is causes.PAGE_TOO_LARGE
    assert not b.store.pages


def test_frames_of_a_page_that_lie_about_their_length() -> None:
    a, b = pair(document(1, Coding.MMR))
    lied = False

    def lie(who: str, _order: int, event: LineEvent) -> LineEvent | None:
        nonlocal lied
        if who == "a" and isinstance(event, Frame) and event.octets[2] == Fcf.FCD.value and not lied:
            lied = True
            return Frame(event.octets[:4] + b"\0" * 300, True)
        return event

    link(a, b, lie)
    assert a.call.result is not None
    assert a.call.result.cause is DELIVERED
    assert pixels(b.store.pages[0].page) == decode(a.pages.pages[0]).data
    assert "PPR" in b.frames()
