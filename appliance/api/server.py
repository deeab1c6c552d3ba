"""``HttpServer``: carries HTTP requests to the application, in a limited number of threads.

It is a service of the daemon.  A client that sends slowly, without end, or stops in the middle is cut off
after a time limit; a request's content is not read before the application asks for it, which it does not do
for unknown senders.  ``http_request``, ``http_connection`` and ``http_listener`` override parts of cheroot.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from appliance.api import page_export
from appliance.api.application import MakeDoor, make_application
from appliance.api.context import STREAMS, Context
from appliance.api.http_listener import STOP_S, CherootServer
from appliance.api.tls import FOLDER, STAND_IN, Certificates, TlsError
from appliance.core import Core, MakeService, Service
from appliance.net import own_address

_log = logging.getLogger(__name__)

# Threads for requests: twenty at once for one key, twice that for all, and one for each stream.
THREADS = 32 + STREAMS
# Threads at the start; the others are started when first needed, since each takes some 30 kB.
THREADS_AT_START = 8
# After a stop has waited for the requests in progress, their connections are cut and they get so long to
# end, seconds; the rest ends with the process.
FORCED_S = 1.0


# What an owner can do when an address is refused.
_ADVICE = {
    errno.EADDRINUSE: "another program listens there (ss -ltnp): stop it, or choose another with --http",
    errno.EACCES: "ports below 1024 are root's: choose another with --http",
    errno.EADDRNOTAVAIL: "this machine has no such address: choose another with --http",
}


def _told(error: OSError) -> str:
    """The advice for ``error``; cheroot names the number only in its words."""
    return next(
        (advice for number, advice in _ADVICE.items() if f"[Errno {number}]" in str(error)), str(error)
    )


class ListenError(OSError):
    """The address cannot be listened on; the message is for the owner."""


class HttpServer:
    """Listens on ``host:port`` once started (port 0: any free one, which ``port`` tells).

    ``inherited``: a socket that already listens.  ``beside``: another server of the same box, whose limits
    this one shares and whose address is the box's.
    """

    def __init__(
        self,
        core: Core,
        host: str,
        port: int,
        doors: Mapping[str, MakeDoor] | None = None,
        *,
        inherited: socket.socket | None = None,
        beside: HttpServer | None = None,
    ) -> None:
        self.context: Context = Context(core) if beside is None else beside.context
        self._is_first = beside is None
        self._host = host
        self._there = "The web pages and interfaces" if doors else "The programming interfaces"
        self._certificates = Certificates(core.box.settings, core.box.data.resolve() / FOLDER / STAND_IN)
        self._server = CherootServer(
            (host, port),
            make_application(self.context, doors),
            numthreads=THREADS_AT_START,
            max=THREADS,
            certificates=self._certificates,
        )
        self._server.inherited = inherited
        self._data: Path = core.box.data
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._serve, name="http", daemon=True),
            threading.Thread(target=self._watch, name="http-watch", daemon=True),
        ]

    @property
    def port(self) -> int:
        """The TCP port that the server listens on."""
        return int(self._server.bind_addr[1])

    @property
    def url(self) -> str:
        """The address of the interfaces, as a URL."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        scheme = "https" if self._certificates.context is not None else "http"
        return f"{scheme}://{host}:{self.port}"

    def start(self) -> None:
        """Starts listening.  Raises ListenError."""
        try:
            self._certificates.first()
        except TlsError as error:
            raise ListenError(f"TLS cannot be used: {error}") from None
        try:
            self._server.prepare()
        except OSError as error:
            raise ListenError(f"cannot listen on {self._host}:{self.port}: {_told(error)}") from error
        if self._is_first:
            page_export.sweep(self.context.box)
        for thread in self._threads:
            thread.start()
        self._tell_address()
        print(f"{self._there} are at {self.url}", flush=True)

    def stop(self) -> None:
        """Ends streams, finishes or cuts off requests, closes the port.  Takes some seconds at most."""
        if self._is_first:
            with contextlib.suppress(OSError):  # read-only: it is written again at the next start
                own_address.forget(self._data)
        self.context.stopping.set()
        self.context.halt.expire()
        self._server.stopping = True
        self._ended.set()
        ending = threading.Thread(target=self._server.stop, name="http-stop", daemon=True)
        ending.start()
        ending.join(STOP_S + FORCED_S)
        for thread in self._threads:
            thread.join(STOP_S)

    def _serve(self) -> None:
        try:
            self._server.serve()
        except Exception:
            _log.exception("the HTTP server failed")

    def _watch(self) -> None:
        while not self._ended.wait(1.0):
            self._server.cut_off(time.monotonic())
            try:
                if self._certificates.follow():
                    self._tell_address()
            except Exception:  # requests must be cut off in time whatever happens here
                _log.exception("the certificate could not be looked after")

    def _tell_address(self) -> None:
        if not self._is_first:
            return
        certificate = self._certificates.certificate if self._certificates.context is not None else ""
        own_address.tell(self._data, own_address.OwnAddress(self.url, certificate))


def http_service(address: str, doors: Mapping[str, MakeDoor] | None = None) -> MakeService:
    """Makes the server as a service of the daemon.

    ``address``: HOST:PORT.  ``doors``: those besides the programming interfaces.  Raises ValueError for a
    malformed address.
    """
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not (port.isascii() and port.isdecimal()) or int(port) > 65535:
        raise ValueError(f"{address!r} is not HOST:PORT")

    def make(core: Core) -> Service:
        return HttpServer(core, host, int(port), doors)

    return make


def inherited_services(
    sockets: Sequence[socket.socket], doors: Mapping[str, MakeDoor] | None = None
) -> list[MakeService]:
    """A server for each socket that already listens, all of one box.  Raises ValueError without any."""
    if not sockets:
        raise ValueError("systemd has opened no socket for this process")
    first: list[HttpServer] = []

    def make(core: Core, inherited: socket.socket) -> Service:
        host, port = inherited.getsockname()[:2]
        server = HttpServer(core, host, port, doors, inherited=inherited, beside=first[0] if first else None)
        first.append(server)
        return server

    return [partial(make, inherited=each) for each in sockets]
