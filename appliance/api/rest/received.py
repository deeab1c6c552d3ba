"""Received faxes: listing, reading, viewing, marking, deleting; and a fax from the practice line."""

from __future__ import annotations

from appliance.api import intake, page_export
from appliance.api.causes import PRACTICE_REFUSED
from appliance.api.problems import ProblemError
from appliance.api.rest import newfax_schemas, request_files
from appliance.api.rest.checking import flaw
from appliance.api.rest.content import (
    BUNDLE_MEDIA,
    BUNDLED,
    LINES_OF_JSON,
    PCAP,
    SIZE,
    bundled,
    packets_of,
    picture,
    shown_as,
    trace_of,
)
from appliance.api.rest.faxes import deliveries_of
from appliance.api.rest.queries import BEFORE, LIMIT, SEARCH, SINCE, UNTIL, page_of, part_of_list, period
from appliance.api.rest.routes import Answer, Call, Parameter, Routes
from appliance.api.rest.schemas import array, flag, record, request_object, text
from appliance.api.rest.views import DELIVERY, EVENT, RECEIVED, RECEIVED_IN_FULL, event_view, listing
from appliance.language import said
from appliance.records import view
from appliance.services.causes import NOT_PERMITTED
from appliance.services.views import received_in_full
from appliance.settings.accounts import Scope
from appliance.spool.filters import ReceivedFilter
from appliance.spool.model import Received, ReceivedPageFile


def find(call: Call) -> Received:
    """The received fax named by the path, if the caller may see it.  Raises NotFoundError."""
    return call.box.inbox.get(call.arguments["id"], call.caller.sees)


_PRACTICE_NUMBER = text(20, pattern="[0-9+*#]*")
_FILTERS = (
    Parameter("read", flag(), "read, or not"),
    SEARCH,
    Parameter("caller", text(64), "from this caller"),
    Parameter("dialled", text(64), "to this number of ours"),
    Parameter("empty", flag(), "calls that brought no page, too"),
    SINCE,
    UNTIL,
    BEFORE,
    LIMIT,
)
routes = Routes(tag="received", scope=Scope.RECEIVE)


@routes("GET", "/received", query=_FILTERS, answer=listing("received", RECEIVED))
def list_received(call: Call) -> Answer:
    """List received faxes, newest first; calls that brought no page are not among them by default."""
    query = call.query
    wanted_faxes = ReceivedFilter(
        owner=call.caller.sees,
        sight=None,
        read=query.get("read"),
        text=query.get("q", ""),
        caller=query.get("caller", ""),
        dialled=query.get("dialled", ""),
        empty=query.get("empty", False),
        **part_of_list(call),
        **period(call),
    )
    found = call.box.inbox.search(wanted_faxes)
    return page_of(call, "received", [view(fax) for fax in found])


@routes("GET", "/received/{id}", answer=RECEIVED_IN_FULL)
def read_received(call: Call) -> Answer:
    """Read a received fax with its pages."""
    fax, pages = _with_pages(call)
    return Answer(received_in_full(fax, pages))


def _with_pages(call: Call) -> tuple[Received, list[ReceivedPageFile]]:
    return call.box.inbox.with_pages(call.arguments["id"], call.caller.sees)


@routes("GET", "/received/{id}/pages/{page}", query=(SIZE,), media=("image/png",))
def read_received_page(call: Call) -> Answer:
    """Read a page as a picture."""
    fax, pages = _with_pages(call)
    number = call.arguments["page"]
    coded = page_export.received_page(call.box, pages, number)
    # Lists show a small picture of each fax: nobody has opened those.
    if call.query.get("size") != "small":
        call.note("received.look", object=f"fax:{fax.id}", detail=f"page {number}")
    return Answer(content=picture(call, coded, f"{fax.uuid} {number}"))


@routes("GET", "/received/{id}/pdf", media=("application/pdf",))
def read_received_pdf(call: Call) -> Answer:
    """Read all pages as a PDF."""
    fax, pages = _with_pages(call)
    made = page_export.received_pdf(call.box, fax, pages)
    call.note("received.look", object=f"fax:{fax.id}", detail="PDF")
    return Answer(temporary_file=made, headers=shown_as(f"fax-{fax.id}.pdf"))


