"""All routes of the own interface, in the order of the OpenAPI document."""

from __future__ import annotations

from importlib import import_module

from appliance.api.rest.routes import Route

# The modules with handlers.
_PARTS = (
    "handing_in",
    "faxes",
    "sent_content",
    "trunk_check",
    "numberless",
    "previews",
    "numbers",
    "received",
    "handing_on",
    "notes",
    "erasure",
    "backup",
    "journal",
    "documents",
    "polling",
    "phonebook",
    "rules",
    "lists",
    "covers",
    "account",
    "users",
    "keys",
    "deliveries",
    "mail",
    "system",
    "panel",
    "doctor",
    "certificate",
    "statistics",
    "hardware_test",
    "update",
    "disk_lock",
)
ROUTES: tuple[Route, ...] = tuple(
    route for part in _PARTS for route in import_module(f"appliance.api.rest.{part}").routes
)
