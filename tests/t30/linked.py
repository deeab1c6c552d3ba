"""Two fax calls joined by a line in memory, with a clock of its own: minutes run in milliseconds."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from appliance.t4.page import CodedPage
from appliance.t30.call import Dce, FaxCall
from appliance.t30.causes import RECORD_FAILED
from appliance.t30.conversation import AskToEndLastPage, EndPermitted, FromCall, StorePage
from appliance.t30.dce import (
    Carrier,
    CarrierOff,
    CarrierOn,
    Data,
    Frame,
    HangUp,
    LineEvent,
    LineLost,
    LineOrder,
    Modulation,
    Receive,
    SendCed,
    SendCng,
    SendEcm,
    SendFrames,
    SendImage,
    SendTcf,
    Sent,
    Tone,
    ToneHeard,
)
from appliance.t30.memory import answer_from, ignore
from appliance.t30.parameters import CallParameters, Progress, ReceivedPage

GAP_S = 0.075
PREAMBLE_S = 1.0
LONG_TRAIN_S = {Modulation.V27TER: 0.943, Modulation.V29: 0.253, Modulation.V17: 1.393}
SHORT_TRAIN_S = 0.142
CHUNK = 1024

# What the line does to an event on its way: gives it back, changed or not, or None when it is lost.
# It is told who sends ("a" calls, "b" answers) and the running number of the sender's order.
Spoil = Callable[[str, int, LineEvent], LineEvent | None]


def faithful(_who: str, _order: int, event: LineEvent) -> LineEvent | None:
    return event


class MemoryDce:
    """One end of the line."""

    def __init__(self, wire: Wire, name: str) -> None:
        self.wire = wire
        self.name = name
        self.peer: MemoryDce
        self.events: list[LineEvent] = []
        self.receive: Receive | None = None
        self.sending_until = -1.0
        self.orders: list[tuple[float, LineOrder]] = []
        self.gone = False

    def order(self, order: LineOrder, now: float) -> None:
        self.orders.append((now, order))
        number = len(self.orders) - 1
        match order:
            case Receive():
                self.receive = order
            case SendCng():
                self.receive = Receive(Carrier.V21, None)  # type: ignore[arg-type]
                self._later(now + 0.5, ToneHeard(Tone.CNG), number)
            case SendCed():
                self._later(now + 2.6, ToneHeard(Tone.CED), number)
                self._sent(now + 3.0)
            case SendFrames(frames):
                at = now + GAP_S
                self._later(at + 0.1, CarrierOn(Carrier.V21), number)
                at += PREAMBLE_S
                for frame in frames:
                    at += (len(frame) + 3) * 8 / 300
                    self._later(at, Frame(frame, True), number)
                self._later(at + 0.1, CarrierOff(), number)
                self._sent(at + 0.1)
            case SendTcf(carrier, octets):
                self._fast(now, carrier, False, [Data(bytes(octets))], octets, number)
            case SendImage(carrier, short, data):
                pieces: list[LineEvent] = [Data(data[i : i + CHUNK]) for i in range(0, len(data), CHUNK)]
                self._fast(now, carrier, short, pieces, len(data), number)
            case SendEcm(carrier, short, frames):
                size = sum(len(f) + 3 for f in frames) + int(carrier.bit_rate * 0.2 / 8)
                self._fast(now, carrier, short, [Frame(f, True) for f in frames], size, number)
            case HangUp():
                self.gone = True
                self.wire.later(now + 0.05, lambda: self.peer.hear(LineLost(), self, -1))

    def _fast(  # noqa: PLR0917
        self, now: float, carrier: Carrier, short: bool, events: list[LineEvent], octets: int, number: int
    ) -> None:
        v17 = carrier.modulation is Modulation.V17
        at = now + GAP_S + (SHORT_TRAIN_S if short and v17 else LONG_TRAIN_S[carrier.modulation])
        on = CarrierOn(carrier)
        self.wire.later(at, lambda: self.peer.hear(on, self, number))
        step = octets * 8 / carrier.bit_rate / max(1, len(events))
        for event in events:
            at += step
            self._later(at, event, number)
        self._later(at + 0.02, CarrierOff(), number)
        self._sent(at + 0.02)

    def _later(self, at: float, event: LineEvent, number: int) -> None:
        self.wire.later(at, lambda: self.peer.hear(event, self, number))

    def _sent(self, at: float) -> None:
        self.receive = None
        self.wire.later(at, lambda: self.events.append(Sent()))

    def hear(self, event: LineEvent, sender: MemoryDce, number: int) -> None:
        if isinstance(event, LineLost):
            self.events.append(event)
            return
        if self.receive is None or sender.gone or self.gone:
            return
        spoiled = self.wire.spoil(sender.name, number, event)
        if spoiled is not None:
            self.wire.later(self.wire.now + self.wire.delay, lambda: self.events.append(spoiled))

    def handle_timer(self, now: float) -> None:
        pass

    def next_deadline(self) -> float | None:
        return None

    def take_events(self) -> list[LineEvent]:
        events, self.events = self.events, []
        return events


class Wire:
    """The line: what arrives when, and what happens to it."""

    def __init__(self, spoil: Spoil = faithful, delay: float = 0.0) -> None:
        self.spoil = spoil
        self.delay = delay
        self.now = 0.0
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def later(self, at: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (at, next(self._numbers), act))

    def next(self) -> float | None:
        return self._queue[0][0] if self._queue else None

    def run_until(self, now: float) -> None:
        self.now = now
        while self._queue and self._queue[0][0] <= now:
            heapq.heappop(self._queue)[2]()


@dataclass
class Pages:
    """Pages in a list, delivered at once."""

    pages: list[CodedPage] = field(default_factory=list)
    asked: list[tuple[int, object]] = field(default_factory=list)

    def fetch(self, number: int, accepts: object, deliver: Callable[[CodedPage | None, bool], None]) -> None:
        self.asked.append((number, accepts))
        if number < len(self.pages):
            deliver(self.pages[number], number == len(self.pages) - 1)
        else:
            deliver(None, True)


@dataclass
class Store:
    """Pages kept in a list."""

    pages: list[ReceivedPage] = field(default_factory=list)
    last: list[bool] = field(default_factory=list)  # of each page, whether it was said to be the last

    def store(self, number: int, page: ReceivedPage, stored: Callable[[bool], None]) -> None:
        assert number == len(self.pages)
        self.pages.append(page)
        stored(True)


def owned(
    parameters: CallParameters,
    dce: Dce,
    pages: Pages,
    store: Store,
    progress: Callable[[Progress], None] = ignore,
    *,
    wake: Callable[[], None] = lambda: None,
) -> FaxCall:
    """A call whose owner has ``pages`` and ``store``; pages that want to be asked for the last end are."""

    def say(message: FromCall) -> None:
        if isinstance(message, StorePage) and isinstance(store, Store):
            store.last.append(message.last)
        ask = getattr(pages, "ask_to_end_last_page", None)
        if isinstance(message, AskToEndLastPage) and ask is not None:
            ask(lambda ok: call.answer(EndPermitted(message.ticket, None if ok else RECORD_FAILED)))
        else:
            answered(message)

    call = FaxCall(parameters, dce, say, wake=wake)
    answered = answer_from(pages, store, call.answer, progress)
    return call


@dataclass
class End:
    """One side of a linked pair."""

    parameters: CallParameters
    pages: Pages = field(default_factory=Pages)
    store: Store = field(default_factory=Store)
    progress: list[Progress] = field(default_factory=list)
    call: FaxCall = field(init=False)
    dce: MemoryDce = field(init=False)

    def words(self) -> list[str]:
        return [p.event for p in self.progress]

    def frames(self, event: str = "frame_sent") -> list[str]:
        """Names of the frames sent (or received), in order."""
        return [str(dict(p.fields)["name"]) for p in self.progress if p.event == event]


LIMIT_S = 7200.0


class Slow(Protocol):
    """A source or store that acts later: what is due, and a clock to say when."""

    clock: Callable[[], float]
    due: list[tuple[float, Callable[[], None]]]


def link(
    a: End,
    b: End,
    spoil: Spoil = faithful,
    delay: float = 0.0,
    *,
    slow: Slow | None = None,
    cancel: tuple[float, str] | None = None,
) -> float:
    """Runs a call from ``a`` to ``b`` to its end and answers how long it took, in the line's seconds.

    ``cancel`` is when the owner of which end ("a", "b") gives up.
    """
    wire = Wire(spoil, delay)
    if slow is not None:
        slow.clock = lambda: wire.now
    for end, name in ((a, "a"), (b, "b")):
        end.dce = MemoryDce(wire, name)
        end.call = owned(end.parameters, end.dce, end.pages, end.store, end.progress.append)
    a.dce.peer, b.dce.peer = b.dce, a.dce
    if cancel is not None:
        owner = (a if cancel[1] == "a" else b).call
        wire.later(cancel[0], lambda: owner.cancel(wire.now))
    a.call.start(0.0)
    b.call.start(0.0)
    while a.call.result is None or b.call.result is None:
        times = [wire.next(), a.call.next_deadline(), b.call.next_deadline()]
        times += [at for at, _ in slow.due] if slow is not None else []
        known = [t for t in times if t is not None]
        assert known, "both ends wait for ever"
        now = max(wire.now, min(known))
        assert now < LIMIT_S, "the call does not end"
        wire.run_until(now)
        while slow is not None and slow.due and slow.due[0][0] <= now:
            slow.due.pop(0)[1]()
        for end in (a, b):
            end.call.pump(now)
            if (end.call.next_deadline() or LIMIT_S) <= now:
                end.call.handle_timer(now)
    return wire.now
