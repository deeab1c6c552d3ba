"""The media switch of one SIP call: audio first, T.38 by whoever asks, and every way that can go wrong.

Sans-I/O: SDP as read and the time come in; SDP text, orders and the next deadline go out.  One table
says what is heard in which state; what is not in it is a bug of ours (SwitchError) and changes nothing.

The rules of the house
----------------------
* Audio is agreed first, unless the peer's first offer has an image line: then T.38 at once.
* The peer's offer of T.38 is always taken when T.38 is allowed, as long as no page is under way in audio.
* We ask for T.38 ourselves a settable time after the answer, or at once when told to.
* 491 (both asked): wait as RFC 3261 14.1 says, then ask again, unless the peer did meanwhile.
* Any other refusal leaves the call as it is: fax tones in audio when that is allowed, else the end.
* Whoever refreshes the session gets the very same image SDP again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from appliance import causes
from appliance.causes import Cause
from appliance.lines.sip.session import (
    MediaKind,
    MediaLine,
    Session,
    audio_section,
    compose,
    refused_section,
)
from appliance.t38 import sdp as t38_sdp
from appliance.t38.settings import T38Settings

# RFC 3261 14.1: after 491 the owner of the Call-ID waits 2.1 to 4 s, the other side 0 to 2 s, both in
# units of 10 ms.
GLARE_OWNER_S = (2.1, 4.0)
GLARE_OTHER_S = (0.0, 2.0)
GLARE_UNIT_S = 0.01
# Rounds of glare before we leave the switch to the peer; two ends with these waits need one or two.
MAX_GLARE = 5
# RFC 3261 17.1.1.2 timer B (64 × T1) and a little: by then our re-INVITE has failed somewhere.
ASKING_LIMIT_S = 35.0
# RFC 3261 14.2: a 500 to a re-INVITE that crosses another carries Retry-After of 0 to 10 s.
MAX_RETRY_AFTER_S = 10.0


class SwitchError(RuntimeError):
    """Our bug: something was reported that cannot happen in this state."""


@dataclass(frozen=True, slots=True)
class MediaRules:
    """What media the owner, the trunk and the destination's profile allow for this call.

    At least one of ``t38`` and ``g711`` is true.
    """

    t38: bool = True
    g711: bool = True
    ask_after_s: float | None = 6.0  # our own offer of T.38, from the answer on; None = never ask
    wait_for_peer_s: float = 15.0  # without an offer of our own: how long the peer may take to make one
    payloads: tuple[int, ...] = (8, 0)  # G.711 payload types we take, in our order
    keep_audio_line: bool = False  # our image offer keeps the audio line with port 0 before it

    def __post_init__(self) -> None:
        if not (self.t38 or self.g711):
            raise ValueError("a call needs T.38 or G.711")


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """Our side of the SDP: where we can be reached and what we can do."""

    address: str  # what the peer is told to send to
    rtp_port: int
    udptl_port: int
    t38: t38_sdp.T38Offer
    session_id: int


# -- orders ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reinvite:
    """Send a re-INVITE with what ``offer()`` says."""


@dataclass(frozen=True, slots=True)
class UseAudio:
    """Audio is agreed: this address, this payload type to send."""

    remote: tuple[str, int] | None
    payload: int


@dataclass(frozen=True, slots=True)
class UseT38:
    """T.38 is agreed, or its address changed."""

    remote: tuple[str, int] | None
    settings: T38Settings


@dataclass(frozen=True, slots=True)
class StayOnAudio:
    """T.38 is not to be had on this call (or not yet): fax in audio.  ``code`` is the refusal, 0 without one."""

    code: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Nothing that both ends may use is left: end the call."""

    cause: Cause


SwitchOrder = Reinvite | UseAudio | UseT38 | StayOnAudio | GiveUp


# -- the table ---------------------------------------------------------------------------------


class State(Enum):
    NEW = "new"  # nothing agreed, nothing offered
    OFFERING = "offering"  # our first offer is out
    AUDIO = "audio"
    ASKING = "asking"  # our re-INVITE for T.38 is out
    GLARE = "glare"  # 491: we wait, still on audio
    T38 = "t38"
    OVER = "over"


