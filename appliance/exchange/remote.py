"""The box's side: ``Exchange`` supervises the process, ``RemoteLine`` represents one of its lines.

If the exchange's process dies its calls end as failed, and a new one is started with the same lines.  If the
box dies the exchange notices that its channel is closed, and ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import subprocess
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from appliance.exchange import launching, messages
from appliance.exchange.launching import ChildProcess, Launched
from appliance.exchange.zone import set_zone
from appliance.lines.causes import LINE_FAULT, LINE_STOPPED
from appliance.lines.datagram_driver import Pacing
from appliance.lines.line import (
    STOPPED,
    Accept,
    IncomingHandler,
    LineKind,
    LineState,
    OutgoingCall,
    Refuse,
    Tap,
    decided,
)
from appliance.lines.settings import LineSettings
from appliance.lines.sip.settings import MediaChoice, SipTrunk
from appliance.t30.conversation import CallOwner, Ended
from appliance.t30.memory import MemoryOwner
from appliance.t30.parameters import CallResult

_log = logging.getLogger(__name__)

# How long the box waits for a line to open before it goes on, seconds: enough for a slow card or a booting
# modem.
OPEN_S = 30.0
# How long the box waits for a line to end its calls and close, seconds.
CLOSE_S = 20.0
# How long the process may take to end after its channel was closed before it is killed, seconds.
END_S = 5.0
# Seconds until a process that died is started again; doubled after each further death up to the second value,
# until a process has lived for the third.
AGAIN_S, AGAIN_MOST_S, SOUND_S = 0.5, 30.0, 60.0
# A process without a message for this long hangs and is killed, seconds.
SILENCE_S = 30.0
_STARTING = "The program that carries the calls is being started."


class RemoteLine:
    """A ``Line`` (``appliance.lines.line``) that runs in the exchange.

    ``place`` ignores ``tap``, because packets do not come to the box; ``OutgoingCall.packets`` makes the
    exchange store them.
    """

    def __init__(self, exchange: Exchange, spec: messages.LineSpec) -> None:
        self._exchange = exchange
        self.spec = spec
        self.on_incoming: IncomingHandler | None = None
        self.reported: LineState | None = None
        self.pacing = Pacing()

    @property
    def name(self) -> str:
        """The line's name in the settings."""
        return self.spec.name

    @property
    def kind(self) -> LineKind:
        """What carries its calls."""
        settings = self.spec.settings
        if isinstance(settings, SipTrunk):
            return LineKind.G711 if settings.media is MediaChoice.G711_ONLY else LineKind.T38
        return LineKind.MODEM if isinstance(settings, LineSettings) else LineKind.PRACTICE

    def state(self) -> LineState:
        """Its state as the exchange last reported it."""
        if self.on_incoming is None:
            return LineState(False, 0, 0, STOPPED)
        if self.reported is None:
            return LineState(False, 0, 0, _STARTING)
        # The exchange reports calls a moment after they begin.
        calls = max(self.reported.calls, self._exchange.calls_on(self.name))
        return replace(self.reported, calls=calls)

    async def start(self, on_incoming: IncomingHandler) -> None:
        """Opens the line in the exchange; calls that come in go to ``on_incoming``."""
        self.on_incoming = on_incoming
        await self._exchange.open(self)

    async def stop(self) -> None:
        """Closes the line in the exchange."""
        await self._exchange.close(self)
        self.on_incoming = self.reported = None

    async def place(self, call: OutgoingCall, owner: CallOwner, tap: Tap | None = None) -> CallResult:
        """Places a call over the line; returns its result when it has ended."""
        return await self._exchange.place(self, call, owner)

    async def send_to_us(self, tiff: Path, *, caller: str, dialled: str = "") -> CallResult:
        """Has a practice machine call the box with this TIFF file; returns the result for the box."""
        return await self._exchange.practice(self, tiff, caller, dialled)


@dataclass(frozen=True, slots=True)
class _Call:
    """A running call of this line."""

    line: str
    owner: CallOwner


