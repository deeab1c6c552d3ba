"""Random sequences of everything (seeded): no job is stuck, none collides, none is sent twice.

Two seeds always; thirty with FAXBOX_SWEEP=1.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
from collections import Counter
from pathlib import Path

import pytest

from appliance import causes
from appliance.lines.line import LineKind, OutgoingCall
from appliance.spool.errors import IllegalTransitionError
from appliance.spool.model import JobState, Priority
from appliance.spool.options import UnknownRule
from appliance.spool.settings import SendingSettings
from tests.dispatch.fake_line import End, FakeLine
from tests.dispatch.making import dispatching, ended, make_box, submit

SEEDS = range(30 if os.environ.get("FAXBOX_SWEEP") else 2)
JOBS = 60
NUMBERS = [f"+4930{number:04}" for number in range(25)]
TROUBLE = [cause for cause in causes.all_causes() if cause is not causes.DELIVERED]


@pytest.mark.parametrize("seed", SEEDS)
def test_under_random_failures_every_job_ends_and_none_is_sent_twice(
    tmp_path: Path, rendered: Path, seed: int
) -> None:
    chance = random.Random(seed)
    box = make_box(tmp_path / "data", rendered)
    box.settings.change(SendingSettings, {"quarantine_after": 0, "unknown_rule": "ask"})
    whole = Counter[str]()
    jobs_of = {}

    def confirmed(call: OutgoingCall, page: int, last: bool) -> None:
        whole[call.number] += last

    def end() -> End:
        page_s, mcf_s = chance.uniform(0, 0.01), chance.uniform(0, 0.01)
        if chance.random() < 0.5:
            return End(page_s=page_s, mcf_s=mcf_s)
        return End(chance.choice(TROUBLE), chance.randint(0, 2), page_s, raises=chance.random() < 0.1)

    lines = [
        FakeLine(name, kind, capacity=chance.randint(1, 3), default=end, confirmed=confirmed)
        for name, kind in (("a", LineKind.T38), ("b", LineKind.G711), ("c", LineKind.MODEM))
    ]

    async def meddle(made: list[int]) -> None:
        """Lines go down and up, owners cancel and hurry."""
        while True:
            await asyncio.sleep(chance.uniform(0.0, 0.05))
            chance.choice(lines).usable = chance.random() < 0.8
            act = chance.choice([box.faxes.cancel, box.faxes.retry, None])
            if act is not None:
                with contextlib.suppress(IllegalTransitionError):
                    await asyncio.to_thread(act, chance.choice(made))

    async def scenario() -> None:
        async with dispatching(box, *lines):
            made = []
            for _ in range(JOBS):
                number = chance.choice(NUMBERS)
                (job,) = submit(box, number, priority=chance.choice(list(Priority)))
                jobs_of.setdefault(number, []).append(job.id)
                made.append(job)
            meddler = asyncio.create_task(meddle([job.id for job in made]))
            await asyncio.sleep(3.0)
            meddler.cancel()
            for line in lines:
                line.usable = True
            await ended(box, *made)

    try:
        asyncio.run(scenario())
        assert sum(line.collisions for line in lines) == 0
        for number, job_ids in jobs_of.items():
            states = Counter(box.faxes.get(job_id).state for job_id in job_ids)
            # Confirmed exactly as often as we say, or cut off when we say that we do not know.
            sure = states[JobState.DELIVERED]
            assert sure <= whole[number] <= sure + states[JobState.UNKNOWN] + states[JobState.CANCELLED]
        for job_ids in jobs_of.values():
            for job_id in job_ids:
                job = box.faxes.get(job_id)
                assert all(attempt.ended_at is not None for attempt in box.faxes.attempts(job_id))
                if job.state is JobState.UNKNOWN:
                    settled = box.faxes.settle_unknown(job_id, UnknownRule.ASSUME_DELIVERED)
                    assert settled.state is JobState.DELIVERED
    finally:
        box.close()
