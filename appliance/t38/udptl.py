"""UDPTL (T.38 clause 9.1 and Annex C): datagrams with a sequence number, an IFP packet, and protection.

A datagram is the sequence number (two octets), the primary IFP packet as an open type, and either the
previous packets again (redundancy) or parities over groups of previous packets (FEC).  The parity number
``m`` of ``entries`` in datagram ``s`` with a span of ``n`` is the exclusive-or of the packets
``s + m - entries``, ``s + m - 2 entries`` … ``s + m - n entries``, each padded with zeros to the longest.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from appliance.t38.settings import ErrorCorrection, T38Settings

SEQUENCE_MASK = 0xFFFF
# Largest UDP payload over IPv4.
MAX_UDP_OCTETS = 65507
# Packets that a datagram may repeat or protect: our own bound on work and memory, far above what is used (3
# to 5).
MAX_SECONDARIES = 32
MAX_FEC_GROUP = 64

_FEC_FLAG = 0x80  # the CHOICE of error-recovery: bit 0 secondary packets, 1 FEC


class UdptlError(ValueError):
    """Octets that are not a UDPTL datagram: the peer's fault."""


@dataclass(frozen=True, slots=True)
class Datagram:
    """One parsed datagram.

    ``secondaries`` are the packets before the primary, newest first; ``parities`` are over groups of
    ``span`` packets (see the module's docstring).  At most one of the two is filled.  ``sound`` is False
    when the error recovery was invalid and is left out.
    """

    sequence: int
    primary: bytes = field(repr=False)
    secondaries: tuple[bytes, ...] = field(default=(), repr=False)
    span: int = 0
    parities: tuple[bytes, ...] = field(default=(), repr=False)
    sound: bool = True


# -- octets --------------------------------------------------------------------------------------


