"""The clock that jobs go by: when it is set, what waits keeps the time it had left."""

from __future__ import annotations

import asyncio
import logging
import time

from appliance.box import Box
from appliance.spool import bounds
from appliance.spool.clock import clock_set
from appliance.spool.transaction import Tx

_log = logging.getLogger(__name__)

# A clock that was set by less needs nothing, seconds.
CLOCK_SET_S = 5.0
# Whether a clock that jumped ahead is believed by now is looked at so often, seconds.
BELIEVED_EVERY_S = 60.0
# Two clocks read within so long are read at one moment, seconds; on a busy machine we may be held up between
# them, and look again, so many times at most.
ONE_MOMENT_S = 0.001
LOOKS = 20


class JobClock:
    """Unix time, for what is decided about jobs.  On the event loop."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._looked_at, monotonic = self._read()  # Unix time
        self._ahead = self._looked_at - monotonic
        self._lock = asyncio.Lock()  # the clock is set once, not twice
        self._believe_at = monotonic  # when to look next whether what waits for it may go

    async def now(self) -> float:
        """The time, once everything that waits or is under way goes by it.

        A board without a clock of its own starts in the past, and is set when the network comes up.
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
                if not self._box.age_clock.unexplained_s():
                    await self._box.spool.ado(bounds.clock_believed, now)
        return now

    def goes_on(self) -> bool:
        """Whether nobody has set the clock since ``now`` last told the time.

        Else what ``now`` told says nothing of a job that was handed in since.
        """
        now, monotonic = self._read()
        return abs(now - monotonic - self._ahead) < CLOCK_SET_S

    def _read(self) -> tuple[float, float]:
        """Unix and monotonic time at one moment."""
        for _ in range(LOOKS):
            monotonic = time.monotonic()
            now = self._box.clock()
            if time.monotonic() - monotonic < ONE_MOMENT_S:
                break
        return now, monotonic

    def _clock_set(self, tx: Tx, now: float, by: float) -> int:
        """Within the transaction: what is handed in after this moment waits for its end."""
        doubted = by > 0 and self._box.age_clock.unexplained_s() > 0
        fresh = (self._looked_at + by, self._box.clock())
        return clock_set(tx, now - by, by, fresh=fresh, doubted=doubted)
