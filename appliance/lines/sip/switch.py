"""The media switch of one SIP call: audio first, then T.38 by either end's offer, and all failures of that.

Without I/O: it takes parsed SDP and the time, and gives SDP text, orders and the next deadline.  A table has
the events of each state; an event that is not in it is a bug (SwitchError) and changes nothing.

Rules
-----
* Audio is agreed first, unless the peer's first offer has an image line: then T.38 at once.
* The peer's offer of T.38 is always taken when T.38 is allowed, as long as no page is under way in audio.
* We offer T.38 a configurable time after the answer, or at once when a fax machine is heard.
* While digits are dialled after the answer there is no T.38, which would cut them off: the time above counts
  from their end, and an offer of the peer's gets 491, after which it is made again.  488 would be final to
  many gateways; an answer kept back until the digits are out would come after the patience of some.
* 491 (both offered): wait as in RFC 3261 14.1, then offer again, unless the peer did meanwhile.
* Any other refusal leaves the call as it is: fax tones in audio when that is allowed, else the end.
* An offer of ours that is not answered soon delays nothing: the tones begin, and a late answer is still
  followed as long as the machines have not agreed in tones.
* T.38 that was agreed and stays silent is revoked by a re-INVITE to audio, and not tried again.
* A peer that goes back to audio before the machines have agreed gets tones; later it is refused, since
  nobody could serve what the answer would promise.
* A session refresh is answered with the same image SDP again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
from appliance.lines.sip.session import Audio, audio_of, sendable
from appliance.lines.sip.switch_table import HANDLERS, State, SwitchEvent
from appliance.t38.sdp import Description, SdpError, T38Media, agree, image_of
from appliance.t38.settings import T38Settings

# Without an answer to our offer for so long the fax begins in tones, s: gateways answer within a second, and
# what calls has heard silence long enough.
OFFER_LIMIT_S = 4.0
# After a glare the offer is out again soon; the tones wait for its answer so long, s.
GLARE_MARGIN_S = 1.5
# From this round of glare on the tones wait no longer.
GLARE_PATIENCE = 2
# A fax machine was heard and we do not ask: gateways that do offer T.38 within so long, s.
PEER_AFTER_TONES_S = 3.0
# A re-INVITE back to audio is answered within so long, s, or the far end does not listen any more.
RECLAIM_LIMIT_S = 6.0
# RFC 3261 17.1.1.2 timer B (64 × T1) and a little: by then our re-INVITE has failed somewhere.
ASKING_LIMIT_S = 35.0
# The status in StayOnAudio for an offer that nobody answered, and of one that was answered without T.38.
_NO_ANSWER = 408
_NOT_ACCEPTABLE = 488


class SwitchError(RuntimeError):
    """Our bug: something was reported that cannot happen in this state."""


NOTHING = Description(None, ())


@dataclass(frozen=True, slots=True)
class _EventData:
    """When an event came, and what a handler may need of it."""

    now: float
    description: Description = NOTHING
    code: int = 0
    retry_after_s: float | None = None


class MediaSwitch:
    """One call's media switch; see the module's rules.

    ``caller`` says that the call (and its Call-ID) is ours.  ``pick`` returns a number between two
    bounds (``random.uniform``).
    """

    def __init__(
        self, rules: MediaRules, local: LocalMedia, *, caller: bool, pick: Callable[[float, float], float]
    ) -> None:
        self._rules = rules
        self._ours = OurSdp(rules, local)
        self._our_t38 = local.t38
        self._retries = Retries(caller=caller, pick=pick)
        self._state = State.NEW
        self._connected_yet = False
        self._dialling = rules.dials_on
        self._orders: list[SwitchOrder] = []
        self._deadline: float | None = None
        self._audio: UseAudio | None = None
        self._t38: UseT38 | None = None
        self._answer_text: str | None = None
        self._asked_text = ""  # our last offer of T.38
        self._agreed_text = ""  # our side of the SDP when T.38 was agreed: refreshes repeat it
        self._asked = False  # our offer of T.38 was refused: no other one
        self._tones_at: float | None = None  # the fax begins in tones, whatever our offer comes to
        self._tones = False  # it has
        self._page_in_audio = False
        self._page_in_t38 = False
        self._stays_in_t38 = False  # the peer refused to go back to audio
        self._silent = False  # T.38 was agreed in this call, and nothing came through it

    # -- inputs of the signalling -------------------------------------------------------------

    @property
    def state(self) -> State:
        """The state of the switch."""
        return self._state

    def offer(self) -> str:
        """The SDP of an offer made now: the first one, our re-INVITE for T.38, or a refresh."""
        if self._state is State.NEW:
            # Even where only T.38 is allowed the call starts with audio: that is how gateways know a call.
            self._state = State.OFFERING
        if self._state is State.T38 and self._agreed_text:
            return self._agreed_text
        if self._state is State.ASKING:
            self._asked_text = self._ours.image_offer()
            return self._asked_text
        if self._state is State.T38:
            return self._ours.image_offer()
        return self._ours.audio_offer(events=self._rules.dials_on and not self._connected_yet)

    def answer(self, offer: Description, now: float) -> str | None:
        """The SDP that answers the peer's offer; None refuses it."""
        self._answer_text = None
        self._handle(SwitchEvent.OFFER, _EventData(now, offer))
        return self._answer_text

    def has_to_wait(self, offer: Description) -> bool:
        """Whether the peer's offer is to be made again (491)."""
        return self._dialling and self._rules.t38 and _image_of(offer) is not None

    def answered(self, answer: Description, now: float) -> None:
        """The peer answered our offer."""
        self._handle(SwitchEvent.ANSWER, _EventData(now, answer))

    def early_audio(self) -> UseAudio | None:
        """The audio agreed for the time before the answer; None when there is none."""
        return None if self._connected_yet else self._audio

    def refused(self, code: int, retry_after_s: float | None, now: float) -> None:
        """The peer refused our offer with this status code, 300 to 699."""
        self._handle(SwitchEvent.REFUSAL, _EventData(now, code=code, retry_after_s=retry_after_s))

    def connected(self, now: float) -> None:
        """The dialog is confirmed: media run from here on."""
        if not self._connected_yet:
            self._connected_yet = True
            self._handle(SwitchEvent.CONNECTED, _EventData(now))

    def ended(self) -> None:
        """The call is over: nothing more is ordered."""
        self._state = State.OVER
        self._deadline = self._tones_at = None
        self._orders.clear()

    # -- inputs of the media side --------------------------------------------------------

    def dialled_on(self, now: float) -> None:
        """The digits after the answer are out."""
        self._dialling = False
        if self._state is State.AUDIO:
            self._await_t38(now)

    def ask_now(self, now: float) -> None:
        """A fax machine was heard in audio: no reason to wait longer with our offer, or for the peer's."""
        if not self._connected_yet or self._dialling or not self._rules.t38 or self._asked:
            return
        if self._rules.ask_after_s is not None:
            self._handle(SwitchEvent.ASK, _EventData(now))
        elif self._state is State.AUDIO and self._deadline is not None:
            self._deadline = min(self._deadline, now + PEER_AFTER_TONES_S)

    def page_in_audio(self) -> None:
        """A fax in audio has passed its negotiation: a switch would destroy it."""
        self._page_in_audio = True
        if self._state in (State.AUDIO, State.GLARE):
            self._state = State.AUDIO
            self._deadline = None

    def page_in_t38(self) -> None:
        """A fax over T.38 has passed its negotiation: it could not go on in audio."""
        self._page_in_t38 = True

    def t38_is_silent(self, now: float) -> None:
        """Nothing of a fax came through T.38: back to audio, where that is allowed.

        A second call, after the peer refused to go back, ends the call.
        """
        if self._state is not State.T38 or not self._rules.g711 or self._page_in_t38:
            return
        if self._stays_in_t38:
            self._orders.append(GiveUp(causes.SIP_T38_SILENT))
        else:
            self._silent = True
            self._reclaim(now)

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` is due, seconds; None without a limit."""
        return min((at for at in (self._deadline, self._tones_at) if at is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """Does what is due at ``now``, seconds."""
        if self._tones_at is not None and now >= self._tones_at:
            self._begin_tones(_NO_ANSWER)
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None
            self._handle(SwitchEvent.TIMER, _EventData(now))

    def take_orders(self) -> list[SwitchOrder]:
        """The orders since the last call, oldest first."""
        orders, self._orders = self._orders, []
        return orders

    # -- handlers --------------------------------------------------------------------------

    def _handle(self, event: SwitchEvent, data: _EventData) -> None:
        name = HANDLERS.get((self._state, event))
        if name is None:
            raise SwitchError(f"{event.value} in state {self._state.value}")
        getattr(self, name)(data)

    def _ignore(self, data: _EventData) -> None:
        pass

    def _refuse(self, data: _EventData) -> None:
        self._answer_text = None

    def _first_answer(self, data: _EventData) -> None:
        if not self._take_audio_answer(data.description):
            self._orders.append(GiveUp(causes.SIP_MEDIA_REFUSED))

    def _audio_again(self, data: _EventData) -> None:
        self._take_audio_answer(data.description)

    def _take_audio_answer(self, answer: Description) -> bool:
        audio = audio_of(answer)
        if audio is None:
            return False
        if self._state is not State.GLARE:
            self._state = State.AUDIO
        self._set_audio(audio)
        return True

    def _take_offer(self, data: _EventData) -> None:
        """Answers an offer with T.38 when it may, else with audio, else not at all."""
        offer = data.description
        image, audio = _image_of(offer), audio_of(offer)
        was_t38 = self._state is State.T38 or self._silent
        may_use_image = self._rules.t38 and not (self._dialling or self._page_in_audio or self._silent)
        if image is not None and may_use_image:
            self._answer_with_image(offer, image)
        elif audio is not None and self._may_use_audio():
            self._answer_text = self._ours.audio_answer(offer, audio)
            self._state = State.AUDIO
            self._t38 = None
            self._set_audio(audio)
            if was_t38 and self._connected_yet:
                self._no_t38(0)

    def _may_use_audio(self) -> bool:
        if not self._connected_yet:
            return True
        return self._rules.g711 and not (self._state is State.T38 and self._page_in_t38)

    def _answer_with_image(self, offer: Description, image: T38Media) -> None:
        # The same offer makes the same text: a refresh is answered with what was agreed.
        self._answer_text = self._ours.image_answer(offer)
        self._set_t38(image, agree(self._our_t38, image.settings), self._answer_text)

    def _connected(self, data: _EventData) -> None:
        if self._state is State.T38:
            assert self._t38 is not None
            self._orders.append(self._t38)
            return
        if self._audio is None:
            return  # nothing was agreed: GiveUp has been ordered
        self._orders.append(self._audio)
        if not self._dialling:
            self._await_t38(data.now)

    def _await_t38(self, now: float) -> None:
        if not self._rules.t38:
            self._orders.append(StayOnAudio(0))
        elif self._rules.ask_after_s is not None:
            self._deadline = now + self._rules.ask_after_s
        else:
            self._deadline = now + self._rules.wait_for_peer_s

    def _audio_timer(self, data: _EventData) -> None:
        if self._rules.ask_after_s is not None and not self._asked:
            self._ask(data)
        else:
            self._no_t38(0)

    def _ask(self, data: _EventData) -> None:
        if self._page_in_audio:
            return
        self._state = State.ASKING
        self._deadline = data.now + ASKING_LIMIT_S
        if not self._tones:
            self._tones_at = data.now + OFFER_LIMIT_S
        self._orders.append(Reinvite())

    def _ask_again(self, data: _EventData) -> None:
        if self._silent:
            self._reclaim(data.now)
        else:
            self._ask(data)

    def _asking_timer(self, data: _EventData) -> None:
        self._no_t38(_NO_ANSWER)

    def _asked_answer(self, data: _EventData) -> None:
        image, audio = _image_of(data.description), audio_of(data.description)
        if image is not None and not self._page_in_audio:
            self._set_t38(image, agree(self._our_t38, image.settings), self._asked_text)
        elif image is None and audio is not None:
            # 200 with audio only, perhaps with another codec or port.
            self._set_audio(audio)
            self._no_t38(_NOT_ACCEPTABLE)
        else:
            # The image line is off and no other on, or the answer comes too late: without audio the call
            # has no media.
            self._tones = True
            self._reclaim(data.now)
            if self._rules.g711:
                self._orders.append(StayOnAudio(_NOT_ACCEPTABLE))

    # -- back to audio

    def _reclaim(self, now: float) -> None:
        if not self._rules.g711:
            self._no_t38(_NOT_ACCEPTABLE)
            return
        self._state = State.RECLAIMING
        self._asked = True
        self._tones_at = None
        self._deadline = now + RECLAIM_LIMIT_S
        self._orders.append(Reinvite())

    def _reclaimed(self, data: _EventData) -> None:
        audio = audio_of(data.description)
        if audio is None:
            self._reclaim_failed(data)
            return
        self._set_audio(audio)
        self._no_t38(0)

    def _reclaim_refusal(self, data: _EventData) -> None:
        again_s = self._retries.wait_s(data.code, data.retry_after_s)
        if again_s is None and self._t38 is not None and not self._tones:
            # A refusal leaves the session as it was: the machine may yet be slow to answer.
            self._state = State.T38
            self._deadline = None
            self._silent, self._stays_in_t38 = False, True
            return
        if again_s is None or self._retries.exhausted:
            self._reclaim_failed(data)
        else:
            self._offer_again_at(data.now + again_s)

    def _reclaim_failed(self, data: _EventData) -> None:
        self._state = State.AUDIO
        self._deadline = None
        if not self._tones:  # else they go on for as long as the peer lets them
            self._orders.append(GiveUp(causes.SIP_T38_SILENT))

    # -- refusals

    def _asked_refusal(self, data: _EventData) -> None:
        again_s = self._retries.wait_s(data.code, data.retry_after_s)
        if again_s is None or self._retries.exhausted:
            self._no_t38(data.code)
            return
        again_at = data.now + again_s
        self._offer_again_at(again_at)
        if self._tones:
            return
        if self._retries.rounds >= GLARE_PATIENCE:
            self._begin_tones(data.code)
        else:
            self._tones_at = again_at + GLARE_MARGIN_S

    def _offer_again_at(self, at: float) -> None:
        self._retries.rounds += 1
        self._state = State.GLARE
        self._deadline = at

    def _no_t38(self, code: int) -> None:
        self._asked = True
        self._state = State.AUDIO
        self._deadline = None
        if self._rules.g711:
            self._begin_tones(code)
        else:
            self._orders.append(GiveUp(causes.SIP_T38_REFUSED))

    def _begin_tones(self, code: int) -> None:
        self._tones_at = None
        if self._rules.g711:
            self._tones = True
            self._orders.append(StayOnAudio(code))

    def _t38_again(self, data: _EventData) -> None:
        image = _image_of(data.description)
        if image is not None and self._t38 is not None:
            self._set_t38(image, self._t38.settings, self._agreed_text)

    # -- pieces ----------------------------------------------------------------------------

    def _set_audio(self, audio: Audio) -> None:
        use = self._ours.audio_use(audio)
        if self._connected_yet and use != self._audio:
            self._orders.append(use)
        self._audio = use

    def _set_t38(self, image: T38Media, settings: T38Settings, text: str) -> None:
        was = self._t38 if self._state is State.T38 else None
        self._state = State.T38
        self._deadline = self._tones_at = None
        self._tones = False
        self._agreed_text = text
        self._t38 = UseT38(sendable(image.address, image.port), settings)
        if self._connected_yet and self._t38 != was:
            self._orders.append(self._t38)


def _image_of(description: Description) -> T38Media | None:
    """The peer's live image line; one that cannot be used is as good as none."""
    try:
        return image_of(description)
    except SdpError:
        return None
