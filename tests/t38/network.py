"""Two sans-I/O ends over a simulated network: seeded loss, delay, reordering, duplicates; no sockets."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

HANG_STEPS = 2_000_000  # a simulation that does not end is a bug, not a slow test


class End(Protocol):
    def receive_datagram(self, data: bytes, now: float) -> None: ...
    def handle_timer(self, now: float) -> None: ...
    def next_deadline(self) -> float | None: ...
    def take_datagrams(self) -> list[bytes]: ...


@dataclass
class Network:
    """What happens to datagrams; ``tap`` keeps (time, from, datagram) of all that were sent."""

    loss: float = 0.0
    duplicate: float = 0.0
    delay_s: float = 0.02
    jitter_s: float = 0.0
    seed: int = 1
    lose: Callable[[float, int], bool] = lambda _at, _side: False  # these datagrams, beside ``loss``
    tap: list[tuple[float, int, bytes]] = field(default_factory=list)
    now: float = 0.0

    def run(self, ends: tuple[End, End], stop, until: float = 3600.0) -> None:
        """Moves datagrams and time until ``stop()`` is true or ``until``; ``pump`` after each step."""
        rng = random.Random(self.seed)
        queue: list[tuple[float, int, int, bytes]] = []
        count = 0
        for _ in range(HANG_STEPS):
            for side, end in enumerate(ends):
                for data in end.take_datagrams():
                    self.tap.append((self.now, side, data))
                    gone = rng.random() < self.loss or self.lose(self.now, side)
                    copies = 0 if gone else 1
                    copies += rng.random() < self.duplicate
                    for _ in range(copies):
                        count += 1
                        at = self.now + self.delay_s + rng.random() * self.jitter_s
                        heapq.heappush(queue, (at, count, 1 - side, data))
            if stop():
                return
            times = [end.next_deadline() for end in ends]
            times.append(queue[0][0] if queue else None)
            upcoming = [at for at in times if at is not None]
            if not upcoming or min(upcoming) > until:
                return
            self.now = max(self.now, min(upcoming))
            while queue and queue[0][0] <= self.now:
                _, _, side, data = heapq.heappop(queue)
                ends[side].receive_datagram(data, self.now)
            for end in ends:
                deadline = end.next_deadline()
                if deadline is not None and deadline <= self.now:
                    end.handle_timer(self.now)
        raise AssertionError("the simulation does not end")
