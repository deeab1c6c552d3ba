"""An HTTP/1.1 connection: TLS, deadlines for the client, and the limit on unknown senders."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable

from cheroot.makefile import StreamReader, StreamWriter
from cheroot.server import HTTPConnection

from appliance.api.context import LOOK_AGAIN_S
from appliance.api.http_request import HEAD_LIMIT_S, ChunkedContent, HttpRequest

# Time for the content of a request whose sender is known, seconds.
CONTENT_LIMIT_S = 300.0
# After a refusal, what the client still sends is discarded for so long, seconds, so that it reads the answer
# instead of "connection reset": RFC 9112 9.6.
LINGER_S = 5.0
LINGER_OCTETS = 512 << 20
# SO_LINGER with no time: what the client has not taken is discarded when the connection is closed.
_NO_LINGER = struct.pack("ii", 1, 0)
# The first octet of a TLS connection: a handshake record (RFC 8446 5.1).
_TLS_HANDSHAKE = b"\x16"


class _TlsReader(StreamReader):
    """Also reports data that TLS has decrypted and nobody has read."""

    def has_data(self) -> bool:
        tls: ssl.SSLSocket = self.raw._sock  # type: ignore[attr-defined]
        return bool(super().has_data() or tls.pending())  # type: ignore[no-untyped-call]


class Connection(HTTPConnection):
    """A connection with a deadline for the client.

    TLS begins in the thread that handles the connection, so a slow handshake does not hold up the accepting
    of others.
    """

    RequestHandlerClass = HttpRequest
    request: HttpRequest | None = None
    deadline: float | None = None
    broken = False  # what came is no request
    needs_tls = False  # the request came without TLS although it is required
    begun = False
    waited = False
    unproven = 0  # requests since the last authenticated one
    still: Callable[[], bool] | None = None  # whether the request's sender may do what they might before
    answering_since: float | None = None  # monotonic; None: no answer has begun
    doubted = False  # the last look found that the reader may no longer have this answer

    @property
    def unread(self) -> bool:
        """Whether the client may still be sending content that will not be read."""
        rfile = getattr(self.request, "rfile", None)
        if self.broken:
            return True
        if isinstance(rfile, ChunkedContent):
            return not rfile.ended
        return bool(getattr(rfile, "remaining", 0))

    def known(self, still: Callable[[], bool] | None = None) -> None:
        """The sender is authenticated: it gets more time and no longer counts as a stranger.

        ``still`` tells later whether it may do the same as now.
        """
        self.still = still
        self.unproven = 0
        self.server.strangers.leave(self)
        if self.deadline is not None:
            self.deadline = time.monotonic() + CONTENT_LIMIT_S

    def cut_off(self) -> None:
        """Ends the reading of the current request, and its answer if that has begun."""
        how = socket.SHUT_RDWR if self.deadline is None else socket.SHUT_RD
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, how)  # below TLS

    def look_at_reader(self, now: float) -> None:
        """Ends an answer in progress whose reader has lost the right to it.

        At the second look: an answer that asks for itself, like a stream, ends in order before.
        """
        since, still = self.answering_since, self.still
        if since is None or still is None or now - since < LOOK_AGAIN_S or still():
            self.doubted = False
            return
        if not self.doubted:
            self.doubted = True
            return
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)  # below TLS

    def communicate(self) -> bool:
        """Answers one request; returns whether the connection stays open (cheroot's hook)."""
        self.server.watched.add(self)
        self.server.strangers.enter(self, str(self.remote_addr))
        try:
            if not self.begun and not self._begin():
                return False
            return bool(super().communicate())  # type: ignore[no-untyped-call]
        finally:
            self.deadline = self.still = self.answering_since = None
            self.server.strangers.leave(self)
            self.server.watched.discard(self)

    def _begin(self) -> bool:
        """Begins TLS where the server has it; False when the connection is of no further use."""
        self.begun = True
        context: ssl.SSLContext | None = self.server.certificates.context
        if context is None:
            return True
        self.deadline = time.monotonic() + HEAD_LIMIT_S
        try:
            first = self.socket.recv(1, socket.MSG_PEEK)
            self.needs_tls = first != _TLS_HANDSHAKE
            if self.needs_tls:
                return bool(first)
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
            self.socket.do_handshake()
        except (OSError, ValueError):  # a scan, a client that rejects the certificate, or a slow one
            return False
        self.rfile = _TlsReader(self.socket, "rb", self.rbufsize)
        self.wfile = StreamWriter(self.socket, "wb", self.wbufsize)
        return True

    def close(self) -> None:
        """Closes the connection so that the client can read the answer to content that was not read."""
        if self.unread and not self.server.stopping:
            self._linger()
        if isinstance(self.socket, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                self.socket.settimeout(0)
                self.socket.unwrap()  # sends close_notify without waiting for an answer
        super().close()
        # Discards what the client did not take.  The writer's destructor would send it through the closed
        # socket: "Bad file descriptor" in the log from Python 3.13 on.
        with contextlib.suppress(OSError):
            self.wfile.close()

    def _linger(self) -> None:
        end = time.monotonic() + LINGER_S
        left = LINGER_OCTETS
        with contextlib.suppress(OSError):
            self.wfile.flush()
            socket.socket.shutdown(self.socket, socket.SHUT_WR)  # below TLS
            self.socket.settimeout(1.0)
            while left > 0 and time.monotonic() < end:
                piece = self.socket.recv(1 << 16)
                if not piece:
                    return
                left -= len(piece)


class Strangers:
    """The connections in use by unknown senders: a limited number.  Thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._busy: dict[Connection, str] = {}  # by time of arrival

    def enter(self, connection: Connection, address: str) -> None:
        """Adds one; if there are too many, one of the address with the most is cut off.

        That is the one with most requests without authentication, of several such the oldest.
        """
        with self._lock:
            connection.unproven += 1
            self._busy[connection] = address
            if len(self._busy) > self._most:
                crowd, _ = Counter(self._busy.values()).most_common(1)[0]
                theirs = (each for each, where in self._busy.items() if where == crowd)
                slowest = max(theirs, key=lambda each: each.unproven)  # the first of those with as many
                del self._busy[slowest]
                slowest.cut_off()

    def leave(self, connection: Connection) -> None:
        """Removes one: its sender is known, or it is done."""
        with self._lock:
            self._busy.pop(connection, None)
