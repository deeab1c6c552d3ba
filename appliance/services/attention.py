"""``Attention``: faxes that ended badly since somebody last looked."""

from __future__ import annotations

import threading

from appliance.services.rules import Clock
from appliance.spool import jobs
from appliance.spool.filters import JobFilter
from appliance.spool.model import Job, JobState
from appliance.spool.store import Spool

# Faxes that ended longer ago than this are ignored, seconds: a night between two working days.
CALLS_S = 12 * 3600.0
# How many of the newest faxes are examined.
MOST = 100
# The transient event that says that somebody has looked.
LOOKED = "box.looked"
# The states of faxes that did not arrive, or may not have.
_STATES = frozenset({JobState.FAILED, JobState.UNKNOWN})


class Attention:
    """Faxes that need attention.  In memory only: after a start of the box, recent ones need it again."""

    def __init__(self, spool: Spool, clock: Clock) -> None:
        self._spool = spool
        self._clock = clock
        self._lock = threading.Lock()
        self._looked_at = 0.0

    def mark_seen(self) -> None:
        """Records that somebody has seen the faxes."""
        with self._lock:
            self._looked_at = self._clock()
        self._spool.announce(self._clock(), LOOKED, None, "", {})

    def unseen(self) -> list[Job]:
        """Faxes that failed, or whose result is unknown, since somebody last looked; newest first."""
        with self._lock:
            since = max(self._looked_at, self._clock() - CALLS_S)
        found = self._spool.read(jobs.search, JobFilter(states=_STATES, limit=MOST))
        return [job for job in found if job.ended_at is not None and job.ended_at > since]
