"""Routes and junk rules: trying a call, and the order of evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from appliance.api.rest.checking import flaw
from appliance.api.rest.routes import Answer, Call, Parameter, Routes
from appliance.api.rest.schemas import (
    Json,
    array,
    choice,
    component,
    flag,
    integer,
    nullable,
    record,
    request_object,
    text,
)
from appliance.api.rest.views import CAUSE
from appliance.deliver import trial
from appliance.deliver.routing import Contents, Judged, TriedFax, Why
from appliance.deliver.settings import DeliveryRoute
from appliance.language import said
from appliance.lines.settings import LineSettings
from appliance.records import cause_view
from appliance.settings.accounts import Scope
from appliance.settings.fields import LIST_LIMIT
from appliance.settings.store import Items

_JUDGED = component(
    "JudgedRule",
    record(
        {
            "id": integer(1),
            "name": text(),
            "fits": flag(),
            "why": choice(*(why.value for why in Why)),
            "sentence": text(help="the same in words"),
        }
    ),
)


_NUMBER = text(64)
routes = Routes(tag="routes", scope=Scope.ADMIN)


@routes(
    "GET",
    "/rules/trial",
    query=(
        Parameter("caller", _NUMBER, "the caller's number; left out: withheld"),
        Parameter("caller_name", text(60), "the caller's name"),
        Parameter("dialled", _NUMBER, "the number that was called"),
        Parameter("line", text(40), "the line it comes in on"),
        Parameter("station_id", _NUMBER, "what the sender's machine calls itself"),
        Parameter("sub_address", text(20), "the sub-address (SUB)"),
        Parameter("barcode", text(100), "what a barcode on the first page says"),
        Parameter("words", text(1000), "what stands on the first page"),
    ),
    answer=record(
        {
            "refused": nullable(CAUSE),
            "user": text(64, help="who gets the fax; empty: everyone"),
            "junk_rules": array(_JUDGED),
            "routes": array(_JUDGED, help="in the order in which they are looked at"),
        }
    ),
)
def try_call(call: Call) -> Answer:
    """Test which rules apply to a call.

    Uses the code that decides about real calls.  If the call would be refused, no route is examined.
    """
    query = call.query
    fax = TriedFax(
        *(query.get(name, "") for name in ("line", "dialled", "caller", "station_id", "sub_address"))
    )
    code = query.get("barcode", "")
    contents = Contents(query.get("words", ""), (code,) if code else ())
    tried = trial.try_call(call.box.settings, fax, query.get("caller_name", ""), contents)
    return Answer(
        {
            "refused": cause_view(tried.refused) if tried.refused is not None else None,
            "user": tried.user,
            "junk_rules": [_view(each) for each in tried.junk],
            "routes": [_view(each) for each in tried.routes],
        }
    )


def _view(judged: Judged[Any]) -> Json:
    return {
        "id": judged.id,
        "name": judged.rule.name,
        "fits": judged.why is Why.FITS,
        "why": judged.why.value,
        "sentence": said(trial.SENTENCES[judged.why]),
    }


def _add_order(kind: type[Any], path: str, name: str, title: str) -> None:
    """Adds the route that sets the order of a list."""

    @routes(
        "POST",
        f"/{path}/order",
        name=name,
        summary=f"The order in which {title} are looked at",
        tag=path,
        body=request_object(
            {"ids": array(integer(1), LIST_LIMIT, help="every one, the first first")}, required=("ids",)
        ),
        status=204,
    )
    def order(call: Call) -> Answer:
        wanted: list[int] = call.body["ids"]

        def revision(lists: Mapping[type[Any], Items]) -> None:
            items = lists[kind].items
            if sorted(wanted) != sorted(items):
                raise flaw("ids", said("each id is needed once"))
            # Counted from 0: entries added later have 100, and come last.
            for place, item_id in enumerate(wanted):
                items[item_id] = replace(items[item_id], position=place)

        call.box.settings.revise((kind,), revision)
        call.note(f"{path.removesuffix('s').replace('-', '_')}.order", detail=", ".join(map(str, wanted)))
        return Answer()


_add_order(DeliveryRoute, "routes", "orderRoutes", "rules for received faxes")
_add_order(LineSettings, "line-settings", "orderLines", "lines")
