"""Why a file of contacts is not imported."""

from __future__ import annotations

from appliance.causes import Retry, Side, declare

CONTACTS_UNREADABLE = declare(
    "contacts_unreadable",
    Side.USER,
    Retry.NO,
    "The file holds no contacts that can be read.",
    "Save them as vCard (.vcf) or CSV in the program they are in; a CSV file names its columns in the first"
    " line.",
)
CONTACTS_TOO_MANY = declare(
    "contacts_too_many",
    Side.USER,
    Retry.NO,
    "The file holds more people than are taken at once.",
    "Import it in several parts.",
)
CONTACTS_CHANGED = declare(
    "contacts_changed",
    Side.USER,
    Retry.NO,
    "The phone book was changed since this was shown.",
    "Look at what the import would do now, then import.",
)
