"""The log of deliveries: each delivery with its tries, trying one again, and a test of a webhook."""

from __future__ import annotations

from appliance.api.causes import NOT_FOUND
from appliance.api.problems import ProblemError
from appliance.api.rest.checking import flaw, require_url
from appliance.api.rest.queries import BEFORE, LIMIT, OWNER, asked_owner, page_of, part_of_list
from appliance.api.rest.routes import Answer, Call, Parameter, Routes
from appliance.api.rest.schemas import array, choice, component, flag, integer, record, request_object, text
from appliance.api.rest.views import DELIVERY, delivery_view, listing, values
from appliance.deliver.planner import DELIVERY_KINDS
from appliance.deliver.settings import DeliveryRoute
from appliance.services.causes import NOT_PERMITTED
from appliance.settings.accounts import ApiKey, Scope
from appliance.settings.fields import one_of
from appliance.spool.delivery import DeliveryFilter, OutboxState
from appliance.url_passwords import masked

TESTED = component(
    "WebhookTest",
    record(
        {
            "accepted": flag("the receiver answered 2xx"),
            "status": integer(100, 999, help="what it answered"),
            "said": text(5000, help="the beginning of its words"),
        }
    ),
)


def _sees(call: Call) -> str | None:
    """The owner whose deliveries the caller may see; None: all.  Raises ProblemError."""
    if not (call.caller.may(Scope.SEND) or call.caller.may(Scope.RECEIVE)):
        raise ProblemError(NOT_PERMITTED, "the scope send or receive is needed")
    return call.caller.sees


_SCOPE = "Needs the scope `send` or `receive`."
routes = Routes(tag="deliveries")


@routes(
    "GET",
    "/deliveries",
    query=(
        Parameter("kind", choice(*DELIVERY_KINDS), "only these"),
        Parameter("state", array(choice(*values(OutboxState)), 4), "in one of these states"),
        Parameter("fax", integer(1), "about this fax"),
        OWNER,
        BEFORE,
        LIMIT,
    ),
    answer=listing("deliveries", DELIVERY),
    help=_SCOPE,
)
def list_deliveries(call: Call) -> Answer:
    """List webhooks, e-mails and other deliveries with their attempts."""
    _sees(call)
    query = call.query
    wanted = DeliveryFilter(
        kind=query.get("kind", ""),
        owner=asked_owner(call),
        states=frozenset(OutboxState(word) for word in query.get("state", ())),
        fax_id=query.get("fax"),
        **part_of_list(call),
    )
    found = [delivery_view(*each) for each in call.box.outbox.search(wanted)]
    return page_of(call, "deliveries", found)


@routes("GET", "/deliveries/{id}", answer=DELIVERY, help=_SCOPE)
def read_delivery(call: Call) -> Answer:
    """Read a delivery."""
    return Answer(delivery_view(*call.box.outbox.with_tries(call.arguments["id"], _sees(call))))


@routes(
    "POST",
    "/deliveries/{id}/again",
    answer=DELIVERY,
    help=f"A webhook has the same `delivery` as before, and the fax as it is now. {_SCOPE}",
)
def repeat_delivery(call: Call) -> Answer:
    """Repeat a delivery now, whatever its result."""
    delivery, _ = call.box.outbox.with_tries(call.arguments["id"], _sees(call))
    call.box.outbox.again(delivery.id)
    call.note("delivery.again", object=f"delivery:{delivery.id}", detail=masked(delivery.target))
    return Answer(delivery_view(*call.box.outbox.with_tries(delivery.id)))


@routes(
    "POST",
    "/webhooks/test",
    body=request_object(
        {
            "url": text(2000, least=1, help="this address, signed with the box's secret"),
            "key_id": integer(1, help="that of a key, signed with the key's secret"),
            "route_id": integer(1, help="that of a route, signed with the box's secret"),
        }
    ),
    answer=TESTED,
    scope=Scope.ADMIN,
)
def test_webhook(call: Call) -> Answer:
    """Send a test to a webhook.

    One of `url`, `key_id`, `route_id`. It gets the event `test`, in the box's own style.
    """
    if len(call.body) != 1:
        raise flaw("", one_of(("url", "key_id", "route_id")))
    key = ""
    if "key_id" in call.body:
        found = call.item(ApiKey, "key", call.body["key_id"])
        url, key = found.webhook_url, found.name
    elif "route_id" in call.body:
        url = call.item(DeliveryRoute, "route", call.body["route_id"]).webhook_url
    else:
        url = call.body["url"]
        require_url(url, "url")
    if not url:
        raise ProblemError(NOT_FOUND, "it names no address")
    call.note("webhook.test", detail=masked(url))
    answer = call.context.core.deliveries.webhook.test(url, key)
    return Answer({"accepted": answer.accepted, "status": answer.status, "said": answer.answer})
