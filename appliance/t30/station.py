"""What sender and receiver share: the line, bursts of frames, timers, saying good-bye.

House rules:

* One of two parts (``sender.Sender``, ``receiver.Receiver``) is in charge at a time.  Each has a state
  and a table: state x stimulus -> a method, and the states it may lead to.  What the table does not have
  changes nothing and is noted.
* While we talk nothing is heard: a ``Send*`` order names what comes after it (``then``), and everything
  but ``Sent``, a lost line and replies is noted and dropped.
* Frames are acted upon as a burst, when its carrier has gone: the last good frame that says what to do is
  the command, whatever came before and behind it, and the others are its particulars.
* Timers that wait for the far end stand still while it is talking.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count

from appliance.causes import DELIVERED, RECEIVED, Cause, Side
from appliance.t30 import causes
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
from appliance.t30.dce import (
    Carrier,
    CarrierMissed,
    CarrierOff,
    CarrierOn,
    Data,
    DataLost,
    Expect,
    Frame,
    HangUp,
    LineEvent,
    LineLost,
    LineOrder,
    Receive,
    SendCed,
    SendCng,
    SendEcm,
    SendFrames,
    SendImage,
    SendTcf,
    Sent,
    Tone,
    ToneHeard,
    UsePace,
)
from appliance.t30.frames import (
    RESPONSES,
    Fcf,
    HdlcFrame,
    burst,
)
from appliance.t30.listener import Listener
from appliance.t30.pace import NOMINAL, QUICK, Pace
from appliance.t30.parameters import (
    Accepts,
    CallParameters,
    CallResult,
    Phase,
    Progress,
    ReceivedPage,
)
from appliance.t30.roles import NO_DATA, Burst, EventData, LineStimulus, StationRole, Stimulus, Timer
from appliance.t30.trace import describe_frame

# These wait for the far end, and stand still while it talks.
_HELD = frozenset({Timer.T0, Timer.T1, Timer.T2, Timer.T4, Timer.TCF})


# These end when we speak: what they waited for has come, or is asked for again.
_ANSWERED = (Timer.T2, Timer.T4, Timer.TCF)


_FAR_END_CAUSES = frozenset({"ignored", "tone", "frame_bad", "frame_unknown", "frame_received"})


Order = LineOrder | Request
Event = LineEvent | ToCall

# Of requests: unique in the process (``conversation`` says why).
_TICKETS = count(1)


class Station:
    """One end of a fax call.  Sans-I/O: events and the time in; orders, progress and deadlines out."""

    def __init__(self, parameters: CallParameters, progress: Callable[[Progress], None]) -> None:
        self.parameters = parameters
        self.now = 0.0
        self.phase = Phase.A
        self.x = False  # we have received a DIS: our X bit (T.30 5.3.6.1)
        self.result: CallResult | None = None
        self.part: StationRole
        # Facts for the result.
        self.remote_id = ""
        self.sub_address = ""
        self.selective_polling = ""
        self.pages_sent = 0
        self.pages_received = 0
        self.carrier_used: Carrier | None = None
        self.ecm_used = False
        self.retrainings = 0
        self.frames_repeated = 0
        self.bad_rows = 0
        self.pace = NOMINAL
        self.last_page_out = False
        # The line.
        self.listener = Listener(self)
        self.spoke_at = 0.0  # when our last order has left the line
        self._progress = progress
        self._orders: list[Order] = []
        self._then: Callable[[], None] | None = None  # not None: we talk
        self._image_runs = False
        self._quiet_until = 0.0
        self._held_back: LineOrder | None = None  # waits until then
        self._timers: dict[Timer, float] = {}
        self._leaving: Cause | None = None
        self._awaited = 0  # ticket of the store or the permission that is waited for
        self._notes = 0  # lines of the account that the far end caused

    # -- from outside ------------------------------------------------------------------------------

    @property
    def talks(self) -> bool:
        """A ``Send*`` order runs."""
        return self._then is not None

    def handle(self, event: Event, now: float) -> None:
        """Something happened on the line, or a page came or was stored."""
        self.now = now
        if self.result is not None:
            return
        match event:
            case Sent():
                self._sent()
            case LineLost(cause):
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
        """Lets every timer act whose time has come."""
        self.now = now
        while self.result is None and self._timers:
            timer = min(self._timers, key=self._due)
            if self._due(timer) > now:
                return
            del self._timers[timer]
            self._fire(timer)

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` wants to be called, None when no timer runs."""
        if self.result is not None:
            return None
        return min((self._due(timer) for timer in self._timers), default=None)

    def take_orders(self) -> list[Order]:
        """Orders given since the last call, oldest first."""
        orders, self._orders = self._orders, []
        return orders

    # -- for the parts: speaking -------------------------------------------------------------------

    def note(self, event: str, **fields: str | int | float | bool) -> None:
        """A line of the live account.

        What the far end can cause at will is cut off after NOTES_LIMIT lines: a trace is kept on disk.
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
        self.send(SendFrames(burst(*marked)), then)

    def send(self, order: LineOrder, then: Callable[[], None]) -> None:
        """Gives a ``Send*`` order; ``then`` runs when it has left the line."""
        if self.talks:
            raise RuntimeError("two orders to send at once")
        self.listener.stop()
        self.clear(*_ANSWERED)
        self._then = then
        self._image_runs = isinstance(order, SendImage | SendEcm | SendTcf)
        if self.now < self._quiet_until:
            self._held_back = order
            self.set(Timer.QUIET, self._quiet_until - self.now)
        else:
            self._orders.append(order)

    def keep_quiet_until(self, at: float) -> None:
        """The far end talks until then, though nothing of it has come yet: the next order to send waits."""
        self._quiet_until = at

    def _speak(self) -> None:
        if self._held_back is not None:
            self._orders.append(self._held_back)
            self._held_back = None

    def begin(self, now: float) -> None:
        """The call is connected."""
        self.now = now
        if self.parameters.quick:
            self._use(QUICK)

    def _drop_held_back(self) -> None:
        """What has not begun to leave does not leave."""
        if self._held_back is not None:
            self._held_back, self._then, self._image_runs = None, None, False

    def slow_down(self) -> bool:
        """Something failed: nominal times from here on.  False when they are in use already."""
        if self.pace is NOMINAL:
            return False
        self._use(NOMINAL)
        self.note("nominal_pace")
        return True

    def _use(self, pace: Pace) -> None:
        self.pace = pace
        self._orders.append(UsePace(pace))

    def sound_cng(self) -> None:
        """CNG goes on until the next order."""
        self._orders.append(SendCng())

    def sound_ced(self, then: Callable[[], None]) -> None:
        self.send(SendCed(), then)

    def listen(self) -> None:
        """Waits for V.21 frames."""
        self._orders.append(Receive(Carrier.V21, Expect.FRAMES))

    def listen_fast(self, carrier: Carrier, expect: Expect, *, short_train: bool = False) -> None:
        self._orders.append(Receive(carrier, expect, short_train))

    def fetch(self, number: int, accepts: Accepts) -> int:
        """Asks for a page and answers the ticket."""
        ticket = next(_TICKETS)
        self._orders.append(FetchPage(ticket, number, accepts))
        return ticket

    def ask_to_end_last_page(self) -> None:
        """Asks whether the last page may be sent, and its end signalled."""
        self._awaited = next(_TICKETS)
        self._orders.append(AskToEndLastPage(self._awaited))

    def store(self, page: ReceivedPage) -> None:
        self._awaited = next(_TICKETS)
        self._orders.append(StorePage(self._awaited, self.pages_received, page))

    def send_tcf(self, carrier: Carrier, octets: int, then: Callable[[], None]) -> None:
        self.note("training", rate=carrier.bit_rate, modulation=carrier.modulation.value)
        self.send(SendTcf(carrier, octets), then)

    # -- for the parts: timers ---------------------------------------------------------------------

    def set(self, timer: Timer, seconds: float) -> None:
        self._timers[timer] = self.now + seconds

    def clear(self, *which: Timer) -> None:
        for timer in which:
            self._timers.pop(timer, None)

    def runs(self, timer: Timer) -> bool:
        return timer in self._timers

    def _due(self, timer: Timer) -> float:
        at = self._timers[timer]
        if timer in _HELD and self.listener.carrier is not None:
            return max(at, self.listener.since + limits.CARRIER_LIMIT_S)
        return at

    def _fire(self, timer: Timer) -> None:
        match timer:
            case Timer.BURST_END:
                self.listener.carrier_off()
            case Timer.BARE_CARRIER:
                self.listener.carrier_brings()
            case Timer.QUIET:
                self._speak()
            case Timer.LEAVE:
                self._go()
            case Timer.T4 if self._leaving is not None:
                self._say_dcn()  # no answer to the last page either
            case _:
                self.note("timer", name=timer.value)
                self.part.take(timer)

    # -- for the parts: the end --------------------------------------------------------------------

    def finish(self, cause: Cause) -> None:
        """Ends the call: DCN and hang up, or hang up at once where DCN would not be heard."""
        if self.result is not None or self._leaving is not None:
            return
        self._leaving = cause
        self._timers.clear()
        self._drop_held_back()
        if self.talks and self._image_runs:
            self._go()  # minutes may be left, and only HangUp may interrupt
        elif self.listener.carrier not in (None, Carrier.V21):
            self._go()  # the far end talks and hears nothing
        elif self.talks or self.listener.carrier is not None:
            self.set(Timer.LEAVE, limits.CARRIER_LIMIT_S)  # DCN follows when the line is free
        else:
            self._say_dcn()

    def leave(self, cause: Cause) -> None:
        """Our owner ends the call.

        An answer that the last page is owed is waited for: the far end may have all of the fax, and is about
        to say so.
        """
        if self.result is not None or self._leaving is not None:
            return
        if not self._is_owed_the_last_answer():
            self.finish(cause)
            return
        self._leaving = cause
        self._timers.clear()
        self._drop_held_back()
        self.set(Timer.LEAVE, limits.CARRIER_LIMIT_S)
        if not self.talks:
            self.set(Timer.T4, limits.T4_S)

    def _is_owed_the_last_answer(self) -> bool:
        return self.phase is Phase.D and self.part.cause_when_left() is causes.LAST_PAGE_UNCONFIRMED

    def hang_up(self, cause: Cause) -> None:
        """Ends the call without a word: the far end has said DCN, or is silent after the last page."""
        if self.result is None:
            self._leaving = cause
            self._go()

    def _say_dcn(self) -> None:
        self.set(Timer.LEAVE, limits.CARRIER_LIMIT_S)
        self.say((HdlcFrame(Fcf.DCN),), self._go)

    def _go(self) -> None:
        self._orders.append(HangUp())
        self._end(self._leaving or causes.INTERNAL_FAULT)

    def _end(self, cause: Cause) -> None:
        phase, self.phase = self.phase, Phase.E
        self._then = None
        self._timers.clear()
        self.result = CallResult(
            cause=cause,
            pages_sent=self.pages_sent,
            pages_received=self.pages_received,
            remote_id=self.remote_id,
            sub_address=self.sub_address,
            selective_polling=self.selective_polling,
            carrier=self.carrier_used,
            ecm=self.ecm_used,
            retrainings=self.retrainings,
            frames_repeated=self.frames_repeated,
            bad_rows=self.bad_rows,
            quick_failed=self.parameters.quick and self._pace_failed(cause),
            phase=phase,
            last_page_out=self.last_page_out,
        )
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
            return frame  # DIS, DTC and their kin have no X bit

    def _sent(self) -> None:
        then, self._then = self._then, None
        self._image_runs = False
        self.spoke_at = self.now
        if then is None:
            self.note("ignored", state="listening", what="Sent")
        elif self._leaving is not None and then != self._go:
            if self._is_owed_the_last_answer():
                self.listen()
                self.set(Timer.T4, limits.T4_S)
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
            case CarrierMissed():
                self._missed()
            case ToneHeard(tone):
                self.note("tone", tone=tone.value)
                if tone is Tone.CNG:
                    self.give(LineStimulus.CNG)
            case CarrierOn() | Frame() | Data() | DataLost() | CarrierOff():
                self.listener.hear(event)

    def _missed(self) -> None:
        """A DCE that lost a signal wants to be told again what to listen for."""
        if self._leaving is None and LineStimulus.MISSED not in self.part.TABLE[self.part.state]:
            self.listen()
        else:
            self.give(LineStimulus.MISSED)

    def give(self, stimulus: Stimulus, fact: EventData = NO_DATA) -> None:
        """To the part in charge, unless the call is being left."""
        if self._leaving is None:
            self.part.take(stimulus, fact)

    def burst_heard(self, heard: Burst, otherwise: LineStimulus) -> None:
        """A V.21 burst is over; ``otherwise`` is what it was where no frame of it says what to do."""
        if any(f.fcf is Fcf.DCN for f in heard.frames):
            self._far_end_left(heard.without_dcn())
        elif self._leaving is not None:
            if not self.talks:
                self._heard_while_leaving(heard)
        else:
            self.part.take(heard.command or otherwise, EventData(heard))

    def _heard_while_leaving(self, heard: Burst) -> None:
        """A last word before our DCN: it counts when it confirms the last page."""
        wish, given = self._leaving, len(self._orders)
        if heard.command is Fcf.MCF and self._is_owed_the_last_answer():
            self._leaving = None
            self.part.take(Fcf.MCF, EventData(heard))
            if self._leaving is not None or self.result is not None:
                return
            # It was the answer to a question before: our owner's wish stands.
            self._leaving, self._then, self._held_back = wish, None, None
            del self._orders[given:]
        self._say_dcn()

    def _far_end_left(self, beside: Burst) -> None:
        """DCN: the call is over.  A response in the same burst still counts."""
        phase, given = self.phase, len(self._orders)
        if beside.command in RESPONSES and self._leaving is None and not self.talks:
            self.part.take(beside.command, EventData(beside))
            # What the response would lead to does not happen.
            self.phase = phase
            del self._orders[given:]
        self.hang_up(self._leaving or self.part.cause_when_left())
