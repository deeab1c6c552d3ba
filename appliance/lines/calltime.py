"""The clock of a call, with alarms and the notice of readable sockets.

``RealTime`` is the clock of the event loop.  ``SteppedTime`` advances only by ``step``: the clock of a call
that runs faster than real time must not run ahead of it while the machine is busy.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import socket
from collections.abc import Callable
from typing import Protocol


class Alarm(Protocol):
    """A pending call of a function; ``cancel`` drops it."""

    def cancel(self) -> None:
        """Takes the action back."""
        ...


class CallTime(Protocol):
    """The clock of a call: seconds since it began.  For one thread."""

    def now(self) -> float:
        """The time of the call, seconds."""
        ...

    def at(self, when: float, action: Callable[[], None]) -> Alarm:
        """Calls ``action`` at ``when``, or as soon as possible after it; never from within ``at``."""

    def watch(self, sock: socket.socket, readable: Callable[[], None]) -> None:
        """Calls ``readable`` whenever ``sock`` may have something to read."""

    def unwatch(self, sock: socket.socket) -> None:
        """Ends ``watch``."""
        ...


class RealTime:
    """The clock of the running event loop, from 0 when made."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._origin = self._loop.time()

    def now(self) -> float:
        """Seconds since its origin."""
        return self._loop.time() - self._origin

    def at(self, when: float, action: Callable[[], None]) -> Alarm:
        """Runs ``action`` at ``when``, seconds."""
        return self._loop.call_at(self._origin + when, action)

    def watch(self, sock: socket.socket, readable: Callable[[], None]) -> None:
        """Calls ``readable`` when the socket has data."""
        self._loop.add_reader(sock.fileno(), readable)

    def unwatch(self, sock: socket.socket) -> None:
        """Ends ``watch``."""
        self._loop.remove_reader(sock.fileno())


class _Alarm:
    __slots__ = ("action",)

    def __init__(self, action: Callable[[], None]) -> None:
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        self.action = None


class SteppedTime:
    """A clock that advances only by ``step``; alarms that become due meanwhile run at their own time."""

    def __init__(self) -> None:
        self._now = 0.0
        self._alarms: list[tuple[float, int, _Alarm]] = []
        self._order = itertools.count()
        self._watched: dict[socket.socket, Callable[[], None]] = {}

    def now(self) -> float:
        """The stepped time, seconds."""
        return self._now

    def at(self, when: float, action: Callable[[], None]) -> Alarm:
        """Runs ``action`` when the time reaches ``when``, seconds."""
        alarm = _Alarm(action)
        heapq.heappush(self._alarms, (when, next(self._order), alarm))
        return alarm

    def watch(self, sock: socket.socket, readable: Callable[[], None]) -> None:
        """Calls ``readable`` when the socket has data."""
        self._watched[sock] = readable

    def unwatch(self, sock: socket.socket) -> None:
        """Ends ``watch``."""
        self._watched.pop(sock, None)

    def step(self, seconds: float) -> None:
        """Reads the watched sockets, then advances by ``seconds``."""
        for readable in list(self._watched.values()):
            readable()
        end = self._now + seconds
        while self._alarms and self._alarms[0][0] <= end:
            when, _, alarm = heapq.heappop(self._alarms)
            if alarm.action is not None:
                self._now = max(self._now, when)
                alarm.action()
        self._now = end
