"""The process of the practice machines: ``python -m appliance.lines.practice.room``.

A separate process, so that spandsp neither disturbs the pacing of real calls nor crashes the box.  It ends
when its standard input is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable
from functools import partial

from appliance.lines.calltime import Alarm, RealTime, SteppedTime
from appliance.lines.datagram_driver import MAX_DATAGRAM_OCTETS, MAX_DATAGRAMS_A_TURN, open_udp
from appliance.lines.practice.machine import PracticeMachine
from appliance.lines.practice.messages import (
    Bye,
    MachineEnded,
    MachineOpened,
    Message,
    OpenCall,
    Step,
    Stepped,
    from_line,
    to_line,
)
from appliance.lines.practice.network import Network

_log = logging.getLogger(__name__)

# Longest line of the pipe: settings are well under a kilobyte.
MAX_LINE_OCTETS = 1 << 16


class _Call:
    """One machine on its socket."""

    def __init__(self, room: MachineRoom, order: OpenCall) -> None:
        self._room = room
        self._order = order
        self._time: RealTime | SteppedTime = SteppedTime() if order.stepped else RealTime()
        self._machine = PracticeMachine(order.settings)
        self._sock = open_udp()
        self._peer: tuple[str, int] | None = (order.peer_host, order.peer_port) if order.peer_port else None
        self._heard = Network(order.to_machine)
        self._said = Network(order.from_machine)
        self._timer: Alarm | None = None
        self.over = False

    @property
    def port(self) -> int:
        port: int = self._sock.getsockname()[1]
        return port

    def start(self) -> None:
        self._time.watch(self._sock, self._readable)
        self._guarded(lambda: self._machine.start(self._time.now()))

    def step(self, seconds: float) -> None:
        if isinstance(self._time, SteppedTime) and not self.over:
            self._time.step(seconds)

    def bye(self) -> None:
        """The box has hung up."""
        self._guarded(lambda: self._machine.peer_hung_up(self._time.now()))

    def _readable(self) -> None:
        for _ in range(MAX_DATAGRAMS_A_TURN):
            try:
                data, source = self._sock.recvfrom(MAX_DATAGRAM_OCTETS)
            except OSError:
                return
            if self._peer is None:
                self._peer = source
            if source == self._peer:
                self._after(self._heard, data, arrives=True)

    def _after(self, network: Network, data: bytes, *, arrives: bool) -> None:
        now = self._time.now()
        goes_on = partial(self._arrive if arrives else self._leave, data)
        for at in network.arrivals(now):
            if at <= now:
                goes_on()
            else:
                self._time.at(at, goes_on)

    def _arrive(self, data: bytes) -> None:
        self._guarded(lambda: self._machine.receive_datagram(data, self._time.now()))

    def _leave(self, data: bytes) -> None:
        if not self.over and self._peer is not None:
            with contextlib.suppress(OSError):
                self._sock.sendto(data, self._peer)

    def _tick(self) -> None:
        self._timer = None
        self._guarded(lambda: self._machine.handle_timer(self._time.now()))

    def _guarded(self, action: Callable[[], None]) -> None:
        """Ends only this call when its machine fails."""
        if self.over:
            return
        try:
            action()
            self._settle()
        except Exception as error:
            _log.exception("practice machine failed")
            self.close(f"{type(error).__name__}: {error}")

    def _settle(self) -> None:
        for datagram in self._machine.take_datagrams():
            self._after(self._said, datagram, arrives=False)
        if self._machine.hung_up:
            self.close()
            return
        deadline = self._machine.next_deadline()
        if self._timer is None and deadline is not None:
            self._timer = self._time.at(deadline, self._tick)

    def close(self, trouble: str = "") -> None:
        if self.over:
            return
        self.over = True
        self._time.unwatch(self._sock)
        if self._timer is not None:
            self._timer.cancel()
        self._sock.close()
        self._machine.close()
        self._room.ended(MachineEnded(self._order.call, self._machine.result, trouble))


class MachineRoom:
    """All machines of one process."""

    def __init__(self, reports: int) -> None:
        self._reports = reports
        self._calls: dict[int, _Call] = {}

    def obey(self, message: Message) -> None:
        """Handles a message from the box."""
        if isinstance(message, OpenCall):
            self._open(message)
        elif isinstance(message, Bye):
            call = self._calls.get(message.call)
            if call is not None:
                call.bye()
        elif isinstance(message, Step):
            for number in message.calls:
                if number in self._calls:
                    self._calls[number].step(message.seconds)
            self._tell(Stepped())

    def ended(self, message: MachineEnded) -> None:
        """A call is over."""
        self._calls.pop(message.call, None)
        self._tell(message)

    def close(self) -> None:
        """Closes all calls."""
        for call in list(self._calls.values()):
            call.close()

    def _open(self, order: OpenCall) -> None:
        try:
            call = _Call(self, order)
        except Exception as error:
            _log.exception("practice machine could not start")
            self._tell(MachineEnded(order.call, None, f"{type(error).__name__}: {error}"))
            return
        self._calls[order.call] = call
        self._tell(MachineOpened(order.call, call.port))
        call.start()

    def _tell(self, message: Message) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self._reports, to_line(message))


async def live(commands: int, reports: int) -> None:
    """Serves until ``commands`` (a readable file descriptor) ends."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=MAX_LINE_OCTETS)
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(commands, "rb", closefd=False)
    )
    room = MachineRoom(reports)
    try:
        while line := await reader.readline():
            room.obey(from_line(line))
    finally:
        room.close()
        transport.close()


def main() -> None:
    """Entry point of the process."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    # The box ends this process by closing the pipe; a ^C at its terminal must first let calls end with DCN.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # Gives up the real-time priority of the exchange, which practice does not need.
    os.setpriority(os.PRIO_PROCESS, 0, max(0, os.getpriority(os.PRIO_PROCESS, 0)))
    asyncio.run(live(0, 1))


if __name__ == "__main__":
    main()
