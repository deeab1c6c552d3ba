"""Received faxes whose routes depend on what is on their first page wait until that was looked into."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from appliance.records import from_row
from appliance.spool.errors import NotFoundError
from appliance.spool.model import Event, Received
from appliance.spool.received import get
from appliance.spool.transaction import Tx

# The event by which a waiting fax goes on, and where it says which routes fit by what is on the page.
_KIND, _ROUTES = "received.changed", "by_contents"
# In the facts of a fax that waits.
_WAITS = "waits_for_contents"


def wait(tx: Tx, received_id: int) -> None:
    """The fax waits from now on."""
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
    return [from_row(Received, row) for row in rows]


def known(tx: Tx, received_id: int, routes: Collection[int], now: float) -> None:
    """The first page of a waiting fax was looked into: these routes fit by it.  Silently when it is gone.

    Its deliveries follow from the event, in the same transaction, and never a second time.
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


def fitting(event: Event) -> frozenset[int] | None:
    """The routes that fit by what is on the page; None unless this is the event by which a fax goes on."""
    if event.kind != _KIND or _ROUTES not in event.data:
        return None
    return frozenset(event.data[_ROUTES])
