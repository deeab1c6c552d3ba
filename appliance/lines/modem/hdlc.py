"""HDLC as T.30 and T.4 Annex A use it: FCS, zero insertion, flags; for the rates where the modem does none.

Octets are in line order with the first bit in the least significant place, as T.31 passes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from appliance.t30 import fcs
from appliance.t30.dce import MAX_FRAME_OCTETS

FLAG = 0x7E
_LIMIT = MAX_FRAME_OCTETS + fcs.OCTETS


def bit_stream_pieces(frames: Iterable[bytes], *, leading_flags: int, trailing_flags: int) -> Iterator[bytes]:
    """Frames without FCS as the octets of a synchronous bit stream, flags before, between and after.

    A piece for each frame.  The stream is filled to a whole octet with the beginning of a flag.
    """
    bits = _BitWriter()
    bits.flags(leading_flags)
    for frame in frames:
        bits.stuffed(fcs.with_fcs(frame))
        bits.flags(1)
        yield bits.whole()
    bits.flags(trailing_flags)
    yield bits.octets()


class _BitWriter:
    def __init__(self) -> None:
        self._out = bytearray()
        self._hold = 0  # bits not yet a whole octet, the oldest lowest
        self._held = 0

    def flags(self, count: int) -> None:
        for _ in range(count):
            self._put(FLAG, 8)

    def stuffed(self, data: bytes) -> None:
        ones = 0
        for octet in data:
            bits, count, ones = _STUFFED[ones][octet]
            self._put(bits, count)

    def _put(self, bits: int, count: int) -> None:
        self._hold |= bits << self._held
        self._held += count
        while self._held >= 8:
            self._out.append(self._hold & 0xFF)
            self._hold >>= 8
            self._held -= 8

    def whole(self) -> bytes:
        """The octets that are complete; they are not given again."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def octets(self) -> bytes:
        """The rest, filled up with a flag."""
        if self._held:
            self._put(FLAG, 8)
            self._held = 0
        return self.whole()


def _stuffed_octet(ones: int, octet: int) -> tuple[int, int, int]:
    """An octet after ``ones`` ones: its bits with zeros inserted, their number, ones at its end."""
    bits = count = 0
    for place in range(8):
        bit = octet >> place & 1
        bits |= bit << count
        count += 1
        ones = ones + 1 if bit else 0
        if ones == 5:
            count += 1
            ones = 0
    return bits, count, ones


_STUFFED = tuple(tuple(_stuffed_octet(ones, octet) for octet in range(256)) for ones in range(5))


class Deframer:
    """Finds frames in a synchronous bit stream: ``feed`` gives (frame without FCS, FCS right).

    A frame of more than MAX_FRAME_OCTETS is truncated, with a wrong FCS.
    """

    def __init__(self) -> None:
        self._ones = 0
        self._in_frame = False
        self._frame = bytearray()
        self._hold = 0
        self._held = 0

    def feed(self, data: bytes) -> list[tuple[bytes, bool]]:
        """The frames that these octets complete."""
        found: list[tuple[bytes, bool]] = []
        for octet in data:
            if octet == FLAG and self._held == 0 and self._in_frame and not self._frame and not self._ones:
                continue  # aligned flags between frames: nothing happens
            for place in range(8):
                self._bit(octet >> place & 1, found)
        return found

    def _bit(self, bit: int, found: list[tuple[bytes, bool]]) -> None:
        if bit:
            self._ones += 1
            if self._ones >= 7:  # abort, or idle line (ISO/IEC 13239 4.3.2)
                self._in_frame = False
                return
        else:
            ones, self._ones = self._ones, 0
            if ones == 6:
                self._flag(found)
                return
            if ones == 5:
                return  # the inserted zero
        if not self._in_frame:
            return
        self._hold |= bit << self._held
        self._held += 1
        if self._held == 8:
            self._frame.append(self._hold)
            self._hold = self._held = 0
            if len(self._frame) > _LIMIT:
                found.append((bytes(self._frame[: _LIMIT - fcs.OCTETS]), False))
                self._in_frame = False

    def _flag(self, found: list[tuple[bytes, bool]]) -> None:
        # Seven bits of the flag itself (0111111) have gone into the hold before it was known.
        whole = self._held == 7
        if self._in_frame and len(self._frame) > fcs.OCTETS:
            frame = bytes(self._frame)
            found.append((frame[: -fcs.OCTETS], whole and fcs.fcs_is_right(frame)))
        self._frame.clear()
        self._hold = self._held = 0
        self._in_frame = True
