"""The T.30 engine's DCE on a class-1 modem (T.31, service class 1.0).

Orders become AT+FTH, +FRH, +FTM, +FRM, +FTS and +FRS; results become line events.  The modem does HDLC
for V.21 only: at the fast rates frames are made and found here (``hdlc``).

Time limits of the device are here, those of T.30 are not: the engine handles a carrier that never comes,
this module a modem that never answers, which ends in ``LineLost``.
"""

from __future__ import annotations

from appliance.causes import Cause
from appliance.lines.modem import causes, limits
from appliance.lines.modem.class1_base import LISTENING, SENDING, Opened, State
from appliance.lines.modem.class1_listening import ClassOneListening
from appliance.lines.modem.class1_sending import ClassOneSending
from appliance.lines.modem.port import Information, PortEvent, Received, ReceivedEnd, Reply, Silence
from appliance.lines.modem.results import Result
from appliance.t30.dce import (
    Carrier,
    Expect,
    HangUp,
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
    UsePace,
)

__all__ = ["ClassOneDce", "Opened"]

# Results that end a command; the others (RING of a call waiting, a second CONNECT) do not.
_SETTLES = frozenset({Result.OK, Result.ERROR, Result.FCERROR, Result.NO_CARRIER})
# Results that do not concern the command in progress.
_BESIDE = frozenset({Result.RING, Result.RINGING, Result.VOICE, Result.BLOCKED})


