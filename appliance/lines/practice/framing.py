"""UDPTL of the practice machine (T.38 clause 9): redundancy and FEC, both ways.

This is a second implementation on purpose.  The practice machine tests our own T.38 endpoint; if both shared
one UDPTL codec, a bug in it would cancel itself out.  No real line uses this module.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

# T.38 9.1: the sequence number is 16 bits wide and wraps.
SEQUENCE_MODULUS = 1 << 16
# How many past IFP packets are kept for repair: more than any accepted span times entries.
HISTORY_PACKETS = 64
# Limits of a peer's FEC description; larger ones are dropped.
MAX_FEC_SPAN = 16
MAX_FEC_ENTRIES = 16
# A jump beyond this is a restarted or broken peer: history is forgotten (our own bound).
MAX_GAP_PACKETS = 4096


class Repair(Enum):
    """The error correction of the SDP attribute T38FaxUdpEC."""

    NONE = "none"
    REDUNDANCY = "t38UDPRedundancy"
    FEC = "t38UDPFEC"


@dataclass(frozen=True, slots=True)
class Protection:
    """What a sender adds to each packet.

    ``depth`` is how many earlier IFP packets are repeated (redundancy) or how many packets one FEC
    entry covers (span); ``entries`` is the number of interleaved FEC entries.
    """

    repair: Repair = Repair.REDUNDANCY
    depth: int = 3
    entries: int = 3


class FramingError(ValueError):
    """A datagram that is not UDPTL."""


def _open_type(octets: bytes) -> bytes:
    """The octets after their PER length (X.691 10.9.3.6 and 10.9.3.7: below 128, below 16384)."""
    if len(octets) < 0x80:
        return bytes((len(octets),)) + octets
    return (0x8000 | len(octets)).to_bytes(2, "big") + octets


class UdptlSender:
    """Wraps IFP packets into datagrams."""

    def __init__(self, protection: Protection) -> None:
        self._protection = protection
        self._sequence = 0
        self._past: deque[bytes] = deque(maxlen=HISTORY_PACKETS)  # newest first

    def wrap(self, ifp: bytes) -> bytes:
        """The next datagram, with this IFP packet as its primary."""
        head = self._sequence.to_bytes(2, "big") + _open_type(ifp)
        self._sequence = (self._sequence + 1) % SEQUENCE_MODULUS
        repair, depth = self._protection.repair, self._protection.depth
        if repair is Repair.FEC and len(self._past) >= 1:
            tail = self._fec()
        else:
            repeated = [] if repair is not Repair.REDUNDANCY else list(self._past)[:depth]
            tail = bytes((0, len(repeated))) + b"".join(_open_type(past) for past in repeated)
        self._past.appendleft(ifp)
        return head + tail

    def _fec(self) -> bytes:
        span, entries = self._protection.depth, self._protection.entries
        past = list(self._past)
        parity = []
        for entry in range(entries):
            # Entry m covers the packets m - entries, m - 2 entries … before this one (T.38 9.1.4.2).
            covered = [
                past[back - 1]
                for back in range(entries - entry, span * entries - entry + 1, entries)
                if back <= len(past)
            ]
            parity.append(_xor(covered))
        return bytes((0x80, 1, span, len(parity))) + b"".join(_open_type(each) for each in parity)


def _xor(packets: list[bytes]) -> bytes:
    """Parity over packets of unequal length, as if padded with zeros (T.38 9.1.4.2)."""
    total = 0
    longest = max((len(each) for each in packets), default=0)
    for each in packets:
        total ^= int.from_bytes(each.ljust(longest, b"\0"), "big")
    return total.to_bytes(longest, "big")


class UdptlReceiver:
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
            sequence, primary, repair, extra, span = _parse(datagram)
        except FramingError:
            self.malformed += 1
            return []
        if not self._begun:
            self._begun = True
            # The stream starts wherever the peer starts it.
            self._expected = sequence if not extra or repair is Repair.FEC else max(0, sequence - len(extra))
        ahead = (sequence - self._expected) % SEQUENCE_MODULUS
        if ahead >= SEQUENCE_MODULUS // 2:
            return []  # late or repeated
        if ahead > MAX_GAP_PACKETS:
            self._known.clear()
            self._expected = sequence
        self._known[sequence] = primary
        if repair is Repair.REDUNDANCY:
            for back, packet in enumerate(extra, 1):
                self._repair((sequence - back) % SEQUENCE_MODULUS, packet)
        elif repair is Repair.FEC:
            self._repair_from_parity(sequence, span, extra)
        return list(self._release(sequence))

    def _repair(self, sequence: int, packet: bytes) -> None:
        if (sequence - self._expected) % SEQUENCE_MODULUS >= SEQUENCE_MODULUS // 2:
            return
        if sequence not in self._known:
            self._known[sequence] = packet
            self.repaired += 1

    def _repair_from_parity(self, sequence: int, span: int, parities: list[bytes]) -> None:
        entries = len(parities)
        for entry, parity in enumerate(parities):
            covered = [
                (sequence - back) % SEQUENCE_MODULUS
                for back in range(entries - entry, span * entries - entry + 1, entries)
            ]
            missing = [each for each in covered if each not in self._known]
            if len(missing) == 1:
                packet = _xor([parity, *(self._known[each] for each in covered if each in self._known)])
                self._repair(missing[0], packet)

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


def _parse(datagram: bytes) -> tuple[int, bytes, Repair, list[bytes], int]:
    """Sequence number, primary, kind of repair, repeated packets or parities, FEC span."""
    reader = _Reader(datagram)
    sequence = int.from_bytes(reader.take(2), "big")
    primary = reader.open_type()
    kind = reader.take(1)[0]
    if kind & 0x80 == 0:
        count = reader.length()
        extra = [reader.open_type() for _ in range(min(count, HISTORY_PACKETS))]
        return sequence, primary, Repair.REDUNDANCY, extra, 0
    if reader.take(1) != b"\x01":
        raise FramingError("an FEC span of more than one octet")
    span = reader.take(1)[0]
    entries = reader.length()
    if not 1 <= span <= MAX_FEC_SPAN or entries > MAX_FEC_ENTRIES:
        raise FramingError(f"FEC span {span}, entries {entries}")
    return sequence, primary, Repair.FEC, [reader.open_type() for _ in range(entries)], span


class _Reader:
    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._octets):
            raise FramingError("cut short")
        octets = self._octets[self._at : end]
        self._at = end
        return octets

    def length(self) -> int:
        first = self.take(1)[0]
        if first < 0x80:
            return first
        if first & 0x40:
            raise FramingError("a fragmented length")
        return (first & 0x3F) << 8 | self.take(1)[0]

    def open_type(self) -> bytes:
        return self.take(self.length())
