"""Faxes to send: hand in, list, read, look at, cancel, send again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance import at_rest
from appliance.api import intake, page_export
from appliance.api.causes import NOT_FOUND
from appliance.api.context import TURN_WAIT_S
from appliance.api.problems import ProblemError, problem_at
from appliance.api.rest import newfax
from appliance.api.rest.checking import flaw, read_moment
from appliance.api.rest.routes import Answer, Call, Parameter, Route
from appliance.api.rest.schemas import (
    Json,
    array,
    choice,
    component,
    flag,
    integer,
    record,
    request_object,
    text,
    timestamp,
)
from appliance.api.rest.views import (
    DELIVERY,
    EVENT,
    FAX,
    FAX_IN_FULL,
    delivery_view,
    event_view,
    listing,
    page_of,
    values,
)
from appliance.documents.causes import DOCUMENT_GONE
from appliance.language import said
from appliance.records import view
from appliance.services.faxes import Request, Submitted
from appliance.services.views import fax_in_full
from appliance.settings.accounts import Scope
from appliance.spool.model import PACKETS, Attempt, Job, JobFilter, JobState
from appliance.spool.options import UnknownRule
from appliance.t4.page import CodedPage, Raster

LIST_DEFAULT, LIST_MOST = 50, 200
TRACE_OCTETS = 16 << 20
# What is filtered by: so much text, and so many names in it.
METADATA_FILTER_LIMIT = 1000
METADATA_TERMS = 10

SUBMITTED = component(
    "Submitted",
    record(
        {
            "submission_id": integer(1),
            "uuid": text(36),
            "repeated": flag("this request came before; these are the faxes it made then"),
            "faxes": array(FAX),
        }
    ),
)
LIMIT = Parameter("limit", integer(1, LIST_MOST), f"at most so many; {LIST_DEFAULT} when left out")
BEFORE = Parameter("before", integer(1), "only those with a smaller id")
SEARCH = Parameter(
    "q", text(100), "words, three letters each at least, that stand in number, name or subject"
)
SINCE = Parameter("since", timestamp(), "not older than this time")
UNTIL = Parameter("until", timestamp(), "older than this time")
METADATA = Parameter(
    "metadata",
    text(METADATA_FILTER_LIMIT),
    "with this in its metadata: `order:4711`, or several as a JSON object",
)
SIZE = Parameter("size", choice("full", "small"), "pixel for pixel as on the line, or a small picture")
IDEMPOTENCY = Parameter(
    "Idempotency-Key",
    text(newfax.IDEMPOTENCY_LIMIT, pattern="[ -~]*"),
    "a word of yours for this fax: the request may be repeated, the fax is made once",
)


def period(call: Call) -> dict[str, float | None]:
    """``since`` and ``until`` of a query, as Unix time."""
    return {
        name: read_moment(call.query[name], name) if name in call.query else None
        for name in ("since", "until")
    }


def read_metadata(text: str) -> tuple[tuple[str, str], ...]:
    """The names and values of ``metadata`` of a query, as the spool compares them.  Raises ProblemError."""
    name, colon, value = text.partition(":")
    if not text.startswith("{"):
        if not colon or not name:
            raise flaw("metadata", said("name:value is needed, or a JSON object"))
        return ((name, value),)
    try:
        given = json.loads(text)
        json.dumps(given, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise flaw("metadata", said("this is no JSON object")) from None
    if len(given) > METADATA_TERMS or not given:
        raise flaw("metadata", said("1 to {count} names are needed").format(count=METADATA_TERMS))
    if any(not isinstance(each, str | int | float) for each in given.values()):
        raise flaw("metadata", said("texts, numbers, true and false can be looked for"))
    # As SQLite writes them, which has the true and false of JSON.
    return tuple((name, each if isinstance(each, str) else json.dumps(each)) for name, each in given.items())


# -- handing in ------------------------------------------------------------------------------------


def create(call: Call) -> Answer:
    key = newfax.idempotency_key(call.header("Idempotency-Key"))
    digest = newfax.digest_of(call.body, call.form)
    if key:
        earlier = call.box.faxes.handed_in(call.caller.owner, key, digest)
        if earlier is not None:
            _discard_uploads(call)
            return _submitted(earlier, call)
    request = newfax.request_of(call.context, call.caller, call.body, key, digest)
    # Asked again when it is taken in; asked first so that nothing is fetched or stored in vain.
    call.box.rules.require_room()
    call.box.rules.require_quota(request.owner, request.key)
    return submit(call, newfax.with_document(call.context, call.caller, request, call.body, call.form))


def submit(call: Call, request: Request) -> Answer:
    """Hands it in; the files of a request that is refused are given back."""
    try:
        submitted = call.box.faxes.submit(request)
    except BaseException:
        call.box.documents.discard_files(request.files)
        raise
    if not submitted.repeated:
        _preview_is_sent(call)
        for job in submitted.jobs:
            call.note("fax.create", object=f"fax:{job.id}", detail=f"to {job.number}")
    return _submitted(submitted, call)


def _discard_uploads(call: Call) -> None:
    if call.form is not None:
        intake.discard(call.context, [taken for _, taken in call.form.files])


def _preview_is_sent(call: Call) -> None:
    """What was put together is a fax now."""
    if isinstance(call.body, dict) and "preview_id" in call.body:
        previews = call.context.previews
        previews.drop(previews.get(call.body["preview_id"], call.caller.owner))


def _submitted(submitted: Submitted, call: Call) -> Answer:
    body = {
        "submission_id": submitted.submission_id,
        "uuid": submitted.uuid,
        "repeated": submitted.repeated,
        "faxes": [view(job) for job in submitted.jobs],
    }
    location = f"/api/v1/faxes/{submitted.jobs[0].id}"
    return Answer(body, headers={"Location": location})


# -- reading ---------------------------------------------------------------------------------------


def find(call: Call) -> Job:
    """The fax that the path names, if the caller may see it.  Raises NotFoundError."""
    return call.box.faxes.get(call.arguments["id"], call.caller.sees)


def index(call: Call) -> Answer:
    query = call.query
    limit = query.get("limit", LIST_DEFAULT)
    sees, times = call.caller.sees, period(call)
    wanted_jobs = JobFilter(
        owner=query.get("owner", "") if sees is None else sees,
        states=frozenset(JobState(word) for word in query.get("state", ())),
        number=query.get("number", ""),
        tag=query.get("tag", ""),
        origin=query.get("origin", ""),
        text=query.get("q", ""),
        submission_id=query.get("submission"),
        metadata=read_metadata(query["metadata"]) if "metadata" in query else (),
        before_id=query.get("before"),
        limit=limit,
        since=times["since"],
        until=times["until"],
    )
    found = call.box.faxes.search(wanted_jobs)
    return Answer(page_of("faxes", [view(job) for job in found], limit))


def read(call: Call) -> Answer:
    job, attempts = _with_attempts(call)
    return Answer(fax_in_full(job, attempts))


def _with_attempts(call: Call) -> tuple[Job, list[Attempt]]:
    return call.box.faxes.with_attempts(call.arguments["id"], call.caller.sees)


def page(call: Call) -> Answer:
    job = find(call)
    number = call.arguments["page"]
    coded = page_export.sent_page(page_export.rendered(call.box, job), number)
    call.note("fax.look", object=f"fax:{job.id}", detail=f"page {number}")
    return Answer(content=picture(call, coded, f"{job.rendered_path} {number}"))


def picture(call: Call, page: CodedPage | Raster, key: str) -> bytes:
    """The page as the request wants it; ``key`` is the page's own for ever."""

    def drawn(small: bool) -> bytes:
        with call.context.drawers.of(1, TURN_WAIT_S):
            return page_export.png(page, small=small)

    if call.query.get("size") == "small":
        return call.context.pictures.get(key, lambda: drawn(small=True))
    return drawn(small=False)


