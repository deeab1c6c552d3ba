"""The box's side of the practice machines' process: starts it when needed, exchanges messages with it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.lines.practice.machine import MachineResult, MachineSettings
from appliance.lines.practice.messages import (
    Bye,
    MachineEnded,
    MachineOpened,
    OpenCall,
    Step,
    Stepped,
    from_line,
    to_line,
)
from appliance.lines.practice.network import Impairment
from appliance.lines.practice.room import MAX_LINE_OCTETS

# A Python process with spandsp is up in well under a second; a loaded board may take this long.
START_S = 20.0
# Without calls for this long the process ends, to free its memory.
IDLE_S = 60.0
# How long a process may take to end before it is killed.
STOP_S = 5.0


GOOD_NETWORK = Impairment(delay_s=0.0)


class MachineTroubleError(RuntimeError):
    """The practice machine could not be started, or its process died."""


@dataclass(slots=True)
class MachineCall:
    """A machine that is in a call."""

    number: int
    port: int
    ended: asyncio.Future[MachineResult | None]


def _ordinary() -> tuple[str, ...]:
    """The command prefix that starts a process without our real-time priority (util-linux, on every
    Debian).
    """
    return () if os.sched_getscheduler(0) == os.SCHED_OTHER else ("chrt", "--other", "0")


class MachineProcess:
    """The process and the calls in it.  For one asyncio loop."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()
        self._opening: dict[int, asyncio.Future[int]] = {}
        self._calls: dict[int, MachineCall] = {}
        self._stepped: asyncio.Future[None] | None = None
        self._idle: asyncio.TimerHandle | None = None

    async def open(
        self,
        settings: MachineSettings,
        *,
        stepped: bool = False,
        to_machine: Impairment = GOOD_NETWORK,
        from_machine: Impairment = GOOD_NETWORK,
        peer: tuple[str, int] | None = None,
    ) -> MachineCall:
        """Starts a machine on a socket of its own.

        Raises MachineTroubleError.
        """
        process = await self._running()
        loop = asyncio.get_running_loop()
        number = next(self._numbers)
        opened: asyncio.Future[int] = loop.create_future()
        call = MachineCall(number, 0, loop.create_future())
        self._opening[number] = opened
        self._calls[number] = call
        host, port = peer if peer is not None else ("", 0)
        self._write(process, OpenCall(number, settings, to_machine, from_machine, stepped, host, port))
        try:
            call.port = await asyncio.wait_for(opened, START_S)
        except TimeoutError:
            self._calls.pop(number, None)
            raise MachineTroubleError("the practice machines' process does not answer") from None
        finally:
            self._opening.pop(number, None)
        return call

    async def step(self, calls: Sequence[int], seconds: float) -> None:
        """Advances the machines of these calls by ``seconds``; returns when they have done so, or have ended.

        Only one call of this method at a time.
        """
        process = self._process
        if process is None or process.returncode is not None:
            return
        stepped = self._stepped = asyncio.get_running_loop().create_future()
        self._write(process, Step(tuple(calls), seconds))
        await stepped

    def bye(self, call: MachineCall) -> None:
        """The box has hung up."""
        if self._process is not None and call.number in self._calls:
            self._write(self._process, Bye(call.number))

    async def stop(self) -> None:
        """Ends the process; calls still up end with it."""
        process, self._process = self._process, None
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()
        if self._reading is not None:
            await self._reading
            self._reading = None

    # -- inside ---------------------------------------------------------------------------

    async def _running(self) -> asyncio.subprocess.Process:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        async with self._starting:
            if self._process is None or self._process.returncode is not None:
                self._process = await asyncio.create_subprocess_exec(
                    *_ordinary(),
                    sys.executable,
                    "-m",
                    "appliance.lines.practice.room",
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    limit=MAX_LINE_OCTETS,
                )
                self._reading = asyncio.create_task(self._read(self._process))
            return self._process

    def _write(self, process: asyncio.subprocess.Process, message: OpenCall | Bye | Step) -> None:
        assert process.stdin is not None
        with contextlib.suppress(ConnectionError):
            process.stdin.write(to_line(message))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            message = from_line(line)
            if isinstance(message, MachineOpened):
                self._settle(message.call, message.port)
            elif isinstance(message, Stepped):
                self._step_done()
            elif isinstance(message, MachineEnded):
                self._end(message)
        if self._process is process:
            self._process = None
        self._step_done()
        for number in list(self._calls):
            self._end(MachineEnded(number, None, "the practice machines' process ended"))

    def _step_done(self) -> None:
        if self._stepped is not None and not self._stepped.done():
            self._stepped.set_result(None)

    def _settle(self, number: int, port: int) -> None:
        opened = self._opening.get(number)
        if opened is not None and not opened.done():
            opened.set_result(port)

    def _end(self, message: MachineEnded) -> None:
        opened = self._opening.get(message.call)
        if opened is not None and not opened.done():
            opened.set_exception(MachineTroubleError(message.trouble))
        call = self._calls.pop(message.call, None)
        if call is not None and not call.ended.done():
            call.ended.set_result(message.result)
        if not self._calls and self._process is not None and self._idle is None:
            self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._rest)

    def _rest(self) -> None:
        self._idle = None
        if self._process is not None and not self._calls and not self._starting.locked():
            process, self._process = self._process, None
            assert process.stdin is not None
            process.stdin.close()
