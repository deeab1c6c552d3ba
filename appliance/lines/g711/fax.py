"""Fax in a telephone call over IP: ``ToneFaxCall`` is a whole fax over RTP with G.711.

It is driven as ``appliance.t38.fax.T38FaxCall`` is: datagrams and the time in, datagrams and the next
deadline out.
"""

from __future__ import annotations

from collections.abc import Callable

from appliance.lines.g711.call_progress import NetworkEar
from appliance.lines.g711.dce import ToneDce
from appliance.lines.g711.packet_pace import PacketPace
from appliance.lines.g711.rtp import PACKET_SAMPLES, RtpSession
from appliance.t30.call import FaxWithinCall
from appliance.t30.conversation import FromCall
from appliance.t30.packet_account import PacketAccount
from appliance.t30.parameters import CallParameters


class ToneFaxCall(FaxWithinCall):
    """One fax call over RTP, from ``start`` until ``result`` is set.

    ``rtp`` may have been in use before (``before_fax``): its numbering goes on.  ``ear`` listens, too.
    """

    _dce: ToneDce

    def __init__(
        self,
        parameters: CallParameters,
        rtp: RtpSession,
        say: Callable[[FromCall], None],
        *,
        wake: Callable[[], None],
        ear: NetworkEar | None = None,
    ) -> None:
        super().__init__(parameters, ToneDce(), say, wake=wake)
        self._ear = ear
        self._packets = PacketAccount(say)
        self._rtp = rtp
        self._pace = PacketPace()
        self._datagrams: list[bytes] = []

    def start(self, now: float) -> None:
        """The audio is agreed: begins the call."""
        self._rtp.receiver.start_clock(now)
        self._pace.start(now)
        super().start(now)

    def receive_datagram(self, data: bytes, now: float) -> None:
        """Takes one RTP packet from the far end's address, whatever is in it."""
        heard = self._rtp.receiver.receive(data, now)
        received = self._rtp.receiver.received
        self._packets.come(now, received.packets, 0, received.lost)
        if self._ear is not None:
            for samples, _ in heard:
                self._ear.hear(samples)
        self._dce.hear(heard)
        self.pump(now)

    def take_datagrams(self) -> list[bytes]:
        """The RTP packets to send since the last call."""
        datagrams, self._datagrams = self._datagrams, []
        return datagrams

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` is due, seconds."""
        deadlines = (self._pace.due, self._rtp.receiver.next_deadline(), super().next_deadline())
        return min((each for each in deadlines if each is not None), default=None)

    def handle_timer(self, now: float) -> None:
        """Sends the packets that are due, and runs the fax's timers."""
        self._dce.hear(self._rtp.receiver.handle_timer(now))
        for _ in range(self._pace.count(now)):
            self._datagrams.append(self._rtp.send(self._dce.speak(PACKET_SAMPLES)))
        super().handle_timer(now)
