"""What is agreed, asked and waited for in the media of one SIP call, and the steps that change it."""

from __future__ import annotations

from collections.abc import Callable

from appliance.lines.sip import causes
from appliance.lines.sip.media_orders import (
    GiveUp,
    LocalMedia,
    MediaRules,
    Reinvite,
    StayOnAudio,
    SwitchOrder,
    UseAudio,
    UseT38,
)
from appliance.lines.sip.our_sdp import OurSdp
from appliance.lines.sip.retries import Retries
from appliance.lines.sip.session import Audio, sendable
from appliance.lines.sip.switch_states import SwitchState
from appliance.t38.sdp import T38Media
from appliance.t38.settings import T38Settings

# Without an answer to our offer for so long the fax begins in tones, s: gateways answer within a second, and
# what calls has heard silence long enough.
OFFER_LIMIT_S = 4.0
# A re-INVITE back to audio is answered within so long, s, or the far end does not listen any more.
RECLAIM_LIMIT_S = 6.0
# RFC 3261 17.1.1.2 timer B (64 × T1) and a little: by then our re-INVITE has failed somewhere.
ASKING_LIMIT_S = 35.0
# The status in StayOnAudio for an offer that was answered without T.38.
NOT_ACCEPTABLE = 488


class SwitchMedia:
    """The state that the media switch and its handlers share; arguments as for ``MediaSwitch``."""

    def __init__(
        self, rules: MediaRules, local: LocalMedia, *, caller: bool, pick: Callable[[float, float], float]
    ) -> None:
        self.rules = rules
        self.ours = OurSdp(rules, local)
        self.our_t38 = local.t38
        self.retries = Retries(caller=caller, pick=pick)
        self.state = SwitchState.NEW
        self.is_connected = False
        self.dialling = rules.dials_on
        self.orders: list[SwitchOrder] = []
        self.deadline: float | None = None
        self.audio: UseAudio | None = None
        self.t38: UseT38 | None = None
        self.answer_text: str | None = None
        self.asked_text = ""  # our last offer of T.38
        self.agreed_text = ""  # our side of the SDP when T.38 was agreed: refreshes repeat it
        self.asked = False  # our offer of T.38 was refused: no other one
        self.tones_at: float | None = None  # the fax begins in tones, whatever our offer comes to
        self.tones = False  # it has
        self.page_in_audio = False
        self.page_in_t38 = False
        self.stays_in_t38 = False  # the peer refused to go back to audio
        self.silent = False  # T.38 was agreed in this call, and nothing came through it

    def may_use_audio(self) -> bool:
        """Whether an offer of audio is taken now."""
        if not self.is_connected:
            return True
        return self.rules.g711 and not (self.state is SwitchState.T38 and self.page_in_t38)

    def use_audio(self, audio: Audio) -> None:
        """Audio is agreed, here or elsewhere than before."""
        use = self.ours.audio_use(audio)
        if self.is_connected and use != self.audio:
            self.orders.append(use)
        self.audio = use

    def use_t38(self, image: T38Media, settings: T38Settings, text: str) -> None:
        """T.38 is agreed; ``text`` is our side of the SDP."""
        was = self.t38 if self.state is SwitchState.T38 else None
        self.state = SwitchState.T38
        self.deadline = self.tones_at = None
        self.tones = False
        self.agreed_text = text
        self.t38 = UseT38(sendable(image.address, image.port), settings)
        if self.is_connected and self.t38 != was:
            self.orders.append(self.t38)

    def await_t38(self, now: float) -> None:
        """Audio runs: how long the peer, or we, may take to offer T.38."""
        if not self.rules.t38:
            self.orders.append(StayOnAudio(0))
        elif self.rules.ask_after_s is not None:
            self.deadline = now + self.rules.ask_after_s
        else:
            self.deadline = now + self.rules.wait_for_peer_s

    def ask(self, now: float) -> None:
        """Offers T.38, unless a page is under way in audio."""
        if self.page_in_audio:
            return
        self.state = SwitchState.ASKING
        self.deadline = now + ASKING_LIMIT_S
        if not self.tones:
            self.tones_at = now + OFFER_LIMIT_S
        self.orders.append(Reinvite())

    def reclaim(self, now: float) -> None:
        """Offers audio again, where that is allowed."""
        if not self.rules.g711:
            self.end_t38(NOT_ACCEPTABLE)
            return
        self.state = SwitchState.RECLAIMING
        self.asked = True
        self.tones_at = None
        self.deadline = now + RECLAIM_LIMIT_S
        self.orders.append(Reinvite())

    def fail_to_reclaim(self) -> None:
        """The peer does not go back to audio."""
        self.state = SwitchState.AUDIO
        self.deadline = None
        if not self.tones:  # else they go on for as long as the peer lets them
            self.orders.append(GiveUp(causes.SIP_T38_SILENT))

    def offer_again_at(self, at: float) -> None:
        """After a refusal that is not final."""
        self.retries.rounds += 1
        self.state = SwitchState.GLARE
        self.deadline = at

    def end_t38(self, code: int) -> None:
        """There will be no T.38 by our offer: tones, where they are allowed.  ``code`` is the SIP status."""
        self.asked = True
        self.state = SwitchState.AUDIO
        self.deadline = None
        if self.rules.g711:
            self.begin_tones(code)
        else:
            self.orders.append(GiveUp(causes.SIP_T38_REFUSED))

    def begin_tones(self, code: int) -> None:
        """The fax begins in tones, where they are allowed."""
        self.tones_at = None
        if self.rules.g711:
            self.tones = True
            self.orders.append(StayOnAudio(code))