def open_type(content: bytes) -> bytes:
    """``content`` with its length determinant (X.691 10.9), in fragments from 16384 octets on."""
    length = len(content)
    if length < 0x80:
        return bytes((length,)) + content
    if length < 0x4000:
        return (0x8000 | length).to_bytes(2, "big") + content
    blocks = min(length // 0x4000, 4)
    return bytes((0xC0 | blocks,)) + content[: blocks * 0x4000] + open_type(content[blocks * 0x4000 :])


def _read_open_type(data: bytes, at: int) -> tuple[bytes, int]:
    try:
        first = data[at]
        if first < 0x80:
            start = at + 1
            stop = start + first
        elif not first & 0x40:
            start = at + 2
            stop = start + ((first & 0x3F) << 8 | data[at + 1])
        else:
            return _read_fragments(data, at)
    except IndexError:
        raise UdptlError("length cut short") from None
    if stop > len(data):
        raise UdptlError("content cut short")
    return data[start:stop], stop


def _read_fragments(data: bytes, at: int) -> tuple[bytes, int]:
    pieces: list[bytes] = []
    while data[at] & 0xC0 == 0xC0:
        blocks = data[at] & 0x3F
        stop = at + 1 + blocks * 0x4000
        if not 1 <= blocks <= 4 or stop >= len(data):
            raise UdptlError("fragment cut short")
        pieces.append(data[at + 1 : stop])
        at = stop
    last, at = _read_open_type(data, at)
    return b"".join((*pieces, last)), at


def _read_count(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise UdptlError("count cut short")
    if data[at] >= 0x80:
        raise UdptlError("count beyond any sense")
    return data[at], at + 1


def parse(data: bytes) -> Datagram:
    """Parses a datagram in time linear in its size.

    Invalid error recovery (a wrong count, a truncated packet) is left out, as some senders' primary packet is
    valid all the same.  Octets after the datagram are ignored.  Raises UdptlError without a primary packet.
    """
    if not 4 <= len(data) <= MAX_UDP_OCTETS:
        raise UdptlError(f"{len(data)} octets")
    sequence = data[0] << 8 | data[1]
    primary, at = _read_open_type(data, 2)
    try:
        return _parse_recovery(data, at, sequence, primary)
    except UdptlError:
        return Datagram(sequence, primary, sound=False)


def _parse_recovery(data: bytes, at: int, sequence: int, primary: bytes) -> Datagram:
    if at >= len(data):
        raise UdptlError("error recovery missing")
    recovery = data[at]
    if recovery & 0x7F:
        raise UdptlError("padding bits are not zero")
    at += 1
    if recovery == _FEC_FLAG:
        return _parse_fec(data, at, sequence, primary)
    count, at = _read_count(data, at)
    if count > MAX_SECONDARIES:
        raise UdptlError(f"{count} secondary packets")
    secondaries: list[bytes] = []
    for _ in range(count):
        packet, at = _read_open_type(data, at)
        secondaries.append(packet)
    return Datagram(sequence, primary, tuple(secondaries))


def _parse_fec(data: bytes, at: int, sequence: int, primary: bytes) -> Datagram:
    width, at = _read_count(data, at)  # an unconstrained INTEGER: length in octets, then the value
    if not 1 <= width <= 4 or at + width > len(data):
        raise UdptlError("fec-npackets of no sensible size")
    span = int.from_bytes(data[at : at + width], "big", signed=True)
    count, at = _read_count(data, at + width)
    if span < 0 or span * count > MAX_FEC_GROUP:
        raise UdptlError(f"{count} parities over {span} packets")
    parities: list[bytes] = []
    for _ in range(count):
        parity, at = _read_open_type(data, at)
        parities.append(parity)
    return Datagram(sequence, primary, (), span, tuple(parities) if span else ())


def build(datagram: Datagram) -> bytes:
    """The octets of a datagram; the inverse of ``parse``."""
    head = datagram.sequence.to_bytes(2, "big") + open_type(datagram.primary)
    if datagram.parities:
        return b"".join(
            (
                head,
                bytes((_FEC_FLAG, 1, datagram.span, len(datagram.parities))),
                *map(open_type, datagram.parities),
            )
        )
    return b"".join((head, bytes((0, len(datagram.secondaries))), *map(open_type, datagram.secondaries)))


def parity_of(packets: list[bytes]) -> bytes:
    """Exclusive-or of the packets, each padded with zeros to the longest (Annex C.2.1)."""
    longest = max(map(len, packets))
    total = 0
    for packet in packets:
        total ^= int.from_bytes(packet, "big") << 8 * (longest - len(packet))
    return total.to_bytes(longest, "big")


# -- sending -------------------------------------------------------------------------------------


class UdptlSender:
    """Makes datagrams of IFP packets, with sequence numbers and the agreed protection.

    None is larger than ``max_datagram``: if necessary the oldest packets remain unprotected.
    """

    def __init__(self, settings: T38Settings) -> None:
        self._limit = settings.max_datagram
        self._correction = settings.error_correction
        self._span = settings.fec_span
        self._entries = settings.fec_entries
        self._sequence = 0
        memory = settings.redundancy
        if self._correction is ErrorCorrection.FEC:
            memory = self._span * self._entries
        # Redundancy: packets as open types, newest first.  FEC: packets alone, newest last.
        self._previous: deque[bytes] = deque(maxlen=memory)

    def wrap(self, ifp: bytes) -> bytes:
        """The datagram with the next IFP packet.

        Raises ValueError for a packet that exceeds the limit even without protection, which is a bug.
        """
        head = self._sequence.to_bytes(2, "big")
        primary = open_type(ifp)
        size = len(primary) + 4
        if size > self._limit:
            raise ValueError(f"an IFP packet of {len(ifp)} octets in datagrams of {self._limit}")
        self._sequence = self._sequence + 1 & SEQUENCE_MASK
        if self._correction is ErrorCorrection.REDUNDANCY:
            pieces = [head, primary, b""]
            for previous in self._previous:
                size += len(previous)
                if size > self._limit:
                    break
                pieces.append(previous)
            pieces[2] = bytes((0, len(pieces) - 3))
            self._previous.appendleft(primary)
            return b"".join(pieces)
        if self._correction is ErrorCorrection.FEC:
            tail = self._parities(self._limit - size)
            self._previous.append(ifp)
            return b"".join((head, primary, tail))
        return b"".join((head, primary, b"\0\0"))

    def _parities(self, room: int) -> bytes:
        """The FEC part within ``room`` octets, over as many sent packets as fit."""
        packets = list(self._previous)
        entries = min(self._entries, len(packets))
        room -= 2  # span and number of entries
        while entries:
            span = min(self._span, len(packets) // entries)
            # Entry m covers every entries-th packet, the newest of them entries - m back.
            used = packets[len(packets) - span * entries :]
            parities = [open_type(parity_of(used[m::entries])) for m in range(entries)]
            if sum(map(len, parities)) <= room:
                return b"".join((bytes((_FEC_FLAG, 1, span, entries)), *parities))
            entries -= 1
        return b"\0\0"
