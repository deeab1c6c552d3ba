"""A small telephone exchange: rings, busy, no answer, no dial tone, caller id; audio crossed tick by tick."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.softmodem.library import TICK_S
from tests.softmodem.stations import CallEvent, Station

RING_EVERY_S = 6.0  # 1 s on, 5 s off; France and others 5, US 6
POST_DIAL_S = 0.5

# One direction of a call: 20 ms of audio in, 20 ms out.
Impairment = Callable[[bytes], bytes]


def clean(audio: bytes) -> bytes:
    return audio


@dataclass
class _Call:
    caller: Station
    called: Station
    up: bool = False
    next_ring: float = 0.0
    rings: int = 0


@dataclass
class Exchange:
    """``dead`` lines have no dial tone, ``engaged`` numbers are busy, ``silent`` ones never ring.

    ``impair`` gives for (from number, to number) what happens to that direction's audio.
    """

    dead: set[str] = field(default_factory=set)
    engaged: set[str] = field(default_factory=set)
    withheld: set[str] = field(default_factory=set)
    ring_limit: int = 10
    impair: dict[tuple[str, str], Impairment] = field(default_factory=dict)
    now: float = 0.0

    def __post_init__(self) -> None:
        self._numbers: dict[str, Station] = {}
        self._calls: list[_Call] = []
        self.account: list[str] = []

    def connect(self, number: str, station: Station) -> None:
        """Gives a subscriber a number."""
        self._numbers[number] = station
        station.exchange = self

    def disconnect(self, number: str) -> None:
        """Takes a subscriber's line away."""
        station = self._numbers.pop(number)
        self.hangs_up(station)

    def number_of(self, station: Station) -> str:
        return next(number for number, each in self._numbers.items() if each is station)

    # -- what stations ask for -----------------------------------------------------------------

    def dials(self, station: Station, number: str) -> None:
        digits = "".join(c for c in number if c in "0123456789*#")
        mine = self.number_of(station)
        self.account.append(f"{mine} dials {digits}")
        called = self._numbers.get(digits)
        if mine in self.dead:
            self._later(station, CallEvent.NO_DIALTONE)
        elif not digits:
            self._later(station, CallEvent.CONNECTED)  # off hook, dial tone, nothing dialled
        elif digits in self.engaged or (called is not None and self._call_of(called) is not None):
            self._later(station, CallEvent.BUSY)
        elif called is None:
            self._later(station, CallEvent.NO_ANSWER)
        else:
            self._calls.append(_Call(station, called, next_ring=self.now + POST_DIAL_S))

    def answers(self, station: Station) -> None:
        call = self._call_of(station)
        if call is None or call.called is not station or call.up:
            return
        call.up = True
        self.account.append(f"{self.number_of(station)} answers")
        station.event(CallEvent.ANSWERED)
        call.caller.event(CallEvent.CONNECTED)

    def hangs_up(self, station: Station) -> None:
        call = self._call_of(station)
        if call is None:
            return
        self._calls.remove(call)
        other = call.called if call.caller is station else call.caller
        self.account.append("hang-up")
        if call.up or other is call.caller:
            other.event(CallEvent.HANGUP)

    def _later(self, station: Station, event: CallEvent) -> None:
        self._pending.append((self.now + POST_DIAL_S, station, event))

    @property
    def _pending(self) -> list[tuple[float, Station, CallEvent]]:
        return self.__dict__.setdefault("_events", [])

    def _call_of(self, station: Station) -> _Call | None:
        return next((c for c in self._calls if station in (c.caller, c.called)), None)

    # -- time ----------------------------------------------------------------------------------

    def tick(self) -> None:
        """20 ms pass."""
        self.now += TICK_S
        for station in list(self._numbers.values()):
            station.tick()
        for due in [p for p in self._pending if p[0] <= self.now]:
            self._pending.remove(due)
            due[1].event(due[2])
        for call in list(self._calls):
            if call.up:
                self._cross(call)
            elif self.now >= call.next_ring:
                self._ring(call)
        idle = [s for s in self._numbers.values() if (c := self._call_of(s)) is None or not c.up]
        for station in idle:
            station.speak()  # a modem's own timers run on samples
            station.listen(bytes(320))

    def _ring(self, call: _Call) -> None:
        call.next_ring += RING_EVERY_S
        call.rings += 1
        if call.rings > self.ring_limit:
            self._calls.remove(call)
            call.caller.event(CallEvent.NO_ANSWER)
            return
        mine = self.number_of(call.caller)
        call.called.event(CallEvent.ALERTING, "P" if mine in self.withheld else mine)

    def _cross(self, call: _Call) -> None:
        a, b = self.number_of(call.caller), self.number_of(call.called)
        from_a = self.impair.get((a, b), clean)(call.caller.speak())
        from_b = self.impair.get((b, a), clean)(call.called.speak())
        call.called.listen(from_a)
        call.caller.listen(from_b)
