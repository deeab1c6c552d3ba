"""The printers of an entry or group of the phone book, for its page."""

from __future__ import annotations

from appliance.api.ipp import printers
from webui.visit import Visit

# The list of the phone book → the setting that names its entry.
FIELDS = {"contacts": "contact_id", "groups": "group_id"}
# Characters of the Host header that are used.
_HOST_LIMIT = 300


def printers_of(visit: Visit, listed: str, entry: int) -> list[tuple[int, str, str]]:
    """Id, name and address of each printer that sends to this entry."""
    host = str(visit.environ.get("HTTP_HOST", ""))[:_HOST_LIMIT]
    scheme = "ipps" if visit.environ.get("wsgi.url_scheme") == "https" else "ipp"
    found = printers.printers_to(visit.box.settings, FIELDS[listed], entry)
    return [(number, each.name, f"{scheme}://{host}/ipp{each.path}") for number, each in found]


def are_on(visit: Visit) -> bool:
    """Whether the box's network printers are on."""
    return printers.are_on(visit.box.settings)
