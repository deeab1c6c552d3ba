"""The doctor: checks everything that the box needs when the page is opened."""

from __future__ import annotations

from webui.visit import Page, Response, Visit


def show(visit: Visit) -> Response:
    """The page of the doctor, whose findings come by the API."""
    # The checks take some seconds: the page appears at once and asks the API for them.
    return visit.page("doctor.html")


PAGES = (Page("/doctor", show, scopes=("admin",)),)
