"""The list of all pages, with who may open them, for tests that visit all pages."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.configuration import CATALOGUE
from webui.pages.collections import LISTS
from webui.settings_words import NOT_FOR_PEOPLE


@dataclass(frozen=True, slots=True)
class Seen:
    """A page.  ``name`` is its picture's; ``who``: admin, or anybody who is signed in, or nobody."""

    name: str
    path: str
    who: str = "admin"


# {fax}, {received}: ids of faxes that the box has.
PAGES = (
    Seen("sign-in", "/sign-in", "nobody"),
    Seen("send", "/"),
    Seen("received", "/received"),
    Seen("received-fax", "/received/{received}"),
    Seen("sent", "/sent"),
    Seen("fax", "/faxes/{fax}"),
    Seen("what-happened", "/happened/{fax}"),
    Seen("waiting", "/waiting"),
    Seen("lines", "/lines"),
    Seen("settings", "/settings"),
    Seen("audit", "/audit"),
    Seen("about", "/about"),
    Seen("backup", "/backup"),
    Seen("charts", "/charts"),
    Seen("charts-year", "/charts?days=365"),
    Seen("deliveries", "/deliveries"),
    Seen("network", "/network"),
    Seen("doctor", "/doctor"),
    Seen("hardware-test", "/hardware-test"),
    Seen("panel", "/panel"),
    Seen("update", "/update"),
    Seen("disk-lock", "/disk-lock"),
    Seen("interface", "/interface"),
    Seen("try-call", "/settings/try-call?caller=%2B4999123&dialled=%2B4930123&line=practice"),
    Seen("import", "/settings/contacts/import"),
    Seen("account", "/account"),
    Seen("account-app", "/account/app"),
    Seen("setup", "/setup"),
    Seen("setup-disk", "/setup/disk"),
    Seen("setup-line", "/setup/line"),
    Seen("setup-check", "/setup/check/{fax}"),
    Seen("setup-received", "/setup/received"),
    Seen("setup-test", "/setup/test"),
    Seen("nothing-here", "/no-such-page"),
    *(Seen(f"settings-{name}", f"/settings/{name}") for name in CATALOGUE.sections if name != NOT_FOR_PEOPLE),
    *(Seen(f"list-{each.name}", f"/settings/{each.name}") for each in LISTS),
    *(Seen(f"new-{each.name}", f"/settings/{each.name}/new") for each in LISTS),
    Seen("new-modem", "/settings/lines/new?type=modem"),
)
