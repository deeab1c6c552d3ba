"""Periodic progress events with the number of packets that arrived, were repaired and are missing."""

from __future__ import annotations

from collections.abc import Callable

from appliance.t30.conversation import FromCall
from appliance.t30.parameters import Progress

# Interval of the events, seconds, our own choice: short against a page (some 30 s at 14,400 bit/s), and
# 1,800 events in an hour.
TOLD_EVERY_S = 2.0


class PacketAccount:
    """Passes ``packets_so_far`` events of a call over a packet network to ``say``.

    There are none while no packets arrive.
    """

    def __init__(self, say: Callable[[FromCall], None]) -> None:
        self._say = say
        self._due: float | None = None

    def come(self, now: float, came: int, repaired: int, missing: int) -> None:
        """To be called at each packet that arrives; the counts are those since the call began."""
        if self._due is None:
            self._due = now + TOLD_EVERY_S
        if now < self._due:
            return
        self._due = now + TOLD_EVERY_S
        fields = (("came", came), ("repaired", repaired), ("missing", missing))
        self._say(Progress(now, "packets_so_far", fields))
