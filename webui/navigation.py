"""Where one can go from every page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.language import said as _
from webui.needs import unread

if TYPE_CHECKING:
    from webui.visit import Visit


PHONE_BOOK = "/settings/contacts"


@dataclass(frozen=True, slots=True)
class Entry:
    """A word of the top line.  ``count``: how many things wait there."""

    path: str
    word: str
    count: int = 0
    here: bool = False


def entries(visit: Visit) -> list[Entry]:
    """Those of the top line that this reader may open."""
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
        found.append(_entry(visit, "/lines", _("Lines")))
        found.append(_entry(visit, "/settings", _("Settings")))
    return found


def _entry(visit: Visit, path: str, word: str, count: int = 0) -> Entry:
    under = "/faxes/" if path == "/sent" else f"{path}/"
    here = visit.path == path or (path != "/" and visit.path.startswith(under))
    if path == "/settings" and visit.path.startswith(PHONE_BOOK):
        here = False  # has a word of its own
    return Entry(path, word, count, here)
