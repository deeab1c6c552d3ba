"""What sender and receiver share: the line, bursts of frames, timers, the end of the call.

Rules:

* One role of the sender or the receiver (``part``) is active at a time.  It has a state and a table: state
  and stimulus give a method and the states that it may lead to.  A stimulus without an entry changes nothing
  and is noted.
* While we transmit nothing is received: a ``Send*`` order has a continuation (``then``), and all events but
  ``Sent``, ``LineLost`` and replies are noted and dropped.
* The frames of a burst are handled together, when its carrier has ended: the last valid frame that is a
  command or response decides, and the others are its parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count

from appliance.causes import DELIVERED, RECEIVED, Cause, Side
from appliance.t30 import causes, dce
from appliance.t30 import timers as limits
from appliance.t30.conversation import (
    AskToEndLastPage,
    EndPermitted,
    FetchPage,
    PageDelivered,
    PageStored,
    Request,
    StorePage,
    ToCall,
)
from appliance.t30.frames import RESPONSES, Fcf, HdlcFrame, burst
from appliance.t30.listener import Listener
from appliance.t30.pace import NOMINAL, QUICK, Pace
from appliance.t30.parameters import Accepts, CallParameters, CallResult, Phase, Progress, ReceivedPage
from appliance.t30.roles import NO_DATA, Burst, EventData, LineStimulus, StationRole, Stimulus, Timer
from appliance.t30.running_timers import Timers
from appliance.t30.trace import describe_frame

# Timers that end when we transmit: what they waited for has arrived, or is requested again.
_ANSWERED = (Timer.T2, Timer.T4, Timer.TCF)

# Responses of a receiver that has the page.
_CONFIRMATIONS = (Fcf.MCF, Fcf.RTP)

# Progress events that the far end can cause at will; their number is limited.
_FAR_END_CAUSES = frozenset({"ignored", "tone", "frame_bad", "frame_unknown", "frame_received"})

Order = dce.LineOrder | Request
Event = dce.LineEvent | ToCall

# Tickets of requests, unique within the process (see ``conversation`` for the reason).
_TICKETS = count(1)


class Station:
    """One end of a fax call: takes events and the time; gives orders, progress events and deadlines.

    Does no I/O and reads no clock.  ``now`` is the time of the last event, seconds on the caller's clock.
    """

    def __init__(self, parameters: CallParameters, progress: Callable[[Progress], None]) -> None:
        self.parameters = parameters
        self.now = 0.0
        self.phase = Phase.A
        self.x = False  # X bit of our frames: set once a DIS was received (T.30 5.3.6.1)
        self.result: CallResult | None = None
        self.part: StationRole
        self.record = CallResult(causes.INTERNAL_FAULT)  # ``result`` when the call ends
        # The line.
        self.pace = NOMINAL
        self.timers = Timers(lambda: self.now, lambda: self.listener.carrier_ends_by)
        self.listener = Listener(self)
        self.spoke_at = 0.0  # when our last signal left the line, seconds
        self._progress = progress
        self._orders: list[Order] = []
        self._then: Callable[[], None] | None = None  # not None: we transmit
        self._image_runs = False
        self._quiet_until = 0.0
        self._held_back: dce.LineOrder | None = None  # an order that waits for ``_quiet_until``
        self._leaving: Cause | None = None
        self._awaited = 0  # ticket of the latest request for storage or permission
        self._notes = 0  # progress events of ``_FAR_END_CAUSES`` so far

    # -- from outside ------------------------------------------------------------------------------

    @property
    def talks(self) -> bool:
        """Whether a ``Send*`` order runs."""
        return self._then is not None

    def handle(self, event: Event, now: float) -> None:
        """Handles an event of the line, or a reply to a request."""
        self.now = now
        if self.result is not None:
            return
        match event:
            case dce.Sent():
                self._sent()
            case dce.LineLost(cause):
                self._line_lost(cause)
            case PageDelivered():
                if self._leaving is None:
                    self.part.page_delivered(event)
            case PageStored(ticket, ok):
                if self._leaving is None and ticket == self._awaited:
                    self.part.take(LineStimulus.STORED, EventData(ok=ok))
            case EndPermitted(ticket):
                if self._leaving is None and ticket == self._awaited:
                    self.part.end_permitted(event)
            case _ if self.talks:
                self.note("ignored", state="talking", what=type(event).__name__)
            case _:
                self._hear(event)

    def handle_timer(self, now: float) -> None:
        """Runs the timers that are due."""
        self.now = now
        while self.result is None and (timer := self.timers.take_due()) is not None:
            self._fire(timer)

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` is due, seconds; None when no timer runs."""
        return None if self.result is not None else self.timers.next_deadline()

    def take_orders(self) -> list[Order]:
        """Orders given since the last call, oldest first."""
        orders, self._orders = self._orders, []
        return orders

    # -- for the parts: speaking -------------------------------------------------------------------

    def note(self, event: str, **fields: str | int | float | bool) -> None:
        """Reports a progress event.

        Events that the far end can cause at will end after NOTES_LIMIT, for traces are kept on disk.
        """
        if event in _FAR_END_CAUSES:
            self._notes += 1
            if self._notes > limits.NOTES_LIMIT:
                return
            if self._notes == limits.NOTES_LIMIT:
                event, fields = "more_not_noted", {}
        self._progress(Progress(self.now, event, tuple(fields.items())))

    def say(self, frames: tuple[HdlcFrame, ...], then: Callable[[], None]) -> None:
        """Sends one V.21 burst."""
        marked = tuple(self._with_x(f) for f in frames)
        for frame in marked:
            self.note("frame_sent", **describe_frame(frame))
        self.send(dce.SendFrames(burst(*marked)), then)

    def send(self, order: dce.LineOrder, then: Callable[[], None]) -> None:
        """Gives a ``Send*`` order; ``then`` runs when the signal has left the line.

        RuntimeError while another one runs.
        """
        if self.talks:
            raise RuntimeError("two orders to send at once")
        self.listener.stop()
        self.timers.stop(*_ANSWERED)
        self._then = then
        self._image_runs = isinstance(order, dce.SendImage | dce.SendEcm | dce.SendTcf)
        if self.now < self._quiet_until:
            self._held_back = order
            self.timers.start(Timer.QUIET, self._quiet_until - self.now)
        else:
            self._orders.append(order)

    def keep_quiet_until(self, at: float) -> None:
        """Delays the next ``Send*`` order: the far end transmits until ``at``, though nothing has arrived."""
        self._quiet_until = at

    def begin(self, now: float) -> None:
        """Starts the clock of a call that is connected."""
        self.now = now
        if self.parameters.quick:
            self._use(QUICK)

    def _drop_held_back(self) -> None:
        """Drops an order that has been delayed."""
        if self._held_back is not None:
            self._held_back, self._then, self._image_runs = None, None, False

    def slow_down(self) -> bool:
        """After an error: changes to nominal times.  False when they are in use already."""
        if self.pace is NOMINAL:
            return False
        self._use(NOMINAL)
        self.note("nominal_pace")
        return True

    def _use(self, pace: Pace) -> None:
        self.pace = pace
        self._orders.append(dce.UsePace(pace))

    def sound_cng(self) -> None:
        """Sends CNG until the next order."""
        self._orders.append(dce.SendCng())

    def listen(self) -> None:
        """Listens for V.21 frames."""
        self._orders.append(dce.Receive(dce.Carrier.V21, dce.Expect.FRAMES))

    def listen_fast(self, carrier: dce.Carrier, expect: dce.Expect, *, short_train: bool = False) -> None:
        """Listens for an image carrier."""
        self._orders.append(dce.Receive(carrier, expect, short_train))

    def fetch(self, number: int, accepts: Accepts) -> int:
        """Requests page ``number`` (from 0) and returns the ticket of the request."""
        ticket = next(_TICKETS)
        self._orders.append(FetchPage(ticket, number, accepts))
        return ticket

    def ask_to_end_last_page(self) -> None:
        """Requests permission to send the last page and to signal its end."""
        self._awaited = next(_TICKETS)
        self._orders.append(AskToEndLastPage(self._awaited))

    def store(self, page: ReceivedPage, *, last: bool) -> None:
        """Requests storage of a received page; ``last`` as in ``StorePage``."""
        self._awaited = next(_TICKETS)
        self._orders.append(StorePage(self._awaited, self.record.pages_received, page, last))

    def send_tcf(self, carrier: dce.Carrier, octets: int, then: Callable[[], None]) -> None:
        """Sends training and a TCF; ``then`` runs when it has left the line."""
        self.note("training", rate=carrier.bit_rate, modulation=carrier.modulation.value)
        self.send(dce.SendTcf(carrier, octets), then)

    # -- timers ------------------------------------------------------------------------------------

    def _fire(self, timer: Timer) -> None:
        match timer:
            case Timer.BURST_END:
                self.listener.carrier_off()
            case Timer.BARE_CARRIER:
                self.listener.carrier_brings()
            case Timer.QUIET:
                if self._held_back is not None:
                    self._orders.append(self._held_back)
                    self._held_back = None
            case Timer.LEAVE:
                self._go()
            case Timer.T4 if self._leaving is not None:
                self._say_dcn()  # no response to the page
            case _:
                self.note("timer", name=timer.value)
                self.part.take(timer)

    # -- for the parts: the end --------------------------------------------------------------------

    def finish(self, cause: Cause) -> None:
        """Ends the call: sends DCN and hangs up, or hangs up at once if DCN could not be received."""
        if self.result is not None or self._leaving is not None:
            return
        self._leaving = cause
        self.timers.stop_all()
        self._drop_held_back()
        if self.talks and self._image_runs:
            self._go()  # minutes of the image may be left, and only HangUp may interrupt
        elif self.listener.carrier not in (None, dce.Carrier.V21):
            self._go()  # the far end transmits and receives nothing
        elif self.talks or self.listener.carrier is not None:
            self.timers.start(Timer.LEAVE, limits.CARRIER_LIMIT_S)  # DCN follows when the line is free
        else:
            self._say_dcn()

    def leave(self, cause: Cause) -> None:
        """Ends the call because its owner cancelled it.

        If the response to a page is pending it is waited for: the far end may have the page and be about to
        confirm it, and a page that was confirmed is not sent again.
        """
        if self.result is not None or self._leaving is not None:
            return
        self.note("left", last_page_out=self.record.last_page_out)
        if not self._is_owed_an_answer():
            self.finish(cause)
            return
        self._leaving = cause
        self.timers.stop_all()
        self._drop_held_back()
        self.timers.start(Timer.LEAVE, limits.CARRIER_LIMIT_S)
        if not self.talks:
            self.timers.start(Timer.T4, limits.T4_S)

    def _is_owed_an_answer(self) -> bool:
        return self.phase is Phase.D and self.part.has_ended_page

    def hang_up(self, cause: Cause) -> None:
        """Ends the call without DCN: the far end has sent it, or is silent after the last page."""
        if self.result is None:
            self._leaving = cause
            self._go()

    def _say_dcn(self) -> None:
        self.timers.start(Timer.LEAVE, limits.CARRIER_LIMIT_S)
        self.say((HdlcFrame(Fcf.DCN),), self._go)

    def _go(self) -> None:
        self._orders.append(dce.HangUp())
        self._end(self._leaving or causes.INTERNAL_FAULT)

    def _end(self, cause: Cause) -> None:
        phase, self.phase = self.phase, Phase.E
        self._then = None
        self.timers.stop_all()
        quick_failed = self.parameters.quick and self._pace_failed(cause)
        self.result = replace(self.record, cause=cause, phase=phase, quick_failed=quick_failed)
        self.note("ended", code=cause.code, phase=phase.value)

    def _pace_failed(self, cause: Cause) -> bool:
        good = cause in (DELIVERED, RECEIVED)
        theirs = cause.side in (Side.THEIRS, Side.LINE) and not good
        return self.pace is NOMINAL or (theirs and self.listener.understood)

    # -- the line ----------------------------------------------------------------------------------

    def _with_x(self, frame: HdlcFrame) -> HdlcFrame:
        try:
            return replace(frame, x=self.x)
        except ValueError:
            return frame  # a frame without X bit, such as DIS and DTC

    def _sent(self) -> None:
        then, self._then = self._then, None
        self._image_runs = False
        self.spoke_at = self.now
        if then is None:
            self.note("ignored", state="listening", what="Sent")
        elif self._leaving is not None and then != self._go:
            if self._is_owed_an_answer():
                self.listen()
                self.timers.start(Timer.T4, limits.T4_S)
            else:
                self._say_dcn()
        else:
            then()

    def _line_lost(self, cause: Cause | None) -> None:
        if self._leaving is not None:
            self._end(self._leaving)
            return
        how = self.part.cause_when_left()
        good = how in (DELIVERED, RECEIVED, causes.LAST_PAGE_UNCONFIRMED)
        self._end(how if good or cause is None else cause)

    def _hear(self, event: Event) -> None:
        match event:
            case dce.CarrierMissed():
                self._missed()
            case dce.ToneHeard(tone):
                self.note("tone", tone=tone.value)
                if tone is dce.Tone.CNG:
                    self.give(LineStimulus.CNG)
            case dce.CarrierOn() | dce.Frame() | dce.Data() | dce.DataLost() | dce.CarrierOff():
                self.listener.hear(event)

    def _missed(self) -> None:
        """Gives another ``Receive`` order, unless the active role does so."""
        if self._leaving is None and LineStimulus.MISSED not in self.part.TABLE[self.part.state]:
            self.listen()
        else:
            self.give(LineStimulus.MISSED)

    def give(self, stimulus: Stimulus, fact: EventData = NO_DATA) -> None:
        """Passes a stimulus to the active role, unless the call is ending."""
        if self._leaving is None:
            self.part.take(stimulus, fact)

    def burst_heard(self, received: Burst, otherwise: LineStimulus) -> None:
        """Handles a V.21 burst; ``otherwise`` is the stimulus if it has no command or response."""
        if any(f.fcf is Fcf.DCN for f in received.frames):
            self._far_end_left(received.without_dcn())
        elif self._leaving is not None:
            if not self.talks:
                self._heard_while_leaving(received)
        else:
            self.part.take(received.command or otherwise, EventData(received))

    def _heard_while_leaving(self, received: Burst) -> None:
        """A burst before our DCN: it counts if it confirms a page."""
        cause, given = self._leaving, len(self._orders)
        if received.command in _CONFIRMATIONS and self._is_owed_an_answer():
            self._leaving = None
            self.part.take(received.command, EventData(received))
            if self._leaving is not None or self.result is not None:
                return
            # It was not the last one: the call still ends.
            self._leaving, self._then, self._held_back = cause, None, None
            self.timers.stop_all()
            del self._orders[given:]
        self._say_dcn()

    def _far_end_left(self, beside: Burst) -> None:
        """DCN: the call is over.  A response in the same burst still counts."""
        phase, given = self.phase, len(self._orders)
        if beside.command in RESPONSES and self._leaving is None and not self.talks:
            self.part.take(beside.command, EventData(beside))
            # The response is recorded, but has no further effect.
            self.phase = phase
            del self._orders[given:]
        self.hang_up(self._leaving or self.part.cause_when_left())
