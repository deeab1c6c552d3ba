"""Sending over a class-1 modem: silence, V.21 frames (+FTH), TCF and pages (+FTM)."""

from __future__ import annotations

from collections import deque

from appliance.lines.modem import causes, limits
from appliance.lines.modem.class1_base import ClassOneBase, State
from appliance.lines.modem.lexer import DLE, ETX, stuff
from appliance.lines.modem.quirks import MODULATION_V21, QuietBefore, modulation_code
from appliance.lines.modem.results import Result
from appliance.lines.modem.streams import line_octets, stuffed_chunks
from appliance.t30.dce import Carrier, Receive, SendEcm, SendFrames, SendImage, SendTcf, Sent


class ClassOneSending(ClassOneBase):
    """The transmitting half."""

    # -- opening -------------------------------------------------------------------------------

    def _quiet(self, now: float, milliseconds: int) -> None:
        self._state = State.QUIET
        kind = self._quirks.quiet_before
        if kind is QuietBefore.LISTEN and (self._sent_last is not None or self._line_noisy):
            kind = QuietBefore.SEND  # we are already transmitting: there is no carrier to wait for
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
                self._state = State.HDLC_OPEN
                self._port.command(f"+FTH={MODULATION_V21}", now, within=limits.ANSWER_S)
            case SendTcf(carrier):
                self._open_fast(carrier, short_train=False, now=now)
            case SendImage(carrier, short_train) | SendEcm(carrier, short_train):
                self._open_fast(carrier, short_train=short_train, now=now)
            case Receive():
                self._go_on(now)

    def _open_fast(self, carrier: Carrier, *, short_train: bool, now: float) -> None:
        self._state = State.FAST_OPEN
        code = modulation_code(carrier, short_train=short_train)
        self._port.command(f"+FTM={code}", now, within=limits.ANSWER_S)

    def _open_reply(self, result: Result, now: float) -> None:
        if result is Result.CONNECT:
            self._unanswered = 0
            if self._state is State.HDLC_OPEN:
                self._write_frame(now)
            elif self._quirks.training_ms:
                self._state = State.FAST_TRAIN
                self._port.await_reply(now, None)
                self._wake = now + self._quirks.training_ms / 1000
            else:
                self._write_fast(now)
        elif result is Result.NO_CARRIER:
            self._lost(None, now)
        elif result is Result.OK:
            # A late or repeated result of an earlier command: CONNECT still follows; or this one was lost.
            self._stray_ok = True
            self._port.await_reply(now, limits.STRAY_OK_S + self._latency_s)
        elif result is Result.ERROR:
            self._open_again(now)

    def _open_again(self, now: float) -> None:
        self._retries += 1
        if self._retries > limits.REISSUES:
            # A modem that has sent before in this call is on hook again: the far end has hung up.
            self._lost(None if self._has_sent else causes.MODEM_REFUSED, now)
        else:
            self._after_quiet(now)

    # -- V.21 ----------------------------------------------------------------------------------

    def _begin_frames(self, order: SendFrames) -> None:
        if not order.frames:
            raise ValueError("a burst without frames")
        self._order = order
        self._frames = deque(order.frames)

    def _write_frame(self, now: float) -> None:
        frame = self._frames.popleft()
        self._state = State.HDLC_FRAME
        self._written_at = now
        self._frame_s = (len(frame) + 3) * 8 / limits.V21_BIT_RATE
        self._connect_held = False
        self._port.write(stuff(frame) + bytes([DLE, ETX]))
        self._port.await_reply(now, self._frame_s + self._round_trip_s + limits.SEND_MARGIN_S)

    def _frame_reply(self, result: Result, now: float) -> None:
        if result is Result.CONNECT:
            self._frame_connect(now)
        elif result is Result.OK:
            if self._frames:
                # The modem ended the burst too early: the remaining frames are sent in a new burst.
                self._after_quiet(now)
            else:
                self._sent()
        elif result is Result.NO_CARRIER:
            self._lost(None, now)
        elif result is Result.ERROR:
            self._lost(causes.MODEM_REFUSED, now)

    def _frame_connect(self, now: float) -> None:
        """Handles CONNECT after a frame: sends the next one, unless this CONNECT repeats the last."""
        if not self._frames:
            return  # the final frame is answered by OK
        first = self._order is not None and len(self._frames) == len(getattr(self._order, "frames", ())) - 1
        # Modems give CONNECT before or after their preamble: the round-trip time shows how long the modem
        # waited for the first frame.
        slow = first and self._round_trip_s >= limits.PREAMBLE_S
        due = self._frame_s + self._round_trip_s
        too_early = limits.TOO_EARLY * due if slow else limits.DOUBLE_CONNECT_S
        if not self._connect_held and now - self._written_at < too_early:
            self._connect_held = True
            self._port.await_reply(now, due + limits.PREAMBLE_S)
            return
        self._write_frame(now)

    # -- fast ----------------------------------------------------------------------------------

    def _write_fast(self, now: float) -> None:
        order = self._order
        assert isinstance(order, SendTcf | SendImage | SendEcm)
        self._state = State.FAST_DATA
        self._port.write_stream(stuffed_chunks(order))
        line_s = line_octets(order) * 8 / order.carrier.bit_rate
        self._port.await_reply(now, line_s + limits.SEND_MARGIN_S)

    def _sent(self) -> None:
        self._sent_last = self._order
        self._has_sent = True
        self._idle()
        self._events.append(Sent())
