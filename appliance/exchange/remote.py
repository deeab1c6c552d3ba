"""The box's side: ``Exchange`` keeps the process alive, ``RemoteLine`` is a line in it.

Should the process die, its calls have failed, whoever waits for them hears so, and a new one is started
with the same lines.  Should this process die, the exchange notices by its channel, and ends.
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

from appliance.exchange import launching
from appliance.exchange.launching import ChildProcess, Launched
from appliance.exchange.messages import (
    SIGN_OF_LIFE_S,
    CallOffered,
    CancelCall,
    Channel,
    CloseLine,
    FromExchange,
    LineClosed,
    LineOpened,
    LinesAre,
    LineSpec,
    OfCall,
    OpenLine,
    PlaceCall,
    PracticeCallIn,
    RefuseCall,
    TakeCall,
)
from appliance.lines.causes import LINE_FAULT, LINE_STOPPED
from appliance.lines.datagram_driver import Pacing
from appliance.lines.line import (
    Answer,
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

# A line gets so long to open, seconds, before the box goes on without waiting for it: a slow card, a modem
# that boots.
OPEN_S = 30.0
# A line that closes ends its calls first.
CLOSE_S = 20.0
# The process ends by itself when its channel is closed.
END_S = 5.0
# A process that died is started again after so long; after each further death twice as long, at most the
# second figure, until one has lived for the third.
AGAIN_S, AGAIN_MOST_S, SOUND_S = 0.5, 30.0, 60.0
# It gives signs of life; silent for so long it hangs, and is ended.
SILENCE_S = 30.0
_STARTING = "The program that carries the calls is being started."


class RemoteLine:
    """A ``Line`` (appliance.lines.line) that lives in the exchange.

    Packets are not seen here: ``tap`` is not used, ``packets`` of a call is.  The rest is as the line itself
    has it.
    """

    def __init__(self, exchange: Exchange, spec: LineSpec) -> None:
        self._exchange = exchange
        self.spec = spec
        self.on_incoming: IncomingHandler | None = None
        self.reported: LineState | None = None
        self.pacing = Pacing()

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def kind(self) -> LineKind:
        settings = self.spec.settings
        if isinstance(settings, SipTrunk):
            return LineKind.G711 if settings.media is MediaChoice.G711_ONLY else LineKind.T38
        return LineKind.MODEM if isinstance(settings, LineSettings) else LineKind.PRACTICE

    def state(self) -> LineState:
        if self.on_incoming is None:
            return LineState(False, 0, 0, "The line is stopped.")
        if self.reported is None:
            return LineState(False, 0, 0, _STARTING)
        # The line tells of its calls a moment after they begin.
        calls = max(self.reported.calls, self._exchange.calls_on(self.name))
        return replace(self.reported, calls=calls)

    async def start(self, on_incoming: IncomingHandler) -> None:
        self.on_incoming = on_incoming
        await self._exchange.open(self)

    async def stop(self) -> None:
        await self._exchange.close(self)
        self.on_incoming = self.reported = None

    async def place(self, call: OutgoingCall, owner: CallOwner, tap: Tap | None = None) -> CallResult:
        return await self._exchange.place(self, call, owner)

    async def send_to_us(self, tiff: Path, *, caller: str, dialled: str = "") -> CallResult:
        """A practice machine calls the box with this TIFF; how the call ended for the box."""
        return await self._exchange.practice(self, tiff, caller, dialled)


@dataclass(frozen=True, slots=True)
class _Call:
    """A call that is up, on this line."""

    line: str
    owner: CallOwner


@dataclass(slots=True)
class Exchange:
    """Starts the process and keeps it; for one asyncio loop.

    ``take`` and ``launch`` may be called before there is a loop, so that the process comes up meanwhile.
    """

    _launched: Launched | None = None
    _channel: Channel | None = None
    _lines: dict[str, RemoteLine] = field(default_factory=dict)
    _waits: dict[tuple[type, str], asyncio.Future[None]] = field(default_factory=dict)
    _calls: dict[int, _Call] = field(default_factory=dict)
    _ends: dict[int, asyncio.Future[CallResult]] = field(default_factory=dict)  # of calls placed here
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _keeping: asyncio.Task[None] | None = None
    heard_at: float = 0.0  # when the process last spoke, monotonic clock
    _stopping: bool = False

    @property
    def pid(self) -> int | None:
        """The process as the system knows it, None without one."""
        return self._launched.process.pid if self._launched is not None else None

    def take(self, launched: Launched) -> None:
        """Carries on with a process that has been launched already."""
        self._launched = launched

    def launch(self) -> None:
        """Starts the process.  Raises OSError."""
        self._launched = launching.spawn(logging.getLogger().getEffectiveLevel())

    def start(self) -> None:
        """On the loop: from here on the process is kept alive."""
        self._keeping = asyncio.get_running_loop().create_task(self._keep())

    async def stop(self) -> None:
        """Ends the process; calls that are still up end with it."""
        self._stopping = True
        if self._channel is not None:
            self._channel.close()
        if self._keeping is not None:
            await self._keeping

    def abandon(self) -> None:
        """Ends a process that was launched and never started; nothing when it has ended."""
        if self._launched is not None:
            self._launched.sock.close()
            _reap(self._launched.process)
            self._launched = None

    # -- for the lines ---------------------------------------------------------------------

    async def open(self, line: RemoteLine) -> None:
        self._lines[line.name] = line
        if self._channel is not None:
            self._channel.send(OpenLine(line.spec))
        try:
            await self._answer(LineOpened, line.name, OPEN_S)
        except TimeoutError:
            _log.warning("the line %s takes long to open", line.name)

    async def close(self, line: RemoteLine) -> None:
        if self._lines.pop(line.name, None) is None or self._channel is None:
            return
        self._channel.send(CloseLine(line.name))
        try:
            await self._answer(LineClosed, line.name, CLOSE_S)
        except TimeoutError:
            _log.warning("the line %s does not close", line.name)

    async def place(self, line: RemoteLine, call: OutgoingCall, owner: CallOwner) -> CallResult:
        number = next(self._numbers)
        return await self._until_ended(line, PlaceCall(number, line.name, call), owner)

    async def practice(self, line: RemoteLine, tiff: Path, caller: str, dialled: str) -> CallResult:
        number = next(self._numbers)
        order = PracticeCallIn(number, line.name, tiff, caller, dialled)
        return await self._until_ended(line, order, MemoryOwner())

    async def _until_ended(
        self, line: RemoteLine, order: PlaceCall | PracticeCallIn, owner: CallOwner
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
        finally:  # if cancelled, nobody waits for its end any more
            del self._ends[number]
            if self._calls.pop(number, None) is not None:
                channel.send(CancelCall(number))

    def calls_on(self, line: str) -> int:
        """Calls of this line that the box placed or took, and whose end it has not heard of."""
        return sum(1 for call in self._calls.values() if call.line == line)

    def _join(self, channel: Channel, number: int, line: str, owner: CallOwner) -> None:
        """From here on replies and the owner's wish to end the call go to the exchange."""
        self._calls[number] = _Call(line, owner)
        owner.listen(lambda reply: channel.send(OfCall(number, reply)))
        owner.on_cancel(lambda: channel.send(CancelCall(number)))

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
                _log.exception("what the program that carries the calls said could not be dealt with")
            await self._lose()
            if self._stopping:
                return
            pause = AGAIN_S if time.monotonic() - begun > SOUND_S else min(2 * pause, AGAIN_MOST_S)
            await asyncio.sleep(pause)

    async def _live(self) -> None:
        """One process from its first message to its last."""
        launched = self._launched
        assert launched is not None
        channel = self._channel = await Channel.over(launched.sock)
        for line in self._lines.values():
            channel.send(OpenLine(line.spec))
        watch = asyncio.get_running_loop().create_task(self._watch(launched.process))
        self.heard_at = time.monotonic()
        try:
            while (message := await channel.receive()) is not None:
                self.heard_at = time.monotonic()
                self._hear(channel, message)  # type: ignore[arg-type]
        finally:
            watch.cancel()

    async def _watch(self, process: ChildProcess) -> None:
        while True:
            due = time.monotonic() + SILENCE_S / 4
            await asyncio.sleep(SILENCE_S / 4)
            if time.monotonic() - due > SIGN_OF_LIFE_S:
                self.heard_at = time.monotonic()  # we were held up ourselves: what it said waits to be read
            elif time.monotonic() - self.heard_at > SILENCE_S:
                _log.error("the program that carries the calls says nothing any more, and is ended")
                process.kill()

    async def _lose(self) -> None:
        """The process is gone, or about to go: its calls have ended."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        launched, self._launched = self._launched, None
        if launched is not None:
            code = await asyncio.get_running_loop().run_in_executor(None, _reap, launched.process)
            if not self._stopping:
                _log.error("the program that carries the calls ended (%d) and is started again", code)
        for line in self._lines.values():
            line.reported = None
        for kind, name in list(self._waits):
            if kind is LineClosed:
                self._answered(kind, name)
        for number in list(self._calls):
            self._over(number, CallResult(LINE_FAULT))

    # -- what the process says -------------------------------------------------------------

    def _hear(self, channel: Channel, message: FromExchange) -> None:
        match message:
            case LinesAre(states, pacing):
                for name, state in states.items():
                    if name in self._lines:
                        self._lines[name].reported = state
                        self._lines[name].pacing = pacing.get(name, Pacing())
            case LineOpened(line) | LineClosed(line):
                self._answered(type(message), line)
            case CallOffered():
                task = asyncio.get_running_loop().create_task(self._decide(channel, message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case OfCall(number, Ended(result)):
                self._over(number, result)
            case OfCall(number, said):
                if number in self._calls:  # else nobody listens any more
                    self._calls[number].owner.say(said)  # type: ignore[arg-type]

    def _over(self, number: int, result: CallResult) -> None:
        call, ended = self._calls.pop(number, None), self._ends.get(number)
        if ended is not None and not ended.done():
            ended.set_result(result)
        elif ended is None and call is not None:
            call.owner.say(Ended(result))

    async def _decide(self, channel: Channel, offered: CallOffered) -> None:
        line = self._lines.get(offered.incoming.line)
        decision: Answer | Refuse = Refuse(LINE_STOPPED)
        if line is not None and line.on_incoming is not None:
            try:
                decision = await decided(line.on_incoming(offered.incoming))
            except Exception:
                _log.exception("deciding about a call failed")
                decision = Refuse(LINE_FAULT)
        if channel is not self._channel:  # the process, and the call with it, went while this was decided
            if isinstance(decision, Answer):
                decision.owner.say(Ended(CallResult(LINE_FAULT)))
            return
        if isinstance(decision, Refuse):
            channel.send(RefuseCall(offered.number, decision))
            return
        channel.send(TakeCall(offered.number, decision.parameters, decision.packets))
        self._join(channel, offered.number, offered.incoming.line, decision.owner)


def _reap(process: ChildProcess) -> int:
    with contextlib.suppress(subprocess.TimeoutExpired):
        return process.wait(END_S)
    process.kill()
    return process.wait()
