"""spandsp's fax modems as a library: what is declared of it, its enumerations, one modulation's functions.

Only the modems themselves are used, never spandsp's T.31 or T.30.  Samples are 16-bit linear at 8 kHz in
the machine's byte order.  Bits of frames and data are least significant first, as ``appliance.t30.dce``
has them.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

from appliance.spandsp import open_spandsp
from appliance.t30.dce import Modulation

_DECLARATIONS = """
extern const struct { const char *name; int zero, one, tx, min, rate; } preset_fsk_specs[10];
typedef void (*put_bit_func_t)(void *user, int bit);
typedef int (*get_bit_func_t)(void *user);
typedef void (*status_func_t)(void *user, int status);
typedef void (*tone_report_func_t)(void *user, int code, int level, int delay);
typedef void (*frame_func_t)(void *user, const uint8_t *octets, int count, int ok);
typedef void (*underflow_func_t)(void *user);

void *fsk_tx_init(void *s, const void *spec, get_bit_func_t get_bit, void *user);
int fsk_tx_free(void *s);
int fsk_tx(void *s, int16_t *samples, int count);
void *fsk_rx_init(void *s, const void *spec, int mode, put_bit_func_t put_bit, void *user);
void fsk_rx_signal_cutoff(void *s, float level);
int fsk_rx_free(void *s);
int fsk_rx(void *s, const int16_t *samples, int count);

void *hdlc_rx_init(void *s, int crc32, int report_bad, int threshold, frame_func_t handler, void *user);
void hdlc_rx_set_status_handler(void *s, status_func_t handler, void *user);
void hdlc_rx_set_max_frame_len(void *s, size_t octets);
int hdlc_rx_restart(void *s);
int hdlc_rx_free(void *s);
void hdlc_rx_put_bit(void *s, int bit);
void *hdlc_tx_init(void *s, int crc32, int flags_between, int progressive, underflow_func_t handler,
    void *user);
int hdlc_tx_frame(void *s, const uint8_t *octets, size_t count);
int hdlc_tx_flags(void *s, int count);
int hdlc_tx_get_bit(void *s);
int hdlc_tx_restart(void *s);
int hdlc_tx_free(void *s);

void *modem_connect_tones_tx_init(void *s, int tone);
int modem_connect_tones_tx(void *s, int16_t *samples, int count);
int modem_connect_tones_tx_free(void *s);
void *modem_connect_tones_rx_init(void *s, int tone, tone_report_func_t report, void *user);
int modem_connect_tones_rx(void *s, const int16_t *samples, int count);
int modem_connect_tones_rx_free(void *s);
"""

# Of each fast modulation, ``{v}``; V.17 alone has short training to send.
_FAST_DECLARATIONS = """
void *{v}_tx_init(void *s, int rate, int tep, get_bit_func_t get_bit, void *user);
int {v}_tx_restart(void *s, int rate, int tep{short_train});
void {v}_tx_set_get_bit(void *s, get_bit_func_t get_bit, void *user);
int {v}_tx_free(void *s);
int {v}_tx(void *s, int16_t *samples, int count);
void *{v}_rx_init(void *s, int rate, put_bit_func_t put_bit, void *user);
int {v}_rx_restart(void *s, int rate, int short_train);
void {v}_rx_set_put_bit(void *s, put_bit_func_t put_bit, void *user);
void {v}_rx_signal_cutoff(void *s, float level);
int {v}_rx_free(void *s);
int {v}_rx(void *s, const int16_t *samples, int count);
"""
_PREFIX = {Modulation.V17: "v17", Modulation.V29: "v29", Modulation.V27TER: "v27ter"}

SAMPLE_RATE = 8000  # Hz

# spandsp's enumerations, the same in every 0.0.6.
V21_CHANNEL_2 = 1  # index of preset_fsk_specs
TONE_CNG = 1
TONE_CED = 2  # 2100 Hz: ANS


class ModemStatus(IntEnum):
    """The values that a modem reports in place of a bit (spandsp's async.h)."""

    CARRIER_DOWN = -1
    CARRIER_UP = -2
    TRAINING_IN_PROGRESS = -3
    TRAINING_SUCCEEDED = -4
    TRAINING_FAILED = -5
    FRAMING_OK = -6
    END_OF_DATA = -7
    ABORT = -8


@functools.cache
def spandsp() -> tuple[Any, Any]:
    """cffi's interface and the library.  Raises as ``open_spandsp``."""
    fast = [
        _FAST_DECLARATIONS.format(v=prefix, short_train=", int short_train" if prefix == "v17" else "")
        for prefix in _PREFIX.values()
    ]
    return open_spandsp(_DECLARATIONS + "".join(fast))


@dataclass(frozen=True, slots=True)
class FastModem:
    """The functions of one modulation."""

    tx_init: Any
    tx_restart: Any
    tx_set_get_bit: Any
    tx_free: Any
    tx: Any
    rx_init: Any
    rx_restart: Any
    rx_set_put_bit: Any
    rx_signal_cutoff: Any
    rx_free: Any
    rx: Any


@functools.cache
def fast_modem(modulation: Modulation) -> FastModem:
    """The functions of a fast modulation."""
    _, library = spandsp()
    names = (field.name for field in fields(FastModem))
    return FastModem(**{name: getattr(library, f"{_PREFIX[modulation]}_{name}") for name in names})
