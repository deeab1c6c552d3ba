"""spandsp 0.0.6's fax machines through cffi: a T.38 terminal, and a T.38 gateway with an audio fax behind it.

Only accessors are used, never a struct's fields, except those of ``t30_stats_t``, which is meant to be read.
A callback from C must not raise: each only appends octets to a list or stores a number.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntFlag
from typing import Any

from appliance.lines.practice.abilities import ALL_MODEMS, Abilities, Manners
from appliance.spandsp import open_spandsp

# spandsp.h: everything counts samples at 8 kHz; a tick of 20 ms is what its own tests use.
TICK_SAMPLES = 160
# t30.h: T30_MAX_IDENT_LEN.
IDENT_OCTETS = 20

_DECLARATIONS = """
typedef struct t30_state_s t30_state_t;
typedef struct t38_core_state_s t38_core_state_t;
typedef struct t38_terminal_state_s t38_terminal_state_t;
typedef struct t38_gateway_state_s t38_gateway_state_t;
typedef struct fax_state_s fax_state_t;
typedef struct {
    int bit_rate; int error_correcting_mode; int pages_tx; int pages_rx; int pages_in_file;
    int x_resolution; int y_resolution; int width; int length; int image_size; int encoding;
    int bad_rows; int longest_bad_row_run; int error_correcting_mode_retries; int current_status;
} t30_stats_t;

typedef int t38_tx_packet_handler_t(t38_core_state_t *s, void *user_data, const uint8_t *buf, int len,
                                    int count);
typedef int t30_phase_handler_t(t30_state_t *s, void *user_data, int result);
typedef void t30_phase_e_handler_t(t30_state_t *s, void *user_data, int completion_code);
typedef void message_handler_func_t(int level, const char *text);

t38_terminal_state_t *t38_terminal_init(t38_terminal_state_t *s, int calling_party,
                                        t38_tx_packet_handler_t *handler, void *user_data);
int t38_terminal_free(t38_terminal_state_t *s);
int t38_terminal_release(t38_terminal_state_t *s);
int t38_terminal_send_timeout(t38_terminal_state_t *s, int samples);
t30_state_t *t38_terminal_get_t30_state(t38_terminal_state_t *s);
t38_core_state_t *t38_terminal_get_t38_core_state(t38_terminal_state_t *s);

t38_gateway_state_t *t38_gateway_init(t38_gateway_state_t *s, t38_tx_packet_handler_t *handler,
                                      void *user_data);
int t38_gateway_free(t38_gateway_state_t *s);
int t38_gateway_rx(t38_gateway_state_t *s, int16_t *amp, int len);
int t38_gateway_tx(t38_gateway_state_t *s, int16_t *amp, int max_len);
void t38_gateway_set_ecm_capability(t38_gateway_state_t *s, int allowed);
void t38_gateway_set_transmit_on_idle(t38_gateway_state_t *s, int transmit_on_idle);
void t38_gateway_set_supported_modems(t38_gateway_state_t *s, int supported_modems);
t38_core_state_t *t38_gateway_get_t38_core_state(t38_gateway_state_t *s);

fax_state_t *fax_init(fax_state_t *s, int calling_party);
int fax_free(fax_state_t *s);
int fax_rx(fax_state_t *s, int16_t *amp, int len);
int fax_tx(fax_state_t *s, int16_t *amp, int max_len);
void fax_set_transmit_on_idle(fax_state_t *s, int transmit_on_idle);
t30_state_t *fax_get_t30_state(fax_state_t *s);

int t38_core_rx_ifp_packet(t38_core_state_t *s, const uint8_t *buf, int len, uint16_t seq_no);
void t38_set_t38_version(t38_core_state_t *s, int version);
void t38_set_data_rate_management_method(t38_core_state_t *s, int method);

