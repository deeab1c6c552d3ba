"""Cheroot's server with limits of its own: for idle connections, for threads, and for a stop."""

from __future__ import annotations

import contextlib
import logging
import resource
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import Any

from cheroot.workers.threadpool import ThreadPool, WorkerThread
from cheroot.wsgi import Server

from appliance.api.http_connection import Connection, Strangers
from appliance.api.tls import Certificates
from appliance.net.own_address import SERVER_NAME

_log = logging.getLogger(__name__)

# The most connections waiting to be accepted, and waiting for a thread.
BACKLOG = 64
WAITING = 256
# The longest silence on a connection, seconds: between two requests, and between two pieces of one.
SILENCE_S = 10.0
# How long a stop waits for the requests in progress, seconds.
STOP_S = 5.0
# The limits by cheroot's names.
_BOUNDS: dict[str, Any] = {
    "request_queue_size": BACKLOG,
    "timeout": SILENCE_S,
    "shutdown_timeout": STOP_S,
    "accepted_queue_size": WAITING,
}
# Threads that unknown senders may occupy; one more cuts off a connection of the address with the most.  The
# other threads are for known callers.
STRANGERS = 24
# The shares of the process's open files for idle connections and for unknown senders: one in so many.
FILES_PER_IDLE, FILES_PER_STRANGER = 4, 8
# Octets of a request's head.
HEAD_OCTETS = 32 * 1024


@dataclass(frozen=True)
class FixedCertificate:
    """The TLS context of a server without settings; None: no TLS."""

    context: ssl.SSLContext | None


class CherootServer(Server):
    """Cheroot's server, in which every wait has an end."""

    ConnectionClass = Connection
    version = SERVER_NAME
    stopping = False
    inherited: socket.socket | None = None  # already listening, opened by systemd

    def __init__(self, *arguments: Any, certificates: Certificates | FixedCertificate, **more: Any) -> None:
        bounded = _BOUNDS | more
        super().__init__(*arguments, **bounded)
        self.certificates = certificates
        self.watched: set[Connection] = set()
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self.strangers = Strangers(min(STRANGERS, max(2, files // FILES_PER_STRANGER)))
        self.idle: dict[Connection, None] = {}  # those that have sent nothing yet, by time of arrival
        self.most_idle = min(WAITING, max(4, files // FILES_PER_IDLE))
        self.max_request_header_size = HEAD_OCTETS
        self.keep_alive_conn_limit = self.most_idle
        self.requests = Workers(self, min=more["numthreads"], max=more["max"], accepted_queue_size=WAITING)
        self.software = SERVER_NAME
        self.server_name = SERVER_NAME

    def bind(self, family: int, type: int, proto: int = 0) -> socket.socket:
        """The socket to listen on: a new one, or the inherited one."""
        if self.inherited is None:
            made: socket.socket = super().bind(family, type, proto)
            return made
        self.socket = self.inherited
        return self.inherited

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """Sends cheroot's messages to the log."""
        _log.log(min(level, logging.ERROR), "%s", msg, exc_info=traceback)

    def process_conn(self, conn: Connection) -> None:
        """A new connection gets a thread only once its client sends something."""
        if conn.waited:
            self.idle.pop(conn, None)
            super().process_conn(conn)
            return
        conn.waited = True
        self.idle[conn] = None
        if len(self.idle) > self.most_idle:  # the one that has been idle longest is closed
            silent = next(iter(self.idle))
            del self.idle[silent]
            with contextlib.suppress(OSError):
                silent.socket.shutdown(socket.SHUT_RDWR)
        self._connections.put(conn)  # type: ignore[attr-defined]

    def cut_off(self, now: float) -> None:
        """Ends the reading of every request whose deadline has passed, and answers that are revoked."""
        for connection in list(self.watched):
            deadline = connection.deadline
            if deadline is not None and now > deadline:
                connection.cut_off()
            connection.look_at_reader(now)


class Workers(ThreadPool):
    """Threads for requests; a stop does not wait for them indefinitely, they end with the process.

    A thread in a name look-up, for example, cannot be interrupted; it finds the spool closed afterwards.
    Whenever there are more connections in progress than threads, one thread is added, up to ``max``.
    """

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._lock = threading.Lock()
        self._in_hand = 0  # connections that wait for a thread or have one
        self._at_work: set[threading.Thread] = set()
        self.get = self._next

    def put(self, obj: Connection) -> None:
        """Queues a connection; starts a further thread when all are busy and there may be more."""
        super().put(obj)
        with self._lock:
            self._in_hand += 1
            wanted = self._in_hand > len(self._threads) < self.max  # type: ignore[attr-defined]
        if wanted:
            try:
                self._threads.append(self._spawn_worker())  # type: ignore[attr-defined]
            except RuntimeError as error:  # no more threads in this process: the existing ones must do
                _log.warning("no further thread for HTTP: %s", error)

    def _next(self) -> Any:
        """A thread's next connection; asking for it means that the previous one is done."""
        thread = threading.current_thread()
        with self._lock:
            if thread in self._at_work:
                self._at_work.remove(thread)
                self._in_hand -= 1
        taken = self._queue.get()  # type: ignore[attr-defined]
        with self._lock:
            self._at_work.add(thread)
        return taken

    def _spawn_worker(self) -> WorkerThread:
        worker = WorkerThread(self.server)  # type: ignore[no-untyped-call]
        worker.daemon = True
        worker.start()
        return worker
