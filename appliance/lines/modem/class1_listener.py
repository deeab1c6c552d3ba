"""Listening over a class-1 modem: V.21 frames (+FRH), TCF and pages (+FRM)."""

from __future__ import annotations

from collections.abc import Callable

from appliance.lines.modem import limits
from appliance.lines.modem.class1_modem import ConnectedModem, State
from appliance.lines.modem.hdlc import Deframer
from appliance.lines.modem.lexer import DataKind
from appliance.lines.modem.quirks import MODULATION_V21, modulation_code
from appliance.lines.modem.results import Result
from appliance.t30 import dce, fcs

_FINAL_FRAME = 0x10  # control octet: last frame of the burst (T.30 5.3.5)
_FRAME_LIMIT = dce.MAX_FRAME_OCTETS + fcs.OCTETS


class ClassOneListener:
    """The receiving half.  ``take_next`` begins the waiting order, and returns False without one."""

    def __init__(self, modem: ConnectedModem, take_next: Callable[[float], bool]) -> None:
        self._modem = modem
        self._take_next = take_next
        self._retries = 0
        self._issued_at = 0.0  # when the last +FRM was
        self._adaptive = False  # V.21 came in place of a page
        self._buffer = bytearray()
        self._deframer = Deframer()

    # -- beginning -----------------------------------------------------------------------------

    def begin(self, now: float) -> None:
        """Listens once the engine has no further order: it may still want to send a page, and aborting a
        command takes time."""
        self._retries = 0
        self._modem.state = State.PAUSE
        self._modem.wake = now

    def listen(self, now: float) -> None:
        """Gives the listening command of the order in progress."""
        order = self._modem.order
        assert isinstance(order, dce.Receive)
        self._adaptive = False
        if order.carrier is dce.Carrier.V21:
            text, kind, code = f"+FRH={MODULATION_V21}", DataKind.FRAME, -1
        else:
            code = modulation_code(order.carrier, short_train=order.short_train)
            text, kind = f"+FRM={code}", DataKind.STREAM
            if code == self._modem.last_fast:
                # Some modems ignore a second +FRM of the same modulation directly after the first.
                self._modem.state = State.QUIET
                self._modem.last_fast = -1
                self._modem.port.command("+FTS=1", now, within=limits.ANSWER_S)
                return
        self._modem.last_fast = code
        self._modem.state = State.LISTEN
        self._issued_at = now
        within = None if self._modem.carrier is None else limits.NEXT_FRAME_S
        self._modem.port.command(text, now, within=within, opens=kind)

    def reply(self, result: Result, now: float) -> None:
        """Handles the result of a listening command."""
        order = self._modem.order
        assert isinstance(order, dce.Receive)
        if result is Result.V21_HEARD:
            self._adaptive = True
        elif result is Result.CONNECT:
            if not (self._v21() and self._modem.quirks.connect_on_any_carrier):
                self._modem.carrier_on(dce.Carrier.V21 if self._v21() else order.carrier)
            self.enter_data(now)
        elif self._v21():
            if result is Result.NO_CARRIER and self._modem.carrier is not None:
                self._modem.carrier_off()
                self._rest(now, limits.RELISTEN_S)
            elif result in (Result.NO_CARRIER, Result.OK, Result.ERROR, Result.FCERROR):
                self._again(now)
        elif result in (Result.FCERROR, Result.ERROR):
            self._modem.last_fast = -1
            quick = now - self._issued_at < self._modem.quirks.frm_retry_ms / 1000
            self._retries += 1
            if quick and self._retries <= self._modem.quirks.frm_retries:
                self._rest(now, limits.FRM_RETRY_S)
            else:
                self._modem.events.append(dce.CarrierMissed())
                self._rest(now, limits.SLOW_RETRY_S)
        elif result in (Result.NO_CARRIER, Result.OK):
            self._again(now)

    def enter_data(self, now: float) -> None:
        """The carrier is on: its data follow."""
        self._modem.state = State.DATA
        self._buffer.clear()
        self._deframer = Deframer()
        self._modem.port.await_reply(now, limits.FRAME_SILENCE_S if self._v21() else limits.IMAGE_SILENCE_S)

    # -- what comes in -------------------------------------------------------------------------

    def received(self, data: bytes, now: float) -> None:
        """Handles data of the carrier."""
        if self._modem.state is not State.DATA:
            return
        assert isinstance(self._modem.order, dce.Receive)
        if self._v21():
            self._modem.carrier_on(dce.Carrier.V21)
            self._retries = 0
            room = _FRAME_LIMIT - len(self._buffer)
            self._buffer += data[: max(room + 1, 0)]  # one octet more, to detect a frame that is too long
            self._modem.port.await_reply(now, limits.FRAME_SILENCE_S)
            return
        self._modem.carrier_on(self._modem.order.carrier)
        self._modem.port.await_reply(now, limits.IMAGE_SILENCE_S)
        if self._modem.order.expect is dce.Expect.FRAMES:
            self._modem.events.extend(dce.Frame(octets, ok) for octets, ok in self._deframer.feed(data))
        else:
            self._modem.events.append(dce.Data(data))

    def data_over(self, result: Result | None, now: float) -> None:
        """Handles the end of data with its result; None when the result was lost."""
        if self._v21():
            self._v21_over(result, now)
            return
        self._modem.carrier_off()
        self._rest(now, limits.RELISTEN_S)

    def _v21_over(self, result: Result | None, now: float) -> None:
        octets, cut = bytes(self._buffer[:_FRAME_LIMIT]), len(self._buffer) > _FRAME_LIMIT
        self._buffer.clear()
        if not octets:
            # CONNECT without data: noise, or an OK that belongs to an abort.
            if result is Result.NO_CARRIER:
                self._modem.carrier_off()
            self._again(now)
            return
        frame = octets[: -self._modem.quirks.fcs_octets] if self._modem.quirks.fcs_octets else octets
        ok = not cut and result is not Result.ERROR
        if not self._modem.quirks.trust_modem_fcs:
            ok = ok and fcs.fcs_is_right(octets)
        self._modem.events.append(dce.Frame(frame[: dce.MAX_FRAME_OCTETS], ok))
        final = ok and len(frame) > 1 and bool(frame[1] & _FINAL_FRAME)
        if final and result is None:
            self._modem.carrier_off()
            self._modem.state = State.LISTEN  # it is still listening: the next order begins with an abort
            self._modem.port.await_reply(now, None)
            if self._modem.next is not None:
                self._modem.abort(now)
            return
        if final or result is Result.NO_CARRIER:
            self._modem.carrier_off()
            self._rest(now, limits.RELISTEN_S)
            return
        self._modem.order = dce.Receive(dce.Carrier.V21, dce.Expect.FRAMES)
        self.go_on(now)

    def has_final_frame(self) -> bool:
        """Whether the last frame of a burst is complete."""
        octets = bytes(self._buffer)
        return self._v21() and len(octets) > 1 and bool(octets[1] & _FINAL_FRAME) and fcs.fcs_is_right(octets)

    # -- what comes next -----------------------------------------------------------------------

    def _v21(self) -> bool:
        order = self._modem.order
        return self._adaptive or not isinstance(order, dce.Receive) or order.carrier is dce.Carrier.V21

    def go_on(self, now: float) -> None:
        """Continues listening within the same carrier, unless there is another order."""
        if not self._take_next(now):
            self.listen(now)

    def _rest(self, now: float, seconds: float) -> None:
        """The carrier has ended: waits for an order, and listens again without one."""
        if self._take_next(now):
            return
        self._modem.state = State.PAUSE
        self._modem.port.close_data()
        self._modem.port.await_reply(now, None)
        self._modem.wake = now + seconds

    def _again(self, now: float) -> None:
        """A listening command ended without a carrier: issue it again, within bounds."""
        self._retries += 1
        quick = self._retries <= self._modem.quirks.frh_retries
        self._rest(now, self._modem.quirks.frh_retry_ms / 1000 if quick else limits.SLOW_RETRY_S)
