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

from appliance.lines.sip import causes
from appliance.lines.sip.media_orders import GiveUp, LocalMedia, MediaRules, SwitchOrder, UseAudio
from appliance.lines.sip.switch_media import SwitchMedia
from appliance.lines.sip.switch_states import SwitchEvent, SwitchState
from appliance.lines.sip.switch_table import NO_ANSWER, TABLE, SwitchInput, usable_image
from appliance.t38.sdp import Description

# A fax machine was heard and we do not ask: gateways that do offer T.38 within so long, s.
PEER_AFTER_TONES_S = 3.0


class SwitchError(RuntimeError):
    """Our bug: something was reported that cannot happen in this state."""


class MediaSwitch:
    """One call's media switch; see the module's rules.

    ``caller`` says that the call (and its Call-ID) is ours.  ``pick`` returns a number between two
    bounds (``random.uniform``).
    """

    def __init__(
        self, rules: MediaRules, local: LocalMedia, *, caller: bool, pick: Callable[[float, float], float]
    ) -> None:
        self._media = SwitchMedia(rules, local, caller=caller, pick=pick)

    # -- inputs of the signalling -------------------------------------------------------------

    @property
    def state(self) -> SwitchState:
        """The state of the switch."""
        return self._media.state

    def offer(self) -> str:
        """The SDP of an offer made now: the first one, our re-INVITE for T.38, or a refresh."""
        media = self._media
        if media.state is SwitchState.NEW:
            # Even where only T.38 is allowed the call starts with audio: that is how gateways know a call.
            media.state = SwitchState.OFFERING
        if media.state is SwitchState.T38 and media.agreed_text:
            return media.agreed_text
        if media.state is SwitchState.ASKING:
            media.asked_text = media.ours.image_offer()
            return media.asked_text
        if media.state is SwitchState.T38:
            return media.ours.image_offer()
        return media.ours.audio_offer(events=media.rules.dials_on and not media.is_connected)

    def answer(self, offer: Description, now: float) -> str | None:
        """The SDP that answers the peer's offer; None refuses it."""
        self._media.answer_text = None
        self._handle(SwitchEvent.OFFER, SwitchInput(now, offer))
        return self._media.answer_text

    def has_to_wait(self, offer: Description) -> bool:
        """Whether the peer's offer is to be made again (491)."""
        return self._media.dialling and self._media.rules.t38 and usable_image(offer) is not None

    def answered(self, answer: Description, now: float) -> None:
        """The peer answered our offer."""
        self._handle(SwitchEvent.ANSWER, SwitchInput(now, answer))

    def early_audio(self) -> UseAudio | None:
        """The audio agreed for the time before the answer; None when there is none."""
        return None if self._media.is_connected else self._media.audio

    def refused(self, code: int, retry_after_s: float | None, now: float) -> None:
        """The peer refused our offer with this status code, 300 to 699."""
        self._handle(SwitchEvent.REFUSAL, SwitchInput(now, code=code, retry_after_s=retry_after_s))

    def connected(self, now: float) -> None:
        """The dialog is confirmed: media run from here on."""
        if not self._media.is_connected:
            self._media.is_connected = True
            self._handle(SwitchEvent.CONNECTED, SwitchInput(now))

    def ended(self) -> None:
        """The call is over: nothing more is ordered."""
        media = self._media
        media.state = SwitchState.OVER
        media.deadline = media.tones_at = None
        media.orders.clear()

    # -- inputs of the media side --------------------------------------------------------

    def dialled_on(self, now: float) -> None:
        """The digits after the answer are out."""
        media = self._media
        media.dialling = False
        if media.state is SwitchState.AUDIO:
            media.await_t38(now)

    def ask_now(self, now: float) -> None:
        """A fax machine was heard in audio: no reason to wait longer with our offer, or for the peer's."""
        media = self._media
        if not media.is_connected or media.dialling or not media.rules.t38 or media.asked:
            return
        if media.rules.ask_after_s is not None:
            self._handle(SwitchEvent.ASK, SwitchInput(now))
        elif media.state is SwitchState.AUDIO and media.deadline is not None:
            media.deadline = min(media.deadline, now + PEER_AFTER_TONES_S)

    def page_in_audio(self) -> None:
        """A fax in audio has passed its negotiation: a switch would destroy it."""
        media = self._media
        media.page_in_audio = True
        if media.state in (SwitchState.AUDIO, SwitchState.GLARE):
            media.state = SwitchState.AUDIO
            media.deadline = None

    def page_in_t38(self) -> None:
        """A fax over T.38 has passed its negotiation: it could not go on in audio."""
        self._media.page_in_t38 = True

    def t38_is_silent(self, now: float) -> None:
        """Nothing of a fax came through T.38: back to audio, where that is allowed.

        A second call, after the peer refused to go back, ends the call.
        """
        media = self._media
        if media.state is not SwitchState.T38 or not media.rules.g711 or media.page_in_t38:
            return
        if media.stays_in_t38:
            media.orders.append(GiveUp(causes.SIP_T38_SILENT))
        else:
            media.silent = True
            media.reclaim(now)

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` is due, seconds; None without a limit."""
        return min(
            (at for at in (self._media.deadline, self._media.tones_at) if at is not None), default=None
        )

    def handle_timer(self, now: float) -> None:
        """Does what is due at ``now``, seconds."""
        media = self._media
        if media.tones_at is not None and now >= media.tones_at:
            media.begin_tones(NO_ANSWER)
        if media.deadline is not None and now >= media.deadline:
            media.deadline = None
            self._handle(SwitchEvent.TIMER, SwitchInput(now))

    def take_orders(self) -> list[SwitchOrder]:
        """The orders since the last call, oldest first."""
        orders, self._media.orders = self._media.orders, []
        return orders

    def _handle(self, event: SwitchEvent, data: SwitchInput) -> None:
        handling = TABLE.get((self._media.state, event))
        if handling is None:
            raise SwitchError(f"{event.value} in state {self._media.state.value}")
        handling.act(self._media, data)
