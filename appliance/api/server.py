"""``HttpServer``: carries HTTP requests to the application, in a bounded number of threads.

It is a service of the daemon.  Whoever sends slowly, without end, or stops in the middle is cut off
after a bound; a request's content is not read before the application asks for it, which it does not
do for strangers.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import resource
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from cheroot.makefile import StreamReader, StreamWriter
from cheroot.server import HTTPConnection, HTTPRequest, KnownLengthRFile
from cheroot.workers.threadpool import ThreadPool, WorkerThread
from cheroot.wsgi import Server

from appliance import durable
from appliance.api import page_export
from appliance.api.application import MakeDoor, make_application
from appliance.api.causes import (
    METHOD_NOT_ALLOWED,
    REQUEST_FAULT,
    REQUEST_INCOMPLETE,
    REQUEST_INVALID,
    REQUEST_TOO_LARGE,
    TLS_NEEDED,
)
from appliance.api.context import KNOWN, STREAMS, Context
from appliance.api.problems import ProblemError
from appliance.api.tls import Certificates, TlsError
from appliance.causes import Cause
from appliance.core import Core, MakeService, Service
from appliance.net.settings import ADDRESS_FILE

_log = logging.getLogger(__name__)

# Threads for requests: twenty at once for one key, twice that for all, and one for each stream.
THREADS = 32 + STREAMS
# So many of them are there from the start; the others when they are first needed: each keeps some 30 kB.
THREADS_AT_START = 8
# Connections that wait to be accepted, and those that wait for a thread.
BACKLOG = 64
WAITING = 256
# Silence on a connection, seconds: between two requests, and between two pieces of one.
SILENCE_S = 10.0
# The head of a request must be there within so long of its first octet, the content within so long.
HEAD_LIMIT_S = 10.0
CONTENT_LIMIT_S = 300.0
# The same while nobody has proved who they are: the content of an open call is small.
STRANGERS_CONTENT_S = 5.0
# Threads that may be busy with senders who are not known yet; one more cuts off the slowest of the address
# that has most.  The other threads are for callers who are known.
STRANGERS = 24
# Of the files that the process may open, so many parts are for idle connections, and for strangers' requests.
FILES_PER_IDLE, FILES_PER_STRANGER = 4, 8
# Octets of a request's head.
HEAD_OCTETS = 32 * 1024
# The line before a chunk: its length, and extensions that nobody uses.
CHUNK_HEAD_OCTETS = 256
# Fields that must not be there twice with different values (RFC 9112 6.3, 3.2).
_ONCE = frozenset({b"Content-Length", b"Transfer-Encoding", b"Host"})
_LENGTH = re.compile(rb"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"[0-9a-fA-F]{1,8}")
# After a refusal, what the client still sends is thrown away for so long, so that it reads the answer
# instead of "connection reset": RFC 9112 9.6.
LINGER_S = 5.0
LINGER_OCTETS = 512 << 20
# How long a stop waits for the requests in hand.
STOP_S = 5.0
# After that, those whose connections were cut get so long; the rest ends with the process.
FORCED_S = 1.0

# The first octet of a TLS connection: a record with a handshake in it (RFC 8446 5.1).
_TLS_HANDSHAKE = b"\x16"
# A Host header that may be repeated in a Location (RFC 3986 3.2.2, without what nobody's box is called).
_HOST = re.compile(rb"[A-Za-z0-9.-]{1,255}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")

_CAUSES: dict[str, Cause] = {
    "405": METHOD_NOT_ALLOWED,
    "408": REQUEST_INCOMPLETE,
    "413": REQUEST_TOO_LARGE,
    "414": REQUEST_TOO_LARGE,
}


class ListenError(OSError):
    """The address cannot be listened on; the message is for the person who chose it."""


class ChunkedContent:
    """Content in chunks (RFC 9112 7.1), read with a bound on everything that the client chooses.

    ``read`` raises ValueError for what is not chunks.  Trailers are not read: the connection ends after
    such a request.
    """

    def __init__(self, source: Any) -> None:
        self._source = source
        self._left = 0  # of the present chunk
        self._begun = False
        self.ended = False

    def read(self, size: int) -> bytes:
        """At most ``size`` octets, none at the end."""
        if not self._left and not self.ended:
            self._next_chunk()
        if self.ended:
            return b""
        piece = bytes(self._source.read(min(size, self._left)))
        if not piece:
            raise ValueError("the content broke off in a chunk")
        self._left -= len(piece)
        return piece

    def _next_chunk(self) -> None:
        if self._begun and self._source.readline(3) != b"\r\n":
            raise ValueError("a chunk has no end")
        self._begun = True
        line = bytes(self._source.readline(CHUNK_HEAD_OCTETS))
        digits = line.partition(b";")[0].strip()
        if not line.endswith(b"\n") or not _CHUNK_SIZE.fullmatch(digits):
            raise ValueError("a chunk has no length")
        self._left = int(digits, 16)
        self.ended = not self._left


class _Headers(dict[bytes, bytes]):
    """A request's header fields.  Raises ValueError where two disagree on where it ends or goes."""

    def __setitem__(self, name: bytes, value: bytes) -> None:
        if name in _ONCE and self.get(name, value) != value:
            raise ValueError(f"two different {name.decode()} fields")
        if name == b"Content-Length" and not _LENGTH.fullmatch(value):
            raise ValueError("Content-Length is not a length")
        super().__setitem__(name, value)
        if b"Content-Length" in self and b"Transfer-Encoding" in self:
            raise ValueError("both Content-Length and Transfer-Encoding")


