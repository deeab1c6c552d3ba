"""The first page: send a fax."""

from __future__ import annotations

from appliance.documents.settings import CoverTemplate
from appliance.language import said as _
from appliance.spool.options import Quality
from appliance.spool.settings import SendingSettings
from webui.needs import needs
from webui.visit import Page, Response, Visit, go


def first(visit: Visit) -> Response:
    """The form to send for users who may send, else the received faxes."""
    if visit.may("send"):
        return show(visit)
    return go("/received")


def show(visit: Visit) -> Response:
    """The page to send a fax."""
    drafts = visit.context.previews.of(visit.who.owner)
    return visit.page(
        "send.html",
        needs=needs(visit),
        draft=drafts[0].id if drafts else "",
        usual_cover=visit.box.accounts.usual_cover(visit.who.owner),
        templates=sorted(template.name for template in visit.box.settings.items(CoverTemplate).values()),
        quality=visit.box.settings.section(SendingSettings).quality.value,
        qualities=qualities(),
        size_limit=visit.context.settings.request_mb,
    )


def qualities() -> list[tuple[str, str]]:
    """The qualities to choose from, and their names."""
    return [
        (Quality.STANDARD.value, _("Standard: fastest")),
        (Quality.FINE.value, _("Fine: for small print")),
        (Quality.SUPERFINE.value, _("Very fine: for drawings")),
    ]


PAGES = (Page("/", first),)
