"""``Attention``: which faxes wait for somebody to look at them, and since when nobody did."""

from __future__ import annotations

import threading

from appliance.services.rules import Clock
from appliance.spool import jobs
from appliance.spool.model import Job, JobFilter, JobState
from appliance.spool.store import Spool

# What ended longer ago than this calls for nobody any more, seconds: a weekday's night.
CALLS_S = 12 * 3600.0
# So many of the newest are looked at.
MOST = 100
# The transient event that somebody has looked.
LOOKED = "box.looked"
# Who did not get their fax, or nobody knows whether.
_STATES = frozenset({JobState.FAILED, JobState.UNKNOWN})


class Attention:
    """In memory: after a start of the box, what ended lately calls for somebody again."""

    def __init__(self, spool: Spool, clock: Clock) -> None:
        self._spool = spool
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_at = 0.0

    def looked(self) -> None:
        """Somebody has seen them."""
        with self._lock:
            self._looked_at = self._clock()
        self._spool.announce(self._clock(), LOOKED, None, "", {})

    def wanted(self) -> list[Job]:
        """Faxes that failed, or whose fate is unknown, since somebody looked; newest first."""
        with self._lock:
            since = max(self._looked_at, self._clock() - CALLS_S)
        found = self._spool.read(jobs.search, JobFilter(states=_STATES, limit=MOST))
        return [job for job in found if job.ended_at is not None and job.ended_at > since]
