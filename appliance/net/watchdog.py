"""Limits the duration of a whole conversation, since a server may keep every single limit and never end."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Finder = Callable[[], socket.socket | None]


class Watchdog:
    """Ends conversations from another thread: breaks off running ones and refuses new ones.

    As a context manager it expires after ``seconds``, otherwise only by ``expire``.  A name look-up cannot be
    interrupted.
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

    def restart(self, seconds: float) -> None:
        """Expires ``seconds`` from now instead; as a context manager only."""
        self.__exit__()
        self._timer = threading.Timer(seconds, self.expire)
        self.__enter__()

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def expire(self) -> None:
        """Ends all watched connections, present and future."""
        with self._lock:
            self.expired = True
            for find in self._watched:
                sock = find()
                if sock is not None:
                    with contextlib.suppress(OSError):
                        # Not that of the TLS object, which would remove TLS while another thread reads.
                        socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def watch(self, find: Finder) -> None:
        """Watches a connection whose socket ``find`` returns when the time is up, since TLS may have
        replaced it.
        """
        with self._lock:
            self._watched.append(find)

    @contextlib.contextmanager
    def over(self, sock: socket.socket) -> Iterator[None]:
        """Watches ``sock`` within the block.  Raises OSError when the time was already up."""
        with sock.dup() as ours:  # TLS takes over the other

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
