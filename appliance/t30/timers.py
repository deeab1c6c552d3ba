"""The timers and limits of T.30, each with its clause and the reason for any deviation.  Times in seconds.

Left out: T3 (alerting the operator after a procedure interrupt) needs an operator; T6 to T8 belong to the
duplex and 64 kbit/s modes of Annex C, which no line here has.
"""

from __future__ import annotations

# T.30 5.4.3.1: how long a calling station waits for V.21 after the call is connected, 60 ± 5 s.  A person may
# have answered who presses start later.
T0_S = 60.0

# T.30 5.4.3.1: how long two machines try to identify each other, 35 ± 5 s: a calling station from the first
# V.21 on, an answering one from its first DIS on.
T1_S = 35.0

# CNG means that a fax machine has only just begun to call, so T1 starts again.  The limit keeps a machine
# that sends CNG without end and answers no DIS from holding the line.
T1_RESTARTS = 4

# T.30 5.4.3.1: loss of command and response synchronisation, 6 ± 1 s.  It is suspended during a V.21 or image
# carrier (the signal that we wait for is arriving), for CARRIER_LIMIT_S at most.  We use the upper half of
# the range, for some transmitters wait a full 6 s between two commands.
T2_S = 6.6

# T.30 5.4.3.1: wait for a response before a command is repeated, 3 s ± 15 % in automatic units.  It
# starts when our command has left the line.  We use the upper end: through a gateway between T.38 and a
# telephone line the response is a second or more late (spandsp's at 600 ms each way needs all of this), and a
# response that collides with our repetition is lost to both ends.
T4_S = 3.45

# T4 after the first try without a response, and for the rest of the call once a response began later than T4:
# the 4.5 s ± 15 % that T.30 5.4.3.1 gives for manual units, at its upper end.  Otherwise every response of a
# far end that is 3.5 to 5 s late would collide with a repetition.  Its own T2 (5 s at least) does not end
# before that: it has responded meanwhile.
LATE_T4_S = 5.1

# T.30 5.4.3.1 and A.5.4.1: how long a transmitter waits for a receiver that is not ready, 60 ± 5 s.  It is
# checked when an RNR arrives, so that a response under way is not cut off.  We use the upper end, because the
# far end has the data already.
T5_S = 65.0

# How much later than the first response, each measured from its own command, a second one may be.  Ours.
LATE_ANSWER_MARGIN_S = 2.0

# How long a far end takes to respond: 75 ms and its reaction time, a preamble of 1 s ± 15 %, a frame.  When
# the response to the first command arrives, a repetition may have been under way: for so long after it the
# far end transmits and receives nothing, however late its responses arrive here.
ANSWERING_S = 2.0

# How long after a command its response may begin; one that begins later answers the last repetition.  T.30
# has 3 s (T4); responses through store-and-forward gateways were seen 3.6 s late.  For the confirmation of a
# page the limit is generous: one attributed to the wrong page loses a page, one requested again costs
# seconds.
TRAINING_LATENESS_S = 6.0
CONFIRMATION_LATENESS_S = 12.0

# T.30 5.4.3: a command is sent three times in all before the station gives up.
TRIES = 3

# Longest V.21 burst during which a timer is suspended.  T.30 5.3.1 allows about 3.5 s for a frame and the
# preamble takes one second; NSF, CSI and DIS in one burst with a gateway's delay stay below 15 s.
CARRIER_LIMIT_S = 15.0

# How long a fast carrier without data may be a V.21 burst with the wrong label: one second of preamble, and
# up to three for its first frame (T.30 5.3.1).
BARE_CARRIER_S = 4.0

# After the final frame of a burst the carrier ends within a few flags (T.30 5.3.6.2).  If its end is not
# reported (a lost packet) the burst counts as ended after this time.
BURST_END_S = 1.5

