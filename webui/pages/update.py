"""A new version of the SD-card image."""

from __future__ import annotations

from appliance import image_update
from appliance.doctor.versions import build
from webui.visit import Page, Response, Visit


def show(visit: Visit) -> Response:
    """The page that updates the SD-card image."""
    return visit.page(
        "update.html",
        possible=image_update.is_image(),
        running=build(),
        last=image_update.progress(visit.box.data),
    )


PAGES = (Page("/update", show, scopes=("admin",)),)
