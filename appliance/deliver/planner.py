"""Decides which deliveries a fax's events cause, and puts them in the outbox within the event's transaction.

Runs in the spool's writer thread: it reads settings and the fax's row, and writes outbox rows; no files, no
network.  A row names only the fax and the way; the text is written when it is delivered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.box import Box
from appliance.deliver import routing
from appliance.deliver.email_out import RECEIVED, RESULT
from appliance.deliver.entitled import OF_KEY, OF_USER, active_user, hears_of
from appliance.deliver.settings import (
    DeliveryRoute,
    DeliverySettings,
    MailOutSettings,
    PaperSettings,
    Results,
)
from appliance.deliver.styles import OWN
from appliance.deliver.webhook import ENDS, EVENTS
from appliance.services.outbox import DiskError, Following
from appliance.settings.accounts import ApiKey
from appliance.spool.delivery import NewDelivery
from appliance.spool.model import DAY_S, Event, Job, Received

_log = logging.getLogger(__name__)

WEBHOOK = "webhook"
EMAIL = "email"
FOLDER = "folder"
PRINTER = "printer"
DELIVERY_KINDS = (WEBHOOK, EMAIL, FOLDER, PRINTER)
# The reason for printing something that is no received fax.
REPORT = "report"
# The door whose senders are answered by e-mail.
EMAIL_ORIGIN = "email"
REPLY_TO = "email_reply_to"

_JOB_ENDS = frozenset(kind for kind in ENDS if kind.startswith("job."))
_JOB_HELD = "job.held"
_JOB_PAGE = "job.page"
# A document that was printed or scanned without a number: its owner is told that it waits.
_JOB_NEEDS_NUMBER = "job.needs_number"
_FROM_PAPER = frozenset({"print", "scan"})
_BAD_ENDS = frozenset(
    {"job.failed", "job.unknown", _JOB_HELD, _JOB_NEEDS_NUMBER}
)  # and the events at which a fax waits for a person
# Told only to programs that chose them; the kinds above may be among them.
_PROGRESS = frozenset(kind for kind in EVENTS if kind not in ENDS)
_RECEIVED_ENDS = ENDS - _JOB_ENDS


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A delivery that is not yet scheduled."""

    kind: str
    target: str
    facts: dict[str, Any]


