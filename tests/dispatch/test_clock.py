"""The clock is set while the box runs, as on a board without a clock battery."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.box import Box
from appliance.causes import RECEIVED
from appliance.daemon.main import recover
from appliance.dispatch.causes import DAILY_LIMIT
from appliance.dispatch.clock import JobClock
from appliance.lines.causes import BUSY
from appliance.numbers import NumberSettings
from appliance.services.faxes import Request
from appliance.services.rules import RefusedError, To
from appliance.settings import secrets
from appliance.settings.accounts import User, UserRole
from appliance.spool import bounds, decisions, events, preparing
from appliance.spool.causes import CLOCK_DOUBTED
from appliance.spool.filters import ReceivedFilter
from appliance.spool.model import DAY_S, Job, JobState, ReceivedState
from appliance.spool.settings import SendingSettings
from tests.daemon.keeping import keeper_of
from tests.dispatch.fake_line import End, FakeLine
from tests.dispatch.making import COMMON, NUMBER, PAGES, dispatching, ended, make_box, submit, until

YEAR_S = 365 * DAY_S


class SystemClock:
    """The system's clock, as all parts of the box see it."""

    def __init__(self, ahead_s: float = 0.0) -> None:
        self.ahead_s = ahead_s

    def __call__(self) -> float:
        return time.time() + self.ahead_s


@dataclass
class TimeServer:
    """Whether one keeps the clock, as the kernel would say."""

    there: bool = False


@pytest.fixture
def time_server(monkeypatch: pytest.MonkeyPatch) -> TimeServer:
    server = TimeServer()
    monkeypatch.setattr("appliance.spool.age_clock.clock_synchronised", lambda: server.there)
    return server


@pytest.fixture
def box(tmp_path: Path, rendered: Path, time_server: TimeServer) -> Iterator[Box]:
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


def test_a_time_that_a_person_named_is_kept_whatever_the_clock_was(box: Box, time_server: TimeServer) -> None:
    async def scenario() -> None:
        line = FakeLine()
        async with dispatching(box, line) as dispatcher:
            at = box.clock() + 3 * DAY_S
            (job,) = submit(box, scheduled_at=at)
            set_clock(box, -DAY_S)
            dispatcher.wake()
            await asyncio.sleep(0.1)
            assert box.faxes.get(job.id).next_try_at == at
            time_server.there = True  # else nobody would believe it
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
    """Submitted while the dispatcher reads overdue jobs, with the time before the change."""
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

        keeper = keeper_of(box, now)
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
            await asyncio.to_thread(keeper.delete_expired)
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


# -- a clock that jumps ahead without a reason ------------------------------------------------------------


async def doubted(box: Box, job: Job) -> Job:
    """The job, once it waits for a trustworthy clock."""
    await until(lambda: box.faxes.get(job.id).cause_code == CLOCK_DOUBTED.code, 20.0)
    return box.faxes.get(job.id)


