"""Stations on the exchange's subscriber lines: soft modems, fax machines, telephones."""

from __future__ import annotations

from collections import deque
from enum import IntEnum
from pathlib import Path
from typing import Any, Protocol

from tests.softmodem.library import (
    NULL,
    SILENT_TICK,
    TICK_SAMPLES,
    ffi,
    library,
    on_at_output,
    on_modem_control,
    on_phase_e,
)


class CallEvent(IntEnum):
    """at_interpreter.h, at_call_event_e."""

    ALERTING = 1
    CONNECTED = 2
    ANSWERED = 3
    BUSY = 4
    NO_DIALTONE = 5
    NO_ANSWER = 6
    HANGUP = 7


class _Control(IntEnum):
    """at_interpreter.h, at_modem_control_operation_e."""

    CALL = 0
    ANSWER = 1
    HANGUP = 2
    OFFHOOK = 3
    ONHOOK = 4
    CTS = 7


class AtMode(IntEnum):
    """at_interpreter.h, at_rx_mode_e."""

    ONHOOK_COMMAND = 0
    OFFHOOK_COMMAND = 1
    CONNECTED = 2
    DELIVERY = 3
    HDLC = 4
    STUFFED = 5


class Wants(Protocol):
    """What a station asks of the exchange."""

    def dials(self, station: Station, number: str) -> None: ...
    def answers(self, station: Station) -> None: ...
    def hangs_up(self, station: Station) -> None: ...


class Station(Protocol):
    """A subscriber's end: 20 ms of linear audio at 8 kHz each way per tick, and the hook."""

    exchange: Wants

    def speak(self) -> bytes: ...
    def listen(self, audio: bytes) -> None: ...
    def event(self, event: CallEvent, caller: str = "") -> None: ...
    def tick(self) -> None: ...


class _Audio:
    def __init__(self) -> None:
        self._block = ffi.new("int16_t[]", TICK_SAMPLES)
        self._view = ffi.buffer(self._block)

    def made_by(self, function: Any, state: Any) -> bytes:
        made = function(state, self._block, TICK_SAMPLES)
        return self._view[: 2 * made] + SILENT_TICK[2 * made :]

    def given_to(self, function: Any, state: Any, audio: bytes) -> None:
        self._view[:] = audio
        function(state, self._block, TICK_SAMPLES)


class SoftModem:
    """A class-1 modem: ``to_modem`` takes what the DTE wrote, ``output`` holds what it is to read."""

    def __init__(self) -> None:
        self.exchange: Wants
        self.output = bytearray()
        self.clear_to_send = True
        self._wishes: deque[tuple[str, str]] = deque()
        self._handle = ffi.new_handle(self)
        self._audio = _Audio()
        self._state = library.t31_init(
            NULL, on_at_output, self._handle, on_modem_control, self._handle, NULL, NULL
        )
        library.t31_set_transmit_on_idle(self._state, 1)
        self._head = ffi.cast("at_head_t *", self._state)
        self.commands: list[str] = []  # for tests that look at what a DTE asked for

    # -- the DTE's side ------------------------------------------------------------------------

    def to_modem(self, data: bytes) -> None:
        """One write of the DTE; the rest of a write is swallowed where a modem swallows it."""
        if self.mode in (AtMode.ONHOOK_COMMAND, AtMode.OFFHOOK_COMMAND):
            self.commands += [c.decode("latin-1") for c in data.split(b"\r") if c]
        library.t31_at_rx(self._state, data, len(data))
        self._tell()

    @property
    def mode(self) -> AtMode:
        return AtMode(self._head.at_rx_mode)

    # -- the line's side -----------------------------------------------------------------------

    def speak(self) -> bytes:
        return self._audio.made_by(library.t31_tx, self._state)

    def listen(self, audio: bytes) -> None:
        self._audio.given_to(library.t31_rx, self._state, audio)
        self._tell()

    def event(self, event: CallEvent, caller: str = "") -> None:
        if event is CallEvent.ALERTING and caller and not self._head.call_info_displayed:
            library.at_reset_call_info(self._state)
            library.at_set_call_info(self._state, b"NMBR", caller.encode())
        library.t31_call_event(self._state, int(event))
        self._tell()

    def tick(self) -> None:
        self._tell()

    def _tell(self) -> None:
        """Wishes heard in callbacks are passed on outside of them."""
        while self._wishes:
            wish, number = self._wishes.popleft()
            if wish == "dial":
                self.exchange.dials(self, number)
            elif wish == "answer":
                self.exchange.answers(self)
            else:
                self.exchange.hangs_up(self)

    def close(self) -> None:
        library.t31_free(self._state)

    # -- called from C -------------------------------------------------------------------------

    def from_modem(self, data: bytes) -> None:
        self.output += data

    def control(self, operation: int, number: Any) -> None:
        if operation == _Control.CALL:
            self._wishes.append(("dial", ffi.string(number).decode("latin-1")))
        elif operation == _Control.ANSWER:
            self._wishes.append(("answer", ""))
        elif operation in (_Control.HANGUP, _Control.ONHOOK):
            self._wishes.append(("hang up", ""))
        elif operation == _Control.CTS:
            self.clear_to_send = number != NULL


