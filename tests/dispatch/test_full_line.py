"""A line that turns out to have no free channel: the fax waits, and no attempt is counted."""

from __future__ import annotations

import asyncio

import pytest

from appliance.box import Box
from appliance.dispatch import full_lines
from appliance.lines.causes import BUSY, LINE_FULL
from appliance.lines.line import LineKind
from appliance.numbers import NumberSettings
from appliance.spool import ledger
from appliance.spool.model import JobState
from appliance.spool.options import SendOptions
from appliance.spool.settings import SendingSettings
from tests.dispatch.fake_line import End, FakeLine
from tests.dispatch.making import NUMBER, dispatching, ended, submit, until

FULL = End(LINE_FULL, pages=0)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_lines, "PAUSES_S", (0.01,))


def test_a_call_that_a_full_line_refused_uses_up_no_try(box: Box) -> None:
    async def scenario() -> None:
        box.settings.change(SendingSettings, {"max_tries": 2})
        line = FakeLine(scripts={NUMBER: [End(BUSY, pages=0), *[FULL] * 8, End()]})
        async with dispatching(box, line):
            (job,) = await ended(box, *submit(box))
        assert (job.state, job.tries, len(line.placed)) == (JobState.DELIVERED, 2, 10)
        assert [attempt.number for attempt in box.faxes.attempts(job.id)] == [1, 2]

    asyncio.run(scenario())


def test_a_sender_who_wants_one_try_has_it_once_the_line_is_free(box: Box) -> None:
    async def scenario() -> None:
        line = FakeLine(scripts={NUMBER: [FULL, FULL, End()]})
        async with dispatching(box, line):
            (job,) = await ended(box, *submit(box, options=SendOptions(retry_waits=())))
        assert (job.state, job.tries) == (JobState.DELIVERED, 1)

    asyncio.run(scenario())


def test_a_call_that_a_full_line_refused_does_not_count_for_the_daily_limit(box: Box) -> None:
    async def scenario() -> None:
        box.settings.change(NumberSettings, {"daily_calls": 1})
        line = FakeLine(scripts={NUMBER: [FULL, FULL, FULL, End()]})
        async with dispatching(box, line):
            (job,) = await ended(box, *submit(box))
        assert job.state is JobState.DELIVERED
        used = box.spool.read(ledger.usage, "outside", ledger.day_of(box.counted()))
        assert used.calls == 1

    asyncio.run(scenario())


def test_another_line_with_room_is_taken_at_once(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_lines, "PAUSES_S", (3600.0,))

    async def scenario() -> None:
        trunk = FakeLine("trunk", scripts={NUMBER: [FULL]})
        modem = FakeLine("modem", LineKind.MODEM)
        async with dispatching(box, trunk, modem):
            (job,) = await ended(box, *submit(box))
        assert job.state is JobState.DELIVERED
        assert [attempt.line for attempt in box.faxes.attempts(job.id)] == ["modem"]
        assert (len(trunk.placed), len(modem.placed)) == (1, 1)

    asyncio.run(scenario())


def test_a_line_that_is_full_is_not_asked_by_every_fax_again_and_again(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(full_lines, "PAUSES_S", (3600.0,))

    async def scenario() -> None:
        line = FakeLine(capacity=1, default=lambda: FULL)
        async with dispatching(box, line) as dispatcher:
            made = submit(box) + submit(box, "+493099999")
            await until(lambda: bool(line.placed) and not dispatcher.outgoing.calls)
            more = submit(box, "+493088888")
            await until(lambda: box.faxes.get(more[0].id).state is JobState.WAITING)
            for _ in range(3):
                dispatcher.wake()
                await asyncio.sleep(0.01)
        assert len(line.placed) == 1
        assert {box.faxes.get(job.id).state for job in made + more} == {JobState.WAITING}

    asyncio.run(scenario())


def test_a_fax_that_found_no_free_channel_in_its_time_says_so(box: Box) -> None:
    async def scenario() -> None:
        line = FakeLine(default=lambda: FULL)
        async with dispatching(box, line):
            (job,) = submit(box)
            await until(lambda: len(line.placed) > 2)
            box.spool.do(lambda tx: tx.db.execute("UPDATE job SET expires_at = ?", (box.clock(),)))
            (job,) = await ended(box, job)
        assert (job.state, job.cause) == (JobState.FAILED, LINE_FULL)

    asyncio.run(scenario())


def test_a_fax_that_is_cancelled_while_the_line_turns_it_away_is_cancelled(box: Box) -> None:
    async def scenario() -> None:
        line = FakeLine(default=lambda: FULL)
        async with dispatching(box, line):
            (job,) = submit(box)
            await until(lambda: len(line.placed) > 2)
            box.faxes.cancel(job.id)
            (job,) = await ended(box, job)
        assert job.state is JobState.CANCELLED

    asyncio.run(scenario())
