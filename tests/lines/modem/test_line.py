"""The line as in the daemon: pyserial on a pseudo-terminal with asyncio; behind it a soft modem."""

from __future__ import annotations

import asyncio
import grp
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.causes import CANCELLED, DELIVERED, RECEIVED
from appliance.language import say
from appliance.lines.causes import BUSY, LINE_FULL, LINE_STOPPED
from appliance.lines.line import Accept, IncomingCall, LineKind, OutgoingCall, Refuse
from appliance.lines.modem import causes
from appliance.lines.modem.answering import AnswerRules
from appliance.lines.modem.dialling import DialRules
from appliance.lines.modem.find import Candidate
from appliance.lines.modem.line import ModemLine
from appliance.lines.modem.opening import ModemSettings
from appliance.lines.modem.ring_monitor import RING_GAP_S
from appliance.t30.causes import INTERNAL_FAULT, SENDER_GAVE_UP
from appliance.t30.conversation import CallOwner
from appliance.t30.memory import MemoryOwner, MemoryStore
from appliance.t30.parameters import CallParameters, CallResult, Progress, Role
from tests.softmodem.fixtures import differing, open_directory, sample_page, tiff_rasters, write_tiff_g4
from tests.softmodem.quirky import SilentOnFtm, Wedges
from tests.softmodem.served import ServedExchange, served
from tests.softmodem.stations import FaxMachine, Telephone

pytestmark = pytest.mark.realtime

PAGES = [sample_page(41), sample_page(42)]
USABLE_S = 120.0


def outgoing(
    number: str,
    pages: list = PAGES,  # type: ignore[type-arg]
    *,
    progress: Callable[[Progress], None] = lambda _: None,
    **more: object,
) -> tuple[OutgoingCall, CallOwner]:
    call = OutgoingCall(number, CallParameters(Role.CALLS, station_id="+49 30 1"), **more)  # type: ignore[arg-type]
    return call, MemoryOwner(pages, progress=progress)


def nobody_calls(_: IncomingCall) -> Refuse:
    return Refuse(LINE_STOPPED)


def run(work: Callable[[], object]) -> None:
    asyncio.run(work())  # type: ignore[arg-type]


def test_the_line_finds_its_modem_sends_and_reports_its_state(tmp_path: Path) -> None:
    port, received = tmp_path / "faxmodem0", tmp_path / "received.tif"

    async def work() -> None:
        line = ModemLine("telephone", ModemSettings(port=str(port)))
        assert line.kind is LineKind.MODEM
        assert not line.state().usable
        await line.start(nobody_calls)
        assert await line.wait_usable(USABLE_S), line.state()
        assert line.modem is not None
        assert "spandsp" in line.state().sentence
        result = await line.place(*outgoing("2"))
        assert result.cause is DELIVERED
        assert await line.wait_usable(USABLE_S)
        again = await line.place(*outgoing("3"))
        assert again.cause is BUSY
        await line.stop()
        assert not line.state().usable

    with served() as exchange:
        exchange.plug_in(port, "1")
        machine = FaxMachine(receive=received)
        exchange.connect("2", machine)
        exchange.exchange.engaged.add("3")
        run(work)
        exchange.do(machine.close)
    assert [differing(a, b) for a, b in zip(PAGES, tiff_rasters(received), strict=True)] == [0, 0]


def test_the_line_answers_on_the_second_ring_and_knows_the_callers_number(tmp_path: Path) -> None:
    port, sent = tmp_path / "faxmodem0", tmp_path / "sent.tif"
    write_tiff_g4(sent, PAGES)
    store = MemoryStore()
    calls: list[IncomingCall] = []

    async def work(exchange: ServedExchange) -> None:
        ended: asyncio.Future[CallResult] = asyncio.get_running_loop().create_future()

        def knock(call: IncomingCall) -> Accept:
            calls.append(call)
            return Accept(CallParameters(Role.ANSWERS), MemoryOwner([], store, ended=ended.set_result))

        line = ModemLine("telephone", ModemSettings(port=str(port), answer=AnswerRules(rings=2)))
        await line.start(knock)
        assert await line.wait_usable(USABLE_S)
        machine = FaxMachine(calls="1", send=sent)
        exchange.connect("2", machine)
        result = await asyncio.wait_for(ended, 240)
        assert result.cause is RECEIVED
        assert await line.wait_usable(USABLE_S)
        await line.stop()
        exchange.do(machine.close)

    with served() as exchange:
        exchange.plug_in(port, "1")
        run(lambda: work(exchange))
    assert [call.caller for call in calls] == ["2"]
    assert [differing(a, b) for a, b in zip(PAGES, store.rasters(), strict=True)] == [0, 0]


