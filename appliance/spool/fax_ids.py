"""Ids of faxes: jobs and received faxes draw theirs from one sequence."""

from __future__ import annotations

from appliance.spool.transaction import Tx


def next_fax_id(tx: Tx, count: int = 1) -> int:
    """Draws ``count`` ids from the sequence of jobs and received faxes; returns the first."""
    row = tx.db.execute(
        "UPDATE sequence SET value = value + ? WHERE name = 'fax' RETURNING value", (count,)
    ).fetchone()
    return int(row[0]) - count + 1
