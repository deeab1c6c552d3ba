"""Turns carriers and V.21 frames from the far end into stimuli for the active role.

Some gateways send T.30's frames as if the image modem had carried them.  So a fast carrier is reported only
when it has brought data, and T.30 frames on it are treated as V.21 frames.
"""

from __future__ import annotations

from typing import Protocol

from appliance.t30 import timers as limits
from appliance.t30.dce import Carrier, CarrierOff, CarrierOn, Data, DataLost, Frame
from appliance.t30.frames import IMAGE_FRAMES, FrameError, HdlcFrame, UnknownCommandError
from appliance.t30.roles import NO_DATA, Burst, EventData, LineStimulus, Timer
from appliance.t30.running_timers import Timers
from appliance.t30.trace import describe_frame

# So many bursts of frames with wrong FCS are a fax machine's: it says DIS six times and more within T1, and a
# voice that passes for V.21 does not do so again.
GARBLED_FAX = 3


class ListeningStation(Protocol):
    """What the listener reports to and sets timers of (``Station``).  ``now``: time of the event, seconds."""

    now: float
    timers: Timers

    def note(self, event: str, **fields: str | int | float | bool) -> None:
        """Reports a progress event."""

    def give(self, stimulus: LineStimulus, fact: EventData = NO_DATA) -> None:
        """Passes a stimulus to the active role."""

    def burst_heard(self, received: Burst, otherwise: LineStimulus) -> None:
        """Handles a V.21 burst; ``otherwise`` is the stimulus if it has no command or response."""


class Listener:
    """Follows the far end's signal for a station.

    ``carrier`` is the one that is on (None: silence), ``since`` the time it came on, seconds.
    """

    def __init__(self, station: ListeningStation) -> None:
        self.carrier: Carrier | None = None
        self.since = 0.0
        self.understood = False  # at least one valid T.30 frame was received
        self._garbled = 0  # bursts without one
        self._station = station
        self._bare = False  # the carrier is a fast one that has brought no data yet
        self._frames: list[HdlcFrame] = []
        self._frames_heard = 0
        self._unknown_heard = False

    @property
    def carrier_ends_by(self) -> float | None:
        """Until when the carrier suspends timers at most, seconds; None in silence."""
        return None if self.carrier is None else self.since + limits.CARRIER_LIMIT_S

    @property
    def hears_fax(self) -> bool:
        """Whether the far end is a fax machine, understood or not."""
        return self.understood or self._garbled >= GARBLED_FAX

    def stop(self) -> None:
        """Forgets the carrier: we transmit, and nothing is received meanwhile."""
        self.carrier, self._bare = None, False
        self._station.timers.stop(Timer.BURST_END, Timer.BARE_CARRIER)

    def hear(self, event: CarrierOn | Frame | Data | DataLost | CarrierOff) -> None:
        """Handles an event of the line."""
        match event:
            case CarrierOn(carrier):
                self.carrier_off()
                self._begin_carrier(carrier)
            case Frame(octets, ok):
                if self.carrier is not None and self.carrier is not Carrier.V21 and _is_of_t30(octets, ok):
                    self._carrier_was_v21()
                if self.carrier is None or self.carrier is Carrier.V21:
                    self._v21_frame(octets, ok)
                elif ok or not self._bare:
                    self.carrier_brings()
                    self._station.give(LineStimulus.FAST_FRAME, EventData(octets=octets, ok=ok))
            case Data(octets):
                self.carrier_brings()
                self._station.give(LineStimulus.FAST_DATA, EventData(octets=octets))
            case DataLost(octets):
                self.carrier_brings()
                self._station.give(LineStimulus.FAST_LOST, EventData(lost=octets))
            case CarrierOff(complete):
                self.carrier_off(complete=complete)

    def _begin_carrier(self, carrier: Carrier) -> None:
        self.carrier, self.since = carrier, self._station.now
        self._bare = carrier is not Carrier.V21
        if self._bare:
            self._station.timers.start(Timer.BARE_CARRIER, limits.BARE_CARRIER_S)
        else:
            self._station.give(LineStimulus.V21_ON)
        self._frames, self._frames_heard = [], 0
        self._unknown_heard = False

    def carrier_brings(self) -> None:
        """Reports the fast carrier, if not yet done: its first data have arrived, or it ends without any."""
        if self._bare:
            self._bare = False
            self._station.timers.stop(Timer.BARE_CARRIER)
            self._station.give(LineStimulus.FAST_ON, EventData(carrier=self.carrier))

    def _carrier_was_v21(self) -> None:
        """The carrier, labelled as the image modem's, brings T.30 frames: it is treated as V.21."""
        bare, since = self._bare, self.since
        if not bare:  # behind a page, without a new carrier
            self._station.give(LineStimulus.FAST_OFF, EventData(carrier=self.carrier, ok=False))
        self._station.timers.stop(Timer.BARE_CARRIER)
        self._begin_carrier(Carrier.V21)
        if bare:
            self.since = since

    def _v21_frame(self, octets: bytes, ok: bool) -> None:
        if self.carrier is None:
            self._begin_carrier(Carrier.V21)
        self._frames_heard += 1
        if self._frames_heard > limits.BURST_FRAMES_LIMIT:
            return
        if not ok:
            self._station.note("frame_bad", octets=len(octets))
            return
        try:
            frame = HdlcFrame.decode(octets)
        except FrameError as error:
            self._unknown_heard = self._unknown_heard or isinstance(error, UnknownCommandError)
            self._station.note("frame_unknown", reason=str(error), octets=octets[:16].hex())
            return
        self.understood = True
        self._station.note("frame_received", **describe_frame(frame))
        self._frames.append(frame)
        if frame.final:
            self._station.timers.start(Timer.BURST_END, limits.BURST_END_S)

    def carrier_off(self, *, complete: bool = False) -> None:
        """The carrier has ended: reports the burst or the end of the image."""
        self._station.timers.stop(Timer.BURST_END)
        self.carrier_brings()
        carrier, self.carrier = self.carrier, None
        if carrier is None:
            return
        if carrier is not Carrier.V21:
            self._station.give(LineStimulus.FAST_OFF, EventData(carrier=carrier, ok=complete))
            return
        frames, self._frames = tuple(self._frames), []
        self._garbled += not frames and self._frames_heard > 0
        if self._unknown_heard:
            otherwise = LineStimulus.UNKNOWN
        else:
            otherwise = LineStimulus.GARBLED if self._frames_heard else LineStimulus.QUIET
        self._station.burst_heard(Burst(frames, self.since), otherwise)


def _is_of_t30(octets: bytes, ok: bool) -> bool:
    """Whether a frame on an image carrier is a command or response of T.30 and not part of a page."""
    try:
        return ok and HdlcFrame.decode(octets).fcf not in IMAGE_FRAMES
    except FrameError as error:
        return isinstance(error, UnknownCommandError)  # a final frame: those of a page never are
