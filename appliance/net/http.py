"""HTTP and HTTPS requests that stay within an address, size and time limit.

They block, so call them in a thread that may wait.  They read nothing from the environment (no proxies),
store no cookies or credentials, and never decompress content.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from appliance import __version__
from appliance.causes import STOPPING, CauseError
from appliance.documents.causes import DOCUMENT_TOO_LARGE
from appliance.language import one_line, said
from appliance.net.addresses import Resolver, is_public, resolve
from appliance.net.causes import (
    URL_NOT_ALLOWED,
    URL_REFUSED_US,
    URL_TIMED_OUT,
    URL_UNREACHABLE,
    URL_UNTRUSTED,
)
from appliance.net.watchdog import Watchdog

# The most redirects that are followed.
MAX_REDIRECTS = 3
# Octets of a webhook's answer, and characters of an error, that are kept for the record of the try.
ANSWER_OCTETS = 4096
_ERROR_KEPT = 200
_PIECE_OCTETS = 64 * 1024
_PORTS = {"http": 80, "https": 443}
# Below this port only the two web ports are allowed: a URL must not reach a mail server, say.
_FIRST_FREE_PORT = 1024
_USER_AGENT = f"faxbox/{__version__}"
_INTERIM = range(102, 200)
_MOVED = (301, 302, 303, 307, 308)


class FetchError(CauseError):
    """The request failed:  ``cause`` is the row with the reason, ``detail`` is for the record."""

    def __str__(self) -> str:
        return f"{self.cause.sentence} ({self.detail})"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A fetched document; ``name`` is from Content-Disposition, else the last part of the path."""

    content: bytes = field(repr=False)
    media_type: str
    name: str


class _FinalAnswer(http.client.HTTPResponse):
    """The answer after all interim ones, such as 103 Early Hints (RFC 9110 15.2), which http.client takes
    for the answer itself.  101 is final here: no upgrade was asked for.
    """

    def begin(self) -> None:
        super().begin()
        while self.status in _INTERIM:
            # begin() reads a head only where there is none yet.
            self.headers = None  # type: ignore[assignment]
            super().begin()


@dataclass(frozen=True, slots=True)
class PostAnswer:
    """The answer of a webhook's receiver: its status and the beginning of its text, as one line.

    Where it is a redirect, the text begins with an arrow and the address that it leads to.
    """

    status: int
    answer: str

    @property
    def accepted(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300


def fetch(
    url: str,
    *,
    limit_octets: int,
    timeout_s: float,
    allow_private: bool = False,
    resolver: Resolver = resolve,
    halt: Watchdog | None = None,
) -> Fetched:
    """Gets a document, at most ``limit_octets`` long, in at most ``timeout_s`` seconds in all.

    Redirects are followed, each checked like the first address.  ``halt`` may end it sooner.  Raises
    FetchError.
    """
    deadline = time.monotonic() + timeout_s
    for _ in range(MAX_REDIRECTS + 1):
        target = _parse(url)
        with _exchange(
            "GET",
            target,
            None,
            {},
            deadline=deadline,
            allow_private=allow_private,
            resolver=resolver,
            halt=halt or Watchdog(),
        ) as answer:
            if answer.status in _MOVED and answer.getheader("Location"):
                url = urljoin(url, answer.getheader("Location") or "")
                continue
            if answer.status != http.client.OK:
                raise FetchError(URL_REFUSED_US, f"{target.hostname} answered {answer.status}")
            content = _read(answer, limit_octets)
            media_type = answer.headers.get_content_type() if answer.getheader("Content-Type") else ""
            return Fetched(content, media_type, _name_of(target, answer.headers))
    raise FetchError(URL_REFUSED_US, f"more than {MAX_REDIRECTS} redirects")


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout_s: float,
    allow_private: bool = False,
    resolver: Resolver = resolve,
) -> PostAnswer:
    """Posts ``body``; a redirect is an answer like any other and not followed.  Raises FetchError.

    An answer counts by its status: one whose words are cut off or broken is not asked for again.

    Name and password in the URL are sent as HTTP Basic (RFC 7617).
    """
    deadline = time.monotonic() + timeout_s
    target = _parse(url, credentials=True)
    told: PostAnswer | None = None
    try:
        with _exchange(
            "POST",
            target,
            body,
            {**headers, **_basic(target)},
            deadline=deadline,
            allow_private=allow_private,
            resolver=resolver,
            halt=Watchdog(),
        ) as answer:
            told = PostAnswer(answer.status, "")
            moved = _moved_to(target, answer)
            told = PostAnswer(answer.status, moved)
            words = answer.read(ANSWER_OCTETS).decode("utf-8", "replace")
            told = PostAnswer(answer.status, one_line(f"{moved} {words}")[:ANSWER_OCTETS])
    except FetchError:
        if told is None:
            raise
    return told


def _moved_to(target: SplitResult, answer: http.client.HTTPResponse) -> str:
    """Where a redirect leads, behind an arrow; empty for any other answer."""
    location = answer.getheader("Location") if answer.status in _MOVED else None
    asked = f"{target.scheme}://{target.netloc.rpartition('@')[2]}{target.path}"
    return one_line(f"→ {urljoin(asked, location)}")[:_ERROR_KEPT] if location else ""


def check_url(url: str) -> None:
    """Raises FetchError for a URL that would never be posted to, whatever its name resolves to."""
    _parse(url, credentials=True)