@routes("GET", "/received/{id}/tiff", media=("image/tiff",))
def read_received_tiff(call: Call) -> Answer:
    """Read all pages as a TIFF of class F."""
    fax, pages = _with_pages(call)
    made = page_export.received_tiff(call.box, pages)
    call.note("received.look", object=f"fax:{fax.id}", detail="TIFF")
    return Answer(temporary_file=made, headers=shown_as(f"fax-{fax.id}.tiff"))


@routes("PATCH", "/received/{id}", body=request_object({"read": flag(), "owner": text(64)}), answer=RECEIVED)
def change_received(call: Call) -> Answer:
    """Mark a received fax as read, or assign it to a user."""
    fax = find(call)
    if "owner" in call.body:
        if call.caller.sees is not None:
            raise ProblemError(NOT_PERMITTED, "only administrators give a fax to somebody")
        owner = call.body["owner"]
        if owner and call.box.accounts.user(owner) is None:
            raise flaw("owner", said("there is no such user"))
        fax = call.box.inbox.assign(fax.id, owner)
        call.note("received.assign", object=f"fax:{fax.id}", detail=f"to {owner}")
    if "read" in call.body:
        fax = call.box.inbox.mark_read(fax.id, call.body["read"])
    return Answer(view(fax))


@routes("DELETE", "/received/{id}", status=204)
def delete_received(call: Call) -> Answer:
    """Delete a received fax."""
    fax = find(call)
    call.box.inbox.delete(fax.id)
    call.note("received.delete", object=f"fax:{fax.id}", detail=f"from {fax.caller or fax.tsi}")
    return Answer()


@routes("GET", "/received/{id}/events", answer=record({"events": array(EVENT)}))
def list_received_events(call: Call) -> Answer:
    """List the events of a received fax, oldest first."""
    return Answer({"events": [event_view(event) for event in call.box.history.of_fax(find(call).id)]})


@routes("GET", "/received/{id}/deliveries", answer=record({"deliveries": array(DELIVERY)}))
def list_received_deliveries(call: Call) -> Answer:
    """List the deliveries of a received fax."""
    return Answer({"deliveries": deliveries_of(call, find(call).id)})


@routes("GET", "/received/{id}/trace", media=LINES_OF_JSON)
def read_received_trace(call: Call) -> Answer:
    """Read the trace of its call, as lines of JSON."""
    return trace_of(call, find(call).trace_path)


@routes("GET", "/received/{id}/packets", media=PCAP)
def read_received_packets(call: Call) -> Answer:
    """Read the packets of its T.38 call, as pcap."""
    return packets_of(call, find(call).trace_path)


@routes(
    "POST",
    "/practice/receive",
    scope=Scope.ADMIN,
    status=202,
    body_required=False,
    answer=record({"started": flag()}),
    body=request_object(
        {"files": array(newfax_schemas.FILE, 20), "caller": _PRACTICE_NUMBER, "dialled": _PRACTICE_NUMBER}
    ),
)
def practice_receive(call: Call) -> Answer:
    """Have the practice machine fax to the box.

    Only administrators; the fax is marked as `practice` wherever it is shown or told. The setting
    `practice.enabled` switches the practice line off.
    """
    stored = request_files.store_files(call.context, call.body.get("files", []))
    started = call.context.practice.start(
        [taken.file for taken in stored],
        caller=call.body.get("caller", ""),
        dialled=call.body.get("dialled", ""),
    )
    if not started:
        intake.discard(call.context, stored)
        raise ProblemError(PRACTICE_REFUSED)
    call.note("practice.receive")
    return Answer({"started": True})


@routes("GET", "/received-bundle", query=BUNDLED, media=BUNDLE_MEDIA)
def bundle_received(call: Call) -> Answer:
    """Read several faxes as one PDF, or as a ZIP."""
    wanted = dict.fromkeys(call.query.get("ids", ()))
    faxes = page_export.of_each(wanted, lambda fax_id: call.box.inbox.with_pages(fax_id, call.caller.sees))
    call.note("received.look", object="faxes", detail=", ".join(str(fax.id) for fax, _ in faxes)[:200])
    return bundled(
        call,
        lambda: page_export.received_together(call.box, faxes),
        lambda: page_export.received_zip(call.box, faxes),
    )
