"""``FullLines``: lines that had no free channel for a call although they reported one.

A call may have come in at the same moment, ports may be in use, a modem may have rung while it was set up.
Such a line is tried again after a pause, and the attempt does not count as a try of the fax.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

# Pauses until a full line is tried again, seconds; the last one is used for all further pauses.
PAUSES_S = (1.0, 2.0, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class _Rest:
    """How often in succession a line was full, and the end of its pause (time of the event loop)."""

    times: int
    until: float


class FullLines:
    """The pauses of full lines.  For the event loop; ``over`` is called at the end of each pause."""

    def __init__(self, over: Callable[[], None]) -> None:
        self._over = over
        self._rests: dict[str, _Rest] = {}

    def was_full(self, line: str) -> None:
        """Begins a pause of ``line``, which had no free channel; within a pause nothing changes."""
        if self.resting(line):
            return
        times = self._rests[line].times if line in self._rests else 0
        loop = asyncio.get_running_loop()
        pause = PAUSES_S[min(times, len(PAUSES_S) - 1)]
        self._rests[line] = _Rest(times + 1, loop.time() + pause)
        loop.call_later(pause, self._over)

    def took_a_call(self, line: str) -> None:
        """Ends the pause of ``line``: it placed a call, so there was a channel, however the call ended."""
        self._rests.pop(line, None)

    def resting(self, line: str) -> bool:
        """Whether ``line`` is in a pause."""
        rest = self._rests.get(line)
        return rest is not None and asyncio.get_running_loop().time() < rest.until
