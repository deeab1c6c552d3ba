"""Trying a call: which rules would apply, and why the others would not."""

from __future__ import annotations

from typing import Any

from appliance.deliver.routing import Contents, Judged, TriedFax, Why
from appliance.deliver.settings import DeliveryRoute
from appliance.deliver.trial import SENTENCES, try_call
from appliance.language import said as _
from webui.visit import Page, Response, Visit

# The fields' names in the interface.
_FIELDS = ("line", "dialled", "caller", "station_id", "sub_address")
_CONTENTS = ("barcode", "words")
_LIMIT = 64


def show(visit: Visit) -> Response:
    """The page that tries the rules on a fax with given properties."""
    given = visit.query
    query = {name: given.get(name, "").strip()[:_LIMIT] for name in (*_FIELDS, "caller_name", *_CONTENTS)}
    tried = None
    if given:
        fax = TriedFax(*(query[name] for name in _FIELDS))
        contents = Contents(query["words"], (query["barcode"],) if query["barcode"] else ())
        tried = try_call(visit.box.settings, fax, query["caller_name"], contents)
    return visit.page(
        "try_call.html",
        query=query,
        lines=[line.name for line in visit.box.lines()],
        tried=tried,
        junk=[_row(each, "junk") for each in tried.junk] if tried else [],
        routes=[_row(each, "routes") for each in tried.routes] if tried else [],
        what=[_what(each.rule) for each in tried.taken] if tried else [],
    )


def _row(judged: Judged[Any], place: str) -> dict[str, Any]:
    return {
        "path": f"/settings/{place}/{judged.id}",
        "name": judged.rule.name,
        "fits": judged.why is Why.FITS,
        "allows": getattr(judged.rule, "allow", False),
        "sentence": _(SENTENCES[judged.why]),
    }


def _what(route: DeliveryRoute) -> str:
    """What a route does with a fax, in words."""
    parts = []
    if route.user:
        parts.append(_("gives it to {name}").format(name=route.user))
    if route.emails:
        parts.append(_("sends it to {addresses}").format(addresses=", ".join(route.emails)))
    if route.folder:
        parts.append(_("puts it in {folder}").format(folder=route.folder))
    if route.printer:
        parts.append(_("prints it on {printer}").format(printer=route.printer))
    if route.webhook_url:
        parts.append(_("tells a program"))
    return f"{route.name}: " + (", ".join(parts) or _("leaves it as it is"))


PAGES = (Page("/settings/try-call", show, scopes=("admin",)),)