class ClassOneDce(ClassOneSending, ClassOneListening):
    """A class-1 modem with a call up, as a ``Dce`` (see appliance.t30.call).

    The owner moves bytes between ``port`` and the device, calls ``handle_port(now)`` after bytes came
    in and ``handle_timer(now)`` when ``next_deadline()`` has passed.
    """

    # -- the Dce protocol ----------------------------------------------------------------------

    def order(self, order: LineOrder, now: float) -> None:
        """Takes the engine's next order.  Raises ValueError for one against the rules of ``dce``."""
        if self._state is State.OVER or self._state in (State.HOOK, State.DRAIN):
            return
        if isinstance(order, HangUp):
            self._hang_up(now)
            return
        if isinstance(order, UsePace):
            return  # the modem itself makes preamble and training; the engine counts TCF
        if order == self._order and self._state in LISTENING:
            return  # this order is in progress
        quiet_to_listen = self._state is State.QUIET and isinstance(self._order, Receive)
        if self._state in SENDING or (self._state is State.QUIET and not quiet_to_listen):
            raise ValueError(f"{type(order).__name__} while {self._state.value}")
        if quiet_to_listen:
            self._next = order
            return
        if self._state is State.OPENED_CALLING and isinstance(order, SendCng | Receive):
            # CNG went out with ATD; the carrier that ended it is being received.
            self._order = Receive(Carrier.V21, Expect.FRAMES)
            self._carrier_on(Carrier.V21)
            self._enter_data(now)
            return
        if self._state is State.OPENED_ANSWERING:
            if isinstance(order, SendCed):
                self._events.append(Sent())  # CED went out with ATA
                return
            if isinstance(order, SendFrames):
                self._begin_frames(order)
                self._write_frame(now)
                return
        if self._state in LISTENING or self._state in (State.OPENED_CALLING, State.OPENED_ANSWERING):
            self._next = order
            self._carrier = None
            self._abort(now)
            return
        if self._state in (State.RESULT, State.ABORT):
            self._next = order
            return
        self._begin(order, now)

    def handle_timer(self, now: float) -> None:
        """Does what is due at ``now``, seconds."""
        if self._wake is not None and now >= self._wake:
            self._wake = None
            self._woken(now)
        self._port.handle_timer(now)
        self.handle_port(now)

    # -- beside the protocol -------------------------------------------------------------------

    def handle_port(self, now: float) -> None:
        """Handles what the port has received."""
        while (event := self._port.take_event()) is not None:
            self._handle(event, now)

    def device_lost(self, cause: Cause) -> None:
        """To be called when the serial port has disappeared."""
        if self._state is not State.OVER:
            self._over(clean=False)
            self._events.append(LineLost(cause))

    # -- beginning an order --------------------------------------------------------------------

    def _begin(self, order: LineOrder, now: float) -> None:
        self._order = order
        self._wake = None
        self._retries = 0
        match order:
            case SendFrames():
                self._begin_frames(order)
                after_page = isinstance(self._sent_last, SendImage | SendEcm)
                self._quiet(now, self._quirks.quiet_after_page_ms if after_page else self._quirks.quiet_ms)
            case SendTcf():
                self._quiet(now, self._quirks.quiet_before_tcf_ms)
            case SendImage() | SendEcm():
                self._quiet(now, self._quirks.quiet_ms)
            case Receive():
                self._sent_last = None
                self._listen_soon(now)
            case SendCng():
                self._order = Receive(Carrier.V21, Expect.FRAMES)
                self._listen_soon(now)
            case SendCed():
                self._events.append(Sent())
                self._idle()
            case HangUp():
                self._hang_up(now)

    # -- inputs of the port --------------------------------------------------------------------

    def _handle(self, event: PortEvent, now: float) -> None:
        if self._state is State.OVER:
            return
        match event:
            case Reply(result):
                self._reply(result, now)
            case Received(data):
                if self._state is State.LISTEN:
                    self._enter_data(now)
                self._received(data, now)
            case ReceivedEnd():
                if self._state is State.DATA:
                    self._state = State.RESULT
                    final = self._v21() and self._final_and_right()
                    within = limits.FINAL_RESULT_S if final else limits.RESULT_S
                    self._port.await_reply(now, within + self._latency_s)
            case Silence():
                self._silence(now)
            case Information():
                pass  # an unsolicited line

    def _reply(self, result: Result, now: float) -> None:
        if result is Result.BUSY and self._state not in (State.DRAIN, State.HOOK):
            self._lost(None, now)  # busy tone: the far end has hung up
            return
        if result in _BESIDE:
            return
        match self._state:
            case State.QUIET if result in _SETTLES:
                self._after_quiet(now)
            case State.HDLC_OPEN | State.FAST_OPEN:
                self._open_reply(result, now)
            case State.HDLC_FRAME:
                self._frame_reply(result, now)
            case State.FAST_TRAIN:
                if result is Result.NO_CARRIER:
                    self._lost(None, now)
            case State.FAST_DATA:
                if result is Result.OK:
                    self._sent()
                elif result in (Result.NO_CARRIER, Result.ERROR):
                    self._lost(None if result is Result.NO_CARRIER else causes.MODEM_REFUSED, now)
            case State.LISTEN:
                self._listen_reply(result, now)
            case State.DATA:
                if result is not Result.CONNECT:  # in place of a frame
                    self._data_over(result, now)
            case State.RESULT:
                self._data_over(result, now)
            case State.ABORT:
                if result in (Result.OK, Result.NO_CARRIER, Result.ERROR):
                    self._aborted(now)
            case State.DRAIN:
                if result is not Result.CONNECT:
                    self._hook(now)
            case State.HOOK:
                if result in (Result.OK, Result.NO_CARRIER):
                    self._over(clean=True)

    def _silence(self, now: float) -> None:
        match self._state:
            case State.QUIET if self._listening_for_quiet:
                # On a noisy line +FRS never ends: from now on only our own silence is kept.
                self._line_noisy = True
                self._next, self._order = self._order, None
                self._abort(now)
            case State.HDLC_FRAME if self._connect_held:
                self._write_frame(now)
            case State.LISTEN:
                self._carrier_off()  # neither a frame nor NO CARRIER: the carrier has ended; listen again
            case State.DATA:
                lost = self._port.lost_end()
                self._port.close_data()
                if lost:
                    self._data_over(None, now)
                else:
                    self._next = self._next or self._order
                    self._carrier_off()
                    self._abort(now)
            case State.RESULT:
                self._data_over(None, now)
            case State.ABORT:
                self._aborted(now)
            case State.DRAIN:
                self._hook(now)
            case State.HOOK:
                self._over(clean=False)
            case State.HDLC_OPEN | State.FAST_OPEN if self._stray_ok:
                self._open_again(now)
            case State.QUIET | State.HDLC_OPEN | State.FAST_OPEN if self._unanswered == 0:
                self._unanswered += 1
                self._next, self._order = self._next or self._order, None
                self._abort(now)
            case State.QUIET | State.HDLC_OPEN | State.FAST_OPEN | State.HDLC_FRAME | State.FAST_DATA:
                self._lost(causes.MODEM_SILENT, now)
            case _:
                pass

    def _aborted(self, now: float) -> None:
        self._port.close_data()
        if isinstance(self._next, HangUp):
            self._hook(now)
        elif not self._take_next(now):
            self._idle()

    def _woken(self, now: float) -> None:
        match self._state:
            case State.QUIET:
                self._after_quiet(now)
            case State.FAST_TRAIN:
                self._write_fast(now)
            case State.PAUSE:
                self._listen(now)
            case _:
                pass
