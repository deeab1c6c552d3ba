"""Handing in a fax: what a request may say, and how it becomes a ``box.Request``."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from appliance.api import intake
from appliance.api.auth import Caller
from appliance.api.context import Context
from appliance.api.intake import Form, StoredUpload
from appliance.api.problems import Flaw, ProblemError, problem_at
from appliance.api.rest.checking import flaw, invalid, read_moment, require_cover, require_url
from appliance.api.rest.schemas import (
    Json,
    array,
    binary,
    choice,
    component,
    flag,
    integer,
    nullable,
    number,
    request_object,
    text,
    timestamp,
)
from appliance.api.rest.views import ASKED, asked_schema, values
from appliance.documents.errors import DocumentError
from appliance.documents.options import MOST_DARKNESS, Treatment
from appliance.language import said
from appliance.net.http import FetchError
from appliance.phonebook import Contact, ContactGroup
from appliance.remarks import Rule
from appliance.services.causes import CALLER_NOT_ALLOWED, TOO_MANY_FILES, TOO_MANY_RECIPIENTS
from appliance.services.faxes import Request
from appliance.services.rules import To
from appliance.settings.accounts import WebhookEvent
from appliance.spool.model import DAY_S, SourceFile
from appliance.spool.options import Cover, Quality, Resume, SendOptions, UnknownRule
from appliance.station import STATION_ID_PATTERN

NUMBER_LIMIT = 64
_IDS_LIMIT = 1000
# What a client may keep with a fax, characters of its JSON.
METADATA_LIMIT = 8000
IDEMPOTENCY_LIMIT = 255
# Calls for one fax, at most.
TRIES_LIMIT = 50
CALLBACK_EVENTS = tuple(event.value for event in WebhookEvent if event is not WebhookEvent.RECEIVED)
_DIALLED = "[0-9+*#]"

RECIPIENT: Json = {
    "anyOf": [
        text(NUMBER_LIMIT, least=1, help="a fax number"),
        request_object(
            {
                "number": text(NUMBER_LIMIT, least=1),
                "name": text(200, help="for the cover page and reports"),
                "company": text(200, help="for the cover page"),
            },
            required=("number",),
        ),
        request_object({"contact": integer(1, help="id in the phone book")}, required=("contact",)),
        request_object({"group": integer(1, help="id of a group of contacts")}, required=("group",)),
    ]
}
PAGES = array(
    text(200, pattern="[0-9 ,;-]+", help="such as 1-5"),
    50,
    help="these pages, in this order; all when empty",
)
FILE = component(
    "NewFile",
    request_object(
        {
            "name": text(255),
            "media_type": text(150, help="only noted: the content decides"),
            "content": {"type": "string", "contentEncoding": "base64", "description": "the file"},
            "url": text(2000, help="http or https; fetched within limits, never from the local network"),
            "pages": PAGES,
        },
        help="A PDF, TIFF, PNG, JPEG or text file: either `content` or `url`.",
    ),
)
COVER = component(
    "Cover",
    request_object(
        {
            "template": text(
                64,
                help="name of one of the box's templates, or standard, the box's own page;"
                " left out: the one that your faxes usually have",
            ),
            "subject": text(200),
            "from_name": text(200),
            "to_name": text(200),
            "to_company": text(200),
            "message": text(20_000),
        }
    ),
)
COVER_FIELDS = ("template", "subject", "from_name", "to_name", "to_company", "message")
STRAIGHTEN = (
    "whether pictures on which a page is seen are cropped to it and straightened; left out: those that a"
    " camera made are, unless the box's settings say no"
)
# How a fax is sent; the same when it is handed in and when a received one is forwarded.
OPTIONS: dict[str, Json] = {
    "to": array(RECIPIENT, _IDS_LIMIT, least=1, help="each gets a fax of its own"),
    "cover": {**nullable(COVER), "description": "left out: your usual one; null: none"},
    "quality": choice(*values(Quality)),
    "header": text(60, help="text of the header line; empty: none; left out: the box's own"),
    "station_id": text(20, pattern=STATION_ID_PATTERN, help="the number sent as TSI"),
    "caller_number": text(32, pattern=_DIALLED + "*", help="caller id to show, where the line allows it"),
    "caller_name": text(60),
    "withhold_number": flag("show no number of ours, neither as caller id nor as TSI"),
    "sub_address": text(20, pattern=_DIALLED + "*", help="SUB, for the far machine's own routing"),
    "password": text(20, pattern=_DIALLED + "*", help="PWD, where the far machine wants one"),
    "ecm": flag("error correction mode"),
    "max_bit_rate": integer(2400, 14400, help="bits a second"),
    "lines": array(text(64, least=1), 20, help="only these lines, in this order"),
    "max_tries": integer(1, TRIES_LIMIT),
    "retry_waits": array(
        number(0, 30 * DAY_S),
        TRIES_LIMIT - 1,
        help="seconds to wait after each failed call, in place of the box's timetables; empty: one call only",
    ),
    "resume": choice(*values(Resume), help="after a break: the rest, or all pages again"),
    "unknown_rule": choice(*values(UnknownRule), help="when cut off before the last confirmation"),
    "treatment": choice(*values(Treatment), help="how grey becomes black and white"),
    "straighten": flag(STRAIGHTEN),
    "darkness": integer(-MOST_DARKNESS, MOST_DARKNESS, help="lighter below 0, darker above"),
    "when_lost": choice(*values(Rule), help="when the pages do not show all of the document"),
    "send_at": timestamp("not before this time"),
    "lifetime_hours": number(0.1, 720, help="how long it may be tried, from that time"),
    **{name: asked_schema(fact) for name, fact in ASKED.items()},
    "callback_events": array(
        choice(*CALLBACK_EVENTS), help="what the callback URL is told of; left out: how the fax ended"
    ),
    "callback_pdf": flag("what the callback URL is told of the end has the fax as PDF in it"),
    "hold": flag("only make its pages; they wait until it is released"),
}
_DOCUMENT = {
    "files": array(FILE, 200, help="sent one after the other as one fax"),
    "document_id": integer(1, help="a document that was stored before, instead of files"),
}
_EITHER = "Either `files` or `document_id`."
_PREVIEW = {"preview_id": text(32, help="pages that were made and seen before, instead of files")}
NEW_FAX = component(
    "NewFax",
    request_object(
        {**OPTIONS, **_DOCUMENT, **_PREVIEW},
        required=("to",),
        help="Either `files`, `document_id` or `preview_id`.",
    ),
)
_WITHOUT = {name: schema for name, schema in OPTIONS.items() if name not in ("to", "hold", "send_at")}
NEW_WITHOUT_NUMBER = component("NewFaxWithoutNumber", request_object({**_WITHOUT, **_DOCUMENT}, help=_EITHER))
NUMBERS = component(
    "NewNumbers",
    request_object(
        {"to": OPTIONS["to"], "send_at": OPTIONS["send_at"]},
        required=("to",),
        help="Where a document goes that came without a number.",
    ),
)


def _form(options: Mapping[str, Json]) -> dict[str, Json]:
    """A form's fields: what JSON has, files as parts called "file"."""
    return {
        "file": array(binary(), 200),
        **{name: schema for name, schema in options.items() if name not in ("to", "cover", "metadata")},
        **{f"cover.{name}": text(20_000) for name in COVER_FIELDS},
    }


