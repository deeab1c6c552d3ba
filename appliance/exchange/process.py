"""The exchange itself: ``python -m appliance.exchange.process FD``, started by ``Exchange`` in ``remote``.

One event loop with all calls, and nothing else that wants the interpreter: pages come ready-made from the
box, pages that came in go to it, what happens in a call is told to it.  It ends when its channel, the
socket with descriptor FD, does.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from appliance.causes import DELIVERED, LINE_FAULT, LINE_STOPPED, RECEIVED
from appliance.exchange.making import make_line
from appliance.exchange.messages import (
    AskToEndLastPage,
    CallEnded,
    CallOffered,
    CallProgress,
    CancelCall,
    Channel,
    CloseLine,
    EndAnswered,
    FetchPage,
    FromBox,
    KeepPage,
    LineClosed,
    LineOpened,
    LinesAre,
    LineSpec,
    OpenLine,
    PageKept,
    PageReady,
    PlaceCall,
    PracticeCallEnded,
    PracticeCallIn,
    RefuseCall,
    TakeCall,
)
from appliance.lines.datagram_driver import Paced, Pacing
from appliance.lines.line import (
    Answer,
    CancelSwitch,
    IncomingCall,
    KeepPackets,
    Line,
    LineState,
    OutgoingCall,
    Refuse,
)
from appliance.lines.packets import CallPackets
from appliance.lines.practice.settings import PracticeSettings
from appliance.lines.settings import LineSettings
from appliance.lines.sip.settings import SipTrunk
from appliance.t4.page import CodedPage
from appliance.t30.call import NoPages
from appliance.t30.parameters import Accepts, CallResult, Progress, ReceivedPage

if TYPE_CHECKING:
    from appliance.lines.sip.stack import SipStack

_log = logging.getLogger(__name__)

# The lines' states are looked at so often, seconds, and told when they changed; told in any case as a
# sign of life after so long.
LOOK_S = 0.5
SIGN_OF_LIFE_S = 5.0
# A packet that is due goes before all else on the machine: the lowest of the real-time priorities
# (sched(7)), for which systemd's LimitRTPRIO=1 is enough; where that is not given, this much before others
# (nice(2), LimitNICE=-10); where that is not either, as everybody.  The kernel keeps a share for others,
# should we ever run wild, and the box then ends us.
PRIORITY = 1
NICE = -10
# pjsua2's thread hands the interpreter over after so long, seconds (Python's own: 5 ms).
SWITCH_INTERVAL_S = 0.0005
# The box is gone: so long, seconds, for calls to end with DCN and for lines to let go.
FAREWELL_S = 3.0


@dataclass(slots=True)
class _Call:
    """A call, and what its engine has asked the box for, by ticket."""

    number: int
    channel: Channel
    switch: CancelSwitch = field(default_factory=CancelSwitch)
    decision: asyncio.Future[Answer | Refuse] | None = None
    pages: dict[int, Callable[[CodedPage | None, bool], None]] = field(default_factory=dict)
    kept: dict[int, Callable[[bool], None]] = field(default_factory=dict)
    leave: Callable[[bool], None] | None = None
    tickets: itertools.count[int] = field(default_factory=itertools.count)

    # An ``AskedPageSource`` and a ``PageStore``: the box's own, from afar.

    def fetch(self, number: int, accepts: Accepts, deliver: Callable[[CodedPage | None, bool], None]) -> None:
        ticket = next(self.tickets)
        self.pages[ticket] = deliver
        self.channel.send(FetchPage(self.number, ticket, number, accepts))

    def ask_to_end_last_page(self, given: Callable[[bool], None]) -> None:
        self.leave = given
        self.channel.send(AskToEndLastPage(self.number))

    def store(self, number: int, page: ReceivedPage, stored: Callable[[bool], None]) -> None:
        ticket = next(self.tickets)
        self.kept[ticket] = stored
        self.channel.send(KeepPage(self.number, ticket, number, page))

    def progress(self, line: Progress) -> None:
        self.channel.send(CallProgress(self.number, line))


class CallServer:
    """All lines and calls of the process."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lines: dict[str, Line] = {}
        self._faults: dict[str, str] = {}  # of lines that could not be made
        self._in_audio: dict[str, dict[str, bool]] = {}  # by line: numbers whose next call goes without T.38
        self._stack: SipStack | None = None
        self._calls: dict[int, _Call] = {}
        self._numbers = itertools.count(-1, -1)  # of calls that come in; the box counts upwards
        self._tasks: set[asyncio.Task[None]] = set()
        self._told: LinesAre | None = None
        self._told_at = 0.0

    async def serve(self) -> None:
        """Until the box is gone."""
        watch = asyncio.create_task(self._watch())
        while (message := await self._channel.receive()) is not None:
            self._obey(message)  # type: ignore[arg-type]
        watch.cancel()
        for call in list(self._calls.values()):
            call.switch.pull()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_S):
                await asyncio.gather(*(line.stop() for line in self._lines.values()), return_exceptions=True)

    def _obey(self, message: FromBox) -> None:
        match message:
            case OpenLine(spec):
                self._run(self._open(spec))
            case CloseLine(line):
                self._run(self._close(line))
            case PlaceCall(number):
                # At once: the next message may be about it.
                call = self._calls[number] = _Call(number, self._channel)
                self._run(self._place(call, message))
            case PracticeCallIn():
                self._run(self._practice(message))
            case _:
                known = self._calls.get(message.call)
                if known is not None:  # else it has just ended
                    self._of_call(known, message)

    def _of_call(self, call: _Call, message: FromBox) -> None:
        match message:
            case CancelCall():
                call.switch.pull()
            case PageReady(_, ticket, page, last):
                call.pages.pop(ticket)(page, last)
            case PageKept(_, ticket, ok):
                call.kept.pop(ticket)(ok)
            case EndAnswered(_, given):
                leave, call.leave = call.leave, None
                if leave is not None:
                    leave(given)
            case TakeCall(_, parameters, keep):
                kept = CallPackets(time.time()) if keep is not None else None
                pages = call if parameters.offers_pages else NoPages()
                self._decide(
                    call,
                    Answer(
                        parameters,
                        pages,
                        call,
                        ended=lambda result: self._over(call, result, kept, keep),
                        progress=call.progress,
                        cancel=call.switch,
                        tap=kept.tap if kept is not None else None,
                    ),
                )
            case RefuseCall(_, cause):
                del self._calls[call.number]
                self._decide(call, Refuse(cause))
            case _:
                raise TypeError(f"{message!r} is no message about a call")

    @staticmethod
    def _decide(call: _Call, decision: Answer | Refuse) -> None:
        if call.decision is not None and not call.decision.done():
            call.decision.set_result(decision)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- lines -----------------------------------------------------------------------------

    async def _open(self, spec: LineSpec) -> None:
        try:
            line = self._make(spec)
            self._lines[spec.name] = line
            await line.start(lambda call: self._knock(spec.name, call))
        except Exception as error:  # a line that fails leaves the others alone
            _log.exception("the line %s could not be opened", spec.name)
            self._faults[spec.name] = f"{type(error).__name__}: {error}"
        if not self._calls:
            _settle_down()
        self._tell()
        self._channel.send(LineOpened(spec.name))

    def _make(self, spec: LineSpec) -> Line:
        if _real_time(spec.settings):
            _before_others()
        if isinstance(spec.settings, PracticeSettings):
            from appliance.lines.practice.line import PracticeLine  # noqa: PLC0415 - only where it is on

            return PracticeLine(
                spec.name,
                speed=spec.settings.speed,
                capacity=spec.settings.calls_at_once,
                arrivals=spec.arrivals,
            )
        if isinstance(spec.settings, SipTrunk) and self._stack is None:
            from appliance.lines.sip.stack import SipStack  # noqa: PLC0415

            self._stack = SipStack(spec.sip)
        return make_line(spec.settings, self._stack, self._in_audio.setdefault(spec.name, {}))

    async def _close(self, name: str) -> None:
        line = self._lines.pop(name, None)
        self._faults.pop(name, None)
        self._in_audio.pop(name, None)
        if line is not None:
            try:
                await line.stop()
            except Exception:
                _log.exception("the line %s could not be closed", name)
        self._channel.send(LineClosed(name))

    async def _watch(self) -> None:
        while True:
            self._tell()
            await asyncio.sleep(LOOK_S)

    def _tell(self) -> None:
        """Tells how the lines are, when that is news."""
        states = {name: line.state() for name, line in self._lines.items()}
        states.update(
            {
                name: LineState(False, 0, 0, "The line could not be opened.", fault)
                for name, fault in self._faults.items()
            }
        )
        pacing = {name: _copy(line.pacing) for name, line in self._lines.items() if isinstance(line, Paced)}
        news, now = LinesAre(states, pacing), asyncio.get_running_loop().time()
        if news != self._told or now - self._told_at >= SIGN_OF_LIFE_S:
            self._told, self._told_at = news, now
            self._channel.send(news)

    # -- calls -----------------------------------------------------------------------------

    async def _place(self, call: _Call, order: PlaceCall) -> None:
        line = self._lines.get(order.line)
        if line is None:
            self._over(call, CallResult(LINE_STOPPED))
            return
        if order.audio:
            self._in_audio[order.line][order.number] = True
        kept = CallPackets(time.time()) if order.packets is not None else None
        outgoing = OutgoingCall(
            number=order.number,
            parameters=order.parameters,
            pages=call,
            store=call,
            progress=call.progress,
            cancel=call.switch,
            caller_number=order.caller_number,
            caller_name=order.caller_name,
            ring_s=order.ring_s,
            attempt=order.attempt,
            tap=kept.tap if kept is not None else None,
        )
        self._over(call, await self._guarded(line.place(outgoing)), kept, order.packets)

    async def _practice(self, order: PracticeCallIn) -> None:
        from appliance.lines.practice.line import PracticeLine  # noqa: PLC0415

        line = self._lines.get(order.line)
        result = CallResult(LINE_STOPPED)
        if isinstance(line, PracticeLine):
            result = await self._guarded(
                line.send_to_us(order.tiff, caller=order.caller, dialled=order.dialled)
            )
        self._channel.send(PracticeCallEnded(order.call, result))

    @staticmethod
    async def _guarded(call: Coroutine[Any, Any, CallResult]) -> CallResult:
        """A line that fails ends this call and no other."""
        try:
            return await call
        except Exception:
            _log.exception("a line failed in a call")
            return CallResult(LINE_FAULT)

    def _over(
        self,
        call: _Call,
        result: CallResult,
        kept: CallPackets | None = None,
        keep: KeepPackets | None = None,
    ) -> None:
        self._calls.pop(call.number, None)
        wrong = result.cause not in (DELIVERED, RECEIVED)
        if kept and keep is not None and (keep.always or wrong):
            asyncio.get_running_loop().run_in_executor(None, kept.write, keep.path)
        self._tell()  # before: whoever hears of the end finds the line free
        self._channel.send(CallEnded(call.number, result))

    def _knock(self, line: str, incoming: IncomingCall) -> asyncio.Future[Answer | Refuse]:
        """The line's ``IncomingHandler``: the box decides."""
        call = _Call(next(self._numbers), self._channel)
        call.decision = asyncio.get_running_loop().create_future()
        self._calls[call.number] = call
        self._channel.send(CallOffered(call.number, incoming))
        return call.decision


def _settle_down() -> None:
    """What is there now stays: the collector need not look through it in the middle of a call."""
    gc.collect()
    gc.freeze()


def _copy(pacing: Pacing) -> Pacing:
    return Pacing(pacing.steps, pacing.late, pacing.worst_s, pacing.unsent, pacing.strangers)


async def _live(descriptor: int) -> None:
    await CallServer(await Channel.over(socket.socket(fileno=descriptor))).serve()


def _real_time(settings: LineSettings | PracticeSettings) -> bool:
    """Whether the line's calls go by the clock; fast practice calls do not."""
    return not isinstance(settings, PracticeSettings) or settings.speed == 1.0


def _before_others() -> None:
    """From here on this process has what ``PRIORITY`` says."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    except OSError:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, NICE)


def main() -> None:
    """Entry point of the process: ``FD LEVEL``."""
    descriptor, level = int(sys.argv[1]), int(sys.argv[2])
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
    # The box ends us through the channel, when it has let calls end politely.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    asyncio.run(_live(descriptor))


if __name__ == "__main__":
    main()