void t30_terminate(t30_state_t *s);
void t30_set_tx_file(t30_state_t *s, const char *file, int start_page, int stop_page);
void t30_set_rx_file(t30_state_t *s, const char *file, int stop_page);
int t30_set_tx_ident(t30_state_t *s, const char *id);
const char *t30_get_rx_ident(t30_state_t *s);
int t30_set_tx_sub_address(t30_state_t *s, const char *sub_address);
const char *t30_get_rx_sub_address(t30_state_t *s);
int t30_set_tx_selective_polling_address(t30_state_t *s, const char *address);
const char *t30_get_rx_selective_polling_address(t30_state_t *s);
int t30_set_tx_sender_ident(t30_state_t *s, const char *sender_ident);
int t30_set_tx_password(t30_state_t *s, const char *password);
const char *t30_get_rx_password(t30_state_t *s);
int t30_set_ecm_capability(t30_state_t *s, int enabled);
int t30_set_rx_encoding(t30_state_t *s, int encoding);
int t30_set_minimum_scan_line_time(t30_state_t *s, int min_time);
int t30_set_supported_modems(t30_state_t *s, int supported_modems);
int t30_set_supported_compressions(t30_state_t *s, int supported_compressions);
int t30_set_supported_resolutions(t30_state_t *s, int supported_resolutions);
int t30_set_supported_image_sizes(t30_state_t *s, int supported_image_sizes);
int t30_set_supported_t30_features(t30_state_t *s, int supported_t30_features);
int t30_set_receiver_not_ready(t30_state_t *s, int count);
void t30_set_phase_b_handler(t30_state_t *s, t30_phase_handler_t *handler, void *user_data);
void t30_set_phase_e_handler(t30_state_t *s, t30_phase_e_handler_t *handler, void *user_data);
void t30_get_transfer_statistics(t30_state_t *s, t30_stats_t *t);
const char *t30_completion_code_to_str(int result);
void span_set_message_handler(message_handler_func_t *handler);
"""

# t30.h, the T30_ERR_* list.
STATUS_OK = 0
_STATUS_PASSWORD = 56  # T30_ERR_PWD_UNACCEPTABLE
# t4.h, T4_COMPRESSION_ITU_T6: the coding of received pages in the file.
_KEEP_AS_T6 = 3


class _Features(IntFlag):
    """t30.h, T30_SUPPORT_IDENTIFICATION and so on."""

    IDENTIFICATION = 0x01
    SELECTIVE_POLLING = 0x02
    SUB_ADDRESSING = 0x10


@dataclass(frozen=True, slots=True)
class SpandspStatistics:
    """Counters of spandsp."""

    bit_rate: int
    ecm: bool
    pages_sent: int
    pages_received: int
    bad_rows: int


class SpandspFax:
    """One of spandsp's fax machines: IFP packets in, IFP packets out, one tick at a time.

    ``emit`` is called with each IFP packet and how many times it should go out; it must not raise.
    """

    def __init__(self, manners: Manners, abilities: Abilities, emit: Callable[[bytes, int], None]) -> None:
        self._abilities = abilities
        self._emit = emit
        self.trouble: BaseException | None = None  # an exception in a callback: our bug
        self.status: int | None = None  # T30_ERR_* once phase E was reached
        self._handle = _ffi().new_handle(self)
        self._silence = _ffi().new("int16_t[]", TICK_SAMPLES)
        self._audio = _ffi().new("int16_t[]", TICK_SAMPLES)
        library = _library()
        callbacks = _callbacks()
        self._terminal: Any = None
        self._gateway: Any = None
        self._fax: Any = None
        null = _ffi().NULL
        if manners is Manners.TERMINAL:
            self._terminal = library.t38_terminal_init(
                null, int(abilities.calls), callbacks.packet, self._handle
            )
            self._core = library.t38_terminal_get_t38_core_state(self._terminal)
            self._t30 = library.t38_terminal_get_t30_state(self._terminal)
        else:
            self._gateway = library.t38_gateway_init(null, callbacks.packet, self._handle)
            self._core = library.t38_gateway_get_t38_core_state(self._gateway)
            self._fax = library.fax_init(null, int(abilities.calls))
            self._t30 = library.fax_get_t30_state(self._fax)
            library.t38_gateway_set_transmit_on_idle(self._gateway, 1)
            library.t38_gateway_set_ecm_capability(self._gateway, 1)
            library.t38_gateway_set_supported_modems(self._gateway, int(ALL_MODEMS))
            library.fax_set_transmit_on_idle(self._fax, 1)
        self._set_up(library, callbacks)

    def _set_up(self, library: Any, callbacks: _Callbacks) -> None:
        wanted, t30 = self._abilities, self._t30
        library.t38_set_t38_version(self._core, wanted.t38_version)
        library.t38_set_data_rate_management_method(self._core, wanted.tcf_method)
        library.t30_set_tx_ident(t30, _text(wanted.station_id))
        library.t30_set_ecm_capability(t30, int(wanted.ecm))
        library.t30_set_supported_modems(t30, int(wanted.modems))
        library.t30_set_supported_compressions(t30, int(wanted.compressions))
        library.t30_set_supported_resolutions(t30, int(wanted.resolutions))
        library.t30_set_supported_image_sizes(t30, int(wanted.sizes))
        library.t30_set_supported_t30_features(
            t30, int(_Features.IDENTIFICATION | _Features.SELECTIVE_POLLING | _Features.SUB_ADDRESSING)
        )
        library.t30_set_rx_encoding(t30, _KEEP_AS_T6)
        library.t30_set_minimum_scan_line_time(t30, wanted.scan_ms)
        library.t30_set_receiver_not_ready(t30, wanted.not_ready)
        if wanted.sub_address:
            library.t30_set_tx_sub_address(t30, _text(wanted.sub_address))
        if wanted.selective_polling:
            library.t30_set_tx_selective_polling_address(t30, _text(wanted.selective_polling))
        if wanted.password:
            library.t30_set_tx_password(t30, _text(wanted.password))
        if wanted.sender_ident:
            library.t30_set_tx_sender_ident(t30, _text(wanted.sender_ident))
        library.t30_set_phase_b_handler(t30, callbacks.phase_b, self._handle)
        library.t30_set_phase_e_handler(t30, callbacks.phase_e, self._handle)
        if wanted.receive is not None:
            library.t30_set_rx_file(t30, os.fsencode(wanted.receive), -1)
        if wanted.send is not None:
            library.t30_set_tx_file(t30, os.fsencode(wanted.send), -1, -1)

    def hear(self, sequence: int, ifp: bytes) -> None:
        """One IFP packet from the line."""
        _library().t38_core_rx_ifp_packet(self._core, ifp, len(ifp), sequence)

    def tick(self) -> None:
        """20 ms pass."""
        library = _library()
        if self._terminal is not None:
            library.t38_terminal_send_timeout(self._terminal, TICK_SAMPLES)
            return
        self._cross(library.fax_tx, self._fax, library.t38_gateway_rx, self._gateway)
        self._cross(library.t38_gateway_tx, self._gateway, library.fax_rx, self._fax)

    def _cross(self, speak: Any, speaker: Any, listen: Any, listener: Any) -> None:
        made = speak(speaker, self._audio, TICK_SAMPLES)
        if made < TICK_SAMPLES:  # its call has ended: silence on the telephone line
            _ffi().memmove(self._audio + made, self._silence, 2 * (TICK_SAMPLES - made))
        listen(listener, self._audio, TICK_SAMPLES)

    def end(self) -> None:
        """The call is over; reaches phase E if it has not, which also closes the TIFF file."""
        if self._t30 is not None:
            _library().t30_terminate(self._t30)

    def close(self) -> None:
        """Ends the call and frees the memory.  No other method may be called afterwards."""
        if self._t30 is None:
            return
        self.end()
        library = _library()
        self._t30 = None
        if self._terminal is not None:
            library.t38_terminal_release(self._terminal)
            library.t38_terminal_free(self._terminal)
        else:
            library.t38_gateway_free(self._gateway)
            library.fax_free(self._fax)

    @property
    def remote_id(self) -> str:
        """The far end's station id (TSI or CSI)."""
        return _string(_library().t30_get_rx_ident(self._t30))

    @property
    def sub_address(self) -> str:
        """The sub-address that was received (SUB)."""
        return _string(_library().t30_get_rx_sub_address(self._t30))

    @property
    def selective_polling(self) -> str:
        """The selective polling address that was received (SEP)."""
        return _string(_library().t30_get_rx_selective_polling_address(self._t30))

    @property
    def password(self) -> str:
        """The password that was received (PWD)."""
        return _string(_library().t30_get_rx_password(self._t30))

    def statistics(self) -> SpandspStatistics:
        """spandsp's counters of the fax."""
        counted = _ffi().new("t30_stats_t *")
        _library().t30_get_transfer_statistics(self._t30, counted)
        return SpandspStatistics(
            bit_rate=counted.bit_rate,
            ecm=bool(counted.error_correcting_mode),
            pages_sent=counted.pages_tx,
            pages_received=counted.pages_rx,
            bad_rows=counted.bad_rows,
        )

    # -- called from C --------------------------------------------------------------------

    def _on_packet(self, ifp: bytes, count: int) -> None:
        self._emit(ifp, max(1, count & 0xFF))

    def _on_phase_b(self) -> int:
        wanted = self._abilities.required_password
        if wanted and self.password != wanted:
            return _STATUS_PASSWORD
        return STATUS_OK

    def _on_phase_e(self, status: int) -> None:
        if self.status is None:
            self.status = status


