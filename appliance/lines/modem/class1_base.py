"""Common base of sending and listening over a class-1 modem: states, the carrier, aborts, the end."""

from __future__ import annotations

from collections import deque
from enum import Enum

from appliance.causes import Cause
from appliance.lines.modem import limits
from appliance.lines.modem.hdlc import Deframer
from appliance.lines.modem.lexer import DLE, ETX
from appliance.lines.modem.port import CommandPort
from appliance.lines.modem.quirks import Quirks
from appliance.t30.dce import (
    Carrier,
    CarrierOff,
    CarrierOn,
    HangUp,
    LineEvent,
    LineLost,
    LineOrder,
    Receive,
)


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


class ClassOneBase:
    """A modem with a connected call: its state, and operations of both halves."""

    def __init__(
        self,
        port: CommandPort,
        quirks: Quirks,
        opened: Opened,
        *,
        latency_s: float = 0.0,
        round_trip_s: float = 0.0,
    ) -> None:
        """``latency_s``: the measured delay of the modem's answers (a distant serial server, a slow bus),
        which is added to the limits for answers.  ``round_trip_s``: the quickest answer, which is the time
        of transmission both ways."""
        self._port = port
        self._latency_s = latency_s
        self._round_trip_s = round_trip_s
        self._quirks = quirks
        self._events: deque[LineEvent] = deque()
        calling = opened is Opened.CALLING
        self._state = State.OPENED_CALLING if calling else State.OPENED_ANSWERING
        self._order: LineOrder | None = None  # the one in progress
        self._next: LineOrder | None = None  # waits for an abort
        self._frames: deque[bytes] = deque()
        self._wake: float | None = None  # our own timer, beside the port's
        self._last_fast = -1  # modulation of the last +FRM with nothing else after it
        self._retries = 0
        self._unanswered = 0  # consecutive commands without an answer
        self._listening_for_quiet = False
        self._issued_at = 0.0
        self._written_at = 0.0
        self._frame_s = 0.0
        self._connect_held = False  # a CONNECT came too early for this frame
        self._stray_ok = False  # OK where CONNECT was due
        self._adaptive = False  # V.21 came in place of a page
        self._carrier: Carrier | None = None  # reported as on
        self._buffer = bytearray()
        self._deframer = Deframer()
        self._line_noisy = False
        self._sent_last: LineOrder | None = None
        self._has_sent = False  # in this call
        self.clean = False  # after OVER: the modem confirmed that it hung up

    def _begin(self, order: LineOrder, now: float) -> None:
        """Begins an order, the modem being free."""
        raise NotImplementedError

    def _listen(self, now: float) -> None:
        """Gives the listening command of the order in progress."""
        raise NotImplementedError

    def take_events(self) -> list[LineEvent]:
        """The line events since the last call, in order."""
        events = list(self._events)
        self._events.clear()
        return events

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` is due, seconds; None: not before the next bytes or order."""
        times = [t for t in (self._wake, self._port.next_deadline()) if t is not None]
        return min(times) if times else None

    @property
    def over(self) -> bool:
        """Whether the modem is on hook again, or no longer answers."""
        return self._state is State.OVER

    # -- states and the carrier ----------------------------------------------------------------

    def _idle(self) -> None:
        self._state = State.IDLE
        self._order = None
        self._port.await_reply(0.0, None)

    def _v21(self) -> bool:
        return self._adaptive or not isinstance(self._order, Receive) or self._order.carrier is Carrier.V21

    def _carrier_on(self, carrier: Carrier) -> None:
        if self._carrier is not carrier:
            self._carrier = carrier
            self._events.append(CarrierOn(carrier))

    def _carrier_off(self) -> None:
        if self._carrier is not None:
            self._carrier = None
            self._events.append(CarrierOff())

    # -- what comes next -----------------------------------------------------------------------

    def _go_on(self, now: float) -> None:
        """Continues listening within the same carrier, unless there is another order."""
        if not self._take_next(now):
            self._listen(now)

    def _rest(self, now: float, seconds: float) -> None:
        """The carrier has ended: waits for an order, and listens again without one."""
        if self._take_next(now):
            return
        self._state = State.PAUSE
        self._port.close_data()
        self._port.await_reply(now, None)
        self._wake = now + seconds

    def _again(self, now: float) -> None:
        """A listening command ended without a carrier: issue it again, within bounds."""
        self._retries += 1
        quick = self._retries <= self._quirks.frh_retries
        self._rest(now, self._quirks.frh_retry_ms / 1000 if quick else limits.SLOW_RETRY_S)

    def _take_next(self, now: float) -> bool:
        """Begins the waiting order; returns False without one."""
        order, self._next = self._next, None
        if order is None:
            return False
        self._begin(order, now)
        return True

    def _abort(self, now: float) -> None:
        self._state = State.ABORT
        self._wake = None
        self._last_fast = -1
        self._port.abort(now, within=self._quirks.abort_ms / 1000 + limits.LATENCY_SPREAD * self._latency_s)

    # -- the end -------------------------------------------------------------------------------

    def _hang_up(self, now: float) -> None:
        self._wake = None
        self._events.clear()
        if self._state in LISTENING or self._state in (State.OPENED_CALLING, State.ABORT):
            self._next = HangUp()
            if self._state is not State.ABORT:
                self._abort(now)
        elif self._state in SENDING or self._state is State.OPENED_ANSWERING:
            # Unsent octets are dropped.  The first DLE may complete a pair of which one octet was sent.
            self._port.discard_output()
            self._port.write(bytes([DLE, ETX, DLE, ETX]))
            self._state = State.DRAIN
            self._port.await_reply(now, limits.DRAIN_S)
        else:
            self._hook(now)

    def _hook(self, now: float) -> None:
        self._state = State.HOOK
        self._port.command("H0", now, within=limits.HOOK_S)

    def _lost(self, cause: Cause | None, now: float) -> None:
        """The call has ended: reports that to the engine, and hangs up."""
        self._port.discard_output()
        self._hang_up_after_loss(now)
        self._carrier = None
        self._events.append(LineLost(cause))

    def _hang_up_after_loss(self, now: float) -> None:
        self._wake = None
        self._port.close_data()
        self._hook(now)

    def _over(self, *, clean: bool) -> None:
        self._state = State.OVER
        self._wake = None
        self.clean = clean
        self._port.await_reply(0.0, None)
