"""What the media switch does in each state with each event, and the states that this may lead to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from appliance.lines.sip import causes
from appliance.lines.sip.media_orders import GiveUp, StayOnAudio
from appliance.lines.sip.session import audio_of
from appliance.lines.sip.switch_media import NOT_ACCEPTABLE, SwitchMedia
from appliance.lines.sip.switch_states import SwitchEvent, SwitchState
from appliance.t38.sdp import Description, SdpError, T38Media, agree, image_of

# After a glare the offer is out again soon; the tones wait for its answer so long, s.
GLARE_MARGIN_S = 1.5
# From this round of glare on the tones wait no longer.
GLARE_PATIENCE = 2
# The status in StayOnAudio for an offer that nobody answered.
NO_ANSWER = 408

NOTHING = Description(None, ())


@dataclass(frozen=True, slots=True)
class SwitchInput:
    """When an event came, and what a handler may need of it."""

    now: float
    description: Description = NOTHING
    code: int = 0
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Handling:
    """``act`` handles an event; ``to`` are the states that it may lead to, besides the present one."""

    act: Callable[[SwitchMedia, SwitchInput], None]
    to: tuple[SwitchState, ...] = ()


def usable_image(description: Description) -> T38Media | None:
    """The peer's live image line; one that cannot be used is as good as none."""
    try:
        return image_of(description)
    except SdpError:
        return None


def _ignore(_media: SwitchMedia, _data: SwitchInput) -> None:
    pass


def _refuse(media: SwitchMedia, _data: SwitchInput) -> None:
    media.answer_text = None


def _first_answer(media: SwitchMedia, data: SwitchInput) -> None:
    if audio_of(data.description) is None:
        media.orders.append(GiveUp(causes.SIP_MEDIA_REFUSED))
    else:
        media.state = SwitchState.AUDIO
        _audio_again(media, data)


def _audio_again(media: SwitchMedia, data: SwitchInput) -> None:
    audio = audio_of(data.description)
    if audio is not None:
        media.use_audio(audio)


def _t38_again(media: SwitchMedia, data: SwitchInput) -> None:
    image = usable_image(data.description)
    if image is not None and media.t38 is not None:
        media.use_t38(image, media.t38.settings, media.agreed_text)


def _take_offer(media: SwitchMedia, data: SwitchInput) -> None:
    """Answers an offer with T.38 when it may, else with audio, else not at all."""
    offer = data.description
    image, audio = usable_image(offer), audio_of(offer)
    was_t38 = media.state is SwitchState.T38 or media.silent
    may_use_image = media.rules.t38 and not (media.dialling or media.page_in_audio or media.silent)
    if image is not None and may_use_image:
        # The same offer makes the same text: a refresh is answered with what was agreed.
        media.answer_text = media.ours.image_answer(offer)
        media.use_t38(image, agree(media.our_t38, image.settings), media.answer_text)
    elif audio is not None and media.may_use_audio():
        media.answer_text = media.ours.audio_answer(offer, audio)
        media.state = SwitchState.AUDIO
        media.t38 = None
        media.use_audio(audio)
        if was_t38 and media.is_connected:
            media.end_t38(0)


def _connected(media: SwitchMedia, data: SwitchInput) -> None:
    if media.state is SwitchState.T38:
        assert media.t38 is not None
        media.orders.append(media.t38)
    elif media.audio is not None:  # else nothing was agreed: GiveUp has been ordered
        media.orders.append(media.audio)
        if not media.dialling:
            media.await_t38(data.now)


def _ask(media: SwitchMedia, data: SwitchInput) -> None:
    media.ask(data.now)


def _audio_timer(media: SwitchMedia, data: SwitchInput) -> None:
    if media.rules.ask_after_s is not None and not media.asked:
        media.ask(data.now)
    else:
        media.end_t38(0)


def _ask_again(media: SwitchMedia, data: SwitchInput) -> None:
    if media.silent:
        media.reclaim(data.now)
    else:
        media.ask(data.now)


def _asking_timer(media: SwitchMedia, _data: SwitchInput) -> None:
    media.end_t38(NO_ANSWER)


def _asked_answer(media: SwitchMedia, data: SwitchInput) -> None:
    image, audio = usable_image(data.description), audio_of(data.description)
    if image is not None and not media.page_in_audio:
        media.use_t38(image, agree(media.our_t38, image.settings), media.asked_text)
    elif image is None and audio is not None:
        # 200 with audio only, perhaps with another codec or port.
        media.use_audio(audio)
        media.end_t38(NOT_ACCEPTABLE)
    else:
        # The image line is off and no other on, or the answer comes too late: without audio the call
        # has no media.
        media.tones = True
        media.reclaim(data.now)
        if media.rules.g711:
            media.orders.append(StayOnAudio(NOT_ACCEPTABLE))


def _asked_refusal(media: SwitchMedia, data: SwitchInput) -> None:
    again_s = media.retries.wait_s(data.code, data.retry_after_s)
    if again_s is None or media.retries.exhausted:
        media.end_t38(data.code)
        return
    again_at = data.now + again_s
    media.offer_again_at(again_at)
    if media.tones:
        return
    if media.retries.rounds >= GLARE_PATIENCE:
        media.begin_tones(data.code)
    else:
        media.tones_at = again_at + GLARE_MARGIN_S


