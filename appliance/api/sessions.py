"""``Sessions``: the sign-ins of users.

A session's token is ``fxt_ID.SECRET``.  The box keeps a digest of the secret, made with its session key and
the user's password hash: a changed password, a disabled or deleted user and a new session key end sessions
at once, and the file is of no use for signing in.  It survives a restart.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from appliance import durable
from appliance.records import Moment, fact, hidden, record
from appliance.settings.accounts import User
from appliance.settings.secrets import SecretSettings
from appliance.settings.store import SettingsStore

_log = logging.getLogger(__name__)

SESSIONS_FILE = "sessions.json"
TOKEN_PREFIX = "fxt_"
ID_OCTETS, SECRET_OCTETS = 9, 32
# The most sessions of a user: a person has a few devices; a program that signs in each time must not fill the
# file.  The least recently used one is dropped.
SESSIONS_EACH = 50
# The date of a session's last use is written at most this often, seconds.
SEEN_EVERY_S = 300.0
# Characters of a browser's User-Agent that are kept.
AGENT_LIMIT = 200


@record
class Session:
    """One sign-in."""

    id: str = fact(limit=40)
    user_id: int = hidden()
    digest: str = hidden()
    began_at: Moment = fact()
    seen_at: Moment = fact("to some minutes")
    ends_at: Moment = fact(name="expires_at")
    address: str = fact(limit=60)
    agent: str = fact("what the browser or program calls itself", limit=AGENT_LIMIT)


class Sessions:
    """The sessions of the box whose folder is ``data``.  Thread-safe."""

    def __init__(self, data: Path, store: SettingsStore) -> None:
        self._path = data / SESSIONS_FILE
        self._store = store
        self._lock = threading.Lock()
        self._sessions = self._load()

    def begin(
        self, user_id: int, now: float, lifetime_s: float, *, address: str = "", agent: str = ""
    ) -> str:
        """Starts a session of an authenticated user; returns its token.  Raises UnknownItemError."""
        session_id, secret = secrets.token_urlsafe(ID_OCTETS), secrets.token_urlsafe(SECRET_OCTETS)
        digest = self._digest(user_id, session_id, secret)
        session = Session(
            session_id, user_id, digest, now, now, now + lifetime_s, address, agent[:AGENT_LIMIT]
        )
        with self._lock:
            self._keep(lambda kept: kept.ends_at > now)
            self._sessions[session_id] = session
            mine = sorted(self._of(user_id), key=lambda kept: kept.seen_at)
            for old in mine[: max(0, len(mine) - SESSIONS_EACH)]:
                del self._sessions[old.id]
            self._write()
        return f"{TOKEN_PREFIX}{session_id}.{secret}"

    def find(self, token: str, now: float) -> Session | None:
        """The session with this token; None when there is none, or it has ended."""
        session_id, _, secret = token.removeprefix(TOKEN_PREFIX).partition(".")
        with self._lock:
            session = self._sessions.get(session_id)
        if session is None or session.ends_at <= now or session.user_id not in self._store.items(User):
            return None
        if not hmac.compare_digest(session.digest, self._digest(session.user_id, session_id, secret)):
            return None
        if now - session.seen_at >= SEEN_EVERY_S:
            with self._lock:
                if session_id in self._sessions:
                    self._sessions[session_id] = replace(session, seen_at=now)
                    self._write()
        return session

    def of_user(self, user_id: int, now: float) -> list[Session]:
        """A user's current sessions, newest first."""
        with self._lock:
            mine = [session for session in self._of(user_id) if session.ends_at > now]
        return sorted(mine, key=lambda session: -session.began_at)

    def end(self, user_id: int, session_id: str) -> bool:
        """Ends one session of a user; returns whether there was one."""
        with self._lock:
            session = self._sessions.get(session_id)
            if session is None or session.user_id != user_id:
                return False
            del self._sessions[session_id]
            self._write()
        return True

    def end_all(self, user_id: int, *, but: str = "") -> int:
        """Ends a user's sessions, except the one named ``but``; returns how many."""
        with self._lock:
            before = len(self._sessions)
            self._keep(lambda session: session.user_id != user_id or session.id == but)
            ended = before - len(self._sessions)
            if ended:
                self._write()
        return ended

    def page_token(self, token: str) -> str:
        """The token that a page of this session sends with every changing request.

        Another site can make a browser send the session's cookie, but cannot read a page to learn this.
        """
        return hashlib.sha256(f"page of {token}".encode()).hexdigest()[:40]

    def _of(self, user_id: int) -> list[Session]:
        return [session for session in self._sessions.values() if session.user_id == user_id]

    def _keep(self, wanted: Callable[[Session], bool]) -> None:
        self._sessions = {session.id: session for session in self._sessions.values() if wanted(session)}

    def _digest(self, user_id: int, session_id: str, secret: str) -> str:
        key = self._store.section(SecretSettings).session_key
        if not key:
            raise RuntimeError("the box has no session key: it was never started")
        proof = self._store.item(User, user_id).password_hash
        text = f"{session_id}|{secret}|{proof}"
        return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()

    def _load(self) -> dict[str, Session]:
        try:
            durable.require_file(self._path)
            listed = json.loads(self._path.read_text(encoding="utf-8"))
            return {entry["id"]: Session(**entry) for entry in listed}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, KeyError) as error:
            _log.warning("%s cannot be used, everybody signs in again: %s", self._path, error)
            return {}

    def _write(self) -> None:
        """Writes the file; a full disk must not prevent signing in or out, so memory alone is used then."""
        entries = [asdict(session) for session in self._sessions.values()]
        try:
            durable.write_file(self._path, json.dumps(entries).encode())
        except (OSError, durable.DiskFullError) as error:
            _log.error("the sessions could not be written: %s", error)
