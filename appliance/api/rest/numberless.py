"""Documents that came without a number (print, scan, e-mail): listing, giving a number, discarding.

Each is a fax like any other, in the state ``preparing`` or ``needs_number``: pages, events and everything
else have the same addresses.
"""

from __future__ import annotations

from appliance.api.rest import faxes, handing_in, newfax_schemas, recipients
from appliance.api.rest.checking import read_time
from appliance.api.rest.handing_in import IDEMPOTENCY, SUBMITTED
from appliance.api.rest.queries import BEFORE, LIMIT, LIST_DEFAULT
from appliance.api.rest.routes import Answer, Call, Parameter, Routes
from appliance.api.rest.schemas import array, record, text
from appliance.api.rest.views import FAX, listing, page_of
from appliance.records import view
from appliance.settings.accounts import Scope
from appliance.spool.errors import IllegalTransitionError
from appliance.spool.model import JobFilter

routes = Routes(tag="faxes", scope=Scope.SEND)


@routes(
    "GET",
    "/needs-number",
    "listFaxesWithoutNumber",
    "Documents that wait for a number, newest first",
    query=(Parameter("owner", text(64), "of this user; only for administrators"), BEFORE, LIMIT),
    answer=listing("faxes", FAX),
)
def index(call: Call) -> Answer:
    """Lists faxes that still need a number, newest first."""
    sees = call.caller.sees
    limit = call.query.get("limit", LIST_DEFAULT)
    wanted = JobFilter(
        owner=call.query.get("owner", "") if sees is None else sees,
        without_number=True,
        before_id=call.query.get("before"),
        limit=limit,
    )
    return Answer(page_of("faxes", [view(job) for job in call.box.faxes.search(wanted)], limit))


@routes(
    "POST",
    "/faxes/{id}/numbers",
    "giveNumbers",
    "Say where a document goes that came without a number",
    body=newfax_schemas.NUMBERS,
    answer=record({"faxes": array(FAX)}),
    help="Its pages are made again with the time and, on a cover page, the recipient. Each further"
    " recipient gets a fax of its own.",
)
def give(call: Call) -> Answer:
    """Gives a document without a number its recipients; answers the faxes."""
    to = recipients.checked_recipients(call.context, call.caller, call.body["to"])
    at = read_time(call.body["send_at"], "send_at") if "send_at" in call.body else None
    made = call.box.faxes.give_numbers(call.arguments["id"], to, call.caller.sees, scheduled_at=at)
    for job in made:
        call.note("fax.number", object=f"fax:{job.id}", detail=f"to {job.number}")
    return Answer({"faxes": [view(job) for job in made]})


@routes(
    "DELETE",
    "/needs-number/{id}",
    "deleteFaxWithoutNumber",
    "Throw away a document that waits for a number",
    status=204,
)
def remove(call: Call) -> Answer:
    """Cancels a document that has no number."""
    job = faxes.find(call)
    if job.number:
        raise IllegalTransitionError(f"fax {job.id} has a number: cancel it instead")
    call.box.faxes.cancel(job.id)
    call.note("fax.cancel", object=f"fax:{job.id}", detail="it had no number")
    return Answer()


routes(
    "POST",
    "/needs-number",
    "createFaxWithoutNumber",
    "Hand in a document whose number is said later",
    body=newfax_schemas.NEW_WITHOUT_NUMBER,
    form=newfax_schemas.NEW_WITHOUT_NUMBER_FORM,
    answer=SUBMITTED,
    status=201,
    headers=(IDEMPOTENCY,),
    help="It is prepared, waits in the state `needs_number` for a month at most, and is sent when it is"
    " given a number.",
)(handing_in.create)
