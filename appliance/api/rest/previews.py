"""Previews: pages exactly as they will be sent, made once, changed as often as needed, sent unchanged."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from appliance.api import intake, page_export
from appliance.api.causes import NOT_FOUND
from appliance.api.problems import ProblemError
from appliance.api.rest import newfax, newfax_schemas, request_files
from appliance.api.rest.checking import flaw, read_schedule
from appliance.api.rest.content import SIZE, picture
from appliance.api.rest.routes import Answer, Call, Parameter, Routes, created
from appliance.api.rest.schemas import (
    Json,
    array,
    choice,
    component,
    flag,
    integer,
    nullable,
    record,
    request_object,
    text,
    timestamp,
)
from appliance.api.rest.views import REMARK, values
from appliance.dispatch.previews import FORM_LIMIT, PageChoice, Preview
from appliance.documents.options import LIGHTEST, Treatment
from appliance.documents.rendered import RenderedDocument
from appliance.language import said
from appliance.records import remark_view, time_text
from appliance.services.rules import To
from appliance.settings.accounts import Scope
from appliance.spool.options import Quality
from appliance.spool.settings import SendingSettings

# The time of a call without its pages, and of each page without its octets, seconds: dialling, answering,
# training and confirmation.
CALL_S, PAGE_S = 18.0, 1.5

_LOOK: dict[str, Json] = {
    "file": integer(0, 200, help="counted from 0"),
    "page": integer(1, 10_000, help="of that file"),
    "turn": integer(0, 3, help="quarters clockwise"),
    "treatment": choice("", *values(Treatment), help="of this page; empty: as the whole fax"),
    "lightness": integer(-LIGHTEST, LIGHTEST, help="steps lighter; below 0 darker"),
}
_OPTIONS = {
    name: newfax_schemas.OPTIONS[name]
    for name in ("cover", "quality", "header", "station_id", "treatment", "straighten")
}
_WISHES: dict[str, Json] = {
    **_OPTIONS,
    "to": request_object(
        {"number": text(newfax_schemas.NUMBER_LIMIT), "name": text(200), "company": text(200)},
        help="whom the cover page names",
    ),
    "send_at": {**nullable(timestamp()), "description": "the time that the pages carry; null: now"},
    "form": {
        "type": "object",
        "additionalProperties": True,
        "maxProperties": 50,
        "description": "yours to keep with it; given back",
    },
}
NEW_PREVIEW = component("NewPreview", request_object({**_WISHES, "files": array(newfax_schemas.FILE, 200)}))
NEW_PREVIEW_FORM = component("NewPreviewUpload", newfax_schemas.upload_form(_OPTIONS))
MORE_FILES = component("MoreFiles", request_object({"files": array(newfax_schemas.FILE, 200)}))
MORE_FILES_FORM = component("MoreFilesForm", newfax_schemas.upload_form({}))
PREVIEW_CHANGE = component(
    "PreviewChange",
    request_object(
        {
            **_WISHES,
            "straighten": {
                **nullable(flag()),
                "description": f"{newfax_schemas.STRAIGHTEN} (null: the same)",
            },
            "pages": array(
                request_object(_LOOK, required=("file", "page")), 500, help="all that are sent, in order"
            ),
            "again": {"type": "boolean", "description": "make the pages anew: the header's time moves on"},
        }
    ),
)
_PAGE = record(
    {
        "number": integer(1, help="of the fax"),
        **_LOOK,
        "file": nullable(integer(0, help="null: the cover page")),
        "width": integer(1),
        "rows": integer(1),
        "x_dpi": integer(1),
        "y_dpi": integer(1),
        "octets": integer(help="as coded"),
    }
)
PREVIEW = component(
    "Preview",
    record(
        {
            "id": text(32),
            "created_at": timestamp(),
            "touched_at": timestamp(),
            "version": integer(1, help="counts how often the pages were made"),
            "files": array(
                record({"name": text(255), "media_type": text(150), "octets": integer(), "pages": integer()})
            ),
            "pages": array(_PAGE),
            "remarks": array(REMARK),
            "seconds": integer(help="what a call may take, at the speed that the settings begin with"),
            "quality": choice(*values(Quality)),
            "treatment": text(20),
            "straighten": nullable(flag(help="as it was asked for")),
            "cover": nullable(newfax_schemas.COVER),
            "to": record({"number": text(64), "name": text(200), "company": text(200)}),
            "send_at": nullable(timestamp()),
            "form": {"type": "object", "additionalProperties": True},
        }
    ),
)


def view(call: Call, preview: Preview) -> Json:
    """A preview as JSON."""
    document = call.context.previews.pages(preview)
    options = preview.options
    sending = call.box.settings.section(SendingSettings)
    return {
        "id": preview.id,
        "created_at": time_text(preview.created_at),
        "touched_at": time_text(preview.touched_at),
        "version": preview.version,
        "files": [
            {"name": file.name, "media_type": file.media_type, "octets": file.octets, "pages": count}
            for file, count in zip(preview.files, preview.counts, strict=True)
        ],
        "pages": _pages_view(preview, document),
        "remarks": [remark_view(remark) for remark in document.remarks],
        "seconds": seconds(document, sending.max_bit_rate),
        "quality": (options.quality or sending.quality).value,
        "treatment": options.treatment or Treatment.AUTO.value,
        "straighten": options.straighten,
        "cover": None if options.cover is None else _cover_view(options.cover),
        "to": {"number": preview.to.number, "name": preview.to.name, "company": preview.to.company},
        "send_at": time_text(preview.send_at),
        "form": dict(preview.form),
    }


# How the cover page, which is of no file, is shown among the pages.
_COVER_PAGE = asdict(PageChoice(0, 1)) | {"file": None}


def _cover_view(cover: Any) -> Json:
    return {name: getattr(cover, name) for name in newfax_schemas.COVER_FIELDS}


def _pages_view(preview: Preview, document: RenderedDocument) -> list[Json]:
    x_dpi, y_dpi = document.resolution.value
    choices = iter(preview.choices)
    shown: list[Json] = []
    for number, page in enumerate(document.pages, 1):
        look = asdict(next(choices)) if page.source is not None else _COVER_PAGE
        shown.append(
            {
                "number": number,
                **look,
                "width": page.width,
                "rows": page.rows,
                "x_dpi": x_dpi,
                "y_dpi": y_dpi,
                "octets": page.octets,
            }
        )
    return shown


def seconds(document: RenderedDocument, bit_rate: int) -> int:
    """The estimated length of a call with these pages at ``bit_rate`` bit/s, seconds."""
    octets = sum(page.octets for page in document.pages)
    return round(CALL_S + PAGE_S * len(document.pages) + 8 * octets / bit_rate)


def _to(body: Any) -> To:
    given = body.get("to") or {}
    return To(given.get("number", ""), given.get("name", ""), given.get("company", ""))


def _send_at(call: Call) -> float | None:
    return read_schedule(call.body, "send_at", call.context.now())


def _form(body: Any) -> Any:
    form = body.get("form")
    if form is not None and len(str(form)) > FORM_LIMIT:
        raise flaw("form", said("at most {count} characters").format(count=FORM_LIMIT))
    return form


def _find(call: Call) -> Preview:
    return call.context.previews.get(call.arguments["preview"], call.caller.owner)


def _given_files(call: Call, known: int = 0) -> list[intake.StoredUpload]:
    """The files of a form or a JSON request, stored; ``known``: how many the preview already has.

    Raises ProblemError.
    """
    files = request_files.files_of(call.context, call.body.get("files", []), call.form, known=known)
    if call.form is not None:
        call.form.files.clear()  # taken over
    return files


routes = Routes(tag="previews", scope=Scope.SEND)


@routes("POST", "/previews", body=NEW_PREVIEW, form=NEW_PREVIEW_FORM, answer=PREVIEW, status=201)
def create_preview(call: Call) -> Answer:
    """Render the pages of a fax without sending it.

    Answers when the pages are ready.  `preview_id` of `POST /faxes` sends them unchanged.
    """
    body = call.body
    options = newfax.options(call.context, call.caller, body)
    to, send_at, form = _to(body), _send_at(call), _form(body)
    options = call.box.rules.completed(call.caller.owner, options)
    files = intake.sources(_given_files(call))
    preview = call.context.previews.create(call.caller.owner, files, options, to, send_at=send_at, form=form)
    return created(view(call, preview), f"/previews/{preview.id}")


@routes("GET", "/previews", answer=record({"previews": array(PREVIEW)}))
def list_previews(call: Call) -> Answer:
    """List your previews."""
    found = call.context.previews.of(call.caller.owner)
    return Answer({"previews": [view(call, preview) for preview in found]})


@routes("GET", "/previews/{preview}", answer=PREVIEW)
def read_preview(call: Call) -> Answer:
    """Read a preview."""
    return Answer(view(call, _find(call)))


@routes("POST", "/previews/{preview}/files", body=MORE_FILES, form=MORE_FILES_FORM, answer=PREVIEW)
def add_to_preview(call: Call) -> Answer:
    """Add files after those of a preview."""
    preview = _find(call)
    files = intake.sources(_given_files(call, len(preview.files)))
    return Answer(view(call, call.context.previews.add(preview, files)))


@routes("PATCH", "/previews/{preview}", body=PREVIEW_CHANGE, answer=PREVIEW)
def change_preview(call: Call) -> Answer:
    """Change pages, their order, rendering or the cover page.

    Pages are made again when their look changes.
    """
    preview, body = _find(call), call.body
    options = preview.options
    if any(name in body for name in _OPTIONS):
        wishes = {
            "quality": (options.quality.value if options.quality else None),
            "treatment": options.treatment,
            "straighten": options.straighten,
            "header": options.header,
            "station_id": options.station_id,
            "cover": None if options.cover is None else _cover_view(options.cover),
            **{name: body[name] for name in _OPTIONS if name in body},
        }
        kept = {name: value for name, value in wishes.items() if value is not None or name == "cover"}
        options = newfax.options(call.context, call.caller, kept)
        options = call.box.rules.completed(call.caller.owner, options)
    choices = None
    if "pages" in body:
        choices = [PageChoice(**page) for page in body["pages"]]
    try:
        changed = call.context.previews.change(
            preview,
            choices=choices,
            options=options,
            to=_to(body) if "to" in body else None,
            send_at=_send_at(call) if "send_at" in body else preview.send_at,
            form=_form(body),
            again=body.get("again", False),
        )
    except ValueError as error:
        raise flaw("pages", str(error)) from None
    return Answer(view(call, changed))


@routes(
    "GET",
    "/previews/{preview}/pages/{page}",
    query=(SIZE, Parameter("version", integer(1), "of these pages, not of later ones")),
    media=("image/png",),
)
def read_preview_page(call: Call) -> Answer:
    """Read a page exactly as it will be transmitted."""
    preview = _find(call)
    number = call.arguments["page"]
    if call.query.get("version", preview.version) != preview.version:
        raise ProblemError(NOT_FOUND, "its pages were made anew since")
    coded = page_export.sent_page(call.context.previews.pages(preview), number)
    return Answer(content=picture(call, coded, f"preview {preview.id} {preview.version} {number}"))


@routes("DELETE", "/previews/{preview}", status=204)
def drop_preview(call: Call) -> Answer:
    """Discard a preview."""
    call.context.previews.drop(_find(call))
    return Answer()
