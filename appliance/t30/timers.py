"""The timers and limits of T.30, each with its clause and, where we deviate, why.  All in seconds.

Not here: T3 (the operator is alerted after a procedure interrupt) needs an operator; T6 to T8 belong to the
duplex and 64 kbit/s modes of Annex C, which no line of ours has.
"""

from __future__ import annotations

# T.30 5.4.3.1: how long a calling station waits for V.21 after the call is up, 60 ± 5 s.  Somebody may have
# taken the call who presses start later.
T0_S = 60.0

# T.30 5.4.3.1: how long two machines try to identify each other, 35 ± 5 s: a calling station from the first
# V.21 on, an answering one from its first DIS on.
T1_S = 35.0

# CNG says that a fax machine has only just begun to call, so T1 starts anew.  So often at most: a machine
# that calls for ever and answers no DIS must not hold a line for ever.
T1_RESTARTS = 4

# T.30 5.4.3.1: loss of command and response synchronisation, 6 ± 1 s.  On a V.21 or image carrier it
# stands still (the signal we wait for is arriving), for CARRIER_LIMIT_S at most.  We use the upper half
# of the range: transmitters that wait a full 6 s between two commands exist.
T2_S = 6.6

# T.30 5.4.3.1: wait for a response before a command is repeated, 3 s ± 15 % in automatic units.  It
# starts when our command has left the line.  We use the upper end: a gateway between T.38 and a telephone
# line answers a second and more late (with 600 ms each way spandsp's needs all of this), and a response
# that meets our repeat is lost for both.
T4_S = 3.45

# The same when nothing answered the first time, and for the whole call once an answer began later than T4:
# the 4.5 s ± 15 % that T.30 5.4.3.1 gives to manual units, at their upper end. A far end whose every answer
# is 3.5 to 5 s late would meet each repeat otherwise. Its own T2 (5 s at least) does not run out: it has
# answered meanwhile.
LATE_T4_S = 5.1

# T.30 5.4.3.1 and A.5.4.1: how long a transmitter bears a receiver that is not ready, 60 ± 5 s.  It is
# looked at when an RNR comes, so that an answer on its way is not cut off.  We use the upper end: pages are
# in the far end's memory already.
T5_S = 65.0

# How much later than the first answer to a command a further one may be, measured from its own saying.
LATE_ANSWER_MARGIN_S = 2.0

# How long a far end needs to answer a command: 75 ms and its own reaction, a preamble of 1 s ± 15 %, a
# frame. A repeat may have been on its way when the answer to the first command came: the far end talks and
# hears nothing for so long after the repeat, however late its answers are here.
ANSWERING_S = 2.0

# How long after a command its answer may begin: what begins later is the answer to the last repeat. T.30
# has 3 s (T4); gateways that store and forward were seen 3.6 s late. Of a page's confirmation no lateness
# is too long to be thought of: one that counts for the wrong page loses that page, one that is asked for
# again costs seconds.
TRAINING_LATENESS_S = 6.0
CONFIRMATION_LATENESS_S = 12.0

# T.30 5.4.3: a command is sent three times in all before the station gives up.
TRIES = 3

# Longest V.21 burst that a waiting timer stands still for.  T.30 5.3.1 allows about 3.5 s a frame and
# the preamble is a second; NSF, CSI and DIS in one burst with a gateway's delay stay below 15 s.
CARRIER_LIMIT_S = 15.0

# A fast carrier that brings nothing for so long is no V.21 burst under a wrong label any more: a second of
# preamble, and up to three for its first frame (T.30 5.3.1).
BARE_CARRIER_S = 4.0

# After the final frame of a burst the carrier falls within a few flags (T.30 5.3.6.2).  A line that
# never says so (a lost packet) must not hold the call up: then we answer after this.
BURST_END_S = 1.5

# From the end of a DCS to the moment the TCF is over: 75 ms, 1.4 s of V.17 training, 1.5 s of zeros,
# and as much again for gateways.  If no carrier came by then the training has failed and FTT must
# leave within the transmitter's T4.
TCF_WAIT_S = 5.0

# TCF lasts 1.5 s ± 10 % (T.30 5.3.6.1.2 (8)).
TCF_S = 1.5

# How long a receiver that confirmed the last page waits for DCN or a repeated EOP before it hangs
# up: one T4 of the far end, a burst, and room.
AFTER_LAST_PAGE_S = T2_S

# After our confirmation a repeated post-message command can start at the far end's T4 (2.55 to 3.45 s
# from its last), that is sooner than this after our response left the line; a page that we failed to
# hear takes longer.
REPEATED_COMMAND_S = 4.0

# How long the called end is kept waiting in phase B while our own pages are still being prepared.
# It repeats DIS for T1; we stay a little below.
PAGE_WAIT_S = 28.0

# How long the next page may be late at the end of one before we send EOM instead of MPS: the
# receiver's T2 runs (5 s at least), and EOM gives us a whole phase B more.
NEXT_PAGE_WAIT_S = 3.0

# How long our own store may take to make a page durable.  With ECM the far end is told RNR meanwhile;
# the far end's T5 (60 ± 5 s) bounds that, so do we.
STORE_WAIT_S = 60.0

# With ECM: how long the far end is left without an answer while we store, before it hears RNR.  Well
# within its T4.
NOT_READY_S = 1.0

# Without ECM there is no RNR: the far end repeats its command every T4, three times in all.
STORE_WAIT_PLAIN_S = 9.0

# Longest image carrier that we sit through: a page of 100 000 rows at 2400 bit/s is not a page.
IMAGE_LIMIT_S = 3600.0

# T.4 clause 3: a scan line takes 5 s at most, its fill included; the receiver disconnects beyond that.
LINE_LIMIT_S = 5.0

# Upper bounds against floods.
IMAGE_LIMIT_OCTETS = 16 << 20  # a page in coded form: 16 MiB, two and a half hours at 14400 bit/s
NOTES_LIMIT = 5000  # lines of the account that the far end causes; a fax of 200 pages has some 1000
BURST_FRAMES_LIMIT = 32  # frames looked at in one V.21 burst
PHASE_B_ROUNDS = 40  # DCS heard, or DIS answered, without a page in between
PAGE_ROUNDS = 3  # times one page is sent, because of RTN or a new start, before we give up
RR_LIMIT = 200  # RNR answered by RR within T5, against a far end that answers at once
REPEATS_LIMIT = 12  # times one and the same response is repeated
# PPRs for a block that bring nothing new: beyond so many, or when they have taken so long after the fourth,
# the block cannot succeed and the line is not held up any longer (T.30 A.1.3 leaves it to the transmitter).
FRUITLESS_PPRS, FRUITLESS_S = 10, 60.0
PPRS_LIMIT = 64  # PPRs for one block: sixteen rounds of CTC
