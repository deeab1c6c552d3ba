"""How many packets of a call came, were repaired and are missing, told as the call goes on."""

from __future__ import annotations

from collections.abc import Callable

from appliance.t30.conversation import FromCall
from appliance.t30.parameters import Progress

# A line of the account is said so often, seconds: much finer than a page (some 30 s at 14,400 bit/s), and
# 1,800 lines for an hour.  Ours.
TOLD_EVERY_S = 2.0


class PacketAccount:
    """Says ``packets_so_far`` of a call that goes over a packet network.

    ``say`` takes the lines.  Nothing is said while nothing comes in.
    """

    def __init__(self, say: Callable[[FromCall], None]) -> None:
        self._say = say
        self._due: float | None = None

    def come(self, now: float, came: int, repaired: int, missing: int) -> None:
        """To be called with each packet that comes in; the counts are those since the call's first one."""
        if self._due is None:
            self._due = now + TOLD_EVERY_S
        if now < self._due:
            return
        self._due = now + TOLD_EVERY_S
        fields = (("came", came), ("repaired", repaired), ("missing", missing))
        self._say(Progress(now, "packets_so_far", fields))
