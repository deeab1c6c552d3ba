"""The state of the box: lines, destinations, audit log, the box itself."""

from __future__ import annotations

import platform
import sys
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.deliver.planner import PRINTER
from appliance.dispatch.profile import STEPS, Profile
from appliance.language import said as _
from appliance.lines.modem.settings import ClassOneModem
from appliance.lines.settings import LineSettings
from appliance.settings.units import GB
from appliance.spool.delivery import DeliveryFilter, DeliveryTry, OutboxState
from webui import audit_words
from webui.visit import Page, Response, Visit

if TYPE_CHECKING:
    from appliance.lines.modem.find import Candidate

AUDIT_SHOWN = 100
DESTINATIONS_SHOWN = 200
# Deliveries to printers that the page of the lines examines.
PRINTS_COUNTED = 500


@dataclass(frozen=True, slots=True)
class WaitingPrinter:
    """A printer that has not printed: its name in CUPS (empty: the default), why, and how many jobs wait."""

    name: str
    sentence: str
    waiting: int


def show_lines(visit: Visit) -> Response:
    """The page of lines, learned destinations, and printers and modems that are not set up."""
    ids = {line.name: line_id for line_id, line in visit.box.settings.items(LineSettings).items()}
    lines = [(report, ids.get(report.name)) for report in visit.box.lines()]
    now = visit.context.now()
    learned = []
    for entry in visit.box.history.destinations(after="", limit=DESTINATIONS_SHOWN):
        profile = Profile.load(entry.profile)
        step = _(STEPS[min(max(profile.step, 0), len(STEPS) - 1)].sentence)
        paused = entry.quarantined_until is not None and entry.quarantined_until > now
        learned.append((entry, profile, step, paused))
    return visit.page(
        "lines.html",
        lines=lines,
        learned=learned,
        printers=_waiting_printers(visit),
        modems=_free_modems(visit),
    )


def _free_modems(visit: Visit) -> list[Candidate]:
    """Modems that are plugged in and used by no line."""
    from appliance.lines.modem.find import candidates  # noqa: PLC0415 (pyserial: for pages about lines alone)

    settings = visit.box.settings.items(LineSettings).values()
    lines = [line for line in settings if isinstance(line, ClassOneModem)]
    taken = {Path(line.device).resolve() for line in lines if line.device}
    free = [each for each in candidates() if each.fit and Path(each.path).resolve() not in taken]
    # A line without a port of its own uses the first free one.
    return free[sum(not line.device for line in lines) :]


def _waiting_printers(visit: Visit) -> list[WaitingPrinter]:
    """Printers with waiting deliveries and what is wrong with them, by name."""
    wanted = DeliveryFilter(kind=PRINTER, states=frozenset({OutboxState.PENDING}), limit=PRINTS_COUNTED)
    last: dict[str, DeliveryTry] = {}
    waiting: Counter[str] = Counter()
    for delivery, tries in visit.box.outbox.search(wanted):
        if tries:
            waiting[delivery.target] += 1
            last[delivery.target] = max(
                last.get(delivery.target, tries[-1]), tries[-1], key=lambda each: each.at
            )
    return [WaitingPrinter(name, last[name].detail, count) for name, count in sorted(waiting.items())]


def show_audit(visit: Visit) -> Response:
    """The page of the audit log."""
    who = visit.query.get("who", "")[:200]
    entries = visit.box.history.audit_log(who=who, before_id=visit.before, limit=AUDIT_SHOWN)
    older = entries[-1].id if len(entries) == AUDIT_SHOWN else None
    return visit.page("audit.html", audit_words=audit_words, entries=entries, older=older, who=who)


def show_about(visit: Visit) -> Response:
    """The page with versions, licences and the state of the box."""
    health = visit.box.health()
    packages = sorted(
        {(each.metadata["Name"], each.version, _licence(each.metadata)) for each in distributions()},
        key=lambda row: row[0].lower(),
    )
    return visit.page(
        "about.html",
        health=health,
        free_gb=visit.writer().number(round(health.free_octets / GB, 1)),
        python=sys.version.split()[0],
        system=platform.platform(terse=True),
        packages=packages,
    )


def _licence(metadata: object) -> str:
    """The licence in a few words, if the package tells it."""
    get = metadata.get  # type: ignore[attr-defined]
    text = str(get("License-Expression") or get("License") or "")
    if not text or len(text) > 60:
        classified = [str(value) for name, value in metadata.items() if name == "Classifier"]  # type: ignore[attr-defined]
        text = next((each.rpartition(" :: ")[2] for each in classified if each.startswith("License")), "")
    return text


PAGES = (
    Page("/lines", show_lines, scopes=("admin",)),
    Page("/audit", show_audit, scopes=("admin",)),
    Page("/about", show_about),
)
