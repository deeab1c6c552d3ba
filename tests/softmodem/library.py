"""libspandsp's T.31 modem and fax machine through cffi: declarations, and one set of callbacks."""

from __future__ import annotations

from typing import Any

from appliance.spandsp import open_spandsp

TICK_SAMPLES = 160  # 20 ms at 8 kHz
TICK_S = 0.02
SILENT_TICK = bytes(2 * TICK_SAMPLES)

DECLARATIONS = """
typedef struct t31_state_s t31_state_t;
typedef struct t30_state_s t30_state_t;
typedef struct fax_state_s fax_state_t;
typedef struct {
    int echo; int verbose; int result_code_format; int pulse_dial; int double_escape; int adaptive_receive;
    uint8_t s_regs[100];
} at_profile_t;
typedef struct {
    at_profile_t p;
    int country_of_installation; int dte_inactivity_timeout; int dte_inactivity_action;
    int speaker_volume; int speaker_mode; int dte_rate; int dte_char_format; int dte_parity;
    int rlsd_behaviour; int dtr_behaviour; int carrier_loss_timeout; int result_code_mode;
    int dsr_option; int long_space_disconnect_option; int sync_tx_clock_source; int rx_window; int tx_window;
    int v8bis_signal; int v8bis_1st_message; int v8bis_2nd_message; int v8bis_sig_en; int v8bis_msg_en;
    int v8bis_supp_delay;
    uint8_t rx_data[256]; int rx_data_bytes;
    int display_call_info; int call_info_displayed; void *call_id; char *local_id;
    int fclass_mode; int at_rx_mode;
} at_head_t;
typedef struct {
    int bit_rate; int error_correcting_mode; int pages_tx; int pages_rx; int pages_in_file;
    int x_resolution; int y_resolution; int width; int length; int image_size; int encoding;
    int bad_rows; int longest_bad_row_run; int error_correcting_mode_retries; int current_status;
} t30_stats_t;

typedef int at_tx_handler_t(void *s, void *user_data, const uint8_t *buf, size_t len);
typedef int t31_modem_control_handler_t(t31_state_t *s, void *user_data, int op, const char *num);
typedef void t30_phase_e_handler_t(t30_state_t *s, void *user_data, int completion_code);
typedef void message_handler_func_t(int level, const char *text);

t31_state_t *t31_init(t31_state_t *s, at_tx_handler_t *at_tx, void *at_tx_user,
    t31_modem_control_handler_t *control, void *control_user, void *t38, void *t38_user);
int t31_free(t31_state_t *s);
void t31_call_event(t31_state_t *s, int event);
int t31_at_rx(t31_state_t *s, const char *t, int len);
int t31_rx(t31_state_t *s, int16_t *amp, int len);
int t31_tx(t31_state_t *s, int16_t *amp, int max_len);
void t31_set_transmit_on_idle(t31_state_t *s, int on);
void at_set_call_info(void *s, const char *id, const char *value);
void at_reset_call_info(void *s);

fax_state_t *fax_init(fax_state_t *s, int calling_party);
int fax_free(fax_state_t *s);
int fax_rx(fax_state_t *s, int16_t *amp, int len);
int fax_tx(fax_state_t *s, int16_t *amp, int max_len);
void fax_set_transmit_on_idle(fax_state_t *s, int on);
t30_state_t *fax_get_t30_state(fax_state_t *s);
void t30_terminate(t30_state_t *s);
void t30_set_tx_file(t30_state_t *s, const char *file, int start_page, int stop_page);
void t30_set_rx_file(t30_state_t *s, const char *file, int stop_page);
int t30_set_tx_ident(t30_state_t *s, const char *id);
const char *t30_get_rx_ident(t30_state_t *s);
int t30_set_ecm_capability(t30_state_t *s, int enabled);
int t30_set_rx_encoding(t30_state_t *s, int encoding);
int t30_set_minimum_scan_line_time(t30_state_t *s, int min_time);
int t30_set_supported_modems(t30_state_t *s, int supported_modems);
int t30_set_supported_compressions(t30_state_t *s, int supported_compressions);
int t30_set_supported_resolutions(t30_state_t *s, int supported_resolutions);
int t30_set_supported_image_sizes(t30_state_t *s, int supported_image_sizes);
void t30_set_phase_e_handler(t30_state_t *s, t30_phase_e_handler_t *handler, void *user_data);
void t30_get_transfer_statistics(t30_state_t *s, t30_stats_t *t);
const char *t30_completion_code_to_str(int result);
void span_set_message_handler(message_handler_func_t *handler);
"""

ffi, library = open_spandsp(DECLARATIONS)
NULL = ffi.NULL


@ffi.callback("message_handler_func_t")
def _quiet(_level: int, _text: Any) -> None:
    """spandsp would write to standard error."""


library.span_set_message_handler(_quiet)


@ffi.callback("at_tx_handler_t")
def on_at_output(_state: Any, handle: Any, octets: Any, length: int) -> int:
    ffi.from_handle(handle).from_modem(ffi.buffer(octets, length)[:])
    return 0


@ffi.callback("t31_modem_control_handler_t")
def on_modem_control(_state: Any, handle: Any, operation: int, number: Any) -> int:
    ffi.from_handle(handle).control(operation, number)
    return 0


@ffi.callback("t30_phase_e_handler_t")
def on_phase_e(_state: Any, handle: Any, status: int) -> None:
    ffi.from_handle(handle).phase_e(status)
