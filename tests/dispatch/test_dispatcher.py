"""The dispatcher on a real spool, with scripted far ends."""

from __future__ import annotations

import asyncio
import errno
import functools
import shutil
import threading
from collections import Counter
from pathlib import Path

import pytest

from appliance.box import Box
from appliance.causes import CANCELLED, RECEIVED, Cause
from appliance.dispatch import reception
from appliance.dispatch.causes import DAILY_LIMIT, NO_LINE
from appliance.dispatch.outgoing import CONFIRMED
from appliance.dispatch.pool import CLOSED, RETIRING, ManagedLine
from appliance.durable import DiskFullError
from appliance.lines.causes import BUSY, LINE_FAULT, NUMBER_EMERGENCY, NUMBER_NOT_ALLOWED
from appliance.lines.line import LineKind, OutgoingCall, Tap
from appliance.lines.modem.causes import SHARED_LINE, VOICE_ANSWERED
from appliance.lines.settings import LineSettings
from appliance.lines.sip.causes import SIP_UNREACHABLE
from appliance.numbers import NumberSettings, plan_for
from appliance.services.rules import RefusedError
from appliance.settings import secrets
from appliance.settings.accounts import ApiKey, User, UserRole
from appliance.spool import decisions, ledger, received
from appliance.spool.filters import ReceivedFilter
from appliance.spool.model import Job, JobState, Priority, ReceivedState
from appliance.spool.options import Resume, SendOptions, UnknownRule
from appliance.spool.settings import SendingSettings, StorageSettings
from appliance.station import StationSettings
from appliance.t4.tiff import FaxTiff
from appliance.t30 import causes
from appliance.t30.conversation import CallOwner
from appliance.t30.parameters import CallResult
from tests.dispatch.fake_line import End, FakeLine
from tests.dispatch.making import (
    NUMBER,
    dispatching,
    ended,
    submit,
    until,
)


def test_a_due_job_is_sent_whole_and_delivered(box: Box) -> None:
    async def scenario() -> None:
        line = FakeLine()
        async with dispatching(box, line):
            (job,) = await ended(box, *submit(box))
        assert (job.state, job.pages_confirmed, job.tries) == (JobState.DELIVERED, 3, 1)
        assert len(line.taken[NUMBER]) == 3
        (attempt,) = box.faxes.attempts(job.id)
        assert attempt.last_page_at is not None
        assert (attempt.line, attempt.facts["bit_rate"]) == ("fake", 14400)
        assert (box.data / attempt.trace_path).read_text().count("page_confirmed") == 3

    asyncio.run(scenario())


@pytest.mark.parametrize(("resume", "taken"), [(Resume.REST, 3), (Resume.ALL, 5)])
def test_after_a_break_the_rest_or_all_is_sent(box: Box, resume: Resume, taken: int) -> None:
    async def scenario() -> None:
        line = FakeLine(scripts={NUMBER: [End(causes.HUNG_UP_DURING_PAGE, pages=2), End()]})
        async with dispatching(box, line):
            (job,) = await ended(box, *submit(box, options=SendOptions(resume=resume)))
        assert (job.state, job.tries) == (JobState.DELIVERED, 2)
        assert len(line.taken[NUMBER]) == taken

    asyncio.run(scenario())


def test_a_broken_trunk_is_followed_by_the_next_line_and_the_next(box: Box) -> None:
    async def scenario() -> None:
        broken = End(SIP_UNREACHABLE, pages=0)
        trunk = FakeLine("trunk", scripts={NUMBER: [broken]})
        audio = FakeLine("audio", LineKind.G711, scripts={NUMBER: [broken]})
        modem = FakeLine("modem", LineKind.MODEM, capacity=1)
        async with dispatching(box, trunk, audio, modem):
            (job,) = await ended(box, *submit(box))
        assert job.state is JobState.DELIVERED
        assert [attempt.line for attempt in box.faxes.attempts(job.id)] == ["trunk", "audio", "modem"]

    asyncio.run(scenario())


