"""``Context``: what all doors share."""

from __future__ import annotations

import contextlib
import hmac
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any

from appliance.api import auth
from appliance.api.auth import Caller
from appliance.api.causes import PAGE_STALE, TOO_MANY_REQUESTS
from appliance.api.ipp.book import JobBook
from appliance.api.limits import (
    BROKEN_TRIES,
    BROKEN_WINDOW_S,
    Budget,
    CallerPlaces,
    RequestLimiter,
    SignInGuard,
)
from appliance.api.pictures import Pictures
from appliance.api.practice import PracticeCalls
from appliance.api.problems import ProblemError
from appliance.api.sessions import Sessions
from appliance.box import Box
from appliance.core import Core
from appliance.dispatch.previews import Previews
from appliance.hardware.runs import Runs
from appliance.net.settings import ApiSettings
from appliance.net.watchdog import Watchdog
from appliance.settings.store import UnknownItemError

# Octets of request content in memory at once, of all requests together.  A request counts with twice its
# length: the text and what it decodes to.
CONTENT_BUDGET = 96 << 20
# How long a request waits for its share, seconds, before it is told to come back.
CONTENT_WAIT_S = 10.0
# Pages are converted to pictures one at a time: nothing else holds Python's lock as long.
DRAWERS = 1
# How long a request waits for its turn at that, seconds.
TURN_WAIT_S = 30.0
# The most event streams at once: each occupies a thread.
STREAMS = 64
# Of them for one caller: a person with several browsers (the windows of one browser share a stream).
STREAMS_EACH = 8
# The cookie with a browser's session, and the header by which our pages prove their requests.
COOKIE = "faxbox"
PAGE_TOKEN_HEADER = "HTTP_X_PAGE_TOKEN"
# An answer that has taken longer than this, seconds, is given only to who may still have it; one that goes on
# is looked at as often.
LOOK_AGAIN_S = 1.0
# Key of the WSGI environment: tells the server that the request's sender is known, with what finds out
# whether they still may do the same.
KNOWN = "faxbox.known"
# Octets of content of an open call (signing in, setting up).
OPEN_OCTETS = 64 * 1024
# Methods that change nothing (RFC 9110 9.2.1), which another site may make a browser use.
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass
class Context:
    """What all doors share.  One for the whole server; thread-safe."""

    core: Core
    limiter: RequestLimiter = field(default_factory=RequestLimiter)
    sign_ins: SignInGuard = field(default_factory=SignInGuard)
    broken: SignInGuard = field(
        default_factory=lambda: SignInGuard(
            BROKEN_TRIES, BROKEN_WINDOW_S, "broken requests", TOO_MANY_REQUESTS
        )
    )
    content: Budget = field(default_factory=lambda: Budget(CONTENT_BUDGET, "other large requests"))
    drawers: Budget = field(default_factory=lambda: Budget(DRAWERS, "other pictures"))
    pictures: Pictures = field(default_factory=Pictures)
    streams: Budget = field(default_factory=lambda: Budget(STREAMS, f"{STREAMS} event streams are open"))
    halt: Watchdog = field(default_factory=Watchdog)  # ends fetches when the box stops
    own_streams: CallerPlaces = field(
        default_factory=lambda: CallerPlaces(STREAMS_EACH, "event streams at once")
    )
    stopping: threading.Event = field(default_factory=threading.Event)
    session_streams: dict[str, list[Any]] = field(default_factory=dict)  # event streams by session
    practice: PracticeCalls = field(init=False)
    sessions: Sessions = field(init=False)
    previews: Previews = field(init=False)
    print_jobs: JobBook = field(init=False)
    hardware_tests: Runs = field(init=False)

    def __post_init__(self) -> None:
        self.sessions = Sessions(self.box.data, self.box.settings)
        self.previews = Previews(self.box)
        self.print_jobs = JobBook(self.box)
        self.hardware_tests = Runs(self.box.data)
        self.practice = PracticeCalls(self.core.box, self.core.practice)

    @property
    def box(self) -> Box:
        """The box that answers."""
        return self.core.box

    @property
    def settings(self) -> ApiSettings:
        """The settings of the interfaces, as they are now."""
        return self.box.settings.section(ApiSettings)

    def now(self) -> float:
        """Unix time."""
        return self.box.clock()

    def caller(self, environ: dict[str, Any], token: str | None = None) -> Caller:
        """Who sends the request: by ``token``, or when None by its Authorization header or session cookie.

        A changing request with the cookie must also carry the page token.  Raises ProblemError
        (NOT_SIGNED_IN, PAGE_STALE).  Tokens have too many bits to be guessed, so wrong ones are not counted;
        passwords and codes are, by ``sign_ins``.
        """
        given = auth.bearer(environ.get("HTTP_AUTHORIZATION")) if token is None else token
        cookie = session_cookie(environ) if not given and token is None else ""
        caller = auth.caller_of(self.box.settings, self.sessions, given or cookie, self.now())
        if cookie and environ.get("REQUEST_METHOD") not in SAFE:
            self.require_page(cookie, str(environ.get(PAGE_TOKEN_HEADER, "")))
        self.known(environ, given or cookie, caller)
        return caller

    def audit(
        self, environ: dict[str, Any], who: str, action: str, *, object: str = "", detail: str = ""
    ) -> None:
        """Notes in the audit log who did what, and from where; not of HEAD, which gets no content."""
        if environ["REQUEST_METHOD"] != "HEAD":
            address = address_of(environ)
            self.box.history.audit(who, action, object=object, address=address, detail=detail)

    def known(self, environ: dict[str, Any], token: str, caller: Caller) -> None:
        """Tells the server that the request is ``caller``'s, who proved it by ``token``."""
        if KNOWN in environ:
            environ[KNOWN](lambda: self.still(token, caller))

    def still(self, token: str, caller: Caller) -> bool:
        """Whether ``token`` is good for the same as when it made ``caller`` of its sender."""
        try:
            now = auth.caller_of(self.box.settings, self.sessions, token, self.now())
        except (ProblemError, UnknownItemError):  # the latter: removed in this instant
            return False
        return now.may_the_same(caller)

    @contextlib.contextmanager
    def open_call(self, environ: dict[str, Any]) -> Iterator[None]:
        """Reads an open call's content within the block: malformed content counts against its address.

        Raises ProblemError (TOO_MANY_REQUESTS) for an address that has sent too much of it.
        """
        address = address_of(environ)
        self.broken.check(address, time.monotonic())
        try:
            yield
        except ProblemError:
            self.broken.failed(address, time.monotonic())
            raise

    def require_page(self, session_token: str, page_token: str) -> None:
        """Raises ProblemError unless ``page_token`` is that of a page of this session."""
        expected = self.sessions.page_token(session_token)
        if not page_token.isascii() or not hmac.compare_digest(page_token, expected):
            raise ProblemError(PAGE_STALE)


def session_cookie(environ: dict[str, Any]) -> str:
    """The session token in the request's cookie, empty when there is none."""
    try:
        cookies = SimpleCookie(str(environ.get("HTTP_COOKIE", "")))
    except CookieError:
        return ""
    return cookies[COOKIE].value if COOKIE in cookies else ""


def address_of(environ: dict[str, Any]) -> str:
    """The client's IP address."""
    return str(environ.get("REMOTE_ADDR", ""))
