"""Users, API keys, signing in, and the one-time set-up code."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from appliance.api import signing_in
from appliance.api.causes import CODE_WRONG, NOT_FOUND, SIGN_IN_REFUSED
from appliance.api.problems import Flaw, ProblemError
from appliance.api.rest.checking import flaw
from appliance.api.rest.lists import STYLES, require_url
from appliance.api.rest.routes import Answer, Call
from appliance.api.rest.routes import Route as ApiRoute
from appliance.api.rest.schemas import (
    Json,
    array,
    choice,
    component,
    flag,
    integer,
    record,
    request_object,
    settings_schema,
    text,
    timestamp,
)
from appliance.api.rest.views import values
from appliance.api.sessions import Session
from appliance.api.signing_in import SignedIn
from appliance.deliver.settings import Route
from appliance.language import said
from appliance.records import time_text
from appliance.services.causes import NOT_PERMITTED, STATE_FORBIDS
from appliance.services.rules import RefusedError
from appliance.settings import secrets
from appliance.settings.accounts import ApiKey, Role, Scope, User
from appliance.settings.fields import one_of, to_document

_PASSWORD = {**text(secrets.PASSWORD_MAX, least=secrets.PASSWORD_MIN), "writeOnly": True}
_USER_HIDDEN = ("password_hash", "totp_secret", "recovery_codes")
_KEY_HIDDEN = ("token_hash", "webhook_secret", "created_at")

_user = settings_schema(User, without=_USER_HIDDEN, answer=True)
USER = component("User", record({"id": integer(1), **_user["properties"]}))
_new_user = settings_schema(User, without=_USER_HIDDEN)
_new_user["properties"]["password"] = _PASSWORD
NEW_USER = component("NewUser", {**_new_user, "required": ["name", "password"]})
USER_CHANGE = component("UserChange", _new_user)

_key = settings_schema(ApiKey, without=_KEY_HIDDEN, answer=True)
_KEY: dict[str, Json] = {"id": integer(1), **_key["properties"], "created_at": timestamp()}
KEY = component("Key", record(_KEY))
NEW_KEY = component("NewKey", settings_schema(ApiKey, without=_KEY_HIDDEN, required=("name",)))
KEY_CHANGE = component("KeyChange", settings_schema(ApiKey, without=(*_KEY_HIDDEN, "name")))
MADE_KEY = component(
    "MadeKey",
    record(
        {
            **_KEY,
            "token": text(200, help="shown only now"),
            "webhook_secret": text(200, help="signs its webhooks; shown only now"),
        }
    ),
)
TICKET = component(
    "Ticket",
    record(
        {"token": text(512), "expires_at": timestamp(), "user_id": integer(1), "role": choice(*values(Role))}
    ),
)
SESSION = component(
    "Session",
    record(
        {
            "id": text(40),
            "began_at": timestamp(),
            "seen_at": timestamp("to some minutes"),
            "expires_at": timestamp(),
            "address": text(60),
            "agent": text(200, help="what the browser or program calls itself"),
            "this": flag("the one that asks"),
        }
    ),
)
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


# -- signing in ------------------------------------------------------------------------------------


def sign_in(call: Call) -> Answer:
    body = call.body
    code = body.get("code", "")
    return Answer(
        _ticket(signing_in.sign_in(call.context, call.environ, body["name"], body["password"], code))
    )


def set_up(call: Call) -> Answer:
    return Answer(_ticket(signing_in.set_up(call.context, call.environ, **call.body)))


def _ticket(signed_in: SignedIn) -> Json:
    return {
        "token": signed_in.token,
        "expires_at": time_text(signed_in.ends_at),
        "user_id": signed_in.user_id,
        "role": signed_in.user.role.value,
    }


def me(call: Call) -> Answer:
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
    """The user who asks.  Raises ProblemError for a key."""
    user_id = call.caller.user_id
    user = call.box.settings.items(User).get(user_id) if user_id is not None else None
    if user_id is None or user is None:
        raise ProblemError(NOT_PERMITTED, "a key is no user; sign in with name and password")
    return user_id, user


def change_self(call: Call) -> Answer:
    user_id, _ = _self(call)
    call.box.settings.update(User, user_id, call.body)
    return me(call)


def change_password(call: Call) -> Answer:
    """Who is signed in changes their own password; that ends all sign-ins with the old one."""
    user_id, user = _self(call)
    _require_password(call, user, call.body["old"])
    call.box.settings.update(User, user_id, {"password_hash": secrets.hash_password(call.body["new"])})
    call.note("password.change")
    call.context.sessions.end_all(user_id)
    return Answer(_ticket(signing_in.begin_session(call.context, call.environ, user_id)))


def _require_password(call: Call, user: User, password: str) -> None:
    """Raises ProblemError unless this is the user's password."""
    with call.context.sign_ins.guess(call.address, time.monotonic()):
        if not secrets.check_password(password, user.password_hash):
            call.note("password.refused")
            raise ProblemError(SIGN_IN_REFUSED, "the password is another")


