"""Our side of the SDP of one call: offers, answers and the agreed media.

The version in ``o=`` increases with each change.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance.lines.sip.media_orders import LocalMedia, MediaRules, UseAudio
from appliance.lines.sip.session import EVENTS, Audio, audio_answer, audio_offer
from appliance.t38.sdp import Description, Origin, T38Media, build_answer, build_offer


class OurSdp:
    """See the module.  The same offer or answer again has the same text."""

    def __init__(self, rules: MediaRules, local: LocalMedia) -> None:
        self._rules = rules
        self._local = local
        self._version = 1
        self._last_media = ""

    def audio_offer(self, *, events: bool) -> str:
        """G.711 alone; ``events``: with telephone-event."""
        local = self._local
        return self._text(
            lambda origin: audio_offer(
                local.address, local.rtp_port, self._rules.payloads, origin, EVENTS if events else None
            )
        )

    def image_offer(self) -> str:
        """T.38, the audio line with port 0 before it where the owner wants that."""
        return self._text(
            lambda origin: build_offer(self._image(), origin, audio_first=self._rules.keep_audio_line)
        )

    def audio_answer(self, offer: Description, audio: Audio) -> str:
        """Takes the offer's line ``audio`` with one payload type, and no other line."""
        local, payload = self._local, self._payload(audio)
        return self._text(
            lambda origin: audio_answer(
                offer, audio, local.address, local.rtp_port, payload, origin, self._events(audio)
            )
        )

    def audio_use(self, audio: Audio) -> UseAudio:
        """The order to send audio to the peer's line ``audio``."""
        payload = self._payload(audio)
        law = audio.law(payload)
        return UseAudio(
            audio.remote,
            payload,
            law=None if law == payload else law,
            events=self._events(audio),
        )

    def _events(self, audio: Audio) -> int | None:
        return audio.events if self._rules.dials_on else None

    def _payload(self, audio: Audio) -> int:
        """The G.711 payload type to use: the peer's first choice among those that we accept, else its
        first one.
        """
        wanted = (payload for payload in audio.payloads if audio.law(payload) in self._rules.payloads)
        return next(wanted, audio.payloads[0])

    def image_answer(self, offer: Description) -> str:
        """Takes the offer's T.38, and no other line."""
        return self._text(lambda origin: build_answer(offer, self._image(), origin)[0])

    def _image(self) -> T38Media:
        return T38Media(self._local.address, self._local.udptl_port, self._local.t38)

    def _text(self, build: Callable[[Origin], str]) -> str:
        """RFC 3264 8: another description of the same session has the next version."""
        text = build(self._origin())
        media = text.partition("\r\ns=")[2]
        if self._last_media and media != self._last_media:
            self._version += 1
            text = build(self._origin())
        self._last_media = media
        return text

    def _origin(self) -> Origin:
        return Origin("-", self._local.session, self._version, self._local.address)
