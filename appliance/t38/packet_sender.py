"""Sends IFP packets in UDPTL, repeats indicators, and sends no-signal after a signal and in silence.

Does no I/O: gives datagrams, and when the next ones are due.
"""

from __future__ import annotations

from collections import deque

from appliance.t38.ifp import Indicator, IndicatorPacket, encode
from appliance.t38.settings import T38Settings
from appliance.t38.udptl import UdptlSender

# Interval of no-signal packets until the first packet from the peer, seconds: they open the path through a
# NAT, and the far end may reply to the address that they come from.
KEEPALIVE_S = 0.5
# The same afterwards, since our last packet: UDP mappings in a NAT last 30 s or more (RFC 4787 REQ-5 requires
# 2 min), and while a page is received there is nothing else to send.
KEEPALIVE_QUIET_S = 15.0
# Redundancy and FEC protect a packet only by those after it, so the end of a signal is followed by this many
# no-signal indicators at this interval (seconds).  They fit into the silence before the next signal.
TRAIL_PACKETS, TRAIL_INTERVAL_S = 3, 0.02
# Copies of an indicator in all and their interval (seconds), with one sequence number (a receiver drops
# duplicates).  Redundancy alone would repeat it with the first data, up to 1.3 s later: a gateway that missed
# it would begin its training then and remain late.  Data packets are sent once.
INDICATOR_COPIES, COPY_INTERVAL_S = 3, 0.015

NO_SIGNAL = IndicatorPacket(Indicator.NO_SIGNAL)


class PacketSender:
    """The sending side of a UDPTL session with these settings."""

    def __init__(self, settings: T38Settings) -> None:
        self._udptl = UdptlSender(settings)
        self._no_signal = encode(NO_SIGNAL, settings.version)
        self._datagrams: list[bytes] = []
        self._copies: deque[tuple[float, bytes]] = deque()
        self._trail = 0  # no-signal indicators still to send after the last signal
        self._trail_at = 0.0
        self._peer_heard = False
        self.keepalive_at: float | None = None  # when the next no-signal is due, unless a signal is sent

    def send(self, ifp: bytes, now: float, *, repeats: bool = False) -> None:
        """Sends a packet; with ``repeats`` (an indicator) copies of it follow, unless another packet does."""
        datagram = self._udptl.wrap(ifp)
        self._datagrams.append(datagram)
        self.keepalive_at = now + (KEEPALIVE_QUIET_S if self._peer_heard else KEEPALIVE_S)
        self._copies.clear()  # they would arrive after this packet
        if repeats:
            for copy in range(1, INDICATOR_COPIES):
                self._copies.append((now + copy * COPY_INTERVAL_S, datagram))

    def send_no_signal(self, now: float, *, repeats: bool = False) -> None:
        """Sends a no-signal indicator."""
        self.send(self._no_signal, now, repeats=repeats)

    def begin_trail(self, at: float) -> None:
        """A signal has ended: no-signal indicators follow from ``at`` on."""
        self._trail, self._trail_at = TRAIL_PACKETS, at

    def end_trail(self) -> None:
        """Sends no more of the indicators that ``begin_trail`` promised."""
        self._trail = 0

    def peer_heard(self, now: float) -> None:
        """A packet came in: the path through a NAT is open."""
        if not self._peer_heard:
            self._peer_heard = True
            self.keepalive_at = now + KEEPALIVE_QUIET_S

    def repeat_at(self) -> float | None:
        """When ``repeat`` is due, seconds; None when nothing is to be repeated."""
        times = [at for at, _ in self._copies] + [self._trail_at] * bool(self._trail)
        return min(times, default=None)

    def repeat(self, now: float) -> None:
        """Sends the copies and no-signal indicators that are due."""
        while self._copies and self._copies[0][0] <= now:
            self._datagrams.append(self._copies.popleft()[1])
        while self._trail and self._trail_at <= now:
            self._trail -= 1
            self._trail_at += TRAIL_INTERVAL_S
            self.send_no_signal(now)

    def keep_alive(self, now: float) -> None:
        """Sends a no-signal indicator when it is due.  Not during a signal: it would end that."""
        if self.keepalive_at is not None and self.keepalive_at <= now:
            self.send_no_signal(now)

    def hurry(self, now: float) -> None:
        """Sends everything that is still to be repeated, at once."""
        for _, datagram in self._copies:
            self._datagrams.append(datagram)
        for _ in range(self._trail):
            self.send_no_signal(now)

    def take_datagrams(self) -> list[bytes]:
        """The datagrams since the last call, in order."""
        datagrams, self._datagrams = self._datagrams, []
        return datagrams