@dataclass(slots=True)
class Exchange:
    """Starts and supervises the process.  For one asyncio loop.

    ``take`` and ``launch`` may be called before there is a loop, so that the process starts meanwhile.
    """

    _launched: Launched | None = None
    _channel: messages.Channel | None = None
    _lines: dict[str, RemoteLine] = field(default_factory=dict)
    _waits: dict[tuple[type, str], asyncio.Future[None]] = field(default_factory=dict)
    _calls: dict[int, _Call] = field(default_factory=dict)
    _ends: dict[int, asyncio.Future[CallResult]] = field(default_factory=dict)  # of calls placed here
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _keeping: asyncio.Task[None] | None = None
    last_message_at: float = 0.0  # when the last message of the process came, monotonic clock, seconds
    _stopping: bool = False
    _zone: str = ""  # the time zone of both processes

    @property
    def pid(self) -> int | None:
        """The process id, None without a process."""
        return self._launched.process.pid if self._launched is not None else None

    def take(self, launched: Launched) -> None:
        """Uses a process that was launched elsewhere."""
        self._launched = launched

    def launch(self) -> None:
        """Starts the process.  Raises OSError."""
        self._launched = launching.spawn(logging.getLogger().getEffectiveLevel())

    def start(self) -> None:
        """Begins to supervise the process.  On the loop."""
        self._keeping = asyncio.get_running_loop().create_task(self._keep())

    async def stop(self) -> None:
        """Ends the process and the calls that are still running."""
        self._stopping = True
        if self._channel is not None:
            self._channel.close()
        if self._keeping is not None:
            await self._keeping

    def abandon(self) -> None:
        """Ends a process that was launched or taken while ``start`` was never called."""
        if self._launched is not None:
            self._launched.sock.close()
            _reap(self._launched.process)
            self._launched = None

    def use_zone(self, name: str) -> None:
        """Sets the time zone of this process and of the other one, as ``zone.set_zone``."""
        if name == self._zone:
            return
        self._zone = name
        set_zone(name)
        if self._channel is not None:
            self._channel.send(messages.UseZone(name))

    # -- for the lines ---------------------------------------------------------------------

    async def open(self, line: RemoteLine) -> None:
        """Opens a line, also in each later process; waits ``OPEN_S`` at most."""
        self._lines[line.name] = line
        if self._channel is not None:
            self._channel.send(messages.OpenLine(line.spec))
        try:
            await self._answer(messages.LineOpened, line.name, OPEN_S)
        except TimeoutError:
            _log.warning("the line %s takes long to open", line.name)

    async def close(self, line: RemoteLine) -> None:
        """Closes a line; waits ``CLOSE_S`` at most."""
        if self._lines.pop(line.name, None) is None or self._channel is None:
            return
        self._channel.send(messages.CloseLine(line.name))
        try:
            await self._answer(messages.LineClosed, line.name, CLOSE_S)
        except TimeoutError:
            _log.warning("the line %s does not close", line.name)

    async def place(self, line: RemoteLine, call: OutgoingCall, owner: CallOwner) -> CallResult:
        """Carries a call to its end; cancelling the task cancels the call."""
        number = next(self._numbers)
        return await self._until_ended(line, messages.PlaceCall(number, line.name, call), owner)

    async def practice(self, line: RemoteLine, tiff: Path, caller: str, dialled: str) -> CallResult:
        """Has a practice machine call the box; returns the result for the box."""
        number = next(self._numbers)
        order = messages.PracticeCallIn(number, line.name, tiff, caller, dialled)
        return await self._until_ended(line, order, MemoryOwner())

    async def _until_ended(
        self, line: RemoteLine, order: messages.PlaceCall | messages.PracticeCallIn, owner: CallOwner
    ) -> CallResult:
        channel, number = self._channel, order.number
        if channel is None or line.name not in self._lines:
            return CallResult(LINE_STOPPED)
        ended: asyncio.Future[CallResult] = asyncio.get_running_loop().create_future()
        self._ends[number] = ended
        channel.send(order)
        self._join(channel, number, line.name, owner)
        try:
            return await ended
        finally:  # a call still listed here: this task was cancelled
            del self._ends[number]
            if self._calls.pop(number, None) is not None:
                channel.send(messages.CancelCall(number))

    def calls_on(self, line: str) -> int:
        """Number of calls of this line whose end has not been reported to the box."""
        return sum(1 for call in self._calls.values() if call.line == line)

    def _join(self, channel: messages.Channel, number: int, line: str, owner: CallOwner) -> None:
        """Connects the owner's replies and cancellation to the call in the exchange."""
        self._calls[number] = _Call(line, owner)
        owner.listen(lambda reply: channel.send(messages.OfCall(number, reply)))
        owner.on_cancel(lambda: channel.send(messages.CancelCall(number)))

    async def _answer(self, kind: type, line: str, limit_s: float) -> None:
        wait = self._waits[kind, line] = asyncio.get_running_loop().create_future()
        async with asyncio.timeout(limit_s):
            await wait

    def _answered(self, kind: type, line: str) -> None:
        wait = self._waits.pop((kind, line), None)
        if wait is not None and not wait.done():
            wait.set_result(None)

    # -- the process -----------------------------------------------------------------------

    async def _keep(self) -> None:
        pause = AGAIN_S
        while not self._stopping:
            begun = time.monotonic()
            try:
                if self._launched is None:
                    self.launch()
                await self._live()
            except OSError as error:
                _log.error("the program that carries the calls could not be started: %s", error)
            except Exception:
                _log.exception("a message of the program that carries the calls could not be handled")
            await self._lose()
            if self._stopping:
                return
            pause = AGAIN_S if time.monotonic() - begun > SOUND_S else min(2 * pause, AGAIN_MOST_S)
            await asyncio.sleep(pause)

    async def _live(self) -> None:
        """Serves one process from its first message to its last."""
        launched = self._launched
        assert launched is not None
        channel = self._channel = await messages.Channel.over(launched.sock)
        channel.send(messages.UseZone(self._zone))
        for line in self._lines.values():
            channel.send(messages.OpenLine(line.spec))
        watch = asyncio.get_running_loop().create_task(self._watch(launched.process))
        self.last_message_at = time.monotonic()
        try:
            while (message := await channel.receive()) is not None:
                self.last_message_at = time.monotonic()
                self._hear(channel, message)  # type: ignore[arg-type]
        finally:
            watch.cancel()

    async def _watch(self, process: ChildProcess) -> None:
        while True:
            due = time.monotonic() + SILENCE_S / 4
            await asyncio.sleep(SILENCE_S / 4)
            if time.monotonic() - due > messages.SIGN_OF_LIFE_S:
                self.last_message_at = time.monotonic()  # this loop was delayed: messages wait to be read
            elif time.monotonic() - self.last_message_at > SILENCE_S:
                _log.error("the program that carries the calls sends nothing any more, and is ended")
                process.kill()

    async def _lose(self) -> None:
        """The process has ended or is about to: waits for it, and ends its calls as failed."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        launched, self._launched = self._launched, None
        if launched is not None:
            try:
                code = await asyncio.get_running_loop().run_in_executor(None, _reap, launched.process)
            except RuntimeError:  # no thread can be started
                code = _reap(launched.process)
            if not self._stopping:
                _log.error("the program that carries the calls ended (%d) and is started again", code)
        for line in self._lines.values():
            line.reported = None
        for kind, name in list(self._waits):
            if kind is messages.LineClosed:
                self._answered(kind, name)
        for number in list(self._calls):
            self._over(number, CallResult(LINE_FAULT))

    # -- messages of the process -----------------------------------------------------------

    def _hear(self, channel: messages.Channel, message: messages.FromExchange) -> None:
        match message:
            case messages.LinesAre(states, pacing):
                for name, state in states.items():
                    if name in self._lines:
                        self._lines[name].reported = state
                        self._lines[name].pacing = pacing.get(name, Pacing())
            case messages.LineOpened(line) | messages.LineClosed(line):
                self._answered(type(message), line)
            case messages.CallOffered():
                task = asyncio.get_running_loop().create_task(self._decide(channel, message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case messages.OfCall(number, Ended(result)):
                self._over(number, result)
            case messages.OfCall(number, content):
                if number in self._calls:  # else the call was cancelled here
                    self._calls[number].owner.say(content)  # type: ignore[arg-type]

    def _over(self, number: int, result: CallResult) -> None:
        call, ended = self._calls.pop(number, None), self._ends.get(number)
        if ended is not None and not ended.done():
            ended.set_result(result)
        elif ended is None and call is not None:
            call.owner.say(Ended(result))

    async def _decide(self, channel: messages.Channel, offered: messages.CallOffered) -> None:
        line = self._lines.get(offered.incoming.line)
        decision: Accept | Refuse = Refuse(LINE_STOPPED)
        if line is not None and line.on_incoming is not None:
            try:
                decision = await decided(line.on_incoming(offered.incoming))
            except Exception:
                _log.exception("deciding about a call failed")
                decision = Refuse(LINE_FAULT)
        if channel is not self._channel:  # the process, and the call with it, has ended meanwhile
            if isinstance(decision, Accept):
                decision.owner.say(Ended(CallResult(LINE_FAULT)))
            return
        if isinstance(decision, Refuse):
            channel.send(messages.RefuseCall(offered.number, decision))
            return
        channel.send(messages.TakeCall(offered.number, decision.parameters, decision.packets))
        self._join(channel, offered.number, offered.incoming.line, decision.owner)


def _reap(process: ChildProcess) -> int:
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(END_S)
    process.kill()
    return process.wait()
