"""What follows when the system's clock is set: nothing that waits or runs loses or gains time by it."""

from __future__ import annotations

from appliance.spool import bounds, events, received
from appliance.spool.transaction import Tx

# A clock that is behind, or ahead, by less needs nothing, seconds.
BEHIND_S = 5.0


def clock_set(
    tx: Tx, before: float, by: float, fresh: tuple[float, float] | None = None, *, doubted: bool = False
) -> int:
    """The clock, which stood at ``before``, was set ``by`` seconds on (negative: back).

    ``fresh``: what was handed in between these two moments goes by the new clock already.  ``doubted``: it
    jumped ahead without a reason that is known.  Returns how many jobs that concerned.
    """
    received.clock_set(tx, before, by)
    moved = bounds.clock_set(tx, before, by, fresh, doubted=doubted)
    tx.emit(before + by, "box.clock_set", None, "", by_s=by)  # what a start knows the last moment by
    return moved


def clock_behind(tx: Tx, now: float) -> float:
    """At start: a clock that is behind what was last written was set back meanwhile, or never set.

    Returns by how much, seconds.
    """
    last = events.last_event_at(tx.db)
    if last is None or last - now < BEHIND_S:
        return 0.0
    clock_set(tx, last, now - last)
    return last - now


def clock_ahead(tx: Tx, now: float, unexplained_s: float) -> float:
    """At start: a clock that is ahead by so much without a reason was set while the box was down.

    Returns by how much it was set since something was last written, seconds.
    """
    last = events.last_event_at(tx.db)
    by = 0.0 if last is None else min(unexplained_s, now - last)
    if by < BEHIND_S:
        return 0.0
    clock_set(tx, now - by, by, doubted=True)
    return by
