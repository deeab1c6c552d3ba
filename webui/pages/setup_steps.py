"""The steps of the set-up in their order, and where a page of it stands among them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from appliance.disk_lock import owner
from appliance.language import said as _
from webui.visit import Answer, Visit

STATION, DISK, LINE, RECEIVED, TEST = "/setup", "/setup/disk", "/setup/line", "/setup/received", "/setup/test"


@dataclass(frozen=True, slots=True)
class SetupStep:
    path: str
    word: str


def setup_steps() -> list[SetupStep]:
    """Those of this machine."""
    disk = [SetupStep(DISK, _("Encryption"))] if owner.is_image() else []
    return [
        SetupStep(STATION, _("Who you are")),
        *disk,
        SetupStep(LINE, _("The line")),
        SetupStep(RECEIVED, _("Received faxes")),
        SetupStep(TEST, _("A test fax")),
    ]


def setup_page(visit: Visit, template: str, path: str, **values: Any) -> Answer:
    """A page of the step at ``path``, which learns its number and where the step after it is."""
    steps = setup_steps()
    here = next(number for number, step in enumerate(steps, 1) if step.path == path)
    onward = steps[here].path if here < len(steps) else "/"
    return visit.page(template, steps=steps, here=here, onward_to=onward, **values)
