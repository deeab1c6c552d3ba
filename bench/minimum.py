"""The shortest call that T.30 allows for given pages with ECM and V.17 at 14400 bit/s.

Durations that the Recommendation prescribes count at their nominal values: CED 2.6 s (4.2: 2.6 to 4.0 s), 1 s
of flags before each V.21 burst (5.3.1), 75 ms between signals (5.3.2), TCF of 1.5 s (5.3.6.1.2), V.17's
training, 200 ms of flags before each ECM block and three RCP behind it (T.4 A.3).  Reaction times and delays
are 0, and every frame arrives at the first try.  Data bits include the zeros that HDLC stuffs in.

This is the minimum on a telephone line.  Two T.38 ends can be a little quicker: data is sent up to 100 ms
before its time on a line, so the end of a signal is received, and answered, that much earlier.
"""

from __future__ import annotations

from collections.abc import Sequence

from appliance.t4.bits import reverse_bits
from appliance.t4.page import CodedPage
from appliance.t30.dce import Carrier
from appliance.t30.ecm import EcmPage
from appliance.t30.pace import NOMINAL
from appliance.t38.timing import CARRIERS, cut_frame

CED_S = 2.6
ECM_FRAME_OCTETS = 256
# Octets of the V.21 frames, address and control included, FCS and flags added by ``cut_frame``: station
# IDs 23, DIS 3 + 8, DCS 3 + 6, CFR, MCF, DCN 3, PPS 7.
_IDENTITY, _DIS, _DCS, _PLAIN, _PPS = 23, 11, 9, 3, 7


def minimum_s(pages: Sequence[CodedPage], carrier: Carrier = Carrier.V17_14400) -> float:
    """Seconds from answer to the end of DCN for one document of these pages."""
    numbers = CARRIERS[carrier]
    total = CED_S + _burst(_IDENTITY, _DIS) + _burst(_IDENTITY, _DCS)
    total += NOMINAL.silence_s + numbers.long_training_s + NOMINAL.tcf_s + _burst(_PLAIN)
    for page in pages:
        blocks = EcmPage(reverse_bits(page.data), ECM_FRAME_OCTETS)
        for block in range(blocks.blocks):
            blocks.block = block
            bits = sum(cut_frame(frame, len(frame)).line_bits for frame in blocks.frames())
            total += (
                NOMINAL.silence_s + numbers.short_training_s + NOMINAL.ecm_flags_s + bits / carrier.bit_rate
            )
            total += _burst(_PPS) + _burst(_PLAIN)
    return total + _burst(_PLAIN)


def _burst(*frames: int) -> float:
    """Seconds of a V.21 burst of frames with these numbers of octets, and of the silence before it."""
    bits = sum(cut_frame(bytes(octets), octets).line_bits for octets in frames)
    return NOMINAL.silence_s + NOMINAL.preamble_s + bits / Carrier.V21.bit_rate
