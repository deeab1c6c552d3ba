"""The receiver of UDPTL: restores the order, repairs or reports losses, counts invalid datagrams."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from appliance.t38.contradictions import Contradictions
from appliance.t38.ifp import IfpError, decode
from appliance.t38.udptl import SEQUENCE_MASK, Datagram, UdptlError, parity_of, parse

# How long packets after a gap are held, seconds.  Our own value: at 30 ms a packet it covers reordering by
# several packets and the nine datagrams that FEC 3 × 3 needs, and is short against T2 and T4 of T.30.
GAP_WAIT_S = 0.3
# With redundancy a gap is final this many datagrams after the last one that repeats the lost packet; without
# protection it is the reorder window.
REORDER_MARGIN = 3
# Most packets held after a gap.
MAX_HELD = 64
# Delivered packets and parities kept for FEC (Annex C needs span × entries packets).
MAX_HISTORY = 128
MAX_PARITIES = 64
# A sequence number this far from the expected one, or one already received with another packet, is no loss:
# the peer has restarted its numbers.  That is accepted once this many datagrams in succession confirm it, so
# that a single stray or forged datagram does no harm.
MAX_JUMP = 64
JUMP_CONFIRMATIONS = 3
# A peer counts from 0 (T.38 9.1).  If the first datagram's number is up to this, the packets that it repeats
# are delivered too; otherwise they belong to an earlier session.
FIRST_SEQUENCE_WINDOW = 32
# ``lost_before`` of the first packet after a restart whose numbers do not show how many are missing.
RESTART_LOSS = 0x8000


@dataclass(frozen=True, slots=True)
class Arrival:
    """One IFP packet, in order.

    ``lost_before`` is the number of packets finally missing right before it; it is RESTART_LOSS or more after
    a restart of the numbers, when it is unknown.  ``padded``: recovered by FEC, zeros may follow its end.
    """

    sequence: int
    ifp: bytes = field(repr=False)
    lost_before: int = 0
    padded: bool = False


@dataclass(slots=True)
class ReceiveCounters:
    """Counts of the datagrams and packets of a session."""

    datagrams: int = 0
    malformed: int = 0
    recovery_ignored: int = 0  # datagrams with invalid error recovery
    late_or_duplicate: int = 0
    recovered: int = 0
    lost: int = 0
    restarts: int = 0


class UdptlReceiver:
    """Takes datagrams in any order and returns their IFP packets in order.  Memory is bounded."""

    def __init__(self) -> None:
        self.counters = ReceiveCounters()
        self.contradictions = Contradictions()
        self._begun = False  # a datagram has arrived
        self._expected = 0  # next sequence number; a peer counts from 0 (T.38 9.1)
        self._held: dict[int, tuple[bytes, bool]] = {}  # by number: packets after a gap, and whether padded
        self._held_since = 0.0
        self._span = 0  # how many later datagrams may still repair a packet
        self._history: dict[int, bytes] = {}  # delivered packets by number, for later parities
        self._parities: deque[tuple[list[int], bytes]] = deque(maxlen=MAX_PARITIES)
        self._suspects: list[Datagram] = []  # consecutive datagrams of a suspected restart
        self._loss = 0  # to be reported with the next packet

    def next_deadline(self) -> float | None:
        """When a gap is to be given up, seconds; None without a gap."""
        return self._held_since + GAP_WAIT_S if self._held else None

    def receive(self, data: bytes, now: float) -> list[Arrival]:
        """Takes a datagram of any content; returns the packets that can be delivered now, in order."""
        self.counters.datagrams += 1
        try:
            datagram = parse(data)
            if not datagram.sound:
                self.counters.recovery_ignored += 1
                decode(datagram.primary, version=0)  # raises unless at least this is a packet
        except (UdptlError, IfpError):
            self.counters.malformed += 1
            return []
        sequence = datagram.sequence
        if not self._begun:
            self._start(datagram)
        ahead = sequence - self._expected & SEQUENCE_MASK
        if not ahead and not self._held and not datagram.parities:  # in order: the usual case
            self._expected = sequence + 1 & SEQUENCE_MASK
            self._suspects.clear()
            self._remember(sequence, datagram.primary)
            return [Arrival(sequence, datagram.primary, self._take_loss())]
        if sequence == 1 and ahead == 1 and self._counts_without_zero(datagram):
            self._expected, ahead = 1, 0
        if self._may_be_restart(datagram, ahead):
            self.contradictions.suspect(datagram, self._history)
            if not self._restarted(datagram):
                self.counters.late_or_duplicate += 1
                return []
        if sequence - self._expected & SEQUENCE_MASK >= 0x8000 or sequence in self._held:
            held = self._held.get(sequence)
            self.contradictions.compare(datagram, self._history if held is None else {sequence: held[0]})
            self.counters.late_or_duplicate += 1
            return []
        self._suspects.clear()
        self._take(datagram, now)
        if len(self._held) > 1 or self._expected not in self._held:
            self._solve()
        return self._deliver(now)

    def handle_timer(self, now: float) -> list[Arrival]:
        """Gives up a gap whose time is over; returns the packets held after it, in order."""
        deadline = self.next_deadline()
        if deadline is None or now < deadline:
            return []
        return self._skip_gap(now) + self._deliver(now)

    # -- order -------------------------------------------------------------------------------------

    def _start(self, datagram: Datagram) -> None:
        self._begun = True
        back = len(datagram.secondaries) if datagram.sequence <= FIRST_SEQUENCE_WINDOW else 0
        self._expected = datagram.sequence - min(back, datagram.sequence)

    def _counts_without_zero(self, datagram: Datagram) -> bool:
        """Whether the peer goes from 65535 to 1, as some do: it then repeats the packet 65535."""
        last = self._history.get(SEQUENCE_MASK)
        return last is not None and datagram.secondaries[:1] == (last,)

    def _may_be_restart(self, datagram: Datagram, ahead: int) -> bool:
        """Whether a datagram may belong to a restart; ``ahead``: distance from the expected number.

        Its number is far off, continues a suspected restart, or was received with another packet.
        """
        if ahead < MAX_JUMP:
            return False
        if ahead <= SEQUENCE_MASK - MAX_JUMP:
            return True
        if self._suspects and datagram.sequence - self._suspects[-1].sequence & SEQUENCE_MASK <= 1:
            return True
        had = self._history.get(datagram.sequence)
        # Zeros may follow a packet recovered by FEC.
        return had is not None and had.rstrip(b"\0") != datagram.primary.rstrip(b"\0")

    def _restarted(self, datagram: Datagram) -> bool:
        """Counts a datagram of a suspected restart; True when enough in succession have confirmed it."""
        if self._suspects:
            step = datagram.sequence - self._suspects[-1].sequence & SEQUENCE_MASK
            if not step:
                return False  # a duplicate
            if step != 1:
                self._suspects.clear()
        self._suspects.append(datagram)
        if len(self._suspects) < JUMP_CONFIRMATIONS:
            return False
        self.counters.restarts += 1
        first = self._suspects[0].sequence
        self.contradictions.series_begins(first, self._expected)
        ahead = first - self._expected & SEQUENCE_MASK
        self._loss += min(ahead, RESTART_LOSS)
        self._held.clear()
        self._history.clear()
        self._parities.clear()
        self._expected = first
        for suspect in self._suspects[:-1]:
            self._hold(suspect.sequence, suspect.primary, padded=False)
        return True

    def _take_loss(self) -> int:
        loss, self._loss = self._loss, 0
        return loss

    def _take(self, datagram: Datagram, now: float) -> None:
        """Holds the primary packet and those repeated packets that are still missing."""
        if not self._held:
            self._held_since = now
        self._hold(datagram.sequence, datagram.primary, padded=False)
        self._span = max(self._span if datagram.parities else 0, len(datagram.secondaries))
        for back, packet in enumerate(datagram.secondaries, 1):
            if self._hold(datagram.sequence - back & SEQUENCE_MASK, packet, padded=False):
                self.counters.recovered += 1
        if datagram.parities:
            self._take_parities(datagram)

    def _hold(self, sequence: int, packet: bytes, *, padded: bool) -> bool:
        if sequence - self._expected & SEQUENCE_MASK >= MAX_JUMP or sequence in self._held:
            return False
        self._held[sequence] = packet, padded
        return True

    def _deliver(self, now: float) -> list[Arrival]:
        arrivals: list[Arrival] = []
        while self._held:
            packet = self._held.pop(self._expected, None)
            if packet is None:
                if not self._gap_is_final():
                    break
                arrivals += self._skip_gap(now)
                continue
            arrivals.append(Arrival(self._expected, packet[0], self._take_loss(), packet[1]))
            self._passed(packet[0])
        if arrivals:
            self._held_since = now  # packets still held wait for another gap
        return arrivals

    def _passed(self, packet: bytes) -> None:
        self._remember(self._expected, packet)
        self._expected = self._expected + 1 & SEQUENCE_MASK

    def _gap_is_final(self) -> bool:
        newest = max(sequence - self._expected & SEQUENCE_MASK for sequence in self._held)
        return newest > self._span + REORDER_MARGIN or len(self._held) >= MAX_HELD

    def _skip_gap(self, now: float) -> list[Arrival]:
        """Gives up the packets before the oldest held one, and delivers that one."""
        lost = min(sequence - self._expected & SEQUENCE_MASK for sequence in self._held)
        self.contradictions.pass_over(self._expected, lost)
        self._expected = self._expected + lost & SEQUENCE_MASK
        packet, padded = self._held.pop(self._expected)
        self.counters.lost += lost
        arrival = Arrival(self._expected, packet, lost + self._take_loss(), padded)
        self._passed(packet)
        self._held_since = now
        return [arrival]

    # -- FEC ---------------------------------------------------------------------------------------

    def _remember(self, sequence: int, packet: bytes) -> None:
        self._history[sequence] = packet
        if len(self._history) > MAX_HISTORY:
            del self._history[next(iter(self._history))]

    def _take_parities(self, datagram: Datagram) -> None:
        entries = len(datagram.parities)
        self._span = max(self._span, datagram.span * entries)
        for m, parity in enumerate(datagram.parities):
            newest = datagram.sequence + m
            group = [newest - k * entries & SEQUENCE_MASK for k in range(1, datagram.span + 1)]
            self._parities.append((group, parity))

    def _solve(self) -> None:
        """Recovers packets while some parity misses exactly one packet of its group."""
        progress = bool(self._parities)
        while progress:
            progress = False
            for group, parity in self._parities:
                missing = [s for s in group if s not in self._held and s not in self._history]
                if len(missing) != 1 or missing[0] - self._expected & SEQUENCE_MASK >= MAX_JUMP:
                    continue
                known = [
                    self._held[s][0] if s in self._held else self._history[s]
                    for s in group
                    if s != missing[0]
                ]
                # A packet longer than the parity is not of the group that the parity was made of.
                if any(len(packet) > len(parity) for packet in known):
                    continue
                if self._hold(missing[0], parity_of([parity, *known]), padded=True):
                    self.counters.recovered += 1
                    progress = True
