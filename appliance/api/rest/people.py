"""Users, API keys, signing in, and the one-time set-up code."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from appliance.api import auth
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
    integer,
    record,
    request_object,
    settings_schema,
    text,
    timestamp,
)
from appliance.api.rest.views import time_text, values
from appliance.causes import NOT_FOUND, NOT_PERMITTED, SIGN_IN_REFUSED, STATE_FORBIDS
from appliance.services.rules import RefusedError
from appliance.settings import secrets
from appliance.settings.delivery import Route
from appliance.settings.fields import to_document
from appliance.settings.items import ApiKey, Role, Scope, User

_PASSWORD = {**text(secrets.PASSWORD_MAX, least=secrets.PASSWORD_MIN), "writeOnly": True}
_USER_HIDDEN = ("password_hash",)
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
SELF = component(
    "Self",
    record(
        {
            "who": text(200),
            "owner": text(64),
            "scopes": array(choice(*values(Scope))),
            "pages_this_month": integer(),
        }
    ),
)


# -- signing in ------------------------------------------------------------------------------------


def sign_in(call: Call) -> Answer:
    call.context.sign_ins.check(call.address, time.monotonic())
    name = call.body["name"]
    found = secrets.find_user(call.box.settings, name, call.body["password"])
    if found is None:
        call.context.sign_ins.failed(call.address, time.monotonic())
        call.box.history.audit("", "sign_in.refused", address=call.address, detail=name[:64])
        raise ProblemError(SIGN_IN_REFUSED)
    call.box.history.audit(f"user:{found[1].name}", "sign_in", address=call.address)
    return Answer(_ticket(call, found[0]))


def set_up(call: Call) -> Answer:
    call.context.sign_ins.check(call.address, time.monotonic())
    body = call.body
    user_id = secrets.redeem_setup_code(call.box.settings, body["code"], body["name"], body["password"])
    if user_id is None:
        call.context.sign_ins.failed(call.address, time.monotonic())
        raise ProblemError(SIGN_IN_REFUSED, "this is not the set-up code, or it was used")
    call.box.history.audit(f"user:{body['name']}", "set_up", address=call.address)
    return Answer(_ticket(call, user_id))


def _ticket(call: Call, user_id: int) -> Json:
    lifetime = call.context.settings.session_hours * 3600
    now = call.context.now()
    return {
        "token": auth.issue_ticket(call.box.settings, user_id, now, lifetime),
        "expires_at": time_text(now + lifetime),
        "user_id": user_id,
        "role": call.box.settings.item(User, user_id).role.value,
    }


def me(call: Call) -> Answer:
    caller = call.caller
    scope = f"key:{caller.key}" if caller.key else f"owner:{caller.owner}"
    return Answer(
        {
            "who": caller.who,
            "owner": caller.owner,
            "scopes": sorted(scope.value for scope in caller.scopes),
            "pages_this_month": call.box.accounts.pages_this_month(scope),
        }
    )


def change_password(call: Call) -> Answer:
    """Who is signed in changes their own password; that ends all sign-ins with the old one."""
    user_id = call.caller.user_id
    user = call.box.settings.items(User).get(user_id) if user_id is not None else None
    if user_id is None or user is None:
        raise ProblemError(NOT_PERMITTED, "a key has no password; sign in with name and password")
    call.context.sign_ins.check(call.address, time.monotonic())
    if not secrets.check_password(call.body["old"], user.password_hash):
        call.context.sign_ins.failed(call.address, time.monotonic())
        call.note("password.refused")
        raise ProblemError(SIGN_IN_REFUSED, "the old password is another")
    call.box.settings.update(User, user_id, {"password_hash": secrets.hash_password(call.body["new"])})
    call.note("password.change")
    return Answer(_ticket(call, user_id))


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
        raise ProblemError(error.cause, error.detail, (Flaw("cover", error.cause.sentence),)) from None


def _require_sound_key(call: Call, values: Mapping[str, Any]) -> None:
    _require_cover(call, values)
    require_url(values.get("webhook_url", ""), "webhook_url")
    if values.get("webhook_style", "") not in ("", *STYLES):
        raise flaw("webhook_style", f"one of {', '.join(STYLES)} is needed")


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
    document = to_document(key)
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


_NAME_AND_PASSWORD = {"name": text(254, least=1), "password": {**text(1000), "writeOnly": True}}
ROUTES = (
    ApiRoute(
        "POST",
        "/sessions",
        "signIn",
        "sessions",
        "Sign in with name and password",
        sign_in,
        open=True,
        body=request_object(_NAME_AND_PASSWORD, required=("name", "password")),
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
    _admin("GET", "/users", "listUsers", "List users", users, answer=record({"users": array(USER)})),
    _admin("POST", "/users", "createUser", "Add a user", create_user, body=NEW_USER, answer=USER, status=201),
    _admin("GET", "/users/{id}", "readUser", "Read a user", read_user, answer=USER),
    _admin("PATCH", "/users/{id}", "changeUser", "Change a user", change_user, body=USER_CHANGE, answer=USER),
    _admin("DELETE", "/users/{id}", "deleteUser", "Delete a user", delete_user, status=204),
    _admin("GET", "/keys", "listKeys", "List keys", keys, answer=record({"keys": array(KEY)})),
    _admin("POST", "/keys", "createKey", "Make a key", create_key, body=NEW_KEY, answer=MADE_KEY, status=201),
    _admin("GET", "/keys/{id}", "readKey", "Read a key", read_key, answer=KEY),
    _admin("PATCH", "/keys/{id}", "changeKey", "Change a key", change_key, body=KEY_CHANGE, answer=KEY),
    _admin("DELETE", "/keys/{id}", "deleteKey", "Take a key out of use for good", delete_key, status=204),
)
