"""Permanent erasure: of a fax by its owner, of everything about a number by an administrator."""

from __future__ import annotations

from dataclasses import asdict

from appliance.api.rest.routes import Answer, Call, Routes
from appliance.api.rest.schemas import integer, record, request_object, text
from appliance.settings.accounts import Scope

_ERASED = record({"erased": integer(help="the fax")})


routes = Routes(tag="faxes", scope=Scope.SEND)


@routes("POST", "/faxes/{id}/erase", answer=_ERASED)
def erase_fax(call: Call) -> Answer:
    """Erase a fax that has ended, permanently.

    Overwrites its number, calls, pages and document.  The journal still shows that there was a fax, its
    owner, its time, and that it was erased (`erased_at`).
    """
    fax_id = call.arguments["id"]
    call.box.erasure.fax(fax_id, call.caller.sees)
    call.note("fax.erase", object=f"fax:{fax_id}")
    return Answer({"erased": fax_id})


@routes("POST", "/received/{id}/erase", tag="received", scope=Scope.RECEIVE, answer=_ERASED)
def erase_received(call: Call) -> Answer:
    """Erase a received fax, permanently."""
    fax_id = call.arguments["id"]
    call.box.erasure.received(fax_id, call.caller.sees)
    call.note("received.erase", object=f"fax:{fax_id}")
    return Answer({"erased": fax_id})


@routes(
    "POST",
    "/erasures",
    tag="system",
    scope=Scope.ADMIN,
    body=request_object({"number": text(64, least=1)}, required=("number",)),
    answer=record(
        {"faxes": integer(), "received": integer(), "left": integer(help="still under way: not erased")}
    ),
)
def erase_number(call: Call) -> Answer:
    """Erase everything about a number, permanently."""
    done = call.box.erasure.number(call.body["number"])
    call.note("number.erase", detail=f"{done.faxes} sent, {done.received} received")
    return Answer(asdict(done))
