"""The content of a fax to send: its pages, its result as a PDF, the trace of each call."""

from __future__ import annotations

from appliance.api import page_export
from appliance.api.causes import NOT_FOUND
from appliance.api.context import TURN_WAIT_S
from appliance.api.problems import ProblemError
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
from appliance.api.rest.faxes import find, with_attempts
from appliance.api.rest.routes import Answer, Call, Routes
from appliance.settings.accounts import Scope

routes = Routes(tag="faxes", scope=Scope.SEND)


@routes("GET", "/faxes/{id}/pages/{page}", query=(SIZE,), media=("image/png",))
def read_fax_page(call: Call) -> Answer:
    """Read a page exactly as it is transmitted."""
    job = find(call)
    number = call.arguments["page"]
    coded = page_export.sent_page(page_export.rendered(call.box, job), number)
    call.note("fax.look", object=f"fax:{job.id}", detail=f"page {number}")
    return Answer(content=picture(call, coded, f"{job.rendered_path} {number}"))


@routes("GET", "/faxes/{id}/document", media=("application/pdf",))
def read_fax_document(call: Call) -> Answer:
    """Read all pages as a PDF."""
    job = find(call)
    made = page_export.sent_pdf(call.box, job)
    call.note("fax.look", object=f"fax:{job.id}", detail="document")
    return Answer(temporary_file=made, headers=shown_as(f"fax-{job.id}.pdf"))


@routes("GET", "/faxes/{id}/tiff", media=("image/tiff",))
def read_fax_tiff(call: Call) -> Answer:
    """Read all pages as a TIFF of class F, as transmitted."""
    job = find(call)
    made = page_export.sent_tiff(call.box, job)
    call.note("fax.look", object=f"fax:{job.id}", detail="TIFF")
    return Answer(temporary_file=made, headers=shown_as(f"fax-{job.id}.tiff"))


@routes("GET", "/faxes-bundle", query=BUNDLED, media=BUNDLE_MEDIA)
def bundle_faxes(call: Call) -> Answer:
    """Read several faxes as one PDF, or as a ZIP."""
    wanted = dict.fromkeys(call.query.get("ids", ()))
    jobs = page_export.of_each(wanted, lambda fax_id: call.box.faxes.get(fax_id, call.caller.sees))
    call.note("fax.look", object="faxes", detail=", ".join(str(job.id) for job in jobs)[:200])
    return bundled(
        call, lambda: page_export.sent_together(call.box, jobs), lambda: page_export.sent_zip(call.box, jobs)
    )


@routes("GET", "/faxes/{id}/confirmation", media=("application/pdf",))
def read_fax_confirmation(call: Call) -> Answer:
    """Read the transmission report as a PDF."""
    job, attempts = with_attempts(call)
    with call.context.drawers.of(1, TURN_WAIT_S):
        made = page_export.confirmation_pdf(call.box, job, attempts)
    call.note("fax.look", object=f"fax:{job.id}", detail="confirmation")
    return Answer(temporary_file=made, headers=shown_as(f"fax-{job.id}-report.pdf"))


@routes("GET", "/faxes/{id}/attempts/{number}/trace", media=LINES_OF_JSON)
def read_fax_trace(call: Call) -> Answer:
    """Read the trace of one call, as lines of JSON."""
    return trace_of(call, _trace_path(call))


def _trace_path(call: Call) -> str:
    """The trace of the attempt that the path names.  Raises ProblemError."""
    wanted_number = call.arguments["number"]
    for attempt in with_attempts(call)[1]:
        if attempt.number == wanted_number:
            return attempt.trace_path
    raise ProblemError(NOT_FOUND, f"there is no try {wanted_number}")


@routes("GET", "/faxes/{id}/attempts/{number}/packets", media=PCAP)
def read_fax_packets(call: Call) -> Answer:
    """Read the packets of one T.38 call, as pcap.

    The setting `storage.packets` says for which calls they are kept.
    """
    return packets_of(call, _trace_path(call))
