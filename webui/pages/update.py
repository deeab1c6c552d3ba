"""A new version of the SD-card image."""

from __future__ import annotations

from appliance import image_update
from appliance.causes import cause_of
from appliance.doctor.versions import build
from webui.visit import Page, Response, Visit


def show(visit: Visit) -> Response:
    """The page that updates the SD-card image."""
    last = image_update.progress(visit.box.data)
    return visit.page(
        "update.html",
        possible=image_update.is_image(),
        running=build(),
        last=last,
        refused=cause_of(last.refusal) if last.refusal else None,
    )


PAGES = (Page("/update", show, scopes=("admin",)),)
