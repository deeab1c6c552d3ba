"""Housekeeping for tests, by a clock that is always right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from appliance.box import Box
from appliance.daemon.housekeeping import Ages, Housekeeping
from appliance.services.erasure import Erasure


@dataclass(frozen=True, slots=True)
class SureClock:
    """``Ages`` of a clock that is always right."""

    clock: Callable[[], float]

    def now(self) -> float:
        return self.clock()

    def latest(self) -> float:
        return self.clock()


def keeper_of(
    box: Box,
    clock: Callable[[], float] | None = None,
    erasure: Erasure | None = None,
    *,
    ages: Ages | None = None,
) -> Housekeeping:
    """The housekeeping of ``box``; ``clock``: another than the box's own."""
    clock = clock or box.clock
    erasure = erasure or box.erasure
    return Housekeeping(box.spool, box.settings, box.guard, clock, erasure, ages=ages or SureClock(clock))
