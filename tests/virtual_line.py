"""A simulated line between two T.38 endpoints in virtual time.

Calls of ten minutes run in seconds, and the same seed gives the same call.  Either end may be the
practice machine or our own endpoint: both have the same methods.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Protocol

from appliance.lines.practice.network import Impairment, Network


class Endpoint(Protocol):
    """A T.38 endpoint without I/O."""

    def start(self, now: float) -> None: ...
    def receive_datagram(self, data: bytes, now: float) -> None: ...
    def take_datagrams(self) -> list[bytes]: ...
    def next_deadline(self) -> float | None: ...
    def handle_timer(self, now: float) -> None: ...


Tap = Callable[[float, bool, bytes], None]
# From an end that is done to the BYE at the other one.
BYE_DELAY_S = 0.05


class VirtualLine:
    """Two endpoints and the network between them.

    ``a_over`` and ``b_over`` say whether each end is done; the line stops when both are.  When one is,
    the other one's owner has its BYE ``BYE_DELAY_S`` later: ``bye`` is called with the end that stays.
    ``tap(time, from_a, datagram)`` sees all that is sent; ``each_moment`` is called with the time whenever
    something happened, and may interfere with the ends.
    """

    def __init__(
        self,
        a: Endpoint,
        b: Endpoint,
        *,
        a_over: Callable[[], bool],
        b_over: Callable[[], bool],
        a_to_b: Impairment,
        b_to_a: Impairment,
        bye: Callable[[Endpoint, float], None] = lambda _end, _now: None,
        tap: Tap | None = None,
        each_moment: Callable[[float], None] | None = None,
    ) -> None:
        self._ends = (a, b)
        self._over = (a_over, b_over)
        self._networks = (Network(a_to_b), Network(b_to_a))
        self._bye = bye
        self._tap = tap
        self._each_moment = each_moment
        self._flights: list[tuple[float, int, int, bytes]] = []
        self._order = 0
        self.now = 0.0

    @property
    def lost(self) -> int:
        """Datagrams lost so far, both ways together."""
        return self._networks[0].lost + self._networks[1].lost

    @property
    def sent(self) -> int:
        """Datagrams sent so far, both ways together."""
        return self._networks[0].sent + self._networks[1].sent

    def run(self, limit_s: float) -> float:
        """Runs the call to its end; the line time it took, seconds.  TimeoutError beyond ``limit_s``."""
        for end in self._ends:
            end.start(self.now)
        self._collect()
        byes: list[float | None] = [None, None]  # when each end hears that the other one is gone
        while not all(over() for over in self._over):
            for index in (0, 1):
                if byes[index] is None and self._over[1 - index]() and not self._over[index]():
                    byes[index] = self.now + BYE_DELAY_S
            due = [end.next_deadline() for end in self._ends]
            times = [each for each in (*due, *byes) if each is not None]
            if self._flights:
                times.append(self._flights[0][0])
            if not times:
                raise TimeoutError(f"nothing left to happen after {self.now:.2f} s")
            self.now = max(self.now, min(times))
            if self.now > limit_s:
                raise TimeoutError(f"the call was still up after {self.now:.1f} s")
            self._deliver()
            for index, end in enumerate(self._ends):
                deadline = due[index]
                if deadline is not None and deadline <= self.now:
                    end.handle_timer(self.now)
                said = byes[index]
                if said is not None and said <= self.now:
                    byes[index] = None
                    if not self._over[index]():
                        self._bye(end, self.now)
            if self._each_moment is not None:
                self._each_moment(self.now)
            self._collect()
        return self.now

    def _deliver(self) -> None:
        while self._flights and self._flights[0][0] <= self.now:
            _, _, to, datagram = heapq.heappop(self._flights)
            if not self._over[to]():
                self._ends[to].receive_datagram(datagram, self.now)

    def _collect(self) -> None:
        for index, end in enumerate(self._ends):
            for datagram in end.take_datagrams():
                if self._tap is not None:
                    self._tap(self.now, index == 0, datagram)
                for arrival in self._networks[index].arrivals(self.now):
                    self._order += 1
                    heapq.heappush(self._flights, (arrival, self._order, 1 - index, datagram))
