"""Received faxes whose routes depend on the content of their first page wait until that page was read."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from appliance.records import from_rows
from appliance.spool.errors import NotFoundError
from appliance.spool.model import Event, Received
from appliance.spool.received import get
from appliance.spool.transaction import Tx

# The event that ends the wait of a fax, and the name of its data: the routes that match the page.
_KIND, _ROUTES = "received.changed", "by_contents"
# Marks a waiting fax in its facts.
_WAITS = "waits_for_contents"


def wait(tx: Tx, received_id: int) -> None:
    """Makes a fax wait."""
    tx.db.execute(
        f"UPDATE received SET facts = json_set(facts, '$.{_WAITS}', json('true')) WHERE id = ?",
        (received_id,),
    )


def waiting(db: sqlite3.Connection) -> list[Received]:
    """The faxes that wait, the longest waiting first."""
    rows = db.execute(
        f"SELECT * FROM received WHERE json_extract(facts, '$.{_WAITS}') AND deleted_at IS NULL"
        " AND erased_at IS NULL ORDER BY id"
    )
    return from_rows(Received, rows)


def end_wait(tx: Tx, received_id: int, routes: Collection[int], now: float) -> None:
    """Ends the wait of a fax whose first page was read:  ``routes`` match it.  Does nothing when the fax is
    gone.

    Its deliveries follow from the event, in the same transaction, and only once.
    """
    try:
        fax = get(tx.db, received_id)
    except NotFoundError:
        return
    if not fax.facts.get(_WAITS):
        return
    tx.db.execute(
        f"UPDATE received SET facts = json_remove(facts, '$.{_WAITS}') WHERE id = ?", (received_id,)
    )
    tx.emit(now, _KIND, received_id, fax.owner, **{_ROUTES: sorted(routes)})


def matching_routes(event: Event) -> frozenset[int] | None:
    """The routes that match the page; None for any other event than the one that ends a wait."""
    if event.kind != _KIND or _ROUTES not in event.data:
        return None
    return frozenset(event.data[_ROUTES])
