"""``History``: events (live and stored), audit log, counts, and learned destinations."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from appliance.durable import DiskFullError
from appliance.services.rules import Clock
from appliance.spool import events, ledger, statistics, stats
from appliance.spool.errors import SpoolClosedError, SpoolFailedError
from appliance.spool.events import EventQueue
from appliance.spool.model import Event, TransientEvent
from appliance.spool.remembered import AuditEntry, Destination, Statistics
from appliance.spool.store import Spool

_log = logging.getLogger(__name__)

# The transient event on which a front panel flashes its lamps.
SHOW_ITSELF = "box.identify"


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of the faxes and deliveries in the journal."""

    ended: list[tuple[str, str, int]]  # state, cause code, how many
    received: list[tuple[str, int]]  # state, how many
    deliveries: list[tuple[str, str, int]]  # kind, state, how many
    sums: list[tuple[str, str, str, int]]  # one of ``stats.SUMS``, line, cause code, sum of all time


@dataclass(frozen=True, slots=True)
class History:
    """Reads events, audit log, counts and learned destinations; writes the audit log."""

    spool: Spool
    clock: Clock

    # -- events --------------------------------------------------------------------------------

    def listen(self) -> EventQueue:
        """Events and live progress from now on; use it in a ``with``."""
        return self.spool.hub.listen()

    def call(self, callback: Callable[[Event | TransientEvent], None]) -> None:
        """Calls ``callback`` for each event from now on, in the publishing thread: it must be quick."""
        self.spool.hub.call(callback)

    def since(self, event_id: int, owner: str | None = None, limit: int = 500) -> list[Event]:
        """Stored events after ``event_id``, oldest first."""
        return self.spool.read(events.since, event_id, owner=owner, limit=limit)

    def of_fax(self, fax_id: int) -> list[Event]:
        """Stored events of one fax, oldest first."""
        return self.spool.read(events.of_fax, fax_id)

    def last_id(self) -> int:
        """The id of the newest stored event, 0 when there is none."""
        return self.spool.read(events.last_id)

    # -- audit log -----------------------------------------------------------------------------

    def audit(self, who: str, action: str, *, object: str = "", address: str = "", detail: str = "") -> None:
        """Records who did what, from where.

        The action is already done: an entry that cannot be written (disk full) goes to the log instead, so
        that the client does not believe that the action was refused.
        """
        try:
            self.spool.do(
                ledger.audit, who, action, self.clock(), object=object, address=address, detail=detail
            )
        except (DiskFullError, SpoolFailedError) as error:
            _log.error("not in the audit log (%s): %s, %s %s %s", error, who, action, object, detail)

    def identify(self) -> None:
        """Makes the box's front panel flash its lamps, so that somebody can see which box this is."""
        self.spool.announce(self.clock(), SHOW_ITSELF, None, "", {})

    def audit_soon(self, who: str, action: str, *, object: str, address: str, detail: str) -> None:
        """Queues an entry of the audit log without waiting for the disk, for the event loop."""
        with contextlib.suppress(SpoolClosedError):
            self.spool.write(
                ledger.audit, who, action, self.clock(), object=object, address=address, detail=detail
            )

    def audit_log(self, *, who: str, before_id: int | None, limit: int) -> list[AuditEntry]:
        """Newest first."""
        return self.spool.read(ledger.audit_log, who=who, before_id=before_id, limit=limit)

    # -- figures and what was learned ----------------------------------------------------------

    def counts(self) -> Counts:
        """How many faxes and deliveries of each kind there are."""

        def read(db: sqlite3.Connection) -> Counts:
            return Counts(stats.ended(db), stats.received(db), stats.deliveries(db), stats.sums(db))

        return self.spool.read(read)

    def statistics(self, since: float, until: float) -> Statistics:
        """Sums over the faxes that ended from ``since`` until ``until`` (Unix times)."""
        return self.spool.read(statistics.statistics, since, until)

    def destinations(self, *, after: str, limit: int) -> list[Destination]:
        """Learned destinations in the order of their numbers, those after ``after``."""
        return self.spool.read(ledger.destinations, after=after, limit=limit)

    def destination(self, number: str) -> Destination | None:
        """What was learned about a number; None when nothing was."""
        return self.spool.read(ledger.destination, number)

    def forget_destination(self, number: str) -> bool:
        """Deletes what was learned about a number, quarantine included; False when there was nothing."""
        return self.spool.do(ledger.forget_destination, number)
