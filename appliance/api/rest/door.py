"""The door ``/api/v1``: carries each request through its route."""

from __future__ import annotations

import json

import bottle

from appliance.api.application import Door, WsgiApplication
from appliance.api.context import Context


def make_rest(context: Context) -> WsgiApplication:
    """The own interface."""
    door = Door()

    @door.get("/health")  # type: ignore[untyped-decorator]
    def health() -> bytes:
        ok = context.box.health().ok
        bottle.response.status = 200 if ok else 503
        bottle.response.content_type = "application/json"
        return json.dumps({"ok": ok}).encode()

    made: WsgiApplication = door
    return made
