"""UDPTL of the practice machine (T.38 clause 9), with redundancy, both ways.

This is a second implementation on purpose.  The practice machine tests our own T.38 endpoint; if both shared
one UDPTL codec, a bug in it would cancel itself out.  No real line uses this module.  The tests add parity
(FEC) to it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

# T.38 9.1: the sequence number is 16 bits wide and wraps.
SEQUENCE_MODULUS = 1 << 16
# How many past IFP packets are kept for repair: more than any accepted span times entries.
HISTORY_PACKETS = 64
# How many earlier IFP packets each datagram repeats.
REPEATED_PACKETS = 3
# A jump beyond this is a restarted or broken peer: history is forgotten (our own bound).
MAX_GAP_PACKETS = 4096


class FramingError(ValueError):
    """A datagram that is not UDPTL."""


def open_type(octets: bytes) -> bytes:
    """The octets after their PER length (X.691 10.9.3.6 and 10.9.3.7: below 128, below 16384)."""
    if len(octets) < 0x80:
        return bytes((len(octets),)) + octets
    return (0x8000 | len(octets)).to_bytes(2, "big") + octets


class DatagramWrapper:
    """Wraps IFP packets into datagrams."""

    def __init__(self) -> None:
        self._sequence = 0
        self._past: deque[bytes] = deque(maxlen=HISTORY_PACKETS)  # newest first

    def wrap(self, ifp: bytes) -> bytes:
        """The next datagram, with this IFP packet as its primary."""
        head = self._sequence.to_bytes(2, "big") + open_type(ifp)
        self._sequence = (self._sequence + 1) % SEQUENCE_MODULUS
        tail = self._recovery()
        self._past.appendleft(ifp)
        return head + tail

    def _recovery(self, depth: int = REPEATED_PACKETS) -> bytes:
        repeated = list(self._past)[:depth]
        return bytes((0, len(repeated))) + b"".join(open_type(past) for past in repeated)


class DatagramUnwrapper:
    """Unwraps datagrams into IFP packets in sequence, repairing what it can."""

    def __init__(self) -> None:
        self._begun = False  # a datagram has come
        self._expected = 0
        self._known: dict[int, bytes] = {}
        self.lost = 0  # packets that no repair brought back
        self.repaired = 0
        self.malformed = 0

    def unwrap(self, datagram: bytes) -> list[tuple[int, bytes]]:
        """New (sequence number, IFP packet) pairs, oldest first; none for an invalid datagram."""
        try:
            reader = DatagramReader(datagram)
            sequence = int.from_bytes(reader.take(2), "big")
            primary = reader.open_type()
            repeated = self._read_recovery(reader)
        except FramingError:
            self.malformed += 1
            return []
        if not self._begun:
            self._begun = True
            # The stream starts wherever the peer starts it.
            self._expected = max(0, sequence - len(repeated)) if repeated else sequence
        ahead = (sequence - self._expected) % SEQUENCE_MODULUS
        if ahead >= SEQUENCE_MODULUS // 2:
            return []  # late or repeated
        if ahead > MAX_GAP_PACKETS:
            self._known.clear()
            self._expected = sequence
        self._known[sequence] = primary
        for back, packet in enumerate(repeated, 1):
            self._repair((sequence - back) % SEQUENCE_MODULUS, packet)
        return list(self._release(sequence))

    def _read_recovery(self, reader: DatagramReader) -> list[bytes]:
        """The repeated packets, the newest first.  Raises FramingError."""
        if reader.take(1)[0] & 0x80:
            raise FramingError("parity, which was not agreed")
        return [reader.open_type() for _ in range(min(reader.length(), HISTORY_PACKETS))]

    def _repair(self, sequence: int, packet: bytes) -> None:
        if (sequence - self._expected) % SEQUENCE_MODULUS >= SEQUENCE_MODULUS // 2:
            return
        if sequence not in self._known:
            self._known[sequence] = packet
            self.repaired += 1

    def _release(self, newest: int) -> Iterator[tuple[int, bytes]]:
        while True:
            packet = self._known.get(self._expected)
            if packet is not None:
                yield self._expected, packet
            else:
                self.lost += 1
            last = self._expected == newest
            self._expected = (self._expected + 1) % SEQUENCE_MODULUS
            self._known.pop((self._expected - HISTORY_PACKETS) % SEQUENCE_MODULUS, None)
            if last:
                return


class DatagramReader:
    """Reads a datagram from its first octet to the last; raises FramingError where it ends too early."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets
        self.at = 0

    def take(self, count: int) -> bytes:
        """The next ``count`` octets."""
        end = self.at + count
        if end > len(self.octets):
            raise FramingError("cut short")
        octets = self.octets[self.at : end]
        self.at = end
        return octets

    def length(self) -> int:
        """A PER length."""
        first = self.take(1)[0]
        if first < 0x80:
            return first
        if first & 0x40:
            raise FramingError("a fragmented length")
        return (first & 0x3F) << 8 | self.take(1)[0]

    def open_type(self) -> bytes:
        """The octets behind their PER length."""
        return self.take(self.length())