class _Request(HTTPRequest):
    """A request that is closed after an early answer, and whose own errors are problem documents."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.inheaders = _Headers()
        if isinstance(self.conn.socket, ssl.SSLSocket):
            self.scheme = b"https"

    def respond(self) -> None:
        if self.conn.needs_tls:
            self._send_to_tls()
            return
        if self.chunked_read:
            self.rfile = ChunkedContent(self.conn.rfile)
        else:
            self.rfile = KnownLengthRFile(self.conn.rfile, int(self.inheaders.get(b"Content-Length", 0)))
        gateway = self.server.gateway(self)
        gateway.env[KNOWN] = self.conn.known
        gateway.respond()
        if self.ready:
            self.ensure_headers_sent()
        if self.chunked_write:
            self.conn.wfile.write(b"0\r\n\r\n")

    def parse_request(self) -> None:
        self.conn.request = self
        self.conn.deadline = time.monotonic() + HEAD_LIMIT_S
        try:
            super().parse_request()
        except ValueError:  # an address that urllib cannot split
            self.simple_response("400 Bad Request", "Malformed Request-Line")
        self.conn.deadline = time.monotonic() + STRANGERS_CONTENT_S

    def _send_to_tls(self) -> None:
        """In the clear where TLS is needed: whoever only reads is led there, others are refused."""
        host = self.inheaders.get(b"Host", b"")
        where = b"https://" + host + self.uri if _HOST.fullmatch(host) else b""
        # Not for good: a browser would remember it when TLS is switched off again.
        reads = self.method in (b"GET", b"HEAD") and where and b"\r" not in where and b"\n" not in where
        self.simple_response(
            "307 Temporary Redirect" if reads else "400 Bad Request",
            "use https://",
            location=where if reads else b"",
            cause=TLS_NEEDED,
        )

    def send_headers(self) -> None:
        # From here on only silence ends it: an answer may be long, and a stream has no end.
        self.conn.deadline = None
        if self.conn.unread or self.chunked_read:
            self.close_connection = True
        super().send_headers()

    def simple_response(
        self, status: str, msg: str = "", *, location: bytes = b"", cause: Cause | None = None
    ) -> None:
        code = status[:3]
        usual = _CAUSES.get(code, REQUEST_FAULT if code >= "500" else REQUEST_INVALID)
        problem = ProblemError(cause or usual, msg)
        body = json.dumps({**problem.document(), "status": int(code)}).encode()
        head = (
            f"{self.server.protocol} {status}\r\nContent-Length: {len(body)}\r\n"
            "Content-Type: application/problem+json\r\nConnection: close\r\n"
        )
        if location:
            head += f"Location: {location.decode('latin-1')}\r\n"
        head += "\r\n"
        self.close_connection = True
        self.conn.broken = True
        with contextlib.suppress(OSError):
            self.conn.wfile.write(head.encode("latin-1", "replace") + body)


class _TlsReader(StreamReader):
    """Also knows of what TLS has decrypted and nobody has read."""

    def has_data(self) -> bool:
        tls: ssl.SSLSocket = self.raw._sock  # type: ignore[attr-defined]
        return bool(super().has_data() or tls.pending())  # type: ignore[no-untyped-call]


class _Connection(HTTPConnection):
    """A connection with a deadline for what is to come from the client.

    TLS begins in the thread that works on the connection: however slow a handshake, nobody waits for it
    to be accepted.
    """

    RequestHandlerClass = _Request
    request: _Request | None = None
    deadline: float | None = None
    broken = False  # what came was no request
    needs_tls = False  # and came without
    begun = False
    waited = False

    @property
    def unread(self) -> bool:
        """Whether the client may still be sending content that nobody will read."""
        rfile = getattr(self.request, "rfile", None)
        if self.broken:
            return True
        if isinstance(rfile, ChunkedContent):
            return not rfile.ended
        return bool(getattr(rfile, "remaining", 0))

    def known(self) -> None:
        """Whoever sends the request has proved who they are: they have more time, and no stranger's place."""
        self.server.strangers.leave(self)
        if self.deadline is not None:
            self.deadline = time.monotonic() + CONTENT_LIMIT_S

    def cut_off(self) -> None:
        """Ends the reading of the request under way."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RD)  # below TLS

    def communicate(self) -> bool:
        self.server.watched.add(self)
        self.server.strangers.enter(self, str(self.remote_addr))
        try:
            if not self.begun and not self._begin():
                return False
            return bool(super().communicate())  # type: ignore[no-untyped-call]
        finally:
            self.deadline = None
            self.server.strangers.leave(self)
            self.server.watched.discard(self)

    def _begin(self) -> bool:
        """Begins TLS where the server has it; False when nothing more can come of this connection."""
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
        except (OSError, ValueError):  # a scan, a client that trusts nobody, or one that was too slow
            return False
        self.rfile = _TlsReader(self.socket, "rb", self.rbufsize)
        self.wfile = StreamWriter(self.socket, "wb", self.wbufsize)
        return True

    def close(self) -> None:
        if self.unread and not self.server.stopping:
            self._linger()
        if isinstance(self.socket, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                self.socket.settimeout(0)
                self.socket.unwrap()  # says goodbye, and does not wait for an answer
        super().close()

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


class _Strangers:
    """The connections at work for senders who are not known yet: a bounded number.  Thread-safe."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._busy: dict[_Connection, str] = {}  # in the order they came

    def enter(self, connection: _Connection, address: str) -> None:
        """One more; when they are too many, the slowest of the address that has most is cut off."""
        with self._lock:
            self._busy[connection] = address
            if len(self._busy) > self._most:
                crowd, _ = Counter(self._busy.values()).most_common(1)[0]
                slowest = next(each for each, where in self._busy.items() if where == crowd)
                del self._busy[slowest]
                slowest.cut_off()

    def leave(self, connection: _Connection) -> None:
        """It is known, or done."""
        with self._lock:
            self._busy.pop(connection, None)


