"""Drives a T.38 endpoint over a UDP socket on the asyncio loop: datagrams, timers, whose packets count.

The loop that paces packets must never wait: everything here is a callback that returns at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, runtime_checkable

from appliance.lines.calltime import Alarm, CallTime, RealTime
from appliance.lines.line import Tap
from appliance.t30.parameters import CallResult

# Longest datagram read; T.38 endpoints announce a few hundred octets (T38FaxMaxDatagram).  One that
# fills it whole was cut short by the socket and is dropped.
MAX_DATAGRAM_OCTETS = 2048
# Datagrams taken in one turn of the loop, so that a flood on one socket cannot starve other calls.
MAX_DATAGRAMS_A_TURN = 64
# Timer steps in one turn, for the same reason.
MAX_STEPS_A_TURN = 256
MAX_PORT = 65535
# A packet that leaves later than this after its time counts as late: half of the shortest packet
# interval in use (20 ms).
LATE_S = 0.010


# Hosts other than the signalled one that are listened to for a while at once, and datagrams kept of each.
MAX_CANDIDATES = 4
MAX_CANDIDATE_DATAGRAMS = 128
# A candidate that has not convinced gets copies of what we say no longer than this, seconds: long enough
# for a machine that answers our DIS, too short to flood anybody with.
CANDIDATE_COPIES_S = 10.0

Address = tuple[str, int]
# Whether what a host other than the signalled one sent, in the order in which it came, is that of a far end.
Judge = Callable[[Sequence[bytes]], bool]


class T38Endpoint(Protocol):
    """What is driven (appliance.t38.fax.T38FaxCall)."""

    @property
    def result(self) -> CallResult | None: ...

    def start(self, now: float) -> None: ...
    def receive_datagram(self, data: bytes, now: float) -> None: ...
    def take_datagrams(self) -> list[bytes]: ...
    def next_deadline(self) -> float | None: ...
    def handle_timer(self, now: float) -> None: ...
    def pump(self, now: float) -> None: ...
    def cancel(self, now: float) -> None: ...
    def hang_up(self, now: float) -> None: ...


@dataclass(slots=True)
class Pacing:
    """How punctual the driver was; add up over calls by passing the same object to each."""

    steps: int = 0  # timer steps
    late: int = 0  # of them more than LATE_S after their time
    worst_s: float = 0.0
    unsent: int = 0  # datagrams that the socket did not take
    strangers: int = 0  # datagrams from an address that is not our peer's

    def step(self, lateness_s: float) -> None:
        self.steps += 1
        if lateness_s > LATE_S:
            self.late += 1
        self.worst_s = max(self.worst_s, lateness_s)


@runtime_checkable
class Paced(Protocol):
    """A line that keeps account of how punctual its packets leave."""

    @property
    def pacing(self) -> Pacing: ...


@dataclass(slots=True)
class SideDoor:
    """A second socket of the call where the far end's packets may turn up: gateways that go on sending to the
    port of the audio.  ``fits`` says whether a datagram is one of this endpoint's kind.  ``expected``: from
    where it came in an earlier call, so that it is spoken to before it has said anything."""

    sock: socket.socket
    fits: Callable[[bytes], bool]
    peer: Address | None = None
    expected: Address | None = None


@dataclass(slots=True)
class _Candidate:
    """A host that was not signalled, and what it has said."""

    since: float
    datagrams: list[bytes] = field(default_factory=list)


class DatagramDriver:
    """One T.38 call on one socket.

    ``remote`` is the address from the SDP, None when only packets will tell (then nothing is sent before
    one). With ``latch`` another source may become the peer, as NAT demands, as long as the signalled one is
    silent: another port of the signalled host at once, and both are then sent to; another host once
    ``judge`` finds that what it says is consistent, at once without a judge.  Once the signalled address
    itself speaks it is believed for good.  Everyone else is ignored.

    ``offset`` is what was learned of the far end in an earlier call: it spoke from a port so far from the one
    that it signalled, and is spoken to there, too, until it has said something.
    ``time`` is the call's clock, real time when None.
    The sockets stay the caller's: they must be non-blocking and are not closed here.
    """

    def __init__(
        self,
        fax: T38Endpoint,
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
        self._offset = offset
        self._sock = sock
        self._judge = judge
        self._side = side
        self._candidates: dict[Address, _Candidate] = {}
        self._signalled = remote
        self._peer = remote
        self._latch = latch
        self._latched = False
        self._tap = tap
        self._pacing = pacing if pacing is not None else Pacing()
        self._loop = asyncio.get_running_loop()
        self._time = time if time is not None else RealTime()
        self._timer: Alarm | None = None
        self._armed_for: float | None = None
        self._over: asyncio.Future[CallResult] = self._loop.create_future()
        self._pump_due = False
        self._begun = False
        self._early_ends: list[Callable[[float], None]] = []  # wanted before the endpoint has begun

    @property
    def now(self) -> float:
        """The call's clock: seconds since this object was made."""
        return self._time.now()

    @property
    def signalled(self) -> Address | None:
        """The far end's address as the signalling has it."""
        return self._signalled

    @property
    def learned_offset(self) -> int:
        """How far from the signalled port the far end's host speaks; 0 where it speaks from that port."""
        if self._latched and self._peer and self._signalled and self._is_their_host(self._peer):
            return self._peer[1] - self._signalled[1]
        return 0

    async def run(self) -> CallResult:
        """Carries the call to its end.

        A cancelled task leaves at once, without DCN; for a polite end call ``cancel`` and wait.
        Whatever the endpoint raises is our bug and comes out here.
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
        """Something was delivered to the endpoint from outside: it is pumped in the next turn."""
        if not self._pump_due and not self._over.done():
            self._pump_due = True
            self._loop.call_soon(self._pump)

    def cancel(self) -> None:
        """The owner ends the call politely."""
        self._end(self._fax.cancel)

    def readdress(self, remote: Address | None) -> None:
        """The signalling named another address for the far end (a re-INVITE), None as in the constructor."""
        if remote != self._signalled:
            self._signalled = remote
            self._peer = remote
            self._latch, self._latched = True, False
            self._candidates.clear()

    def hang_up(self) -> None:
        """The far end has hung up (BYE)."""
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
                # Of IPv6 the address and port count, as SDP has them.
                take(data, source[:2])

    def _take(self, data: bytes, source: Address) -> None:
        for each in self._accepted(data, source):
            self._deliver(each)

    def _take_from_side(self, side: SideDoor, data: bytes, source: Address) -> None:
        if side.peer is None and self._is_their_host(source) and side.fits(data):
            side.peer = source
        if source == side.peer and side.fits(data):
            self._deliver(data)

    def _deliver(self, data: bytes) -> None:
        if self._tap is not None:
            self._tap(self.now, False, data)
        self._guarded(partial(self._fax.receive_datagram, data, self.now))

    def _accepted(self, data: bytes, source: Address) -> Sequence[bytes]:
        """What counts now that this came: nothing, the datagram, or all that its source has said."""
        if source == self._signalled:
            self._peer = source
            self._latch = False
            self._candidates.clear()
            return (data,)
        if self._latched and source == self._peer:
            return (data,)
        if (self._latch or self._signalled is None) and not self._latched:
            if self._judge is None or self._is_their_host(source):
                return self._latch_on(source, (data,))
            candidate = self._candidate(source)
            if candidate is not None:
                candidate.datagrams.append(data)
                if self._judge(candidate.datagrams):
                    return self._latch_on(source, candidate.datagrams)
        self._pacing.strangers += 1
        return ()

    def _is_their_host(self, source: Address) -> bool:
        return self._signalled is not None and source[0] == self._signalled[0]

    def _latch_on(self, source: Address, said: Sequence[bytes]) -> Sequence[bytes]:
        self._latched = True
        self._peer = source
        self._candidates.clear()
        return said

    def _candidate(self, source: Address) -> _Candidate | None:
        found = self._candidates.get(source)
        if found is None and len(self._candidates) < MAX_CANDIDATES:
            found = self._candidates[source] = _Candidate(self.now)
        if found is None or len(found.datagrams) >= MAX_CANDIDATE_DATAGRAMS:
            return None
        return found

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
        """Sends what waits and arms the timer for what comes next."""
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
        """Where a datagram of ours goes: to the peer, and wherever else it may listen."""
        addresses = [] if self._peer is None else [self._peer]
        peer, signalled = self._peer, self._signalled
        if self._latched and peer and signalled and peer != signalled and self._is_their_host(peer):
            addresses.append(signalled)  # it may send from one port and listen on the other
        if signalled and self._offset and self._latch and not self._latched:
            port = signalled[1] + self._offset
            if 0 < port <= MAX_PORT:
                addresses.append((signalled[0], port))
        now = self.now
        addresses += [
            source
            for source, candidate in self._candidates.items()
            if now < candidate.since + CANDIDATE_COPIES_S
        ]
        ways = [(self._sock, address) for address in addresses]
        side = self._side
        if side is not None:
            aside = side.peer or (side.expected if self._latch and not self._latched else None)
            if aside is not None:
                ways.append((side.sock, aside))
        return ways


def open_udp() -> socket.socket:
    """A non-blocking UDP socket of this machine alone, on a port of the system's choice.  Raises OSError."""
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
