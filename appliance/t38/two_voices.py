"""Packets that contradict each other: somebody else speaks in the far end's name.

Nothing in UDPTL proves who sent a datagram.  Whoever can send from the far end's address may say anything in
its name, but cannot keep the far end itself from speaking: its own packets come, under numbers that were
believed, passed over or given up.
"""

from __future__ import annotations

from collections.abc import Mapping

from appliance.t38.udptl import SEQUENCE_MASK, Datagram

# How far from where the numbers stood before they began anew a datagram still belongs to that row.
NEAR = 64
# A peer that begins anew counts from 0 (T.38 9.1), or from 1 where 0 was lost.
BEGINNINGS = (0, 1)
# The bit of an IFP packet's first octet that tells data from an indicator (T.38 Annex A).
_IS_DATA = 0x40


class TwoVoices:
    """Counts the contradictions of a session."""

    def __init__(self) -> None:
        self._sure = 0
        self._suspected = 0  # may yet be the beginning of a new row of numbers
        self._left_at: int | None = None  # the number that was due when a new row was believed
        self._passed_over = range(0)  # the numbers that were last given up as lost

    @property
    def count(self) -> int:
        """Datagrams so far that said another thing than one that was believed."""
        return self._sure + self._suspected

    def pass_over(self, first: int, count: int) -> None:
        """So many numbers from ``first`` on were given up, since later ones came."""
        self._passed_over = range(first, first + count)

    def compare(self, datagram: Datagram, had: Mapping[int, bytes]) -> None:
        """A datagram whose number is behind; ``had``: the packets that were taken, by number."""
        if _contradicts(datagram.primary, had.get(datagram.sequence)) or self._was_overtaken(datagram):
            self._sure += 1

    def _was_overtaken(self, datagram: Datagram) -> bool:
        """Whether it is a piece of a signal that was believed to be whole without it.

        A far end does not speak in pieces that overtake each other: what came before it with later numbers
        was another's.
        """
        number = datagram.sequence
        passed = number in self._passed_over or number + SEQUENCE_MASK + 1 in self._passed_over
        return passed and bool(datagram.primary[:1]) and bool(datagram.primary[0] & _IS_DATA)

    def suspect(self, datagram: Datagram, had: Mapping[int, bytes]) -> None:
        """A datagram that may begin a new row of numbers."""
        if self._left_at is not None and _speaks(datagram.primary):
            away = (datagram.sequence - self._left_at + NEAR) & SEQUENCE_MASK
            if away <= 2 * NEAR:
                self._sure += 1  # the row that was given up goes on
                return
        if _contradicts(datagram.primary, had.get(datagram.sequence)):
            self._suspected += 1

    def begins_anew(self, first: int, due: int) -> None:
        """A new row is believed, from ``first`` on; ``due`` was the next number of the old one."""
        if first not in BEGINNINGS:  # it goes on, in the middle of what it is said to have said already
            self._sure += self._suspected
        self._suspected = 0
        self._left_at = due


def _contradicts(packet: bytes, had: bytes | None) -> bool:
    # Zeros may follow what error recovery made.
    return had is not None and _speaks(packet) and packet.rstrip(b"\0") != had.rstrip(b"\0")


def _speaks(packet: bytes) -> bool:
    """Whether a packet says anything: all zeros is "no signal", which gateways number as they like."""
    return any(packet)