def _basic(target: SplitResult) -> dict[str, str]:
    if target.username is None and target.password is None:
        return {}
    words = f"{unquote(target.username or '')}:{unquote(target.password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(words.encode()).decode()}"}


def _parse(url: str, *, credentials: bool = False) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname or ""
        host.encode("idna")
    except (ValueError, UnicodeError):
        raise FetchError(URL_NOT_ALLOWED, said("this is not a URL")) from None
    if parts.scheme not in _PORTS or not host:
        raise FetchError(URL_NOT_ALLOWED, said("only http:// and https:// are fetched"))
    if not credentials and (parts.username is not None or parts.password is not None):
        raise FetchError(URL_NOT_ALLOWED, said("a URL must not carry a password"))
    if port is not None and port not in _PORTS.values() and port < _FIRST_FREE_PORT:
        raise FetchError(URL_NOT_ALLOWED, said("port {port} is not allowed").format(port=port))
    if any(character <= " " or character == "\x7f" for character in url):
        raise FetchError(URL_NOT_ALLOWED, said("a URL has no spaces or control characters"))
    return parts


@contextlib.contextmanager
def _exchange(
    method: str,
    target: SplitResult,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    deadline: float,
    allow_private: bool,
    resolver: Resolver,
    halt: Watchdog,
) -> Iterator[http.client.HTTPResponse]:
    """One request and the head of its answer; the watchdog ends all of it at ``deadline``."""
    host = target.hostname or ""
    port = target.port or _PORTS[target.scheme]
    watchdog = Watchdog(deadline - time.monotonic())
    connection: http.client.HTTPConnection | None = None
    held = contextlib.ExitStack()
    try:
        sock = _connect(host, port, deadline, allow_private, resolver, halt=halt, held=held)
        connection = http.client.HTTPConnection(host, port)
        connection.response_class = _FinalAnswer
        connection.sock = sock
        held.enter_context(watchdog)
        held.enter_context(watchdog.over(sock))
        if target.scheme == "https":
            connection.sock = ssl.create_default_context().wrap_socket(sock, server_hostname=host)
        path = (target.path or "/") + (f"?{target.query}" if target.query else "")
        sent = {"User-Agent": _USER_AGENT, "Accept-Encoding": "identity", "Connection": "close", **headers}
        connection.request(method, _quoted(path), body, sent)
        answer = connection.getresponse()
        # An answer that the watchdog cut off may look complete, and so may its head.
        if watchdog.expired or halt.expired:
            raise TimeoutError
        yield answer
        if watchdog.expired or halt.expired:
            raise TimeoutError
    except ssl.SSLCertVerificationError as error:
        raise FetchError(URL_UNTRUSTED, f"{host}: {error.verify_message}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        if halt.expired:
            raise FetchError(STOPPING, host) from error
        if watchdog.expired or isinstance(error, TimeoutError):
            raise FetchError(URL_TIMED_OUT, host) from error
        # The error may quote the far end's octets.
        words = "".join(letter if letter.isprintable() else " " for letter in str(error)[:_ERROR_KEPT])
        raise FetchError(URL_UNREACHABLE, f"{host}: {words.strip()}") from error
    finally:
        held.close()
        if connection is not None:
            connection.close()


def _connect(
    host: str,
    port: int,
    deadline: float,
    allow_private: bool,
    resolver: Resolver,
    *,
    halt: Watchdog,
    held: contextlib.ExitStack,
) -> socket.socket:
    """A connection, which ``halt`` may end for as long as ``held`` lasts."""
    try:
        addresses = resolver(host, port)
    except (OSError, UnicodeError) as error:
        raise FetchError(URL_UNREACHABLE, f"{host}: {error}") from error
    if not allow_private and not all(is_public(address) for address in addresses):
        raise FetchError(URL_NOT_ALLOWED, f"{host} is not on the public internet")
    problem: OSError | None = None
    for address in addresses:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        try:
            sock.settimeout(left)
            held.enter_context(halt.over(sock))
            sock.connect((address, port))
        except OSError as error:
            sock.close()
            problem = error
        else:
            return sock
    raise problem or OSError("the name has no address")


def _read(answer: http.client.HTTPResponse, limit_octets: int) -> bytes:
    said = answer.getheader("Content-Length", "")
    if said.isdigit() and int(said) > limit_octets:
        raise FetchError(DOCUMENT_TOO_LARGE, f"{said} octets")
    pieces: list[bytes] = []
    total = 0
    while piece := answer.read1(_PIECE_OCTETS):
        total += len(piece)
        if total > limit_octets:
            raise FetchError(DOCUMENT_TOO_LARGE, f"more than {limit_octets} octets")
        pieces.append(piece)
    if said.isdigit() and total < int(said):
        raise FetchError(URL_UNREACHABLE, f"the connection broke after {total} of {said} octets")
    return b"".join(pieces)


def _name_of(target: SplitResult, headers: Message) -> str:
    name = headers.get_filename() or unquote(target.path.rpartition("/")[2])
    return name.replace("\\", "/").rpartition("/")[2][:255]


def _quoted(path: str) -> str:
    """``path`` with characters outside ASCII percent-encoded; existing percent-encoding is kept."""
    return "".join(c if c.isascii() else "".join(f"%{o:02X}" for o in c.encode()) for c in path)
