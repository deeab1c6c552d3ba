"""A state change among many jobs costs what it costs among a hundred; bench measures it at 100,000."""

from __future__ import annotations

import time
from pathlib import Path

from appliance.spool.store import Spool
from bench import spool_size

LARGE = 5000
# Steps of SQLite's machine are counted, not time: they are the same on every machine.  A B-tree of a few
# thousand rows is one level deeper, a scan would cost fifty times as many.
MOST = 1.2
_STEP = 10


def steps_of_one_fax(spool: Spool, number: str) -> int:
    """Instructions of SQLite's virtual machine, in tens, that a fax's way through the spool takes."""
    count = 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    with spool._reading():
        pass  # from here on there is a connection that is kept for reading
    counted = [spool._db, *spool._free_readers]
    for db in counted:
        db.set_progress_handler(tick, _STEP)
    spool_size.one_fax(spool, number, time.time())
    for db in counted:
        db.set_progress_handler(None, 0)
    return count


def test_a_fax_takes_as_many_steps_among_five_thousand_jobs_as_among_a_hundred(tmp_path: Path) -> None:
    counts = []
    for size in (spool_size.SMALL, LARGE):
        spool = Spool(tmp_path / str(size))
        try:
            spool_size.fill(spool, size)
            spool_size.one_fax(spool, "+49891", time.time())  # the reader's connection, the statements
            counts.append(steps_of_one_fax(spool, "+49892"))
        finally:
            spool.close()
    assert counts[1] <= MOST * counts[0]
