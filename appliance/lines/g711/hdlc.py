"""Decodes HDLC from the bits of V.21 (T.30 5.3, ISO/IEC 13239): flags, zero deletion, FCS, and repair.

It replaces spandsp's decoder because of lost packets.  After the preamble one flag is enough to find the next
frame (spandsp needs a preamble again), and a frame with a gap from a lost packet is repaired: the doubtful
bits are known, so all their values are tried, and the one with a right FCS is used.  With more than one, or
none, the frame stays bad.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance.t30 import fcs
from appliance.t30.dce import MAX_FRAME_OCTETS

# Consecutive flags that count as a preamble rather than noise.
PREAMBLE_FLAGS = 5
# Address, control and FCF at least, without the FCS (T.30 5.3.4).
MIN_OCTETS = 3
# The most doubtful bits that are tried: a packet of 20 ms has 6, its edges 2 or 3 more.  Each bit doubles
# the work (some 5 ms at 10) and the odds of a wrong match (1 in 500 at 10, and only when the right
# filling is not among those tried).
MAX_DOUBTFUL = 10
# Longest frame between two flags: every octet, and a stuffed bit for every five.
MAX_BITS = (MAX_FRAME_OCTETS + fcs.OCTETS) * 8 * 6 // 5
_FLAG = "01111110"


def unstuff(bits: str) -> bytes | None:
    """The octets of the bits between two flags; None for an invalid frame (abort, incomplete octet)."""
    if "111111" in bits:
        return None
    # Runs of ones are five at the most here, so that each match is one stuffed zero.
    bits = bits.replace("111110", "11111")
    if not bits or len(bits) % 8:
        return None
    return int(bits[::-1], 2).to_bytes(len(bits) // 8, "little")


def mended(bits: str, first: int, count: int) -> tuple[bytes, ...]:
    """The frames with right FCS in these bits, for any values of the ``count`` doubtful ones from ``first``.

    There may be flags among the doubtful bits, and one bit more or less than the receiver counted.
    Empty when two different values give a right FCS.
    """
    before, after = bits[:first], bits[first + count :]
    for length in (count, count - 1, count + 1):
        if not 0 < length <= MAX_DOUBTFUL:
            continue
        found: set[tuple[bytes, ...]] = set()
        for filling in range(1 << length):
            parts = f"{before}{filling:0{length}b}{after}".split(_FLAG)
            good = tuple(octets for octets in map(unstuff, parts) if octets is not None and _is_frame(octets))
            if good:
                found.add(good)
        if found:
            most = max(map(len, found))
            best = [frames for frames in found if len(frames) == most]
            return best[0] if len(best) == 1 else ()
    return ()


def _is_frame(octets: bytes) -> bool:
    return len(octets) >= MIN_OCTETS + fcs.OCTETS and fcs.fcs_is_right(octets)


class HdlcReceiver:
    """Takes bits; calls ``preamble()`` once per carrier and ``frame(octets, ok)`` for each frame."""

    def __init__(self, preamble: Callable[[], None], frame: Callable[[bytes, bool], None]) -> None:
        self._preamble = preamble
        self._frame = frame
        self._announced = False
        self._flags = 0
        self._in_frame = False
        self._bits: list[str] = []  # since the last certain flag
        self._first_doubtful = 0
        self._doubtful = 0  # bits from there to the last one in doubt
        self._sure = 0  # bits beyond doubt at the end
        self._ones = 0  # of them ones in a row

    def reset(self) -> None:
        """The carrier has ended: waits for the next preamble."""
        self._announced = False
        self._flags = 0
        self._in_frame = False
        self._begin()

    def put(self, bit: int, *, doubtful: bool = False) -> None:
        """Takes a bit; ``doubtful``: it is from concealed samples of a lost packet."""
        self._bits.append("1" if bit else "0")
        if doubtful:
            if not self._doubtful:
                self._first_doubtful = len(self._bits) - 1
            self._doubtful = len(self._bits) - self._first_doubtful
            self._sure = self._ones = 0
            return
        self._sure += 1
        self._ones = self._ones + 1 if bit else 0
        if bit == 0 and self._sure >= len(_FLAG) and "".join(self._bits[-len(_FLAG) :]) == _FLAG:
            self._flag()
        elif self._ones > 6 or len(self._bits) > MAX_BITS:  # an abort, idle, or no frame of ours
            self._in_frame = False
            self._flags = 0
            self._begin()

    def _flag(self) -> None:
        bits = "".join(self._bits[: -len(_FLAG)])
        if not bits:
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
        self._first_doubtful = self._doubtful = self._sure = self._ones = 0

    def _finish(self, bits: str) -> None:
        octets = unstuff(bits)
        if octets is not None and _is_frame(octets):
            self._frame(octets[: -fcs.OCTETS], True)
            return
        repaired = mended(bits, self._first_doubtful, self._doubtful) if self._doubtful else ()
        for each in repaired:
            self._frame(each[: -fcs.OCTETS], True)
        if octets is None:
            octets = _as_they_came(bits)
        if not repaired and len(octets) >= MIN_OCTETS + fcs.OCTETS:
            self._frame(octets[: -fcs.OCTETS], False)


def _as_they_came(bits: str) -> bytes:
    """Octets of a broken frame, for the trace."""
    return bytes(int(bits[start : start + 8][::-1], 2) for start in range(0, len(bits) - 7, 8))
