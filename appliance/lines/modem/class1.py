"""The T.30 engine's DCE on a class-1 modem (T.31, service class 1.0).

Orders become AT+FTH, +FRH, +FTM, +FRM, +FTS and +FRS; results become line events.  The modem does HDLC
for V.21 only: at the fast rates frames are made and found here (``hdlc``).

Time limits of the device are here, those of T.30 are not: the engine handles a carrier that never comes,
this module a modem that never answers, which ends in ``LineLost``.
"""

from __future__ import annotations

from appliance.causes import Cause
from appliance.lines.modem import causes, limits
from appliance.lines.modem.class1_listener import ClassOneListener
from appliance.lines.modem.class1_modem import LISTENING, SENDING, ConnectedModem, Opened, State
from appliance.lines.modem.class1_sender import ClassOneSender
from appliance.lines.modem.lexer import DLE, ETX
from appliance.lines.modem.port import (
    CommandPort,
    DataReceived,
    Information,
    PortEvent,
    ReceivedEnd,
    Reply,
    Silence,
)
from appliance.lines.modem.quirks import Quirks
from appliance.lines.modem.results import Result
from appliance.t30 import dce

__all__ = ["ClassOneDce", "Opened"]

# Results that end a command; the others (RING of a call waiting, a second CONNECT) do not.
_SETTLES = frozenset({Result.OK, Result.ERROR, Result.FCERROR, Result.NO_CARRIER})
# Results that do not concern the command in progress.
_BESIDE = frozenset({Result.RING, Result.RINGING, Result.VOICE, Result.BLOCKED})