def test_faxes_to_one_destination_never_collide(box: Box) -> None:
    async def scenario() -> None:
        line = FakeLine(capacity=6, scripts={NUMBER: [End(page_s=0.02)]})
        async with dispatching(box, line):
            made = submit(box, NUMBER, NUMBER, NUMBER) + submit(box, "+493099999")
            done = await ended(box, *made)
        assert all(job.state is JobState.DELIVERED for job in done)
        assert line.collisions == 0
        assert line.most_at_once == 2

    asyncio.run(scenario())


def test_a_poor_last_page_is_sent_again_in_the_same_call_only_if_the_owner_wants_it(box: Box) -> None:
    async def scenario() -> None:
        line = FakeLine()
        async with dispatching(box, line):
            await ended(box, *submit(box))
            box.settings.change(SendingSettings, {"resend_last_page": True})
            await ended(box, *submit(box))
        assert [call.parameters.resend_last_page for call in line.placed] == [False, True]

    asyncio.run(scenario())


def test_priorities_go_first_and_a_schedule_is_kept(box: Box) -> None:
    async def scenario() -> None:
        line = FakeLine(capacity=1)
        (low,) = submit(box, "+49301", priority=Priority.LOW)
        (soon,) = submit(box, "+49302", scheduled_at=box.clock() + 0.7)
        (high,) = submit(box, "+49303", priority=Priority.HIGH)
        submit(box, "+49304", scheduled_at=box.clock() + 3600.0)
        async with dispatching(box, line):
            await ended(box, low, soon, high)
        placed = [call.number for call in line.placed]
        assert sorted(placed) == ["+49301", "+49302", "+49303"]
        assert placed.index("+49303") < placed.index("+49301")
        assert box.faxes.attempts(soon.id)[0].started_at >= soon.scheduled_at

    asyncio.run(scenario())


@pytest.mark.parametrize("when", ["waiting", "sending"])
def test_a_job_can_be_cancelled_at_any_point(box: Box, when: str) -> None:
    async def scenario() -> None:
        line = FakeLine(scripts={NUMBER: [End(page_s=30.0)]}, usable=when == "sending")
        async with dispatching(box, line):
            (job,) = submit(box)
            if when == "sending":
                await until(lambda: box.faxes.get(job.id).state is JobState.SENDING)
            await asyncio.to_thread(box.faxes.cancel, job.id)
            (job,) = await ended(box, job)
        assert (job.state, job.cause_code) == (JobState.CANCELLED, "cancelled")

    asyncio.run(scenario())


def test_a_line_that_breaks_by_our_own_bug_harms_only_its_call(box: Box) -> None:
    async def scenario() -> None:
        line = FakeLine(scripts={NUMBER: [End(raises=True), End()]})
        async with dispatching(box, line):
            (job,) = await ended(box, *submit(box))
        assert job.state is JobState.DELIVERED
        assert [attempt.cause_code for attempt in box.faxes.attempts(job.id)] == ["line_fault", "delivered"]

    asyncio.run(scenario())


def test_a_call_that_breaks_after_the_last_confirmation_has_delivered(box: Box) -> None:
    async def scenario() -> None:
        line = FakeLine(scripts={NUMBER: [End(LINE_FAULT, pages=3)]})
        async with dispatching(box, line):
            (job,) = await ended(box, *submit(box))
        assert (job.state, job.cause_code, job.tries) == (JobState.DELIVERED, "delivered", 1)

    asyncio.run(scenario())


def test_without_a_line_a_job_says_why_it_waits_and_goes_when_one_comes_up(box: Box) -> None:
    async def scenario() -> None:
        line = FakeLine(usable=False)
        async with dispatching(box, line):
            (job,) = submit(box)
            await until(lambda: box.faxes.get(job.id).cause_code == "no_line")
            line.usable = True
            (job,) = await ended(box, job)
        assert (job.state, job.tries) == (JobState.DELIVERED, 1)

    asyncio.run(scenario())


