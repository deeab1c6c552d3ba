"""Detects packets that contradict each other: somebody else sends in the far end's name.

UDPTL does not authenticate datagrams.  Whoever can send from the far end's address can send anything in its
name, but cannot keep the far end itself from sending: its own packets arrive too, with sequence numbers that
were accepted, skipped or given up before.
"""

from __future__ import annotations

from collections.abc import Mapping

from appliance.t38.udptl import SEQUENCE_MASK, Datagram

# How far from the last number of the old series a datagram still belongs to it, after the numbers were
# restarted.
NEAR = 64
# A peer that restarts counts from 0 (T.38 9.1), or from 1 when packet 0 was lost.
BEGINNINGS = (0, 1)
# The bit of an IFP packet's first octet that distinguishes data from an indicator (T.38 Annex A).
_IS_DATA = 0x40


class Contradictions:
    """Counts the contradictions of a session."""

    def __init__(self) -> None:
        self._sure = 0
        self._suspected = 0  # contradictions, unless a new series of numbers begins
        self._left_at: int | None = None  # the number that was due when a new series was accepted
        self._passed_over = range(0)  # the numbers that were last given up as lost

    @property
    def count(self) -> int:
        """Datagrams so far that contradict one that was accepted."""
        return self._sure + self._suspected

    def pass_over(self, first: int, count: int) -> None:
        """To be called when ``count`` numbers from ``first`` on are given up as lost."""
        self._passed_over = range(first, first + count)

    def compare(self, datagram: Datagram, had: Mapping[int, bytes]) -> None:
        """Checks a datagram with an earlier number; ``had`` are the packets accepted so far, by number."""
        if _contradicts(datagram.primary, had.get(datagram.sequence)) or self._was_overtaken(datagram):
            self._sure += 1

    def _was_overtaken(self, datagram: Datagram) -> bool:
        """Whether it has data of a signal and its number was given up as lost.

        A far end's data packets do not overtake each other by that much: those with later numbers, which
        came before it, were somebody else's.
        """
        number = datagram.sequence
        passed = number in self._passed_over or number + SEQUENCE_MASK + 1 in self._passed_over
        return passed and bool(datagram.primary[:1]) and bool(datagram.primary[0] & _IS_DATA)

    def suspect(self, datagram: Datagram, had: Mapping[int, bytes]) -> None:
        """Checks a datagram that may begin a new series of numbers."""
        if self._left_at is not None and _has_signal(datagram.primary):
            away = (datagram.sequence - self._left_at + NEAR) & SEQUENCE_MASK
            if away <= 2 * NEAR:
                self._sure += 1  # the series that was given up continues
                return
        if _contradicts(datagram.primary, had.get(datagram.sequence)):
            self._suspected += 1

    def series_begins(self, first: int, due: int) -> None:
        """To be called when a new series is accepted; ``due`` was the next number of the old one."""
        if first not in BEGINNINGS:  # a restarted peer would not begin in the middle
            self._sure += self._suspected
        self._suspected = 0
        self._left_at = due


def _contradicts(packet: bytes, had: bytes | None) -> bool:
    # Zeros may follow a packet recovered by FEC.
    return had is not None and _has_signal(packet) and packet.rstrip(b"\0") != had.rstrip(b"\0")


def _has_signal(packet: bytes) -> bool:
    """Whether a packet has a signal.  All zeros is no-signal, which gateways number arbitrarily."""
    return any(packet)
