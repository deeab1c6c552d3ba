"""``Context``: what every door may use."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from appliance.api import auth
from appliance.api.auth import Caller
from appliance.api.limits import Budget, Places, RequestLimiter, SignInGuard
from appliance.api.pictures import Pictures
from appliance.api.practice import PracticeCalls
from appliance.box import Box
from appliance.core import Core
from appliance.net import http
from appliance.settings.sections import ApiSettings

# Octets of request content that may be in memory at once, all requests together.  A request counts
# with twice its length: the text and what it decodes to.
CONTENT_BUDGET = 96 << 20
# A request waits so long for its share, seconds, before it is told to come back.
CONTENT_WAIT_S = 10.0
# Pages are turned into pictures one at a time: no other work holds the interpreter as long.
DRAWERS = 1
# How long a request waits for its turn at that, seconds.
TURN_WAIT_S = 30.0
# Event streams at once: each keeps a thread.
STREAMS = 12
# Of them for one caller: a person with several windows.
STREAMS_EACH = 6


@dataclass
class Context:
    """One for the whole server; thread-safe."""

    core: Core
    limiter: RequestLimiter = field(default_factory=RequestLimiter)
    sign_ins: SignInGuard = field(default_factory=SignInGuard)
    content: Budget = field(default_factory=lambda: Budget(CONTENT_BUDGET, "other large requests"))
    drawers: Budget = field(default_factory=lambda: Budget(DRAWERS, "other pictures"))
    pictures: Pictures = field(default_factory=Pictures)
    streams: Budget = field(default_factory=lambda: Budget(STREAMS, f"{STREAMS} event streams are open"))
    halt: http.Halt = field(default_factory=http.Halt)  # of what is fetched when the box stops
    own_streams: Places = field(default_factory=lambda: Places(STREAMS_EACH, "event streams at once"))
    stopping: threading.Event = field(default_factory=threading.Event)
    practice: PracticeCalls = field(init=False)

    def __post_init__(self) -> None:
        self.practice = PracticeCalls(self.core.box, self.core.practice)

    @property
    def box(self) -> Box:
        return self.core.box

    @property
    def settings(self) -> ApiSettings:
        return self.box.settings.section(ApiSettings)

    def now(self) -> float:
        """Unix time."""
        return self.box.clock()

    def caller(self, environ: dict[str, Any], token: str | None = None) -> Caller:
        """Who sends the request: by ``token``, or by its Authorization header when None.

        Raises ProblemError (NOT_SIGNED_IN).  Tokens have too many bits to be guessed, so wrong ones are
        not counted; passwords and codes are, by ``sign_ins``.
        """
        given = auth.bearer(environ.get("HTTP_AUTHORIZATION")) if token is None else token
        return auth.caller_of(self.box.settings, given, self.now())


def address_of(environ: dict[str, Any]) -> str:
    """The client's address."""
    return str(environ.get("REMOTE_ADDR", ""))
