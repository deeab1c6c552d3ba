"""Handing in a fax, and sending one again."""

from __future__ import annotations

from appliance.api import intake
from appliance.api.rest import newfax, newfax_schemas
from appliance.api.rest.checking import require_number
from appliance.api.rest.faxes import find
from appliance.api.rest.routes import Answer, Call, Parameter, Routes, created
from appliance.api.rest.schemas import array, component, flag, integer, record, request_object, text
from appliance.api.rest.views import FAX
from appliance.records import view
from appliance.services.faxes import Request, Submitted
from appliance.settings.accounts import Scope

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
IDEMPOTENCY = Parameter(
    "Idempotency-Key",
    text(newfax.IDEMPOTENCY_LIMIT, least=1, pattern="[ -~]*"),
    "a word of yours for this fax: the request may be repeated, the fax is made once",
)


routes = Routes(tag="faxes", scope=Scope.SEND)


@routes(
    "POST",
    "/faxes",
    body=newfax_schemas.NEW_FAX,
    form=newfax_schemas.NEW_FAX_FORM,
    answer=SUBMITTED,
    status=201,
    headers=(IDEMPOTENCY,),
)
def create_fax(call: Call) -> Answer:
    """Submit a fax.

    When this answers, the fax is on disk.  Each recipient gets a fax of its own, and only one.  A form has
    its files in parts called `file`, and the same fields as the JSON (`cover.subject` … for the cover page).
    """
    key = newfax.idempotency_key(call.environ)
    digest = newfax.digest_of(call.body, call.form)
    again = earlier(call, key, digest)
    if again is not None:
        _discard_uploads(call)
        return again
    request = newfax.request_of(call.context, call.caller, call.body, key, digest)
    # Checked again when it is handed in; checked first so that nothing is fetched or stored in vain.
    call.box.rules.require_room()
    call.box.rules.require_quota(request.owner, request.key)
    return submit(call, newfax.with_document(call.context, call.caller, request, call.body, call.form))


def earlier(call: Call, key: str, digest: str) -> Answer | None:
    """The answer to a request that came before with this idempotency key; None when there was none."""
    found = call.box.faxes.handed_in(call.caller.owner, key, digest)
    return None if found is None else _submitted(found, call)


def submit(call: Call, request: Request) -> Answer:
    """Hands in ``request``; if it is refused, its files are deleted."""
    with intake.discarded_on_error(call.context, request.files):
        submitted = call.box.faxes.submit(request)
    if not submitted.repeated:
        _preview_is_sent(call)
        for job in submitted.jobs:
            to = f"to {job.number}" if job.number else "without a number"
            call.note("fax.create", object=f"fax:{job.id}", detail=to)
    return _submitted(submitted, call)


def _discard_uploads(call: Call) -> None:
    if call.form is not None:
        intake.discard(call.context, [taken for _, taken in call.form.files])


def _preview_is_sent(call: Call) -> None:
    """Deletes the preview that the fax was made from."""
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
    return created(body, f"/faxes/{submitted.jobs[0].id}")


@routes(
    "POST",
    "/faxes/{id}/resend",
    body=request_object({"number": text(newfax_schemas.NUMBER_LIMIT, least=1)}),
    body_required=False,
    answer=FAX,
    status=201,
    headers=(IDEMPOTENCY,),
)
def resend_fax(call: Call) -> Answer:
    """Send a fax again, to the same or another number."""
    number = call.body.get("number")
    if number is not None:
        require_number(call.box.rules, number, "number")
    key = newfax.idempotency_key(call.environ)
    job = call.box.faxes.resend(find(call).id, number=number, key=call.caller.key, idempotency_key=key)
    call.note("fax.create", object=f"fax:{job.id}", detail=f"to {job.number}, again as {job.resent_from}")
    return created(view(job), f"/faxes/{job.id}")
