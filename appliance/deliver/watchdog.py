"""A bound on a whole conversation: a server that says a letter a minute keeps every single answer's bound."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType


class Watchdog:
    """A context of ``seconds`` at most: then ``expired`` is true, and the connection that is watched ends."""

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._sock: Callable[[], socket.socket | None] = lambda: None
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def watch(self, sock: Callable[[], socket.socket | None]) -> None:
        """``sock`` is asked for the connection's socket when the time is up: TLS may have put in another."""
        self._sock = sock

    def __enter__(self) -> Watchdog:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()

    def _expire(self) -> None:
        self.expired = True
        sock = self._sock()
        if sock is not None:
            with contextlib.suppress(OSError):
                # Not TLS's own, which would take the TLS away from under the thread that reads.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
