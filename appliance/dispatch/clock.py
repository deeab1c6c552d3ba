"""The clock by which jobs are scheduled: when it is set, waiting jobs keep their remaining time."""

from __future__ import annotations

import asyncio
import logging
import time

from appliance.box import Box
from appliance.spool import bounds
from appliance.spool.clock import clock_set
from appliance.spool.transaction import Tx

_log = logging.getLogger(__name__)

# Smallest change of the clock that counts, seconds.
CLOCK_SET_S = 5.0
# Interval of the checks whether a clock that jumped ahead is trusted again, seconds.
BELIEVED_EVERY_S = 60.0
# Two clocks count as read at the same time when both are read within this, seconds.  On a busy machine the
# process may be suspended between them; then they are read again, this many times at most.
ONE_MOMENT_S = 0.001
LOOKS = 20


class JobClock:
    """Unix time for decisions about jobs.  For the event loop."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._looked_at, monotonic = self._read()  # Unix time
        self._ahead = self._looked_at - monotonic
        self._lock = asyncio.Lock()  # so that one change of the clock is handled once
        self._believe_at = monotonic  # when to check next whether jobs that wait for the clock may go

    async def now(self) -> float:
        """Unix time, after adjusting all waiting and running jobs to a change of the clock.

        A board without a real-time clock starts in the past; its clock is set when the network comes up.
        """
        async with self._lock:
            now, monotonic = self._read()
            by = now - monotonic - self._ahead
            if abs(by) >= CLOCK_SET_S:
                moved = await self._box.spool.ado(self._clock_set, now, by)
                _log.warning("the clock was set by %+.0f s: %d faxes keep the time they had left", by, moved)
                self._believe_at = monotonic
            self._looked_at = now
            self._ahead += by
            if monotonic >= self._believe_at:
                self._believe_at = monotonic + BELIEVED_EVERY_S
                # Not by a ``now`` of before the clock was set again; the next call sees that.
                if not self._box.age_clock.unexplained_s() and self.goes_on():
                    await self._box.spool.ado(bounds.clock_believed, now)
        return now

    def goes_on(self) -> bool:
        """Whether the clock has not been set since the last ``now``.

        Otherwise the time that ``now`` returned cannot be compared with that of a job accepted since.
        """
        now, monotonic = self._read()
        return abs(now - monotonic - self._ahead) < CLOCK_SET_S

    def _read(self) -> tuple[float, float]:
        """Unix and monotonic time at the same moment."""
        for _ in range(LOOKS):
            monotonic = time.monotonic()
            now = self._box.clock()
            if time.monotonic() - monotonic < ONE_MOMENT_S:
                break
        return now, monotonic

    def _clock_set(self, tx: Tx, now: float, by: float) -> int:
        """Adjusts the jobs, within one transaction; jobs submitted meanwhile are stored after it."""
        doubted = by > 0 and self._box.age_clock.unexplained_s() > 0
        fresh = (self._looked_at + by, self._box.clock())
        return clock_set(tx, now - by, by, fresh=fresh, doubted=doubted)
