"""The navigation at the top of every page."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.language import said as _
from webui.needs import unread
from webui.reader import Reader

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


def entries(reader: Reader) -> list[Entry]:
    """The entries that this reader may open."""
    if reader.caller is None:
        return []
    found: list[Entry] = []
    if reader.may("send"):
        found.append(_entry(reader, "/", _("Send")))
    if reader.may("receive"):
        found.append(_entry(reader, "/received", _("Received"), unread(reader)))
    if reader.may("send"):
        found.append(_entry(reader, "/sent", _("Sent")))
        found.append(_entry(reader, PHONE_BOOK, _("Phone book")))
    if reader.may("admin"):
        found.append(_entry(reader, "/lines", _("Lines"), rare=True))
        found.append(_entry(reader, "/settings", _("Settings"), rare=True))
    return found


def _entry(reader: Reader, path: str, word: str, count: int = 0, *, rare: bool = False) -> Entry:
    return Entry(path, word, count, _home(reader.path) == path, rare)


def _home(path: str) -> str:
    """The address of the entry to which the page at ``path`` belongs."""
    for beginning, home in _ELSEWHERE.items():
        if path.startswith(beginning):
            return home
    return "/" + path.split("/")[1]