class Heard(Enum):
    OFFER = "offer"  # the peer's SDP, to be answered
    ANSWER = "answer"  # the peer's SDP in answer to ours
    REFUSAL = "refusal"  # the peer's refusal of our offer
    CONNECTED = "connected"  # the dialog is confirmed
    ASK = "ask"  # our media side wants T.38 now
    TIMER = "timer"


_ON = {
    (State.NEW, Heard.OFFER): "_first_offer",
    (State.OFFERING, Heard.ANSWER): "_first_answer",
    (State.OFFERING, Heard.REFUSAL): "_ignore",  # the whole call is refused: SIP says how
    (State.OFFERING, Heard.OFFER): "_refuse",  # an offer while ours is open (RFC 3264 4)
    (State.OFFERING, Heard.CONNECTED): "_connected",  # our offer got no usable answer
    (State.AUDIO, Heard.ANSWER): "_audio_again",  # 200 after a 183 with SDP, refresh by us
    (State.AUDIO, Heard.REFUSAL): "_ignore",  # of a refresh
    (State.AUDIO, Heard.OFFER): "_offer_in_call",
    (State.AUDIO, Heard.CONNECTED): "_connected",
    (State.AUDIO, Heard.ASK): "_ask",
    (State.AUDIO, Heard.TIMER): "_audio_timer",
    (State.ASKING, Heard.ANSWER): "_asked_answer",
    (State.ASKING, Heard.REFUSAL): "_asked_refusal",
    (State.ASKING, Heard.OFFER): "_refuse",  # pjproject answers 491 before we hear of it; UPDATE comes here
    (State.ASKING, Heard.ASK): "_ignore",
    (State.ASKING, Heard.TIMER): "_asking_timer",
    (State.GLARE, Heard.OFFER): "_offer_in_call",
    (State.GLARE, Heard.ASK): "_ignore",
    (State.GLARE, Heard.TIMER): "_ask",
    (State.GLARE, Heard.ANSWER): "_audio_again",
    (State.GLARE, Heard.REFUSAL): "_ignore",
    (State.T38, Heard.OFFER): "_offer_in_call",
    (State.T38, Heard.ANSWER): "_t38_again",  # refresh by us
    (State.T38, Heard.REFUSAL): "_ignore",
    (State.T38, Heard.CONNECTED): "_connected",
    (State.T38, Heard.ASK): "_ignore",
    (State.T38, Heard.TIMER): "_ignore",
} | {(State.OVER, heard): "_ignore" for heard in Heard}


