"""An HTTP/1.1 request: its head, the end of its content, and the answer to a malformed one."""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import json
import re
import ssl
import time
from collections.abc import Callable
from typing import Any

from cheroot.server import HeaderReader, HTTPRequest, KnownLengthRFile

from appliance.api import causes
from appliance.api.context import KNOWN
from appliance.api.problems import ProblemError
from appliance.causes import Cause

# Time for the head of a request from its first octet, seconds.
HEAD_LIMIT_S = 10.0
# Time for the content while the sender is unknown, seconds: the content of an open call is small.
STRANGERS_CONTENT_S = 5.0
# Octets of the line before a chunk: its length, and extensions, which are ignored.
CHUNK_HEAD_OCTETS = 256
# Fields that must not be repeated with different values (RFC 9112 6.3, 3.2).
_ONCE = frozenset({b"Content-Length", b"Transfer-Encoding", b"Host"})
# The name of a field (RFC 9110 5.6.2).
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_COMMA = re.compile(rb"[ \t]*,[ \t]*")
_VERSIONS = (b"HTTP/1.0", b"HTTP/1.1")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"[0-9a-fA-F]{1,8}")
# A request line in absolute form (RFC 9112 3.2.2): method, host, path with query.  User names are refused
# (RFC 9110 4.2.4).
_ABSOLUTE = re.compile(
    rb"([^ ]+) https?://([^][/?#@ ]+|\[[0-9A-Fa-f:.]+\](?::[0-9]*)?)((?:[/?][^ ]*)?)( .*)",
    re.IGNORECASE | re.DOTALL,
)
# A path whose first segment is empty (RFC 9112 3.2.1), which cheroot takes for a host.
_EMPTY_SEGMENT = re.compile(rb"([^ ]+ /)/")
# A Host header that may be repeated in a Location (RFC 3986 3.2.2, without characters unusual in host names).
_HOST = re.compile(rb"[A-Za-z0-9.-]{1,255}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
# The cause in an answer that cheroot gives by itself, by its status.
_CAUSES: dict[str, Cause] = {
    "405": causes.METHOD_NOT_ALLOWED,
    "408": causes.REQUEST_INCOMPLETE,
    "413": causes.REQUEST_TOO_LARGE,
    "414": causes.REQUEST_TOO_LARGE,
    "501": causes.REQUEST_INVALID,
    "505": causes.REQUEST_INVALID,
}
# What is wrong with a request, where the status alone says so.
_DETAILS = {
    "501": "Transfer-Encoding: chunked is the only one",
    "505": "HTTP/1.0 and HTTP/1.1 are spoken here",
}


class ChunkedContent:
    """Content in chunks (RFC 9112 7.1), with a limit on everything that the client chooses.

    ``read`` raises ValueError for malformed chunks.  Trailers are not read: the connection ends after such
    a request.
    """

    def __init__(self, source: Any) -> None:
        self._source = source
        self._left = 0  # octets of the current chunk
        self._begun = False
        self.ended = False

    def read(self, size: int) -> bytes:
        """At most ``size`` octets, empty at the end."""
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


class _Lines:
    """The lines of a request's head.  Raises ValueError for what others may read as two lines, or as one."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def readline(self) -> bytes:
        line = bytes(self._source.readline())
        if line[:1] in (b" ", b"\t"):
            raise ValueError("a folded header field")
        if b"\r" in line[:-2] or b"\0" in line:
            raise ValueError("a header field with a line end or nothing in its middle")
        return line


class _RequestLines:
    """The request line, and an empty one before it; in absolute form, it is read in origin form."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self.host: bytes | None = None  # that the absolute form names

    def readline(self) -> bytes:
        line = bytes(self._source.readline())
        absolute = _ABSOLUTE.fullmatch(line)
        if absolute is not None:
            method, self.host, target, version = absolute.groups()
            line = method + b" " + (target if target.startswith(b"/") else b"/" + target) + version
        return _EMPTY_SEGMENT.sub(rb"\1%2F", line, count=1) if _EMPTY_SEGMENT.match(line) else line


class _Reader(HeaderReader):
    """Reads header fields (RFC 9112 5, 5.1): a name is a token, right before its colon.

    Names with an underscore are left out: in WSGI they would be those with a hyphen.
    """

    def __call__(self, rfile: Any, hdict: Any = None) -> Any:
        return super().__call__(_Lines(rfile), hdict)

    def _allow_header(self, key_name: bytes) -> bool:
        return b"_" not in key_name

    def _transform_key(self, key_name: bytes) -> bytes:
        if not _TOKEN.fullmatch(key_name):
            raise ValueError("the name of a header field is none")
        return key_name.title()


class _Headers(dict[bytes, bytes]):
    """A request's header fields.  Raises ValueError when they leave its length or host in doubt."""

    def __setitem__(self, name: bytes, value: bytes) -> None:
        if name in _ONCE and self.get(name, value) != value:
            raise ValueError(f"two different {name.decode()} fields")
        if name == b"Content-Length" and not _LENGTH.fullmatch(value):
            raise ValueError("Content-Length is not a length")
        words = _COMMA.split(value.lower())
        if name == b"Transfer-Encoding" and (b"" in words or len(set(words)) < len(words)):
            raise ValueError("Transfer-Encoding is no list of codings")
        # cheroot compares both with small letters; they are the same in any (RFC 9110 7.6.1, 10.1.1).
        if name == b"Connection" and b"close" in words:
            value = b"close"
        if name == b"Expect":
            value = value.lower()
        super().__setitem__(name, value)
        if b"Content-Length" in self and b"Transfer-Encoding" in self:
            raise ValueError("both Content-Length and Transfer-Encoding")


def _resets(act: Callable[[HttpRequest], None]) -> Callable[[HttpRequest], None]:
    """``act``, in which the end of TLS is a connection that was reset, as without TLS: no fault to log."""

    @functools.wraps(act)
    def guarded(request: HttpRequest) -> None:
        try:
            act(request)
        except ssl.SSLError as error:  # the client left without a word, or sent what is no record
            raise ConnectionResetError(errno.ECONNRESET, str(error)) from error

    return guarded


class HttpRequest(HTTPRequest):
    """A request whose connection is closed after an early answer; its own errors are problem documents."""

    header_reader = _Reader()
    _head = b""  # of the answer, until it is sent
    _target_host: bytes | None = None  # of a target in absolute form

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.inheaders = _Headers()
        if isinstance(self.conn.socket, ssl.SSLSocket):
            self.scheme = b"https"

    @_resets
    def respond(self) -> None:
        """Runs the application for this request, or sends a plain one to HTTPS."""
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
        self._send(b"0\r\n\r\n" if self.chunked_write else b"")

    @_resets
    def parse_request(self) -> None:
        """Reads the head within ``HEAD_LIMIT_S``, else the connection ends."""
        self.conn.request = self
        self.conn.still = self.conn.answering_since = None
        self.conn.deadline = time.monotonic() + HEAD_LIMIT_S
        try:
            super().parse_request()
        except ValueError:  # an address that urllib cannot split
            self.simple_response("400 Bad Request", "Malformed Request-Line")
        self.conn.deadline = time.monotonic() + STRANGERS_CONTENT_S

    def read_request_line(self) -> bool:
        """Reads the first line; of a version that is none, answers so and returns False."""
        fields, self.rfile = self.rfile, _RequestLines(self.rfile)
        try:
            if not super().read_request_line():  # type: ignore[no-untyped-call]
                return False
        finally:
            self._target_host, self.rfile = self.rfile.host, fields
        known = self.request_protocol in _VERSIONS  # cheroot takes HTTP/1.-1, too
        if not known:
            self.simple_response("505 HTTP Version Not Supported")
        return known

    def read_request_headers(self) -> bool:
        """Reads the header fields; where those are missing or forbidden in its version, answers so."""
        if not super().read_request_headers():  # type: ignore[no-untyped-call]
            return False
        new = self.request_protocol == b"HTTP/1.1"
        problem = ""
        if new and b"Host" not in self.inheaders:  # RFC 9112 3.2
            problem = "the Host field is missing"
        if not new and b"Transfer-Encoding" in self.inheaders:  # RFC 9112 6.1
            problem = "Transfer-Encoding in HTTP/1.0"
        if problem:
            self.simple_response("400 Bad Request", problem)
        elif self._target_host is not None:  # RFC 9112 3.2.2: it counts, not the field
            self.inheaders.pop(b"Host", None)
            self.inheaders[b"Host"] = self._target_host
        return not problem

    def _send_to_tls(self) -> None:
        """Answers a request without TLS where TLS is required: redirects reading ones, refuses others."""
        host = self.inheaders.get(b"Host", b"")
        where = b"https://" + host + self.uri if _HOST.fullmatch(host) else b""
        # A temporary redirect: a browser would remember a permanent one after TLS is switched off.
        reads = self.method in (b"GET", b"HEAD") and where and b"\r" not in where and b"\n" not in where
        self.simple_response(
            "307 Temporary Redirect" if reads else "400 Bad Request",
            "use https://",
            location=where if reads else b"",
            cause=causes.TLS_NEEDED,
        )

    def write(self, chunk: bytes) -> None:
        """Sends a piece of the content, the first one together with the head."""
        if self.chunked_write and chunk:
            chunk = b"%x\r\n%b\r\n" % (len(chunk), chunk)
        self._send(chunk)

    def _send(self, octets: bytes) -> None:
        octets, self._head = self._head + octets, b""
        if octets:
            self.conn.wfile.write(octets)

    def send_headers(self) -> None:
        """Makes the head of the answer; closes afterwards when content was left unread."""
        # From here on only silence ends it: an answer may be long, and a stream is endless.
        self.conn.deadline = None
        self.conn.answering_since = time.monotonic()
        if self.conn.unread or self.chunked_read:
            self.close_connection = True
        writer, self.conn.wfile = self.conn.wfile, io.BytesIO()
        try:
            super().send_headers()
            self._head = self.conn.wfile.getvalue()
        finally:
            self.conn.wfile = writer

    def simple_response(
        self, status: str, msg: str = "", *, location: bytes = b"", cause: Cause | None = None
    ) -> None:
        """Answers a request that the application never sees, with a cause as JSON (RFC 9457), and closes."""
        code = status[:3]
        usual = _CAUSES.get(code, causes.REQUEST_FAULT if code >= "500" else causes.REQUEST_INVALID)
        problem = ProblemError(cause or usual, _DETAILS.get(code, msg))
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