@pytest.mark.parametrize(
    "rules",
    [AnswerRules(answer=False), AnswerRules(rings=1, kinds=frozenset({"2"}))],
    ids=["never", "other ring"],
)
def test_a_shared_line_is_left_to_the_telephone(tmp_path: Path, rules: AnswerRules) -> None:
    port = tmp_path / "faxmodem0"
    asked: list[IncomingCall] = []

    def knock(call: IncomingCall) -> Refuse:
        asked.append(call)
        return Refuse(causes.SHARED_LINE)

    async def work(exchange: ServedExchange) -> None:
        line = ModemLine("telephone", ModemSettings(port=str(port), answer=rules))
        await line.start(knock)
        assert await line.wait_usable(USABLE_S)
        machine = FaxMachine(calls="1")
        exchange.connect("2", machine)
        while line._ring_monitor is None or line._ring_monitor._rings < 4:
            await asyncio.sleep(0.05)
        result = await line.place(*outgoing("9"))
        assert result.cause is LINE_FULL  # it rings: dialling now would answer the call
        await line.stop()
        assert not any("answers" in entry for entry in exchange.exchange.account)
        exchange.do(machine.close)

    with served() as exchange:
        exchange.plug_in(port, "1")
        run(lambda: work(exchange))
    assert asked == []


@pytest.mark.parametrize("then", ["still rings", "rings no more", "another calls", "modem pulled out"])
def test_a_late_decision_takes_the_call_that_rang_and_no_other(tmp_path: Path, then: str) -> None:
    link, sent = tmp_path / "faxmodem0", tmp_path / "sent.tif"
    write_tiff_g4(sent, PAGES[:1])
    results = {
        "still rings": RECEIVED,
        "rings no more": SENDER_GAVE_UP,
        "another calls": SENDER_GAVE_UP,
        "modem pulled out": causes.MODEM_MISSING,
    }

    async def work(exchange: ServedExchange) -> None:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[CallResult] = loop.create_future()
        decision: asyncio.Future[Accept | Refuse] = loop.create_future()
        line = ModemLine("telephone", ModemSettings(port=str(link), answer=AnswerRules(rings=1)))
        offered = asyncio.Event()

        def knock(_: IncomingCall) -> asyncio.Future[Accept | Refuse]:
            offered.set()
            return decision

        port = exchange.plug_in(link, "1")
        await line.start(knock)
        assert await line.wait_usable(USABLE_S)
        machine = FaxMachine(calls="1", send=sent)
        exchange.connect("2", machine)
        await offered.wait()
        monitor = line._ring_monitor
        assert monitor is not None
        if then in ("rings no more", "another calls"):
            exchange.do(lambda: exchange.exchange.disconnect("2"))
            monitor.handle_timer(loop.time() + RING_GAP_S)
        if then == "another calls":
            exchange.connect("3", FaxMachine(calls="1"))
            while not monitor.ringing:
                await asyncio.sleep(0.02)
        if then == "modem pulled out":
            exchange.pull_out(port, "1", link)
            while line.state().usable:
                await asyncio.sleep(0.02)
        owner = MemoryOwner([], MemoryStore(), ended=ended.set_result)
        decision.set_result(Accept(CallParameters(Role.ANSWERS), owner))
        assert (await asyncio.wait_for(ended, 240)).cause is results[then]
        await line.stop()

    with served() as exchange:
        run(lambda: work(exchange))


def test_unanswered_invalid_busy_voice_and_dead_lines_have_causes_of_their_own(tmp_path: Path) -> None:
    port = tmp_path / "faxmodem0"

    async def work(exchange: ServedExchange) -> None:
        line = ModemLine("telephone", ModemSettings(port=str(port), rules=DialRules(prefix="")))
        await line.start(nobody_calls)

        async def cause(number: str, **more: object) -> str:
            assert await line.wait_usable(USABLE_S)
            return (await line.place(*outgoing(number, **more))).cause.code

        assert await cause("5") == "no_answer"  # rings out at the exchange
        assert await cause("12x") == "number_invalid"
        exchange.exchange.engaged.add("7")
        assert await cause("7") == "busy"
        exchange.connect("8", Telephone(answers=True))
        assert await cause("8", ring_s=5.0) == "no_fax_answered"
        exchange.exchange.dead.add("1")
        assert await cause("9") == "no_dial_tone"
        await line.stop()

    with served(30.0) as exchange:
        exchange.plug_in(port, "1")
        run(lambda: work(exchange))


