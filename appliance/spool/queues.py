"""The queues of waiting jobs: which are due, and when the next one will be."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from appliance.spool import jobs
from appliance.spool.model import Job, Priority

# The two queues of WAITING jobs: for the practice line, and others.  The index is named because SQLite's
# planner has no statistics and would choose another.
_QUEUES = {
    False: "INDEXED BY job_due WHERE state = 'waiting' AND reach <> 'practice'",
    True: "INDEXED BY job_due_practice WHERE state = 'waiting' AND reach = 'practice'",
}


def due(
    db: sqlite3.Connection,
    now: float,
    limit: int,
    busy_numbers: Collection[str] = (),
    *,
    practice: bool = False,
) -> list[Job]:
    """WAITING jobs that are due, by priority, then time; one for each number at most.

    ``busy_numbers`` are left out: calls to them are under way.  ``practice``: those for the practice line
    (which takes several calls for one number); otherwise all others.
    """
    found: list[Job] = []
    seen = set(busy_numbers)
    for priority in Priority:
        rows = db.execute(
            f"SELECT id, number FROM job {_QUEUES[practice]} AND priority = ? AND next_try_at <= ?"
            " ORDER BY next_try_at, id",
            (priority.value, now),
        )
        for row in rows:
            if not practice and row["number"] in seen:
                continue
            seen.add(row["number"])
            found.append(jobs.get(db, row["id"]))
            if len(found) >= limit:
                return found
    return found


def next_due_at(db: sqlite3.Connection, after: float) -> float | None:
    """When the next WAITING job becomes due or the next bound is reached, after ``after``."""
    moments = [db.execute("SELECT MIN(deadline) FROM job WHERE deadline IS NOT NULL").fetchone()[0]]
    for queue in _QUEUES.values():
        for priority in Priority:
            row = db.execute(
                f"SELECT next_try_at FROM job {queue} AND priority = ? AND next_try_at > ?"
                " ORDER BY next_try_at LIMIT 1",
                (priority.value, after),
            ).fetchone()
            moments.append(row[0] if row is not None else None)
    return min((moment for moment in moments if moment is not None), default=None)
