"""Signing in, the one-time set-up code, and what users change of their own account."""

from __future__ import annotations

import time

from appliance.api import signing_in
from appliance.api.causes import CODE_WRONG, NOT_FOUND, SIGN_IN_REFUSED
from appliance.api.problems import Flaw, ProblemError
from appliance.api.rest.checking import flaw
from appliance.api.rest.routes import Answer, Call, Routes
from appliance.api.rest.schemas import (
    Json,
    array,
    choice,
    component,
    flag,
    integer,
    record,
    request_object,
    text,
    timestamp,
)
from appliance.api.rest.views import properties_of, values
from appliance.api.sessions import Session
from appliance.api.signing_in import SignedIn
from appliance.language import said
from appliance.records import time_text, view
from appliance.services.causes import NOT_PERMITTED
from appliance.settings import secrets
from appliance.settings.accounts import Scope, User, UserRole

NEW_PASSWORD = {**text(secrets.PASSWORD_MAX, least=secrets.PASSWORD_MIN), "writeOnly": True}
TICKET = component(
    "Ticket",
    record(
        {
            "token": text(512),
            "expires_at": timestamp(),
            "user_id": integer(1),
            "role": choice(*values(UserRole)),
        }
    ),
)
SESSION = component("Session", record({**properties_of(Session), "this": flag("the one that asks")}))
ENDED = record({"ended": integer(help="so many sessions")})
SELF = component(
    "Self",
    record(
        {
            "who": text(200),
            "owner": text(64),
            "language": text(3, help="that the user chose"),
            "app": flag("sign-ins need a code of an authenticator app, too"),
            "scopes": array(choice(*values(Scope))),
            "pages_this_month": integer(),
        }
    ),
)


_SECRET_TEXT = {**text(1000), "writeOnly": True}
_NAME_AND_PASSWORD = {"name": text(254, least=1), "password": _SECRET_TEXT}
routes = Routes(tag="sessions")


@routes(
    "POST",
    "/sessions",
    open=True,
    body=request_object(
        {**_NAME_AND_PASSWORD, "code": text(40, help="of the authenticator app, or a recovery code")},
        required=("name", "password"),
    ),
    answer=TICKET,
    status=201,
)
def sign_in(call: Call) -> Answer:
    """Sign in with name and password.

    The token is used like a key's, until it expires.
    """
    body = call.body
    code = body.get("code", "")
    return Answer(
        _ticket(signing_in.sign_in(call.context, call.environ, body["name"], body["password"], code))
    )


@routes(
    "POST",
    "/setup",
    open=True,
    answer=TICKET,
    status=201,
    body=request_object(
        {"code": text(40, least=1), "name": text(64, least=1), "password": NEW_PASSWORD},
        required=("code", "name", "password"),
    ),
)
def set_up(call: Call) -> Answer:
    """Create the first administrator with the set-up code."""
    return Answer(_ticket(signing_in.set_up(call.context, call.environ, **call.body)))


def _ticket(signed_in: SignedIn) -> Json:
    return {
        "token": signed_in.token,
        "expires_at": time_text(signed_in.ends_at),
        "user_id": signed_in.user_id,
        "role": signed_in.user.role.value,
    }


@routes("GET", "/me", answer=SELF)
def read_self(call: Call) -> Answer:
    """Read the account behind the key or sign-in."""
    caller = call.caller
    scope = f"key:{caller.key}" if caller.key else f"owner:{caller.owner}"
    user = call.box.settings.items(User).get(caller.user_id or 0)
    return Answer(
        {
            "who": caller.who,
            "owner": caller.owner,
            "language": user.language if user is not None else "",
            "app": user is not None and bool(user.totp_secret),
            "scopes": sorted(scope.value for scope in caller.scopes),
            "pages_this_month": call.box.accounts.pages_this_month(scope),
        }
    )


def _self(call: Call) -> tuple[int, User]:
    """The user who asks.  Raises ProblemError for an API key."""
    user_id = call.caller.user_id
    user = call.box.settings.items(User).get(user_id) if user_id is not None else None
    if user_id is None or user is None:
        raise ProblemError(NOT_PERMITTED, "a key is no user; sign in with name and password")
    return user_id, user


@routes(
    "PATCH",
    "/me",
    body=request_object({"language": text(3, pattern="([a-z]{2,3})?", help="empty: the browser's")}),
    answer=SELF,
)
def change_self(call: Call) -> Answer:
    """Change your own preferences."""
    user_id, _ = _self(call)
    call.box.settings.update(User, user_id, call.body)
    return read_self(call)


