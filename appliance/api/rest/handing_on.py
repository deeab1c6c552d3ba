"""Passing on a received or sent fax: as a fax, by e-mail, on paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from appliance import durable
from appliance.api import page_export
from appliance.api.problems import ProblemError
from appliance.api.rest import faxes, handing_in, newfax, newfax_schemas, received
from appliance.api.rest.handing_in import IDEMPOTENCY, SUBMITTED
from appliance.api.rest.routes import Answer, Call, Routes
from appliance.api.rest.schemas import flag, record, request_object, text
from appliance.deliver.causes import MAIL_NOT_SET_UP
from appliance.deliver.email_out import RECEIVED, SENT
from appliance.deliver.planner import EMAIL, PRINTER
from appliance.deliver.settings import ADDRESS_LIMIT, ADDRESS_PATTERN, DeliverySettings, MailOutSettings
from appliance.services.causes import STATE_FORBIDS
from appliance.settings.accounts import Scope
from appliance.spool.delivery import NewDelivery
from appliance.spool.model import Job, Received

_FORWARD: dict[str, Any] = {
    "body": request_object({**newfax_schemas.OPTIONS, "pages": newfax_schemas.PAGES}, required=("to",)),
    "answer": SUBMITTED,
    "status": 201,
    "headers": (IDEMPOTENCY,),
}
_MAIL: dict[str, Any] = {
    "body": request_object({"to": text(ADDRESS_LIMIT, pattern=ADDRESS_PATTERN)}, required=("to",)),
    "answer": record({"mailing": flag()}),
    "status": 202,
}
routes = Routes("received", Scope.RECEIVE)
_SENT: dict[str, Any] = {"tag": "faxes", "scope": Scope.SEND}


@routes("POST", "/received/{id}/forward", **_FORWARD)
def forward_received(call: Call) -> Answer:
    """Forward a received fax as a fax."""
    call.caller.require(Scope.SEND)
    fax, pages = call.box.inbox.with_pages(call.arguments["id"], call.caller.sees)
    return _forward(call, "received", fax.id, lambda: page_export.received_tiff(call.box, pages))


@routes("POST", "/faxes/{id}/forward", **_SENT, **_FORWARD)
def forward_fax(call: Call) -> Answer:
    """Send the pages of a fax to another recipient."""
    job = faxes.find(call)
    return _forward(call, "fax", job.id, lambda: page_export.sent_tiff(call.box, job))


def _forward(call: Call, kind: str, fax_id: int, make: Callable[[], Path]) -> Answer:
    """Hands in a fax of the pages in the TIFF file that ``make`` writes."""
    key = newfax.idempotency_key(call.environ)
    digest = newfax.digest_of({**call.body, kind: fax_id}, None)
    earlier = handing_in.earlier(call, key, digest)  # its pages may be gone by now
    if earlier is not None:
        return earlier
    wishes = {name: value for name, value in call.body.items() if name != "pages"}
    request = newfax.request_of(call.context, call.caller, wishes, key, digest)
    made = make()
    try:
        stored = call.box.documents.store_file(
            durable.pieces(made),
            name=f"fax-{fax_id}.tiff",
            media_type="image/tiff",
            pages=tuple(call.body.get("pages", ())),
        )
    finally:
        made.unlink(missing_ok=True)
    call.note(f"{kind}.forward", object=f"fax:{fax_id}")
    return handing_in.submit(call, replace(request, files=(stored,)))


@routes("POST", "/received/{id}/mail", **_MAIL)
def mail_received(call: Call) -> Answer:
    """Send a received fax by e-mail."""
    fax = _received_with_pages(call)
    return _mail(call, fax, "received.mail", RECEIVED)


@routes("POST", "/faxes/{id}/mail", **_SENT, **_MAIL)
def mail_fax(call: Call) -> Answer:
    """Send a fax by e-mail."""
    job = faxes.find(call)
    page_export.rendered(call.box, job)  # raises without pages
    return _mail(call, job, "fax.mail", SENT)


def _mail(call: Call, fax: Job | Received, event: str, why: str) -> Answer:
    if not call.box.settings.section(MailOutSettings).server:
        raise ProblemError(MAIL_NOT_SET_UP)
    _deliver(call, fax, EMAIL, call.body["to"], {"event": event, "why": why})
    return Answer({"mailing": True})


def _deliver(call: Call, fax: Job | Received, kind: str, target: str, payload: dict[str, str]) -> None:
    """Puts a delivery in the outbox; its result is among the fax's deliveries."""
    timetable = call.box.settings.section(DeliverySettings).waits(kind)
    call.box.outbox.put(NewDelivery(kind, target, payload, timetable, fax_id=fax.id, owner=fax.owner))
    call.note(payload["event"], object=f"fax:{fax.id}", detail=target)


@routes(
    "POST",
    "/received/{id}/print",
    body=request_object({"printer": text(127, pattern="[!-~]*")}),
    answer=record({"printing": flag()}),
    status=202,
)
def print_received(call: Call) -> Answer:
    """Print a received fax on a CUPS printer, by default the default one."""
    printer = call.body.get("printer", "")
    _deliver(call, _received_with_pages(call), PRINTER, printer, {"event": "received.print"})
    return Answer({"printing": True})


def _received_with_pages(call: Call) -> Received:
    """The received fax named by the path, if it has pages.  Raises NotFoundError, ProblemError."""
    fax = received.find(call)
    if not fax.pages:
        raise ProblemError(STATE_FORBIDS, "the fax has no pages")
    return fax
