"""ECM's arithmetic (T.4 Annex A, T.30 Annex A): pages cut into blocks and frames, and put together again."""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.t30.frames import FRAMES_IN_BLOCK, RCP_FRAME, FrameMap, encode_fcd

# T.4 A.3.6.2: three RCP frames end a partial page, so that one at least gets through.
RCP_REPEATS = 3

# T.4 A.3.6.2: a frame carries 256 or 64 octets of data.
LONGEST_FRAME_OCTETS = 256

# T.30 A.1.3: at the fourth PPR for the same block the transmitter decides whether to go on (CTC, at the
# same rate or a lower one) or to give the block up (EOR).
PPR_LIMIT = 4

# The rate is kept when this share of the frames that were owed has got through in four goes.  Less means
# that a frame gets through once in ten goes: the rung below costs less than that.
KEEP_RATE_SHARE = 1 / 3


class EcmPage:
    """A page that is being sent: octets in line order, cut into blocks of up to 256 frames."""

    def __init__(self, data: bytes, frame_octets: int) -> None:
        padding = -len(data) % frame_octets  # T.4 A.3.6.2: the last frame is filled up with zeros
        self._data = data + bytes(padding)
        self._frame_octets = frame_octets
        self._total = max(1, len(self._data) // frame_octets)
        self.block = 0

    @property
    def blocks(self) -> int:
        return -(-self._total // FRAMES_IN_BLOCK)

    @property
    def last_block(self) -> bool:
        return self.block == self.blocks - 1

    @property
    def frames_in_block(self) -> int:
        return min(FRAMES_IN_BLOCK, self._total - self.block * FRAMES_IN_BLOCK)

    def frames(self, wanted: frozenset[int] | None = None) -> tuple[bytes, ...]:
        """The FCD frames of this block, or those of them that are ``wanted``, and the RCPs."""
        numbers = range(self.frames_in_block)
        chosen = [self._frame(n) for n in numbers if wanted is None or n in wanted]
        return (*chosen, *(RCP_FRAME,) * RCP_REPEATS)

    def _frame(self, number: int) -> bytes:
        start = (self.block * FRAMES_IN_BLOCK + number) * self._frame_octets
        return encode_fcd(number, self._data[start : start + self._frame_octets])


@dataclass
class EcmBlock:
    """A block that is being received: frames by number until the PPS has been satisfied.

    Frames of either size are taken whatever the DCS said: their FCS was right, and there are
    transmitters that announce one and send the other.
    """

    frames: dict[int, bytes] = field(default_factory=dict)
    total: int = 0  # frames that the first PPS announced, 0 before it

    def add(self, number: int, data: bytes) -> bool:
        """Keeps one frame.  False for one that is no frame of a page (too long or empty) or known."""
        if not 0 < len(data) <= LONGEST_FRAME_OCTETS or number in self.frames:
            return False
        self.frames[number] = data
        return True

    def announce(self, frames: int) -> None:
        """A PPS says how many frames it closes; repeats after a PPR may only count their own."""
        self.total = max(self.total, frames, max(self.frames, default=-1) + 1)

    def missing(self) -> frozenset[int]:
        """Frames that have not come; empty when the block is whole."""
        return frozenset(n for n in range(self.total) if n not in self.frames)

    def request(self) -> FrameMap:
        """The PPR's map: bits of frames that the block has not are set too (T.30 A.4.4)."""
        return FrameMap(self.missing() | frozenset(range(self.total, FRAMES_IN_BLOCK)))

    def data(self) -> bytes:
        """The octets of a whole block, in line order."""
        return b"".join(self.frames[n] for n in range(self.total))