def status_text(status: int) -> str:
    """spandsp's text for a T30_ERR_* code."""
    return _string(_library().t30_completion_code_to_str(status))


# -- the library, loaded on first use --------------------------------------------------------


@dataclass(slots=True)
class _Callbacks:
    """One C entry point of each kind, shared by all machines and alive as long as the process."""

    packet: Any
    phase_b: Any
    phase_e: Any
    log: Any


class _Loaded:
    ffi: Any = None
    library: Any = None
    callbacks: _Callbacks | None = None


def _load() -> None:
    ffi, library = open_spandsp(_DECLARATIONS)

    def packet(_core: Any, handle: Any, octets: Any, length: int, count: int) -> int:
        fax: SpandspFax = ffi.from_handle(handle)
        try:
            fax._on_packet(ffi.buffer(octets, length)[:], count)
        except Exception as error:  # must not cross into C; reported by ``trouble``
            fax.trouble = error
        return 0

    def phase_b(_t30: Any, handle: Any, _result: int) -> int:
        fax: SpandspFax = ffi.from_handle(handle)
        try:
            return fax._on_phase_b()
        except Exception as error:
            fax.trouble = error
        return STATUS_OK

    def phase_e(_t30: Any, handle: Any, status: int) -> None:
        fax: SpandspFax = ffi.from_handle(handle)
        fax._on_phase_e(status)

    def swallow(_level: int, _text: Any) -> None:
        """spandsp would write to standard error."""

    _Loaded.callbacks = _Callbacks(
        packet=ffi.callback("t38_tx_packet_handler_t", packet),
        phase_b=ffi.callback("t30_phase_handler_t", phase_b),
        phase_e=ffi.callback("t30_phase_e_handler_t", phase_e),
        log=ffi.callback("message_handler_func_t", swallow),
    )
    library.span_set_message_handler(_Loaded.callbacks.log)
    _Loaded.ffi, _Loaded.library = ffi, library


def _ffi() -> Any:
    if _Loaded.ffi is None:
        _load()
    return _Loaded.ffi


def _library() -> Any:
    if _Loaded.library is None:
        _load()
    return _Loaded.library


def _callbacks() -> _Callbacks:
    if _Loaded.callbacks is None:
        _load()
    assert _Loaded.callbacks is not None
    return _Loaded.callbacks


def _text(value: str) -> bytes:
    return value.encode("ascii", "replace")[:IDENT_OCTETS]


def _string(pointer: Any) -> str:
    if pointer == _ffi().NULL:
        return ""
    octets: bytes = _ffi().string(pointer, IDENT_OCTETS * 4)
    return octets.decode("ascii", "replace")
