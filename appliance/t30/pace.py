"""How long the parts of a call take for which T.30 gives a nominal time and a tolerance.

Quick calls use every tolerance downwards: nearly all machines take them, and a page of text is at the other
end a tenth sooner.  A call that meets trouble goes on at the nominal times, and whoever keeps books on a
destination makes the next call so from the start (``CallResult.quick_failed``).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds."""

    preamble_s: float  # flags before V.21 frames: 1 s ± 15 % (T.30 5.3.1)
    silence_s: float  # between signals of different modulations: 75 ± 20 ms (T.30 5.3.2)
    tcf_s: float  # zeros of the training check: 1.5 s ± 10 % (T.30 5.3.6.1.2 (8))
    ecm_flags_s: float  # flags before the frames of a block: 200 ± 100 ms (T.4 A.3.1)
    ced_s: float  # 2.6 to 4.0 s (T.30 4.2); a margin for clocks where there is no hurry
    # Over T.38: so long before its time on a line data leaves, never more than half the far end's buffer.  A
    # gateway keeps it, for jitter (spandsp's bears 0.4 s); a terminal has the signal's end so much sooner.
    lead_s: float
    # The same towards an end that has answered before our signal was over on a line: no gateway can.  Within
    # its whole buffer.
    lead_to_terminal_s: float


NOMINAL = Pace(
    preamble_s=1.0,
    silence_s=0.075,
    tcf_s=1.5,
    ecm_flags_s=0.2,
    ced_s=2.65,
    lead_s=0.1,
    lead_to_terminal_s=0.1,
)
QUICK = Pace(
    preamble_s=0.85,
    silence_s=0.055,
    tcf_s=1.35,
    ecm_flags_s=0.1,
    ced_s=2.6,
    lead_s=0.3,
    lead_to_terminal_s=1.0,
)
