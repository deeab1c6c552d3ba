"""Statistics of the last days, from which the charts of the web pages are drawn."""

from __future__ import annotations

from appliance.api import statistics
from appliance.api.rest.routes import Answer, Call, Parameter, Routes
from appliance.api.rest.schemas import Json, array, component, integer, number, record, text
from appliance.api.statistics import DAYS_MOST, HOURS, Sum
from appliance.settings.accounts import Scope
from appliance.spool.remembered import Success

DAYS_DEFAULT = 30

_SUM = record(
    {"faxes": integer(), "pages": integer(), "seconds": number(help="on the line")},
)
_BY = {"sent": _SUM, "received": _SUM}
_SUCCESS = record(
    {"name": text(64), "faxes": integer(help="that ended, cancelled ones apart"), "delivered": integer()}
)
STATISTICS = component(
    "Statistics",
    record(
        {
            "days": array(record({"day": text(10, help="such as 2030-01-31"), **_BY}), DAYS_MOST),
            "hours": array(record({"hour": integer(0, HOURS - 1), **_BY}), HOURS),
            "lines": array(_SUCCESS, help="those with the most faxes; a fax counts for its last line"),
            "destinations": array(_SUCCESS, help="numbers with the most faxes"),
            "causes": array(record({"code": text(64), "faxes": integer()}), help="why faxes did not arrive"),
        }
    ),
)


def _sum(found: Sum) -> Json:
    return {"faxes": found.faxes, "pages": found.pages, "seconds": round(found.seconds, 1)}


def _success(found: Success) -> Json:
    return {"name": found.name, "faxes": found.faxes, "delivered": found.delivered}


routes = Routes(tag="system", scope=Scope.ADMIN)


@routes(
    "GET",
    "/statistics",
    query=(Parameter("days", integer(1, DAYS_MOST), f"so many days, today included; {DAYS_DEFAULT}"),),
    answer=STATISTICS,
)
def read_statistics(call: Call) -> Answer:
    """Read faxes, pages and time on the line of the last days.

    By day and hour of the box's own clock. Faxes to send count when they have ended.
    """
    found = statistics.daily_statistics(call.box, call.query.get("days", DAYS_DEFAULT), call.context.now())
    return Answer(
        {
            "days": [
                {"day": day.isoformat(), "sent": _sum(sent), "received": _sum(received)}
                for day, (sent, received) in found.days.items()
            ],
            "hours": [
                {"hour": hour, "sent": _sum(sent), "received": _sum(received)}
                for hour, (sent, received) in enumerate(found.hours)
            ],
            "lines": [_success(each) for each in found.sums.lines],
            "destinations": [_success(each) for each in found.sums.destinations],
            "causes": [{"code": code, "faxes": count} for code, count in found.sums.causes],
        }
    )
