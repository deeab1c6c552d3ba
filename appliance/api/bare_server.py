"""A server for one application on a socket that already listens, for pages shown before there is a box."""

from __future__ import annotations

import socket
import ssl
import threading
import time

from appliance.api.door import WsgiApplication
from appliance.api.http_listener import STOP_S, CherootServer, FixedCertificate

THREADS = 8


class BareServer:
    """Has the same limits as every server.  ``context``: TLS, None without."""

    def __init__(
        self, application: WsgiApplication, inherited: socket.socket, context: ssl.SSLContext | None
    ) -> None:
        self._server = CherootServer(
            inherited.getsockname()[:2],
            application,
            numthreads=1,
            max=THREADS,
            certificates=FixedCertificate(context),
        )
        self._server.inherited = inherited
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._server.serve, name="http-bare", daemon=True),
            threading.Thread(target=self._watch, name="http-bare-watch", daemon=True),
        ]

    def start(self) -> None:
        """Begins to answer.  Raises OSError when the address cannot be had."""
        self._server.prepare()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stops serving and closes the socket."""
        self._server.stopping = True
        self._ended.set()
        self._server.stop()
        for thread in self._threads:
            thread.join(STOP_S)

    def _watch(self) -> None:
        while not self._ended.wait(1.0):
            self._server.cut_off(time.monotonic())
