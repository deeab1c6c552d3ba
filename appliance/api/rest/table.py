"""All routes of the own interface.  OpenAPI lists them in this order."""

from __future__ import annotations

from appliance.api.rest import (
    backup,
    certificate,
    covers,
    deliveries,
    doctor,
    documents,
    erasure,
    faxes,
    journal,
    lists,
    mail,
    numberless,
    numbers,
    people,
    phonebook,
    polling,
    previews,
    received,
    rules,
    statistics,
    system,
    update,
)
from appliance.api.rest.routes import Route

ROUTES: tuple[Route, ...] = (
    *faxes.ROUTES,
    *numberless.ROUTES,
    *previews.ROUTES,
    *numbers.ROUTES,
    *received.ROUTES,
    *erasure.ROUTES,
    *backup.ROUTES,
    *journal.ROUTES,
    *documents.ROUTES,
    *polling.ROUTES,
    *phonebook.ROUTES,
    *rules.ROUTES,
    *lists.ROUTES,
    *covers.ROUTES,
    *people.ROUTES,
    *deliveries.ROUTES,
    *mail.ROUTES,
    *system.ROUTES,
    *doctor.ROUTES,
    *certificate.ROUTES,
    *statistics.ROUTES,
    *update.ROUTES,
)
