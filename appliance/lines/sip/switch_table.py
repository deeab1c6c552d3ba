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


class SwitchEvent(Enum):
    """Inputs of the media switch."""

    OFFER = "offer"  # the peer's SDP, to be answered
    ANSWER = "answer"  # the peer's SDP in answer to ours
    REFUSAL = "refusal"  # the peer's refusal of our offer
    CONNECTED = "connected"  # the dialog is confirmed
    ASK = "ask"  # our media side wants T.38 now
    TIMER = "timer"


# Other combinations cannot happen.
HANDLERS = {
    (State.NEW, SwitchEvent.OFFER): "_take_offer",
    (State.OFFERING, SwitchEvent.ANSWER): "_first_answer",
    (State.OFFERING, SwitchEvent.REFUSAL): "_ignore",  # the whole call is refused: SIP says how
    (State.OFFERING, SwitchEvent.OFFER): "_refuse",  # an offer while ours is open (RFC 3264 4)
    (State.OFFERING, SwitchEvent.CONNECTED): "_connected",  # our offer got no usable answer
    (State.AUDIO, SwitchEvent.ANSWER): "_audio_again",  # 200 after a 183 with SDP, refresh by us
    (State.AUDIO, SwitchEvent.REFUSAL): "_ignore",  # of a refresh
    (State.AUDIO, SwitchEvent.OFFER): "_take_offer",
    (State.AUDIO, SwitchEvent.CONNECTED): "_connected",
    (State.AUDIO, SwitchEvent.ASK): "_ask",
    (State.AUDIO, SwitchEvent.TIMER): "_audio_timer",
    (State.ASKING, SwitchEvent.ANSWER): "_asked_answer",
    (State.ASKING, SwitchEvent.REFUSAL): "_asked_refusal",
    # Of UPDATE; pjproject itself answers an INVITE with 491.
    (State.ASKING, SwitchEvent.OFFER): "_refuse",
    (State.ASKING, SwitchEvent.ASK): "_ignore",
    (State.ASKING, SwitchEvent.TIMER): "_asking_timer",
    (State.GLARE, SwitchEvent.OFFER): "_take_offer",
    (State.GLARE, SwitchEvent.ASK): "_ignore",
    (State.GLARE, SwitchEvent.TIMER): "_ask_again",
    (State.GLARE, SwitchEvent.ANSWER): "_audio_again",
    (State.GLARE, SwitchEvent.REFUSAL): "_ignore",
    (State.T38, SwitchEvent.OFFER): "_take_offer",
    (State.T38, SwitchEvent.ANSWER): "_t38_again",  # refresh by us
    (State.T38, SwitchEvent.REFUSAL): "_ignore",
    (State.T38, SwitchEvent.CONNECTED): "_connected",
    (State.T38, SwitchEvent.ASK): "_ignore",
    (State.T38, SwitchEvent.TIMER): "_ignore",
    (State.RECLAIMING, SwitchEvent.ANSWER): "_reclaimed",
    (State.RECLAIMING, SwitchEvent.REFUSAL): "_reclaim_refusal",
    (State.RECLAIMING, SwitchEvent.OFFER): "_refuse",
    (State.RECLAIMING, SwitchEvent.ASK): "_ignore",
    (State.RECLAIMING, SwitchEvent.TIMER): "_reclaim_failed",
} | {(State.OVER, event): "_ignore" for event in SwitchEvent}
