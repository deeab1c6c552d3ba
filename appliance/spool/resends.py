"""Jobs that resend another one."""

from __future__ import annotations

import sqlite3

from appliance.spool import jobs
from appliance.spool.model import Job


def resends(db: sqlite3.Connection, job_id: int) -> list[Job]:
    """The resends of ``job_id``, first to last."""
    rows = db.execute("SELECT id FROM job WHERE resent_from = ? ORDER BY id", (job_id,)).fetchall()
    return [jobs.get(db, row["id"]) for row in rows]
