"""``Outbox``: deliveries to make (webhooks, e-mails, folders), and those that follow from events."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from appliance.services.rules import Clock, require_owned
from appliance.spool import contents, jobs, outbox, received
from appliance.spool.delivery import Delivery, DeliveryFilter, DeliveryTry, NewDelivery
from appliance.spool.model import Event, Job, Received
from appliance.spool.store import Spool
from appliance.spool.transaction import Tx

# Failures of the disk, not of the plan: the end of the fax is written again, with its deliveries.
DiskError = sqlite3.Error


@dataclass(frozen=True, slots=True)
class Following:
    """The actions that may follow from ``event``, in the event's own transaction.

    They run in the spool's writer thread, so they must not wait or use files or the network.
    """

    event: Event
    _tx: Tx

    def job(self) -> Job:
        """The fax to send that the event is about.  Raises NotFoundError."""
        return jobs.get(self._tx.db, self.event.fax_id or 0)

    def received(self) -> Received:
        """The received fax that the event is about.  Raises NotFoundError."""
        return received.get(self._tx.db, self.event.fax_id or 0)

    def assign(self, fax: Received, owner: str) -> Received:
        """Assigns the received fax to a user."""
        return received.assign(self._tx, fax.id, owner, self.event.at)

    def keep_until(self, fax: Received, at: float) -> None:
        """Sets the Unix time at which the received fax is erased."""
        received.keep_until(self._tx, fax.id, at)

    def by_contents(self) -> frozenset[int] | None:
        """The routes that match the first page, if the event says that it was read; else None."""
        return contents.matching_routes(self.event)

    def wait_for_contents(self, fax: Received) -> None:
        """Makes the received fax wait for its routes until its first page was read."""
        contents.wait(self._tx, fax.id)

    def deliver(self, delivery: NewDelivery) -> None:
        """Puts a delivery in the outbox."""
        self._tx.deliver(delivery, self.event.at)


Follow = Callable[[Following], None]


@dataclass(frozen=True, slots=True)
class Outbox:
    """Reads and changes deliveries, and adds those that follow from an event in its transaction."""

    spool: Spool
    clock: Clock

    def follow(self, plan: Follow) -> None:
        """Sets the function that runs for each event from now on, in the event's own transaction.

        An exception of ``plan`` undoes the change that the event reports.
        """
        self.spool.follow(lambda tx, event: plan(Following(event, tx)))

    def put(self, delivery: NewDelivery) -> None:
        """Adds a delivery that does not follow from an event."""
        now = self.clock()
        self.spool.do(lambda tx: tx.deliver(delivery, now))

    def of_fax(self, fax_id: int) -> list[tuple[Delivery, list[DeliveryTry]]]:
        """All deliveries of one job or received fax, oldest first, with their tries."""

        return self.spool.read(lambda db: _with_tries(db, outbox.of_fax(db, fax_id)))

    def search(self, wanted: DeliveryFilter) -> list[tuple[Delivery, list[DeliveryTry]]]:
        """The deliveries that match, newest first, with their tries."""

        return self.spool.read(lambda db: _with_tries(db, outbox.search(db, wanted)))

    def with_tries(self, delivery_id: int, owner: str | None = None) -> tuple[Delivery, list[DeliveryTry]]:
        """A delivery, of ``owner`` unless that is None.  Raises NotFoundError."""

        (found,) = self.spool.read(lambda db: _with_tries(db, [outbox.get(db, delivery_id)]))
        require_owned(found[0], owner, "delivery")
        return found

    def again(self, delivery_id: int) -> None:
        """Makes a delivery due at once, in whatever state it is.  Raises NotFoundError."""
        self.spool.do(outbox.again, delivery_id, self.clock())

    def due(
        self, limit: int, *, not_ids: Collection[int] = (), not_targets: Collection[str] = ()
    ) -> list[Delivery]:
        """Pending deliveries that are due, the longest due first."""
        return self.spool.read(outbox.due, self.clock(), limit, not_ids=not_ids, not_targets=not_targets)

    def next_due_at(self) -> float | None:
        """Unix time of the next pending delivery after now; None without one."""
        return self.spool.read(outbox.next_due_at, self.clock())

    def pull_in(self) -> int:
        """After the clock was set back, makes deliveries due that would wait longer than their timetable
        allows.
        """
        return self.spool.do(outbox.pull_in, self.clock())

    def hand_over(self, delivery_id: int, times: int) -> None:
        """Records how often a delivery was handed to a program that makes it; before the program has it."""
        self.spool.do(outbox.hand_over, delivery_id, times)

    def succeeded(self, delivery_id: int, detail: str) -> None:
        """Records a try that succeeded: the delivery is done."""
        self.spool.do(outbox.succeeded, delivery_id, self.clock(), detail)

    def drop(self, delivery_id: int, reason: str) -> None:
        """Drops a delivery for ``reason`` (a sentence)."""
        self.spool.do(outbox.drop, delivery_id, self.clock(), reason)

    def failed(self, delivery_id: int, detail: str, *, final: bool) -> None:
        """Records a try that failed; ``final``: there is no further one."""
        self.spool.do(outbox.failed, delivery_id, self.clock(), detail, final=final)


def _with_tries(
    db: sqlite3.Connection, deliveries: Iterable[Delivery]
) -> list[tuple[Delivery, list[DeliveryTry]]]:
    return [(each, outbox.tries(db, each.id)) for each in deliveries]
