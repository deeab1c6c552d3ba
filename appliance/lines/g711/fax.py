"""Fax in a telephone call over IP: ``ToneFaxCall`` is a whole fax over RTP with G.711, ``AudioWait`` what
is said and heard in audio while it is still open whether T.38 will carry the fax.

Both are driven as ``appliance.t38.fax.T38FaxCall`` is: datagrams and the time in, datagrams and the next
deadline out.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance.lines.g711.call_progress import NetworkEar
from appliance.lines.g711.dce import ToneDce
from appliance.lines.g711.modem_receiver import Receiver
from appliance.lines.g711.modem_transmitter import Transmitter
from appliance.lines.g711.modems import Status
from appliance.lines.g711.rtp import PACKET_S, PACKET_SAMPLES, RtpSession
from appliance.t30.call import DrivenFax, FaxCall
from appliance.t30.conversation import FromCall
from appliance.t30.dce import Tone
from appliance.t30.packet_account import PacketAccount
from appliance.t30.parameters import CallParameters, CallResult

# Packets sent at once to catch up after the process was held up; beyond, our speech is late instead:
# a play-out buffer at the far end holds about this much.
MAX_CATCH_UP_PACKETS = 5


class Pace:
    """Says when packets are due: one every 20 ms, however late the driver is."""

    def __init__(self) -> None:
        self.due: float | None = None

    def start(self, now: float) -> None:
        self.due = now

    def count(self, now: float) -> int:
        """How many packets are due, and counts them as sent."""
        if self.due is None or now < self.due:
            return 0
        count = int((now - self.due) / PACKET_S) + 1
        self.due += count * PACKET_S
        return min(count, MAX_CATCH_UP_PACKETS)


class ToneFaxCall(DrivenFax):
    """One fax call over RTP, from ``start`` until ``result`` is set.

    ``rtp`` may have been in use before (by ``AudioWait``): its numbering goes on.  ``ear`` listens, too.
    """

    def __init__(
        self,
        parameters: CallParameters,
        rtp: RtpSession,
        say: Callable[[FromCall], None],
        *,
        wake: Callable[[], None],
        ear: NetworkEar | None = None,
    ) -> None:
        self._ear = ear
        self._dce = ToneDce()
        super().__init__(FaxCall(parameters, self._dce, say, wake=wake), self._dce)
        self._packets = PacketAccount(say)
        self._rtp = rtp
        self._pace = Pace()
        self._datagrams: list[bytes] = []

    def start(self, now: float) -> None:
        """The audio is agreed: begins the call."""
        self._rtp.start_clock(now)
        self._pace.start(now)
        self._call.start(now)

    def receive_datagram(self, data: bytes, now: float) -> None:
        """Takes one RTP packet from the far end's address, whatever is in it."""
        heard = self._rtp.receive(data, now)
        received = self._rtp.received
        self._packets.come(now, received.packets, 0, received.lost)
        if self._ear is not None:
            for samples, _ in heard:
                self._ear.hear(samples)
        self._dce.hear(heard)
        self._call.pump(now)

    def take_datagrams(self) -> list[bytes]:
        datagrams, self._datagrams = self._datagrams, []
        return datagrams

    def next_deadline(self) -> float | None:
        deadlines = (self._pace.due, self._rtp.next_deadline(), self._call.next_deadline())
        return min((each for each in deadlines if each is not None), default=None)

    def handle_timer(self, now: float) -> None:
        self._dce.hear(self._rtp.handle_timer(now))
        for _ in range(self._pace.count(now)):
            self._datagrams.append(self._rtp.send(self._dce.speak(PACKET_SAMPLES)))
        self._call.handle_timer(now)


class AudioWait:
    """Keeps audio alive before the fax: CNG when we call, silence when we answer, and an open ear.

    ``heard`` is called once for each thing: ``"CNG"``, ``"CED"``, ``"V.21"``; ``ear`` listens, too.
    ``early``: nobody has answered yet, so nothing is said.  It never has a result: the owner replaces it.
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
        self._ear = ear
        self._rtp = rtp
        self._heard = heard
        self._known: set[str] = set()
        self._pace = Pace()
        self._datagrams: list[bytes] = []
        self._transmitter = Transmitter()
        self._receiver = Receiver(self._status, lambda *_: None, lambda tone: self._report(tone.value))
        self._receiver.listen_tones([Tone.CED] if calls else [Tone.CNG])
        if calls and not early:
            self._transmitter.tone(Tone.CNG)

    @property
    def result(self) -> CallResult | None:
        return None

    def start(self, now: float) -> None:
        self._rtp.start_clock(now)
        self._pace.start(now)

    def receive_datagram(self, data: bytes, now: float) -> None:
        for samples, _ in self._rtp.receive(data, now):
            self._hear(samples)

    def take_datagrams(self) -> list[bytes]:
        datagrams, self._datagrams = self._datagrams, []
        return datagrams

    def next_deadline(self) -> float | None:
        deadlines = (self._pace.due, self._rtp.next_deadline())
        return min((each for each in deadlines if each is not None), default=None)

    def handle_timer(self, now: float) -> None:
        for samples, _ in self._rtp.handle_timer(now):
            self._hear(samples)
        for _ in range(self._pace.count(now)):
            self._datagrams.append(self._rtp.send(self._transmitter.speak(PACKET_SAMPLES)))

    def pump(self, now: float) -> None:
        """Nothing waits here."""

    def cancel(self, now: float) -> None:
        """Nothing to end politely."""

    def hang_up(self, now: float) -> None:
        """Nothing to conclude."""

    def _hear(self, samples: bytes) -> None:
        self._receiver.hear(samples)
        if self._ear is not None:
            self._ear.hear(samples)

    def _status(self, fast: bool, status: Status) -> None:
        if status is Status.FRAMING_OK:
            self._report("V.21")

    def _report(self, what: str) -> None:
        if what not in self._known:
            self._known.add(what)
            self._heard(what)
