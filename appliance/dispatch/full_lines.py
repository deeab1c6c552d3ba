"""``FullLines``: lines that had no free channel for a call although they seemed to have one.

A call comes in at the same moment, others have the channels' ports, a modem rings while it is set up: such a
line is asked again after a pause, and no fax has used up a try.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

# Pauses until a full line is asked again, seconds; the last is for all later ones.
PAUSES_S = (1.0, 2.0, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class _Rest:
    """How often in a row a line was full, and until when it is left alone (the loop's time)."""

    times: int
    until: float


class FullLines:
    """On the event loop; ``over`` is called when a pause is over."""

    def __init__(self, over: Callable[[], None]) -> None:
        self._over = over
        self._rests: dict[str, _Rest] = {}

    def was_full(self, line: str) -> None:
        """``line`` had no free channel.  What it says within its pause makes that no longer."""
        if self.resting(line):
            return
        times = self._rests[line].times if line in self._rests else 0
        loop = asyncio.get_running_loop()
        pause = PAUSES_S[min(times, len(PAUSES_S) - 1)]
        self._rests[line] = _Rest(times + 1, loop.time() + pause)
        loop.call_later(pause, self._over)

    def took_a_call(self, line: str) -> None:
        """``line`` has placed a call: however that ended, there was a channel."""
        self._rests.pop(line, None)

    def resting(self, line: str) -> bool:
        """Whether ``line`` is left alone now."""
        rest = self._rests.get(line)
        return rest is not None and asyncio.get_running_loop().time() < rest.until
