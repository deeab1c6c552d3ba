"""A new version of the SD-card image."""

from __future__ import annotations

import re

from appliance import image_update
from appliance.doctor.versions import build
from appliance.image_update import UpdateProgress, UpdateStep
from appliance.language import marked as _
from webui.visit import Page, Response, Visit

# What the installer (RAUC) says of an update that it refuses, what that means, what helps.  The first fits.
_REFUSALS = (
    (
        r"compatible mismatch",
        _("It is for another kind of machine."),
        _("Fetch the one for this machine from where the box's maker offers it."),
    ),
    (
        r"certificate (has expired|is not yet valid)",
        _("By the box's clock, its signature is not valid now."),
        _("Look whether the box has the right date. If it has, ask the box's maker for a newer update."),
    ),
    (
        r"signature verification failed: (error|Verify error)",
        _("Its signature is not that of this box's maker, or the file is damaged."),
        _("Fetch the file anew from where the box's maker offers it."),
    ),
    (
        r"valid RAUC bundle|bytes read|signature size|bundle size|squashfs|no such file",
        _("The file is no update, or only a part of one."),
        _("Choose the file that ends in .raucb. If it does, fetch it anew."),
    ),
    (
        r"input/output error|no space left|read-only|failed updating slot",
        _("The card could not be written."),
        _("Try once more. If it fails again, make a backup and replace the card: it may be worn out."),
    ),
)
_OTHERWISE = (
    _("The update was refused."),
    _("Try once more. If it is refused again, tell the box's maker what the installer says."),
)


def why_refused(detail: str) -> tuple[str, str]:
    """Sentence and advice for what the installer says of an update that it refused."""
    fitting = (
        (sentence, advice) for pattern, sentence, advice in _REFUSALS if re.search(pattern, detail, re.I)
    )
    return next(fitting, _OTHERWISE)


def show(visit: Visit) -> Response:
    """The page that updates the SD-card image."""
    last = image_update.progress(visit.box.data)
    return visit.page(
        "update.html",
        possible=image_update.is_image(),
        running=build(),
        last=last,
        refused=_refusal(last),
    )


def _refusal(last: UpdateProgress) -> tuple[str, str] | None:
    return why_refused(last.detail) if last.step is UpdateStep.REFUSED else None


PAGES = (Page("/update", show, scopes=("admin",)),)