def _reclaimed(media: SwitchMedia, data: SwitchInput) -> None:
    audio = audio_of(data.description)
    if audio is None:
        media.fail_to_reclaim()
    else:
        media.use_audio(audio)
        media.end_t38(0)


def _reclaim_refusal(media: SwitchMedia, data: SwitchInput) -> None:
    again_s = media.retries.wait_s(data.code, data.retry_after_s)
    if again_s is None and media.t38 is not None and not media.tones:
        # A refusal leaves the session as it was: the machine may yet be slow to answer.
        media.state = SwitchState.T38
        media.deadline = None
        media.silent, media.stays_in_t38 = False, True
    elif again_s is None or media.retries.exhausted:
        media.fail_to_reclaim()
    else:
        media.offer_again_at(data.now + again_s)


def _reclaim_timer(media: SwitchMedia, _data: SwitchInput) -> None:
    media.fail_to_reclaim()


_IGNORED, _REFUSED = Handling(_ignore), Handling(_refuse)
# Other combinations cannot happen.
TABLE = {
    (SwitchState.NEW, SwitchEvent.OFFER): Handling(_take_offer, (SwitchState.AUDIO, SwitchState.T38)),
    (SwitchState.OFFERING, SwitchEvent.ANSWER): Handling(_first_answer, (SwitchState.AUDIO,)),
    (SwitchState.OFFERING, SwitchEvent.REFUSAL): _IGNORED,  # the whole call is refused: SIP says how
    (SwitchState.OFFERING, SwitchEvent.OFFER): _REFUSED,  # an offer while ours is open (RFC 3264 4)
    (SwitchState.OFFERING, SwitchEvent.CONNECTED): Handling(_connected),  # our offer got no usable answer
    (SwitchState.AUDIO, SwitchEvent.ANSWER): Handling(
        _audio_again
    ),  # 200 after a 183 with SDP, refresh by us
    (SwitchState.AUDIO, SwitchEvent.REFUSAL): _IGNORED,  # of a refresh
    (SwitchState.AUDIO, SwitchEvent.OFFER): Handling(_take_offer, (SwitchState.T38,)),
    (SwitchState.AUDIO, SwitchEvent.CONNECTED): Handling(_connected),
    (SwitchState.AUDIO, SwitchEvent.ASK): Handling(_ask, (SwitchState.ASKING,)),
    (SwitchState.AUDIO, SwitchEvent.TIMER): Handling(_audio_timer, (SwitchState.ASKING,)),
    (SwitchState.ASKING, SwitchEvent.ANSWER): Handling(
        _asked_answer, (SwitchState.T38, SwitchState.AUDIO, SwitchState.RECLAIMING)
    ),
    (SwitchState.ASKING, SwitchEvent.REFUSAL): Handling(
        _asked_refusal, (SwitchState.AUDIO, SwitchState.GLARE)
    ),
    (
        SwitchState.ASKING,
        SwitchEvent.OFFER,
    ): _REFUSED,  # of UPDATE; pjproject itself answers an INVITE with 491
    (SwitchState.ASKING, SwitchEvent.ASK): _IGNORED,
    (SwitchState.ASKING, SwitchEvent.TIMER): Handling(_asking_timer, (SwitchState.AUDIO,)),
    (SwitchState.GLARE, SwitchEvent.OFFER): Handling(_take_offer, (SwitchState.AUDIO, SwitchState.T38)),
    (SwitchState.GLARE, SwitchEvent.ASK): _IGNORED,
    (SwitchState.GLARE, SwitchEvent.TIMER): Handling(
        _ask_again, (SwitchState.ASKING, SwitchState.RECLAIMING)
    ),
    (SwitchState.GLARE, SwitchEvent.ANSWER): Handling(_audio_again),
    (SwitchState.GLARE, SwitchEvent.REFUSAL): _IGNORED,
    (SwitchState.T38, SwitchEvent.OFFER): Handling(_take_offer, (SwitchState.AUDIO,)),
    (SwitchState.T38, SwitchEvent.ANSWER): Handling(_t38_again),  # refresh by us
    (SwitchState.T38, SwitchEvent.REFUSAL): _IGNORED,
    (SwitchState.T38, SwitchEvent.CONNECTED): Handling(_connected),
    (SwitchState.T38, SwitchEvent.ASK): _IGNORED,
    (SwitchState.T38, SwitchEvent.TIMER): _IGNORED,
    (SwitchState.RECLAIMING, SwitchEvent.ANSWER): Handling(_reclaimed, (SwitchState.AUDIO,)),
    (SwitchState.RECLAIMING, SwitchEvent.REFUSAL): Handling(
        _reclaim_refusal, (SwitchState.T38, SwitchState.AUDIO, SwitchState.GLARE)
    ),
    (SwitchState.RECLAIMING, SwitchEvent.OFFER): _REFUSED,
    (SwitchState.RECLAIMING, SwitchEvent.ASK): _IGNORED,
    (SwitchState.RECLAIMING, SwitchEvent.TIMER): Handling(_reclaim_timer, (SwitchState.AUDIO,)),
} | {(SwitchState.OVER, event): _IGNORED for event in SwitchEvent}