def sessions(call: Call) -> Answer:
    user_id, _ = _self(call)
    listed = call.context.sessions.of_user(user_id, call.context.now())
    return Answer({"sessions": [_session_view(session, call.caller.session_id) for session in listed]})


def _session_view(session: Session, own: str) -> Json:
    return {
        "id": session.id,
        "began_at": time_text(session.began_at),
        "seen_at": time_text(session.seen_at),
        "expires_at": time_text(session.ends_at),
        "address": session.address,
        "agent": session.agent,
        "this": session.id == own,
    }


def end_session(call: Call) -> Answer:
    user_id, _ = _self(call)
    if not call.context.sessions.end(user_id, call.arguments["session"]):
        raise ProblemError(NOT_FOUND, "there is no such session")
    return Answer()


def end_other_sessions(call: Call) -> Answer:
    user_id, _ = _self(call)
    ended = call.context.sessions.end_all(user_id, but=call.caller.session_id)
    call.note("sessions.end", detail=str(ended))
    return Answer({"ended": ended})


def new_app_secret(call: Call) -> Answer:
    _, user = _self(call)
    secret, address = signing_in.new_app_secret(user)
    return Answer({"secret": secret, "address": address})


def use_app(call: Call) -> Answer:
    user_id, user = _self(call)
    _require_password(call, user, call.body["password"])
    try:
        fits = signing_in.app_code_fits(call.body["secret"], call.body["code"], call.context.now())
    except ValueError:  # no base32
        raise flaw("secret", said("this is not a secret that the box made")) from None
    if not fits:
        raise ProblemError(CODE_WRONG, flaws=(Flaw("code", said(CODE_WRONG.sentence)),))
    codes, hashes = signing_in.new_recovery_codes()
    changes = {"totp_secret": call.body["secret"], "recovery_codes": hashes}
    call.box.settings.update(User, user_id, changes)
    call.note("app.use")
    return Answer({"recovery_codes": codes})


def drop_app(call: Call) -> Answer:
    user_id, user = _self(call)
    _require_password(call, user, call.body["password"])
    _forget_app(call, user_id, user)
    return Answer()


def drop_app_of(call: Call) -> Answer:
    _forget_app(call, *_find(call, User, "user"))
    return Answer()


def _forget_app(call: Call, user_id: int, user: User) -> None:
    call.box.settings.update(User, user_id, {"totp_secret": "", "recovery_codes": []})
    call.note("app.drop", object=f"user:{user.name}")


def end_sessions_of(call: Call) -> Answer:
    user_id, user = _find(call, User, "user")
    ended = call.context.sessions.end_all(user_id)
    call.note("sessions.end", object=f"user:{user.name}", detail=str(ended))
    return Answer({"ended": ended})


# -- users -----------------------------------------------------------------------------------------


def _user_view(user_id: int, user: User) -> Json:
    document = to_document(user)
    return {"id": user_id, **{name: document[name] for name in document if name not in _USER_HIDDEN}}


def _find(call: Call, kind: type[Any], title: str) -> tuple[int, Any]:
    item_id = call.arguments["id"]
    item = call.box.settings.items(kind).get(item_id)
    if item is None:
        raise ProblemError(NOT_FOUND, f"there is no {title} {item_id}")
    return item_id, item


def users(call: Call) -> Answer:
    return Answer({"users": [_user_view(*item) for item in call.box.settings.items(User).items()]})


def read_user(call: Call) -> Answer:
    return Answer(_user_view(*_find(call, User, "user")))


def create_user(call: Call) -> Answer:
    store = call.box.settings
    more = dict(call.body)
    role = Role(more.pop("role", Role.USER.value))
    name, password = more.pop("name"), more.pop("password")
    _require_cover(call, more)
    user_id = secrets.add_user(store, name, password, role=role)
    if more:
        try:
            store.update(User, user_id, more)
        except BaseException:
            store.remove(User, user_id)
            raise
    call.note("user.create", object=f"user:{name}", detail=role.value)
    location = f"/api/v1/users/{user_id}"
    return Answer(_user_view(user_id, store.item(User, user_id)), headers={"Location": location})


