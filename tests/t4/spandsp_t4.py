"""spandsp's own T.4 and T.6 coder and decoder, an independent peer: coded octets in and out, TIFF between."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from appliance.spandsp import open_spandsp
from appliance.t4.bits import reverse_bits
from appliance.t4.page import Coding, Resolution

_DECLARATIONS = """
typedef struct { int pages_transferred; int pages_in_file; int width; int length; int bad_rows;
    int longest_bad_row_run; int x_resolution; int y_resolution; int encoding;
    int line_image_size; } t4_stats_t;
void *t4_rx_init(void *s, const char *file, int output_encoding);
void t4_rx_set_rx_encoding(void *s, int encoding);
void t4_rx_set_image_width(void *s, int width);
void t4_rx_set_x_resolution(void *s, int resolution);
void t4_rx_set_y_resolution(void *s, int resolution);
int t4_rx_start_page(void *s);
int t4_rx_put_chunk(void *s, const uint8_t buf[], int len);
int t4_rx_end_page(void *s);
void t4_rx_get_transfer_statistics(void *s, t4_stats_t *t);
int t4_rx_free(void *s);
void *t4_tx_init(void *s, const char *file, int start_page, int stop_page);
void t4_tx_set_tx_encoding(void *s, int encoding);
void t4_tx_set_min_bits_per_row(void *s, int bits);
int t4_tx_start_page(void *s);
int t4_tx_get_chunk(void *s, uint8_t buf[], int max_len);
int t4_tx_end_page(void *s);
int t4_tx_free(void *s);
"""
_ENCODING = {Coding.MH: 1, Coding.MR: 2, Coding.MMR: 3}
# Pixels per metre, as spandsp names its resolutions.
_X = {204: 8031, 300: 11811, 400: 16063, 408: 16063}
_Y = {98: 3850, 196: 7700, 300: 11811, 391: 15400, 400: 15400}


@dataclass(frozen=True)
class Statistics:
    rows: int
    bad_rows: int
    longest_bad_run: int
    ended: bool  # spandsp saw RTC or EOFB


class SpandspT4:
    """Raises SpandspMissingError where the library is not installed."""

    def __init__(self) -> None:
        self._ffi, self._library = open_spandsp(_DECLARATIONS)

    def receive(
        self, coding: Coding, width: int, resolution: Resolution, data: bytes, file: Path
    ) -> Statistics:
        """Lets spandsp decode a page into a TIFF file."""
        data += bytes(4)  # it looks at bits only when there are more behind them
        ffi, library = self._ffi, self._library
        state = library.t4_rx_init(ffi.NULL, str(file).encode(), _ENCODING[Coding.MMR])
        assert state != ffi.NULL
        library.t4_rx_set_rx_encoding(state, _ENCODING[coding])
        library.t4_rx_set_image_width(state, width)
        library.t4_rx_set_x_resolution(state, _X[resolution.x_dpi])
        library.t4_rx_set_y_resolution(state, _Y[resolution.y_dpi])
        assert library.t4_rx_start_page(state) == 0
        ended = False
        for at in range(0, len(data), 256):
            piece = reverse_bits(data[at : at + 256])
            ended = bool(library.t4_rx_put_chunk(state, piece, len(piece))) or ended
        library.t4_rx_end_page(state)
        found = ffi.new("t4_stats_t *")
        library.t4_rx_get_transfer_statistics(state, found)
        result = Statistics(found.length, found.bad_rows, found.longest_bad_row_run, ended)
        library.t4_rx_free(state)
        return result

    def send(self, file: Path, coding: Coding, min_row_bits: int = 0) -> bytes:
        """The first page of a TIFF file, as spandsp codes it for the line."""
        ffi, library = self._ffi, self._library
        state = library.t4_tx_init(ffi.NULL, str(file).encode(), -1, -1)
        assert state != ffi.NULL
        library.t4_tx_set_tx_encoding(state, _ENCODING[coding])
        library.t4_tx_set_min_bits_per_row(state, min_row_bits)
        assert library.t4_tx_start_page(state) == 0
        data = b""
        buffer = ffi.new("uint8_t[]", 4096)
        while (count := library.t4_tx_get_chunk(state, buffer, 4096)) > 0:
            data += bytes(ffi.buffer(buffer, count))
        library.t4_tx_end_page(state)
        library.t4_tx_free(state)
        return reverse_bits(data)