def test_a_call_cancelled_in_mid_page_leaves_the_modem_usable(tmp_path: Path) -> None:
    port = tmp_path / "faxmodem0"

    async def work(exchange: ServedExchange) -> None:
        line = ModemLine("telephone", ModemSettings(port=str(port)))
        await line.start(nobody_calls)
        assert await line.wait_usable(USABLE_S)

        def watch(progress: Progress) -> None:
            text = str(dict(progress.fields).get("text", ""))
            if progress.event == "modem" and text == "AT+FTM=146":
                asyncio.get_running_loop().call_later(0.3, owner.cancel)

        call, owner = outgoing("2", [sample_page(1, rows=2200)], progress=watch)
        result = await line.place(call, owner)
        assert result.cause is CANCELLED
        assert await line.wait_usable(USABLE_S), line.state()
        await line.stop()

    with served(5.0) as exchange:
        exchange.plug_in(port, "1")
        machine = FaxMachine(receive=tmp_path / "x.tif")
        exchange.connect("2", machine)
        run(lambda: work(exchange))
        exchange.do(machine.close)


def test_a_modem_pulled_out_in_mid_page_ends_the_call_and_is_used_again_once_back(tmp_path: Path) -> None:
    link, received = tmp_path / "faxmodem0", tmp_path / "received.tif"

    async def work(exchange: ServedExchange) -> None:
        port = exchange.plug_in(link, "1")
        line = ModemLine("telephone", ModemSettings(port=str(link)))
        await line.start(nobody_calls)
        assert await line.wait_usable(USABLE_S)

        def watch(progress: Progress) -> None:
            if dict(progress.fields).get("text") == "AT+FTM=146":
                loop = asyncio.get_running_loop()
                loop.call_later(0.2, lambda: exchange.pull_out(port, "1", link))

        result = await line.place(*outgoing("2", [sample_page(1, rows=2200)], progress=watch))
        assert result.cause is causes.MODEM_UNPLUGGED
        assert not line.state().usable
        assert line.state().last_error.startswith("The modem went away")
        assert say(line.state().last_error, "de").startswith("Das Modem ist verschwunden")
        assert (await line.place(*outgoing("2"))).cause is causes.MODEM_MISSING
        second = FaxMachine(receive=received)
        exchange.do(lambda: exchange.exchange.disconnect("2"))
        exchange.connect("2", second)
        exchange.plug_in(link, "1")
        assert await line.wait_usable(USABLE_S), line.state()
        assert line.state().last_error == ""
        assert (await line.place(*outgoing("2"))).cause is DELIVERED
        await line.stop()
        exchange.do(second.close)

    with served(8.0) as exchange:
        machine = FaxMachine(receive=tmp_path / "first.tif")
        exchange.connect("2", machine)
        run(lambda: work(exchange))
        exchange.do(machine.close)
    assert [differing(a, b) for a, b in zip(PAGES, tiff_rasters(received), strict=True)] == [0, 0]


def test_a_wedged_modem_is_noticed_and_taken_back_when_it_answers_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = tmp_path / "faxmodem0"
    monkeypatch.setattr("appliance.lines.modem.ring_monitor.PING_EVERY_S", 0.3)
    monkeypatch.setattr("appliance.lines.modem.ring_monitor.PING_S", 0.3)
    modem = Wedges()

    async def work() -> None:
        line = ModemLine("telephone", ModemSettings(port=str(port)))
        await line.start(nobody_calls)
        assert await line.wait_usable(USABLE_S)
        modem.wedged = True
        while line.state().usable:
            await asyncio.sleep(0.05)
        assert line.state().last_error == "The modem stopped answering."
        assert (await line.place(*outgoing("2"))).cause is causes.MODEM_MISSING
        modem.wedged = False
        assert await line.wait_usable(USABLE_S)
        await line.stop()

    with served() as exchange:
        exchange.plug_in(port, "1", modem)
        run(lambda: asyncio.wait_for(work(), 240))


