"""Scripted faults of the practice line: damage to received or sent packets, and the end of the call.

They act on the IFP packets between UDPTL and spandsp, so terminal and gateway are affected alike.  They are
tied to protocol events (the n-th TCF, the n-th page) and not to a clock, so that they are reproducible;
random choices come from a seed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

# T.38 7.2.1: t30-indicator values of the fast modulations (training); 0 is no-signal, 3 V.21 flags.
_NO_SIGNAL = 0
_FIRST_TRAINING = 4
# T.38 7.2.2: t30-data values; 0 is V.21.
_DATA_V21 = 0


class _Field(Enum):
    """T.38 7.3: field-type, those of Group 3."""

    HDLC_DATA = 0
    HDLC_SIG_END = 1
    FCS_OK = 2
    FCS_BAD = 3
    FCS_OK_SIG_END = 4
    FCS_BAD_SIG_END = 5
    NON_ECM_DATA = 6
    NON_ECM_SIG_END = 7


_BURST_ENDS = frozenset({_Field.HDLC_SIG_END, _Field.FCS_OK_SIG_END, _Field.FCS_BAD_SIG_END})


class _Part(NamedTuple):
    """One data field within its packet."""

    kind: _Field
    type_bit: int  # where the last bit of field-type sits, in bits from the packet's start
    start: int  # its octets
    end: int


# Share of a bad TCF's octets that are damaged: far more than any receiver accepts.
_BAD_TCF_SHARE = 0.5

# FCFs as T.38 carries them, first bit of the line first; bit 0x80 is the X of T.30 5.3.6.1.
_X = 0x80
DCS, CFR, FTT, CTR, MCF, RTP, RTN, ERR = 0x41, 0x21, 0x22, 0x23, 0x31, 0x33, 0x32, 0x38
MPS, EOM, EOP, PPS, EOR, DCN, PPR = 0x72, 0x71, 0x74, 0x7D, 0x73, 0x5F, 0x3D
_PAGE_ENDS = frozenset({MPS, EOM, EOP})


@dataclass(frozen=True, slots=True)
class DropAt:
    """The point at which the machine's end of the call vanishes without DCN.

    ``page`` counts from 1; ``after_octets`` of its image must have come in (or gone out, when the
    machine is the sender).  Page 0 means before any image: as soon as ``after_frames`` V.21 frames
    have passed in either direction.
    """

    page: int = 0
    after_octets: int = 0
    after_frames: int = 0


@dataclass(frozen=True, slots=True)
class Swap:
    """The machine's ``occurrence``-th (from 1) frame with ``fcf`` leaves with ``instead`` as its FCF.

    ``instead`` None: the burst is lost on the way (the far end hears nothing).
    """

    fcf: int
    occurrence: int = 1
    instead: int | None = None


@dataclass(frozen=True, slots=True)
class Faults:
    """A script of faults.  The empty one is a working machine on a good line."""

    bad_tcfs: int = 0  # the first n TCFs arrive damaged
    spoilt_frames: float = 0.0  # share of ECM frames that arrive with a bad FCS (PPR follows)
    spoilt_bursts: int = 0  # how many bursts of ECM frames are affected; 0 = all of them
    spoilt_image: float = 0.0  # share of non-ECM image octets that arrive damaged (RTP or RTN follows)
    spoilt_pages: int = 0  # how many images are affected; 0 = all of them
    swaps: tuple[Swap, ...] = ()
    drop_at: DropAt | None = None
    mute: bool = False  # something answers that is not a fax machine
    seed: int = 1


@dataclass(slots=True)
class _Side:
    """The state of one direction of the call."""

    frame: bytearray  # octets of the V.21 frame under way
    fast: bool = False  # its fast carrier is on
    image: bool = False  # and carries image data, not TCF
    page_octets: int = 0


class Mishaps:
    """Applies a script to one call.  Both directions pass through it."""

    def __init__(self, faults: Faults, version: int) -> None:
        self._faults = faults
        self._version = version
        self._random = random.Random(faults.seed)
        self._heard = _Side(bytearray())
        self._said = _Side(bytearray())
        self._tcfs = 0
        self._images = 0
        self._frames = 0
        self._expect_tcf = False
        self._said_counts: dict[int, int] = {}
        self._losing_burst = False
        self.page = 0  # the page being sent, from 1; the last one when none is
        self._page_open = False
        self.dropped = False  # the script's hang-up point was reached

    def hear(self, ifp: bytes) -> bytes | None:
        """A packet from the line, as the machine gets it; None when it is lost."""
        if self._faults.mute:
            return None
        return self._pass(ifp, self._heard, sent=False)

    def say(self, ifp: bytes) -> bytes | None:
        """A packet from the machine, as it is sent; None when it is lost."""
        if self._faults.mute:
            return None
        return self._pass(ifp, self._said, sent=True)

    def _pass(self, ifp: bytes, side: _Side, *, sent: bool) -> bytes | None:
        if not ifp:
            return ifp
        if not ifp[0] & 0x40:
            self._indicator(ifp, side, sent=sent)
            return None if sent and self._losing_burst else ifp
        changed = bytearray(ifp)
        lost = sent and self._losing_burst
        data_type = (ifp[0] >> 1) & 0x0F
        for part in _parts(ifp, self._version):
            if data_type == _DATA_V21:
                self._v21(changed, side, part, sent=sent)
                lost = lost or (sent and self._losing_burst)
                if part.kind in _BURST_ENDS and sent:
                    self._losing_burst = False
            else:
                self._fast(changed, side, part, sent=sent)
        return None if lost else bytes(changed)

    def _indicator(self, ifp: bytes, side: _Side, *, sent: bool) -> None:
        indicator = (ifp[0] >> 1) & 0x0F
        training = not ifp[0] & 0x20 and indicator >= _FIRST_TRAINING
        if training and not side.fast:
            side.fast = True
            side.image = not self._expect_tcf
            if self._expect_tcf:
                self._tcfs += 1
            else:
                self._images += 1
                if not self._page_open:
                    self._page_open = True
                    self.page += 1
                    side.page_octets = 0
            self._expect_tcf = False
        elif not training:
            side.fast = False
        if sent and indicator != _NO_SIGNAL and not training:
            side.frame.clear()

    def _v21(self, changed: bytearray, side: _Side, part: _Part, *, sent: bool) -> None:
        for at in range(part.start, part.end):
            side.frame.append(changed[at])
            if len(side.frame) == 3:
                instead = self._fcf(changed[at], sent=sent)
                if instead is not None:
                    changed[at] = instead
        if part.kind is not _Field.HDLC_DATA:
            if part.kind is not _Field.HDLC_SIG_END and side.frame:
                self._frames += 1
                self._check_drop(0)
            side.frame.clear()
            side.fast = False

    def _fcf(self, octet: int, *, sent: bool) -> int | None:
        fcf = octet & ~_X
        if fcf == DCS:
            self._expect_tcf = True
        elif fcf in _PAGE_ENDS or fcf == PPS:
            self._page_open = fcf == PPS
        elif fcf == MCF:
            self._page_open = False
        if not sent:
            return None
        self._said_counts[fcf] = self._said_counts.get(fcf, 0) + 1
        for swap in self._faults.swaps:
            if swap.fcf == fcf and swap.occurrence == self._said_counts[fcf]:
                if swap.instead is None:
                    self._losing_burst = True
                    return None
                return swap.instead | (octet & _X)
        return None

    def _fast(self, changed: bytearray, side: _Side, part: _Part, *, sent: bool) -> None:
        if side.image:
            side.page_octets += part.end - part.start
            self._check_drop(side.page_octets)
        if sent:
            return
        if part.kind in (_Field.NON_ECM_DATA, _Field.NON_ECM_SIG_END):
            if not side.image:
                if self._tcfs <= self._faults.bad_tcfs:
                    self._spoil(changed, part, _BAD_TCF_SHARE)
            elif not self._faults.spoilt_pages or self._images <= self._faults.spoilt_pages:
                self._spoil(changed, part, self._faults.spoilt_image)
        elif (
            part.kind in (_Field.FCS_OK, _Field.FCS_OK_SIG_END)
            and (not self._faults.spoilt_bursts or self._images <= self._faults.spoilt_bursts)
            and self._random.random() < self._faults.spoilt_frames
        ):
            # FCS-OK becomes FCS-Bad, the next one in the enumeration.
            octet, shift = divmod(part.type_bit, 8)
            changed[octet] |= 0x80 >> shift

    def _spoil(self, changed: bytearray, part: _Part, share: float) -> None:
        if share <= 0.0:
            return
        for at in range(part.start, part.end):
            if self._random.random() < share:
                changed[at] ^= self._random.randrange(1, 256)

    def _check_drop(self, octets: int) -> None:
        drop = self._faults.drop_at
        if drop is None:
            return
        if drop.page == 0:
            self.dropped = self.dropped or self._frames >= max(1, drop.after_frames)
        elif self.page > drop.page or (self.page == drop.page and octets >= max(1, drop.after_octets)):
            self.dropped = True


def _parts(ifp: bytes, version: int) -> list[_Part]:
    """The data fields of an IFP data packet.

    T.38 annex A: in version 0 a field type is 4 bits with its presence bit, in later ones 5, as the
    enumeration became extensible; octets are aligned and preceded by their length less one.  Stops
    at anything it cannot read: spandsp is the one to judge it.
    """
    parts: list[_Part] = []
    if not ifp[0] & 0x80 or ifp[0] & 0x20 or len(ifp) < 2:
        return parts
    count, bit = ifp[1], 16
    width = 4 if version == 0 else 5
    for _ in range(count):
        if bit + width > 8 * len(ifp):
            break
        head = int.from_bytes(ifp[bit // 8 : bit // 8 + 2].ljust(2, b"\0"), "big") >> (16 - bit % 8 - width)
        present, kind = head >> (width - 1) & 1, head & 0x07
        bit += width
        type_bit = bit - 1
        start = end = 0
        if present:
            start = (bit + 7) // 8 + 2
            end = start + int.from_bytes(ifp[start - 2 : start], "big") + 1
            if end > len(ifp):
                break
            bit = 8 * end
        parts.append(_Part(_Field(kind), type_bit, start, end))
    return parts
