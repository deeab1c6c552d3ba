"""``ToneDce``: a software fax modem for the T.30 engine, which takes and gives audio samples.

A DCE as of ``appliance.t30.dce``, on spandsp's modems.  Samples are its clock: received ones come at the far
end's pace, those to send are fetched at the driver's; the two need not be in step because fax is half duplex.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from appliance.causes import Cause
from appliance.lines.g711.modem_receiver import ModemReceiver
from appliance.lines.g711.modem_transmitter import Transmitter
from appliance.lines.g711.modems import SAMPLE_RATE, ModemStatus
from appliance.lines.g711.rtp import DueSamples
from appliance.t30 import dce
from appliance.t30.pace import NOMINAL

# A preamble is of whole flags (T.30 5.3.1): so many a second at 300 bit/s.
V21_FLAGS_A_SECOND = 37.5
# After the last frame: T.30 5.3.6.2 wants the closing flag; two more carry it through the turn-off.
V21_TAIL_FLAGS = 3
ECM_TAIL_FLAGS = 6
# A page's carrier that did not train and lasts longer than any echo of ours: what is sent is lost, but it is
# no silence, and the far end's command follows its end.
UNTRAINED_S = 2.0


class ToneDce:
    """See the module.  ``hear`` and ``speak`` are the line; the rest is the DCE's interface."""

    def __init__(self) -> None:
        self._events: list[dce.LineEvent] = []
        self._receiver = ModemReceiver(self._status, self._frame, self._tone)
        self._transmitter = Transmitter()
        self._pace = NOMINAL
        self._sending = False  # an order that ``Sent`` answers is in progress
        self._cng = False
        self._expected: dce.Receive | None = None
        self._up: dce.Carrier | None = None  # the carrier that is on
        self._trained = True  # it brings data
        self._untrained_for: int | None = None  # samples of a page's carrier since it failed to train
        self._lost_bits = 0  # of its page, since the last received ones
        self.hung_up = False

    # -- the line ----------------------------------------------------------------------------

    def hear(self, heard: Iterable[DueSamples]) -> None:
        """Takes the next samples from the line, in order."""
        for samples, concealed in heard:
            self._hear(samples, concealed)

    def _hear(self, samples: bytes, concealed: bool) -> None:
        if not samples or self.hung_up:
            return
        if self._sending:
            # Audio received while we send is our own echo; silence lets the receivers settle.
            samples = bytes(len(samples))
        slow = self._up is None or self._up is dce.Carrier.V21 or not self._trained
        self._receiver.hear(samples, slow=slow, concealed=concealed)
        self._count_untrained(len(samples) // 2)
        if concealed and self._brings_image():
            # Concealed samples are not page data: only their number of bits is used.
            self._lost_bits += len(self._receiver.bits)
            self._receiver.bits.clear()
            return
        if self._lost_bits and self._receiver.bits:
            self._events.append(dce.DataLost(max(1, self._lost_bits // 8)))
            self._lost_bits = 0
        self._take_bits()

    def _count_untrained(self, samples: int) -> None:
        if self._untrained_for is None or self._expected is None or self._up is not None:
            return
        self._untrained_for += samples
        if self._untrained_for > UNTRAINED_S * SAMPLE_RATE:
            self._untrained_for = None
            self._turn_on(self._expected.carrier, trained=False)

    def _brings_image(self) -> bool:
        """Whether the present carrier has a page without ECM."""
        expected = self._expected
        return expected is not None and self._up is expected.carrier and expected.expect is dce.Expect.IMAGE

    def speak(self, count: int) -> bytes:
        """The next ``count`` samples to send."""
        samples = self._transmitter.speak(count)
        if self._sending and not self._transmitter.speaks:
            self._sending = False
            self._events.append(dce.Sent())
        return samples

    def line_lost(self, cause: Cause | None) -> None:
        """The call has ended."""
        self._transmitter.stop()
        self._events.append(dce.LineLost(cause))

    # -- the DCE -----------------------------------------------------------------------------

    def order(self, order: dce.LineOrder, now: float) -> None:
        """Carries out an order of the engine."""
        if self.hung_up:
            return
        if isinstance(order, dce.UsePace):
            self._pace = order.pace
            return
        if self._cng:
            self._transmitter.stop()
            self._cng = False
        match order:
            case dce.SendCng():
                self._cng = True
                self._transmitter.tone(dce.Tone.CNG)
                self._receiver.listen_tones([dce.Tone.CED])
            case dce.SendCed():
                self._send()
                self._transmitter.tone(dce.Tone.CED)
            case dce.SendFrames(frames):
                self._send()
                flags = math.ceil(self._pace.preamble_s * V21_FLAGS_A_SECOND)
                self._transmitter.v21(frames, flags, V21_TAIL_FLAGS)
            case dce.SendTcf(carrier, octets):
                self._send()
                self._transmitter.fast_bits(carrier, short_train=False, octets=bytes(octets))
            case dce.SendImage(carrier, short_train, data):
                self._send()
                self._transmitter.fast_bits(carrier, short_train=short_train, octets=data)
            case dce.SendEcm(carrier, short_train, frames):
                self._send()
                flags = round(carrier.bit_rate * self._pace.ecm_flags_s / 8)
                self._transmitter.fast_frames(
                    carrier,
                    short_train=short_train,
                    frames=frames,
                    preamble_flags=flags,
                    tail_flags=ECM_TAIL_FLAGS,
                )
            case dce.Receive():
                self._listen(order)
            case dce.HangUp():
                self._transmitter.stop()
                self.hung_up = True

    def handle_timer(self, now: float) -> None:
        """No timer runs here: samples are the clock."""

    def next_deadline(self) -> float | None:
        """None: the DCE is driven by samples, not by a clock."""
        return None

    def take_events(self) -> list[dce.LineEvent]:
        """The events on the line since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    # -- inside ------------------------------------------------------------------------------

    def _send(self) -> None:
        self._sending = True
        self._expected = self._untrained_for = None
        self._up = None
        self._receiver.stop_fast()
        self._receiver.listen_tones([])
        self._transmitter.silence(self._pace.silence_s)

    def _listen(self, order: dce.Receive) -> None:
        self._expected, self._untrained_for = order, None
        if order.carrier is dce.Carrier.V21:
            self._receiver.stop_fast()
            if self._up is not dce.Carrier.V21:
                self._up = None
        else:
            self._up = None
            self._listen_fast()

    def _listen_fast(self) -> None:
        order = self._expected
        if order is not None and order.carrier is not dce.Carrier.V21:
            self._receiver.listen_fast(
                order.carrier, frames=order.expect is dce.Expect.FRAMES, short_train=order.short_train
            )

    def _tone(self, tone: dce.Tone) -> None:
        if not self._sending:
            self._events.append(dce.ToneHeard(tone))

    def _status(self, fast: bool, status: ModemStatus) -> None:
        if self._sending:
            return
        if fast:
            self._fast_status(status)
        elif status is ModemStatus.FRAMING_OK and (self._up is None or not self._trained):
            if self._up is not None:
                self._turn_off()
            self._turn_on(dce.Carrier.V21)
            self._receiver.stop_fast()
        elif status is ModemStatus.CARRIER_DOWN and self._up is dce.Carrier.V21:
            self._turn_off()
            self._listen_fast()  # that burst may have been the echo of our own

    def _fast_status(self, status: ModemStatus) -> None:
        """Follows the fast carrier.

        One that does not train is no event at first: it may be the echo of our own signal, and the modem goes
        on listening, beside that of V.21.
        """
        if self._expected is None or self._up is dce.Carrier.V21:
            return
        if status is ModemStatus.TRAINING_SUCCEEDED:
            self._turn_on(self._expected.carrier)
        elif status is ModemStatus.TRAINING_FAILED and self._expected.expect is not dce.Expect.TCF:
            self._untrained_for = 0
        elif status is ModemStatus.CARRIER_DOWN:
            self._untrained_for = None
            if self._up is self._expected.carrier:
                self._take_bits()
                self._turn_off()

    def _turn_on(self, carrier: dce.Carrier, *, trained: bool = True) -> None:
        self._up, self._trained = carrier, trained
        self._lost_bits = 0
        self._receiver.listen_tones([])
        self._events.append(dce.CarrierOn(carrier))

    def _turn_off(self) -> None:
        self._up = None
        self._events.append(dce.CarrierOff())

    def _frame(self, fast: bool, octets: bytes, ok: bool) -> None:
        expected = self._expected.carrier if fast and self._expected is not None else dce.Carrier.V21
        if self._sending or self._up is not expected:
            return
        self._events.append(
            dce.Frame(octets[: dce.MAX_FRAME_OCTETS], ok and len(octets) <= dce.MAX_FRAME_OCTETS)
        )

    def _take_bits(self) -> None:
        """Packs the bits of a fast carrier into octets; incomplete octets wait, and are dropped at the
        end.
        """
        bits = self._receiver.bits
        count = len(bits) // 8
        if not count:
            return
        number = 0
        for bit in reversed(bits[: 8 * count]):
            number = number << 1 | bit
        del bits[: 8 * count]
        if self._up is not None and self._up is not dce.Carrier.V21 and not self._sending:
            self._events.append(dce.Data(number.to_bytes(count, "little")))
