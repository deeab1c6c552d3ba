"""Lines in the exchange: calls both ways, questions to the box, and the death of either side."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from appliance.causes import CANCELLED, DELIVERED, RECEIVED, Cause, all_causes
from appliance.dispatch.causes import NOT_RECEIVING
from appliance.exchange.confirmations import GONE_S, CallNotes, Confirmations, read_notes
from appliance.exchange.messages import Channel, LineSpec
from appliance.exchange.process import RemoteOwner
from appliance.exchange.remote import Exchange, RemoteLine
from appliance.lines import causes
from appliance.lines.line import Accept, IncomingCall, OutgoingCall, Refuse
from appliance.lines.modem.fax import ModemCall, ModemFax
from appliance.lines.practice.settings import PracticeSettings
from appliance.lines.sip.settings import SipSettings, SipTrunk
from appliance.t4.tiff import write_tiff
from appliance.t30.causes import RECORD_FAILED
from appliance.t30.conversation import AskToEndLastPage, CallOwner, EndPermitted, FromCall
from appliance.t30.memory import MemoryOwner, MemoryPages, MemoryStore
from appliance.t30.parameters import CallParameters, CallResult, Progress, ReceivedPage, Role
from tests.interop.harness import drawn_page, same_pages, tiff_rasters
from tests.lines.sip.box_process import RawCall
from tests.lines.sip.sipp import audio, sdp
from tests.ports import free_port
from tests.softmodem.by_hand import ByHand, play
from tests.softmodem.fixtures import sample_page

SPEED = 10.0
PAGES = [drawn_page(number, 300) for number in range(2)]
# Only against hanging.
LIMIT_S = 240.0


class AskedPages(MemoryPages):
    """Pages whose last one needs permission, which is given or refused a moment later."""

    def __init__(self, leave: bool = True) -> None:
        super().__init__(PAGES)
        self.leave = leave
        self.asked = 0

    def ask_to_end_last_page(self, given: Callable[[bool], None]) -> None:
        self.asked += 1
        asyncio.get_running_loop().call_later(0.05, given, self.leave)


class LateStore(MemoryStore):
    """Keeps pages a moment later, or not at all."""

    def __init__(self, keeps: bool = True) -> None:
        super().__init__()
        self.keeps = keeps

    def store(self, number: int, page: ReceivedPage, stored: Callable[[bool], None]) -> None:
        if self.keeps:
            super().store(number, page, lambda _: None)
        asyncio.get_running_loop().call_later(0.05, stored, self.keeps)


def refusal(ok: bool) -> Cause | None:
    return None if ok else RECORD_FAILED


class AskedOwner(MemoryOwner):
    """Owns a call that asks for permission to end its last page."""

    def __init__(self, pages: AskedPages, account: list[Progress]) -> None:
        super().__init__(pages, MemoryStore(), account.append)
        self._asked = pages

    def say(self, message: FromCall) -> None:
        if isinstance(message, AskToEndLastPage):
            ticket = message.ticket
            self._asked.ask_to_end_last_page(lambda ok: self.answer(EndPermitted(ticket, refusal(ok))))
        else:
            super().say(message)


@dataclass
class Rig:
    exchange: Exchange
    line: RemoteLine
    account: list[Progress] = field(default_factory=list)
    pages: AskedPages = field(default_factory=AskedPages)

    def call(self, number: str = "9990", attempt: int = 1) -> tuple[OutgoingCall, CallOwner]:
        parameters = CallParameters(Role.CALLS, station_id="+49 30 1", asks_to_end_last_page=True)
        return OutgoingCall(number, parameters, attempt=attempt), AskedOwner(self.pages, self.account)

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await asyncio.sleep(0.02)

    async def in_call(self) -> asyncio.Task[CallResult]:
        """A call whose first page is on its way."""
        placed = asyncio.create_task(self.line.place(*self.call()))
        await self.until(lambda: any(line.event == "page_sending" for line in self.account))
        return placed


def on_rig(
    folder: Path,
    work: Callable[[Rig], Awaitable[None]],
    answer: Callable[[IncomingCall], Accept | Refuse] = lambda _: Refuse(NOT_RECEIVING),
    speed: float = SPEED,
) -> None:
    @asynccontextmanager
    async def rig() -> AsyncIterator[Rig]:
        exchange = Exchange()
        spec = LineSpec("practice", PracticeSettings(speed=speed), SipSettings(), folder / "arrivals")
        line = RemoteLine(exchange, spec)
        exchange.start()
        try:
            await line.start(answer)
            yield Rig(exchange, line)
            await line.stop()
        finally:
            await exchange.stop()
        assert exchange.pid is None

    async def all_of_it() -> None:
        async with asyncio.timeout(LIMIT_S), rig() as made:
            await work(made)

    asyncio.run(all_of_it())


def ends_the_last_page(line: Progress) -> bool:
    return line.event == "frame_sent" and "EOP" in str(line.fields)


def test_a_fax_goes_out_with_the_boxs_pages_and_its_permission_to_end(tmp_path: Path) -> None:
    async def work(rig: Rig) -> None:
        assert rig.line.state().usable
        result = await rig.line.place(*rig.call())
        assert (result.cause, result.pages_sent) == (DELIVERED, 2)
        assert rig.pages.asked == 1
        confirmed = [dict(line.fields)["page"] for line in rig.account if line.event == "page_confirmed"]
        assert confirmed == [1, 2]
        assert rig.line.state().calls == 0

    on_rig(tmp_path, work)
    (arrived,) = (tmp_path / "arrivals").iterdir()
    assert same_pages(PAGES, tiff_rasters(arrived))


def test_a_call_counts_from_the_moment_it_is_placed(tmp_path: Path) -> None:
    async def work(rig: Rig) -> None:
        placed = asyncio.create_task(rig.line.place(*rig.call()))
        await asyncio.sleep(0)  # the order is given, and nothing has come back
        assert rig.line.state().calls == 1, "a line that is removed now must let it end"
        assert (await placed).cause is DELIVERED
        await rig.until(lambda: rig.line.state().calls == 0)

    on_rig(tmp_path, work)


def test_without_permission_the_last_page_is_not_ended(tmp_path: Path) -> None:
    async def work(rig: Rig) -> None:
        rig.pages.leave = False
        result = await rig.line.place(*rig.call())
        assert result.cause is not DELIVERED
        assert result.pages_sent == 1

    on_rig(tmp_path, work)


@pytest.mark.parametrize("keeps", [True, False])
def test_a_received_page_is_confirmed_only_when_the_box_has_it(tmp_path: Path, keeps: bool) -> None:
    write_tiff(tmp_path / "out.tif", PAGES)
    store, ended, account = LateStore(keeps), [], []  # type: ignore[var-annotated]

    def answer(call: IncomingCall) -> Accept:
        assert (call.line, call.caller, call.dialled) == ("practice", "9990", "301")
        return Accept(CallParameters(Role.ANSWERS), MemoryOwner([], store, account.append, ended.append))

    async def work(rig: Rig) -> None:
        result = await rig.line.send_to_us(tmp_path / "out.tif", caller="9990", dialled="301")
        assert ended == [result]
        assert (result.cause is RECEIVED) == keeps
        assert result.pages_received == (2 if keeps else 0)

    on_rig(tmp_path, work, answer)
    assert same_pages(PAGES if keeps else [], store.rasters())
    assert account


def test_a_call_that_the_box_refuses_is_not_taken(tmp_path: Path) -> None:
    write_tiff(tmp_path / "out.tif", PAGES)

    async def work(rig: Rig) -> None:
        result = await rig.line.send_to_us(tmp_path / "out.tif", caller="9990")
        assert result.cause is NOT_RECEIVING

    on_rig(tmp_path, work)


def test_a_line_takes_no_more_calls_than_it_has_channels_however_slow_the_decision(tmp_path: Path) -> None:
    write_tiff(tmp_path / "out.tif", PAGES)
    asked: list[IncomingCall] = []
    decided = asyncio.Event()

    async def slowly(call: IncomingCall) -> Refuse:
        asked.append(call)
        await decided.wait()
        return Refuse(NOT_RECEIVING)

    async def work(rig: Rig) -> None:
        calls = [
            asyncio.create_task(rig.line.send_to_us(tmp_path / "out.tif", caller=f"999{each}"))
            for each in range(7)
        ]
        await rig.until(lambda: len(asked) + sum(call.done() for call in calls) == len(calls))
        decided.set()
        ends = [result.cause for result in await asyncio.gather(*calls)]
        assert len(asked) == PracticeSettings().calls_at_once
        assert sorted(set(map(id, ends))) == sorted(map(id, (NOT_RECEIVING, causes.LINE_FULL)))

    on_rig(tmp_path, work, slowly)  # type: ignore[arg-type] # it may take its time


def test_a_call_taken_when_its_line_has_stopped_meanwhile_has_ended(tmp_path: Path) -> None:
    ended: list[CallResult] = []

    async def run() -> None:
        asked = asyncio.Event()
        decide = asyncio.Event()

        async def slowly(_: IncomingCall) -> Accept:
            asked.set()
            await decide.wait()
            owner = MemoryOwner([], MemoryStore(), lambda _: None, ended.append)
            return Accept(CallParameters(Role.ANSWERS), owner)

        exchange = Exchange()
        port = free_port()
        trunk = SipTrunk(name="trunk", server="127.0.0.1:9", peers=("127.0.0.1",))
        sip = SipSettings(bind="127.0.0.1", udp_port=port)
        line = RemoteLine(exchange, LineSpec("trunk", trunk, sip, tmp_path / "arrivals"))
        exchange.start()
        caller = RawCall(port, "caller")
        try:
            await line.start(slowly)
            opening = asyncio.create_task(caller.open(sdp(audio())))
            await asked.wait()
            await line.stop()
            decide.set()
            assert (await opening).startswith("SIP/2.0 480")
            while not ended:
                await asyncio.sleep(0.02)
            assert exchange.calls_on("trunk") == 0
        finally:
            caller.close()
            await exchange.stop()

    async def bounded() -> None:
        async with asyncio.timeout(60.0):
            await run()

    asyncio.run(bounded())
    assert [result.cause for result in ended] == [causes.LINE_STOPPED]


def test_a_call_ends_as_cancelled_when_its_owner_cancels_before_or_during_it(tmp_path: Path) -> None:
    async def work(rig: Rig) -> None:
        call, owner = rig.call()
        placed = asyncio.create_task(rig.line.place(call, owner))
        await rig.until(lambda: bool(rig.account))
        owner.cancel()
        assert (await placed).cause is CANCELLED
        already, given_up = rig.call()
        given_up.cancel()
        assert (await rig.line.place(already, given_up)).cause is CANCELLED

    on_rig(tmp_path, work)


@pytest.mark.parametrize("threads", [True, False], ids=["as usual", "where no thread can be started"])
def test_calls_fail_when_the_process_dies_and_the_line_comes_back(tmp_path: Path, threads: bool) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    async def work(rig: Rig) -> None:
        placed = await rig.in_call()
        if not threads:
            asyncio.get_running_loop().run_in_executor = refuse  # type: ignore[assignment, method-assign]
        first = rig.exchange.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert (await placed).cause is causes.LINE_FAULT
        assert not rig.line.state().usable
        await rig.until(lambda: rig.line.state().usable)
        assert rig.exchange.pid != first
        assert (await rig.line.place(*rig.call())).cause is DELIVERED

    on_rig(tmp_path, work)


def test_an_incoming_fax_ends_when_the_process_dies(tmp_path: Path) -> None:
    write_tiff(tmp_path / "out.tif", PAGES)
    ended: list[CallResult] = []
    account: list[Progress] = []

    def answer(_: IncomingCall) -> Accept:
        return Accept(
            CallParameters(Role.ANSWERS), MemoryOwner([], LateStore(), account.append, ended.append)
        )

    async def work(rig: Rig) -> None:
        call = asyncio.create_task(rig.line.send_to_us(tmp_path / "out.tif", caller="9990"))
        await rig.until(lambda: bool(account))
        assert rig.exchange.pid is not None
        os.kill(rig.exchange.pid, signal.SIGKILL)
        assert (await call).cause is causes.LINE_FAULT
        assert [result.cause for result in ended] == [causes.LINE_FAULT]

    on_rig(tmp_path, work, answer)


def test_the_process_ends_with_the_box_and_takes_its_call_down(tmp_path: Path) -> None:
    """As after kill -9 of the box: the channel disappears without being closed."""

    async def work(rig: Rig) -> None:
        await rig.in_call()
        launched = rig.exchange._launched
        assert launched is not None
        assert rig.exchange._channel is not None
        rig.exchange._stopping = True
        rig.exchange._channel.close()
        await asyncio.get_running_loop().run_in_executor(None, launched.process.wait)
        assert launched.process.returncode == 0

    on_rig(tmp_path, work)


def test_signals_to_the_whole_group_leave_it_to_the_box_to_end_its_calls(tmp_path: Path) -> None:
    async def work(rig: Rig) -> None:
        placed = await rig.in_call()
        assert rig.exchange.pid is not None
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(rig.exchange.pid, number)
        assert (await placed).cause is DELIVERED

    on_rig(tmp_path, work)


def test_a_line_that_cannot_be_opened_says_so_and_disturbs_no_other(tmp_path: Path) -> None:
    async def work(rig: Rig) -> None:
        entry = SipTrunk(name="odd", server="sip.example.net")
        spec = LineSpec("odd", replace(entry, country_code="x" * 40), SipSettings(udp_port=None), tmp_path)
        odd = RemoteLine(rig.exchange, spec)
        await odd.start(lambda _: Refuse(NOT_RECEIVING))
        state = odd.state()
        assert not state.usable
        assert state.last_error
        assert (await rig.line.place(*rig.call())).cause is DELIVERED
        await odd.stop()

    on_rig(tmp_path, work)


@pytest.mark.parametrize("cause", [DELIVERED, causes.LINE_FAULT])
def test_a_row_of_the_table_is_the_same_object_in_every_process(cause: Cause) -> None:
    assert pickle.loads(pickle.dumps(cause)) is cause
    assert all(pickle.loads(pickle.dumps(row)) is row for row in all_causes())


def noted_after_the_box_has_died(folder: Path, when: Callable[[Progress], bool]) -> CallNotes:
    """What the next start reads of a call, as after kill -9 of the box once ``when`` holds for an event."""
    note = folder / "note"
    noted: list[CallNotes] = []

    async def work(rig: Rig) -> None:
        call, owner = rig.call()
        asyncio.create_task(rig.line.place(replace(call, confirmations=note), owner))  # noqa: RUF006
        await rig.until(lambda: any(map(when, rig.account)))
        launched, channel = rig.exchange._launched, rig.exchange._channel
        assert launched is not None
        assert channel is not None
        rig.exchange._stopping = True
        channel.close()
        noted.append(await asyncio.to_thread(read_notes, note, GONE_S))
        await asyncio.to_thread(launched.process.wait)

    on_rig(folder, work)
    return noted[0]


def test_what_is_confirmed_after_the_box_has_died_is_noted_for_its_next_start(tmp_path: Path) -> None:
    assert noted_after_the_box_has_died(tmp_path, ends_the_last_page) == CallNotes(len(PAGES))
    (arrived,) = (tmp_path / "arrivals").iterdir()
    assert same_pages(PAGES, tiff_rasters(arrived))


def test_call_that_ends_before_its_last_page_after_the_box_has_died_is_noted_as_such(tmp_path: Path) -> None:
    noted = noted_after_the_box_has_died(tmp_path, lambda line: line.event == "page_sending")
    assert noted.last_page_kept
    assert noted.pages < len(PAGES)


def test_page_that_is_being_confirmed_when_the_box_dies_is_noted(tmp_path: Path) -> None:
    noted = noted_after_the_box_has_died(
        tmp_path, lambda line: line.event == "frame_sent" and "PPS" in str(line.fields)
    )
    assert noted == CallNotes(1, last_page_kept=True)


class NoBox(Channel):
    """The channel to a box that has died."""

    def __init__(self) -> None: ...

    def send(self, message: object) -> None: ...


@pytest.mark.parametrize(("step", "noted"), [(16, CallNotes(0, last_page_kept=True)), (20, CallNotes(1))])
def test_call_that_is_left_before_its_last_page_is_noted_before_its_modem_hangs_up(
    tmp_path: Path, step: int, noted: CallNotes
) -> None:
    note = tmp_path / "note"
    with ThreadPoolExecutor(1) as writer:
        owner = RemoteOwner(1, NoBox(), None, lambda _: None, Confirmations(note, writer))
        modem = ByHand(lambda modem, number, answers: [] if modem.steps[number] == "H0" else None)
        fax = ModemFax(
            CallParameters(Role.CALLS),
            MemoryPages([sample_page(1, rows=40)]),
            MemoryStore(),
            ModemCall(number="5"),
            progress=owner.say,
        )
        play(fax, modem, then=(step, fax.cancel))
    assert read_notes(note) == noted


def test_each_page_that_was_confirmed_is_noted_before_the_box_hears_of_the_end(tmp_path: Path) -> None:
    note = tmp_path / "note"

    async def work(rig: Rig) -> None:
        call, owner = rig.call()
        assert (await rig.line.place(replace(call, confirmations=note), owner)).cause is DELIVERED
        assert read_notes(note) == CallNotes(len(PAGES))

    on_rig(tmp_path, work)


@pytest.mark.parametrize(
    ("octets", "pages"), [(b"", 0), (b"1\n2\n", 2), (b"1\n2", 1), (b"1\n\n\xff\n", 1), (b"\x00" * 40, 0)]
)
def test_torn_note_says_what_is_whole(tmp_path: Path, octets: bytes, pages: int) -> None:
    note = tmp_path / "note"
    assert read_notes(note) == CallNotes()
    note.write_bytes(octets)
    assert read_notes(note).pages == pages
