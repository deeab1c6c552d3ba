"""Who sends a request: API keys, and sign-ins with name and password.

A sign-in makes a session (``sessions``).  The command line, which can read the box's folder, makes a
*ticket* for itself instead (``appliance.settings.tickets``).
"""

from __future__ import annotations

from dataclasses import dataclass

from appliance.api.causes import NOT_SIGNED_IN
from appliance.api.problems import ProblemError
from appliance.api.sessions import TOKEN_PREFIX, Sessions
from appliance.services.causes import NOT_PERMITTED
from appliance.settings import secrets, tickets
from appliance.settings.accounts import ROLE_SCOPES, Scope, User, scopes_of_key
from appliance.settings.store import SettingsStore

# Characters of the longest token or ticket; longer texts are refused unread.
TOKEN_LIMIT = 512
_SCHEME = "bearer"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request.

    ``owner`` is the account that owns their faxes, ``key`` the API key's name for its quota, empty for
    people.  ``who`` names them in the audit log and in the count of their requests.
    """

    who: str
    owner: str
    scopes: frozenset[Scope]
    key: str = ""
    key_id: int | None = None
    user_id: int | None = None
    session_id: str = ""  # empty without a sign-in
    reads: tuple[str, ...] = ()  # a reader's: numbers and users whose received faxes they see besides

    def may(self, scope: Scope) -> bool:
        """Whether the caller has ``scope``."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def require(self, scope: Scope) -> None:
        """Raises ProblemError unless the caller has ``scope``."""
        if not self.may(scope):
            raise ProblemError(NOT_PERMITTED, f"the scope {scope.value} is needed")

    @property
    def sees(self) -> str | None:
        """The owner whose faxes they see; None: all.  For the ``owner`` of ``Box``'s methods."""
        return None if Scope.ADMIN in self.scopes else self.owner

    def may_use(self, owner: str) -> bool:
        """Whether they see an entry of this owner: their own, everyone's (empty), an administrator any."""
        return self.sees is None or owner in ("", self.owner)

    def may_the_same(self, as_before: Caller) -> bool:
        """Whether they may do and see what they might ``as_before``."""
        now, before = ((each.scopes, each.sees, each.reads) for each in (self, as_before))
        return now == before


def bearer(header: str | None) -> str:
    """The bearer token in an Authorization header, empty when there is none."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == _SCHEME else ""


def caller_of(store: SettingsStore, sessions: Sessions, token: str, now: float) -> Caller:
    """The caller with this token: an API key's, a session's or a local ticket.  ``now``: Unix time.

    Raises ProblemError (NOT_SIGNED_IN) for every other text.
    """
    if not token or len(token) > TOKEN_LIMIT or not token.isascii():
        raise ProblemError(NOT_SIGNED_IN)
    if token.startswith(TOKEN_PREFIX):
        return _signed_in(store, sessions, token, now)
    if token.startswith(tickets.LOCAL_PREFIX):
        return _local(store, token, now)
    found = secrets.find_key(store, token)
    if found is None:
        raise ProblemError(NOT_SIGNED_IN)
    key_id, key = found
    user = secrets.user_named(store, key.account)
    if user is not None and user.disabled:
        raise ProblemError(NOT_SIGNED_IN)
    return Caller(
        who=f"key:{key.name}",
        owner=key.account,
        scopes=scopes_of_key(key, user),
        key=key.name,
        key_id=key_id,
        reads=_reads(user),
    )


def _signed_in(store: SettingsStore, sessions: Sessions, token: str, now: float) -> Caller:
    session = sessions.find(token, now)
    user = store.items(User).get(session.user_id) if session is not None else None
    if session is None or user is None or user.disabled:
        raise ProblemError(NOT_SIGNED_IN)
    return Caller(
        who=f"user:{user.name}",
        owner=user.name,
        scopes=ROLE_SCOPES[user.role],
        user_id=session.user_id,
        session_id=session.id,
        reads=_reads(user),
    )


def _reads(user: User | None) -> tuple[str, ...]:
    return () if user is None else (*user.reads_numbers, *user.reads_of)


def _local(store: SettingsStore, ticket: str, now: float) -> Caller:
    if not tickets.is_good(store, ticket, now):
        raise ProblemError(NOT_SIGNED_IN)
    return Caller(who=tickets.LOCAL_NAME, owner=tickets.LOCAL_NAME, scopes=frozenset({Scope.ADMIN}))
