"""Who is asking: API keys, and sign-ins with name and password.

A sign-in makes a *ticket*: the user's id and an end, signed with the box's session key and the user's
password hash.  Nothing is stored for it; a changed password, a disabled user or a new session key ends
all tickets at once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass

from appliance.api.problems import ProblemError
from appliance.causes import NOT_PERMITTED, NOT_SIGNED_IN
from appliance.settings import secrets
from appliance.settings.items import Role, Scope, User
from appliance.settings.sections import SecretSettings
from appliance.settings.store import SettingsStore

TICKET_PREFIX = "fxt_"
# A token or ticket is never longer, characters; what is longer is not looked at.
TOKEN_LIMIT = 512
_SCHEME = "bearer"
# The holder of the data folder, for the command line: may do everything.
LOCAL_USER_ID = 0
LOCAL_NAME = "local"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking.

    ``owner`` is the account that their faxes run under, ``key`` the API key's name for its quota, empty
    for people.  ``who`` names them in the audit log and counts their requests.
    """

    who: str
    owner: str
    scopes: frozenset[Scope]
    key: str = ""
    key_id: int | None = None
    user_id: int | None = None

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def require(self, scope: Scope) -> None:
        """Raises ProblemError."""
        if not self.may(scope):
            raise ProblemError(NOT_PERMITTED, f"the scope {scope.value} is needed")

    @property
    def sees(self) -> str | None:
        """The owner whose faxes they see; None: everyone's.  For the ``owner`` of ``Box``'s methods."""
        return None if Scope.ADMIN in self.scopes else self.owner


def bearer(header: str | None) -> str:
    """The token in an Authorization header, empty when there is none."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() if scheme.lower() == _SCHEME else ""


def caller_of(store: SettingsStore, token: str, now: float) -> Caller:
    """Who has this token: an API key's or a ticket.  ``now``: Unix time.

    Raises ProblemError (NOT_SIGNED_IN) for every other text.
    """
    if not token or len(token) > TOKEN_LIMIT or not token.isascii():
        raise ProblemError(NOT_SIGNED_IN)
    if token.startswith(TICKET_PREFIX):
        return _ticket_holder(store, token, now)
    found = secrets.find_key(store, token)
    if found is None:
        raise ProblemError(NOT_SIGNED_IN)
    key_id, key = found
    _require_enabled(store, key.account)
    return Caller(
        who=f"key:{key.name}", owner=key.account, scopes=frozenset(key.scopes), key=key.name, key_id=key_id
    )


def issue_ticket(store: SettingsStore, user_id: int, now: float, lifetime_s: float) -> str:
    """A ticket for a user who has just proved who they are.  Raises UnknownItemError."""
    text = f"{user_id}.{int(now + lifetime_s)}"
    return f"{TICKET_PREFIX}{text}.{_signature(store, user_id, text)}"


def issue_local_ticket(store: SettingsStore, now: float, lifetime_s: float) -> str:
    """A ticket for who can read the box's folder (the command line): may do everything."""
    text = f"{LOCAL_USER_ID}.{int(now + lifetime_s)}"
    return f"{TICKET_PREFIX}{text}.{_signature(store, LOCAL_USER_ID, text)}"


def _ticket_holder(store: SettingsStore, ticket: str, now: float) -> Caller:
    user_text, _, rest = ticket.removeprefix(TICKET_PREFIX).partition(".")
    end_text, _, signature = rest.partition(".")
    if not (user_text.isdecimal() and end_text.isdecimal()) or len(user_text) > 15 or len(end_text) > 15:
        raise ProblemError(NOT_SIGNED_IN)
    user_id = int(user_text)
    if user_id != LOCAL_USER_ID and user_id not in store.items(User):
        raise ProblemError(NOT_SIGNED_IN)
    expected = _signature(store, user_id, f"{user_text}.{end_text}")
    if not hmac.compare_digest(signature, expected) or now >= int(end_text):
        raise ProblemError(NOT_SIGNED_IN)
    if user_id == LOCAL_USER_ID:
        return Caller(who=LOCAL_NAME, owner=LOCAL_NAME, scopes=frozenset({Scope.ADMIN}))
    user = store.item(User, user_id)
    if user.disabled:
        raise ProblemError(NOT_SIGNED_IN)
    scopes = {Scope.ADMIN} if user.role is Role.ADMIN else {Scope.SEND, Scope.RECEIVE}
    return Caller(who=f"user:{user.name}", owner=user.name, scopes=frozenset(scopes), user_id=user_id)


def _require_enabled(store: SettingsStore, account: str) -> None:
    """A disabled user's keys are refused with them."""
    if any(user.disabled for user in store.items(User).values() if user.name == account):
        raise ProblemError(NOT_SIGNED_IN)


def _signature(store: SettingsStore, user_id: int, text: str) -> str:
    key = store.section(SecretSettings).session_key
    if not key:
        raise RuntimeError("the box has no session key: it was never started")
    proof = store.item(User, user_id).password_hash if user_id != LOCAL_USER_ID else LOCAL_NAME
    digest = hmac.new(key.encode(), f"{text}|{proof}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
