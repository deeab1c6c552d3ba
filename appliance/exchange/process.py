"""The process of the exchange: ``live``, started by ``launching`` and supervised by ``remote.Exchange``.

One event loop carries all calls, and nothing else uses the interpreter: coded pages come from the box,
received pages and progress events go to it.  The process ends when its channel to the box is closed.
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
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

from appliance.causes import DELIVERED, RECEIVED
from appliance.exchange import messages
from appliance.exchange.confirmations import Confirmations
from appliance.exchange.making import make_line
from appliance.exchange.zone import set_zone
from appliance.lines.causes import LINE_FAULT, LINE_STOPPED
from appliance.lines.datagram_driver import Paced
from appliance.lines.line import NOT_OPENED, Accept, IncomingCall, KeepPackets, Line, LineState, Refuse, Tap
from appliance.lines.packets import CallPackets
from appliance.lines.practice.settings import PracticeSettings
from appliance.lines.settings import LineSettings
from appliance.lines.sip.settings import SipTrunk
from appliance.t30.conversation import CallOwner, Ended, FromCall
from appliance.t30.parameters import CallParameters, CallResult, Progress

if TYPE_CHECKING:
    from appliance.lines.sip.stack import SipStack

_log = logging.getLogger(__name__)

# Interval of the checks whether the states of lines have changed, seconds.
LOOK_S = 0.5
# Packets that are due come before everything else on the machine: the lowest real-time priority (sched(7)),
# for which systemd's LimitRTPRIO=1 is enough; if that is not allowed, this nice value (nice(2),
# LimitNICE=-10); if that is not allowed either, normal priority.  Should this process not stop running, the
# kernel reserves a share for others, and the box kills it.
PRIORITY = 1
NICE = -10
# Name of the process in ps; the kernel keeps 15 characters.
NAME = "faxbox-exchange"
# Interval after which a thread (pjsua2's) has to release the interpreter, seconds; Python's default is 5 ms.
SWITCH_INTERVAL_S = 0.0005


class RemoteOwner(CallOwner):
    """Represents the owner of a call, which is in the box: passes every message of the call on to it.

    ``over`` is called before the end is sent to the box.  ``notes`` records confirmed pages, in case the box
    dies before it is informed; the end is sent when they are on disk.
    """

    def __init__(
        self,
        number: int,
        channel: messages.Channel,
        keep: KeepPackets | None,
        over: Callable[[RemoteOwner], None],
        notes: Confirmations | None = None,
    ) -> None:
        super().__init__()
        self.number = number
        self._channel = channel
        self._keep = keep
        self._packets = CallPackets(time.time()) if keep is not None else None
        self._over = over
        self._notes = notes

    @property
    def tap(self) -> Tap | None:
        """The ``Tap`` that keeps the call's packets, None if they are not to be kept."""
        return self._packets.tap if self._packets is not None else None

    def say(self, message: FromCall) -> None:
        """Sends a message of the call to the box; the end follows when the call's notes are on disk."""
        if isinstance(message, Ended):
            self._keep_packets(message.result)
            self._over(self)
            if self._notes is not None:
                noted = asyncio.wrap_future(self._notes.close())
                noted.add_done_callback(lambda _: self._channel.send(messages.OfCall(self.number, message)))
                return
        elif self._notes is not None and isinstance(message, Progress):
            self._note(self._notes, message.event, dict(message.fields))
        self._channel.send(messages.OfCall(self.number, message))

    @staticmethod
    def _note(notes: Confirmations, event: str, fields: dict[str, str | int | float | bool]) -> None:
        if event == "page_confirmed":
            notes.confirmed(int(fields["page"]))
        elif event == "left" and not fields["last_page_out"]:
            notes.last_page_kept()

    def _keep_packets(self, result: CallResult) -> None:
        wrong = result.cause not in (DELIVERED, RECEIVED)
        if self._packets and self._keep is not None and (self._keep.always or wrong):
            asyncio.get_running_loop().run_in_executor(None, self._packets.write, self._keep.path)


