"""Drives an endpoint of datagrams over UDP sockets on the asyncio loop: packets in and out, timers, the end.

The loop that paces packets must never block: everything here is a callback that returns at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, runtime_checkable

from appliance.lines.calltime import Alarm, CallTime, RealTime
from appliance.lines.line import Tap
from appliance.lines.peer_address import Address, Judge, PeerAddress
from appliance.t30.parameters import CallResult

# Size of the receive buffer; T.38 endpoints announce a few hundred octets (T38FaxMaxDatagram).  A datagram
# that fills it may have been cut short and is dropped.
MAX_DATAGRAM_OCTETS = 2048
# Datagrams read in one turn of the loop, so that a flood on one socket cannot starve other calls.
MAX_DATAGRAMS_A_TURN = 64
# Timer steps in one turn, for the same reason.
MAX_STEPS_A_TURN = 256
# A packet sent later than this after its time counts as late, seconds: half of the shortest packet interval
# in use (20 ms).
LATE_S = 0.010


class Endpoint(Protocol):
    """The object that is driven (``appliance.t38.fax.T38FaxCall``)."""

    @property
    def result(self) -> CallResult | None:
        """The result of the call; None while it runs."""
        ...

    def start(self, now: float) -> None:
        """Begins the call at ``now``, seconds."""
        ...

    def receive_datagram(self, data: bytes, now: float) -> None:
        """Takes a datagram of the far end."""
        ...

    def take_datagrams(self) -> list[bytes]:
        """The datagrams to send since the last call."""
        ...

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` is due, seconds; None: not before the next datagram."""
        ...

    def handle_timer(self, now: float) -> None:
        """Does what is due at ``now``, seconds."""
        ...

    def pump(self, now: float) -> None:
        """Goes on after an answer to a request of the call."""
        ...

    def cancel(self, now: float) -> None:
        """Ends the call because its owner cancelled it."""
        ...

    def hang_up(self, now: float) -> None:
        """The far end has ended the call in the signalling."""
        ...


@dataclass(slots=True)
class Pacing:
    """Punctuality of the driver.  Passing one object to several calls adds them up."""

    steps: int = 0  # timer steps
    late: int = 0  # those more than LATE_S after their time
    worst_s: float = 0.0  # greatest lateness
    unsent: int = 0  # datagrams that the socket did not accept
    strangers: int = 0  # datagrams from an address that is not our peer's

    def step(self, lateness_s: float) -> None:
        """Counts a timer step."""
        self.steps += 1
        if lateness_s > LATE_S:
            self.late += 1
        self.worst_s = max(self.worst_s, lateness_s)


@runtime_checkable
class Paced(Protocol):
    """A line that measures the punctuality of its packets."""

    @property
    def pacing(self) -> Pacing:
        """How punctually its packets left."""
        ...


@dataclass(slots=True)
class SideDoor:
    """A second socket of the call, for gateways that go on sending to the port of the audio.

    ``fits`` tells whether a datagram is for this endpoint.  ``peer`` is the address that such datagrams come
    from; ``expected`` is that of an earlier call, to which we send before the far end has sent anything.
    """

    sock: socket.socket
    fits: Callable[[bytes], bool]
    peer: Address | None = None
    expected: Address | None = None


