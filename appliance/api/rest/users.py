"""Users, as administrators manage them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appliance.api.rest.account import ENDED, NEW_PASSWORD, forget_app
from appliance.api.rest.checking import flaw, require_cover, still_needed
from appliance.api.rest.routes import Answer, Call, Routes, created
from appliance.api.rest.schemas import Json, array, component, integer, record, settings_schema
from appliance.deliver.settings import DeliveryRoute
from appliance.language import said
from appliance.printing.settings import PrintUser
from appliance.settings import secrets
from appliance.settings.accounts import ApiKey, Scope, User, UserRole
from appliance.settings.fields import to_document
from appliance.settings.store import Items

_USER_HIDDEN = ("password_hash", "totp_secret", "app_step", "recovery_codes")

_user = settings_schema(User, without=_USER_HIDDEN, answer=True)
USER = component("User", record({"id": integer(1), **_user["properties"]}))
_new_user = settings_schema(User, without=_USER_HIDDEN)
_new_user["properties"]["password"] = NEW_PASSWORD
NEW_USER = component("NewUser", {**_new_user, "required": ["name", "password"]})
USER_CHANGE = component("UserChange", _new_user)


routes = Routes(tag="users", scope=Scope.ADMIN)


@routes("DELETE", "/users/{id}/app", status=204)
def drop_app_of(call: Call) -> Answer:
    """Stop requiring a code from a user who lost the app."""
    forget_app(call, call.arguments["id"], call.item(User, "user"))
    return Answer()


@routes("DELETE", "/users/{id}/sessions", answer=ENDED)
def end_sessions_of(call: Call) -> Answer:
    """End all sessions of a user."""
    user_id, user = call.arguments["id"], call.item(User, "user")
    ended = call.context.sessions.end_all(user_id)
    call.note("sessions.end", object=f"user:{user.name}", detail=str(ended))
    return Answer({"ended": ended})


def _user_view(user_id: int, user: User) -> Json:
    document = to_document(user)
    return {"id": user_id, **{name: document[name] for name in document if name not in _USER_HIDDEN}}


@routes("GET", "/users", answer=record({"users": array(USER)}))
def list_users(call: Call) -> Answer:
    """List users."""
    return Answer({"users": [_user_view(*item) for item in call.box.settings.items(User).items()]})


@routes("GET", "/users/{id}", answer=USER)
def read_user(call: Call) -> Answer:
    """Read a user."""
    return Answer(_user_view(call.arguments["id"], call.item(User, "user")))


@routes("POST", "/users", body=NEW_USER, answer=USER, status=201)
def create_user(call: Call) -> Answer:
    """Add a user."""
    store = call.box.settings
    more = dict(call.body)
    role = UserRole(more.pop("role", UserRole.USER.value))
    name, password = more.pop("name"), more.pop("password")
    require_cover(call.box.rules, more.get("cover", ""), "cover")
    user_id = secrets.add_user(store, name, password, role=role, **more)
    call.note("user.create", object=f"user:{name}", detail=role.value)
    return created(_user_view(user_id, store.item(User, user_id)), f"/users/{user_id}")


@routes("PATCH", "/users/{id}", body=USER_CHANGE, answer=USER)
def change_user(call: Call) -> Answer:
    """Change a user."""
    user_id, user = call.arguments["id"], call.item(User, "user")
    changes = dict(call.body)
    if "name" in changes and changes["name"] != user.name:
        raise flaw("name", said("a user keeps the name: faxes are kept under it"))
    demotes = changes.get("role", user.role.value) != UserRole.ADMIN.value or changes.get("disabled")

    def check() -> None:
        if demotes:
            _require_other_admin(call, user_id)

    check()
    require_cover(call.box.rules, changes.get("cover", ""), "cover")
    if "password" in changes:
        changes["password_hash"] = secrets.hash_password(changes.pop("password"))
    changed = call.box.settings.update(User, user_id, changes, check=check)
    call.note("user.change", object=f"user:{user.name}", detail=", ".join(call.body))
    return Answer(_user_view(user_id, changed))


@routes("DELETE", "/users/{id}", status=204)
def delete_user(call: Call) -> Answer:
    """Delete a user with their keys.

    Refused while a route or an entry for printing names the user.
    """
    user_id, user = call.arguments["id"], call.item(User, "user")
    theirs: list[ApiKey] = []

    def without(lists: Mapping[type[Any], Items]) -> None:
        _require_other_admin(call, user_id)
        _require_unnamed(call, user)
        users, keys = lists[User].items, lists[ApiKey].items
        users.pop(user_id, None)
        # Without the user a key would be bounded by its own scopes alone.
        theirs.extend(keys.pop(key_id) for key_id, key in list(keys.items()) if key.account == user.name)

    call.box.settings.revise((User, ApiKey), without)
    for key in theirs:
        call.note("key.delete", object=f"key:{key.name}", detail="with its user")
    call.note("user.delete", object=f"user:{user.name}")
    return Answer()


def _require_unnamed(call: Call, user: User) -> None:
    """Raises ProblemError while faxes are the user's by another's name: a route's, or who prints.

    Received ones would be seen by no one, and whoever prints would go on without the user's limits.
    """
    for route in call.box.settings.items(DeliveryRoute).values():
        if route.user == user.name:
            raise still_needed(said("The rule {name} gives faxes to this user.").format(name=route.name))
    for entry in call.box.settings.items(PrintUser).values():
        if entry.user == user.name:
            who = " ".join(filter(None, (entry.from_user, entry.from_computer)))
            raise still_needed(said("What {name} prints is given to this user.").format(name=who))


def _require_other_admin(call: Call, user_id: int) -> None:
    """Raises ProblemError for the last administrator: afterwards nobody could sign in as one."""
    admins = [
        each_id
        for each_id, user in call.box.settings.items(User).items()
        if user.role is UserRole.ADMIN and not user.disabled
    ]
    if admins == [user_id]:
        raise still_needed(said("This is the last administrator."))