class CallServer:
    """The lines and calls of the process; obeys the messages of the box."""

    def __init__(self, channel: messages.Channel) -> None:
        self._channel = channel
        self._lines: dict[str, Line] = {}
        self._faults: dict[str, str] = {}  # of lines that could not be made
        self._stack: SipStack | None = None
        self._calls: dict[int, RemoteOwner] = {}
        self._offered: dict[int, asyncio.Future[Accept | Refuse]] = {}  # calls the box has not decided on
        self._numbers = itertools.count(-1, -1)  # of incoming calls; the box's numbers are positive
        self._tasks: set[asyncio.Task[None]] = set()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="confirmations")
        self._reported: messages.LinesAre | None = None
        self._reported_at = 0.0

    async def serve(self) -> None:
        """Serves the box until its end of the channel is closed, then ends all calls and lines."""
        watch = asyncio.create_task(self._watch())
        while (message := await self._channel.receive()) is not None:
            self._obey(message)  # type: ignore[arg-type]
        watch.cancel()
        for call in list(self._calls.values()):
            call.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(messages.FAREWELL_S):
                await asyncio.gather(*(line.stop() for line in self._lines.values()), return_exceptions=True)

    def _obey(self, message: messages.FromBox) -> None:
        match message:
            case messages.OpenLine(spec):
                self._run(self._open(spec))
            case messages.CloseLine(line):
                self._run(self._close(line))
            case messages.UseZone(name):
                set_zone(name)
            case messages.PlaceCall(number):
                # Not in the task: the next message may be for this call.
                path = message.call.confirmations
                notes = Confirmations(path, self._writer) if path is not None else None
                call = self._begin(number, message.call.packets, notes)
                self._run(self._place(message, call))
            case messages.PracticeCallIn():
                self._run(self._practice(message))
            case messages.TakeCall(number, parameters, keep):
                self._take(number, parameters, keep)
            case messages.RefuseCall(number, refusal):
                self._decide(number, refusal)
            case messages.CancelCall(number):
                if number in self._calls:  # else it has just ended
                    self._calls[number].cancel()
            case messages.OfCall(number, reply):
                if number in self._calls:
                    self._calls[number].answer(reply)  # type: ignore[arg-type]

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- lines -----------------------------------------------------------------------------

    async def _open(self, spec: messages.LineSpec) -> None:
        try:
            line = self._make(spec)
            self._lines[spec.name] = line
            await line.start(self._offer)
        except Exception as error:  # a line that fails leaves the others alone
            _log.exception("the line %s could not be opened", spec.name)
            self._faults[spec.name] = f"{type(error).__name__}: {error}"
        if not self._calls:
            _settle_down()
        self._report_lines()
        self._channel.send(messages.LineOpened(spec.name))

    def _make(self, spec: messages.LineSpec) -> Line:
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
        return make_line(spec.settings, self._stack, spec.learned)

    async def _close(self, name: str) -> None:
        line = self._lines.pop(name, None)
        self._faults.pop(name, None)
        if line is not None:
            try:
                await line.stop()
            except Exception:
                _log.exception("the line %s could not be closed", name)
        self._channel.send(messages.LineClosed(name))

    async def _watch(self) -> None:
        while True:
            self._report_lines()
            await asyncio.sleep(LOOK_S)

    def _report_lines(self) -> None:
        """Sends the states of the lines if they have changed, or as a sign of life."""
        states = {name: line.state() for name, line in self._lines.items()}
        states.update(
            {name: LineState(False, 0, 0, NOT_OPENED, fault) for name, fault in self._faults.items()}
        )
        pacing = {name: copy(line.pacing) for name, line in self._lines.items() if isinstance(line, Paced)}
        report, now = messages.LinesAre(states, pacing), asyncio.get_running_loop().time()
        if report != self._reported or now - self._reported_at >= messages.SIGN_OF_LIFE_S:
            self._reported, self._reported_at = report, now
            self._channel.send(report)

    # -- calls -----------------------------------------------------------------------------

    def _begin(
        self, number: int, keep: KeepPackets | None, notes: Confirmations | None = None
    ) -> RemoteOwner:
        call = self._calls[number] = RemoteOwner(number, self._channel, keep, self._over, notes)
        return call

    async def _place(self, order: messages.PlaceCall, call: RemoteOwner) -> None:
        line = self._lines.get(order.line)
        result = CallResult(LINE_STOPPED)
        if line is not None:
            result = await self._guarded(line.place(order.call, call, call.tap))
        call.say(Ended(result))

    def _take(self, number: int, parameters: CallParameters, keep: KeepPackets | None) -> None:
        """The box answers a call that was offered."""
        call = self._begin(number, keep)
        if not self._decide(number, Accept(parameters, call, call.tap)):
            call.say(Ended(CallResult(LINE_STOPPED)))

    def _decide(self, number: int, decision: Accept | Refuse) -> bool:
        """Passes the box's decision to the line; False when the line has stopped waiting for it."""
        waiting = self._offered.pop(number)
        if waiting.done():
            return False
        waiting.set_result(decision)
        return True

    async def _practice(self, order: messages.PracticeCallIn) -> None:
        from appliance.lines.practice.line import PracticeLine  # noqa: PLC0415

        line = self._lines.get(order.line)
        result = CallResult(LINE_STOPPED)
        if isinstance(line, PracticeLine):
            result = await self._guarded(
                line.send_to_us(order.tiff, caller=order.caller, dialled=order.dialled)
            )
        self._channel.send(messages.OfCall(order.number, Ended(result)))

    @staticmethod
    async def _guarded(call: Coroutine[Any, Any, CallResult]) -> CallResult:
        """Runs a call; an exception of the line ends this call and no other."""
        try:
            return await call
        except Exception:
            _log.exception("a line failed in a call")
            return CallResult(LINE_FAULT)

    def _over(self, call: RemoteOwner) -> None:
        self._calls.pop(call.number, None)
        self._report_lines()  # before the end is reported: its receiver finds the line free

    def _offer(self, incoming: IncomingCall) -> asyncio.Future[Accept | Refuse]:
        """The lines' ``IncomingHandler``: the box decides."""
        number = next(self._numbers)
        self._offered[number] = asyncio.get_running_loop().create_future()
        self._channel.send(messages.CallOffered(number, incoming))
        return self._offered[number]


def _settle_down() -> None:
    """Exempts present objects from garbage collection, which would take time during calls."""
    gc.collect()
    gc.freeze()


async def _live(descriptor: int) -> None:
    await CallServer(await messages.Channel.over(socket.socket(fileno=descriptor))).serve()


def _real_time(settings: LineSettings | PracticeSettings) -> bool:
    """Whether the line's calls run in real time; fast practice calls do not."""
    return not isinstance(settings, PracticeSettings) or settings.speed == 1.0


def _before_others() -> None:
    """Gives this process the priority that ``PRIORITY`` describes."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    except OSError:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, NICE)


def live(descriptor: int, level: int) -> None:
    """Runs the exchange until its channel, the socket ``descriptor``, is closed; ``level``: log level."""
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
    # The box ends this process by closing the channel, after its calls have ended.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(NAME)
    asyncio.run(_live(descriptor))


def main() -> None:
    """Entry point of the program; arguments: socket descriptor, log level."""
    live(int(sys.argv[1]), int(sys.argv[2]))


if __name__ == "__main__":
    main()