def document(call: Call) -> Answer:
    job = find(call)
    made = page_export.sent_pdf(call.box, job)
    call.note("fax.look", object=f"fax:{job.id}", detail="document")
    return Answer(passing_file=made, headers=_named(f"fax-{job.id}.pdf"))


def tiff(call: Call) -> Answer:
    job = find(call)
    made = page_export.sent_tiff(call.box, job)
    call.note("fax.look", object=f"fax:{job.id}", detail="TIFF")
    return Answer(passing_file=made, headers=_named(f"fax-{job.id}.tiff"))


def bundle(call: Call) -> Answer:
    """Several faxes as one PDF, one after the other, or as a ZIP of PDFs."""
    wanted = dict.fromkeys(call.query.get("ids", ()))
    jobs = [call.box.faxes.get(fax_id, call.caller.sees) for fax_id in wanted]
    call.note("fax.look", object="faxes", detail=", ".join(str(job.id) for job in jobs)[:200])
    return bundled(
        call, lambda: page_export.sent_together(call.box, jobs), lambda: page_export.sent_zip(call.box, jobs)
    )


def bundled(call: Call, together: Callable[[], Path], archive: Callable[[], Path]) -> Answer:
    """What the request wants of the two, as a passing file to save."""
    if call.query.get("format") == "zip":
        path, kind, name = archive(), "application/zip", "faxes.zip"
    else:
        path, kind, name = together(), "application/pdf", "faxes.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Answer(passing_file=path, media_type=kind, headers=headers)