class HeldLine(FakeLine):
    """Its calls wait for the test."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = asyncio.Event()

    async def place(self, call: OutgoingCall, owner: CallOwner, tap: Tap | None = None) -> CallResult:
        self._up += 1
        await self.may_go_on.wait()
        self._up -= 1
        return await super().place(call, owner, tap)


def test_a_line_that_is_removed_in_a_call_says_so_and_lets_it_end(box: Box) -> None:
    async def scenario() -> None:
        line = HeldLine()
        async with dispatching(box, line) as dispatcher:
            (job,) = submit(box)
            await until(lambda: line.state().calls == 1)
            said: list[str] = []

            def news() -> list[str]:
                while (item := heard.get(0.0)) is not None:
                    if item.kind == "line.state":
                        said.append(str(item.data["sentence"]))
                return said

            with box.spool.hub.listen() as heard:
                removed = asyncio.create_task(dispatcher.pool.retire(dispatcher.pool.named("fake")))
                await until(lambda: [report.state.sentence for report in box.lines()] == [RETIRING])
                (report,) = box.lines()
                assert (report.state.usable, report.state.calls) == (False, 1)
                (other,) = submit(box, "+493012346")
                await until(lambda: box.faxes.get(other.id).cause is NO_LINE)
                assert not removed.done()
                line.may_go_on.set()
                await removed
                await until(lambda: news()[-1:] == [CLOSED])
                assert not box.lines()
            (done,) = await ended(box, job)
        assert (done.state, done.tries) == (JobState.DELIVERED, 1)
        assert RETIRING in said

    asyncio.run(scenario())


def test_a_call_beyond_its_limit_is_ended_and_the_job_goes_on(box: Box) -> None:
    async def scenario() -> None:
        line = FakeLine(scripts={NUMBER: [End(page_s=30.0), End()]})
        async with dispatching(box, line) as dispatcher:
            (job,) = submit(box)
            await until(lambda: box.faxes.get(job.id).state is JobState.SENDING and bool(line.placed))
            dispatcher.outgoing.calls[job.id].end_long_call()
            (job,) = await ended(box, job)
        assert [attempt.cause_code for attempt in box.faxes.attempts(job.id)] == [
            "call_too_long",
            "delivered",
        ]

    asyncio.run(scenario())


@pytest.mark.parametrize(("last_page_out", "state"), [(False, JobState.WAITING), (True, JobState.UNKNOWN)])
def test_stopping_the_box_settles_running_calls_by_what_went_out(
    box: Box, last_page_out: bool, state: JobState
) -> None:
    async def scenario() -> None:
        end = End(mcf_s=30.0) if last_page_out else End(page_s=0.2)
        async with dispatching(box, FakeLine(scripts={NUMBER: [end]})):
            (job,) = submit(box)
            await until(lambda: box.faxes.get(job.id).pages_confirmed == 2)
            if last_page_out:
                await until(lambda: box.faxes.attempts(job.id)[0].last_page_at is not None)
        assert box.faxes.get(job.id).state is state
        assert box.faxes.get(job.id).pages_confirmed == 2

    asyncio.run(scenario())


def test_stopping_the_box_is_told_of_a_fax_that_was_coming_in(box: Box) -> None:
    async def scenario() -> None:
        line = FakeLine()
        stored = asyncio.Event()
        async with dispatching(box, line):
            call = asyncio.create_task(
                line.ring("+49301", 1, cause=CANCELLED, confirmed=lambda _: stored.set(), stays=True)
            )
            await stored.wait()
        await call
        (fax,) = box.inbox.search(ReceivedFilter())
        assert (fax.pages, fax.cause_code) == (1, "interrupted")

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("rule", "state"), [(UnknownRule.ASK, JobState.UNKNOWN), (UnknownRule.RESEND, JobState.DELIVERED)]
)
def test_an_unconfirmed_last_page_follows_the_owners_rule(
    box: Box, rule: UnknownRule, state: JobState
) -> None:
    async def scenario() -> None:
        line = FakeLine(scripts={NUMBER: [End(causes.LAST_PAGE_UNCONFIRMED, pages=2), End()]})
        async with dispatching(box, line):
            (job,) = await ended(box, *submit(box, options=SendOptions(unknown_rule=rule)))
        assert job.state is state

    asyncio.run(scenario())


def test_a_dead_number_is_quarantined_for_everyone_until_it_is_forgotten(box: Box) -> None:
    async def scenario() -> None:
        box.settings.change(SendingSettings, {"quarantine_after": 2})
        line = FakeLine(scripts={NUMBER: [End(VOICE_ANSWERED, pages=0)]})
        async with dispatching(box, line):
            first, second = await ended(box, *submit(box), *submit(box))
            assert {first.cause_code, second.cause_code} == {"number_quarantined"}
            assert first.tries + second.tries == 2
            line.scripts.clear()
            await asyncio.to_thread(box.spool.do, ledger.forget_destination, NUMBER)
            (third,) = await ended(box, *submit(box))
        assert third.state is JobState.DELIVERED

    asyncio.run(scenario())


@pytest.mark.parametrize("cause", [NO_LINE, DAILY_LIMIT])
def test_after_a_restart_everything_that_waited_for_the_box_is_looked_at(box: Box, cause: Cause) -> None:
    """A line that is ready from the first moment never 'comes up'; a limit may have been raised meanwhile."""
    made = submit(box, *(f"+49301{number:03}" for number in range(80)))
    later = submit(box, "+49302", scheduled_at=box.clock() + 600)
    now = box.clock()
    for job in [*made, *later]:
        box.spool.do(decisions.postpone, job.id, now + 900, now, cause)

    async def scenario() -> None:
        async with dispatching(box, FakeLine(capacity=20)):
            await ended(box, *made)

    asyncio.run(scenario())
    assert {box.faxes.get(job.id).state for job in made} == {JobState.DELIVERED}
    assert box.faxes.get(later[0].id).state is JobState.WAITING


def test_a_raised_limit_and_a_new_line_are_noticed_at_once(box: Box) -> None:
    async def scenario() -> None:
        box.settings.change(NumberSettings, {"daily_calls": 1})
        async with dispatching(box, FakeLine()) as dispatcher:
            await ended(box, *submit(box, "+49301"))
            (job,) = submit(box, "+49302")
            await until(lambda: box.faxes.get(job.id).cause_code == "daily_limit")
            box.settings.change(NumberSettings, {"daily_calls": 0})
            dispatcher.wake()
            await ended(box, job)
            (other,) = submit(box, "+49303", options=SendOptions(lines=("second",)))
            await until(lambda: box.faxes.get(other.id).cause_code == "no_line")
            await dispatcher.pool.adopt(ManagedLine(FakeLine("second")))
            await ended(box, other)

    asyncio.run(scenario())


@pytest.mark.parametrize("who", ["user", "key"])
def test_what_a_disabled_sender_handed_in_waits_until_they_may_again(box: Box, who: str) -> None:
    secrets.add_user(box.settings, "ada", "correct horse battery", role=UserRole.USER)
    kind: type[User | ApiKey] = User
    if who == "key":
        secrets.add_key(box.settings, "shop", owner="ada")
        kind = ApiKey
    (entry,) = box.settings.items(kind)
    (job,) = submit(box, "+49301", key="shop" if who == "key" else "")
    box.settings.update(kind, entry, {"disabled": True})

    async def scenario() -> None:
        line = FakeLine()
        async with dispatching(box, line) as dispatcher:
            await until(lambda: box.faxes.get(job.id).cause_code == "sender_disabled")
            assert box.faxes.get(job.id).state is JobState.WAITING
            assert not line.placed
            box.settings.update(kind, entry, {"disabled": False})
            dispatcher.wake()
            await ended(box, job)
        assert box.faxes.get(job.id).state is JobState.DELIVERED

    asyncio.run(scenario())


def test_a_months_quota_bounds_what_goes_out_however_much_was_accepted(box: Box) -> None:
    """Faxes of three pages against a quota that was there when they were dialled, not when handed in."""
    made = submit(box, *(f"+49301{number}" for number in range(6)))
    secrets.add_user(box.settings, "ada", "correct horse battery", role=UserRole.USER)
    (user_id,) = [number for number, user in box.settings.items(User).items() if user.name == "ada"]
    box.settings.update(User, user_id, {"pages_per_month": 7})

    async def scenario() -> FakeLine:
        line = FakeLine(capacity=4)
        line.default = lambda: End(page_s=0.02)
        async with dispatching(box, line):
            await ended(box, *made)
        return line

    line = asyncio.run(scenario())
    ends = Counter(box.faxes.get(job.id).cause_code for job in made)
    assert ends == {"delivered": 2, "quota_spent": 4}
    assert sum(map(len, line.taken.values())) == 6
    with pytest.raises(RefusedError, match="1 of 7 pages left this month"):
        submit(box, "+49302", "+49303")


@pytest.mark.parametrize(("resume", "taken"), [(Resume.REST, 3), (Resume.ALL, 2)])
def test_pages_that_are_sent_again_after_a_break_count_before_they_are_dialled(
    box: Box, resume: Resume, taken: int
) -> None:
    secrets.add_user(box.settings, "ada", "correct horse battery", role=UserRole.USER)
    (user_id,) = [number for number, user in box.settings.items(User).items() if user.name == "ada"]
    box.settings.update(User, user_id, {"pages_per_month": 4})

    async def scenario() -> None:
        line = FakeLine(scripts={NUMBER: [End(causes.HUNG_UP_DURING_PAGE, pages=2), End()]})
        async with dispatching(box, line):
            await ended(box, *submit(box, options=SendOptions(resume=resume)))
        assert len(line.taken[NUMBER]) == taken

    asyncio.run(scenario())


@pytest.mark.parametrize("limit", [{"pages_per_day": 5}, {"minutes_per_day": 1}])
def test_a_users_day_of_pages_and_minutes_is_kept(box: Box, limit: dict[str, int]) -> None:
    secrets.add_user(box.settings, "ada", "correct horse battery", role=UserRole.USER)
    (user_id,) = [number for number, user in box.settings.items(User).items() if user.name == "ada"]
    box.settings.update(User, user_id, limit)
    if "minutes_per_day" in limit:  # 59 seconds are used
        box.spool.do(ledger.count_pages, ("outside:ada",), pages=0, seconds=59.0)

    async def scenario() -> None:
        async with dispatching(box, FakeLine(capacity=1, default=lambda: End(mcf_s=0.6))):
            made = submit(box, *(f"+49301{number}" for number in range(4)))
            await until(
                lambda: (
                    sum(box.faxes.get(job.id).state.ended for job in made)
                    + sum(box.faxes.get(job.id).cause_code == "daily_limit" for job in made)
                    == len(made)
                )
            )
            states = Counter(box.faxes.get(job.id).state for job in made)
            assert states == {JobState.DELIVERED: 1, JobState.WAITING: 3}

    asyncio.run(scenario())


def test_the_daily_limit_puts_faxes_off_until_tomorrow(box: Box) -> None:
    async def scenario() -> None:
        box.settings.change(NumberSettings, {"daily_calls": 1})
        line = FakeLine()
        async with dispatching(box, line):
            await ended(box, *submit(box, "+49301"))
            (job,) = submit(box, "+49302")
            await until(lambda: box.faxes.get(job.id).cause_code == "daily_limit")
        job = box.faxes.get(job.id)
        assert job.state is JobState.WAITING
        assert ledger.day_of(job.next_try_at) > ledger.day_of(box.clock())
        assert [call.number for call in line.placed] == ["+49301"]

    asyncio.run(scenario())


def test_what_worked_at_a_destination_is_begun_with_next_time(box: Box) -> None:
    async def scenario() -> None:
        trouble = End(causes.TRAINING_FAILED, pages=0)
        line = FakeLine(scripts={NUMBER: [trouble, trouble, End()]})
        async with dispatching(box, line):
            await ended(box, *submit(box))
            await ended(box, *submit(box))
        rates = [max(c.bit_rate for c in call.parameters.capabilities.carriers) for call in line.placed]
        assert rates == [14400, 9600, 9600, 9600]
        known = box.spool.read(ledger.destination, NUMBER)
        assert known is not None
        assert known.profile["step"] == 2

    asyncio.run(scenario())


def test_pages_that_are_gone_fail_the_job_instead_of_the_box(box: Box) -> None:
    async def scenario() -> None:
        line = FakeLine()
        (job,) = submit(box)
        box.spool.do(lambda tx: tx.db.execute("UPDATE job SET rendered_path = 'rendered/none'").rowcount)
        async with dispatching(box, line):
            (job,) = await ended(box, job)
        assert job.state is JobState.FAILED
        assert job.cause_code == "page_unavailable"

    asyncio.run(scenario())


def test_a_call_whose_notes_cannot_be_deleted_frees_its_line(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that became read-only, or fails, where the index could still be written."""
    real = Path.unlink

    def fails(path: Path, missing_ok: bool = False) -> None:
        if path.parent.name == CONFIRMED:
            raise OSError(errno.EROFS, "Read-only file system")
        real(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", fails)

    async def scenario() -> None:
        async with dispatching(box, FakeLine(capacity=1)):
            for _ in range(2):
                (job,) = await ended(box, *submit(box))
                assert job.state is JobState.DELIVERED

    asyncio.run(scenario())


def test_calls_end_where_no_thread_can_be_started(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    real = threading.Thread.start
    refused: list[str] = []

    def start(thread: threading.Thread) -> None:
        if thread.name.startswith("pages"):
            refused.append(thread.name)
            raise RuntimeError("can't start new thread")
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)

    async def scenario() -> None:
        line = FakeLine(capacity=1)
        async with dispatching(box, line):
            for _ in range(2):
                (job,) = await ended(box, *submit(box))
                assert job.state is JobState.DELIVERED
            await line.ring("+4940", 1)
            seen = ReceivedFilter(empty=True)
            await until(
                lambda: all(fax.state is not ReceivedState.RECEIVING for fax in box.inbox.search(seen))
            )

    asyncio.run(scenario())
    assert len(refused) >= 3


# -- receiving -----------------------------------------------------------------------------------


def test_a_received_page_is_a_file_and_a_row_before_it_is_confirmed(box: Box) -> None:
    async def scenario() -> None:
        line = FakeLine()

        def confirmed(number: int) -> None:
            (fax,) = box.inbox.search(ReceivedFilter())
            page = box.inbox.pages(fax.id)[number]
            with FaxTiff(box.data / page.path) as tiff:
                assert tiff.raster(0).data == bytes([number]) * (216 * 4)

        async with dispatching(box, line):
            assert await line.ring("+4940", 3, dialled="200", confirmed=confirmed) is RECEIVED
            await until(lambda: box.inbox.search(ReceivedFilter())[0].ended_at is not None)
        (fax,) = box.inbox.search(ReceivedFilter())
        assert (fax.state, fax.pages, fax.caller, fax.dialled) == (ReceivedState.COMPLETE, 3, "+4940", "200")
        assert fax.tsi == "49 30 1"

    asyncio.run(scenario())


def test_a_call_that_breaks_off_leaves_its_pages(box: Box) -> None:
    async def scenario() -> None:
        line = FakeLine()
        async with dispatching(box, line):
            await line.ring("+4940", 2, cause=causes.SENDER_WENT_SILENT)
            await until(lambda: box.inbox.search(ReceivedFilter())[0].ended_at is not None)
        (fax,) = box.inbox.search(ReceivedFilter())
        assert (fax.state, fax.pages, fax.cause_code) == (ReceivedState.PARTIAL, 2, "sender_went_silent")

    asyncio.run(scenario())


def test_a_page_that_cannot_be_stored_is_not_confirmed(box: Box) -> None:
    async def scenario() -> None:
        line = FakeLine()
        async with dispatching(box, line):
            shutil.rmtree(box.data / "received")
            assert await line.ring("+4940", 2) is causes.STORE_FAILED

    asyncio.run(scenario())


@pytest.mark.parametrize("why", ["switched off", "line", "disk", "junk"])
def test_a_call_is_refused_before_it_is_answered(box: Box, why: str) -> None:
    async def scenario() -> None:
        line = FakeLine()
        if why == "switched off":
            box.settings.change(StationSettings, {"receive": False})
        if why == "disk":
            box.settings.change(StorageSettings, {"reserve_mb": 1 << 40})
        managed = ManagedLine(line, receive=why != "line")
        junk = SHARED_LINE
        screen = (lambda call: junk) if why == "junk" else None
        async with dispatching(box, managed, screen=screen):
            refused = await line.ring("+4940", 1)
        assert refused.code in ("not_receiving", "storage_full", "shared_line")
        assert box.inbox.search(ReceivedFilter(empty=True)) == []

    asyncio.run(scenario())


def test_many_faxes_at_once_all_arrive_and_the_counts_agree(box: Box) -> None:
    async def scenario() -> None:
        busy = [End(BUSY, pages=0), End()]
        line = FakeLine(capacity=8, scripts={f"+4930{n}": busy for n in range(9)})
        began = ledger.day_of(box.clock())
        async with dispatching(box, line):
            made = await asyncio.to_thread(submit, box, *[f"+4930{n}" for n in range(60)])
            done = await ended(box, *made)
        assert all(job.state is JobState.DELIVERED for job in done)
        assert sum(job.tries for job in done) == len(line.placed) == 69
        ended_on = ledger.day_of(box.clock())
        assert box.spool.read(ledger.usage, "outside", began, ended_on).calls == 69
        assert box.spool.read(ledger.usage, "owner:ada", began, ended_on).pages == 180

    asyncio.run(scenario())


def test_the_end_of_a_fax_that_came_in_is_written_when_the_disk_has_room_again(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = [DiskFullError("no room")] * 2
    real = received.finish

    def finish(*arguments: object, **more: object) -> object:
        if full:
            raise full.pop()
        return real(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(received, "finish", finish)
    monkeypatch.setattr(reception, "SETTLE_AGAIN_S", 0.02)

    async def scenario() -> None:
        line = FakeLine()
        async with dispatching(box, line):
            await line.ring("1", 2)
            await until(lambda: box.inbox.search(ReceivedFilter())[0].state is not ReceivedState.RECEIVING)
        (fax,) = box.inbox.search(ReceivedFilter())
        assert (fax.state, fax.pages) == (ReceivedState.COMPLETE, 2)

    asyncio.run(scenario())
    assert not full


@pytest.mark.parametrize(
    ("rule", "cause"),
    [
        ({"emergency": ["+493012345"]}, NUMBER_EMERGENCY),
        ({"deny": ["+4930"]}, NUMBER_NOT_ALLOWED),
    ],
)
def test_what_the_owner_forbids_after_a_fax_was_accepted_is_not_dialled(
    box: Box, rule: dict[str, list[str]], cause: Cause
) -> None:
    async def scenario() -> None:
        line = FakeLine()
        (job,) = submit(box, scheduled_at=box.clock() + 0.5)
        box.settings.change(NumberSettings, rule)
        async with dispatching(box, line):
            (job,) = await ended(box, job)
        assert (job.state, job.cause) == (JobState.FAILED, cause)
        assert not line.placed

    asyncio.run(scenario())


@pytest.mark.parametrize("given", ["0900 1234567", "0044 20 79460000"])
def test_rules_hold_for_the_country_of_the_line_that_is_about_to_dial(box: Box, given: str) -> None:
    """Accepted while no line said where it is; the line that came since is in Germany."""

    async def scenario() -> Job:
        (job,) = submit(box, given)
        box.settings.change(NumberSettings, {"deny": ["+44"]})
        line = FakeLine()
        entry = LineSettings(name=line.name, country_code="49")
        async with dispatching(box, ManagedLine(line, plan=functools.partial(plan_for, line=entry))):
            (job,) = await ended(box, job)
        assert line.placed == []
        return job

    assert asyncio.run(scenario()).cause is NUMBER_NOT_ALLOWED


def test_a_fax_may_show_no_number_of_ours(box: Box) -> None:
    async def scenario() -> FakeLine:
        line = FakeLine()
        box.settings.change(StationSettings, {"station_id": "+49 30 1234", "caller_number": "+49301234"})
        async with dispatching(box, line):
            await ended(box, *submit(box, options=SendOptions(withhold_number=True)))
            await ended(box, *submit(box))
        return line

    hidden, shown = asyncio.run(scenario()).placed
    assert (hidden.withhold, hidden.parameters.station_id) == (True, "")
    assert (shown.withhold, shown.parameters.station_id) == (False, "+49 30 1234")
