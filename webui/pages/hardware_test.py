"""The hardware test: every part of the box tried in turn, with somebody's help where it needs eyes."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.hardware.folder import SuiteMissingError, parts
from appliance.language import said as _
from webui.visit import Answer, Page, Visit

# Parts that take long or want somebody at the plug: tried when they are chosen, and not otherwise.
_ON_WISH = frozenset({"load", "temperature", "power_cut"})


@dataclass(frozen=True, slots=True)
class Part:
    """A part that can be tried.  ``chosen``: unless somebody says otherwise."""

    name: str
    word: str
    more: str
    chosen: bool


def words_of_parts() -> dict[str, tuple[str, str]]:
    """Of each part what it is called, and what is tried."""
    return {
        "box": (_("The box"), _("it runs and takes faxes")),
        "lines": (_("Lines"), _("each is ready; a page over each trunk when you name a number below")),
        "modem": (_("Modems"), _("what they are, and whether they hear a dial tone")),
        "panel": (_("Front panel"), _("lamps and buttons; it asks you what you see")),
        "printer": (_("Printers"), _("a page through each that you name below")),
        "storage": (_("Disk"), _("how fast what must be kept is safe")),
        "temperature": (_("Temperature"), _("all cores at work for some minutes")),
        "load": (_("Load"), _("fax after fax for as long as you say below")),
        "watchdog": (_("Watchdog"), _("whether a box that hangs is started again")),
        "power_cut": (_("Power cut"), _("what was confirmed before the last one is whole")),
    }


def show(visit: Visit) -> Answer:
    try:
        known = parts()
    except SuiteMissingError:
        known = []
    words = words_of_parts()
    shown = [Part(name, *words.get(name, (name, "")), name not in _ON_WISH) for name in known]
    return visit.page("hardware_test.html", parts=shown)


PAGES = (Page("/hardware-test", show, scopes=("admin",)),)
