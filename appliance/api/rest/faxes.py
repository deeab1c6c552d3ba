"""Faxes to send: listing, reading, cancelling, trying now, releasing, settling."""

from __future__ import annotations

import functools
from collections.abc import Callable

from appliance.api.request import with_plus
from appliance.api.rest.checking import read_schedule
from appliance.api.rest.queries import (
    BEFORE,
    LIMIT,
    METADATA,
    OWNER,
    SEARCH,
    SINCE,
    UNTIL,
    asked_owner,
    page_of,
    part_of_list,
    period,
    read_metadata,
)
from appliance.api.rest.routes import Answer, Call, Parameter, Routes
from appliance.api.rest.schemas import Json, array, choice, integer, record, request_object, text, timestamp
from appliance.api.rest.views import (
    DELIVERY,
    EVENT,
    FAX,
    FAX_IN_FULL,
    delivery_view,
    event_view,
    listing,
    values,
)
from appliance.records import view
from appliance.services.views import fax_in_full
from appliance.settings.accounts import Scope
from appliance.spool.filters import JobFilter
from appliance.spool.model import Attempt, Job, JobState
from appliance.spool.options import UnknownRule


def find(call: Call) -> Job:
    """The fax named by the path, if the caller may see it.  Raises NotFoundError."""
    return call.box.faxes.get(call.arguments["id"], call.caller.sees)


_AT = request_object({"at": timestamp("left out: now")})
_FILTERS = (
    Parameter("state", array(choice(*values(JobState)), 8), "in one of these states"),
    Parameter("number", text(64), "to this number, as it is dialled"),
    Parameter("tag", text(100), "with this tag"),
    Parameter("origin", text(20), "through this door"),
    SEARCH,
    Parameter("submission", integer(1), "handed in together"),
    METADATA,
    OWNER,
    SINCE,
    UNTIL,
    BEFORE,
    LIMIT,
)
routes = Routes(tag="faxes", scope=Scope.SEND)


@routes("GET", "/faxes", query=_FILTERS, answer=listing("faxes", FAX))
def list_faxes(call: Call) -> Answer:
    """List faxes to send, newest first."""
    query = call.query
    wanted_jobs = JobFilter(
        owner=asked_owner(call),
        states=frozenset(JobState(word) for word in query.get("state", ())),
        number=with_plus(query.get("number", "")),
        tag=query.get("tag", ""),
        origin=query.get("origin", ""),
        text=query.get("q", ""),
        submission_id=query.get("submission"),
        metadata=read_metadata(query["metadata"]) if "metadata" in query else (),
        **part_of_list(call),
        **period(call),
    )
    found = call.box.faxes.search(wanted_jobs)
    return page_of(call, "faxes", [view(job) for job in found])


@routes("GET", "/faxes/{id}", answer=FAX_IN_FULL)
def read_fax(call: Call) -> Answer:
    """Read a fax with its attempts."""
    job, attempts = with_attempts(call)
    return Answer(fax_in_full(job, attempts))


def with_attempts(call: Call) -> tuple[Job, list[Attempt]]:
    """The job named by the path, with its attempts.  Raises NotFoundError."""
    return call.box.faxes.with_attempts(call.arguments["id"], call.caller.sees)


@routes("GET", "/faxes/{id}/events", answer=record({"events": array(EVENT)}))
def list_fax_events(call: Call) -> Answer:
    """List the events of a fax, oldest first."""
    return Answer({"events": [event_view(event) for event in call.box.history.of_fax(find(call).id)]})


@routes("GET", "/faxes/{id}/deliveries", answer=record({"deliveries": array(DELIVERY)}))
def list_fax_deliveries(call: Call) -> Answer:
    """List the deliveries about a fax."""
    return Answer({"deliveries": deliveries_of(call, find(call).id)})


def deliveries_of(call: Call, fax_id: int) -> list[Json]:
    """The deliveries about a fax, each with its tries."""
    return [delivery_view(each, tries) for each, tries in call.box.outbox.of_fax(fax_id)]


def _act(action: str) -> Callable[[Callable[[Call, Job], Job]], Callable[[Call], Answer]]:
    """A handler that changes the fax named by the path, writes that in the audit log and shows the fax."""

    def handler_of(change: Callable[[Call, Job], Job]) -> Callable[[Call], Answer]:
        @functools.wraps(change)
        def handler(call: Call) -> Answer:
            job = change(call, find(call))
            call.note(action, object=f"fax:{job.id}")
            return Answer(view(job))

        return handler

    return handler_of


@routes("POST", "/faxes/{id}/cancel", answer=FAX)
@_act("fax.cancel")
def cancel_fax(call: Call, job: Job) -> Job:
    """Cancel a fax.

    A running call is ended within seconds; until then the state stays `sending`.
    """
    return call.box.faxes.cancel(job.id)


@routes("POST", "/faxes/{id}/retry", body=_AT, body_required=False, answer=FAX)
@_act("fax.retry")
def retry_fax(call: Call, job: Job) -> Job:
    """Retry a waiting fax now, or at a given time."""
    return call.box.faxes.retry(job.id, at=read_schedule(call.body, "at", call.context.now()))


@routes("POST", "/faxes/{id}/release", body=_AT, body_required=False, answer=FAX)
@_act("fax.release")
def release_fax(call: Call, job: Job) -> Job:
    """Release a held fax."""
    at = read_schedule(call.body, "at", call.context.now())
    return call.box.faxes.release(job.id, scheduled_at=at)


@routes(
    "POST",
    "/faxes/{id}/settle",
    answer=FAX,
    body=request_object({"rule": choice("resend", "assume_delivered")}, required=("rule",)),
)
@_act("fax.settle")
def settle_fax(call: Call, job: Job) -> Job:
    """Decide about a fax whose delivery is unknown."""
    return call.box.faxes.settle_unknown(job.id, UnknownRule(call.body["rule"]))
