"""Sending over a class-1 modem: silence, V.21 frames (+FTH), TCF and pages (+FTM)."""

from __future__ import annotations

from collections import deque

from appliance.lines.modem import causes, limits
from appliance.lines.modem.class1_modem import ConnectedModem, State
from appliance.lines.modem.lexer import DLE, ETX, stuff
from appliance.lines.modem.quirks import MODULATION_V21, QuietBefore, modulation_code
from appliance.lines.modem.results import Result
from appliance.lines.modem.streams import line_octets, stuffed_chunks
from appliance.t30.dce import Carrier, LineOrder, SendEcm, SendFrames, SendImage, SendTcf, Sent


class ClassOneSender:
    """The transmitting half."""

    def __init__(self, modem: ConnectedModem) -> None:
        self._modem = modem
        self._frames: deque[bytes] = deque()  # still to be written
        self._retries = 0
        self._unanswered = 0  # consecutive commands without an answer
        self._listening_for_quiet = False
        self._quiet_s = 0.0
        self._line_noisy = False
        self._written_at = 0.0
        self._frame_s = 0.0
        self._connect_held = False  # a CONNECT came too early for this frame
        self._stray_ok = False  # OK where CONNECT was due
        self._has_sent = False  # in this call
        self.last: LineOrder | None = None  # what was sent, with nothing received after it

    # -- opening -------------------------------------------------------------------------------

    def begin(self, order: SendFrames | SendTcf | SendImage | SendEcm, now: float) -> None:
        """Begins an order with the silence before it."""
        self._retries = 0
        quirks = self._modem.quirks
        quiet_ms = quirks.quiet_before_tcf_ms if isinstance(order, SendTcf) else quirks.quiet_ms
        if isinstance(order, SendFrames):
            self._take_frames(order)
            if isinstance(self.last, SendImage | SendEcm):
                quiet_ms = quirks.quiet_after_page_ms
        self._quiet(now, quiet_ms)

    def send_at_once(self, order: SendFrames, now: float) -> None:
        """Sends frames behind the preamble of ATA."""
        self._take_frames(order)
        self._modem.order = order
        self._write_frame(now)

    def _quiet(self, now: float, milliseconds: int) -> None:
        self._modem.state = State.QUIET
        kind = self._modem.quirks.quiet_before
        if kind is QuietBefore.LISTEN and (self.last is not None or self._line_noisy):
            kind = QuietBefore.SEND  # we are already transmitting: there is no carrier to wait for
        self._modem.last_fast = -1
        self._listening_for_quiet = kind is QuietBefore.LISTEN
        self._quiet_s = milliseconds / 1000
        hundredths = max(1, -(-milliseconds // 10))
        if kind is QuietBefore.WAIT:
            self._modem.wake = now + self._quiet_s
        elif kind is QuietBefore.SEND:
            self._modem.port.command(f"+FTS={hundredths}", now, within=self._quiet_s + limits.ANSWER_S)
        else:
            limit = self._modem.quirks.quiet_limit_ms / 1000 + self._modem.latency_s
            self._modem.port.command(f"+FRS={hundredths}", now, within=limit)

    def keep_quiet(self, now: float) -> None:
        """The modem refused to time the silence: it passes without a command."""
        self._modem.port.await_reply(now, None)
        self._modem.wake = now + self._quiet_s

    def open(self, now: float) -> None:
        """Gives the sending command of the order in progress."""
        self._stray_ok = False
        match self._modem.order:
            case SendFrames():
                self._modem.state = State.HDLC_OPEN
                self._modem.port.command(f"+FTH={MODULATION_V21}", now, within=limits.ANSWER_S)
            case SendTcf(carrier):
                self._open_fast(carrier, short_train=False, now=now)
            case SendImage(carrier, short_train) | SendEcm(carrier, short_train):
                self._open_fast(carrier, short_train=short_train, now=now)

    def _open_fast(self, carrier: Carrier, *, short_train: bool, now: float) -> None:
        self._modem.state = State.FAST_OPEN
        code = modulation_code(carrier, short_train=short_train)
        self._modem.port.command(f"+FTM={code}", now, within=limits.ANSWER_S)

    def open_reply(self, result: Result, now: float) -> None:
        """Handles the result of a sending command."""
        if result is Result.CONNECT:
            self._unanswered = 0
            if self._modem.state is State.HDLC_OPEN:
                self._write_frame(now)
            elif self._modem.quirks.training_ms:
                self._modem.state = State.FAST_TRAIN
                self._modem.port.await_reply(now, None)
                self._modem.wake = now + self._modem.quirks.training_ms / 1000
            else:
                self.write_fast(now)
        elif result is Result.NO_CARRIER:
            self._modem.lost(None, now)
        elif result is Result.OK:
            # A late or repeated result of an earlier command: CONNECT still follows; or this one was lost.
            self._stray_ok = True
            self._modem.port.await_reply(now, limits.STRAY_OK_S + self._modem.latency_s)
        elif result is Result.ERROR:
            self._open_again(now)

    def _open_again(self, now: float) -> None:
        self._retries += 1
        if self._retries > limits.REISSUES:
            # A modem that has sent before in this call is on hook again: the far end has hung up.
            self._modem.lost(None if self._has_sent else causes.MODEM_REFUSED, now)
        else:
            self.open(now)

    # -- V.21 ----------------------------------------------------------------------------------

    def _take_frames(self, order: SendFrames) -> None:
        if not order.frames:
            raise ValueError("a burst without frames")
        self._modem.order = order
        self._frames = deque(order.frames)

    def _write_frame(self, now: float) -> None:
        frame = self._frames.popleft()
        self._modem.state = State.HDLC_FRAME
        self._written_at = now
        self._frame_s = (len(frame) + 3) * 8 / limits.V21_BIT_RATE
        self._connect_held = False
        self._modem.port.write(stuff(frame) + bytes([DLE, ETX]))
        self._modem.port.await_reply(now, self._frame_s + self._modem.round_trip_s + limits.SEND_MARGIN_S)

    def frame_reply(self, result: Result, now: float) -> None:
        """Handles the result of a frame."""
        if result is Result.CONNECT:
            self._frame_connect(now)
        elif result is Result.OK:
            if self._frames:
                # The modem ended the burst too early: the remaining frames are sent in a new burst.
                self.open(now)
            else:
                self.sent()
        elif result is Result.NO_CARRIER:
            self._modem.lost(None, now)
        elif result is Result.ERROR:
            self._modem.lost(causes.MODEM_REFUSED, now)

    def _frame_connect(self, now: float) -> None:
        """Handles CONNECT after a frame: sends the next one, unless this CONNECT repeats the last."""
        if not self._frames:
            return  # the final frame is answered by OK
        first = len(self._frames) == len(getattr(self._modem.order, "frames", ())) - 1
        # Modems give CONNECT before or after their preamble: the round-trip time shows how long the modem
        # waited for the first frame.
        slow = first and self._modem.round_trip_s >= limits.PREAMBLE_S
        due = self._frame_s + self._modem.round_trip_s
        too_early = limits.TOO_EARLY * due if slow else limits.DOUBLE_CONNECT_S
        if not self._connect_held and now - self._written_at < too_early:
            self._connect_held = True
            self._modem.port.await_reply(now, due + limits.PREAMBLE_S)
            return
        self._write_frame(now)

    # -- fast ----------------------------------------------------------------------------------

    def write_fast(self, now: float) -> None:
        """Writes the TCF or the page: the training is over."""
        order = self._modem.order
        assert isinstance(order, SendTcf | SendImage | SendEcm)
        self._modem.state = State.FAST_DATA
        self._modem.port.write_stream(stuffed_chunks(order))
        line_s = line_octets(order) * 8 / order.carrier.bit_rate
        self._modem.port.await_reply(now, line_s + limits.SEND_MARGIN_S)

    def sent(self) -> None:
        """The signal has left the line."""
        self.last = self._modem.order
        self._has_sent = True
        self._modem.idle()
        self._modem.events.append(Sent())

    def silence(self, now: float) -> None:
        """The modem has not answered in time."""
        modem, state = self._modem, self._modem.state
        opening = state in (State.HDLC_OPEN, State.FAST_OPEN)
        if state is State.QUIET and self._listening_for_quiet:
            # On a noisy line +FRS never ends: from now on only our own silence is kept.
            self._line_noisy = True
            modem.next, modem.order = modem.order, None
            modem.abort(now)
        elif state is State.HDLC_FRAME and self._connect_held:
            self._write_frame(now)
        elif opening and self._stray_ok:
            self._open_again(now)
        elif (opening or state is State.QUIET) and self._unanswered == 0:
            self._unanswered += 1
            modem.next, modem.order = modem.next or modem.order, None
            modem.abort(now)
        else:
            modem.lost(causes.MODEM_SILENT, now)