class DatagramDriver:
    """One call on one socket.

    ``remote`` is the address from the SDP, None when it will be learned from packets.  ``latch``, ``judge``
    and ``offset`` say from which other addresses packets are taken (see ``PeerAddress``).
    ``time`` is the call's clock, real time when None.
    The sockets belong to the caller: they must be non-blocking and are not closed here.
    """

    def __init__(
        self,
        fax: Endpoint,
        sock: socket.socket,
        remote: Address | None,
        *,
        latch: bool = True,
        tap: Tap | None = None,
        time: CallTime | None = None,
        pacing: Pacing | None = None,
        judge: Judge | None = None,
        side: SideDoor | None = None,
        offset: int = 0,
    ) -> None:
        self._fax = fax
        self._sock = sock
        self._side = side
        self._tap = tap
        self._pacing = pacing if pacing is not None else Pacing()
        self._loop = asyncio.get_running_loop()
        self._time = time if time is not None else RealTime()
        self._timer: Alarm | None = None
        self._armed_for: float | None = None
        self._over: asyncio.Future[CallResult] = self._loop.create_future()
        self._pump_due = False
        self._begun = False
        self._early_ends: list[Callable[[float], None]] = []  # requested before the endpoint was started
        self.peer = PeerAddress(remote, latch=latch, judge=judge, offset=offset)

    @property
    def now(self) -> float:
        """The call's clock: seconds since this object was made."""
        return self._time.now()

    async def run(self) -> CallResult:
        """Carries the call to its end.

        If the task is cancelled the call ends at once, without DCN; to end it with DCN call ``cancel`` and
        wait.  Raises whatever the endpoint raises, which is a bug.
        """
        self._time.watch(self._sock, self._readable)
        if self._side is not None:
            self._time.watch(self._side.sock, partial(self._side_readable, self._side))
        try:
            self._guarded(self._begin)
            return await self._over
        finally:
            self._time.unwatch(self._sock)
            if self._side is not None:
                self._time.unwatch(self._side.sock)
            if self._timer is not None:
                self._timer.cancel()

    def wake(self) -> None:
        """Has the endpoint pumped in the next turn of the loop, because it was given something."""
        if not self._pump_due and not self._over.done():
            self._pump_due = True
            self._loop.call_soon(self._pump)

    def cancel(self) -> None:
        """Ends the call with DCN, because its owner cancelled it."""
        self._end(self._fax.cancel)

    def hang_up(self) -> None:
        """To be called when the far end has hung up (BYE)."""
        self._end(self._fax.hang_up)

    # -- inside ---------------------------------------------------------------------------

    def _begin(self) -> None:
        self._fax.start(self.now)
        self._begun = True
        for end in self._early_ends:
            end(self.now)

    def _end(self, how: Callable[[float], None]) -> None:
        if not self._begun:
            self._early_ends.append(how)
        elif not self._over.done():
            self._guarded(lambda: how(self.now))

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
            self._settle()
        except Exception as error:
            if not self._over.done():
                self._over.set_exception(error)

    def _pump(self) -> None:
        self._pump_due = False
        if not self._over.done():
            self._guarded(lambda: self._fax.pump(self.now))

    def _readable(self) -> None:
        self._read(self._sock, self._take)

    def _side_readable(self, side: SideDoor) -> None:
        self._read(side.sock, partial(self._take_from_side, side))

    def _read(self, sock: socket.socket, take: Callable[[bytes, Address], None]) -> None:
        for _ in range(MAX_DATAGRAMS_A_TURN):
            if self._over.done():
                return
            try:
                data, source = sock.recvfrom(MAX_DATAGRAM_OCTETS)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                continue  # an ICMP error of an earlier send: UDP goes on
            if len(data) < MAX_DATAGRAM_OCTETS:
                # Of an IPv6 source only address and port, as in SDP.
                take(data, source[:2])

    def _take(self, data: bytes, source: Address) -> None:
        accepted = self.peer.accept(data, source, self.now)
        if not accepted:
            self._pacing.strangers += 1
        for each in accepted:
            self._deliver(each)

    def _take_from_side(self, side: SideDoor, data: bytes, source: Address) -> None:
        if side.peer is None and self.peer.has_host_of(source) and side.fits(data):
            side.peer = source
        if source == side.peer and side.fits(data):
            self._deliver(data)

    def _deliver(self, data: bytes) -> None:
        if self._tap is not None:
            self._tap(self.now, False, data)
        self._guarded(partial(self._fax.receive_datagram, data, self.now))

    def _expired(self) -> None:
        due = self._armed_for
        self._timer = None
        self._armed_for = None
        if not self._over.done():
            self._guarded(lambda: self._step(due))

    def _step(self, deadline: float | None) -> None:
        for _ in range(MAX_STEPS_A_TURN):
            now = self.now
            if deadline is None or deadline > now or self._fax.result is not None:
                return
            self._fax.handle_timer(now)
            self._send()
            self._pacing.step(self.now - deadline)  # its packets have left
            deadline = self._fax.next_deadline()

    def _settle(self) -> None:
        """Sends pending datagrams and sets the timer for the next deadline."""
        self._send()
        result = self._fax.result
        if result is not None:
            if not self._over.done():
                self._over.set_result(result)
            return
        deadline = self._fax.next_deadline()
        if deadline == self._armed_for and self._timer is not None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._armed_for = deadline
        if deadline is not None:
            self._timer = self._time.at(deadline, self._expired)

    def _send(self) -> None:
        for datagram in self._fax.take_datagrams():
            ways = self._ways()
            if ways and self._tap is not None:
                self._tap(self.now, True, datagram)
            for sock, address in ways:
                try:
                    sock.sendto(datagram, address)
                except OSError:
                    self._pacing.unsent += 1

    def _ways(self) -> list[tuple[socket.socket, Address]]:
        """The socket and address of each copy of a datagram."""
        ways = [(self._sock, address) for address in self.peer.destinations(self.now)]
        side = self._side
        if side is not None:
            aside = side.peer or (side.expected if self.peer.silent else None)
            if aside is not None:
                ways.append((side.sock, aside))
        return ways


def open_udp() -> socket.socket:
    """A non-blocking UDP socket on the loopback interface, on any free port.  Raises OSError."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        with contextlib.suppress(OSError):
            # Expedited forwarding for the packets of a call in real time (RFC 3246, DSCP 46).
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 46 << 2)
        sock.bind(("127.0.0.1", 0))
    except OSError:
        sock.close()
        raise
    return sock
