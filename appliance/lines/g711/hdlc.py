"""HDLC out of the bits of V.21 (T.30 5.3, ISO/IEC 13239): flags, zero deletion, FCS, and repair.

Ours rather than spandsp's because of lost packets.  One flag is enough to find the next frame once the
preamble is known (spandsp wants a preamble again), and a frame that a lost packet cut a hole into is
mended: which bits are in doubt is known, so all fillings are tried, and the one whose FCS is right is
taken.  More than one, or none, and the frame stays bad.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from appliance.t30.dce import MAX_FRAME_OCTETS

# Flags in a row that are a preamble and no accident of noise.
PREAMBLE_FLAGS = 5
# Address, control and FCF at least, and two octets of FCS (T.30 5.3.4).
MIN_OCTETS = 3
FCS_OCTETS = 2
# Bits in doubt that are tried through: a packet of 20 ms has 6, its edges 2 or 3 more.  Each bit doubles
# the work (some 5 ms at 10) and the odds of a wrong match (1 in 500 at 10, and only when the right
# filling is not among those tried).
MAX_DOUBTFUL = 10
# Longest frame between two flags: every octet, and a stuffed bit for every five.
MAX_BITS = (MAX_FRAME_OCTETS + FCS_OCTETS) * 8 * 6 // 5
# What the CRC comes to over a frame with its right FCS (ITU-T X.25 2.2.7).
_FCS_GOOD = 0xF0B8
_FLAG = (0, 1, 1, 1, 1, 1, 1, 0)


def _crc_of_octet(octet: int) -> int:
    crc = octet
    for _ in range(8):
        crc = crc >> 1 ^ (0x8408 if crc & 1 else 0)
    return crc


_CRC = [_crc_of_octet(octet) for octet in range(256)]


def fcs_is_good(octets: bytes) -> bool:
    """Whether the last two octets are the FCS of the others."""
    crc = 0xFFFF
    for octet in octets:
        crc = crc >> 8 ^ _CRC[(crc ^ octet) & 0xFF]
    return crc == _FCS_GOOD


def unstuff(bits: Sequence[int]) -> bytes | None:
    """The octets between two flags; None when the bits cannot be a frame (an abort, a broken octet)."""
    ones = count = value = 0
    octets = bytearray()
    for bit in bits:
        if bit:
            ones += 1
            if ones > 5:
                return None
        elif ones == 5:
            ones = 0
            continue
        else:
            ones = 0
        value |= bit << count
        count += 1
        if count == 8:
            octets.append(value)
            count = value = 0
    return bytes(octets) if count == 0 else None


def mended(bits: Sequence[int], doubtful: Sequence[int]) -> bytes | None:
    """The only frame with a right FCS that these bits can be, whatever the doubtful ones are."""
    if not 0 < len(doubtful) <= MAX_DOUBTFUL:
        return None
    found: bytes | None = None
    trial = list(bits)
    for filling in range(1 << len(doubtful)):
        for place, index in enumerate(doubtful):
            trial[index] = filling >> place & 1
        octets = unstuff(trial)
        if octets is None or len(octets) < MIN_OCTETS + FCS_OCTETS or not fcs_is_good(octets):
            continue
        if found is not None and found != octets:
            return None
        found = octets
    return found


class HdlcReceiver:
    """Takes bits; calls ``preamble()`` once per carrier and ``frame(octets, ok)`` for each frame."""

    def __init__(self, preamble: Callable[[], None], frame: Callable[[bytes, bool], None]) -> None:
        self._preamble = preamble
        self._frame = frame
        self.reset()

    def reset(self) -> None:
        """The carrier has gone: the next preamble is awaited."""
        self._announced = False
        self._flags = 0
        self._in_frame = False
        self._bits: list[int] = []  # since the last flag that is beyond doubt
        self._doubtful: list[int] = []  # places in ``_bits``
        self._sure = 0  # bits beyond doubt at the end
        self._ones = 0  # of them ones in a row

    def put(self, bit: int, *, doubtful: bool = False) -> None:
        """``doubtful``: a lost packet was concealed here."""
        if doubtful:
            self._doubtful.append(len(self._bits))
            self._sure = self._ones = 0
        else:
            self._sure += 1
            self._ones = self._ones + 1 if bit else 0
        self._bits.append(bit)
        if self._sure >= len(_FLAG) and bit == 0 and tuple(self._bits[-len(_FLAG) :]) == _FLAG:
            self._flag()
        elif self._ones > 6 or len(self._bits) > MAX_BITS:  # an abort, idle, or no frame of ours
            self._in_frame = False
            self._flags = 0
            self._begin()

    def _flag(self) -> None:
        bits = self._bits[: -len(_FLAG)]
        # Two flags may share a zero.
        empty = not bits
        if empty:
            self._flags += 1
        else:
            if self._in_frame and self._announced:
                self._finish(bits)
            self._flags = 1
        if self._flags >= PREAMBLE_FLAGS and not self._announced:
            self._announced = True
            self._preamble()
        self._in_frame = True
        self._begin()

    def _begin(self) -> None:
        self._bits = []
        self._doubtful = []
        self._sure = 0

    def _finish(self, bits: list[int]) -> None:
        octets = unstuff(bits)
        ok = octets is not None and len(octets) >= MIN_OCTETS + FCS_OCTETS and fcs_is_good(octets)
        if not ok and self._doubtful:
            repaired = mended(bits, self._doubtful)
            if repaired is not None:
                octets, ok = repaired, True
        if octets is None:
            octets = bytes(_as_they_came(bits))
        if len(octets) >= MIN_OCTETS + FCS_OCTETS:
            self._frame(octets[:-FCS_OCTETS], ok)


def _as_they_came(bits: list[int]) -> Iterator[int]:
    """Octets of a broken frame, for the trace."""
    for start in range(0, len(bits) - 7, 8):
        yield sum(bit << place for place, bit in enumerate(bits[start : start + 8]))
