"""The clock that jobs go by: when it is set, what waits keeps the time it had left."""

from __future__ import annotations

import asyncio
import logging
import time

from appliance.box import Box
from appliance.spool.clock import clock_set

_log = logging.getLogger(__name__)

# A clock that was set by less needs nothing, seconds.
CLOCK_SET_S = 5.0


class JobClock:
    """Unix time, for what is decided about jobs.  On the event loop."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._ahead: float | None = None  # Unix time less monotonic time, when last looked at
        self._lock = asyncio.Lock()  # the clock is set once, not twice

    async def now(self) -> float:
        """The time, once everything that waits or is under way goes by it.

        A board without a clock of its own starts in the past, and is set when the network comes up.
        """
        async with self._lock:
            now = self._box.clock()
            ahead = now - time.monotonic()
            by = 0.0 if self._ahead is None else ahead - self._ahead
            if abs(by) >= CLOCK_SET_S:
                moved = await self._box.spool.ado(clock_set, now - by, by)
                _log.warning("the clock was set by %+.0f s: %d faxes keep the time they had left", by, moved)
            self._ahead = ahead
        return now