@routes(
    "POST",
    "/me/password",
    answer=TICKET,
    body=request_object(
        {"old": {**text(1000), "writeOnly": True}, "new": NEW_PASSWORD}, required=("old", "new")
    ),
)
def change_own_password(call: Call) -> Answer:
    """Change your own password.

    Ends every sign-in with the old one, and answers a new one.
    """
    user_id, user = _self(call)
    _require_password(call, user, call.body["old"])
    store, hashed = call.box.settings, secrets.hash_password(call.body["new"])

    def check() -> None:
        if store.item(User, user_id).password_hash != user.password_hash:
            raise ProblemError(SIGN_IN_REFUSED, "the password was changed meanwhile")

    store.update(User, user_id, {"password_hash": hashed}, check=check)
    call.note("password.change")
    call.context.sessions.end_all(user_id)
    return Answer(_ticket(signing_in.begin_session(call.context, call.environ, user_id)))


def _require_password(call: Call, user: User, password: str) -> None:
    """Raises ProblemError unless ``password`` is this user's."""
    with call.context.sign_ins.guess(call.address, time.monotonic()):
        if not secrets.check_password(password, user.password_hash):
            call.note("password.refused")
            raise ProblemError(SIGN_IN_REFUSED, "the password is another")


@routes("GET", "/me/sessions", answer=record({"sessions": array(SESSION)}))
def list_own_sessions(call: Call) -> Answer:
    """List your sessions."""
    user_id, _ = _self(call)
    listed = call.context.sessions.of_user(user_id, call.context.now())
    return Answer(
        {"sessions": [{**view(each), "this": each.id == call.caller.session_id} for each in listed]}
    )


@routes("DELETE", "/me/sessions/{session}", status=204)
def end_session(call: Call) -> Answer:
    """End one of your sessions."""
    user_id, _ = _self(call)
    if not call.context.sessions.end(user_id, call.arguments["session"]):
        raise ProblemError(NOT_FOUND, "there is no such session")
    return Answer()


@routes("DELETE", "/me/sessions", answer=ENDED)
def end_other_sessions(call: Call) -> Answer:
    """End all your other sessions."""
    user_id, _ = _self(call)
    ended = call.context.sessions.end_all(user_id, but=call.caller.session_id)
    call.note("sessions.end", detail=str(ended))
    return Answer({"ended": ended})


@routes("POST", "/me/app", answer=record({"secret": text(64), "address": text(500, help="for its QR code")}))
def new_app_secret(call: Call) -> Answer:
    """Generate a secret for an authenticator app (TOTP, RFC 6238).

    Nothing is kept until the secret comes back with a code.
    """
    _, user = _self(call)
    secret, address = signing_in.new_app_secret(user)
    return Answer({"secret": secret, "address": address})


@routes(
    "PUT",
    "/me/app",
    body=request_object(
        {
            "password": _SECRET_TEXT,
            "secret": text(64, least=16, pattern="[A-Z2-7]+"),
            "code": text(10, least=6, help="that the app shows now"),
        },
        required=("password", "secret", "code"),
    ),
    answer=record({"recovery_codes": array(text(20), help="each good once; shown only now")}),
)
def use_app(call: Call) -> Answer:
    """Require a code of the authenticator app at sign-in.

    Ends every other sign-in, which was made without a code.
    """
    user_id, user = _self(call)
    _require_password(call, user, call.body["password"])
    try:
        step = signing_in.app_code_step(call.body["secret"], call.body["code"], call.context.now())
    except ValueError:  # not base32
        raise flaw("secret", said("this is not a secret that the box made")) from None
    if step is None:
        raise ProblemError(CODE_WRONG, flaws=(Flaw("code", said(CODE_WRONG.sentence)),))
    codes, hashes = signing_in.new_recovery_codes()
    changes = {"totp_secret": call.body["secret"], "app_step": step, "recovery_codes": hashes}
    call.box.settings.update(User, user_id, changes)
    call.note("app.use")
    # They were begun without a code; a client with name and password in each call would go on for days.
    call.context.sessions.end_all(user_id, but=call.caller.session_id)
    return Answer({"recovery_codes": codes})


@routes(
    "POST",
    "/me/app/drop",
    body=request_object({"password": _SECRET_TEXT}, required=("password",)),
    status=204,
)
def drop_app(call: Call) -> Answer:
    """Stop requiring a code of the authenticator app."""
    user_id, user = _self(call)
    _require_password(call, user, call.body["password"])
    forget_app(call, user_id, user)
    return Answer()


def forget_app(call: Call, user_id: int, user: User) -> None:
    """Removes a user's app secret and recovery codes, and notes that in the audit log."""
    call.box.settings.update(User, user_id, {"totp_secret": "", "recovery_codes": []})
    call.note("app.drop", object=f"user:{user.name}")
