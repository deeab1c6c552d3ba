"""The T.30 engine's DCE on a class-1 modem (T.31, service class 1.0).

Orders become AT+FTH, +FRH, +FTM, +FRM, +FTS and +FRS; results become line events.  The modem does HDLC
for V.21 only: at the fast rates frames are made and found here (``hdlc``).

Bounds on the device live here, those of T.30 do not: a carrier that never comes is the engine's affair,
a modem that never speaks is ours and ends in ``LineLost``.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

from appliance import causes
from appliance.causes import Cause
from appliance.lines.modem import limits
from appliance.lines.modem.hdlc import Deframer, fcs_is_right
from appliance.lines.modem.lexer import DLE, ETX, DataKind, stuff
from appliance.lines.modem.port import (
    CommandPort,
    Information,
    PortEvent,
    Received,
    ReceivedEnd,
    Reply,
    Silence,
)
from appliance.lines.modem.quirks import MODULATION_V21, QuietBefore, Quirks, modulation_code
from appliance.lines.modem.results import Result
from appliance.lines.modem.streams import line_octets, stuffed_chunks
from appliance.t30.dce import (
    MAX_FRAME_OCTETS,
    Carrier,
    CarrierMissed,
    CarrierOff,
    CarrierOn,
    Data,
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
)

_FINAL_FRAME = 0x10  # control octet: last frame of the burst (T.30 5.3.5)
_FRAME_LIMIT = MAX_FRAME_OCTETS + 2


class Opened(Enum):
    """How the call came up: where the modem stands when the DCE takes over."""

    CALLING = "calling"  # ATD gave CONNECT: V.21 flags are being received
    ANSWERING = "answering"  # ATA gave CONNECT: our preamble is on the line


class _State(Enum):
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


_LISTENING = frozenset({_State.LISTEN, _State.DATA})
# Results that say how a command went; the others (RING of a call waiting, a CONNECT said twice) do not.
_SETTLES = frozenset({Result.OK, Result.ERROR, Result.FCERROR, Result.NO_CARRIER})
# What a modem may say beside the call.
_BESIDE = frozenset({Result.RING, Result.RINGING, Result.VOICE, Result.BLOCKED})
_SENDING = frozenset(
    {_State.HDLC_OPEN, _State.HDLC_FRAME, _State.FAST_OPEN, _State.FAST_TRAIN, _State.FAST_DATA}
)


class ClassOneDce:
    """A class-1 modem with a call up, as a ``Dce`` (see appliance.t30.call).

    The owner moves bytes between ``port`` and the device, calls ``handle_port(now)`` after bytes came
    in and ``handle_timer(now)`` when ``next_deadline()`` has passed.
    """

    def __init__(
        self, port: CommandPort, quirks: Quirks, opened: Opened, *, latency_s: float = 0.0
    ) -> None:
        """``latency_s``: how long the modem's answers take anyhow (a serial server far away, a slow
        bus); what it is given to answer in grows by it."""
        self._port = port
        self._latency_s = latency_s
        self._quirks = quirks
        self._events: deque[LineEvent] = deque()
        calling = opened is Opened.CALLING
        self._state = _State.OPENED_CALLING if calling else _State.OPENED_ANSWERING
        self._order: LineOrder | None = None  # the one in progress
        self._next: LineOrder | None = None  # waits for an abort
        self._frames: deque[bytes] = deque()
        self._wake: float | None = None  # our own timer, beside the port's
        self._last_fast = -1  # modulation of the last +FRM with nothing else after it
        self._retries = 0
        self._unanswered = 0  # commands in a row that the modem met with silence
        self._listening_for_quiet = False
        self._issued_at = 0.0
        self._written_at = 0.0
        self._frame_s = 0.0
        self._round_trip = 0.0
        self._connect_held = False  # a CONNECT came too early to be the frame's own
        self._stray_ok = False  # OK where CONNECT was due
        self._adaptive = False  # V.21 came in place of a page
        self._carrier: Carrier | None = None  # reported as on
        self._buffer = bytearray()
        self._deframer = Deframer()
        self._line_noisy = False
        self._sent_last: LineOrder | None = None
        self.clean = False  # after OVER: the modem confirmed that it hung up

    # -- the Dce protocol ----------------------------------------------------------------------

    def order(self, order: LineOrder, now: float) -> None:
        """Takes the engine's next order.  Raises ValueError for one against the rules of ``dce``."""
        if self._state is _State.OVER or self._state in (_State.HOOK, _State.DRAIN):
            return
        if isinstance(order, HangUp):
            self._hang_up(now)
            return
        if order == self._order and self._state in _LISTENING:
            return  # it is being done
        quiet_to_listen = self._state is _State.QUIET and isinstance(self._order, Receive)
        if self._state in _SENDING or (self._state is _State.QUIET and not quiet_to_listen):
            raise ValueError(f"{type(order).__name__} while {self._state.value}")
        if quiet_to_listen:
            self._next = order
            return
        if self._state is _State.OPENED_CALLING and isinstance(order, SendCng | Receive):
            # CNG went out with ATD; the carrier that ended it is being received.
            self._order = Receive(Carrier.V21, Expect.FRAMES)
            self._carrier_on(Carrier.V21)
            self._enter_data(now)
            return
        if self._state is _State.OPENED_ANSWERING:
            if isinstance(order, SendCed):
                self._events.append(Sent())  # CED went out with ATA
                return
            if isinstance(order, SendFrames):
                self._begin_frames(order)
                self._round_trip = 0.0
                self._issued_at = now
                self._write_frame(now)
                return
        if self._state in _LISTENING or self._state in (_State.OPENED_CALLING, _State.OPENED_ANSWERING):
            self._next = order
            self._carrier = None
            self._abort(now)
            return
        if self._state in (_State.RESULT, _State.ABORT):
            self._next = order
            return
        self._begin(order, now)

    def take_events(self) -> list[LineEvent]:
        """What happened since the last call, in order."""
        events = list(self._events)
        self._events.clear()
        return events

    def next_deadline(self) -> float | None:
        times = [t for t in (self._wake, self._port.next_deadline()) if t is not None]
        return min(times) if times else None

    def handle_timer(self, now: float) -> None:
        if self._wake is not None and now >= self._wake:
            self._wake = None
            self._woken(now)
        self._port.handle_timer(now)
        self.handle_port(now)

    # -- beside the protocol -------------------------------------------------------------------

    def handle_port(self, now: float) -> None:
        """Takes what the port has read."""
        while (event := self._port.take_event()) is not None:
            self._handle(event, now)

    def device_lost(self, cause: Cause) -> None:
        """The serial port is gone."""
        if self._state is not _State.OVER:
            self._over(clean=False)
            self._events.append(LineLost(cause))

    @property
    def over(self) -> bool:
        """The modem is on hook again, or past asking."""
        return self._state is _State.OVER

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

    def _idle(self) -> None:
        self._state = _State.IDLE
        self._order = None
        self._port.await_reply(0.0, None)

    def _quiet(self, now: float, milliseconds: int) -> None:
        self._state = _State.QUIET
        kind = self._quirks.quiet_before
        if kind is QuietBefore.LISTEN and (self._sent_last is not None or self._line_noisy):
            kind = QuietBefore.SEND  # the line is ours already: nothing to listen for
        self._last_fast = -1
        self._listening_for_quiet = kind is QuietBefore.LISTEN
        hundredths = max(1, -(-milliseconds // 10))
        if kind is QuietBefore.WAIT:
            self._wake = now + milliseconds / 1000
        elif kind is QuietBefore.SEND:
            self._port.command(f"+FTS={hundredths}", now, within=milliseconds / 1000 + limits.ANSWER_S)
        else:
            limit = self._quirks.quiet_limit_ms / 1000 + self._latency_s
            self._port.command(f"+FRS={hundredths}", now, within=limit)

    def _after_quiet(self, now: float) -> None:
        self._stray_ok = False
        match self._order:
            case SendFrames():
                self._state = _State.HDLC_OPEN
                self._port.command(f"+FTH={MODULATION_V21}", now, within=limits.ANSWER_S)
            case SendTcf(carrier):
                self._open_fast(carrier, short_train=False, now=now)
            case SendImage(carrier, short_train) | SendEcm(carrier, short_train):
                self._open_fast(carrier, short_train=short_train, now=now)
            case Receive() if self._next is not None:
                self._take_next(now)
            case Receive():
                self._listen(now)
        self._issued_at = now

    def _open_fast(self, carrier: Carrier, *, short_train: bool, now: float) -> None:
        self._state = _State.FAST_OPEN
        code = modulation_code(carrier, short_train=short_train)
        self._port.command(f"+FTM={code}", now, within=limits.ANSWER_S)

    # -- V.21 out ------------------------------------------------------------------------------

    def _begin_frames(self, order: SendFrames) -> None:
        if not order.frames:
            raise ValueError("a burst without frames")
        self._order = order
        self._frames = deque(order.frames)

    def _write_frame(self, now: float) -> None:
        frame = self._frames.popleft()
        self._state = _State.HDLC_FRAME
        self._written_at = now
        self._frame_s = (len(frame) + 3) * 8 / limits.V21_BIT_RATE
        self._connect_held = False
        self._port.write(stuff(frame) + bytes([DLE, ETX]))
        self._port.await_reply(now, self._frame_s + self._round_trip + limits.SEND_MARGIN_S)

    def _frame_connect(self, now: float) -> None:
        """CONNECT after a frame: the next one may follow, unless this CONNECT is a double of the last."""
        if not self._frames:
            return  # the final frame is answered by OK
        first = self._order is not None and len(self._frames) == len(getattr(self._order, "frames", ())) - 1
        slow = first and self._written_at - self._issued_at + self._round_trip >= limits.PREAMBLE_S
        due = self._frame_s + self._round_trip
        too_early = limits.TOO_EARLY * due if slow else limits.DOUBLE_CONNECT_S
        if not self._connect_held and now - self._written_at < too_early:
            self._connect_held = True
            self._port.await_reply(now, due + limits.PREAMBLE_S)
            return
        self._write_frame(now)

    # -- fast out ------------------------------------------------------------------------------

    def _write_fast(self, now: float) -> None:
        order = self._order
        assert isinstance(order, SendTcf | SendImage | SendEcm)
        self._state = _State.FAST_DATA
        self._port.write_stream(stuffed_chunks(order))
        line_s = line_octets(order) * 8 / order.carrier.bit_rate
        self._port.await_reply(now, line_s + limits.SEND_MARGIN_S)

    def _sent(self) -> None:
        self._sent_last = self._order
        self._idle()
        self._events.append(Sent())

    # -- in ------------------------------------------------------------------------------------

    def _listen_soon(self, now: float) -> None:
        """Listens as soon as the engine has nothing more to order: it may have a page to send after all,
        and a command taken back costs an abort."""
        self._state = _State.PAUSE
        self._wake = now

    def _listen(self, now: float) -> None:
        order = self._order
        assert isinstance(order, Receive)
        self._adaptive = False
        if order.carrier is Carrier.V21:
            text, kind, code = f"+FRH={MODULATION_V21}", DataKind.FRAME, -1
        else:
            code = modulation_code(order.carrier, short_train=order.short_train)
            text, kind = f"+FRM={code}", DataKind.STREAM
            if code == self._last_fast:
                # Given the same +FRM twice running, some modems think they are still at it.
                self._state = _State.QUIET
                self._last_fast = -1
                self._port.command("+FTS=1", now, within=limits.ANSWER_S)
                return
        self._last_fast = code
        self._state = _State.LISTEN
        self._issued_at = now
        within = None if self._carrier is None else limits.NEXT_FRAME_S
        self._port.command(text, now, within=within, opens=kind)

    def _enter_data(self, now: float) -> None:
        self._state = _State.DATA
        self._buffer.clear()
        self._deframer = Deframer()
        self._port.await_reply(now, limits.FRAME_SILENCE_S if self._v21() else limits.IMAGE_SILENCE_S)

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

    def _received(self, data: bytes, now: float) -> None:
        if self._state is not _State.DATA:
            return
        assert isinstance(self._order, Receive)
        if self._v21():
            self._carrier_on(Carrier.V21)
            self._retries = 0
            room = _FRAME_LIMIT - len(self._buffer)
            self._buffer += data[: max(room + 1, 0)]  # one over, to know that it was too long
            self._port.await_reply(now, limits.FRAME_SILENCE_S)
            return
        self._carrier_on(self._order.carrier)
        self._port.await_reply(now, limits.IMAGE_SILENCE_S)
        if self._order.expect is Expect.FRAMES:
            self._events.extend(Frame(octets, ok) for octets, ok in self._deframer.feed(data))
        else:
            self._events.append(Data(data))

    def _data_over(self, result: Result | None, now: float) -> None:
        """Data and its result are in; None when the result was lost."""
        if self._v21():
            self._v21_over(result, now)
            return
        self._carrier_off()
        self._rest(now, limits.RELISTEN_S)

    def _v21_over(self, result: Result | None, now: float) -> None:
        octets, cut = bytes(self._buffer[:_FRAME_LIMIT]), len(self._buffer) > _FRAME_LIMIT
        self._buffer.clear()
        if not octets:
            # CONNECT and nothing behind it: noise, or an OK that belongs to an abort.
            if result is Result.NO_CARRIER:
                self._carrier_off()
            self._again(now)
            return
        frame = octets[: -self._quirks.fcs_octets] if self._quirks.fcs_octets else octets
        ok = not cut and result is not Result.ERROR
        if not self._quirks.trust_modem_fcs:
            ok = ok and fcs_is_right(octets)
        self._events.append(Frame(frame[:MAX_FRAME_OCTETS], ok))
        final = ok and len(frame) > 1 and bool(frame[1] & _FINAL_FRAME)
        if final and result is None:
            self._carrier_off()
            self._state = _State.LISTEN  # the modem is still at it: whatever comes next begins with an abort
            self._port.await_reply(now, None)
            if self._next is not None:
                self._abort(now)
            return
        if final or result is Result.NO_CARRIER:
            self._carrier_off()
            self._rest(now, limits.RELISTEN_S)
            return
        self._order = Receive(Carrier.V21, Expect.FRAMES)
        self._go_on(now)

    def _final_and_right(self) -> bool:
        octets = bytes(self._buffer)
        return len(octets) > 1 and bool(octets[1] & _FINAL_FRAME) and fcs_is_right(octets)

    def _go_on(self, now: float) -> None:
        """Listens on within the same carrier, unless the engine has changed its mind."""
        if self._next is not None:
            self._take_next(now)
        else:
            self._listen(now)

    def _rest(self, now: float, seconds: float) -> None:
        """The carrier is gone: the engine's turn; listen again when it has nothing to say."""
        if self._next is not None:
            self._take_next(now)
            return
        self._state = _State.PAUSE
        self._port.close_data()
        self._port.await_reply(now, None)
        self._wake = now + seconds

    def _again(self, now: float) -> None:
        """A listening command ended without a carrier: issue it again, within bounds."""
        self._retries += 1
        quick = self._retries <= self._quirks.frh_retries
        self._rest(now, self._quirks.frh_retry_ms / 1000 if quick else limits.SLOW_RETRY_S)

    def _take_next(self, now: float) -> None:
        order, self._next = self._next, None
        assert order is not None
        self._begin(order, now)

    def _abort(self, now: float) -> None:
        self._state = _State.ABORT
        self._wake = None
        self._last_fast = -1
        self._port.abort(now, within=self._quirks.abort_ms / 1000 + limits.LATENCY_SPREAD * self._latency_s)

    # -- what the port says --------------------------------------------------------------------

    def _handle(self, event: PortEvent, now: float) -> None:
        if self._state is _State.OVER:
            return
        match event:
            case Reply(result):
                self._reply(result, now)
            case Received(data):
                if self._state is _State.LISTEN:
                    self._enter_data(now)
                self._received(data, now)
            case ReceivedEnd():
                if self._state is _State.DATA:
                    self._state = _State.RESULT
                    final = self._v21() and self._final_and_right()
                    within = limits.FINAL_RESULT_S if final else limits.RESULT_S
                    self._port.await_reply(now, within + self._latency_s)
            case Silence():
                self._silence(now)
            case Information():
                pass  # unasked-for chatter

    def _reply(self, result: Result, now: float) -> None:
        if result is Result.BUSY and self._state not in (_State.DRAIN, _State.HOOK):
            self._lost(None, now)  # the exchange's busy tone: the far end has hung up
            return
        if result in _BESIDE:
            return
        match self._state:
            case _State.QUIET if result in _SETTLES:
                self._after_quiet(now)
            case _State.HDLC_OPEN | _State.FAST_OPEN:
                self._open_reply(result, now)
            case _State.HDLC_FRAME:
                self._frame_reply(result, now)
            case _State.FAST_TRAIN:
                if result is Result.NO_CARRIER:
                    self._lost(None, now)
            case _State.FAST_DATA:
                if result is Result.OK:
                    self._sent()
                elif result in (Result.NO_CARRIER, Result.ERROR):
                    self._lost(None if result is Result.NO_CARRIER else causes.MODEM_REFUSED, now)
            case _State.LISTEN:
                self._listen_reply(result, now)
            case _State.DATA:
                if result is not Result.CONNECT:  # in place of a frame
                    self._data_over(result, now)
            case _State.RESULT:
                self._data_over(result, now)
            case _State.ABORT:
                if result in (Result.OK, Result.NO_CARRIER, Result.ERROR):
                    self._aborted(now)
            case _State.DRAIN:
                if result is not Result.CONNECT:
                    self._hook(now)
            case _State.HOOK:
                if result in (Result.OK, Result.NO_CARRIER):
                    self._over(clean=True)

    def _open_reply(self, result: Result, now: float) -> None:
        if result is Result.CONNECT:
            self._unanswered = 0
            self._round_trip = now - self._issued_at
            if self._state is _State.HDLC_OPEN:
                self._write_frame(now)
            elif self._quirks.training_ms:
                self._state = _State.FAST_TRAIN
                self._port.await_reply(now, None)
                self._wake = now + self._quirks.training_ms / 1000
            else:
                self._write_fast(now)
        elif result is Result.NO_CARRIER:
            self._lost(None, now)
        elif result is Result.OK:
            # Of an earlier command, said late or twice: CONNECT still follows.  Or this one was swallowed.
            self._stray_ok = True
            self._port.await_reply(now, limits.STRAY_OK_S + self._latency_s)
        elif result is Result.ERROR:
            self._open_again(now)

    def _open_again(self, now: float) -> None:
        self._retries += 1
        if self._retries > limits.REISSUES:
            self._lost(causes.MODEM_REFUSED, now)
        else:
            self._after_quiet(now)

    def _frame_reply(self, result: Result, now: float) -> None:
        if result is Result.CONNECT:
            self._frame_connect(now)
        elif result is Result.OK:
            if self._frames:
                # It took this frame for the last, or was late for the next: begin a new burst with the rest.
                self._after_quiet(now)
            else:
                self._sent()
        elif result is Result.NO_CARRIER:
            self._lost(None, now)
        elif result is Result.ERROR:
            self._lost(causes.MODEM_REFUSED, now)

    def _listen_reply(self, result: Result, now: float) -> None:
        order = self._order
        assert isinstance(order, Receive)
        if result is Result.V21_HEARD:
            self._adaptive = True
        elif result is Result.CONNECT:
            if not (self._v21() and self._quirks.connect_on_any_carrier):
                self._carrier_on(Carrier.V21 if self._v21() else order.carrier)
            self._enter_data(now)
        elif self._v21():
            if result is Result.NO_CARRIER and self._carrier is not None:
                self._carrier_off()
                self._rest(now, limits.RELISTEN_S)
            elif result in (Result.NO_CARRIER, Result.OK, Result.ERROR, Result.FCERROR):
                self._again(now)
        elif result in (Result.FCERROR, Result.ERROR):
            self._last_fast = -1
            quick = now - self._issued_at < self._quirks.frm_retry_ms / 1000
            self._retries += 1
            if quick and self._retries <= self._quirks.frm_retries:
                self._rest(now, limits.FRM_RETRY_S)
            else:
                self._events.append(CarrierMissed())
                self._rest(now, limits.SLOW_RETRY_S)
        elif result in (Result.NO_CARRIER, Result.OK):
            self._again(now)

    def _silence(self, now: float) -> None:
        match self._state:
            case _State.QUIET if self._listening_for_quiet:
                # A noisy line keeps +FRS waiting for ever: from now on the silence is only our own.
                self._line_noisy = True
                self._next, self._order = self._order, None
                self._abort(now)
            case _State.HDLC_FRAME if self._connect_held:
                self._write_frame(now)
            case _State.LISTEN:
                self._carrier_off()  # no further frame, and no NO CARRIER: it is gone; go on listening
            case _State.DATA:
                lost = self._port.lost_end()
                self._port.close_data()
                if lost:
                    self._data_over(None, now)
                else:
                    self._next = self._next or self._order
                    self._carrier_off()
                    self._abort(now)
            case _State.RESULT:
                self._data_over(None, now)
            case _State.ABORT:
                self._aborted(now)
            case _State.DRAIN:
                self._hook(now)
            case _State.HOOK:
                self._over(clean=False)
            case _State.HDLC_OPEN | _State.FAST_OPEN if self._stray_ok:
                self._open_again(now)
            case _State.QUIET | _State.HDLC_OPEN | _State.FAST_OPEN if self._unanswered == 0:
                self._unanswered += 1
                self._next, self._order = self._next or self._order, None
                self._abort(now)
            case _State.QUIET | _State.HDLC_OPEN | _State.FAST_OPEN | _State.HDLC_FRAME | _State.FAST_DATA:
                self._lost(causes.MODEM_SILENT, now)
            case _:
                pass

    def _aborted(self, now: float) -> None:
        self._port.close_data()
        if isinstance(self._next, HangUp):
            self._hook(now)
        elif self._next is not None:
            self._take_next(now)
        else:
            self._idle()

    def _woken(self, now: float) -> None:
        match self._state:
            case _State.QUIET:
                self._after_quiet(now)
            case _State.FAST_TRAIN:
                self._write_fast(now)
            case _State.PAUSE:
                self._listen(now)
            case _:
                pass

    # -- the end -------------------------------------------------------------------------------

    def _hang_up(self, now: float) -> None:
        self._wake = None
        self._events.clear()
        if self._state in _LISTENING or self._state in (_State.OPENED_CALLING, _State.ABORT):
            self._next = HangUp()
            if self._state is not _State.ABORT:
                self._abort(now)
        elif self._state in _SENDING or self._state is _State.OPENED_ANSWERING:
            # What the transport has not taken is dropped.  The first DLE may pair with a half-written one.
            self._port.discard_output()
            self._port.write(bytes([DLE, ETX, DLE, ETX]))
            self._state = _State.DRAIN
            self._port.await_reply(now, limits.DRAIN_S)
        else:
            self._hook(now)

    def _hook(self, now: float) -> None:
        self._state = _State.HOOK
        self._port.command("H0", now, within=limits.HOOK_S)

    def _lost(self, cause: Cause | None, now: float) -> None:
        """The call is gone: tell the engine, and put the modem on hook."""
        self._port.discard_output()
        self._hang_up_after_loss(now)
        self._carrier = None
        self._events.append(LineLost(cause))

    def _hang_up_after_loss(self, now: float) -> None:
        self._wake = None
        self._port.close_data()
        self._hook(now)

    def _over(self, *, clean: bool) -> None:
        self._state = _State.OVER
        self._wake = None
        self.clean = clean
        self._port.await_reply(0.0, None)