_TO_FIELD = array(text(NUMBER_LIMIT, least=1), _IDS_LIMIT, least=1)
NEW_FAX_FORM = component(
    "NewFaxForm",
    {"type": "object", "properties": {"to": _TO_FIELD, **_form(OPTIONS)}, "required": ["to"]},
)
NEW_WITHOUT_NUMBER_FORM = component(
    "NewFaxWithoutNumberForm", {"type": "object", "properties": _form(_WITHOUT)}
)


def idempotency_key(header: str) -> str:
    """A client's Idempotency-Key; empty when it sent none.  Raises ProblemError."""
    if len(header) > IDEMPOTENCY_LIMIT or not header.isprintable():
        sentence = said("at most {count} printable characters")
        raise flaw("Idempotency-Key", sentence.format(count=IDEMPOTENCY_LIMIT))
    return header


def digest_of(body: Mapping[str, Any], form: Form | None) -> str:
    """Stands for a request: the same for the same recipients, options and contents."""
    files = [] if form is None else [(taken.digest, taken.file.name) for _, taken in form.files]
    text = json.dumps([body, files], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def recipients(context: Context, caller: Caller, given: list[Any]) -> tuple[To, ...]:
    """The recipients that a request names.  Raises ProblemError, RefusedError for a number."""
    found: list[To] = []
    for position, entry in enumerate(given):
        path = f"to[{position}]"
        match entry:
            case str():
                found.append(To(entry))
            case {"number": number}:
                found.append(To(number, entry.get("name", ""), entry.get("company", "")))
            case {"contact": contact_id}:
                found.append(_contact(context, caller, contact_id, path))
            case {"group": group_id}:
                found += _group(context, caller, group_id, path)
    most = context.settings.recipients_per_fax
    if len(found) > most:
        raise ProblemError(TOO_MANY_RECIPIENTS, f"at most {most}")
    if not found:
        raise flaw("to", said("there is nobody in this group"))
    return tuple(found)


def checked_recipients(context: Context, caller: Caller, given: list[Any]) -> tuple[To, ...]:
    """``recipients``, each of whose numbers may be dialled.  Raises ProblemError."""
    to = recipients(context, caller, given)
    for position, each in enumerate(to):
        try:
            context.box.rules.number(each.number)
        except Exception as error:
            raise problem_at(error, f"to[{position}]") from None
    return to


def _contact(context: Context, caller: Caller, contact_id: int, path: str) -> To:
    contact = context.box.settings.items(Contact).get(contact_id)
    if contact is None or not visible(contact.owner, caller):
        raise flaw(path, said("there is no contact {id}").format(id=contact_id))
    return To(contact.number, contact.name, contact.company)


def _group(context: Context, caller: Caller, group_id: int, path: str) -> list[To]:
    group = context.box.settings.items(ContactGroup).get(group_id)
    if group is None or not visible(group.owner, caller):
        raise flaw(path, said("there is no group {id}").format(id=group_id))
    contacts = context.box.settings.items(Contact)
    return [
        _contact(context, caller, contact_id, path)
        for contact_id in group.contact_ids
        if contact_id in contacts and visible(contacts[contact_id].owner, caller)
    ]


def visible(owner: str, caller: Caller) -> bool:
    """Whether an entry of the phone book is this caller's to use."""
    return owner in ("", caller.owner) or caller.sees is None


def options(context: Context, caller: Caller, body: Mapping[str, Any]) -> SendOptions:
    """How a request wants it sent.  Raises ProblemError."""
    cover = body.get("cover")
    require_cover(context.box.rules, (cover or {}).get("template", ""), "cover.template")
    for name in ("caller_number", "station_id"):
        if body.get(name) and context.box.accounts.shown_number(caller.owner, body[name]) is None:
            raise ProblemError(
                CALLER_NOT_ALLOWED, body[name], (Flaw(name, said(CALLER_NOT_ALLOWED.sentence)),)
            )
    return SendOptions(
        quality=Quality(body["quality"]) if "quality" in body else None,
        cover=Cover(**cover) if cover is not None else None,
        no_cover="cover" in body and cover is None,
        header=body.get("header"),
        station_id=body.get("station_id", ""),
        caller_number=body.get("caller_number", ""),
        caller_name=body.get("caller_name", ""),
        withhold_number=body.get("withhold_number", False),
        sub_address=body.get("sub_address", ""),
        password=body.get("password", ""),
        ecm=body.get("ecm"),
        max_bit_rate=body.get("max_bit_rate"),
        lines=tuple(body.get("lines", ())),
        max_tries=body.get("max_tries"),
        callback_events=tuple(body.get("callback_events", ())),
        callback_pdf=body.get("callback_pdf", False),
        retry_waits=tuple(body["retry_waits"]) if "retry_waits" in body else None,
        resume=Resume(body["resume"]) if "resume" in body else None,
        unknown_rule=UnknownRule(body["unknown_rule"]) if "unknown_rule" in body else None,
        treatment=body.get("treatment", ""),
        straighten=body.get("straighten"),
        darkness=body.get("darkness", 0),
        when_lost=Rule(body["when_lost"]) if "when_lost" in body else None,
    )


def request_of(context: Context, caller: Caller, body: Mapping[str, Any], key: str, digest: str) -> Request:
    """The request to the box, still without its document.  Raises ProblemError, RefusedError."""
    require_url(body.get("callback_url", ""), "callback_url")
    asked = {fact.attribute: fact.kind.ask(body[name]) for name, fact in ASKED.items() if name in body}
    for name, value in asked.items():
        if isinstance(value, dict) and len(json.dumps(value)) > METADATA_LIMIT:
            sentence = said("at most {count} characters of JSON")
            raise flaw(name, sentence.format(count=METADATA_LIMIT))
    to = checked_recipients(context, caller, body["to"]) if "to" in body else ()
    lifetime = body.get("lifetime_hours")
    return Request(
        owner=caller.owner,
        to=to,
        key=caller.key,
        options=options(context, caller, body),
        origin="rest",
        scheduled_at=read_moment(body["send_at"], "send_at") if "send_at" in body else None,
        lifetime_s=lifetime * 3600 if lifetime is not None else None,
        idempotency_key=key,
        idempotency_digest=digest if key else "",
        **asked,
        hold=body.get("hold", False),
        without_number="to" not in body,
    )


def with_document(
    context: Context, caller: Caller, request: Request, body: Mapping[str, Any], form: Form | None
) -> Request:
    """The request with its files stored, or its stored document.

    Raises ProblemError, DocumentError, FetchError, NotFoundError; then nothing is kept.
    """
    given = body.get("files", [])
    document_id = body.get("document_id")
    uploads = [taken.file for _, taken in form.files] if form is not None else []
    if document_id is not None:
        if given or uploads:
            raise flaw("document_id", said("either files or a stored document"))
        context.box.documents.get(document_id, caller.sees)
        return replace(request, document_id=document_id)
    if "preview_id" in body:
        if given or uploads:
            raise flaw("preview_id", said("either files or a preview"))
        return _with_preview(context, caller, request, body["preview_id"])
    most = context.settings.files_per_fax
    if len(given) + len(uploads) > most:
        raise ProblemError(TOO_MANY_FILES, f"at most {most}")
    stored = [taken.file for taken in store_files(context, given)]
    if not stored and not uploads:
        raise flaw("files", said("a file is needed"))
    return replace(request, files=(*uploads, *stored))


def _with_preview(context: Context, caller: Caller, request: Request, preview_id: str) -> Request:
    """The request with the pages of a preview, exactly as they were made.  Raises NotFoundError."""
    preview = context.previews.get(preview_id, caller.owner)
    files, made = context.previews.hand_over(preview)
    seen = preview.options
    options = replace(
        request.options,
        quality=seen.quality,
        treatment=seen.treatment,
        darkness=seen.darkness,
        straighten=seen.straighten,
        header=seen.header,
        station_id=seen.station_id,
        cover=seen.cover,
        no_cover=seen.cover is None,
        made=made,
        made_for=preview.to.number,
        when_lost=Rule.SEND,  # whoever sends it has seen what the remarks say
    )
    return replace(request, files=files, options=options)


def store_files(context: Context, given: list[Mapping[str, Any]]) -> list[StoredUpload]:
    """Stores the files of a JSON request.  Raises as ``with_document``."""
    flaws = [
        Flaw(f"files[{position}]", said("either content or url is needed"))
        for position, file in enumerate(given)
        if ("content" in file) == ("url" in file)
    ]
    if flaws:
        raise invalid(*flaws)
    stored: list[StoredUpload] = []
    try:
        for position, file in enumerate(given):
            stored.append(_store(context, file, f"files[{position}]"))
    except BaseException:
        intake.discard(context, stored)
        raise
    return stored


def _store(context: Context, file: Mapping[str, Any], path: str) -> StoredUpload:
    pages = tuple(file.get("pages", ()))
    try:
        if "url" in file:
            return intake.store_url(context, file["url"], name=file.get("name", ""), pages=pages)
        return intake.store_base64(
            context,
            file["content"],
            name=file.get("name", ""),
            media_type=file.get("media_type", ""),
            pages=pages,
        )
    except (DocumentError, FetchError) as error:
        raise problem_at(error, path) from error


def with_files(request: Request, files: list[SourceFile]) -> Request:
    """The request with files that are stored already."""
    return replace(request, files=tuple(files))
