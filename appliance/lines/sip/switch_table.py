"""The states of a call's media, the events in them, and the method of the media switch that handles each."""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """States of the media switch."""

    NEW = "new"  # nothing agreed, nothing offered
    OFFERING = "offering"  # our first offer is out
    AUDIO = "audio"
    ASKING = "asking"  # our re-INVITE for T.38 is out
    GLARE = "glare"  # 491: we wait, and ask again
    T38 = "t38"
    RECLAIMING = "reclaiming"  # our re-INVITE back to audio is out
    OVER = "over"


class Heard(Enum):
    """Inputs of the media switch."""

    OFFER = "offer"  # the peer's SDP, to be answered
    ANSWER = "answer"  # the peer's SDP in answer to ours
    REFUSAL = "refusal"  # the peer's refusal of our offer
    CONNECTED = "connected"  # the dialog is confirmed
    ASK = "ask"  # our media side wants T.38 now
    TIMER = "timer"


# What is not in here cannot happen.
HANDLERS = {
    (State.NEW, Heard.OFFER): "_take_offer",
    (State.OFFERING, Heard.ANSWER): "_first_answer",
    (State.OFFERING, Heard.REFUSAL): "_ignore",  # the whole call is refused: SIP says how
    (State.OFFERING, Heard.OFFER): "_refuse",  # an offer while ours is open (RFC 3264 4)
    (State.OFFERING, Heard.CONNECTED): "_connected",  # our offer got no usable answer
    (State.AUDIO, Heard.ANSWER): "_audio_again",  # 200 after a 183 with SDP, refresh by us
    (State.AUDIO, Heard.REFUSAL): "_ignore",  # of a refresh
    (State.AUDIO, Heard.OFFER): "_take_offer",
    (State.AUDIO, Heard.CONNECTED): "_connected",
    (State.AUDIO, Heard.ASK): "_ask",
    (State.AUDIO, Heard.TIMER): "_audio_timer",
    (State.ASKING, Heard.ANSWER): "_asked_answer",
    (State.ASKING, Heard.REFUSAL): "_asked_refusal",
    (State.ASKING, Heard.OFFER): "_refuse",  # pjproject answers 491 before we hear of it; UPDATE comes here
    (State.ASKING, Heard.ASK): "_ignore",
    (State.ASKING, Heard.TIMER): "_asking_timer",
    (State.GLARE, Heard.OFFER): "_take_offer",
    (State.GLARE, Heard.ASK): "_ignore",
    (State.GLARE, Heard.TIMER): "_ask_again",
    (State.GLARE, Heard.ANSWER): "_audio_again",
    (State.GLARE, Heard.REFUSAL): "_ignore",
    (State.T38, Heard.OFFER): "_take_offer",
    (State.T38, Heard.ANSWER): "_t38_again",  # refresh by us
    (State.T38, Heard.REFUSAL): "_ignore",
    (State.T38, Heard.CONNECTED): "_connected",
    (State.T38, Heard.ASK): "_ignore",
    (State.T38, Heard.TIMER): "_ignore",
    (State.RECLAIMING, Heard.ANSWER): "_reclaimed",
    (State.RECLAIMING, Heard.REFUSAL): "_reclaim_refusal",
    (State.RECLAIMING, Heard.OFFER): "_refuse",
    (State.RECLAIMING, Heard.ASK): "_ignore",
    (State.RECLAIMING, Heard.TIMER): "_reclaim_failed",
} | {(State.OVER, heard): "_ignore" for heard in Heard}
