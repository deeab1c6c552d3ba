"""The navigation at the top of every page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.language import said as _
from webui.needs import unread

if TYPE_CHECKING:
    from webui.visit import Visit


PHONE_BOOK = "/settings/contacts"
# The entry of the navigation for pages whose address does not begin with the entry's.
_ELSEWHERE = {
    "/faxes/": "/sent",
    "/waiting": "/",
    "/settings/contacts": PHONE_BOOK,
    "/settings/groups": PHONE_BOOK,
    "/settings/lines": "/lines",
    **dict.fromkeys(
        (
            "/audit",
            "/backup",
            "/charts",
            "/deliveries",
            "/disk-lock",
            "/doctor",
            "/hardware-test",
            "/interface",
            "/network",
            "/panel",
            "/update",
        ),
        "/settings",
    ),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the navigation.

    ``count``: how many items wait there; ``rare``: on a small screen it is in the menu.
    """

    path: str
    word: str
    count: int = 0
    here: bool = False
    rare: bool = False


def entries(visit: Visit) -> list[Entry]:
    """The entries that this reader may open."""
    if visit.caller is None:
        return []
    found: list[Entry] = []
    if visit.may("send"):
        found.append(_entry(visit, "/", _("Send")))
    if visit.may("receive"):
        found.append(_entry(visit, "/received", _("Received"), unread(visit)))
    if visit.may("send"):
        found.append(_entry(visit, "/sent", _("Sent")))
        found.append(_entry(visit, PHONE_BOOK, _("Phone book")))
    if visit.may("admin"):
        found.append(_entry(visit, "/lines", _("Lines"), rare=True))
        found.append(_entry(visit, "/settings", _("Settings"), rare=True))
    return found


def _entry(visit: Visit, path: str, word: str, count: int = 0, *, rare: bool = False) -> Entry:
    return Entry(path, word, count, _home(visit.path) == path, rare)


def _home(path: str) -> str:
    """The address of the entry to which the page at ``path`` belongs."""
    for beginning, home in _ELSEWHERE.items():
        if path.startswith(beginning):
            return home
    return "/" + path.split("/")[1]
