"""The practice line over real UDP sockets: its numbers, faxes from it, cancelling, a machine that dies."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.causes import CANCELLED, DELIVERED, RECEIVED, Side
from appliance.dispatch.causes import NOT_RECEIVING
from appliance.lines import causes
from appliance.lines.line import Accept, IncomingCall, LineState, OutgoingCall, Refuse
from appliance.lines.practice.line import PracticeArrival, PracticeLine
from appliance.lines.practice.numbers import PRACTICE_NUMBERS, script_for
from appliance.lines.practice.process import MachineCall
from appliance.t4.tiff import write_tiff
from appliance.t30.causes import HUNG_UP_AFTER_PAGE, HUNG_UP_DURING_PAGE, NO_FAX_ANSWERED
from appliance.t30.conversation import CallOwner
from appliance.t30.memory import MemoryOwner, MemoryStore
from appliance.t30.parameters import CallParameters, CallResult, Progress, Role
from tests.interop.harness import drawn_page, same_pages, tiff_rasters

pytestmark = pytest.mark.realtime

SPEED = 10.0
PAGES = [drawn_page(number, 400) for number in range(3)]


class Bench:
    """A line that is up, and what happened on it."""

    def __init__(self, folder: Path, **changes: object) -> None:
        self.arrivals: list[PracticeArrival] = []
        self.account: list[Progress] = []
        self.incoming: list[tuple[IncomingCall, MemoryStore]] = []
        self.ended: list[CallResult] = []
        self.refuse = False
        self.line = PracticeLine(
            arrivals=folder,
            on_arrival=self.arrivals.append,
            **{"speed": SPEED, **changes},  # type: ignore[arg-type]
        )

    def answer(self, call: IncomingCall) -> Accept | Refuse:
        if self.refuse:
            return Refuse(NOT_RECEIVING)
        store = MemoryStore()
        self.incoming.append((call, store))
        return Accept(CallParameters(Role.ANSWERS), MemoryOwner([], store, ended=self.ended.append))

    def call(self, number: str, attempt: int = 1, ring_s: float = 20.0) -> tuple[OutgoingCall, CallOwner]:
        parameters = CallParameters(Role.CALLS, station_id="+49 30 1")
        call = OutgoingCall(number, parameters, attempt=attempt, ring_s=ring_s)
        return call, MemoryOwner(PAGES, MemoryStore(), self.account.append)

    def heard(self, event: str) -> bool:
        """Whether one of our calls has come so far."""
        return event in {progress.event for progress in self.account}

    async def __aenter__(self) -> Bench:
        await self.line.start(self.answer)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.line.stop()


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # the bench ends what hangs
        await asyncio.sleep(0.01)


def on_bench(folder: Path, work: Callable[[Bench], Awaitable[None]], **changes: object) -> Bench:
    async def all_of_it() -> Bench:
        async with Bench(folder, **changes) as bench:
            await asyncio.wait_for(work(bench), 400)
        return bench

    return asyncio.run(all_of_it())


def test_each_practice_number_ends_with_its_documented_cause(tmp_path: Path) -> None:
    """Every practice number does what its row says, all at once."""
    results: dict[str, CallResult] = {}

    async def work(bench: Bench) -> None:
        numbers = [*PRACTICE_NUMBERS, "12345"]
        done = await asyncio.gather(*(bench.line.place(*bench.call(number)) for number in numbers))
        results.update(zip(numbers, done, strict=True))

    bench = on_bench(tmp_path, work)
    assert results["9990"].cause is DELIVERED
    assert results["9991"].cause is causes.BUSY
    assert results["9992"].cause is causes.NO_ANSWER
    assert results["9993"].cause in (HUNG_UP_DURING_PAGE, HUNG_UP_AFTER_PAGE)
    assert results["9993"].pages_sent == 1
    assert results["9994"].cause is NO_FAX_ANSWERED
    assert results["9995"].cause is DELIVERED
    assert results["9995"].frames_repeated > 0
    assert results["9996"].cause.side is Side.THEIRS
    assert results["9996"].pages_sent == 0
    assert results["9997"].cause is DELIVERED
    assert results["9998"].cause is DELIVERED
    assert results["9998"].ecm is False
    assert results["12345"].cause is causes.NUMBER_NOT_IN_SERVICE
    whole = {a.number: a.tiff for a in bench.arrivals if a.number in ("9990", "9995", "9997")}
    for number, tiff in whole.items():
        assert tiff is not None
        assert same_pages(PAGES, tiff_rasters(tiff)), number


def test_9993_takes_the_rest_on_the_second_attempt(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        assert (await bench.line.place(*bench.call("9993"))).cause is HUNG_UP_DURING_PAGE
        assert (await bench.line.place(*bench.call("9993", attempt=2))).cause is DELIVERED

    on_bench(tmp_path, work)


def test_a_fax_from_the_practice_line(tmp_path: Path) -> None:
    write_tiff(tmp_path / "out.tif", PAGES)

    async def work(bench: Bench) -> None:
        result = await bench.line.send_to_us(tmp_path / "out.tif", caller="9990", dialled="301")
        assert result.cause is RECEIVED
        assert bench.ended == [result]

    bench = on_bench(tmp_path / "in", work)
    call, store = bench.incoming[0]
    assert (call.caller, call.dialled, call.line) == ("9990", "301", "practice")
    assert same_pages(PAGES, store.rasters())


def test_a_fax_that_we_refuse(tmp_path: Path) -> None:
    write_tiff(tmp_path / "out.tif", PAGES)

    async def work(bench: Bench) -> None:
        bench.refuse = True
        result = await bench.line.send_to_us(tmp_path / "out.tif")
        assert result.cause is NOT_RECEIVING

    on_bench(tmp_path / "in", work)


@pytest.mark.parametrize("after_s", [0.01, 0.3, 0.8])
def test_a_practice_call_that_its_owner_cancels_ends_as_cancelled(tmp_path: Path, after_s: float) -> None:
    async def work(bench: Bench) -> None:
        call = bench.call("9990")
        asyncio.get_running_loop().call_later(after_s, call[1].cancel)
        assert (await bench.line.place(*call)).cause is CANCELLED

    on_bench(tmp_path, work)


def test_a_cancel_while_the_machine_is_made_ready(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        call = bench.call("9990")
        process = (await bench.line._carrier())._process
        opened = process.open

        async def slow_open(*arguments: Any, **more: Any) -> MachineCall:
            machine = await opened(*arguments, **more)
            call[1].cancel()
            return machine

        process.open = slow_open  # type: ignore[method-assign]
        assert (await bench.line.place(*call)).cause is CANCELLED
        assert not bench.heard("answered")

    on_bench(tmp_path, work)


def test_stopping_the_line_ends_its_calls(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        placed = asyncio.create_task(bench.line.place(*bench.call("9990")))
        ringing = asyncio.create_task(bench.line.place(*bench.call("9992", ring_s=2000)))
        await until(lambda: bench.heard("answered") and bench.line.state().calls == 2)
        await bench.line.stop()
        assert (await placed).cause is CANCELLED
        assert (await ringing).cause is causes.LINE_STOPPED
        assert not bench.line.state().usable
        assert (await bench.line.place(*bench.call("9990"))).cause is causes.LINE_STOPPED

    on_bench(tmp_path, work)


def test_more_calls_than_channels(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        results = await asyncio.gather(*(bench.line.place(*bench.call("9990")) for _ in range(3)))
        assert sorted(result.cause.code for result in results) == ["delivered", "delivered", "line_full"]

    on_bench(tmp_path, work, capacity=2)


def test_a_machine_process_that_dies_ends_its_calls_and_comes_back(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        placed = asyncio.create_task(bench.line.place(*bench.call("9990")))
        await until(lambda: bench.heard("answered"))
        process = (await bench.line._carrier())._process._process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        assert (await placed).cause.side is Side.THEIRS
        assert (await bench.line.place(*bench.call("9990"))).cause is DELIVERED

    on_bench(tmp_path, work)


def test_twenty_calls_at_once_are_all_paced_and_their_lateness_is_measured(tmp_path: Path) -> None:
    """In real time, for a while.  How late is the bench's question."""

    async def work(bench: Bench) -> None:
        calls = [bench.call("9990") for _ in range(20)]
        placed = [asyncio.create_task(bench.line.place(*call)) for call in calls]
        pacing = bench.line.pacing
        await until(lambda: pacing.steps > 300)
        for call in calls:
            call[1].cancel()
        await asyncio.gather(*placed)
        assert pacing.worst_s > 0
        assert pacing.unsent == 0

    on_bench(tmp_path, work, speed=1.0)


def test_the_state_says_how_it_is(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        state = bench.line.state()
        assert isinstance(state, LineState)
        assert state.usable
        assert state.calls == 0
        placed = asyncio.create_task(bench.line.place(*bench.call("9992", ring_s=40)))
        await until(lambda: bench.line.state().calls == 1)
        await placed
        assert bench.line.state().calls == 0

    on_bench(tmp_path, work)


def test_numbers_as_people_write_them() -> None:
    assert script_for("99-90") is script_for("9990") is PRACTICE_NUMBERS["9990"]
    assert script_for("+49 30 9990") is None
    assert script_for("") is None
