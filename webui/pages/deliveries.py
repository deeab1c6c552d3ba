"""Deliveries: the log with all tries, trying one again, tests of webhooks."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.api.causes import NOT_FOUND
from appliance.api.problems import ProblemError
from appliance.deliver.email_out import RECEIVED
from appliance.deliver.planner import DELIVERY_KINDS, FOLDER, PRINTER, REPORT
from appliance.deliver.settings import DeliveryRoute
from appliance.language import said as _
from appliance.settings.accounts import ApiKey
from appliance.spool.delivery import Delivery, DeliveryFilter, DeliveryTry, OutboxState
from appliance.url_passwords import masked
from webui.visit import Page, Response, Visit, with_query
from webui.wording import Badge, Chip

SHOWN = 50


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A row of the log.  ``next_at``: Unix time of the next try, None without one."""

    id: int
    kind: str
    target: str
    about: str
    about_path: str
    at: float
    state: Badge
    tries: list[DeliveryTry]
    next_at: float | None


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """An address to which a test can be sent: the field and the id that name it."""

    field: str
    id: int
    name: str
    url: str


def kind_word(kind: str) -> str:
    """A kind of delivery in words."""
    match kind:
        case "webhook":
            return _("Webhook")
        case "email":
            return _("E-mail")
        case "folder":
            return _("Folder")
        case "printer":
            return _("Printer")
    return kind


def _state(delivery: Delivery) -> Badge:
    match delivery.state:
        case OutboxState.DONE:
            return Badge(_("Done"), "✓", "good")
        case OutboxState.FAILED:
            return Badge(_("Given up"), "✕", "bad")
        case OutboxState.DROPPED:
            return Badge(_("Taken out"), "–", "plain")
    return Badge(_("Tries again"), "↻", "wait") if delivery.tries else Badge(_("Under way"), "…", "plain")


def told(detail: str) -> str:
    """What was noted of a try: sentences of ours in the reader's language, what follows them as it came."""
    sentence, end, rest = detail.partition(". ")
    shown = _(sentence + end.rstrip())
    if not end or shown == sentence + end.rstrip():
        return _(detail)
    return f"{shown} {told(rest)}"


def _row(delivery: Delivery, tries: list[DeliveryTry]) -> DeliveryRow:
    why = delivery.payload.get("why")
    came = (
        str(delivery.payload.get("event", "")).startswith("received")
        or why == RECEIVED
        or delivery.kind == FOLDER
        or (delivery.kind == PRINTER and why != REPORT)
    )
    about, path = "", ""
    if delivery.fax_id is not None:
        about = (_("Received fax {id}") if came else _("Fax {id}")).format(id=delivery.fax_id)
        path = f"/received/{delivery.fax_id}" if came else f"/faxes/{delivery.fax_id}"
    pending = delivery.state is OutboxState.PENDING
    return DeliveryRow(
        delivery.id,
        kind_word(delivery.kind),
        masked(delivery.target),
        about,
        path,
        delivery.created_at,
        _state(delivery),
        tries,
        delivery.next_try_at if pending and delivery.tries else None,
    )


def _testable(visit: Visit) -> list[WebhookTarget]:
    settings = visit.box.settings
    keys = [
        WebhookTarget("key_id", key_id, key.name, masked(key.webhook_url))
        for key_id, key in settings.items(ApiKey).items()
        if key.webhook_url
    ]
    routes = [
        WebhookTarget("route_id", route_id, route.name, masked(route.webhook_url))
        for route_id, route in settings.items(DeliveryRoute).items()
        if route.webhook_url
    ]
    return [*keys, *routes]


def _path(**asked: str | int) -> str:
    return with_query("/deliveries", asked)


def show(visit: Visit) -> Response:
    """The page of deliveries, newest first."""
    query = visit.query
    words = {
        "": _("All"),
        OutboxState.PENDING.value: _("On the way"),
        OutboxState.FAILED.value: _("Given up"),
        OutboxState.DONE.value: _("Done"),
    }
    state, kind = query.get("show", ""), query.get("kind", "")
    if state not in words or kind not in ("", *DELIVERY_KINDS):
        raise ProblemError(NOT_FOUND)
    wanted = DeliveryFilter(
        kind=kind,
        states=frozenset({OutboxState(state)}) if state else frozenset(),
        before_id=visit.before,
        limit=SHOWN,
    )
    rows = [_row(*each) for each in visit.box.outbox.search(wanted)]
    kinds = {"": _("Every kind"), **{each: kind_word(each) for each in DELIVERY_KINDS}}
    return visit.page(
        "deliveries.html",
        rows=rows,
        states=[Chip(_path(show=each, kind=kind), word, each == state) for each, word in words.items()],
        kinds=[Chip(_path(show=state, kind=each), word, each == kind) for each, word in kinds.items()],
        older=_path(show=state, kind=kind, before=rows[-1].id) if len(rows) == SHOWN else "",
        testable=_testable(visit),
        told=told,
    )


PAGES = (Page("/deliveries", show, scopes=("admin",)),)
