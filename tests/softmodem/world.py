"""Virtual time for soft modems and their DTEs; the bytes between are delayed and cut as configured."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tests.softmodem.exchange import Exchange
from tests.softmodem.library import TICK_S
from tests.softmodem.stations import AtMode, SoftModem


class Dte(Protocol):
    """A driver without I/O."""

    def receive_bytes(self, data: bytes, now: float) -> None: ...
    def take_bytes(self, limit: int) -> bytes: ...
    def next_deadline(self) -> float | None: ...
    def handle_timer(self, now: float) -> None: ...


@dataclass
class Cable:
    """How bytes travel between a modem and its DTE.

    ``delay_s`` is the largest delay of either way, drawn per chunk from ``seed`` (order is kept);
    ``split`` is the largest chunk, drawn likewise, 0 for whole writes.  ``octets_per_tick`` is the speed.

    With ``line_waits`` line time stands still while an answer or a command is under way, so that only the
    driver's own clock sees the delay: T.30 leaves 75 ms between DCS and TCF, whatever lies between modem
    and DTE.
    """

    delay_s: float = 0.0
    line_waits: bool = False
    steady: bool = True  # always the largest delay
    split: int = 0
    seed: int = 1
    octets_per_tick: int = 240  # 115200 bit/s is 230 octets in 20 ms
    buffer: int = 4096  # octets on their way to the modem, held back by flow control or not

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._flights: dict[str, deque[tuple[float, bytes]]] = {"to": deque(), "from": deque()}

    def put(self, way: str, data: bytes, now: float) -> None:
        flights = self._flights[way]
        position = 0
        while position < len(data):
            step = self._random.randint(1, self.split) if self.split else len(data)
            delay = self.delay_s if self.steady else self._random.random() * self.delay_s
            due = max(now + delay, flights[-1][0] if flights else 0.0)
            flights.append((due, data[position : position + step]))
            position += step

    def get(self, way: str, now: float) -> list[bytes]:
        flights = self._flights[way]
        out = []
        while flights and flights[0][0] <= now + 1e-9 and len(out) < 1:
            out.append(flights.popleft()[1])
        return out

    def take(self, now: float) -> bytes:
        """The next chunk for the modem that has arrived, b'' when there is none."""
        flights = self._flights["to"]
        return flights.popleft()[1] if flights and flights[0][0] <= now + 1e-9 else b""

    def waiting(self, way: str) -> int:
        return sum(len(data) for _, data in self._flights[way])


@dataclass
class Link:
    """A soft modem, its cable and its driver."""

    modem: SoftModem
    dte: Dte
    cable: Cable = field(default_factory=Cable)
    plugged: bool = True
    stalled: Callable[[float, SoftModem], bool] = lambda _now, _modem: False  # the box is busy

    _allowance: int = 0

    def holds_the_line(self) -> bool:
        """Line time is to wait for what is under way between modem and driver."""
        if not self.cable.line_waits or not self.plugged:
            return False
        coming, going = self.cable.waiting("from"), self.cable.waiting("to")
        match self.modem.mode:
            case AtMode.DELIVERY:
                return going > 0
            case AtMode.STUFFED:
                return coming > 0 or (going > 0 and self.modem.clear_to_send)
            case AtMode.HDLC | AtMode.OFFHOOK_COMMAND:
                return coming + going > 0
            case _:
                return False

    def step(self, now: float) -> None:
        if not self.plugged:
            return
        self._allowance = self.cable.octets_per_tick
        if self.stalled(now, self.modem):
            self._feed(now)
            return
        self._serve(now)
        deadline = self.dte.next_deadline()
        if deadline is not None and deadline <= now:
            self.dte.handle_timer(now)
            self._serve(now)

    def _serve(self, now: float) -> None:
        for _ in range(500):  # several exchanges may fit into a tick when the cable has no delay
            busy = False
            if self.modem.output:
                self.cable.put("from", bytes(self.modem.output), now)
                self.modem.output.clear()
            for data in self.cable.get("from", now):
                busy = True
                self.dte.receive_bytes(data, now)
            room = min(self._allowance, self.cable.buffer - self.cable.waiting("to"))
            if room > 0 and (data := self.dte.take_bytes(room)):
                busy = True
                self._allowance -= len(data)
                self.cable.put("to", data, now)
            if not self._feed(now) and not busy:
                return

    def _feed(self, now: float) -> bool:
        """What has come over the cable goes into the modem, as far as it takes it."""
        fed = False
        while self.modem.clear_to_send and (data := self.cable.take(now)):
            fed = True
            self.modem.to_modem(data)
        return fed


class World:
    """The exchange and all links, tick by tick."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.links: list[Link] = []
        self.now = exchange.now  # the drivers' clock; the line's may stand still

    def link(self, number: str, dte: Dte, cable: Cable | None = None, modem: SoftModem | None = None) -> Link:
        modem = modem or SoftModem()
        self.exchange.connect(number, modem)
        link = Link(modem, dte, cable or Cable())
        self.links.append(link)
        return link

    def run(self, until: Callable[[], bool], limit_s: float) -> float:
        """Runs until the condition holds; TimeoutError when ``limit_s`` of line time were not enough."""
        start = self.now
        while not until():
            if self.now - start > limit_s:
                raise TimeoutError(f"still going after {limit_s:.0f} s: {self.exchange.account[-5:]}")
            self.tick()
        return self.now - start

    def tick(self) -> None:
        for link in self.links:
            link.step(self.now)
        self.now += TICK_S
        if not any(link.holds_the_line() for link in self.links):
            self.exchange.tick()

    def run_for(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK_S)):
            self.tick()