def change_user(call: Call) -> Answer:
    user_id, user = _find(call, User, "user")
    changes = dict(call.body)
    if "name" in changes and changes["name"] != user.name:
        raise ProblemError(STATE_FORBIDS, "a user keeps the name: faxes are kept under it")
    if changes.get("role", user.role.value) != Role.ADMIN.value or changes.get("disabled"):
        _require_other_admin(call, user_id, user)
    _require_cover(call, changes)
    if "password" in changes:
        changes["password_hash"] = secrets.hash_password(changes.pop("password"))
    changed = call.box.settings.update(User, user_id, changes)
    call.note("user.change", object=f"user:{user.name}", detail=", ".join(call.body))
    return Answer(_user_view(user_id, changed))


def delete_user(call: Call) -> Answer:
    user_id, user = _find(call, User, "user")
    _require_other_admin(call, user_id, user)
    _require_unrouted(call, user)
    call.box.settings.remove(User, user_id)
    call.note("user.delete", object=f"user:{user.name}")
    return Answer()


def _require_cover(call: Call, values: Mapping[str, Any]) -> None:
    """The usual cover page that is named must be there."""
    try:
        call.box.rules.cover_template(values.get("cover", ""))
    except RefusedError as error:
        raise ProblemError(error.cause, error.detail, (Flaw("cover", said(error.cause.sentence)),)) from None


def _require_sound_key(call: Call, values: Mapping[str, Any]) -> None:
    _require_cover(call, values)
    require_url(values.get("webhook_url", ""), "webhook_url")
    if values.get("webhook_style", "") not in ("", *STYLES):
        raise flaw("webhook_style", one_of(STYLES))


def _require_unrouted(call: Call, user: User) -> None:
    """Faxes that a route gives to somebody who is gone would be seen by nobody."""
    for route in call.box.settings.items(Route).values():
        if route.user == user.name:
            raise ProblemError(STATE_FORBIDS, f"the route {route.name} gives faxes to this user")


def _require_other_admin(call: Call, user_id: int, user: User) -> None:
    """The last administrator stays: otherwise only someone at the box could let anybody in again."""
    if user.role is not Role.ADMIN or user.disabled:
        return
    others = [
        other
        for other_id, other in call.box.settings.items(User).items()
        if other_id != user_id and other.role is Role.ADMIN and not other.disabled
    ]
    if not others:
        raise ProblemError(STATE_FORBIDS, "this is the last administrator")


# -- keys ------------------------------------------------------------------------------------------


def _key_view(key_id: int, key: ApiKey) -> Json:
    document = to_document(key, mask=True)
    shown = {name: document[name] for name in document if name not in _KEY_HIDDEN}
    return {"id": key_id, **shown, "created_at": time_text(key.created_at)}


def keys(call: Call) -> Answer:
    return Answer({"keys": [_key_view(*item) for item in call.box.settings.items(ApiKey).items()]})


def read_key(call: Call) -> Answer:
    return Answer(_key_view(*_find(call, ApiKey, "key")))


def create_key(call: Call) -> Answer:
    store = call.box.settings
    more = dict(call.body)
    scopes = tuple(Scope(word) for word in more.pop("scopes", (Scope.SEND.value, Scope.RECEIVE.value)))
    name = more.pop("name")
    _require_sound_key(call, more)
    key_id, token = secrets.add_key(store, name, scopes=scopes)
    if more:
        try:
            store.update(ApiKey, key_id, more)
        except BaseException:
            store.remove(ApiKey, key_id)
            raise
    key = store.item(ApiKey, key_id)
    call.note("key.create", object=f"key:{name}", detail=", ".join(scope.value for scope in scopes))
    body = {**_key_view(key_id, key), "token": token, "webhook_secret": key.webhook_secret}
    return Answer(body, headers={"Location": f"/api/v1/keys/{key_id}"})


def change_key(call: Call) -> Answer:
    key_id, key = _find(call, ApiKey, "key")
    _require_sound_key(call, call.body)
    changed = call.box.settings.update(ApiKey, key_id, call.body)
    call.note("key.change", object=f"key:{key.name}", detail=", ".join(call.body))
    return Answer(_key_view(key_id, changed))


def delete_key(call: Call) -> Answer:
    key_id, key = _find(call, ApiKey, "key")
    call.box.settings.remove(ApiKey, key_id)
    call.note("key.delete", object=f"key:{key.name}")
    return Answer()


def _admin(method: str, path: str, name: str, summary: str, handler: Any, **more: Any) -> ApiRoute:
    return ApiRoute(method, path, name, path.split("/")[1], summary, handler, scope=Scope.ADMIN, **more)


