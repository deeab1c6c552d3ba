"""An INVITE gets a final response whatever fails in the box; otherwise it would occupy the stack for good."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from appliance.lines.causes import LINE_FAULT
from appliance.lines.line import Accept, IncomingCall, Refuse
from appliance.lines.sip import ports
from appliance.lines.sip.errors import SipOrderError
from appliance.lines.sip.thread import SipThread
from tests.lines.sip.box_process import RawCall
from tests.lines.sip.rig import Box, Outcome, send
from tests.lines.sip.sipp import Sipp, audio, caller_request, calling, expect_status, needs_sipp, sdp
from tests.ports import free_port

USER = "5550199"
HANGS_S = 20.0  # only what hangs takes as long


def refused_caller(box: Box, folder: Path, code: int) -> Sipp:
    steps = (
        caller_request("INVITE", 1, sdp(audio()), first=True, user=USER),
        expect_status(100, optional=True),
        expect_status(code),
        caller_request("ACK", 1, user=USER),
    )
    return Sipp(folder, "refused", calling(*steps), free_port(), f"127.0.0.1:{box.port}")


@needs_sipp
@pytest.mark.realtime
def test_call_for_which_the_system_has_no_socket_is_refused_and_its_owner_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_socket(*_: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    async def run() -> tuple[str, Outcome]:
        async with Box() as box:
            line = await box.line("in", "127.0.0.1:9")
            system = SimpleNamespace(**{**vars(socket), "socket": no_socket})
            monkeypatch.setattr(ports, "socket", system)
            sipp = refused_caller(box, tmp_path, 500)
            await sipp.start()
            words = await sipp.finish()
            assert line.state().calls == 0
            return words, await asyncio.wait_for(box.expected(USER), HANGS_S)

    words, outcome = asyncio.run(run())
    assert not words
    assert outcome.result.cause is LINE_FAULT


@needs_sipp
@pytest.mark.realtime
def test_call_that_waits_for_a_decision_is_refused_when_its_trunk_stops(tmp_path: Path) -> None:
    async def run() -> str:
        async with Box() as box:
            waits = asyncio.Event()

            async def never() -> Refuse:
                waits.set()
                await asyncio.Event().wait()
                raise AssertionError("nobody decides")

            await box.line("other", "127.0.0.2:9")  # keeps the stack up
            box.decide = lambda _: never()  # type: ignore[assignment,return-value] # it may take its time
            line = await box.line("in", "127.0.0.1:9")
            sipp = refused_caller(box, tmp_path, 480)
            await sipp.start()
            async with asyncio.timeout(HANGS_S):
                await waits.wait()
            await line.stop()
            return await sipp.finish()

    assert not asyncio.run(run())


@pytest.mark.realtime
def test_no_more_calls_than_the_trunk_has_channels_however_long_each_decision_takes() -> None:
    channels, callers = 2, 7

    async def run() -> tuple[list[str], int]:
        async with Box() as box:
            decide = asyncio.Event()
            answers = box._knock

            async def slowly(call: IncomingCall) -> Accept | Refuse:
                await decide.wait()
                return answers(call)

            box._knock = slowly  # type: ignore[method-assign,assignment]
            line = await box.line("in", "127.0.0.1:9", peers=("127.0.0.1",), calls_at_once=channels)
            calls = [RawCall(box.port, f"caller{number}") for number in range(callers)]
            opening = [asyncio.create_task(call.open(sdp(audio()))) for call in calls]
            async with asyncio.timeout(HANGS_S):
                while sum(task.done() for task in opening) < callers - channels:
                    await asyncio.sleep(0.05)
            assert line.state().calls == channels  # nobody is told of a channel that is not free
            decide.set()
            said = [text.split("\r\n")[0] for text in await asyncio.gather(*opening)]
            up = line.state().calls
            for call in calls:
                call.hang_up()
                call.close()
            return said, up

    said, up = asyncio.run(run())
    assert sorted(line.split()[1] for line in said) == ["200"] * channels + ["486"] * (callers - channels)
    assert up == channels


@pytest.mark.realtime
@pytest.mark.parametrize("turns", [1, 3, 30])
def test_call_given_up_while_it_is_being_dialled_leaves_no_invite_without_an_owner(turns: int) -> None:
    async def run() -> tuple[list[str], int]:
        heard: list[str] = []
        invited = ""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
            far.setblocking(False)
            far.bind(("127.0.0.1", 0))
            async with Box() as box:
                line = await box.line("far", f"127.0.0.1:{far.getsockname()[1]}")
                placing = asyncio.create_task(send(line))
                for _ in range(turns):
                    await asyncio.sleep(0.001 if turns > 3 else 0)
                placing.cancel()
                until = time.monotonic() + 3.0
                while time.monotonic() < until:
                    try:
                        octets, source = far.recvfrom(65535)
                    except BlockingIOError:
                        await asyncio.sleep(0.02)
                        continue
                    request = octets.decode()
                    heard.append(request.split()[0])
                    far.sendto(_answer(request, "180 Ringing" if heard[-1] == "INVITE" else "200 OK"), source)
                    if heard[-1] == "CANCEL":
                        far.sendto(_answer(invited, "487 Request Terminated"), source)
                    elif heard[-1] == "INVITE":
                        invited = request
                return heard, len(box.stack.calls)

    heard, left = asyncio.run(run())
    assert ("INVITE" in heard) is ("CANCEL" in heard), heard
    assert left == 0


def _answer(request: str, status: str) -> bytes:
    names = ("Via", "From", "To", "Call-ID", "CSeq")
    kept = [line for line in request.split("\r\n") if line.partition(":")[0] in names]
    kept = [f"{line};tag=far" if line.startswith("To:") else line for line in kept]
    return ("\r\n".join([f"SIP/2.0 {status}", *kept, "Content-Length: 0"]) + "\r\n\r\n").encode()


class _Broken:
    """Opens, and then fails."""

    def __init__(self) -> None:
        self.fails = False

    def open(self) -> int:
        return -1

    def work(self, now: float) -> None:
        if self.fails:
            raise RuntimeError("broken")

    def stopped(self, now: float) -> bool:
        return True

    def close(self) -> None:
        pass


def test_nobody_waits_for_a_sip_thread_that_failed() -> None:
    def break_it(worker: _Broken) -> Callable[[], None]:
        def order() -> None:
            worker.fails = True
            time.sleep(0.05)  # the next question is there before the thread fails

        return order

    async def run() -> None:
        worker = _Broken()
        thread = SipThread(worker)
        await thread.start()

        async def ask_for_ever() -> None:
            async with asyncio.timeout(HANGS_S):
                while True:
                    await thread.ask(lambda: None)

        assert await thread.ask(lambda: 7) == 7
        thread.post(break_it(worker))
        for _ in range(2):  # once while it ends, once afterwards
            with pytest.raises(SipOrderError, match="has ended"):
                await ask_for_ever()
        await thread.stop()

    asyncio.run(run())
