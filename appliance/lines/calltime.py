"""The time of a call: what its driver asks for the hour, for a wake-up, and for news of its socket.

``RealTime`` is the loop's own clock.  ``SteppedTime`` stands still until somebody moves it on: a call that
runs faster than real ones must not see its clock run away from it while the machine is busy.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import socket
from collections.abc import Callable
from typing import Protocol


class Alarm(Protocol):
    """Something that will be called; ``cancel`` calls it off."""

    def cancel(self) -> None: ...


class CallTime(Protocol):
    """Times are seconds since the call began.  For one thread."""

    def now(self) -> float: ...

    def at(self, when: float, action: Callable[[], None]) -> Alarm:
        """Calls ``action`` at ``when``, or as soon as it can after it; never from within."""

    def watch(self, sock: socket.socket, readable: Callable[[], None]) -> None:
        """Calls ``readable`` when there may be something to read, as often as there is."""

    def unwatch(self, sock: socket.socket) -> None: ...


class RealTime:
    """The running loop's clock."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._origin = self._loop.time()

    def now(self) -> float:
        return self._loop.time() - self._origin

    def at(self, when: float, action: Callable[[], None]) -> Alarm:
        return self._loop.call_at(self._origin + when, action)

    def watch(self, sock: socket.socket, readable: Callable[[], None]) -> None:
        self._loop.add_reader(sock.fileno(), readable)

    def unwatch(self, sock: socket.socket) -> None:
        self._loop.remove_reader(sock.fileno())


class _Alarm:
    __slots__ = ("action",)

    def __init__(self, action: Callable[[], None]) -> None:
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        self.action = None


class SteppedTime:
    """Moves on only by ``step``, and everything that is due on the way happens at its own time."""

    def __init__(self) -> None:
        self._now = 0.0
        self._alarms: list[tuple[float, int, _Alarm]] = []
        self._order = itertools.count()
        self._watched: dict[socket.socket, Callable[[], None]] = {}

    def now(self) -> float:
        return self._now

    def at(self, when: float, action: Callable[[], None]) -> Alarm:
        alarm = _Alarm(action)
        heapq.heappush(self._alarms, (when, next(self._order), alarm))
        return alarm

    def watch(self, sock: socket.socket, readable: Callable[[], None]) -> None:
        self._watched[sock] = readable

    def unwatch(self, sock: socket.socket) -> None:
        self._watched.pop(sock, None)

    def step(self, seconds: float) -> None:
        """First what has come in is read, then ``seconds`` pass."""
        for readable in list(self._watched.values()):
            readable()
        end = self._now + seconds
        while self._alarms and self._alarms[0][0] <= end:
            when, _, alarm = heapq.heappop(self._alarms)
            if alarm.action is not None:
                self._now = max(self._now, when)
                alarm.action()
        self._now = end
