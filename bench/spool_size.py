"""The cost of a state change in a spool of a hundred jobs and in one of a hundred thousand.

The same work is done in both in turn, so that other load on the machine affects both equally: a fax is
accepted, prepared, found due, called, confirmed, and ends; each step is a durable transaction.
"""

from __future__ import annotations

import random
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from appliance.causes import DELIVERED
from appliance.spool import accepting, attempts, decisions, documents, preparing, queues
from appliance.spool.attempts import Outcome
from appliance.spool.model import JobState, NewSubmission, Reach, Recipient
from appliance.spool.store import Spool
from appliance.spool.transaction import Tx

SMALL, LARGE = 100, 100_000
# Faxes that are timed in each spool, and faxes in each turn.
FAXES = 300
TURN = 10
# Jobs that one transaction adds when a spool is filled.
_FILL = 1000
# Share of the jobs of a filled spool that still wait for their time; the others have ended.
WAITING_SHARE = 0.02
DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Median seconds of one fax from acceptance to end; ``ratio``: the large spool's to the other's."""

    small_s: float
    large_s: float
    cpu_ratio: float  # the same of processor time: a slow disk cannot hide a slow query

    @property
    def ratio(self) -> float:
        return self.large_s / self.small_s


def measure(scratch: Path, large: int = LARGE, faxes: int = FAXES) -> Cost:
    """Fills two spools and sends ``faxes`` faxes through each."""
    spools = []
    for count in (SMALL, large):
        spool = Spool(scratch / f"spool-{count}")
        fill(spool, count)
        spools.append(spool)
    wall: list[list[float]] = [[], []]
    cpu: list[list[float]] = [[], []]
    try:
        for turn in range(faxes // TURN + 1):
            for which, spool in enumerate(spools):
                begun, used = time.perf_counter(), time.process_time()
                for fax in range(TURN):
                    one_fax(spool, f"+4989{turn:04}{fax:03}", time.time())
                if turn:  # the first warms the caches
                    wall[which].append((time.perf_counter() - begun) / TURN)
                    cpu[which].append((time.process_time() - used) / TURN)
    finally:
        for spool in spools:
            spool.close()
    small_s, large_s = (statistics.median(times) for times in wall)
    return Cost(small_s, large_s, statistics.median(cpu[1]) / statistics.median(cpu[0]))


def one_fax(spool: Spool, number: str, now: float) -> None:
    """Takes a fax from acceptance to end, with the transactions that a box makes for it."""
    document = spool.do(documents.create, "ada", (), now, name="a.pdf")
    accepted = spool.do(accepting.accept, _new(number, document.id), now)
    (job_id,) = accepted.job_ids
    spool.do(preparing.prepared, [job_id], "rendered/none", 1, now)
    assert any(job.id == job_id for job in spool.read(queues.due, now, 64))
    spool.read(queues.next_due_at, now)
    attempt = spool.do(attempts.begin, job_id, now, line="trunk", line_kind="t38", first_page=0)
    spool.do(attempts.last_page_out, attempt.id, now)
    spool.do(attempts.confirm_pages, attempt.id, 1, now)
    spool.do(attempts.end, attempt.id, Outcome(DELIVERED, JobState.DELIVERED), now)


def fill(spool: Spool, count: int) -> None:
    """Adds ``count`` faxes of the last month to a spool."""
    chance = random.Random(count)
    now = time.time()
    document = spool.do(documents.create, "ada", (), now, name="a.pdf")

    def some(tx: Tx, first: int, number: int) -> None:
        for each in range(first, first + number):
            at = now - 30 * DAY_S * (1 - each / count)
            waits = chance.random() < WAITING_SHARE
            (job_id,) = accepting.accept(tx, _new(f"+4930{each:07}", document.id), at).job_ids
            preparing.prepared(tx, [job_id], f"rendered/{job_id}", 1, at)
            if waits:
                decisions.reschedule(tx, job_id, now + DAY_S * (1 + chance.random()), at)
                continue
            attempt = attempts.begin(tx, job_id, at, line="trunk", line_kind="t38", first_page=0)
            attempts.confirm_pages(tx, attempt.id, 1, at)
            attempts.end(tx, attempt.id, Outcome(DELIVERED, JobState.DELIVERED), at)

    for first in range(0, count, _FILL):
        spool.do(some, first, min(_FILL, count - first))


def _new(number: str, document_id: int) -> NewSubmission:
    return NewSubmission(
        owner="ada",
        recipients=(Recipient(number=number, given=number, name="", reach=Reach.DOMESTIC),),
        document_id=document_id,
        lifetime_s=40 * DAY_S,
    )
