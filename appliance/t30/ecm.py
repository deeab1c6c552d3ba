"""ECM's arithmetic (T.4 Annex A, T.30 Annex A): pages cut into blocks and frames, and put together again."""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.t30.frames import FRAMES_IN_BLOCK, RCP_FRAME, FrameMap, encode_fcd

# T.4 A.3.6.2: three RCP frames end a partial page, so that one at least gets through.
RCP_REPEATS = 3

# T.30 A.4.4 and figure A.7: after the fourth PPR for the same block the transmitter changes its
# ways: CTC at a lower rate, or EOR.
PPR_LIMIT = 4


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
    """A block that is being received: frames by number until the PPS has been satisfied."""

    frame_octets: int
    frames: dict[int, bytes] = field(default_factory=dict)
    total: int = 0  # frames that the first PPS announced, 0 before it

    def add(self, number: int, data: bytes) -> bool:
        """Keeps one frame.  False for one that is no frame of this page (wrong length) or known."""
        if not 0 < len(data) <= self.frame_octets or number in self.frames:
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