_SECRET_TEXT = {**text(1000), "writeOnly": True}
_NAME_AND_PASSWORD = {"name": text(254, least=1), "password": _SECRET_TEXT}
ROUTES = (
    ApiRoute(
        "POST",
        "/sessions",
        "signIn",
        "sessions",
        "Sign in with name and password",
        sign_in,
        open=True,
        body=request_object(
            {**_NAME_AND_PASSWORD, "code": text(40, help="of the authenticator app, or a recovery code")},
            required=("name", "password"),
        ),
        answer=TICKET,
        status=201,
        help="The token is used like a key's, until it expires.",
    ),
    ApiRoute(
        "POST",
        "/setup",
        "setUp",
        "sessions",
        "Make the first administrator with the set-up code",
        set_up,
        open=True,
        answer=TICKET,
        status=201,
        body=request_object(
            {"code": text(40, least=1), "name": text(64, least=1), "password": _PASSWORD},
            required=("code", "name", "password"),
        ),
    ),
    ApiRoute("GET", "/me", "readSelf", "sessions", "Who the key or sign-in stands for", me, answer=SELF),
    ApiRoute(
        "POST",
        "/me/password",
        "changeOwnPassword",
        "sessions",
        "Change your own password",
        change_password,
        answer=TICKET,
        body=request_object(
            {"old": {**text(1000), "writeOnly": True}, "new": _PASSWORD}, required=("old", "new")
        ),
        help="Ends every sign-in with the old one, and answers a new one.",
    ),
    ApiRoute(
        "PATCH",
        "/me",
        "changeSelf",
        "sessions",
        "Change what is your own to choose",
        change_self,
        body=request_object({"language": text(3, pattern="([a-z]{2,3})?", help="empty: the browser's")}),
        answer=SELF,
    ),
    ApiRoute(
        "GET",
        "/me/sessions",
        "listOwnSessions",
        "sessions",
        "Where you are signed in",
        sessions,
        answer=record({"sessions": array(SESSION)}),
    ),
    ApiRoute(
        "DELETE",
        "/me/sessions",
        "endOtherSessions",
        "sessions",
        "Sign out everywhere else",
        end_other_sessions,
        answer=ENDED,
    ),
    ApiRoute(
        "DELETE",
        "/me/sessions/{session}",
        "endSession",
        "sessions",
        "Sign out in one place",
        end_session,
        status=204,
    ),
    ApiRoute(
        "POST",
        "/me/app",
        "newAppSecret",
        "sessions",
        "A secret for an authenticator app (TOTP, RFC 6238)",
        new_app_secret,
        answer=record({"secret": text(64), "address": text(500, help="for its QR code")}),
        help="Nothing is kept until the secret comes back with a code.",
    ),
    ApiRoute(
        "PUT",
        "/me/app",
        "useApp",
        "sessions",
        "From now on sign-ins need a code of the app, too",
        use_app,
        body=request_object(
            {
                "password": _SECRET_TEXT,
                "secret": text(64, least=16, pattern="[A-Z2-7]+"),
                "code": text(10, least=6, help="that the app shows now"),
            },
            required=("password", "secret", "code"),
        ),
        answer=record({"recovery_codes": array(text(20), help="each good once; shown only now")}),
    ),
    ApiRoute(
        "POST",
        "/me/app/drop",
        "dropApp",
        "sessions",
        "Sign in with the password alone again",
        drop_app,
        body=request_object({"password": _SECRET_TEXT}, required=("password",)),
        status=204,
    ),
    _admin("GET", "/users", "listUsers", "List users", users, answer=record({"users": array(USER)})),
    _admin("POST", "/users", "createUser", "Add a user", create_user, body=NEW_USER, answer=USER, status=201),
    _admin("GET", "/users/{id}", "readUser", "Read a user", read_user, answer=USER),
    _admin("PATCH", "/users/{id}", "changeUser", "Change a user", change_user, body=USER_CHANGE, answer=USER),
    _admin("DELETE", "/users/{id}", "deleteUser", "Delete a user", delete_user, status=204),
    _admin(
        "DELETE",
        "/users/{id}/app",
        "dropAppOf",
        "A user who lost the app signs in without",
        drop_app_of,
        status=204,
    ),
    _admin(
        "DELETE",
        "/users/{id}/sessions",
        "endSessionsOf",
        "Sign a user out everywhere",
        end_sessions_of,
        answer=ENDED,
    ),
    _admin("GET", "/keys", "listKeys", "List keys", keys, answer=record({"keys": array(KEY)})),
    _admin("POST", "/keys", "createKey", "Make a key", create_key, body=NEW_KEY, answer=MADE_KEY, status=201),
    _admin("GET", "/keys/{id}", "readKey", "Read a key", read_key, answer=KEY),
    _admin("PATCH", "/keys/{id}", "changeKey", "Change a key", change_key, body=KEY_CHANGE, answer=KEY),
    _admin("DELETE", "/keys/{id}", "deleteKey", "Take a key out of use for good", delete_key, status=204),
)
