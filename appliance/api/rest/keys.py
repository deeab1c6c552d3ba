"""API keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from appliance.api.rest.checking import flaw, require_cover, require_url
from appliance.api.rest.lists import STYLES
from appliance.api.rest.routes import Answer, Call, Routes, created
from appliance.api.rest.schemas import (
    Json,
    array,
    component,
    integer,
    record,
    settings_schema,
    text,
    timestamp,
)
from appliance.language import said
from appliance.records import time_text
from appliance.settings import secrets
from appliance.settings.accounts import ApiKey, Scope
from appliance.settings.fields import one_of, to_document

_KEY_HIDDEN = ("token_hash", "webhook_secret", "created_at")

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


def _require_sound_key(call: Call, values: Mapping[str, Any]) -> None:
    if values.get("owner") and call.box.accounts.user(values["owner"]) is None:
        raise flaw("owner", said("there is no such user"))
    require_cover(call.box.rules, values.get("cover", ""), "cover")
    require_url(values.get("webhook_url", ""), "webhook_url")
    if values.get("webhook_style", "") not in ("", *STYLES):
        raise flaw("webhook_style", one_of(STYLES))


def _key_view(key_id: int, key: ApiKey) -> Json:
    document = to_document(key, mask=True)
    shown = {name: document[name] for name in document if name not in _KEY_HIDDEN}
    return {"id": key_id, **shown, "created_at": time_text(key.created_at)}


routes = Routes(tag="keys", scope=Scope.ADMIN)


@routes("GET", "/keys", answer=record({"keys": array(KEY)}))
def list_keys(call: Call) -> Answer:
    """List keys."""
    return Answer({"keys": [_key_view(*item) for item in call.box.settings.items(ApiKey).items()]})


@routes("GET", "/keys/{id}", answer=KEY)
def read_key(call: Call) -> Answer:
    """Read a key."""
    return Answer(_key_view(call.arguments["id"], call.item(ApiKey, "key")))


@routes("POST", "/keys", body=NEW_KEY, answer=MADE_KEY, status=201)
def create_key(call: Call) -> Answer:
    """Create a key."""
    store = call.box.settings
    more = dict(call.body)
    scopes = tuple(Scope(word) for word in more.pop("scopes", (Scope.SEND.value, Scope.RECEIVE.value)))
    name = more.pop("name")
    _require_sound_key(call, more)
    key_id, token = secrets.add_key(store, name, scopes=scopes, **more)
    key = store.item(ApiKey, key_id)
    call.note("key.create", object=f"key:{name}", detail=", ".join(scope.value for scope in scopes))
    body = {**_key_view(key_id, key), "token": token, "webhook_secret": key.webhook_secret}
    return created(body, f"/keys/{key_id}")


@routes("PATCH", "/keys/{id}", body=KEY_CHANGE, answer=KEY)
def change_key(call: Call) -> Answer:
    """Change a key."""
    key_id, key = call.arguments["id"], call.item(ApiKey, "key")
    _require_sound_key(call, call.body)
    store = call.box.settings

    def check() -> None:
        if "owner" in call.body:
            secrets.require_owner(store, key.name, call.body["owner"])

    changed = store.update(ApiKey, key_id, call.body, check=check)
    call.note("key.change", object=f"key:{key.name}", detail=", ".join(call.body))
    return Answer(_key_view(key_id, changed))


@routes("DELETE", "/keys/{id}", status=204)
def delete_key(call: Call) -> Answer:
    """Delete a key."""
    key_id, key = call.arguments["id"], call.item(ApiKey, "key")
    call.box.settings.remove(ApiKey, key_id)
    call.note("key.delete", object=f"key:{key.name}")
    return Answer()
