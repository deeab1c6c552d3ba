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


@routes(
    "GET",
    "/faxes/{id}/pages/{page}",
    "readFaxPage",
    "One page, exactly as it goes over the line",
    query=(SIZE,),
    media=("image/png",),
)
def page(call: Call) -> Answer:
    """Answers a page of a fax to send as a picture."""
    job = find(call)
    number = call.arguments["page"]
    coded = page_export.sent_page(page_export.rendered(call.box, job), number)
    call.note("fax.look", object=f"fax:{job.id}", detail=f"page {number}")
    return Answer(content=picture(call, coded, f"{job.rendered_path} {number}"))


@routes("GET", "/faxes/{id}/document", "readFaxDocument", "All pages as a PDF", media=("application/pdf",))
def document(call: Call) -> Answer:
    """Answers the pages of a fax to send as PDF."""
    job = find(call)
    made = page_export.sent_pdf(call.box, job)
    call.note("fax.look", object=f"fax:{job.id}", detail="document")
    return Answer(passing_file=made, headers=shown_as(f"fax-{job.id}.pdf"))


@routes(
    "GET",
    "/faxes/{id}/tiff",
    "readFaxTiff",
    "All pages as a TIFF of class F, as they go over the line",
    media=("image/tiff",),
)
def tiff(call: Call) -> Answer:
    """Answers the pages of a fax to send as TIFF."""
    job = find(call)
    made = page_export.sent_tiff(call.box, job)
    call.note("fax.look", object=f"fax:{job.id}", detail="TIFF")
    return Answer(passing_file=made, headers=shown_as(f"fax-{job.id}.tiff"))


@routes(
    "GET",
    "/faxes-bundle",
    "bundleFaxes",
    "Several as one PDF, or as a ZIP",
    query=BUNDLED,
    media=BUNDLE_MEDIA,
)
def bundle(call: Call) -> Answer:
    """Several faxes as one PDF, one after the other, or as a ZIP of PDFs."""
    wanted = dict.fromkeys(call.query.get("ids", ()))
    jobs = [call.box.faxes.get(fax_id, call.caller.sees) for fax_id in wanted]
    call.note("fax.look", object="faxes", detail=", ".join(str(job.id) for job in jobs)[:200])
    return bundled(
        call, lambda: page_export.sent_together(call.box, jobs), lambda: page_export.sent_zip(call.box, jobs)
    )


@routes(
    "GET",
    "/faxes/{id}/confirmation",
    "readFaxConfirmation",
    "What became of it, as a PDF",
    media=("application/pdf",),
)
def confirmation(call: Call) -> Answer:
    """Answers the transmission report of a fax as PDF."""
    job, attempts = with_attempts(call)
    with call.context.drawers.of(1, TURN_WAIT_S):
        made = page_export.confirmation_pdf(call.box, job, attempts)
    call.note("fax.look", object=f"fax:{job.id}", detail="confirmation")
    return Answer(passing_file=made, headers=shown_as(f"fax-{job.id}-report.pdf"))


@routes(
    "GET",
    "/faxes/{id}/attempts/{number}/trace",
    "readFaxTrace",
    "The account of one call, as lines of JSON",
    media=LINES_OF_JSON,
)
def trace(call: Call) -> Answer:
    """Answers what was noted during a call of the fax."""
    return trace_of(call, _trace_path(call))


def _trace_path(call: Call) -> str:
    """The trace of the attempt that the path names.  Raises ProblemError."""
    wanted_number = call.arguments["number"]
    for attempt in with_attempts(call)[1]:
        if attempt.number == wanted_number:
            return attempt.trace_path
    raise ProblemError(NOT_FOUND, f"there is no try {wanted_number}")


@routes(
    "GET",
    "/faxes/{id}/attempts/{number}/packets",
    "readFaxPackets",
    "The packets of one T.38 call, as pcap",
    media=PCAP,
    help="Of which calls they are kept is the setting `storage.packets`.",
)
def packets(call: Call) -> Answer:
    """Answers the packets of a call of the fax, where they were kept."""
    return packets_of(call, _trace_path(call))
