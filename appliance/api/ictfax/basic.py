"""HTTP Basic (RFC 7617) beside Bearer: clients of this style send name and password with every call.

The first call signs in, counted and slowed down like every other sign-in; later ones with the same words use
that session, so that the password is not hashed anew each time.  A session ends with its password.
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
# Longest credentials, characters of Base64: a name, a password, and to spare.
CREDENTIALS_LIMIT = 2000
# Sessions that are remembered: clients of one office.
REMEMBERED = 100


def credentials(header: str | None) -> tuple[str, str] | None:
    """Name and password in an Authorization header; None when it is of another scheme or cannot be read."""
    scheme, _, coded = (header or "").partition(" ")
    if scheme.lower() != _SCHEME or len(coded) > CREDENTIALS_LIMIT:
        return None
    try:
        name, colon, password = base64.b64decode(coded.strip(), validate=True).decode().partition(":")
    except ValueError:  # not Base64, or no UTF-8 in it
        return None
    return (name, password) if colon else None


class BasicSessions:
    """The session of each name and password that was right.  Thread-safe, bounded, in memory."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._key = secrets.token_bytes(32)  # so that no password can be tried against what is kept
        self._lock = threading.Lock()
        self._tokens: OrderedDict[bytes, str] = OrderedDict()

    def token(self, environ: dict[str, Any]) -> str | None:
        """A session's token for the request's Basic credentials; None without any.

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
