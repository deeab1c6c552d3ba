"""What follows when the system's clock is set: nothing that waits or runs loses or gains time by it."""

from __future__ import annotations

from appliance.spool import bounds, events, received
from appliance.spool.store import Tx

# A clock that is behind by less needs nothing, seconds.
BEHIND_S = 5.0


def clock_set(tx: Tx, before: float, by: float, fresh: tuple[float, float] | None = None) -> int:
    """The clock, which stood at ``before``, was set ``by`` seconds on (negative: back).

    ``fresh``: what was handed in between these two moments goes by the new clock already.  Returns how many
    jobs that concerned.
    """
    received.clock_set(tx, before, by)
    return bounds.clock_set(tx, before, by, fresh)


def clock_behind(tx: Tx, now: float) -> float:
    """At start: a clock that is behind what was last written was set back meanwhile, or never set.

    Returns by how much, seconds.
    """
    last = events.last_moment(tx.db)
    if last is None or last - now < BEHIND_S:
        return 0.0
    clock_set(tx, last, now - last)
    return last - now
