"""Adapts waiting and running things when the system's clock is set, so that they neither lose nor gain
time.
"""

from __future__ import annotations

from appliance.spool import bounds, events, received
from appliance.spool.age_clock import YOUNGER_THAN
from appliance.spool.transaction import Tx

# A smaller difference of the clock is ignored, seconds.
BEHIND_S = 5.0


def clock_set(
    tx: Tx, before: float, by: float, fresh: tuple[float, float] | None = None, *, doubted: bool = False
) -> int:
    """Adapts the spool after the clock, at ``before``, was set forward by ``by`` seconds (negative: back).

    ``fresh``: jobs handed in between these two times already follow the new clock.  ``doubted``: it jumped
    ahead without a known reason.  Returns the number of changed jobs.
    """
    received.clock_set(tx, before, by)
    moved = bounds.clock_set(tx, before, by, fresh, doubted=doubted)
    tx.emit(before + by, "box.clock_set", None, "", by_s=by)  # from which a start knows the last time
    return moved


def clock_behind(tx: Tx, now: float) -> float:
    """Adapts the spool at start if the clock is behind the last entry: it was set back meanwhile, or never
    set.

    Returns by how much it is behind, seconds.
    """
    last = events.last_event_at(tx.db)
    if last is None or last - now < BEHIND_S:
        return 0.0
    clock_set(tx, last, now - last)
    return last - now


def clock_ahead(tx: Tx, now: float, unexplained_s: float) -> float:
    """Adapts the spool at start if the clock was set while the box was down: it is ahead by
    ``unexplained_s``, or the last entry is from before any time that can be right.

    Returns by how much it was set since the last entry, seconds.
    """
    last = events.last_event_at(tx.db)
    if last is None:
        return 0.0
    put_right = last < YOUNGER_THAN <= now
    by = now - last if put_right else min(unexplained_s, now - last)
    if by < BEHIND_S:
        return 0.0
    clock_set(tx, now - by, by, doubted=not put_right)
    return by
