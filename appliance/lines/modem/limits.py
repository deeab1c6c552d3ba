"""Time limits for the answers of class-1 modems, and numbers of repetitions.

T.30's timers are not among them: they are in the engine.
"""

from __future__ import annotations

# Answers that do not depend on the line come at once; some USB modems take a second.
ANSWER_S = 5.0
# A command that only sets something: a modem that was just reset takes a second or two.
SET_UP_S = 3.0
# Added to the duration of a transmission, for preamble or training (V.17 long: 1.4 s) and the modem's buffer.
SEND_MARGIN_S = 10.0
# The longest V.21 frame takes 7.2 s and some modems hand over only whole frames.
FRAME_SILENCE_S = 9.0
# An image carrier brings an octet every few milliseconds; this long without one, and DLE ETX was lost.
IMAGE_SILENCE_S = 3.0
# Between the end of data and its result: the modem waits for the carrier to drop after a final frame.
RESULT_S = 3.0
# After a last frame whose FCS is right its sender is silent; a modem that hears noise above its threshold
# never sees the carrier drop, and the answer must not wait for it (T.30 5.4.3.1: T4 is 3 s).
FINAL_RESULT_S = 0.5
# After a frame that is not the last, or was bad, the next one or NO CARRIER should follow.  Slow senders
# put a second of flags between frames; beyond, the carrier has ended (some modems do not report that).
NEXT_FRAME_S = 2.5
# Time for the engine's order after the end of a carrier: less than the 75 ms before TCF (T.30 5.3.2.2).
RELISTEN_S = 0.02
# Factor on the measured latency, which may vary: mistaking an answer for that of the next command is worse
# than a pause.
LATENCY_SPREAD = 1.5
# An OK or ERROR where CONNECT was due: an earlier abort's answer came late, or the command was swallowed.
REISSUES = 5
# After an OK where CONNECT was due: an accepted command brings CONNECT within this.  Issued again sooner,
# it would abort itself, or be sent as the first octets of the page.
STRAY_OK_S = 0.3
# +FRM again after +FCERROR: the tail of V.21 is gone within these few, and TCF starts 75 ms after it.
FRM_RETRY_S = 0.02
# A listening command that ended at once too often is issued again at this pace, until T.30's timers end it.
SLOW_RETRY_S = 0.5
# A CONNECT this soon after another one is its repetition: the shortest frame takes 0.16 s.
DOUBLE_CONNECT_S = 0.008
# Leaving a transmission in the middle: the modem drains its buffer, a second or two at most.
DRAIN_S = 3.0
# ATH answers when the line is dropped.
HOOK_S = 3.0
# The preamble lasts 1 s ± 15 % (T.30 5.3.1); one that waited longer for the first frame may say CONNECT
# twice.
PREAMBLE_S = 0.85
# Share of a frame's own time before which its CONNECT is not credible.
TOO_EARLY = 0.8
V21_BIT_RATE = 300
# 200 ms ± 100 ms of flags precede the frames of an ECM block (T.4 Annex A.3.1); a few follow them so
# that the far deframer closes the last one before the carrier drops.
ECM_LEADING_S = 0.2
ECM_TRAILING_FLAGS = 4
