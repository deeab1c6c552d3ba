"""Documents that came without a number (print, scan, e-mail): listing, giving a number, discarding.

Each is a fax like any other, in the state ``preparing`` or ``needs_number``: pages, events and everything
else have the same addresses.
"""

from __future__ import annotations

from appliance.api.rest import faxes, handing_in, newfax_schemas, recipients
from appliance.api.rest.checking import read_schedule
from appliance.api.rest.handing_in import IDEMPOTENCY, SUBMITTED
from appliance.api.rest.queries import BEFORE, LIMIT, OWNER, asked_owner, page_of, part_of_list
from appliance.api.rest.routes import Answer, Call, Routes
from appliance.api.rest.schemas import array, record
from appliance.api.rest.views import FAX, listing
from appliance.records import view
from appliance.settings.accounts import Scope
from appliance.spool.errors import IllegalTransitionError
from appliance.spool.filters import JobFilter

routes = Routes(tag="faxes", scope=Scope.SEND)


@routes("GET", "/needs-number", query=(OWNER, BEFORE, LIMIT), answer=listing("faxes", FAX))
def list_faxes_without_number(call: Call) -> Answer:
    """List documents that wait for a number, newest first."""
    wanted = JobFilter(owner=asked_owner(call), without_number=True, **part_of_list(call))
    return page_of(call, "faxes", [view(job) for job in call.box.faxes.search(wanted)])


@routes("POST", "/faxes/{id}/numbers", body=newfax_schemas.NUMBERS, answer=record({"faxes": array(FAX)}))
def give_numbers(call: Call) -> Answer:
    """Set the recipients of a document that has no number.

    Its pages are made again with the time and, on a cover page, the recipient. Each further recipient gets a
    fax of its own.
    """
    to = recipients.checked_recipients(call.context, call.caller, call.body["to"])
    at = read_schedule(call.body, "send_at", call.context.now())
    made = call.box.faxes.give_numbers(call.arguments["id"], to, call.caller.sees, scheduled_at=at)
    for job in made:
        call.note("fax.number", object=f"fax:{job.id}", detail=f"to {job.number}")
    return Answer({"faxes": [view(job) for job in made]})


@routes("DELETE", "/needs-number/{id}", status=204)
def delete_fax_without_number(call: Call) -> Answer:
    """Discard a document that waits for a number."""
    job = faxes.find(call)
    if job.number:
        raise IllegalTransitionError(f"fax {job.id} has a number: cancel it instead")
    call.box.faxes.cancel(job.id)
    call.note("fax.cancel", object=f"fax:{job.id}", detail="it had no number")
    return Answer()


@routes(
    "POST",
    "/needs-number",
    body=newfax_schemas.NEW_WITHOUT_NUMBER,
    form=newfax_schemas.NEW_WITHOUT_NUMBER_FORM,
    answer=SUBMITTED,
    status=201,
    headers=(IDEMPOTENCY,),
)
def create_fax_without_number(call: Call) -> Answer:
    """Submit a document whose number is given later.

    It is prepared, waits in the state `needs_number` for a month at most, and is sent when it is given a
    number.
    """
    return handing_in.create_fax(call)