@dataclass(frozen=True, slots=True)
class _News:
    """What was heard, with what a handler may need of it."""

    now: float
    session: Session = Session()
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
        self._local = local
        self._caller = caller
        self._pick = pick
        self._state = State.NEW
        self._connected_yet = False
        self._orders: list[SwitchOrder] = []
        self._deadline: float | None = None
        self._audio: UseAudio | None = None
        self._t38: UseT38 | None = None
        self._answer_text: str | None = None
        self._image_agreed = ""  # our image section as it was agreed: refreshes repeat it
        self._glares = 0
        self._asked = False  # T.38 was asked for and refused: not again
        self._page_in_audio = False
        self._version = 1
        self._last_media: list[str] = []

    # -- what SIP asks and tells ------------------------------------------------------------

    @property
    def state(self) -> State:
        return self._state

    def offer(self) -> str:
        """The SDP of an offer made now: the first one, our re-INVITE for T.38, or a refresh."""
        if self._state is State.NEW:
            self._state = State.OFFERING
        image = self._state is State.ASKING or self._state is State.T38
        if not image and not self._rules.g711 and self._state is State.OFFERING:
            # Only T.38 is allowed: the call still starts with audio (that is how gateways know a
            # call), which is then never used for more than waiting.
            image = False
        media = self._image_offer() if image else [self._audio_section(self._rules.payloads)]
        return self._text(media)

    def answer(self, session: Session, now: float) -> str | None:
        """The SDP that answers the peer's offer; None refuses it (488)."""
        self._answer_text = None
        self._hear(Heard.OFFER, _News(now, session))
        return self._answer_text

    def answered(self, session: Session, now: float) -> None:
        """The peer answered our offer."""
        self._hear(Heard.ANSWER, _News(now, session))

    def refused(self, code: int, retry_after_s: float | None, now: float) -> None:
        """The peer refused our offer with this status code, 300 to 699."""
        self._hear(Heard.REFUSAL, _News(now, code=code, retry_after_s=retry_after_s))

    def connected(self, now: float) -> None:
        """The dialog is confirmed: media run from here on."""
        if not self._connected_yet:
            self._connected_yet = True
            self._hear(Heard.CONNECTED, _News(now))

    def ended(self) -> None:
        """The call is over: nothing more is ordered."""
        self._state = State.OVER
        self._deadline = None
        self._orders.clear()

    # -- what the media side asks and tells -----------------------------------------------

    def ask_now(self, now: float) -> None:
        """A fax machine was heard in audio: no reason to wait longer with our offer."""
        if self._connected_yet and self._rules.t38 and self._rules.ask_after_s is not None and not self._asked:
            self._hear(Heard.ASK, _News(now))

    def page_in_audio(self) -> None:
        """A fax in audio has passed its negotiation: a switch would destroy it."""
        self._page_in_audio = True
        if self._state in (State.AUDIO, State.GLARE):
            self._state = State.AUDIO
            self._deadline = None

    def next_deadline(self) -> float | None:
        return self._deadline

    def handle_timer(self, now: float) -> None:
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None
            self._hear(Heard.TIMER, _News(now))

    def take_orders(self) -> list[SwitchOrder]:
        orders, self._orders = self._orders, []
        return orders

    # -- handlers --------------------------------------------------------------------------

    def _hear(self, heard: Heard, news: _News) -> None:
        name = _ON.get((self._state, heard))
        if name is None:
            raise SwitchError(f"{heard.value} in state {self._state.value}")
        getattr(self, name)(news)

    def _ignore(self, news: _News) -> None:
        pass

    def _refuse(self, news: _News) -> None:
        self._answer_text = None

    def _first_offer(self, news: _News) -> None:
        if not self._take_offer(news.session):
            self._answer_text = None

    def _first_answer(self, news: _News) -> None:
        if not self._take_audio_answer(news.session):
            self._orders.append(GiveUp(causes.SIP_MEDIA_REFUSED))

    def _audio_again(self, news: _News) -> None:
        self._take_audio_answer(news.session)

    def _take_audio_answer(self, session: Session) -> bool:
        index = session.g711
        if index is None:
            return False
        self._state = State.AUDIO if self._state is not State.GLARE else State.GLARE
        self._set_audio(session.media[index])
        return True

    def _offer_in_call(self, news: _News) -> None:
        self._take_offer(news.session)

    def _take_offer(self, session: Session) -> bool:
        """Answers an offer with T.38 when it may, else with audio.  False when neither will do."""
        image, audio = session.t38, session.g711
        if image is not None and self._rules.t38 and not self._page_in_audio:
            line = session.media[image]
            settings, section = t38_sdp.answer(line.attributes, self._local.t38, self._local.udptl_port)
            # A refresh gets the very text that was agreed first.
            if self._state is State.T38 and self._t38 is not None and self._t38.settings == settings:
                section = self._image_agreed
            self._answer_text = self._answer(session, image, section)
            self._set_t38(line.remote, settings, section)
            return True
        if audio is not None and (self._rules.g711 or not self._connected_yet):
            line = session.media[audio]
            payload = self._payload(line)
            self._answer_text = self._answer(session, audio, self._audio_section((payload,)))
            self._state = State.AUDIO
            self._t38 = None
            self._set_audio(line)
            return True
        self._answer_text = None
        return False

    def _connected(self, news: _News) -> None:
        if self._state is State.T38:
            assert self._t38 is not None
            self._orders.append(self._t38)
            return
        if self._audio is None:
            return  # nothing was agreed: GiveUp has been ordered
        self._orders.append(self._audio)
        if not self._rules.t38:
            self._orders.append(StayOnAudio(0))
        elif self._rules.ask_after_s is not None:
            self._deadline = news.now + self._rules.ask_after_s
        else:
            self._deadline = news.now + self._rules.wait_for_peer_s

    def _audio_timer(self, news: _News) -> None:
        if self._rules.ask_after_s is not None and not self._asked:
            self._ask(news)
        else:
            self._no_t38(0)

    def _ask(self, news: _News) -> None:
        if self._page_in_audio:
            return
        self._state = State.ASKING
        self._deadline = news.now + ASKING_LIMIT_S
        self._orders.append(Reinvite())

    def _asking_timer(self, news: _News) -> None:
        self._no_t38(408)

    def _asked_answer(self, news: _News) -> None:
        index = news.session.t38
        if index is None:
            # The peer said 200 and switched the image line off; audio goes on if it left that on.
            self._no_t38(488)
            return
        line = news.session.media[index]
        settings = t38_sdp.agreed(line.attributes, self._local.t38)
        self._set_t38(line.remote, settings, t38_sdp.offer_section(self._local.t38, self._local.udptl_port))

    def _asked_refusal(self, news: _News) -> None:
        again_s: float | None = None
        if news.code == 491:
            low, high = GLARE_OWNER_S if self._caller else GLARE_OTHER_S
            again_s = round(self._pick(low, high) / GLARE_UNIT_S) * GLARE_UNIT_S
        elif news.code == 500 and news.retry_after_s is not None:
            again_s = min(news.retry_after_s, MAX_RETRY_AFTER_S)
        if again_s is None or self._glares >= MAX_GLARE:
            self._no_t38(news.code)
            return
        self._glares += 1
        self._state = State.GLARE
        self._deadline = news.now + again_s

    def _no_t38(self, code: int) -> None:
        self._asked = True
        self._state = State.AUDIO
        self._deadline = None
        self._orders.append(StayOnAudio(code) if self._rules.g711 else GiveUp(causes.SIP_T38_REFUSED))

    def _t38_again(self, news: _News) -> None:
        index = news.session.t38
        if index is not None and self._t38 is not None:
            self._set_t38(news.session.media[index].remote, self._t38.settings, self._image_agreed)

    # -- pieces ----------------------------------------------------------------------------

    def _payload(self, line: MediaLine) -> int:
        """The G.711 to use: the peer's first choice among what we take, else whatever it has."""
        theirs = line.g711_payloads
        return next((payload for payload in theirs if payload in self._rules.payloads), theirs[0])

    def _set_audio(self, line: MediaLine) -> None:
        audio = UseAudio(line.remote, self._payload(line))
        if self._connected_yet and audio != self._audio:
            self._orders.append(audio)
        self._audio = audio

    def _set_t38(self, remote: tuple[str, int] | None, settings: T38Settings, section: str) -> None:
        was = self._t38 if self._state is State.T38 else None
        self._state = State.T38
        self._deadline = None
        self._image_agreed = section
        self._t38 = UseT38(remote, settings)
        if self._connected_yet and self._t38 != was:
            self._orders.append(self._t38)

    def _audio_section(self, payloads: tuple[int, ...]) -> str:
        return audio_section(self._local.rtp_port, payloads)

    def _image_offer(self) -> list[str]:
        section = self._image_agreed if self._state is State.T38 else ""
        section = section or t38_sdp.offer_section(self._local.t38, self._local.udptl_port)
        if not self._rules.keep_audio_line:
            return [section]
        payload = str(self._audio.payload if self._audio else self._rules.payloads[0])
        return [refused_section(MediaLine("audio", 0, "RTP/AVP", (payload,))), section]

    def _answer(self, session: Session, taken: int, section: str) -> str:
        return self._text([section if i == taken else refused_section(m) for i, m in enumerate(session.media)])

    def _text(self, media: list[str]) -> str:
        if self._last_media and media != self._last_media:
            self._version += 1
        self._last_media = media
        return compose(self._local.address, self._local.session_id, self._version, media)


def allowed(rules: MediaRules, *, t38: bool | None = None, g711: bool | None = None) -> MediaRules:
    """The rules with one kind of media taken away (a destination's profile); never both."""
    return replace(rules, t38=rules.t38 if t38 is None else t38, g711=rules.g711 if g711 is None else g711)


__all__ = [
    "GiveUp",
    "Heard",
    "LocalMedia",
    "MediaKind",
    "MediaRules",
    "MediaSwitch",
    "Reinvite",
    "State",
    "StayOnAudio",
    "SwitchError",
    "SwitchOrder",
    "UseAudio",
    "UseT38",
    "allowed",
]
