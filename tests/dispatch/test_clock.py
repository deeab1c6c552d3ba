"""The clock is set while the box runs, as on a board without one of its own when the network comes up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.box import Box
from appliance.causes import RECEIVED
from appliance.daemon.housekeeping import Housekeeping
from appliance.daemon.main import recover
from appliance.lines.causes import BUSY
from appliance.spool import bounds, decisions
from appliance.spool.model import DAY_S, JobState, ReceivedFilter, ReceivedState
from appliance.spool.settings import SendingSettings
from tests.dispatch.fake_line import End, FakeLine
from tests.dispatch.making import NUMBER, dispatching, ended, make_box, submit, until

YEAR_S = 365 * DAY_S


class SystemClock:
    """The system's clock, as all parts of the box see it."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


@pytest.fixture
def box(tmp_path: Path, rendered: Path) -> Iterator[Box]:
    box = make_box(tmp_path / "data", rendered, SystemClock())
    yield box
    box.close()


def set_clock(box: Box, by: float) -> None:
    assert isinstance(box.clock, SystemClock)
    box.clock.ahead_s += by


@pytest.mark.parametrize("by", [YEAR_S, -YEAR_S, DAY_S, -DAY_S])
def test_a_call_under_way_is_not_ended_by_the_clock(box: Box, by: float) -> None:
    async def scenario() -> None:
        line = FakeLine(scripts={NUMBER: [End(page_s=0.3)]})
        async with dispatching(box, line) as dispatcher:
            (job,) = submit(box)
            await until(lambda: box.faxes.get(job.id).state is JobState.SENDING)
            set_clock(box, by)
            dispatcher.wake()
            (job,) = await ended(box, job)
        assert (job.state, job.tries) == (JobState.DELIVERED, 1)

    asyncio.run(scenario())


@pytest.mark.parametrize("by", [YEAR_S, -YEAR_S, 3600.0, -3600.0])
def test_a_fax_that_waits_for_its_next_try_waits_as_long_as_it_was_to(box: Box, by: float) -> None:
    box.settings.change(SendingSettings, {"busy": [2.0] * 5})

    async def scenario() -> None:
        line = FakeLine(scripts={NUMBER: [End(BUSY, pages=0), End()]})
        async with dispatching(box, line) as dispatcher:
            (job,) = submit(box)
            await until(lambda: len(ends := box.faxes.attempts(job.id)) == 1 and ends[0].ended_at is not None)
            set_clock(box, by)
            dispatcher.wake()
            (job,) = await ended(box, job)
        assert job.state is JobState.DELIVERED
        first, second = box.faxes.attempts(job.id)
        assert 1.9 < second.started_at - first.started_at - by < 60.0

    asyncio.run(scenario())


@pytest.mark.parametrize("by", [YEAR_S, -YEAR_S, 3600.0, -3600.0])
def test_a_call_that_ends_just_after_the_clock_was_set_is_tried_again_as_if_it_had_not(
    box: Box, by: float
) -> None:
    box.settings.change(SendingSettings, {"busy": [2.0] * 5})

    async def scenario() -> None:
        line = FakeLine(scripts={NUMBER: [End(BUSY, pages=1, page_s=0.3), End()]})
        async with dispatching(box, line):
            (job,) = submit(box)
            await until(lambda: box.faxes.get(job.id).state is JobState.SENDING)
            set_clock(box, by)  # the end of the call is the first to hear of it
            (job,) = await ended(box, job)
        assert job.state is JobState.DELIVERED
        first, second = box.faxes.attempts(job.id)
        assert 1.9 < second.started_at - first.started_at - by < 60.0

    asyncio.run(scenario())


def test_a_time_that_a_person_named_is_kept_whatever_the_clock_was(box: Box) -> None:
    async def scenario() -> None:
        line = FakeLine()
        async with dispatching(box, line) as dispatcher:
            at = box.clock() + 3 * DAY_S
            (job,) = submit(box, scheduled_at=at)
            set_clock(box, -DAY_S)
            dispatcher.wake()
            await asyncio.sleep(0.1)
            assert box.faxes.get(job.id).next_try_at == at
            set_clock(box, 4 * DAY_S + 1)
            dispatcher.wake()
            (job,) = await ended(box, job)
        assert job.state is JobState.DELIVERED

    asyncio.run(scenario())


def test_what_is_handed_in_just_after_the_clock_was_set_back_is_sent_at_once(box: Box) -> None:
    async def scenario() -> None:
        async with dispatching(box, FakeLine()):
            await asyncio.sleep(0.05)  # in whatever the dispatcher does at its start
            set_clock(box, -YEAR_S)
            (job,) = await ended(box, *submit(box, lifetime_s=60.0))
        assert job.state is JobState.DELIVERED

    asyncio.run(scenario())


def test_a_round_that_began_before_the_clock_was_set_back_ends_nothing(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Handed in while the dispatcher reads what is overdue, by the time that it knew."""
    made = []

    async def scenario() -> None:
        read, between = box.spool.aread, 0

        async def aread(of: object, *given: object, **more: object) -> object:
            nonlocal between
            if of is bounds.overdue and not made:
                set_clock(box, -YEAR_S)
                made.extend(submit(box, lifetime_s=60.0))
                between += 1
            return await read(of, *given, **more)  # type: ignore[arg-type]

        async with dispatching(box, FakeLine()) as dispatcher:
            monkeypatch.setattr(box.spool, "aread", aread)
            dispatcher.wake()
            await until(lambda: bool(made))
            (job,) = await ended(box, *made)
        assert (job.state, between) == (JobState.DELIVERED, 1)

    asyncio.run(scenario())


def test_a_fax_that_comes_in_is_not_ended_by_the_clock(box: Box) -> None:
    async def scenario() -> None:
        line = FakeLine()

        def now() -> float:
            return box.clock()

        keeper = Housekeeping(box.spool, box.settings, box.guard, now)
        async with dispatching(box, line) as dispatcher:
            gone = asyncio.Event()

            def confirmed(page: int) -> None:
                if page == 0:
                    set_clock(box, YEAR_S)
                    dispatcher.wake()
                gone.set()

            call = asyncio.create_task(line.ring("1", 1, confirmed=confirmed))
            await gone.wait()
            await asyncio.sleep(0.1)
            await asyncio.to_thread(keeper.put_away)
            assert await call is RECEIVED
        (fax,) = box.inbox.search(ReceivedFilter())
        assert fax.state is ReceivedState.COMPLETE

    asyncio.run(scenario())


def test_after_a_start_with_a_clock_that_is_behind_a_fax_waits_no_longer_than_it_was_to(box: Box) -> None:
    (job,) = submit(box)
    (named,) = submit(box, scheduled_at=box.clock() + DAY_S)
    now = box.clock()
    box.spool.do(decisions.postpone, job.id, now + 60.0, now)
    set_clock(box, -YEAR_S)
    recover(box)
    assert box.faxes.get(job.id).next_try_at < box.clock() + 61.0
    assert box.faxes.get(job.id).expires_at > box.clock()
    assert box.faxes.get(named.id).next_try_at == named.next_try_at
