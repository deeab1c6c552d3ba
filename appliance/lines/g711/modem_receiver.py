"""``ModemReceiver``: reception of V.21, one fast carrier, CNG and CED with spandsp's modems.

Time is counted in samples; no clock is read.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from appliance.lines.g711 import modems
from appliance.lines.g711.hdlc import HdlcReceiver
from appliance.t30.dce import MAX_FRAME_OCTETS, Carrier, Modulation, Tone

_FSK_SYNC = 1
# Several kinds of 2100 Hz answer tone are a CED to a fax machine: plain, with phase reversals, ANSam.
_CED_CODES = frozenset({2, 3, 4, 5})

# Levels that a receiver must still take: T.30 5.1 asks -43 dBm of a telephone line; V.21 of spandsp
# turns to noise below -39.
_FAST_CUTOFF_DBM0 = -45.5
_V21_CUTOFF_DBM0 = -39.1
# Flags before the first frame of a block that spandsp must see; T.4 A.3.1 sends 200 ms of them.
_FAST_FLAGS = 2

# V.21's demodulator examines a symbol (27 samples) at a time, so its bits stay in doubt for this long after a
# concealed packet.
DOUBT_AFTER_SAMPLES = 40
_STATUSES = frozenset(int(status) for status in modems.ModemStatus)


class ModemReceiver:
    """Receives V.21 and, on request, one fast modem at the same time.

    Reports through callables: ``on_status(fast, status)``, ``on_frame(fast, octets, ok)``, ``on_tone(tone)``;
    ``fast`` tells the two modems apart.  Bits of plain data gather in ``bits``.
    """

    def __init__(
        self,
        on_status: Callable[[bool, modems.ModemStatus], None],
        on_frame: Callable[[bool, bytes, bool], None],
        on_tone: Callable[[Tone], None],
    ) -> None:
        self._ffi, self._library = ffi, library = modems.spandsp()
        self._on_status = on_status
        self._on_frame = on_frame
        self._on_tone = on_tone
        self.bits: list[int] = []  # bits of the fast carrier when it carries plain data
        self._fast: Any = None
        self._fast_modem: modems.FastModem | None = None
        self._fast_states: dict[Modulation, Any] = {}
        self._tones: list[Any] = []
        self._doubtful = False  # the present bits come from concealed samples
        self._doubt = 0  # samples for which that continues
        self._put_bit = ffi.callback("put_bit_func_t", self._take_bit)
        self._frame_fast = ffi.callback("frame_func_t", self._take_frame)
        self._slow_bit = ffi.callback("put_bit_func_t", self._take_slow_bit)
        self._status_fast = ffi.callback("status_func_t", self._take_status)
        self._tone_report = ffi.callback("tone_report_func_t", self._take_tone)
        self._hdlc_slow = HdlcReceiver(
            functools.partial(on_status, False, modems.ModemStatus.FRAMING_OK),
            functools.partial(on_frame, False),
        )
        self._hdlc_fast = ffi.gc(
            library.hdlc_rx_init(ffi.NULL, 0, 1, _FAST_FLAGS, self._frame_fast, ffi.NULL),
            library.hdlc_rx_free,
        )
        library.hdlc_rx_set_status_handler(self._hdlc_fast, self._status_fast, ffi.NULL)
        library.hdlc_rx_set_max_frame_len(self._hdlc_fast, MAX_FRAME_OCTETS)
        specification = ffi.addressof(library.preset_fsk_specs[modems.V21_CHANNEL_2])
        self._hdlc_put_bit = ffi.addressof(library, "hdlc_rx_put_bit")
        self._v21 = ffi.gc(
            library.fsk_rx_init(ffi.NULL, specification, _FSK_SYNC, self._slow_bit, ffi.NULL),
            library.fsk_rx_free,
        )
        library.fsk_rx_signal_cutoff(self._v21, _V21_CUTOFF_DBM0)

    def listen_fast(self, carrier: Carrier, *, frames: bool, short_train: bool) -> None:
        """From now on a fast carrier is expected too; ``frames`` unpacks HDLC, else bits are collected."""
        ffi, library = self._ffi, self._library
        self._fast_modem = modem = modems.fast_modem(carrier.modulation)
        self.bits.clear()
        if frames:
            library.hdlc_rx_restart(self._hdlc_fast)
            put_bit, user = self._hdlc_put_bit, self._hdlc_fast
        else:
            put_bit, user = self._put_bit, ffi.NULL
        state = self._fast_states.get(carrier.modulation)
        if state is None:
            # Kept for the whole call:  V.17's short training needs the result of the long one.
            state = ffi.gc(modem.rx_init(ffi.NULL, carrier.bit_rate, put_bit, user), modem.rx_free)
            modem.rx_signal_cutoff(state, _FAST_CUTOFF_DBM0)
            self._fast_states[carrier.modulation] = state
            short_train = False
        modem.rx_set_put_bit(state, put_bit, user)
        modem.rx_restart(state, carrier.bit_rate, 1 if short_train else 0)
        self._fast = state

    def stop_fast(self) -> None:
        """Stops listening for a fast carrier."""
        self._fast = None

    def listen_tones(self, tones: Sequence[Tone]) -> None:
        """From now on these tones are reported; none stops it."""
        ffi, library = self._ffi, self._library
        codes = [modems.TONE_CNG if tone is Tone.CNG else modems.TONE_CED for tone in tones]
        self._tones = [
            ffi.gc(
                library.modem_connect_tones_rx_init(ffi.NULL, code, self._tone_report, ffi.NULL),
                library.modem_connect_tones_rx_free,
            )
            for code in codes
        ]

    def hear(self, samples: bytes, *, slow: bool = True, concealed: bool = False) -> None:
        """Feeds samples; without ``slow`` V.21 stays deaf (a fast carrier is up).

        ``concealed``: the samples stand in for a lost packet.
        """
        ffi, library = self._ffi, self._library
        count = len(samples) // 2
        buffer = ffi.from_buffer("int16_t[]", samples)
        for tone in self._tones:
            library.modem_connect_tones_rx(tone, buffer, count)
        if slow:
            self._hear_slow(buffer, count, concealed)
        if self._fast is not None and self._fast_modem is not None:
            self._fast_modem.rx(self._fast, buffer, count)

    def _hear_slow(self, buffer: Any, count: int, concealed: bool) -> None:
        """V.21 whose bits within a concealed packet and the symbol after it are doubtful."""
        fsk_rx = self._library.fsk_rx
        if concealed:
            self._doubt = DOUBT_AFTER_SAMPLES
            self._doubtful = True
            fsk_rx(self._v21, buffer, count)
        elif self._doubt:
            first = min(self._doubt, count)
            self._doubt -= first
            fsk_rx(self._v21, buffer, first)
            self._doubtful = self._doubt > 0
            if count > first:
                fsk_rx(self._v21, buffer + first, count - first)
        else:
            fsk_rx(self._v21, buffer, count)

    # -- spandsp's callbacks: they must not raise --------------------------------------------

    def _take_bit(self, user: Any, bit: int) -> None:
        if bit >= 0:
            self.bits.append(bit)
        elif bit in _STATUSES:
            self._on_status(True, modems.ModemStatus(bit))

    def _take_slow_bit(self, user: Any, bit: int) -> None:
        if bit >= 0:
            self._hdlc_slow.put(bit, doubtful=self._doubtful)
        elif bit in _STATUSES:
            if bit == modems.ModemStatus.CARRIER_DOWN:
                self._hdlc_slow.reset()
            self._on_status(False, modems.ModemStatus(bit))

    def _take_frame(self, user: Any, octets: Any, count: int, ok: int) -> None:
        # A count below zero is a status.
        if count < 0:
            self._take_status(user, count)
        else:
            self._on_frame(True, bytes(self._ffi.buffer(octets, count)) if count else b"", bool(ok))

    def _take_status(self, user: Any, status: int) -> None:
        if status in _STATUSES:
            self._on_status(True, modems.ModemStatus(status))

    def _take_tone(self, user: Any, code: int, level: int, delay: int) -> None:
        if code == modems.TONE_CNG:
            self._on_tone(Tone.CNG)
        elif code in _CED_CODES:
            self._on_tone(Tone.CED)
