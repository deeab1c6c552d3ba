"""Sums over a period of the journal, for charts, made by the database without reading single faxes."""

from __future__ import annotations

import sqlite3

from appliance.spool.model import JobState
from appliance.spool.remembered import Slot, Statistics, Success

# Length of the slots that are summed, seconds: midnight of nearly every time zone is at the edge of one.
SLOT_S = 1800
# The most causes and destinations that are listed; the rest is in the sums.
MOST_NAMED = 10


# Faxes that ended and were not cancelled.
_ENDED = f"ended_at >= ? AND ended_at < ? AND state <> '{JobState.CANCELLED.value}'"
_DELIVERED = f"SUM(state = '{JobState.DELIVERED.value}')"


def statistics(db: sqlite3.Connection, since: float, until: float) -> Statistics:
    """Sums over the faxes that ended from ``since`` until ``until`` (Unix times)."""
    span = (since, until)
    sent = db.execute(
        f"""SELECT CAST(ended_at / {SLOT_S} AS INTEGER), COUNT(*), SUM(pages_confirmed), SUM(seconds_on_line)
        FROM job WHERE {_ENDED} AND state = '{JobState.DELIVERED.value}' GROUP BY 1 ORDER BY 1""",
        span,
    )
    received = db.execute(
        f"""SELECT CAST(started_at / {SLOT_S} AS INTEGER), COUNT(*), SUM(pages),
        SUM(COALESCE(ended_at, started_at) - started_at)
        FROM received WHERE started_at >= ? AND started_at < ? GROUP BY 1 ORDER BY 1""",
        span,
    )
    lines = db.execute(
        f"""SELECT line, COUNT(*), {_DELIVERED}, SUM(pages_confirmed) FROM job
        WHERE {_ENDED} AND line <> '' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_NAMED}""",
        span,
    )
    causes = db.execute(
        f"""SELECT cause, COUNT(*) FROM job WHERE {_ENDED} AND state <> '{JobState.DELIVERED.value}'
        GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_NAMED}""",
        span,
    )
    destinations = db.execute(
        f"""SELECT number, COUNT(*), {_DELIVERED}, SUM(pages_confirmed) FROM job
        WHERE {_ENDED} AND number <> '' GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_NAMED}""",
        span,
    )
    return Statistics(
        [Slot(row[0] * SLOT_S, row[1], row[2], row[3]) for row in sent],
        [Slot(row[0] * SLOT_S, row[1], row[2], row[3]) for row in received],
        [Success(row[0], row[1], row[2], row[3]) for row in lines],
        [(row[0], row[1]) for row in causes],
        [Success(row[0], row[1], row[2], row[3]) for row in destinations],
    )