class Planner:
    """Plans the deliveries of each event; a ``Follow`` of the outbox."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def __call__(self, following: Following) -> None:
        plan: Callable[[Following], None]
        event = following.event
        if event.kind in _JOB_ENDS:
            plan = self._job_ended
        elif event.kind == _JOB_HELD:
            plan = self._job_held
        elif event.kind == _JOB_NEEDS_NUMBER:
            plan = self._job_needs_number
        elif event.kind in _RECEIVED_ENDS or following.by_contents() is not None:
            plan = self._received
        elif event.kind in _PROGRESS:
            plan = self._progress
        else:
            return
        try:
            plan(following)
        except DiskError:
            raise  # the disk: the transaction is written again, with its deliveries
        except Exception:  # a bug must not undo the fax's own record
            _log.exception("the deliveries of %s for fax %s could not be planned", event.kind, event.fax_id)

    # -- jobs ----------------------------------------------------------------------------------

    def _job_held(self, following: Following) -> None:
        """A fax is held because part of its document is lost: its sender is told."""
        job = following.job()
        wanted = self._webhooks(job, following.event)
        if job.remarks:
            wanted += self._results(job, following.event.kind)
        self._put(following, job, wanted)

    def _job_needs_number(self, following: Following) -> None:
        job = following.job()
        if job.origin in _FROM_PAPER:
            self._put(following, job, self._results(job, following.event.kind))

    def _job_ended(self, following: Following) -> None:
        job = following.job()
        wanted = self._webhooks(job, following.event) + self._results(job, following.event.kind)
        paper = self._box.settings.section(PaperSettings)
        if _is_told(paper.reports, following.event.kind):
            wanted.append(_Wanted(PRINTER, paper.reports_printer, {"why": REPORT}))
        self._put(following, job, wanted)

    def _progress(self, following: Following) -> None:
        job = following.job()
        self._put(following, job, self._webhooks(job, following.event))

    def _webhooks(self, job: Job, event: Event) -> list[_Wanted]:
        """The webhooks that are told of this event of a job."""
        wanted: list[_Wanted] = []
        page = event.data["confirmed"] if event.kind == _JOB_PAGE else None
        if job.callback_url and _chosen(event.kind, job.options.callback_events):
            pdf = job.options.callback_pdf
            wanted.append(_webhook(job.callback_url, job.origin, pdf=pdf, page=page, signed_for=job.key))
        wanted += [
            _webhook_of(key, key.webhook_style or job.origin, page=page)
            for key in self._keys(event.kind)
            if key.name == job.key
        ]
        return wanted

    def _results(self, job: Job, kind: str) -> list[_Wanted]:
        """The e-mails that tell how a job ended."""
        mail = self._box.settings.section(MailOutSettings)
        if not mail.server:
            return []
        reply_to = str(job.metadata.get(REPLY_TO, "")) if job.origin == EMAIL_ORIGIN else ""
        if reply_to:
            return [_Wanted(EMAIL, reply_to, {"why": RESULT})]
        if not _is_told(mail.results, kind):
            return []
        return self._to_user(job.owner, RESULT)

    def _to_user(self, name: str, why: str) -> list[_Wanted]:
        """The e-mail to this user, if there is one and has an address."""
        return [
            _Wanted(EMAIL, user.email, {"why": why, OF_USER: name})
            for user in (active_user(self._box.settings, name),)
            if user is not None and user.email
        ]

    # -- received faxes ------------------------------------------------------------------------

    def _received(self, following: Following) -> None:
        fax = following.received()
        if not fax.pages:
            return  # a call without a page
        routes = self._box.settings.items(DeliveryRoute)
        by_contents = following.by_contents()
        if by_contents is None and routing.waits_for_contents(fax, routes):
            following.wait_for_contents(fax)
            return  # the rest follows once its first page was read
        taken = routing.routes_of(fax, routes, by_contents or ())
        fax = self._placed(following, fax, taken)
        kind = _event_of(fax)
        wanted = [_webhook(r.webhook_url, r.webhook_style, pdf=r.webhook_pdf) for r in taken if r.webhook_url]
        wanted += [
            _webhook_of(key, key.webhook_style or OWN)
            for key in self._keys(kind)
            if fax.owner in ("", key.account)
        ]
        wanted += self._emails(fax, taken)
        wanted += [_Wanted(FOLDER, route.folder, {}) for route in taken if route.folder]
        wanted += [_Wanted(PRINTER, route.printer, {}) for route in taken if route.printer]
        self._put(following, fax, wanted, kind)

    def _placed(self, following: Following, fax: Received, taken: Sequence[DeliveryRoute]) -> Received:
        """The fax with the owner that its routes give it, and kept for the time set there."""
        owner = next((route.user for route in taken if route.user), fax.owner)
        if owner != fax.owner:
            fax = following.assign(fax, owner)
        user = active_user(self._box.settings, fax.owner)
        days = [each.keep_days for each in (*taken, user) if each is not None and each.keep_days]
        if days:
            following.keep_until(fax, following.event.at + min(days) * DAY_S)
        return fax

    def _emails(self, fax: Received, taken: Sequence[DeliveryRoute]) -> list[_Wanted]:
        """To the addresses of its routes and to its owner; without any, to those of the settings."""
        emails = [_Wanted(EMAIL, address, {"why": RECEIVED}) for route in taken for address in route.emails]
        mail = self._box.settings.section(MailOutSettings)
        if not mail.server:
            return emails
        emails += self._to_user(fax.owner, RECEIVED)
        if taken or emails:
            return emails
        return [_Wanted(EMAIL, address, {"why": RECEIVED}) for address in mail.received_to]

    # -- internals -----------------------------------------------------------------------------

    def _put(
        self, following: Following, fax: Job | Received, wanted: Iterable[_Wanted], kind: str = ""
    ) -> None:
        """One outbox row for each target, whatever the number of reasons.  ``kind``: the event told."""
        event, settings = following.event, self._box.settings.section(DeliverySettings)
        seen: set[tuple[str, str]] = set()
        for each in wanted:
            if (each.kind, each.target) in seen:
                continue
            seen.add((each.kind, each.target))
            following.deliver(
                NewDelivery(
                    kind=each.kind,
                    target=each.target,
                    fax_id=fax.id,
                    owner=fax.owner,
                    payload={"event": kind or event.kind, "at": event.at, **each.facts},
                    timetable=settings.waits(each.kind),
                )
            )

    def _keys(self, kind: str) -> list[ApiKey]:
        """The keys whose webhooks tell of events of this kind."""
        store = self._box.settings
        return [
            key
            for key in store.items(ApiKey).values()
            if key.webhook_url
            and _chosen(kind, [event.value for event in key.webhook_events])
            and hears_of(store, key, kind)
        ]


def _event_of(fax: Received) -> str:
    """The event with which a received fax ended, whenever its routes become known."""
    return f"received.{fax.state.value}"


def _is_told(results: Results, kind: str) -> bool:
    """Whether a person who wants to hear of ``results`` is told of an end of this kind."""
    return results is Results.ALWAYS or (results is Results.FAILED and kind in _BAD_ENDS)


def _chosen(kind: str, names: Sequence[str]) -> bool:
    """Whether an event is told to a program that chose ``names``; without a choice it hears of ends."""
    return EVENTS[kind].removeprefix("fax.") in names if names else kind in ENDS


def _webhook(
    url: str, style: str, *, pdf: bool, page: int | None = None, signed_for: str = "", of_key: bool = False
) -> _Wanted:
    """A webhook, signed with the secret of the key ``signed_for``; ``of_key``: it is that key's own."""
    facts: dict[str, Any] = {"style": style, "key": signed_for, "pdf": pdf}
    if page is not None:
        facts["page"] = page
    if of_key:
        facts[OF_KEY] = signed_for
    return _Wanted(WEBHOOK, url, facts)


def _webhook_of(key: ApiKey, style: str, *, page: int | None = None) -> _Wanted:
    return _webhook(key.webhook_url, style, pdf=key.webhook_pdf, page=page, signed_for=key.name, of_key=True)
