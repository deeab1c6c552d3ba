"""Audio of a call before it is decided whether T.38 or audio will carry its fax."""

from __future__ import annotations

from collections.abc import Callable

from appliance.lines.g711.call_progress import NetworkEar
from appliance.lines.g711.modem_receiver import ModemReceiver
from appliance.lines.g711.modem_transmitter import Transmitter
from appliance.lines.g711.modems import ModemStatus
from appliance.lines.g711.packet_pace import PacketPace
from appliance.lines.g711.rtp import PACKET_SAMPLES, RtpSession
from appliance.t30.dce import Tone
from appliance.t30.parameters import CallResult


class AudioBeforeFax:
    """A stream of packets, each sent when it is due; driven like ``appliance.lines.g711.fax.ToneFaxCall``.

    It never has a result: its owner stops it and starts another endpoint.
    """

    def __init__(self, rtp: RtpSession) -> None:
        self._rtp = rtp
        self._pace = PacketPace()
        self._datagrams: list[bytes] = []

    @property
    def result(self) -> CallResult | None:
        """Always None: audio before the fax has no result."""
        return None

    def start(self, now: float) -> None:
        """Begins to send, at ``now`` (seconds)."""
        self._rtp.receiver.start_clock(now)
        self._pace.start(now)

    def take_datagrams(self) -> list[bytes]:
        """The RTP packets to send since the last call."""
        datagrams, self._datagrams = self._datagrams, []
        return datagrams

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` is due, seconds; None: not before the next packet."""
        deadlines = (self._pace.due, self._rtp.receiver.next_deadline())
        return min((each for each in deadlines if each is not None), default=None)

    def pump(self, now: float) -> None:
        """Nothing waits here."""

    def cancel(self, now: float) -> None:
        """Nothing to end politely."""

    def hang_up(self, now: float) -> None:
        """Nothing to conclude."""


class AudioWait(AudioBeforeFax):
    """Sends audio before the fax (CNG when we call, silence when we answer), and listens for a fax machine.

    ``heard`` is called once for each signal:  ``"CNG"``, ``"CED"``, ``"V.21"``; ``ear`` gets the samples,
    too.
    ``early``: nobody has answered yet, so nothing is sent.
    """

    def __init__(
        self,
        rtp: RtpSession,
        *,
        calls: bool,
        heard: Callable[[str], None],
        ear: NetworkEar | None = None,
        early: bool = False,
    ) -> None:
        super().__init__(rtp)
        self._ear = ear
        self._heard = heard
        self._known: set[str] = set()
        self._transmitter = Transmitter()
        self._receiver = ModemReceiver(self._status, lambda *_: None, lambda tone: self._report(tone.value))
        self._receiver.listen_tones([Tone.CED] if calls else [Tone.CNG])
        if calls and not early:
            self._transmitter.tone(Tone.CNG)

    def receive_datagram(self, data: bytes, now: float) -> None:
        """Takes an RTP packet of the far end."""
        for samples, _ in self._rtp.receiver.receive(data, now):
            self._hear(samples)

    def handle_timer(self, now: float) -> None:
        """Sends the packets that are due, and handles delayed received ones."""
        for samples, _ in self._rtp.receiver.handle_timer(now):
            self._hear(samples)
        for _ in range(self._pace.count(now)):
            self._datagrams.append(self._rtp.send(self._transmitter.speak(PACKET_SAMPLES)))

    def _hear(self, samples: bytes) -> None:
        self._receiver.hear(samples)
        if self._ear is not None:
            self._ear.hear(samples)

    def _status(self, fast: bool, status: ModemStatus) -> None:
        if status is ModemStatus.FRAMING_OK:
            self._report("V.21")

    def _report(self, what: str) -> None:
        if what not in self._known:
            self._known.add(what)
            self._heard(what)
