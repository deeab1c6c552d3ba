"""Error correction mode: pages divided into blocks and frames, and reassembled (T.4 and T.30, Annex A)."""

from __future__ import annotations

from dataclasses import dataclass, field

from appliance.t30.frames import FRAMES_IN_BLOCK, RCP_FRAME, FrameMap, encode_fcd

# T.4 A.3.6.2: three RCP frames end a partial page, so that at least one gets through.
RCP_REPEATS = 3

# T.4 A.3.6.2: a frame carries 256 or 64 octets of data.
LONGEST_FRAME_OCTETS = 256

# T.30 A.1.3: at the fourth PPR for the same block the transmitter decides whether to go on (CTC, at the
# same rate or a lower one) or to give the block up (EOR).
PPR_LIMIT = 4

# The rate is kept when at least this share of the outstanding frames got through in four transmissions.
# Below that a frame gets through about once in ten: the next lower rate is then faster.
KEEP_RATE_SHARE = 1 / 3


class EcmPage:
    """A page to send, divided into blocks of up to 256 frames.

    ``data`` is in line order (the first bit on the line is the least significant one), ``frame_octets`` is
    256 or 64.  ``block`` is the current block, from 0; the caller advances it.
    """

    def __init__(self, data: bytes, frame_octets: int) -> None:
        padding = -len(data) % frame_octets  # T.4 A.3.6.2: the last frame is padded with zeros
        self._data = data + bytes(padding)
        self._frame_octets = frame_octets
        self._total = max(1, len(self._data) // frame_octets)
        self.block = 0

    @property
    def blocks(self) -> int:
        """Number of blocks of the page."""
        return -(-self._total // FRAMES_IN_BLOCK)

    @property
    def last_block(self) -> bool:
        """Whether the current block is the last one."""
        return self.block == self.blocks - 1

    @property
    def frames_in_block(self) -> int:
        """Number of frames of the current block, 1 to 256."""
        return min(FRAMES_IN_BLOCK, self._total - self.block * FRAMES_IN_BLOCK)

    def frames(self, wanted: frozenset[int] | None = None) -> tuple[bytes, ...]:
        """The encoded FCD frames of the current block (all, or those ``wanted``), then the RCP frames."""
        numbers = range(self.frames_in_block)
        chosen = [self._frame(n) for n in numbers if wanted is None or n in wanted]
        return (*chosen, *(RCP_FRAME,) * RCP_REPEATS)

    def _frame(self, number: int) -> bytes:
        start = (self.block * FRAMES_IN_BLOCK + number) * self._frame_octets
        return encode_fcd(number, self._data[start : start + self._frame_octets])


@dataclass
class EcmBlock:
    """The frames of a block that is being received, by number.

    Frames of either size are accepted whatever the DCS specifies: their FCS was right, and some transmitters
    announce one size and send the other.
    """

    frames: dict[int, bytes] = field(default_factory=dict)
    total: int = 0  # number of frames in the block as far as known from PPS, 0 before the first PPS

    def add(self, number: int, data: bytes) -> bool:
        """Adds a frame.  False when it is empty, too long, or already there."""
        if not 0 < len(data) <= LONGEST_FRAME_OCTETS or number in self.frames:
            return False
        self.frames[number] = data
        return True

    def announce(self, frames: int) -> None:
        """Takes the frame count of a PPS.  After a PPR it may count the repeated frames alone."""
        self.total = max(self.total, frames, max(self.frames, default=-1) + 1)

    def missing(self) -> frozenset[int]:
        """Numbers of the missing frames; empty when the block is complete."""
        return frozenset(n for n in range(self.total) if n not in self.frames)

    def request(self) -> FrameMap:
        """The map of a PPR.  Bits beyond the end of the block are set as well (T.30 A.4.4)."""
        return FrameMap(self.missing() | frozenset(range(self.total, FRAMES_IN_BLOCK)))

    def data(self) -> bytes:
        """The octets of a complete block, in line order.  KeyError when a frame is missing."""
        return b"".join(self.frames[n] for n in range(self.total))
