"""The states of a call's media, and the events in them."""

from __future__ import annotations

from enum import Enum


class SwitchState(Enum):
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