class FaxMachine:
    """spandsp's whole fax machine on a telephone line; answers after ``rings`` rings."""

    V27TER, V29, V17 = 1, 2, 4
    MH, MR, MMR = 2, 4, 8

    def __init__(
        self,
        *,
        calls: str = "",
        send: Path | None = None,
        receive: Path | None = None,
        station_id: str = "+49 30 9990",
        ecm: bool = True,
        modems: int = 7,
        compressions: int = 14,
        rings: int = 1,
    ) -> None:
        self.exchange: Wants
        self._calls, self._rings, self._rung = calls, rings, 0
        self._talking = False
        self._audio = _Audio()
        self._handle = ffi.new_handle(self)
        self.status: int | None = None
        self._fax = library.fax_init(NULL, 1 if calls else 0)
        library.fax_set_transmit_on_idle(self._fax, 1)
        self._t30 = t30 = library.fax_get_t30_state(self._fax)
        library.t30_set_tx_ident(t30, station_id.encode())
        library.t30_set_ecm_capability(t30, int(ecm))
        library.t30_set_supported_modems(t30, modems)
        library.t30_set_supported_compressions(t30, compressions)
        library.t30_set_supported_resolutions(t30, 0x1 | 0x2 | 0x4 | 0x20000 | 0x40000 | 0x300000)
        library.t30_set_supported_image_sizes(t30, 0x7 | 0x1F0000)
        library.t30_set_rx_encoding(t30, 3)  # T4_COMPRESSION_ITU_T6
        library.t30_set_minimum_scan_line_time(t30, 0)
        library.t30_set_phase_e_handler(t30, on_phase_e, self._handle)
        if receive is not None:
            library.t30_set_rx_file(t30, str(receive).encode(), -1)
        if send is not None:
            library.t30_set_tx_file(t30, str(send).encode(), -1, -1)
        self._to_dial = calls

    def speak(self) -> bytes:
        return self._audio.made_by(library.fax_tx, self._fax) if self._talking else SILENT_TICK

    def listen(self, audio: bytes) -> None:
        if self._talking:
            self._audio.given_to(library.fax_rx, self._fax, audio)

    def event(self, event: CallEvent, caller: str = "") -> None:
        if event is CallEvent.ALERTING:
            self._rung += 1
            if self._rung >= self._rings:
                self.exchange.answers(self)
        elif event in (CallEvent.ANSWERED, CallEvent.CONNECTED):
            self._talking = True
        else:
            self._end()

    def tick(self) -> None:
        if self._to_dial:
            number, self._to_dial = self._to_dial, ""
            self.exchange.dials(self, number)
        if self._talking and self.status is not None:
            self._talking = False
            self.exchange.hangs_up(self)

    def _end(self) -> None:
        library.t30_terminate(self._t30)
        self._talking = False

    def phase_e(self, status: int) -> None:
        if self.status is None:
            self.status = status

    def statistics(self) -> Any:
        counted = ffi.new("t30_stats_t *")
        library.t30_get_transfer_statistics(self._t30, counted)
        return counted

    @property
    def words(self) -> str:
        """spandsp's words for how it ended."""
        if self.status is None:
            return "still up"
        return ffi.string(library.t30_completion_code_to_str(self.status)).decode()

    def close(self) -> None:
        self._end()
        library.fax_free(self._fax)


class Telephone:
    """Answers and says nothing, or never answers."""

    def __init__(self, *, answers: bool) -> None:
        self.exchange: Wants
        self._answers = answers
        self.rings = 0
        self.talking = False

    def speak(self) -> bytes:
        return SILENT_TICK

    def listen(self, audio: bytes) -> None:
        pass

    def event(self, event: CallEvent, caller: str = "") -> None:
        if event is CallEvent.ALERTING:
            self.rings += 1
            if self._answers:
                self.exchange.answers(self)
        self.talking = event in (CallEvent.ANSWERED, CallEvent.CONNECTED)

    def tick(self) -> None:
        pass
