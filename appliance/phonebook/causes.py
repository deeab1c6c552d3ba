"""Causes: why a file of contacts is not imported."""

from __future__ import annotations

from appliance.causes import user_mistake

CONTACTS_UNREADABLE = user_mistake(
    "contacts_unreadable",
    "The file holds no contacts that can be read.",
    "Save them as vCard (.vcf) or CSV in the program they are in; a CSV file names its columns in the first"
    " line.",
)
CONTACTS_TOO_MANY = user_mistake(
    "contacts_too_many",
    "The file holds more people than are taken at once.",
    "Import it in several parts.",
)
CONTACTS_CHANGED = user_mistake(
    "contacts_changed",
    "The phone book was changed since this was shown.",
    "Look at what the import would do now, then import.",
)
