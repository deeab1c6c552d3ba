"""The cost of a state change does not depend on the number of jobs; bench measures it at 100,000."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.spool import accepting, documents, jobs
from appliance.spool.filters import JobFilter
from appliance.spool.model import JobState
from appliance.spool.store import Spool
from bench import spool_size

LARGE = 5000
# Steps of SQLite's machine are counted, not time: they are the same on every machine.  A B-tree of a few
# thousand rows is one level deeper, a scan would cost fifty times as many.
MOST = 1.2
_STEP = 10
# The rows about a moment, in tens of instructions.
ABOUT_STEPS = 1200


@pytest.fixture(scope="module")
def spools(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Spool]]:
    """A small and a large one."""
    made = {size: Spool(tmp_path_factory.mktemp("spools") / str(size)) for size in (spool_size.SMALL, LARGE)}
    for size, spool in made.items():
        spool_size.fill(spool, size)
    yield made
    for spool in made.values():
        spool.close()


def steps(spool: Spool, work: Callable[[], object]) -> int:
    """Instructions of SQLite's virtual machine, in tens, that this takes."""
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
    work()
    for db in counted:
        db.set_progress_handler(None, 0)
    return count


def test_a_fax_takes_as_many_steps_among_five_thousand_jobs_as_among_a_hundred(
    spools: dict[int, Spool],
) -> None:
    counts = {}
    for size, spool in spools.items():
        spool_size.one_fax(spool, "+49891", time.time())  # the reader's connection, the statements
        counts[size] = steps(spool, lambda spool=spool: spool_size.one_fax(spool, "+49892", time.time()))
    assert counts[LARGE] <= MOST * counts[spool_size.SMALL]


@pytest.mark.parametrize(
    "wanted",
    [
        JobFilter(states=frozenset({JobState.DELIVERED})),
        JobFilter(states=frozenset({JobState.DELIVERED, JobState.FAILED})),
        JobFilter(states=frozenset(state for state in JobState if state.ended)),
        JobFilter(owner="ada", states=frozenset({JobState.DELIVERED, JobState.CANCELLED})),
        JobFilter(owner="nobody", states=frozenset({JobState.DELIVERED, JobState.CANCELLED})),
        JobFilter(owner="ada", states=frozenset({JobState.CANCELLED})),
    ],
    ids=["one state", "two states", "all that ended", "of an owner", "of another owner", "of none of theirs"],
)
def test_the_newest_faxes_in_these_states_are_found_without_going_through_all(
    spools: dict[int, Spool], wanted: JobFilter
) -> None:
    counts = {
        size: steps(spool, lambda spool=spool: spool.read(jobs.search, wanted))
        for size, spool in spools.items()
    }
    assert counts[LARGE] <= MOST * counts[spool_size.SMALL] + 1


@pytest.mark.parametrize("limit", [1, 7, 50])
def test_they_are_the_newest_in_these_states_and_in_order(spools: dict[int, Spool], limit: int) -> None:
    spool = spools[LARGE]
    everything = spool.read(jobs.search, JobFilter(limit=500))
    states = frozenset({JobState.DELIVERED, JobState.WAITING, JobState.FAILED})
    for before in (None, everything[100].id):
        for some in (states, states - {JobState.DELIVERED}):
            wanted = [job.id for job in everything if job.state in some and job.id < (before or 1 << 60)]
            found = spool.read(
                jobs.search, JobFilter(owner="ada", states=some, before_id=before, limit=limit)
            )
            newest = wanted[:limit]  # as far as the newest of all reach
            assert [job.id for job in found][: len(newest)] == newest
            assert len(found) == limit


@pytest.mark.parametrize(
    "wanted",
    [
        JobFilter(since=time.time() - 3600),
        JobFilter(since=time.time() + 3600),
        JobFilter(since=time.time() - 20 * spool_size.DAY_S, until=time.time() - 19.9 * spool_size.DAY_S),
        JobFilter(owner="ada", since=time.time() - 3600),
        JobFilter(origin="print"),
        JobFilter(owner="ada", origin="print"),
        JobFilter(origin="print", states=frozenset({JobState.DELIVERED})),
    ],
    ids=[
        "last hour",
        "none yet",
        "a few hours once",
        "an owner's last hour",
        "origin",
        "owner's",
        "delivered",
    ],
)
def test_faxes_of_a_time_or_an_origin_are_found_without_going_through_all(
    spools: dict[int, Spool], wanted: JobFilter
) -> None:
    """What is found is few; the rows that lie about a moment are looked at, however many faxes there are."""
    counts = {
        size: steps(spool, lambda spool=spool: spool.read(jobs.search, wanted))
        for size, spool in spools.items()
    }
    assert counts[LARGE] - counts[spool_size.SMALL] < ABOUT_STEPS
    since, until = wanted.since or 0.0, wanted.until or math.inf
    for job in spools[LARGE].read(jobs.search, wanted):
        assert since <= job.created_at < until


def test_a_time_finds_what_was_handed_in_when_the_clock_was_set_back_between(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    document = spool.do(documents.create, "ada", (), 100.0, name="a.pdf")
    made = [
        spool.do(accepting.accept, spool_size._new("+4930", document.id), at).job_ids[0]
        for at in (100.0, 200.0, 150.0, 300.0, 250.0)
    ]

    def found(**moments: float) -> list[int]:
        return [job.id for job in spool.read(jobs.search, JobFilter(**moments))]  # type: ignore[arg-type]

    assert found(since=160.0) == [made[4], made[3], made[1]]
    assert found(until=160.0) == [made[2], made[0]]
    assert found(since=150.0, until=260.0) == [made[4], made[2], made[1]]
    assert found(since=400.0) == found(until=50.0) == []
    spool.close()


def test_one_letter_alone_is_looked_for_among_the_newest_alone(
    spools: dict[int, Spool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.spool.words.ONE_LETTER_REACH", 50)
    counts = {
        size: steps(spool, lambda spool=spool: spool.read(jobs.search, JobFilter(text="q")))
        for size, spool in spools.items()
    }
    assert counts[LARGE] <= MOST * counts[spool_size.SMALL] + 1
    newest = spools[LARGE].read(jobs.search, JobFilter(limit=1))[0]
    found = spools[LARGE].read(jobs.search, JobFilter(text="4", limit=500))
    assert newest.id in {job.id for job in found}
    assert all(job.id >= newest.id - 50 for job in found)