def test_a_modem_that_dies_in_a_call_fails_the_call_and_is_reset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = tmp_path / "faxmodem0"
    monkeypatch.setattr("appliance.lines.modem.limits.ANSWER_S", 1.0)

    async def work() -> None:
        line = ModemLine("telephone", ModemSettings(port=str(port)))
        await line.start(nobody_calls)
        assert await line.wait_usable(USABLE_S)
        assert (await line.place(*outgoing("2"))).cause is causes.MODEM_SILENT
        assert await line.wait_usable(USABLE_S)  # it answers AT again, and is given another chance
        await line.stop()

    with served() as exchange:
        exchange.plug_in(port, "1", SilentOnFtm())
        machine = FaxMachine(receive=tmp_path / "x.tif")
        exchange.connect("2", machine)
        run(work)
        exchange.do(machine.close)


def test_a_port_that_is_not_there_is_a_state_and_no_error(tmp_path: Path) -> None:
    async def work() -> None:
        line = ModemLine("telephone", ModemSettings(port=str(tmp_path / "nothing")))
        await line.start(nobody_calls)
        while "not there" not in line.state().sentence:
            await asyncio.sleep(0.05)
        assert (await line.place(*outgoing("2"))).cause is causes.MODEM_MISSING
        await line.stop()

    run(work)


def test_a_modem_that_is_plugged_in_is_taken_long_before_the_next_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("appliance.lines.modem.line.RETRY_S", (600.0,))

    async def work(exchange: ServedExchange) -> None:
        line = ModemLine("telephone", ModemSettings(port=str(tmp_path / "modem")))
        await line.start(nobody_calls)
        assert not await line.wait_usable(1.5)
        exchange.plug_in(tmp_path / "modem", "1")
        assert await line.wait_usable(USABLE_S), line.state()
        await line.stop()

    with served() as exchange:
        run(lambda: work(exchange))


def test_a_port_in_use_is_left_to_its_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = tmp_path / "faxmodem0"

    async def work() -> None:
        first = ModemLine("first", ModemSettings(port=str(port)))
        second = ModemLine("second", ModemSettings(port=str(port)))
        await first.start(nobody_calls)
        assert await first.wait_usable(USABLE_S)
        await second.start(nobody_calls)
        while "used by another line of the box" not in second.state().sentence:
            await asyncio.sleep(0.05)
        await second.stop()
        third = ModemLine("third", ModemSettings())
        with monkeypatch.context() as patch:
            patch.setattr(
                "appliance.lines.modem.opening.candidates", lambda _: [Candidate(str(port), "a modem")]
            )
            await third.start(nobody_calls)
            while "that no other line uses" not in third.state().sentence:
                await asyncio.sleep(0.05)
            await third.stop()
        await first.stop()

    with served() as exchange:
        exchange.plug_in(port, "1")
        run(work)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become an ordinary user")
def test_the_line_works_for_an_ordinary_user_in_group_dialout(tmp_path: Path) -> None:
    received = tmp_path / "received.tif"
    program = Path(__file__).with_name("ordinary_user.py")
    with open_directory() as directory, served() as exchange:
        port = directory / "faxmodem0"
        exchange.plug_in(port, "1")
        os.chown(port.resolve(), 0, grp.getgrnam("dialout").gr_gid)  # as udev makes it
        machine = FaxMachine(receive=received)
        exchange.connect("2", machine)
        done = subprocess.run(
            [sys.executable, str(program), str(port), "2"],
            timeout=240,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        )
        time.sleep(0.2)
        exchange.do(machine.close)
    assert done.stdout.strip().splitlines()[-1:] == ["delivered"], done.stdout + done.stderr
    assert differing(sample_page(41), tiff_rasters(received)[0]) == 0


def test_a_bug_of_ours_ends_the_call_by_its_name_and_the_line_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = tmp_path / "faxmodem0"

    def broken(*_: object) -> None:
        raise RuntimeError("as if there were a bug")

    async def work() -> None:
        line = ModemLine("telephone", ModemSettings(port=str(port)))
        await line.start(nobody_calls)
        assert await line.wait_usable(USABLE_S)
        with monkeypatch.context() as patch:
            patch.setattr("appliance.lines.modem.class1.ClassOneDce.handle_port", broken)
            result = await line.place(*outgoing("2"))
        assert result.cause is INTERNAL_FAULT
        assert await line.wait_usable(USABLE_S), line.state()
        await line.stop()

    with served() as exchange:
        exchange.plug_in(port, "1")
        machine = FaxMachine(receive=tmp_path / "x.tif")
        exchange.connect("2", machine)
        run(work)
        exchange.do(machine.close)