def test_a_clock_that_is_put_right_while_its_jump_is_taken_in_gives_no_fax_more_time(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    unexplained_s, looks = box.age_clock.unexplained_s, itertools.count(1)

    def put_right_at_the_second_look() -> float:
        if next(looks) == 2:
            set_clock(box, -DAY_S)
        return unexplained_s()

    async def scenario() -> None:
        clock = JobClock(box)
        (job,) = submit(box, scheduled_at=box.clock() + 3600.0, lifetime_s=600.0)
        expires = box.faxes.get(job.id).expires_at
        monkeypatch.setattr(box.age_clock, "unexplained_s", put_right_at_the_second_look)
        set_clock(box, DAY_S)
        await clock.now()
        await clock.now()
        assert next(looks) > 2
        assert box.faxes.get(job.id).expires_at == pytest.approx(expires, abs=60.0)

    asyncio.run(scenario())


@pytest.mark.parametrize(("by", "server"), [(YEAR_S, False), (YEAR_S, True), (DAY_S, False), (7200.0, False)])
def test_a_jump_ahead_that_nothing_explains_sends_no_fax_before_its_time_and_ends_none(
    box: Box, time_server: TimeServer, by: float, server: bool
) -> None:
    """It waits as long as it was to, and when the clock is put right it goes at the time that was named."""
    time_server.there = server

    async def scenario() -> None:
        line = FakeLine()
        async with dispatching(box, line) as dispatcher:
            at = box.clock() + 3600.0
            (job,) = submit(box, scheduled_at=at, lifetime_s=600.0)
            expires = box.faxes.get(job.id).expires_at
            set_clock(box, by)
            dispatcher.wake()
            job = await doubted(box, job)
            assert (job.state, job.scheduled_at) == (JobState.WAITING, at)
            assert job.next_try_at == pytest.approx(at + by, abs=60.0)
            set_clock(box, -by)
            dispatcher.wake()
            await until(lambda: not box.faxes.get(job.id).cause_code)
            job = box.faxes.get(job.id)
            assert (job.state, job.next_try_at) == (JobState.WAITING, at)
            assert job.expires_at == pytest.approx(expires, abs=60.0)
            assert line.placed == []

    asyncio.run(scenario())


def test_clock_of_a_board_without_battery_that_is_set_keeps_the_time_that_a_person_named(
    tmp_path: Path, rendered: Path, time_server: TimeServer
) -> None:
    at = time.time() + 3600.0
    box = make_box(tmp_path / "data", rendered, SystemClock(1000.0 - time.time()))

    async def scenario() -> Job:
        async with dispatching(box, FakeLine()) as dispatcher:
            (job,) = submit(box, scheduled_at=at, lifetime_s=600.0)
            set_clock(box, time.time() - 1000.0)
            dispatcher.wake()
            await until(
                lambda: any(event.kind == "box.clock_set" for event in box.spool.read(events.since, 0))
            )
            job = box.faxes.get(job.id)
            assert not box.age_clock.unexplained_s()
            box.age_clock.now()  # as housekeeping does
            set_clock(box, YEAR_S)
            assert box.age_clock.unexplained_s() == pytest.approx(YEAR_S)
            return job

    job = asyncio.run(scenario())
    box.close()
    assert (job.state, job.cause_code, job.next_try_at) == (JobState.WAITING, "", at)
    assert job.expires_at == pytest.approx(at + 600.0)


def test_a_fax_that_waits_for_the_clock_goes_when_its_time_has_really_passed(box: Box) -> None:
    async def scenario() -> None:
        async with dispatching(box, FakeLine()) as dispatcher:
            (job,) = submit(box, scheduled_at=box.clock() + 5.0, lifetime_s=600.0)
            set_clock(box, YEAR_S)
            dispatcher.wake()
            begun = time.monotonic()
            (job,) = await ended(box, job)
        assert job.state is JobState.DELIVERED
        assert time.monotonic() - begun > 3.0

    asyncio.run(scenario())


def test_a_time_server_that_takes_the_jump_on_lets_the_fax_go_though_its_lifetime_is_over(
    box: Box, time_server: TimeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.dispatch.clock.BELIEVED_EVERY_S", 0.0)

    async def scenario() -> None:
        async with dispatching(box, FakeLine()) as dispatcher:
            (job,) = submit(box, scheduled_at=box.clock() + 3600.0, lifetime_s=600.0)
            set_clock(box, 2 * DAY_S)
            dispatcher.wake()
            await doubted(box, job)
            time_server.there = True
            dispatcher.wake()
            (job,) = await ended(box, job)
        assert job.state is JobState.DELIVERED

    asyncio.run(scenario())


def test_a_person_may_have_the_fax_sent_though_the_clock_is_in_doubt(box: Box) -> None:
    async def scenario() -> None:
        async with dispatching(box, FakeLine()) as dispatcher:
            (job,) = submit(box, scheduled_at=box.clock() + 3600.0)
            set_clock(box, YEAR_S)
            dispatcher.wake()
            await doubted(box, job)
            box.spool.do(decisions.reschedule, job.id, box.clock(), box.clock())
            (job,) = await ended(box, job)
        assert job.state is JobState.DELIVERED

    asyncio.run(scenario())


def test_a_jump_while_the_pages_are_made_is_no_reason_to_send_them(box: Box) -> None:
    async def scenario() -> None:
        async with dispatching(box, FakeLine()) as dispatcher:
            at = box.clock() + 3600.0
            file = box.documents.store_file(b"x", name="x.txt", media_type="text/plain")
            (job,) = box.faxes.submit(Request("ada", (To(NUMBER),), (file,), scheduled_at=at)).jobs
            set_clock(box, YEAR_S)
            dispatcher.wake()
            await until(lambda: box.faxes.get(job.id).next_try_at > at)
            box.spool.do(preparing.prepared, [job.id], COMMON, PAGES, box.clock())
            assert (await doubted(box, job)).next_try_at > box.clock() + 3000.0

    asyncio.run(scenario())


def test_a_start_with_a_clock_that_is_ahead_lets_nothing_go_and_ends_nothing(
    tmp_path: Path, rendered: Path, time_server: TimeServer
) -> None:
    """Twice, for the second start must not put anything off again; and then with the right clock."""
    clock = SystemClock()

    def starts(by: float) -> Box:
        clock.ahead_s += by
        box = make_box(tmp_path / "data", rendered, clock)
        recover(box)
        return box

    box = make_box(tmp_path / "data", rendered, clock)
    at = box.clock() + 3600.0
    (named,) = submit(box, scheduled_at=at, lifetime_s=600.0)
    (waits,) = submit(box)
    box.spool.do(decisions.postpone, waits.id, box.clock() + 600.0, box.clock(), BUSY)
    box.age_clock.now()  # as the housekeeping does
    left = box.faxes.get(waits.id).expires_at - box.clock()
    box.close()
    for by in (YEAR_S, 0.0):
        box = starts(by)
        job = box.faxes.get(named.id)
        assert (job.state, job.cause_code) == (JobState.WAITING, "clock_doubted")
        assert job.next_try_at == pytest.approx(at + YEAR_S, abs=60.0)
        job = box.faxes.get(waits.id)
        assert job.next_try_at == pytest.approx(box.clock() + 600.0, abs=60.0)
        assert job.expires_at - box.clock() == pytest.approx(left, abs=60.0)
        box.close()
    box = starts(-YEAR_S)
    box.spool.do(bounds.clock_believed, box.clock())  # as the scheduler does in its first round
    job = box.faxes.get(named.id)
    assert (job.next_try_at, job.cause_code) == (at, "")
    assert job.expires_at == pytest.approx(at + 600.0, abs=60.0)
    assert box.faxes.get(waits.id).next_try_at == pytest.approx(box.clock() + 600.0, abs=60.0)
    box.close()


@pytest.mark.parametrize(
    "steps", [(YEAR_S,), (DAY_S,), (-DAY_S,), (-DAY_S, DAY_S), (DAY_S, -DAY_S), (-YEAR_S,)]
)
def test_no_setting_of_the_clock_frees_the_day_of_a_limit_again(box: Box, steps: tuple[float, ...]) -> None:
    box.settings.change(NumberSettings, {"daily_calls": 1})

    async def scenario() -> None:
        line = FakeLine()
        async with dispatching(box, line) as dispatcher:
            await ended(box, *submit(box, "+49301"))
            for number, by in enumerate(steps):
                set_clock(box, by)
                dispatcher.wake()
                (job,) = submit(box, f"+4930{number + 2}")
                await until(lambda job=job: box.faxes.get(job.id).cause_code == DAILY_LIMIT.code)
                # Until the night that really comes.
                assert 0.0 < box.faxes.get(job.id).next_try_at - box.clock() < DAY_S + 3700.0
        assert [call.number for call in line.placed] == ["+49301"]

    asyncio.run(scenario())


def test_a_month_is_not_free_again_because_the_clock_jumped(box: Box) -> None:
    secrets.add_user(box.settings, "ada", "correct horse battery", role=UserRole.USER)
    (user,) = [number for number, each in box.settings.items(User).items() if each.name == "ada"]
    box.settings.update(User, user, {"pages_per_month": PAGES})

    async def scenario() -> None:
        async with dispatching(box, FakeLine()):
            await ended(box, *submit(box))
            for by in (YEAR_S, -2 * YEAR_S, YEAR_S + 40 * DAY_S):
                set_clock(box, by)
                with pytest.raises(RefusedError, match=f"0 of {PAGES} pages"):
                    submit(box)

    asyncio.run(scenario())


def test_a_start_with_the_right_clock_after_one_that_was_never_set_ends_nothing(
    tmp_path: Path, rendered: Path, time_server: TimeServer
) -> None:
    """A board without a clock battery had no network, was switched off, and finds the network now."""
    clock = SystemClock(1000.0 - time.time())
    box = make_box(tmp_path / "data", rendered, clock)
    (waits,) = submit(box)
    box.spool.do(decisions.postpone, waits.id, box.clock() + 600.0, box.clock(), BUSY)
    (named,) = submit(box, scheduled_at=time.time() + 3600.0, lifetime_s=600.0)
    at = box.faxes.get(named.id).scheduled_at
    left = box.faxes.get(waits.id).expires_at - box.clock()
    box.close()
    clock.ahead_s = 0.0
    box = make_box(tmp_path / "data", rendered, clock)
    recover(box)
    job = box.faxes.get(waits.id)
    assert job.expires_at - box.clock() == pytest.approx(left, abs=60.0)
    assert job.next_try_at == pytest.approx(box.clock() + 600.0, abs=60.0)
    job = box.faxes.get(named.id)
    assert (job.state, job.cause_code, job.next_try_at) == (JobState.WAITING, "", at)
    assert job.expires_at == pytest.approx(at + 600.0, abs=60.0)
    box.close()