def confirmation(call: Call) -> Answer:
    job, attempts = _with_attempts(call)
    with call.context.drawers.of(1, TURN_WAIT_S):
        made = page_export.confirmation_pdf(call.box, job, attempts)
    call.note("fax.look", object=f"fax:{job.id}", detail="confirmation")
    return Answer(passing_file=made, headers=_named(f"fax-{job.id}-report.pdf"))


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'inline; filename="{name}"'}


def events(call: Call) -> Answer:
    return Answer({"events": [event_view(event) for event in call.box.history.of_fax(find(call).id)]})


def deliveries(call: Call) -> Answer:
    job = find(call)
    return Answer({"deliveries": deliveries_of(call, job.id)})


def deliveries_of(call: Call, fax_id: int) -> list[Json]:
    """What was to be told or handed on about a fax, and each try."""
    return [delivery_view(each, tries) for each, tries in call.box.outbox.of_fax(fax_id)]


def trace(call: Call) -> Answer:
    return trace_of(call, _trace_path(call))


def _trace_path(call: Call) -> str:
    """Of the try that the path names.  Raises ProblemError."""
    wanted_number = call.arguments["number"]
    for attempt in _with_attempts(call)[1]:
        if attempt.number == wanted_number:
            return attempt.trace_path
    raise ProblemError(NOT_FOUND, f"there is no try {wanted_number}")


def trace_of(call: Call, path: str) -> Answer:
    """The account of a call, as lines of JSON.  Raises ProblemError."""
    try:
        if not path:
            raise FileNotFoundError
        with (call.box.data / path).open("rb") as file:
            return Answer(content=file.read(TRACE_OCTETS))
    except OSError:
        raise ProblemError(DOCUMENT_GONE, "the account of this call is not kept") from None


def packets(call: Call) -> Answer:
    return packets_of(call, _trace_path(call))


def packets_of(call: Call, trace_path: str) -> Answer:
    """The packets of the call with this account, as pcap.  Raises ProblemError."""
    name = Path(trace_path).stem
    try:
        if not name:
            raise FileNotFoundError
        with at_rest.open_file(call.box.data / PACKETS / f"{name}.pcap") as file:
            return Answer(content=file.read(TRACE_OCTETS))
    except OSError:
        raise ProblemError(DOCUMENT_GONE, "the packets of this call were not kept") from None


# -- changing --------------------------------------------------------------------------------------


def _act(action: str, change: Callable[[Call, Job], Job]) -> Callable[[Call], Answer]:
    def handler(call: Call) -> Answer:
        job = change(call, find(call))
        call.note(action, object=f"fax:{call.arguments['id']}")
        return Answer(view(job))

    return handler


def _cancel(call: Call, job: Job) -> Job:
    return call.box.faxes.cancel(job.id)


def _retry(call: Call, job: Job) -> Job:
    if "at" in call.body:
        return call.box.faxes.reschedule(job.id, read_moment(call.body["at"], "at"))
    return call.box.faxes.retry_now(job.id)


def _release(call: Call, job: Job) -> Job:
    at = read_moment(call.body["at"], "at") if "at" in call.body else None
    return call.box.faxes.release(job.id, scheduled_at=at)


def _settle(call: Call, job: Job) -> Job:
    return call.box.faxes.settle_unknown(job.id, UnknownRule(call.body["rule"]))


def resend(call: Call) -> Answer:
    number = call.body.get("number")
    if number is not None:
        try:
            call.box.rules.number(number)
        except Exception as error:
            raise problem_at(error, "number") from None
    key = newfax.idempotency_key(call.header("Idempotency-Key"))
    job = call.box.faxes.resend(find(call).id, number=number, key=call.caller.key, idempotency_key=key)
    call.note("fax.create", object=f"fax:{job.id}", detail=f"to {job.number}, again as {job.resent_from}")
    return Answer(view(job), headers={"Location": f"/api/v1/faxes/{job.id}"})


_AT = request_object({"at": timestamp("left out: now")})
_FILTERS = (
    Parameter("state", array(choice(*values(JobState)), 8), "in one of these states"),
    Parameter("number", text(64), "to this number, as it is dialled"),
    Parameter("tag", text(100), "with this tag"),
    Parameter("origin", text(20), "through this door"),
    SEARCH,
    Parameter("submission", integer(1), "handed in together"),
    METADATA,
    Parameter("owner", text(64), "of this user; only for administrators"),
    SINCE,
    UNTIL,
    BEFORE,
    LIMIT,
)
# Faxes that are fetched together at once.
BUNDLE = 100
BUNDLED = (
    Parameter("ids", array(integer(1), BUNDLE), "of these faxes"),
    Parameter("format", choice("pdf", "zip"), "pdf when left out"),
)
BUNDLE_MEDIA = ("application/pdf", "application/zip")
PCAP = ("application/vnd.tcpdump.pcap",)
_LINES_OF_JSON = ("application/x-ndjson",)


