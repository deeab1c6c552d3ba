"""Permanent erasure: of a fax by its owner, of everything about a number by an administrator."""

from __future__ import annotations

from dataclasses import asdict

from appliance.api.rest.routes import Answer, Call, Route
from appliance.api.rest.schemas import integer, record, request_object, text
from appliance.settings.accounts import Scope

_ERASED = record({"erased": integer(help="the fax")})


def sent(call: Call) -> Answer:
    fax_id = call.arguments["id"]
    call.box.erasure.fax(fax_id, call.caller.sees)
    call.note("fax.erase", object=f"fax:{fax_id}")
    return Answer({"erased": fax_id})


def received(call: Call) -> Answer:
    fax_id = call.arguments["id"]
    call.box.erasure.received(fax_id, call.caller.sees)
    call.note("received.erase", object=f"fax:{fax_id}")
    return Answer({"erased": fax_id})


def number(call: Call) -> Answer:
    done = call.box.erasure.number(call.body["number"])
    call.note("number.erase", detail=f"{done.faxes} sent, {done.received} received")
    return Answer(asdict(done))


ROUTES = (
    Route(
        "POST",
        "/faxes/{id}/erase",
        "eraseFax",
        "Erase a fax that has ended, for good",
        sent,
        tag="faxes",
        scope=Scope.SEND,
        answer=_ERASED,
        help="Its number, calls, pages and document are overwritten and gone; the journal keeps that there"
        " was a fax, whose, when, and that it was erased (`erased_at`).",
    ),
    Route(
        "POST",
        "/received/{id}/erase",
        "eraseReceived",
        "Erase a received fax, for good",
        received,
        tag="received",
        scope=Scope.RECEIVE,
        answer=_ERASED,
    ),
    Route(
        "POST",
        "/erasures",
        "eraseNumber",
        "Erase everything about a number, for good",
        number,
        tag="system",
        scope=Scope.ADMIN,
        body=request_object({"number": text(64, least=1)}, required=("number",)),
        answer=record(
            {"faxes": integer(), "received": integer(), "left": integer(help="still under way: not erased")}
        ),
    ),
)
