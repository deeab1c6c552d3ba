"""A class-1 modem with a connected call, as its sender, its listener and the DCE share it."""

from __future__ import annotations

from collections import deque
from enum import Enum

from appliance.causes import Cause
from appliance.lines.modem import limits
from appliance.lines.modem.port import CommandPort
from appliance.lines.modem.quirks import Quirks
from appliance.t30.dce import Carrier, CarrierOff, CarrierOn, LineEvent, LineLost, LineOrder


class Opened(Enum):
    """How the call was connected: the modem's state when the DCE takes over."""

    CALLING = "calling"  # ATD gave CONNECT: V.21 flags are being received
    ANSWERING = "answering"  # ATA gave CONNECT: our preamble is on the line


class State(Enum):
    """States of the modem as the driver sees it."""

    IDLE = "idle"
    OPENED_CALLING = "opened, calling"
    OPENED_ANSWERING = "opened, answering"
    QUIET = "quiet"  # silence before we transmit
    HDLC_OPEN = "+FTH ordered"
    HDLC_FRAME = "frame written"
    FAST_OPEN = "+FTM ordered"
    FAST_TRAIN = "training"
    FAST_DATA = "page written"
    LISTEN = "+FRH or +FRM ordered"
    DATA = "data"
    RESULT = "result due"
    PAUSE = "pause"  # before a listening command is issued again
    ABORT = "abort"
    DRAIN = "drain"  # a transmission cut short by HangUp
    HOOK = "ATH"
    OVER = "over"


LISTENING = frozenset({State.LISTEN, State.DATA})
SENDING = frozenset({State.HDLC_OPEN, State.HDLC_FRAME, State.FAST_OPEN, State.FAST_TRAIN, State.FAST_DATA})


class ConnectedModem:
    """The modem's state, the orders for it, and the events of its line.

    ``latency_s``: the measured delay of the modem's answers (a distant serial server, a slow bus), which is
    added to the limits for answers.  ``round_trip_s``: the quickest answer, which is the time of transmission
    both ways.
    """

    def __init__(
        self, port: CommandPort, quirks: Quirks, opened: Opened, latency_s: float, round_trip_s: float
    ) -> None:
        self.port = port
        self.quirks = quirks
        self.latency_s = latency_s
        self.round_trip_s = round_trip_s
        self.state = State.OPENED_CALLING if opened is Opened.CALLING else State.OPENED_ANSWERING
        self.order: LineOrder | None = None  # the one in progress
        self.next: LineOrder | None = None  # waits for an abort
        self.events: deque[LineEvent] = deque()
        self.carrier: Carrier | None = None  # reported as on
        self.wake: float | None = None  # our own timer, beside the port's
        self.last_fast = -1  # modulation of the last +FRM with nothing else after it
        self.clean = False  # after OVER: the modem confirmed that it hung up

    def idle(self) -> None:
        """Ends the order in progress."""
        self.state = State.IDLE
        self.order = None
        self.port.await_reply(0.0, None)

    def carrier_on(self, carrier: Carrier) -> None:
        """Reports the carrier, unless it is on."""
        if self.carrier is not carrier:
            self.carrier = carrier
            self.events.append(CarrierOn(carrier))

    def carrier_off(self) -> None:
        """Reports the end of the carrier, if one is on."""
        if self.carrier is not None:
            self.carrier = None
            self.events.append(CarrierOff())

    def abort(self, now: float) -> None:
        """Aborts the command in progress; ``next`` begins after that."""
        self.state = State.ABORT
        self.wake = None
        self.last_fast = -1
        self.port.abort(now, within=self.quirks.abort_ms / 1000 + limits.LATENCY_SPREAD * self.latency_s)

    def hook(self, now: float) -> None:
        """Hangs up."""
        self.state = State.HOOK
        self.port.command("H0", now, within=limits.HOOK_S)

    def lost(self, cause: Cause | None, now: float) -> None:
        """The call has ended: reports that to the engine, and hangs up."""
        self.port.discard_output()
        self.wake = None
        self.port.close_data()
        self.hook(now)
        self.carrier = None
        self.events.append(LineLost(cause))

    def end(self, *, clean: bool) -> None:
        """The modem is on hook, or does not answer any more."""
        self.state = State.OVER
        self.wake = None
        self.clean = clean
        self.port.await_reply(0.0, None)