class ClassOneDce:
    """A class-1 modem with a call up, as a ``Dce`` (see appliance.t30.call).

    The owner moves bytes between ``port`` and the device, calls ``handle_port(now)`` after bytes came
    in and ``handle_timer(now)`` when ``next_deadline()`` has passed.  ``latency_s`` and ``round_trip_s`` are
    those of ``ConnectedModem``.
    """

    def __init__(
        self,
        port: CommandPort,
        quirks: Quirks,
        opened: Opened,
        *,
        latency_s: float = 0.0,
        round_trip_s: float = 0.0,
    ) -> None:
        self._modem = ConnectedModem(port, quirks, opened, latency_s, round_trip_s)
        self._sender = ClassOneSender(self._modem)
        self._listener = ClassOneListener(self._modem, self._take_next)

    # -- the Dce protocol ----------------------------------------------------------------------

    def order(self, order: dce.LineOrder, now: float) -> None:
        """Takes the engine's next order.  Raises ValueError for one against the rules of ``dce``."""
        modem = self._modem
        if modem.state in (State.OVER, State.HOOK, State.DRAIN):
            return
        if isinstance(order, dce.HangUp):
            self._hang_up(now)
            return
        if isinstance(order, dce.UsePace):
            return  # the modem itself makes preamble and training; the engine counts TCF
        if order == modem.order and modem.state in LISTENING:
            return  # this order is in progress
        quiet_to_listen = modem.state is State.QUIET and isinstance(modem.order, dce.Receive)
        if modem.state in SENDING or (modem.state is State.QUIET and not quiet_to_listen):
            raise ValueError(f"{type(order).__name__} while {modem.state.value}")
        if quiet_to_listen:
            modem.next = order
            return
        if modem.state is State.OPENED_CALLING and isinstance(order, dce.SendCng | dce.Receive):
            # CNG went out with ATD; the carrier that ended it is being received.
            modem.order = dce.Receive(dce.Carrier.V21, dce.Expect.FRAMES)
            modem.carrier_on(dce.Carrier.V21)
            self._listener.enter_data(now)
            return
        if modem.state is State.OPENED_ANSWERING:
            if isinstance(order, dce.SendCed):
                modem.events.append(dce.Sent())  # CED went out with ATA
                return
            if isinstance(order, dce.SendFrames):
                self._sender.send_at_once(order, now)
                return
        if modem.state in LISTENING | {State.OPENED_CALLING, State.OPENED_ANSWERING}:
            modem.next = order
            modem.carrier = None
            modem.abort(now)
            return
        if modem.state in (State.RESULT, State.ABORT):
            modem.next = order
            return
        self._begin(order, now)

    def handle_timer(self, now: float) -> None:
        """Does what is due at ``now``, seconds."""
        if self._modem.wake is not None and now >= self._modem.wake:
            self._modem.wake = None
            self._woken(now)
        self._modem.port.handle_timer(now)
        self.handle_port(now)

    def take_events(self) -> list[dce.LineEvent]:
        """The line events since the last call, in order."""
        events = list(self._modem.events)
        self._modem.events.clear()
        return events

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` is due, seconds; None: not before the next bytes or order."""
        times = (self._modem.wake, self._modem.port.next_deadline())
        return min((at for at in times if at is not None), default=None)

    # -- beside the protocol -------------------------------------------------------------------

    def handle_port(self, now: float) -> None:
        """Handles what the port has received."""
        while (event := self._modem.port.take_event()) is not None:
            self._handle(event, now)

    @property
    def over(self) -> bool:
        """Whether the modem is on hook again, or no longer answers."""
        return self._modem.state is State.OVER

    @property
    def clean(self) -> bool:
        """When ``over``: whether the modem confirmed that it hung up."""
        return self._modem.clean

    def device_lost(self, cause: Cause) -> None:
        """To be called when the serial port has disappeared."""
        if self._modem.state is not State.OVER:
            self._modem.end(clean=False)
            self._modem.events.append(dce.LineLost(cause))

    # -- beginning an order --------------------------------------------------------------------

    def _begin(self, order: dce.LineOrder, now: float) -> None:
        """Begins an order, the modem being free."""
        self._modem.order = order
        self._modem.wake = None
        match order:
            case dce.SendFrames() | dce.SendTcf() | dce.SendImage() | dce.SendEcm():
                self._sender.begin(order, now)
            case dce.Receive():
                self._sender.last = None
                self._listener.begin(now)
            case dce.SendCng():
                self._modem.order = dce.Receive(dce.Carrier.V21, dce.Expect.FRAMES)
                self._listener.begin(now)
            case dce.SendCed():
                self._modem.events.append(dce.Sent())
                self._modem.idle()
            case dce.HangUp():
                self._hang_up(now)

    def _take_next(self, now: float) -> bool:
        """Begins the waiting order; returns False without one."""
        order, self._modem.next = self._modem.next, None
        if order is None:
            return False
        self._begin(order, now)
        return True

    def _hang_up(self, now: float) -> None:
        modem = self._modem
        modem.wake = None
        modem.events.clear()
        if modem.state in LISTENING | {State.OPENED_CALLING, State.ABORT}:
            modem.next = dce.HangUp()
            if modem.state is not State.ABORT:
                modem.abort(now)
        elif modem.state in SENDING or modem.state is State.OPENED_ANSWERING:
            # Unsent octets are dropped.  The first DLE may complete a pair of which one octet was sent.
            modem.port.discard_output()
            modem.port.write(bytes([DLE, ETX, DLE, ETX]))
            modem.state = State.DRAIN
            modem.port.await_reply(now, limits.DRAIN_S)
        else:
            modem.hook(now)

    # -- inputs of the port --------------------------------------------------------------------

    def _handle(self, event: PortEvent, now: float) -> None:
        if self._modem.state is State.OVER:
            return
        match event:
            case Reply(result):
                self._reply(result, now)
            case DataReceived(data):
                if self._modem.state is State.LISTEN:
                    self._listener.enter_data(now)
                self._listener.received(data, now)
            case ReceivedEnd():
                if self._modem.state is State.DATA:
                    self._modem.state = State.RESULT
                    final = self._listener.has_final_frame()
                    within = limits.FINAL_RESULT_S if final else limits.RESULT_S
                    self._modem.port.await_reply(now, within + self._modem.latency_s)
            case Silence():
                self._silence(now)
            case Information():
                pass  # an unsolicited line

    def _reply(self, result: Result, now: float) -> None:
        if result is Result.BUSY and self._modem.state not in (State.DRAIN, State.HOOK):
            self._modem.lost(None, now)  # busy tone: the far end has hung up
            return
        if result in _BESIDE:
            return
        match self._modem.state:
            case State.QUIET if result is Result.ERROR:
                self._sender.keep_quiet(now)
            case State.QUIET if result in _SETTLES:
                self._after_quiet(now)
            case State.HDLC_OPEN | State.FAST_OPEN:
                self._sender.open_reply(result, now)
            case State.HDLC_FRAME:
                self._sender.frame_reply(result, now)
            case State.FAST_TRAIN:
                if result is Result.NO_CARRIER:
                    self._modem.lost(None, now)
            case State.FAST_DATA:
                if result is Result.OK:
                    self._sender.sent()
                elif result in (Result.NO_CARRIER, Result.ERROR):
                    self._modem.lost(None if result is Result.NO_CARRIER else causes.MODEM_REFUSED, now)
            case State.LISTEN:
                self._listener.reply(result, now)
            case State.DATA:
                if result is not Result.CONNECT:  # in place of a frame
                    self._listener.data_over(result, now)
            case State.RESULT:
                self._listener.data_over(result, now)
            case State.ABORT:
                if result in (Result.OK, Result.NO_CARRIER, Result.ERROR):
                    self._aborted(now)
            case State.DRAIN:
                if result is not Result.CONNECT:
                    self._modem.hook(now)
            case State.HOOK:
                if result in (Result.OK, Result.NO_CARRIER):
                    self._modem.end(clean=True)

    def _silence(self, now: float) -> None:
        match self._modem.state:
            case State.LISTEN:
                self._modem.carrier_off()  # neither a frame nor NO CARRIER: it has ended; listen again
            case State.DATA:
                lost = self._modem.port.lost_end()
                self._modem.port.close_data()
                if lost:
                    self._listener.data_over(None, now)
                else:
                    self._modem.next = self._modem.next or self._modem.order
                    self._modem.carrier_off()
                    self._modem.abort(now)
            case State.RESULT:
                self._listener.data_over(None, now)
            case State.ABORT:
                self._aborted(now)
            case State.DRAIN:
                self._modem.hook(now)
            case State.HOOK:
                self._modem.end(clean=False)
            case State.QUIET | State.HDLC_OPEN | State.FAST_OPEN | State.HDLC_FRAME | State.FAST_DATA:
                self._sender.silence(now)
            case _:
                pass

    def _aborted(self, now: float) -> None:
        self._modem.port.close_data()
        if isinstance(self._modem.next, dce.HangUp):
            self._modem.hook(now)
        elif not self._take_next(now):
            self._modem.idle()

    def _after_quiet(self, now: float) -> None:
        if isinstance(self._modem.order, dce.Receive):
            self._listener.go_on(now)
        else:
            self._sender.open(now)

    def _woken(self, now: float) -> None:
        match self._modem.state:
            case State.QUIET:
                self._after_quiet(now)
            case State.FAST_TRAIN:
                self._sender.write_fast(now)
            case State.PAUSE:
                self._listener.listen(now)
            case _:
                pass
