"""``T38Dce``: sends the T.30 engine's orders as IFP packets, and reports received packets as events.

Does no I/O: takes datagrams and the time, gives datagrams, events and the next deadline.  Every signal takes
as long as on a telephone line, because a gateway may have to play it on one.  Its data is sent a little ahead
of that time (``Pace.lead_s``), which gives a gateway a buffer against jitter and delays nothing, since the
next signal starts in line time.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from appliance.causes import Cause
from appliance.t30 import dce
from appliance.t30.pace import NOMINAL
from appliance.t30.tcf import tcf_octets
from appliance.t38.ifp import IfpError, IfpPacket, Indicator, decode_noting_version
from appliance.t38.ifp_receiver import IfpReceiver
from appliance.t38.packet_sender import NO_SIGNAL, PacketSender
from appliance.t38.settings import RateManagement, T38Settings
from appliance.t38.signals import Signals, SignalStep
from appliance.t38.timing import CARRIERS, CNG_AFTER_CED_S, CNG_GUARD_S, CNG_ON_S, CNG_PERIOD_S
from appliance.t38.udptl_receiver import Arrival, UdptlReceiver

# This many frames without an FCS field, and none with one, mean that the peer uses the other notation of IFP.
WRONG_NOTATION_FRAMES = 2
# Events kept of the far end's signal while we still send (see ``_sending_over``): our own bound.
MAX_HELD_EVENTS = 1024


@dataclass(slots=True)
class DceCounters:
    """Counts of received packets of one call, in addition to those of ``UdptlReceiver``."""

    malformed: int = 0  # packets that are not IFP
    events_dropped: int = 0
    signals: int = 0  # packets other than no-signal


class T38Dce:
    """A DCE (see ``appliance.t30.dce``) whose line is a UDPTL session.

    ``start`` opens it; then ``order``, ``receive_datagram`` and ``handle_timer`` drive it, and
    ``take_datagrams``, ``take_events`` and ``next_deadline`` are read after each of them.
    """

    def __init__(self, settings: T38Settings) -> None:
        self.counters = DceCounters()
        self.receiver = UdptlReceiver()
        self._settings = settings
        self._version = settings.version  # notation of received packets, which may differ
        self._sender = PacketSender(settings)
        self._hearing = IfpReceiver()
        self._events: list[dce.LineEvent] = []
        self._held: list[dce.LineEvent] = []  # received while sending
        self._listening = True
        self._sounding = False  # CNG is being sent
        self._cng_began = 0.0
        self._no_cng_before = float("-inf")
        self._script: Iterator[SignalStep] = iter(())
        self._step: SignalStep | None = None
        self._line_free_at = float("-inf")  # when our last signal ends on the line
        self._signals = Signals(settings)
        self._answerable = False  # all data of our signal were sent, but it lasts: the far end may answer
        self._local_tcf: list[tuple[float, dce.LineEvent]] = []
        self._closed = False

    # -- driving -----------------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Sends the first no-signal.  To be called once the session is agreed."""
        self._sender.send_no_signal(now)

    def order(self, order: dce.LineOrder, now: float) -> None:
        """Takes an order of the engine.  Raises RuntimeError while a signal is being sent."""
        if self._closed:
            return
        if isinstance(order, dce.HangUp):
            self._hang_up(now)
            return
        if isinstance(order, dce.UsePace):
            self._signals.pace = order.pace
            return
        if self._sending():
            raise RuntimeError("an order while a signal is being sent")
        self._script, self._step = iter(()), None
        self._end_cng(now)
        self._local_tcf.clear()
        if isinstance(order, dce.Receive):
            self._receive(order, now)
            return
        self._listening = isinstance(order, dce.SendCng)
        self._held.clear()
        begin = max(now, max(self._line_free_at, self._hearing.silent_since) + self._signals.pace.silence_s)
        self._script = self._signals.of(order, begin)
        if begin <= now:
            self._sender.end_trail()  # the new signal protects better, and no-signal must not follow it
        self._advance(now)

    def receive_datagram(self, data: bytes, now: float) -> None:
        """Takes a datagram of any content."""
        if self._closed:
            return
        self._hear(self.receiver.receive(data, now), now)

    def handle_timer(self, now: float) -> None:
        """Does what is due.  To be called at ``next_deadline``; harmless earlier."""
        if self._closed:
            return
        self._sender.repeat(now)
        if self._step is not None and self._step.at <= now:
            self._advance(now)
        while self._local_tcf and self._local_tcf[0][0] <= now:
            self._events.append(self._local_tcf.pop(0)[1])
        self._hear(self.receiver.handle_timer(now), now)
        self._hearing.handle_timer(now)
        self._collect(now)
        if not self._signalling():
            self._sender.keep_alive(now)

    def line_lost(self, cause: Cause | None) -> None:
        """The surrounding call has ended: the far end hung up (None), or why the line failed."""
        if not self._closed:
            self._close()
            self._events.append(dce.LineLost(cause))

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` is due, seconds; None when nothing is pending."""
        if self._closed:
            return None
        times = [
            self._step.at if self._step is not None else None,
            self._sender.repeat_at(),
            self._local_tcf[0][0] if self._local_tcf else None,
            None if self._signalling() else self._sender.keepalive_at,
            self.receiver.next_deadline(),
            self._hearing.next_deadline(),
        ]
        return min((at for at in times if at is not None), default=None)

    def take_datagrams(self) -> list[bytes]:
        """The datagrams to send now, in order."""
        return self._sender.take_datagrams()

    def take_events(self) -> list[dce.LineEvent]:
        """The events since the last call, in order."""
        events, self._events = self._events, []
        return events

    # -- sending -----------------------------------------------------------------------------------

    def _sending(self) -> bool:
        return self._step is not None and not self._listening

    def _signalling(self) -> bool:
        """Whether a signal of ours is on the line, which a no-signal would end."""
        return self._sending() or self._sounding

    def _advance(self, now: float) -> None:
        """Sends every step that is due, and ends the signal when its time on the line is over."""
        while True:
            if self._step is None:
                self._step = next(self._script, None)
                if self._step is None:
                    return
            step = self._step
            if step.at > now:
                return
            self._step = None
            if step.tone and (self._hearing.carrier is not None or now < self._no_cng_before):
                continue  # a gateway would play it into the far end's signal
            if step.ifp is not None:
                if step.tone and not self._sounding:
                    self._cng_began = now
                self._sounding = step.tone
                self._sender.send(step.ifp, now, repeats=step.repeats)
                if step.answerable:
                    self._sending_over()
                continue
            self._line_free_at = step.at
            self._answerable = False
            self._sender.begin_trail(step.at)
            self._events.append(dce.Sent())

    def _cng_may_end(self, now: float) -> float:
        """When CNG may end: at once, but not during a tone of the cadence that a gateway plays."""
        into = (now - self._cng_began + CNG_GUARD_S) % CNG_PERIOD_S
        return now + max(0.0, CNG_ON_S + 2 * CNG_GUARD_S - into)

    def _end_cng(self, now: float) -> None:
        if self._sounding:
            self._sounding = False
            self._sender.send_no_signal(now, repeats=True)

    def _sending_over(self) -> None:
        """All data of our signal were sent: the far end may answer from here on.

        What it sent before was no answer, and a modem would not have received it.  Over T.38 the answer can
        arrive before our signal has ended in line time, so it is kept until the engine listens.
        """
        self._held.clear()
        self._answerable = True
        if not self._listening and self._hearing.carrier is not None:
            self._held.append(dce.CarrierOn(self._hearing.carrier))

    def _hang_up(self, now: float) -> None:
        """Ends the session; the packets that protect our last frame (DCN) are sent at once."""
        self._sender.hurry(now)
        self._close()

    def _close(self) -> None:
        self._closed = True
        self._script, self._step = iter(()), None
        self._held.clear()

    # -- receiving ---------------------------------------------------------------------------------

    def _receive(self, order: dce.Receive, now: float) -> None:
        self._listening = True
        self._events += self._held
        self._held.clear()
        local = self._settings.rate_management is RateManagement.LOCAL_TCF
        if local and order.expect is dce.Expect.TCF and self._hearing.carrier in (None, dce.Carrier.V21):
            self._local_tcf = self._make_tcf(order.carrier, now)

    def _make_tcf(self, carrier: dce.Carrier, now: float) -> list[tuple[float, dce.LineEvent]]:
        """The events of a good TCF, which with method 1 the far end does not transfer (T.38 clause 8)."""
        on = now + NOMINAL.silence_s + CARRIERS[carrier].long_training_s
        off = on + NOMINAL.tcf_s
        zeros = bytes(tcf_octets(carrier))
        return [(on, dce.CarrierOn(carrier)), (off, dce.Data(zeros)), (off, dce.CarrierOff())]

    def _hear(self, arrivals: list[Arrival], now: float) -> None:
        if not arrivals:
            return
        self._sender.peer_heard(now)
        for arrival in arrivals:
            if arrival.lost_before:
                self._hearing.packets_lost(arrival.lost_before)
            packet = self._decoded(arrival)
            if packet is None:
                self.counters.malformed += 1
                self._hearing.packets_lost(1)
                continue
            if packet != NO_SIGNAL:
                self.counters.signals += 1
            self._hearing.packet(packet, now)
            if self._version == 0 and self._frames_never_end():
                self._version = 2
        self._collect(now)

    def _decoded(self, arrival: Arrival) -> IfpPacket | None:
        """The IFP packet, None when it is not one.  Zero octets after it are allowed in a second try."""
        for padded in (arrival.padded, True):
            with suppress(IfpError):
                packet, self._version = decode_noting_version(arrival.ifp, self._version, padded=padded)
                return packet
        return None

    def _frames_never_end(self) -> bool:
        """Whether what was decoded as the end of a signal is the peer's FCS-OK in the notation of 2002.

        The octet is the same.  A single one may be a signal cut short; a peer whose frames never have an FCS
        uses the other notation.  It repeats the frames that were lost by that.
        """
        return not self._hearing.fcs_marks and self._hearing.frames_without_fcs >= WRONG_NOTATION_FRAMES

    def _collect(self, now: float) -> None:
        """Reports received events, or keeps them while we send."""
        received, self._hearing.events = self._hearing.events, []
        if not received:
            return
        if dce.ToneHeard(dce.Tone.CED) in received:
            self._no_cng_before = now + CNG_AFTER_CED_S
        ending = self._step is None or not self._step.tone
        if self._sounding and self._hearing.carrier is not None and not ending:
            self._step = self._signals.indicator(self._cng_may_end(now), Indicator.NO_SIGNAL)
            self._advance(now)
        if self._local_tcf and any(isinstance(event, dce.CarrierOn) for event in received):
            self._local_tcf.clear()  # the far end has a signal of its own
        if self._listening:
            self._events += received
            return
        if self._answerable and dce.CarrierOn(dce.Carrier.V21) in received:
            self._signals.far_end_is_terminal = True  # it answers before our signal has ended in line time
        for event in received:
            if len(self._held) >= MAX_HELD_EVENTS and isinstance(event, dce.Frame | dce.Data):
                self.counters.events_dropped += 1
            else:
                self._held.append(event)
