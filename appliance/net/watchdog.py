"""Bounds how long a whole conversation takes: a server may keep every single limit and never end."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from types import TracebackType

Finder = Callable[[], socket.socket | None]


class Watchdog:
    """Ends conversations from another thread: those under way break off, those that come are refused.

    As a context it expires after ``seconds``; without, only when it is told to.  Only the question for a
    name's address cannot be broken off.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self.expired = False
        self._lock = threading.Lock()
        self._watched: list[Finder] = []
        self._timer = threading.Timer(max(0.0, seconds or 0.0), self.expire) if seconds is not None else None

    def __enter__(self) -> Watchdog:
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def expire(self) -> None:
        """Ends what is watched, now and later."""
        with self._lock:
            self.expired = True
            for find in self._watched:
                sock = find()
                if sock is not None:
                    with contextlib.suppress(OSError):
                        # Not TLS's own, which would take the TLS away from under the thread that reads.
                        socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def watch(self, find: Finder) -> None:
        """``find`` is asked for the connection's socket when the time is up: TLS may have put in another."""
        with self._lock:
            self._watched.append(find)

    @contextlib.contextmanager
    def over(self, sock: socket.socket) -> Iterator[None]:
        """Watches ``sock`` while this lasts.  Raises OSError when the time was up before."""
        with sock.dup() as ours:  # TLS takes the other for itself

            def find() -> socket.socket:
                return ours

            self.watch(find)
            try:
                if self.expired:
                    raise OSError("the time is up")
                yield
            finally:
                with self._lock:
                    self._watched.remove(find)