# From the end of a DCS to the end of its TCF: 75 ms, 1.4 s of V.17 training, 1.5 s of zeros, and as much
# again for gateways.  If no carrier came by then the training has failed; FTT must be sent within the
# transmitter's T4.
TCF_WAIT_S = 5.0

# TCF lasts 1.5 s ± 10 % (T.30 5.3.6.1.2 (8)).
TCF_S = 1.5

# How long a receiver that confirmed the last page waits for DCN or a repeated EOP before it hangs
# up: one T4 of the far end, a burst, and room.
AFTER_LAST_PAGE_S = T2_S

# A post-message command that begins sooner than this after our confirmation left the line is a repetition: it
# begins when the far end's T4 ends (2.55 to 3.45 s after the command before).  A page takes longer, even one
# that we failed to receive.
REPEATED_COMMAND_S = 4.0

# How long the called end is kept waiting in phase B for a page that is not ready.  It repeats DIS for T1;
# this is a little less.
PAGE_WAIT_S = 28.0

# How long we wait at the end of a page for the next one before sending EOM instead of MPS: the receiver's T2
# runs (5 s at least), and EOM gives the next page the time of a whole phase B.
NEXT_PAGE_WAIT_S = 3.0

# How long storing a page may take with ECM.  The far end receives RNR meanwhile, and waits for its T5 (60 ± 5
# s).
STORE_WAIT_S = 60.0

# With ECM: how long the far end is left without a response during storage before RNR is sent; well within its
# T4.
NOT_READY_S = 1.0

# How long storing a page may take without ECM: there is no RNR, and the far end repeats its command every T4,
# three times in all.
STORE_WAIT_PLAIN_S = 9.0

# Longest image carrier that is accepted; an hour at 2400 bit/s is more than any page.
IMAGE_LIMIT_S = 3600.0

# How long the command behind a page is waited for whose carrier did not train: a modem tells no more of it.
# Ours: a block at 9600 bit/s, an ordinary page at 14400 and less.
MISSED_PAGE_S = 60.0

# Longest time for which an image carrier may bring nothing: a gateway that hangs may announce its modem for
# ever.  Ours: a block that is lost whole (65,536 octets) takes so long at 2400 bit/s, and is asked for again.
PAUSE_LIMIT_S = 240.0

# T.4 clause 3: a scan line takes 5 s at most, its fill included; the receiver disconnects beyond that.
LINE_LIMIT_S = 5.0

# Upper bounds against hostile or faulty far ends.
IMAGE_LIMIT_OCTETS = 16 << 20  # a page in coded form: 16 MiB, two and a half hours at 14400 bit/s
NOTES_LIMIT = 5000  # progress events that the far end causes; a fax of 200 pages has some 1000
BURST_FRAMES_LIMIT = 32  # frames that are decoded in one V.21 burst
PHASE_B_ROUNDS = 40  # DCS received, or DIS answered, without a page in between
# DCS at one rate, or at one tried before, without a page in between.  A transmitter says it three times
# unless it is answered, and few try a rate twice after FTT or RTN.
SAME_RATE_ROUNDS = 6
GARBLED_LIMIT = (
    6  # bursts without a command in succession that prolong a receiver's wait; a command comes thrice
)
PAGE_CARRIERS_LIMIT = (
    100  # image carriers in a page or block before a command; a line with more gaps loses it
)
CTC_LIMIT = 16  # CTC received for one block: twice the rates that there are
PAGE_ROUNDS = 3  # transmissions of one page, after RTN or DIS in place of a response, before the call ends
RR_LIMIT = 200  # RNR answered by RR within T5, against a far end that answers at once
REPEATS_LIMIT = 12  # repetitions of one response
# PPRs for a block that do not ask for fewer frames: after so many, or after so many seconds once a CTC was
# sent, the block is given up (T.30 A.1.3 leaves that to the transmitter).
FRUITLESS_PPRS, FRUITLESS_S = 10, 60.0
PPRS_LIMIT = 64  # PPRs for one block: sixteen rounds of CTC
