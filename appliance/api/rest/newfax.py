"""Turns the body of a request into a ``Request`` to the box: its options and its document."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from appliance.api import intake
from appliance.api.auth import Caller
from appliance.api.causes import PREVIEW_CHANGED
from appliance.api.context import Context
from appliance.api.intake import Form
from appliance.api.problems import Flaw, ProblemError
from appliance.api.rest.checking import flaw, read_schedule, require_cover, require_url
from appliance.api.rest.newfax_schemas import OPTIONS
from appliance.api.rest.recipients import checked_recipients
from appliance.api.rest.request_files import files_of
from appliance.api.rest.views import ASKED
from appliance.language import said
from appliance.remarks import Rule
from appliance.services.causes import CALLER_NOT_ALLOWED
from appliance.services.faxes import Request
from appliance.spool.options import SendOptions, options_of

# Characters of the JSON of a client's metadata.
METADATA_LIMIT = 8000
IDEMPOTENCY_LIMIT = 255
# The options that a request may name.
_OPTIONS = tuple(field.name for field in fields(SendOptions) if field.name in OPTIONS)


def idempotency_key(environ: Mapping[str, Any]) -> str:
    """The client's Idempotency-Key; empty when it sent none.  Raises ProblemError."""
    header = environ.get("HTTP_IDEMPOTENCY_KEY")
    if header is None:
        return ""
    if not 0 < len(header) <= IDEMPOTENCY_LIMIT or not header.isprintable():
        sentence = said("from 1 to {count} printable characters")
        raise flaw("Idempotency-Key", sentence.format(count=IDEMPOTENCY_LIMIT))
    return str(header)


def digest_of(body: Mapping[str, Any], form: Form | None) -> str:
    """A digest of a request: equal for the same recipients, options and contents."""
    files = [] if form is None else [(taken.digest, taken.file.name) for _, taken in form.files]
    text = json.dumps([body, files], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def options(context: Context, caller: Caller, body: Mapping[str, Any]) -> SendOptions:
    """The options of the fax that a request asks for.  Raises ProblemError."""
    cover = body.get("cover")
    require_cover(context.box.rules, (cover or {}).get("template", ""), "cover.template")
    for name in ("caller_number", "station_id"):
        if body.get(name) and context.box.accounts.shown_number(caller.owner, body[name]) is None:
            raise ProblemError(
                CALLER_NOT_ALLOWED, body[name], (Flaw(name, said(CALLER_NOT_ALLOWED.sentence)),)
            )
    given = {name: body[name] for name in _OPTIONS if body.get(name) is not None}
    return options_of({**given, "no_cover": "cover" in body and cover is None})


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
        scheduled_at=read_schedule(body, "send_at", context.now()),
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
    uploads = form.files if form is not None else ()
    if document_id is not None:
        if given or uploads:
            raise flaw("document_id", said("either files or a stored document"))
        context.box.documents.get(document_id, caller.sees)
        return replace(request, document_id=document_id)
    if "preview_id" in body:
        if given or uploads:
            raise flaw("preview_id", said("either files or a preview"))
        return _with_preview(context, caller, request, body)
    files = files_of(context, given, form)
    return replace(request, files=intake.sources(files))


def _with_preview(context: Context, caller: Caller, request: Request, body: Mapping[str, Any]) -> Request:
    """The request with the pages of a preview, unchanged.  Raises NotFoundError, ProblemError."""
    preview = context.previews.get(body["preview_id"], caller.owner)
    if body.get("preview_version", preview.version) != preview.version:
        raise ProblemError(PREVIEW_CHANGED)
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
        when_lost=Rule.SEND,  # the sender has seen the remarks in the preview
    )
    return replace(request, files=files, options=options)
