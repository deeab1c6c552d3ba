"""Where one can go from every page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.language import said as _

if TYPE_CHECKING:
    from webui.visit import Visit


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
    return [_entry(visit, "/account", _("My account"))]


def _entry(visit: Visit, path: str, word: str, count: int = 0) -> Entry:
    here = visit.path == path or (path != "/" and visit.path.startswith(path + "/"))
    return Entry(path, word, count, here)
