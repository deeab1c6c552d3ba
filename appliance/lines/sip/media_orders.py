"""The parameters of a call's media switch, and the orders that it gives."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.causes import Cause
from appliance.t38.settings import T38Settings


@dataclass(frozen=True, slots=True)
class MediaRules:
    """The media that the owner, the trunk and the destination's profile allow for this call.

    At least one of ``t38`` and ``g711`` is true.
    """

    t38: bool = True
    g711: bool = True
    ask_after_s: float | None = 6.0  # our own offer of T.38, from answer or digits on; None = never ask
    wait_for_peer_s: float = 15.0  # without an offer of our own: how long the peer may take to make one
    payloads: tuple[int, ...] = (8, 0)  # G.711 payload types we take, in our order
    dials_on: bool = False  # digits follow the answer, as telephone-events where the peer takes them
    keep_audio_line: bool = False  # our image offer keeps the audio line with port 0 before it

    def __post_init__(self) -> None:
        if not (self.t38 or self.g711):
            raise ValueError("a call needs T.38 or G.711")


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """Our side of the SDP: where we can be reached and what we can do."""

    address: str  # in the SDP: where the peer sends to
    rtp_port: int
    udptl_port: int
    t38: T38Settings  # what we can take, and how we protect what we send
    session: str = "1"  # names the session in o= lines, digits


# -- orders ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reinvite:
    """Send a re-INVITE with the SDP of ``MediaSwitch.offer``."""


@dataclass(frozen=True, slots=True)
class UseAudio:
    """Audio is agreed: this address, this payload type to send."""

    remote: tuple[str, int] | None
    payload: int
    law: int | None = None  # what a dynamic payload type means: PCMU or PCMA
    events: int | None = None  # payload type of telephone-event, when it was offered and taken


@dataclass(frozen=True, slots=True)
class UseT38:
    """T.38 is agreed, or its address changed."""

    remote: tuple[str, int] | None
    settings: T38Settings


@dataclass(frozen=True, slots=True)
class StayOnAudio:
    """There is no T.38 on this call (or not yet): fax in audio.

    ``code`` is the status of the refusal, 0 when nobody refused.
    """

    code: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Nothing that both ends may use is left: end the call."""

    cause: Cause


SwitchOrder = Reinvite | UseAudio | UseT38 | StayOnAudio | GiveUp
