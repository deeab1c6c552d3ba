"""The hardware test: every part of the box in turn, with a person's help where needed."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.hardware.folder import SuiteMissingError, parts
from appliance.hardware.words import name_of
from appliance.language import said as _
from webui.visit import Page, Response, Visit

# Parts that take long or need a person at the plug: tested only when they are chosen.
_ON_WISH = frozenset({"load", "temperature", "power_cut"})


@dataclass(frozen=True, slots=True)
class HardwarePart:
    """A part that can be tested.  ``chosen``: whether it is selected at first."""

    name: str
    word: str
    more: str
    chosen: bool


def tried_of_parts() -> dict[str, str]:
    """What is tested of each part."""
    return {
        "box": _("it runs and takes faxes"),
        "lines": _("each is ready; a page over each trunk when you name a number below"),
        "modem": _("what they are, and whether they hear a dial tone"),
        "panel": _("lamps and buttons; it asks you what you see"),
        "printer": _("a page through each that you name below"),
        "storage": _("how fast what must be kept is safe"),
        "temperature": _("all cores at work for some minutes"),
        "load": _("fax after fax for as long as you say below"),
        "watchdog": _("whether a box that hangs is started again"),
        "power_cut": _("what was confirmed before the last one is whole"),
    }


def show(visit: Visit) -> Response:
    """The page of the hardware test."""
    try:
        known = parts()
    except SuiteMissingError:
        known = []
    tried = tried_of_parts()
    shown = [HardwarePart(name, name_of(name), tried.get(name, ""), name not in _ON_WISH) for name in known]
    return visit.page("hardware_test.html", parts=shown)


PAGES = (Page("/hardware-test", show, scopes=("admin",)),)