class _Server(Server):
    ConnectionClass = _Connection
    version = "faxbox"
    stopping = False
    inherited: socket.socket | None = None  # listens already: systemd opened it

    def __init__(self, *arguments: Any, certificates: Certificates, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.certificates = certificates
        self.watched: set[_Connection] = set()
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self.strangers = _Strangers(min(STRANGERS, max(2, files // FILES_PER_STRANGER)))
        self.idle: dict[_Connection, None] = {}  # those that have said nothing yet, in the order they came
        self.most_idle = min(WAITING, max(4, files // FILES_PER_IDLE))
        self.max_request_header_size = HEAD_OCTETS
        self.keep_alive_conn_limit = self.most_idle
        self.requests = _Workers(
            self, min=more["numthreads"], max=more["max"], accepted_queue_size=more["accepted_queue_size"]
        )
        self.software = "faxbox"
        self.server_name = "faxbox"

    def bind(self, family: int, type: int, proto: int = 0) -> socket.socket:
        """The socket to listen on: made here, or the one that was handed down."""
        if self.inherited is None:
            made: socket.socket = super().bind(family, type, proto)
            return made
        self.socket = self.inherited
        return self.inherited

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        _log.log(min(level, logging.ERROR), "%s", msg, exc_info=traceback)

    def process_conn(self, conn: _Connection) -> None:
        """A new connection has a thread only once its client says something."""
        if conn.waited:
            self.idle.pop(conn, None)
            super().process_conn(conn)
            return
        conn.waited = True
        self.idle[conn] = None
        if len(self.idle) > self.most_idle:  # the one that has been silent longest makes room
            silent = next(iter(self.idle))
            del self.idle[silent]
            with contextlib.suppress(OSError):
                silent.socket.shutdown(socket.SHUT_RDWR)
        self._connections.put(conn)  # type: ignore[attr-defined]

    def cut_off(self, now: float) -> None:
        """Ends the reading of every request whose time is over."""
        for connection in list(self.watched):
            deadline = connection.deadline
            if deadline is not None and now > deadline:
                connection.cut_off()


class _Workers(ThreadPool):
    """Threads for requests that end with the process: a stop does not wait for all of them without end.

    One that asks for a name's address, for example, cannot be called back; it finds the spool closed.
    Whenever there are more connections in hand than threads, there is one thread more, up to ``max``.
    """

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._lock = threading.Lock()
        self._in_hand = 0  # connections that wait for a thread or have one
        self._at_work: set[threading.Thread] = set()
        self.get = self._next

    def put(self, obj: _Connection) -> None:
        super().put(obj)
        with self._lock:
            self._in_hand += 1
            wanted = self._in_hand > len(self._threads) < self.max  # type: ignore[attr-defined]
        if wanted:
            try:
                self._threads.append(self._spawn_worker())  # type: ignore[attr-defined]
            except RuntimeError as error:  # no more threads for this process: those that there are must do
                _log.warning("no further thread for HTTP: %s", error)

    def _next(self) -> Any:
        """What a thread does next; that it asks says that it is done with what it had."""
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


class HttpServer:
    """Listens on ``host:port`` (port 0: any that is free; ``port`` says which) once started.

    ``inherited``: a socket that listens already.  ``beside``: a server of the same box, whose limits this
    one shares; the box's address is the other's.
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
        self._server = _Server(
            (host, port),
            make_application(self.context, doors),
            numthreads=THREADS_AT_START,
            max=THREADS,
            request_queue_size=BACKLOG,
            timeout=SILENCE_S,
            shutdown_timeout=STOP_S,
            accepted_queue_size=WAITING,
            certificates=Certificates(core.box.settings),
        )
        self._server.inherited = inherited
        self._address_file: Path = core.box.data / ADDRESS_FILE
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=self._serve, name="http", daemon=True),
            threading.Thread(target=self._watch, name="http-watch", daemon=True),
        ]

    @property
    def port(self) -> int:
        return int(self._server.bind_addr[1])

    @property
    def url(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        scheme = "https" if self._server.certificates.context is not None else "http"
        return f"{scheme}://{host}:{self.port}"

    def start(self) -> None:
        """Raises ListenError."""
        try:
            self._server.certificates.first()
        except TlsError as error:
            raise ListenError(f"TLS cannot be used: {error}") from None
        try:
            self._server.prepare()
        except OSError as error:
            raise ListenError(f"cannot listen on {self._host}: {error}") from error
        if self._is_first:
            page_export.sweep(self.context.box)
        for thread in self._threads:
            thread.start()
        self._tell_address()
        print(f"{self._there} are at {self.url}", flush=True)

    def stop(self) -> None:
        if self._is_first:
            with contextlib.suppress(OSError):  # read-only: it is written anew at the next start
                self._address_file.unlink(missing_ok=True)
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
                if self._server.certificates.follow():
                    self._tell_address()
            except Exception:  # requests are cut off in time whatever happens here
                _log.exception("the certificate could not be looked after")

    def _tell_address(self) -> None:
        if not self._is_first:
            return
        certificates = self._server.certificates
        told = {"url": self.url}
        if certificates.context is not None:
            told["certificate"] = certificates.certificate
        durable.write_file(self._address_file, json.dumps(told).encode())


def http_service(address: str, doors: Mapping[str, MakeDoor] | None = None) -> MakeService:
    """The server as a service of the daemon.

    ``address``: HOST:PORT.  ``doors``: those besides the programming interfaces.  Raises ValueError.
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
    """A server for each socket that listens already, all of one box.  Raises ValueError without any."""
    if not sockets:
        raise ValueError("systemd has opened no socket for this process")
    first: list[HttpServer] = []

    def make(core: Core, inherited: socket.socket) -> Service:
        host, port = inherited.getsockname()[:2]
        server = HttpServer(core, host, port, doors, inherited=inherited, beside=first[0] if first else None)
        first.append(server)
        return server

    return [partial(make, inherited=each) for each in sockets]
