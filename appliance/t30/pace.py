"""Durations of signals for which T.30 gives a nominal time and a tolerance: nominal, and shortened.

Quick calls use the lower end of every tolerance: nearly all machines accept them, and a page of text takes
a tenth less time.  A call that meets an error continues at the nominal times, and the next one to the same
destination should use them from the start (``CallResult.quick_failed``).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Durations of signals, seconds."""

    preamble_s: float  # flags before V.21 frames: 1 s ± 15 % (T.30 5.3.1)
    silence_s: float  # between signals of different modulations: 75 ± 20 ms (T.30 5.3.2)
    tcf_s: float  # zeros of the training check: 1.5 s ± 10 % (T.30 5.3.6.1.2 (8))
    ecm_flags_s: float  # flags before the frames of a block: 200 ± 100 ms (T.4 A.3.1)
    ced_s: float  # 2.6 to 4.0 s (T.30 4.2); the nominal one has a margin for inexact clocks
    # T.38: how long before its time on a line data is sent, at most half the far end's buffer.  A gateway
    # uses it against jitter (spandsp's tolerates 0.4 s); to a terminal it shortens the signal.
    lead_s: float
    # The same towards a far end that answered before our signal could have ended on a line, which no gateway
    # can do; up to its whole buffer.
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
