"""Listening over a class-1 modem: V.21 frames (+FRH), TCF and pages (+FRM)."""

from __future__ import annotations

from appliance.lines.modem import limits
from appliance.lines.modem.class1_base import ClassOneBase, State
from appliance.lines.modem.hdlc import Deframer, fcs_is_right
from appliance.lines.modem.lexer import DataKind
from appliance.lines.modem.quirks import MODULATION_V21, modulation_code
from appliance.lines.modem.results import Result
from appliance.t30.dce import (
    MAX_FRAME_OCTETS,
    Carrier,
    CarrierMissed,
    Data,
    Expect,
    Frame,
    Receive,
)

_FINAL_FRAME = 0x10  # control octet: last frame of the burst (T.30 5.3.5)
_FRAME_LIMIT = MAX_FRAME_OCTETS + 2


class ClassOneListening(ClassOneBase):
    """The receiving half."""

    # -- beginning -----------------------------------------------------------------------------

    def _listen_soon(self, now: float) -> None:
        """Listens once the engine has no further order: it may still want to send a page, and aborting a
        command takes time."""
        self._state = State.PAUSE
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
                # Some modems ignore a second +FRM of the same modulation directly after the first.
                self._state = State.QUIET
                self._last_fast = -1
                self._port.command("+FTS=1", now, within=limits.ANSWER_S)
                return
        self._last_fast = code
        self._state = State.LISTEN
        self._issued_at = now
        within = None if self._carrier is None else limits.NEXT_FRAME_S
        self._port.command(text, now, within=within, opens=kind)

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

    def _enter_data(self, now: float) -> None:
        self._state = State.DATA
        self._buffer.clear()
        self._deframer = Deframer()
        self._port.await_reply(now, limits.FRAME_SILENCE_S if self._v21() else limits.IMAGE_SILENCE_S)

    # -- what comes in -------------------------------------------------------------------------

    def _received(self, data: bytes, now: float) -> None:
        if self._state is not State.DATA:
            return
        assert isinstance(self._order, Receive)
        if self._v21():
            self._carrier_on(Carrier.V21)
            self._retries = 0
            room = _FRAME_LIMIT - len(self._buffer)
            self._buffer += data[: max(room + 1, 0)]  # one octet more, to detect a frame that is too long
            self._port.await_reply(now, limits.FRAME_SILENCE_S)
            return
        self._carrier_on(self._order.carrier)
        self._port.await_reply(now, limits.IMAGE_SILENCE_S)
        if self._order.expect is Expect.FRAMES:
            self._events.extend(Frame(octets, ok) for octets, ok in self._deframer.feed(data))
        else:
            self._events.append(Data(data))

    def _data_over(self, result: Result | None, now: float) -> None:
        """Handles the end of data with its result; None when the result was lost."""
        if self._v21():
            self._v21_over(result, now)
            return
        self._carrier_off()
        self._rest(now, limits.RELISTEN_S)

    def _v21_over(self, result: Result | None, now: float) -> None:
        octets, cut = bytes(self._buffer[:_FRAME_LIMIT]), len(self._buffer) > _FRAME_LIMIT
        self._buffer.clear()
        if not octets:
            # CONNECT without data: noise, or an OK that belongs to an abort.
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
            self._state = State.LISTEN  # the modem is still listening: the next order begins with an abort
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
