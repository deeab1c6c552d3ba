"""The steps of the set-up in their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from appliance.disk_lock import owner
from appliance.language import said as _
from webui.visit import Response, Visit

STATION, DISK, LINE, RECEIVED, TEST = "/setup", "/setup/disk", "/setup/line", "/setup/received", "/setup/test"


@dataclass(frozen=True, slots=True)
class SetupStep:
    """A step: the address of its page and its title."""

    path: str
    word: str


def setup_steps() -> list[SetupStep]:
    """The steps on this machine."""
    disk = [SetupStep(DISK, _("Encryption"))] if owner.is_image() else []
    return [
        SetupStep(STATION, _("Who you are")),
        *disk,
        SetupStep(LINE, _("The line")),
        SetupStep(RECEIVED, _("Received faxes")),
        SetupStep(TEST, _("A test fax")),
    ]


def setup_page(visit: Visit, template: str, path: str, **values: Any) -> Response:
    """The page of the step at ``path``, with its number and the address of the next step."""
    steps = setup_steps()
    here = next(number for number, step in enumerate(steps, 1) if step.path == path)
    onward = steps[here].path if here < len(steps) else "/"
    return visit.page(template, steps=steps, here=here, onward_to=onward, **values)
