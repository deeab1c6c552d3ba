"""HTTP Basic (RFC 7617) beside Bearer: clients of this style send name and password with every call.

The first call signs in, counted and slowed down like every sign-in; later calls with the same credentials use
that session, so that the password is not hashed again each time.  A session ends when its password changes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from typing import Any

from appliance.api.context import Context
from appliance.api.signing_in import sign_in

_SCHEME = "basic"
# Characters of the longest credentials in Base64: a name, a password, and some more.
CREDENTIALS_LIMIT = 2000
# Sessions that are remembered: the clients of one office.
REMEMBERED = 100


def credentials(header: str | None) -> tuple[str, str] | None:
    """Name and password in an Authorization header; None for another scheme or when it is malformed."""
    scheme, _, coded = (header or "").partition(" ")
    if scheme.lower() != _SCHEME or len(coded) > CREDENTIALS_LIMIT:
        return None
    try:
        name, colon, password = base64.b64decode(coded.strip(), validate=True).decode().partition(":")
    except ValueError:  # not Base64, or not UTF-8
        return None
    return (name, password) if colon else None


class BasicSessions:
    """The sessions by name and password.  Thread-safe, bounded, in memory."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._key = secrets.token_bytes(32)  # of the digests, so that no password can be tried against them
        self._lock = threading.Lock()
        self._tokens: OrderedDict[bytes, str] = OrderedDict()

    def token(self, environ: dict[str, Any]) -> str | None:
        """A session token for the request's Basic credentials; None without any.

        Raises ProblemError as ``sign_in``: wrong ones are refused, and a user with an authenticator app
        needs a token instead.
        """
        given = credentials(environ.get("HTTP_AUTHORIZATION"))
        if given is None:
            return None
        digest = hmac.new(self._key, "\0".join(given).encode(), hashlib.sha256).digest()
        with self._lock:
            token = self._tokens.get(digest)
        if token is not None and self._context.sessions.find(token, self._context.now()) is not None:
            return token
        token = sign_in(self._context, environ, *given).token
        with self._lock:
            self._tokens[digest] = token
            self._tokens.move_to_end(digest)
            while len(self._tokens) > REMEMBERED:
                self._tokens.popitem(last=False)
        return token
