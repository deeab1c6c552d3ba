"""Previews of cover pages: as the picture that is transmitted, or as PDF."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from appliance.api import page_export
from appliance.api.context import TURN_WAIT_S
from appliance.api.numbers import own_number
from appliance.api.problems import problem_at
from appliance.api.rest.content import SIZE
from appliance.api.rest.newfax_schemas import COVER_FIELDS, NUMBER_LIMIT
from appliance.api.rest.routes import Answer, Call, Parameter, Routes
from appliance.api.rest.schemas import choice, component, integer, request_object, text
from appliance.dispatch.making import cover_page, local_time
from appliance.documents.labels import labels_of
from appliance.documents.options import CoverPage, HeaderLine, Limits, PageFormat, RenderOptions, usual_paper
from appliance.documents.render import render
from appliance.documents.settings import CoverTemplate
from appliance.numbers import NumberSettings
from appliance.services.rules import RefusedError, To
from appliance.settings.accounts import Scope
from appliance.spool.options import Cover
from appliance.station import StationSettings
from appliance.t4.page import Resolution

# A preview is waited for: its limits are lower than a fax's.
_LIMITS = Limits(pages=30, cpu_seconds=20, wall_seconds=30.0, page_seconds=20.0)
_SAMPLE = {
    "to_name": "Ada Lovelace",
    "to_company": "Analytical Engines",
    "subject": "Our offer",
    "message": "Dear Ada,\n\nplease find our offer on the next pages.",
}
_SAMPLE_NUMBER = "+44 20 7946 0000"

PREVIEW = component(
    "CoverPreview",
    request_object(
        {
            "template": text(64, help="a template's name, or standard; left out: your usual one"),
            "html": text(200_000, help="a template that is not stored yet, instead"),
            "to_number": text(NUMBER_LIMIT),
            **{name: text(200) for name in COVER_FIELDS if name not in ("template", "message")},
            "message": text(20_000),
        }
    ),
)


_QUERY = (
    Parameter("format", choice("png", "pdf"), "one page as a picture, or all as a PDF"),
    Parameter("page", integer(1, 30), "of a long one: this page; the first when left out"),
    SIZE,
)
_MEDIA = ("image/png", "application/pdf")
routes = Routes(tag="covers", scope=Scope.SEND)


@routes("GET", "/covers/{id}/preview", query=_QUERY, media=_MEDIA)
def preview_stored_cover(call: Call) -> Answer:
    """Preview a cover template with sample fields."""
    template = call.item(CoverTemplate, "cover template")
    return _shown(call, _SAMPLE, _SAMPLE_NUMBER, template.html)


@routes("POST", "/covers/preview", query=_QUERY, body=PREVIEW, media=_MEDIA)
def preview_cover(call: Call) -> Answer:
    """Preview a cover page exactly as it is transmitted."""
    body = dict(call.body)
    html = body.pop("html", None)
    number = body.pop("to_number", "")
    if not body.get("template"):
        body["template"] = call.box.accounts.usual_cover(call.caller.owner)
    return _shown(call, body, number, html)


def _shown(call: Call, fields: Mapping[str, str], number: str, html: str | None) -> Answer:
    box = call.box
    station = box.settings.section(StationSettings)
    moment = local_time(box, box.clock())
    cover = Cover(**{**fields, "template": "" if html is not None else fields.get("template", "")})
    try:
        to = To(number, cover.to_name, cover.to_company)
        page = cover_page(box, call.caller.owner, cover, to, from_number=own_number(box), moment=moment)
    except RefusedError as error:
        raise problem_at(error, "template") from None
    if html is not None:
        page = replace(page, template=html)
    header = HeaderLine(moment, station.name, own_number(box)) if station.header else None
    # One at a time: faxes go first.
    with call.context.drawers.of(1, TURN_WAIT_S):
        return _drawn(call, page, header)


def _drawn(call: Call, page: CoverPage, header: HeaderLine | None) -> Answer:
    region = call.box.settings.section(NumberSettings).region
    folder = Path(tempfile.mkdtemp(prefix="faxbox-cover-"))
    try:
        options = RenderOptions(
            format=PageFormat(resolution=Resolution.FINE),
            paper=usual_paper(region),
            labels=labels_of(region),
            header=header,
            cover=page,
        )
        made = render([], folder / "pages", options, limits=_LIMITS, workers=1)
        if call.query.get("format") == "pdf":
            title = "Cover page"
            path = page_export.pdf_of(call.box, made.coded_pages(), title, call.box.clock())
            return Answer(temporary_file=path, media_type="application/pdf")
        coded = page_export.sent_page(made, call.query.get("page", 1))
        return Answer(content=page_export.png(coded, small=call.query.get("size") == "small"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
