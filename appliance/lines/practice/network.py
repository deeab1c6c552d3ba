"""A simulated packet network: loss, repeats, reordering and delay of datagrams, from a seed.  Without I/O."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Impairment:
    """The impairments of one direction of a packet network.

    ``loss``, ``repeat`` and ``reorder`` are shares of the datagrams; a reordered one comes
    ``reorder_s`` later than it should.  ``jitter_s`` is the largest extra delay of any, evenly spread
    (packets overtake each other when it exceeds their spacing).  From ``silent_after_s`` on, of line
    time, everything is lost, for ``silent_for_s`` or for good; from ``late_after_s`` on it comes
    ``late_s`` later.
    """

    loss: float = 0.0
    repeat: float = 0.0
    reorder: float = 0.0
    delay_s: float = 0.02
    jitter_s: float = 0.0
    reorder_s: float = 0.05
    silent_after_s: float | None = None
    silent_for_s: float = float("inf")
    late_after_s: float = float("inf")
    late_s: float = 0.0
    seed: int = 1


class Network:
    """One direction: computes when each datagram arrives, if at all."""

    def __init__(self, impairment: Impairment) -> None:
        self._impairment = impairment
        self._random = random.Random(impairment.seed)
        self.sent = 0
        self.lost = 0

    def arrivals(self, now: float) -> list[float]:
        """The times at which a datagram sent now arrives: none, one, or two."""
        what, draw = self._impairment, self._random.random
        self.sent += 1
        gone = what.silent_after_s is not None and 0 <= now - what.silent_after_s < what.silent_for_s
        if draw() < what.loss or gone:
            self.lost += 1
            return []
        copies = 2 if draw() < what.repeat else 1
        late = what.reorder_s if draw() < what.reorder else 0.0
        if now >= what.late_after_s:
            late += what.late_s
        return [now + what.delay_s + late + draw() * what.jitter_s for _ in range(copies)]
