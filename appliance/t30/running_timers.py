"""The timers of a station that run now; their durations and clauses are in ``timers``."""

from __future__ import annotations

from collections.abc import Callable

from appliance.t30.roles import Timer
from appliance.t30.timers import CARRIER_LIMIT_S

# Timers that wait for the far end; they are suspended while it transmits.
_HELD = frozenset({Timer.T0, Timer.T1, Timer.T2, Timer.T4, Timer.TCF})


class Timers:
    """Starts, suspends and stops timers.

    ``now`` returns the time, seconds; ``carrier_ends_by`` until when the far end's carrier suspends timers at
    most, None in silence.
    """

    def __init__(self, now: Callable[[], float], carrier_ends_by: Callable[[], float | None]) -> None:
        self._now = now
        self._carrier_ends_by = carrier_ends_by
        self._running: dict[Timer, float] = {}

    def start(self, timer: Timer, seconds: float) -> None:
        """Starts a timer, or starts it again."""
        self._running[timer] = self._now() + seconds

    def stop(self, *which: Timer) -> None:
        """Stops timers; those that do not run are left alone."""
        for timer in which:
            self._running.pop(timer, None)

    def stop_all(self) -> None:
        """Stops every timer."""
        self._running.clear()

    def runs(self, timer: Timer) -> bool:
        """Whether a timer runs."""
        return timer in self._running

    def next_deadline(self) -> float | None:
        """When the next timer is due, seconds; None when none runs."""
        return min(map(self._due, self._running), default=None)

    def take_due(self) -> Timer | None:
        """Stops the timer that is due first and returns it; None when none is due."""
        timer = min(self._running, key=self._due, default=None)
        if timer is None or self._due(timer) > self._now():
            return None
        del self._running[timer]
        return timer

    def _due(self, timer: Timer) -> float:
        at, ends_by = self._running[timer], self._carrier_ends_by()
        if timer not in _HELD or ends_by is None:
            return at
        # Only for the carrier that is on when the timer is due, not for each that follows it without a gap.
        return max(at, min(ends_by, at + CARRIER_LIMIT_S))
