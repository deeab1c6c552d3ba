"""Every error recovery of UDPTL (T.38 9.1.4) for the practice machine, which by itself repeats packets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from appliance.lines.practice.framing import (
    SEQUENCE_MODULUS,
    DatagramReader,
    DatagramUnwrapper,
    DatagramWrapper,
    FramingError,
    open_type,
)

# Limits of a peer's FEC description; larger ones are dropped.
MAX_FEC_SPAN = 16
MAX_FEC_ENTRIES = 16


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


class ProtectedSender(DatagramWrapper):
    """Wraps IFP packets with any protection."""

    def __init__(self, protection: Protection) -> None:
        super().__init__()
        self._protection = protection

    def _recovery(self, depth: int = 0) -> bytes:
        repair, span, entries = self._protection.repair, self._protection.depth, self._protection.entries
        if repair is not Repair.FEC or not self._past:
            return super()._recovery(span if repair is Repair.REDUNDANCY else 0)
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
        return bytes((0x80, 1, span, len(parity))) + b"".join(open_type(each) for each in parity)


def _xor(packets: list[bytes]) -> bytes:
    """Parity over packets of unequal length, as if padded with zeros (T.38 9.1.4.2)."""
    total = 0
    longest = max((len(each) for each in packets), default=0)
    for each in packets:
        total ^= int.from_bytes(each.ljust(longest, b"\0"), "big")
    return total.to_bytes(longest, "big")


class ProtectedReceiver(DatagramUnwrapper):
    """Repairs from parity, too."""

    def __init__(self) -> None:
        super().__init__()
        self._span = 0
        self._parities: list[bytes] = []

    def _read_recovery(self, reader: DatagramReader) -> list[bytes]:
        self._parities = []
        if not reader.octets[reader.at : reader.at + 1] >= b"\x80":
            return super()._read_recovery(reader)
        reader.take(1)
        if reader.take(1) != b"\x01":
            raise FramingError("an FEC span of more than one octet")
        self._span = reader.take(1)[0]
        entries = reader.length()
        if not 1 <= self._span <= MAX_FEC_SPAN or entries > MAX_FEC_ENTRIES:
            raise FramingError(f"FEC span {self._span}, entries {entries}")
        self._parities = [reader.open_type() for _ in range(entries)]
        return []

    def _release(self, newest: int) -> Iterator[tuple[int, bytes]]:
        entries = len(self._parities)
        for entry, parity in enumerate(self._parities):
            covered = [
                (newest - back) % SEQUENCE_MODULUS
                for back in range(entries - entry, self._span * entries - entry + 1, entries)
            ]
            missing = [each for each in covered if each not in self._known]
            if len(missing) == 1:
                packet = _xor([parity, *(self._known[each] for each in covered if each in self._known)])
                self._repair(missing[0], packet)
        return super()._release(newest)