def _route(method: str, path: str, name: str, summary: str, handler: Any, **more: Any) -> Route:
    return Route(method, path, name, "faxes", summary, handler, scope=Scope.SEND, **more)


ROUTES = (
    _route(
        "POST",
        "/faxes",
        "createFax",
        "Hand in a fax",
        create,
        body=newfax.NEW_FAX,
        form=newfax.NEW_FAX_FORM,
        answer=SUBMITTED,
        status=201,
        headers=(IDEMPOTENCY,),
        help="When this answers, the fax is on disk and will be dealt with. Each recipient gets a fax"
        " of its own. A form has its files in parts called `file`, and fields as the JSON has"
        " (`cover.subject` for those of the cover).",
    ),
    _route("GET", "/faxes", "listFaxes", "List faxes", index, query=_FILTERS, answer=listing("faxes", FAX)),
    _route("GET", "/faxes/{id}", "readFax", "Read one fax with its tries", read, answer=FAX_IN_FULL),
    _route(
        "GET",
        "/faxes/{id}/pages/{page}",
        "readFaxPage",
        "One page, exactly as it goes over the line",
        page,
        query=(SIZE,),
        media=("image/png",),
    ),
    _route(
        "GET",
        "/faxes/{id}/document",
        "readFaxDocument",
        "All pages as a PDF",
        document,
        media=("application/pdf",),
    ),
    _route(
        "GET",
        "/faxes/{id}/tiff",
        "readFaxTiff",
        "All pages as a TIFF of class F, as they go over the line",
        tiff,
        media=("image/tiff",),
    ),
    _route(
        "GET",
        "/faxes-bundle",
        "bundleFaxes",
        "Several as one PDF, or as a ZIP",
        bundle,
        query=BUNDLED,
        media=BUNDLE_MEDIA,
    ),
    _route(
        "GET",
        "/faxes/{id}/confirmation",
        "readFaxConfirmation",
        "What became of it, as a PDF",
        confirmation,
        media=("application/pdf",),
    ),
    _route(
        "GET",
        "/faxes/{id}/events",
        "listFaxEvents",
        "What happened to it",
        events,
        answer=record({"events": array(EVENT)}),
    ),
    _route(
        "GET",
        "/faxes/{id}/deliveries",
        "listFaxDeliveries",
        "Who was told of it",
        deliveries,
        answer=record({"deliveries": array(DELIVERY)}),
    ),
    _route(
        "GET",
        "/faxes/{id}/attempts/{number}/trace",
        "readFaxTrace",
        "The account of one call, as lines of JSON",
        trace,
        media=_LINES_OF_JSON,
    ),
    _route(
        "GET",
        "/faxes/{id}/attempts/{number}/packets",
        "readFaxPackets",
        "The packets of one T.38 call, as pcap",
        packets,
        media=PCAP,
        help="Of which calls they are kept is the setting `storage.packets`.",
    ),
    _route(
        "POST",
        "/faxes/{id}/cancel",
        "cancelFax",
        "Cancel it",
        _act("fax.cancel", _cancel),
        answer=FAX,
        help="A running call is ended within seconds; until then the state stays `sending`.",
    ),
    _route(
        "POST",
        "/faxes/{id}/retry",
        "retryFax",
        "Try a waiting fax now, or at a time",
        _act("fax.retry", _retry),
        body=_AT,
        body_required=False,
        answer=FAX,
    ),
    _route(
        "POST",
        "/faxes/{id}/release",
        "releaseFax",
        "Let a held fax go",
        _act("fax.release", _release),
        body=_AT,
        body_required=False,
        answer=FAX,
    ),
    _route(
        "POST",
        "/faxes/{id}/settle",
        "settleFax",
        "Decide about a fax whose delivery is unknown",
        _act("fax.settle", _settle),
        answer=FAX,
        body=request_object({"rule": choice("resend", "assume_delivered")}, required=("rule",)),
    ),
    _route(
        "POST",
        "/faxes/{id}/resend",
        "resendFax",
        "Send it again, to the same number or another",
        resend,
        body=request_object({"number": text(newfax.NUMBER_LIMIT, least=1)}),
        body_required=False,
        answer=FAX,
        status=201,
        headers=(IDEMPOTENCY,),
    ),
)
