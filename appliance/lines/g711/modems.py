"""spandsp's fax modems, one set for a call: V.21, V.27ter, V.29, V.17, and the tones CNG and CED.

Only the modems themselves are used, never spandsp's T.31 or T.30.  Samples are 16-bit linear at 8 kHz in
the machine's byte order.  Bits of frames and data are least significant first, as ``appliance.t30.dce``
has them.  Nothing here knows the time: it goes by samples.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

from appliance.lines.g711.hdlc import HdlcReceiver
from appliance.spandsp import open_spandsp
from appliance.t30.dce import MAX_FRAME_OCTETS, Carrier, Modulation, Tone

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

void *v17_tx_init(void *s, int rate, int tep, get_bit_func_t get_bit, void *user);
int v17_tx_restart(void *s, int rate, int tep, int short_train);
void v17_tx_set_get_bit(void *s, get_bit_func_t get_bit, void *user);
int v17_tx_free(void *s);
int v17_tx(void *s, int16_t *samples, int count);
void *v17_rx_init(void *s, int rate, put_bit_func_t put_bit, void *user);
int v17_rx_restart(void *s, int rate, int short_train);
void v17_rx_set_put_bit(void *s, put_bit_func_t put_bit, void *user);
void v17_rx_signal_cutoff(void *s, float level);
int v17_rx_free(void *s);
int v17_rx(void *s, const int16_t *samples, int count);

void *v29_tx_init(void *s, int rate, int tep, get_bit_func_t get_bit, void *user);
int v29_tx_restart(void *s, int rate, int tep);
void v29_tx_set_get_bit(void *s, get_bit_func_t get_bit, void *user);
int v29_tx_free(void *s);
int v29_tx(void *s, int16_t *samples, int count);
void *v29_rx_init(void *s, int rate, put_bit_func_t put_bit, void *user);
int v29_rx_restart(void *s, int rate, int old_train);
void v29_rx_set_put_bit(void *s, put_bit_func_t put_bit, void *user);
void v29_rx_signal_cutoff(void *s, float level);
int v29_rx_free(void *s);
int v29_rx(void *s, const int16_t *samples, int count);

void *v27ter_tx_init(void *s, int rate, int tep, get_bit_func_t get_bit, void *user);
int v27ter_tx_restart(void *s, int rate, int tep);
void v27ter_tx_set_get_bit(void *s, get_bit_func_t get_bit, void *user);
int v27ter_tx_free(void *s);
int v27ter_tx(void *s, int16_t *samples, int count);
void *v27ter_rx_init(void *s, int rate, put_bit_func_t put_bit, void *user);
int v27ter_rx_restart(void *s, int rate, int old_train);
void v27ter_rx_set_put_bit(void *s, put_bit_func_t put_bit, void *user);
void v27ter_rx_signal_cutoff(void *s, float level);
int v27ter_rx_free(void *s);
int v27ter_rx(void *s, const int16_t *samples, int count);

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

SAMPLE_RATE = 8000  # Hz

# spandsp's enumerations, the same in every 0.0.6.
_V21_CHANNEL_2 = 1  # index of preset_fsk_specs
_FSK_SYNC = 1
_TONE_CNG = 1
_TONE_CED = 2  # 2100 Hz: ANS
# Several kinds of 2100 Hz answer tone are a CED to a fax machine: plain, with phase reversals, ANSam.
_CED_CODES = frozenset({2, 3, 4, 5})

# Levels that a receiver must still take: T.30 5.1 asks -43 dBm of a telephone line; V.21 of spandsp
# turns to noise below -39.
_FAST_CUTOFF_DBM0 = -45.5
_V21_CUTOFF_DBM0 = -39.1
# Flags before the first frame of a block that spandsp must see; T.4 A.3.1 sends 200 ms of them.
_FAST_FLAGS = 2
# Between the frames of a V.21 burst.  One would do (T.30 5.3.6); receivers that lost the frame before
# to a lost packet find the next one the sooner, and some want as many as five again.
_V21_FLAGS_BETWEEN = 5


# V.21's demodulator looks at a symbol (27 samples) at a time: so long after a concealed packet its bits
# are still in doubt.
DOUBT_AFTER_SAMPLES = 40


class Status(IntEnum):
    """What a modem says in place of a bit (spandsp's async.h)."""

    CARRIER_DOWN = -1
    CARRIER_UP = -2
    TRAINING_IN_PROGRESS = -3
    TRAINING_SUCCEEDED = -4
    TRAINING_FAILED = -5
    FRAMING_OK = -6
    END_OF_DATA = -7
    ABORT = -8


_STATUSES = frozenset(int(status) for status in Status)
_END_OF_DATA = int(Status.END_OF_DATA)


@functools.cache
def _spandsp() -> tuple[Any, Any]:
    return open_spandsp(_DECLARATIONS)


@dataclass(frozen=True, slots=True)
class _FastModem:
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


_PREFIX = {Modulation.V17: "v17", Modulation.V29: "v29", Modulation.V27TER: "v27ter"}


@functools.cache
def _fast_modem(modulation: Modulation) -> _FastModem:
    _, library = _spandsp()
    names = (field.name for field in fields(_FastModem))
    return _FastModem(**{name: getattr(library, f"{_PREFIX[modulation]}_{name}") for name in names})


class Receiver:
    """Listens with V.21 and, when asked, one fast modem beside it; reports through callables.

    ``on_status(fast, status)``, ``on_frame(fast, octets, ok)``, ``on_bits(bits)`` with a list of 0 and 1,
    ``on_tone(tone)``.
    """

    def __init__(
        self,
        on_status: Callable[[bool, Status], None],
        on_frame: Callable[[bool, bytes, bool], None],
        on_tone: Callable[[Tone], None],
    ) -> None:
        self._ffi, self._library = ffi, library = _spandsp()
        self._on_status = on_status
        self._on_frame = on_frame
        self._on_tone = on_tone
        self.bits: list[int] = []  # bits of the fast carrier when it carries plain data
        self._fast: Any = None
        self._fast_modem: _FastModem | None = None
        self._fast_states: dict[Modulation, Any] = {}
        self._tones: list[Any] = []
        self._doubtful = False  # the bits that come now stand on concealed samples
        self._doubt = 0  # samples for which that goes on
        self._put_bit = ffi.callback("put_bit_func_t", self._take_bit)
        self._frame_fast = ffi.callback("frame_func_t", self._take_frame)
        self._slow_bit = ffi.callback("put_bit_func_t", self._take_slow_bit)
        self._status_fast = ffi.callback("status_func_t", self._take_status)
        self._tone_report = ffi.callback("tone_report_func_t", self._take_tone)
        self._hdlc_slow = HdlcReceiver(
            functools.partial(on_status, False, Status.FRAMING_OK), functools.partial(on_frame, False)
        )
        self._hdlc_fast = ffi.gc(
            library.hdlc_rx_init(ffi.NULL, 0, 1, _FAST_FLAGS, self._frame_fast, ffi.NULL),
            library.hdlc_rx_free,
        )
        library.hdlc_rx_set_status_handler(self._hdlc_fast, self._status_fast, ffi.NULL)
        library.hdlc_rx_set_max_frame_len(self._hdlc_fast, MAX_FRAME_OCTETS)
        specification = ffi.addressof(library.preset_fsk_specs[_V21_CHANNEL_2])
        self._hdlc_put_bit = ffi.addressof(library, "hdlc_rx_put_bit")
        self._v21 = ffi.gc(
            library.fsk_rx_init(ffi.NULL, specification, _FSK_SYNC, self._slow_bit, ffi.NULL),
            library.fsk_rx_free,
        )
        library.fsk_rx_signal_cutoff(self._v21, _V21_CUTOFF_DBM0)

    def listen_fast(self, carrier: Carrier, *, frames: bool, short_train: bool) -> None:
        """From now on a fast carrier is expected too; ``frames`` unpacks HDLC, else bits are collected."""
        ffi, library = self._ffi, self._library
        self._fast_modem = modem = _fast_modem(carrier.modulation)
        self.bits.clear()
        if frames:
            library.hdlc_rx_restart(self._hdlc_fast)
            put_bit, user = self._hdlc_put_bit, self._hdlc_fast
        else:
            put_bit, user = self._put_bit, ffi.NULL
        state = self._fast_states.get(carrier.modulation)
        if state is None:
            # Kept for the call: V.17's short training needs what the long one found out.
            state = ffi.gc(modem.rx_init(ffi.NULL, carrier.bit_rate, put_bit, user), modem.rx_free)
            modem.rx_signal_cutoff(state, _FAST_CUTOFF_DBM0)
            self._fast_states[carrier.modulation] = state
            short_train = False
        modem.rx_set_put_bit(state, put_bit, user)
        modem.rx_restart(state, carrier.bit_rate, 1 if short_train else 0)
        self._fast = state

    def stop_fast(self) -> None:
        self._fast = None

    def listen_tones(self, tones: Sequence[Tone]) -> None:
        """From now on these tones are reported; none stops it."""
        ffi, library = self._ffi, self._library
        codes = [_TONE_CNG if tone is Tone.CNG else _TONE_CED for tone in tones]
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
        """V.21 with doubt about what a concealed packet and the symbol after it said."""
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
            self._on_status(True, Status(bit))

    def _take_slow_bit(self, user: Any, bit: int) -> None:
        if bit >= 0:
            self._hdlc_slow.put(bit, doubtful=self._doubtful)
        elif bit in _STATUSES:
            if bit == Status.CARRIER_DOWN:
                self._hdlc_slow.reset()
            self._on_status(False, Status(bit))

    def _take_frame(self, user: Any, octets: Any, count: int, ok: int) -> None:
        # A count below zero is a status.
        if count < 0:
            self._take_status(user, count)
        else:
            self._on_frame(True, bytes(self._ffi.buffer(octets, count)) if count else b"", bool(ok))

    def _take_status(self, user: Any, status: int) -> None:
        if status in _STATUSES:
            self._on_status(True, Status(status))

    def _take_tone(self, user: Any, code: int, level: int, delay: int) -> None:
        if code == _TONE_CNG:
            self._on_tone(Tone.CNG)
        elif code in _CED_CODES:
            self._on_tone(Tone.CED)


# Fills a buffer with at most so many samples; fewer mean that it is done.
_Stage = Callable[[Any, int], int]


class Transmitter:
    """Speaks one thing after the other: silence, tones, V.21 bursts, fast carriers."""

    def __init__(self) -> None:
        self._ffi, self._library = ffi, library = _spandsp()
        self._stages: deque[_Stage] = deque()
        self._frames: deque[bytes] = deque()
        self._tail_flags = 0
        self._bits: Any = iter(())
        self._get_bit = ffi.callback("get_bit_func_t", self._next_bit)
        self._underflow = ffi.callback("underflow_func_t", self._feed)
        self._slow_hdlc = self._hdlc_tx(_V21_FLAGS_BETWEEN)
        self._fast_hdlc = self._hdlc_tx(1)
        self._hdlc = self._fast_hdlc  # the one in use
        self._hdlc_get_bit = ffi.addressof(library, "hdlc_tx_get_bit")
        self._fast_states: dict[Modulation, Any] = {}
        self._keep: Any = None  # the modem in use, so that it is not freed under spandsp

    def _hdlc_tx(self, flags_between: int) -> Any:
        ffi, library = self._ffi, self._library
        state = library.hdlc_tx_init(ffi.NULL, 0, flags_between, 0, self._underflow, ffi.NULL)
        return ffi.gc(state, library.hdlc_tx_free)

    @property
    def speaks(self) -> bool:
        return bool(self._stages)

    def stop(self) -> None:
        """Falls silent at once."""
        self._stages.clear()
        self._frames.clear()

    def silence(self, seconds: float) -> None:
        left = round(seconds * SAMPLE_RATE)

        def fill(buffer: Any, count: int) -> int:
            nonlocal left
            count = min(count, left)
            self._ffi.memmove(buffer, bytes(2 * count), 2 * count)
            left -= count
            return count

        self._stages.append(fill)

    def tone(self, tone: Tone) -> None:
        """CNG goes on until ``stop``; CED ends by itself."""
        code = _TONE_CNG if tone is Tone.CNG else _TONE_CED
        ffi, library = self._ffi, self._library
        state = ffi.gc(
            library.modem_connect_tones_tx_init(ffi.NULL, code), library.modem_connect_tones_tx_free
        )
        self._stages.append(lambda buffer, count: int(library.modem_connect_tones_tx(state, buffer, count)))

    def v21(self, frames: Sequence[bytes], preamble_flags: int, tail_flags: int) -> None:
        ffi, library = self._ffi, self._library

        def begin() -> Any:
            self._hdlc = self._slow_hdlc
            self._begin_frames(frames, preamble_flags, tail_flags)
            specification = ffi.addressof(library.preset_fsk_specs[_V21_CHANNEL_2])
            return ffi.gc(
                library.fsk_tx_init(ffi.NULL, specification, self._hdlc_get_bit, self._hdlc),
                library.fsk_tx_free,
            )

        self._stages.append(self._modem_stage(begin, library.fsk_tx))

    def fast_frames(
        self,
        carrier: Carrier,
        *,
        short_train: bool,
        frames: Sequence[bytes],
        preamble_flags: int,
        tail_flags: int,
    ) -> None:
        def begin() -> Any:
            self._hdlc = self._fast_hdlc
            self._begin_frames(frames, preamble_flags, tail_flags)
            return self._fast(carrier, short_train, self._hdlc_get_bit, self._hdlc)

        self._stages.append(self._modem_stage(begin, _fast_modem(carrier.modulation).tx))

    def fast_bits(self, carrier: Carrier, *, short_train: bool, octets: bytes) -> None:
        def begin() -> Any:
            self._bits = _bits_of(octets)
            return self._fast(carrier, short_train, self._get_bit, self._ffi.NULL)

        self._stages.append(self._modem_stage(begin, _fast_modem(carrier.modulation).tx))

    def speak(self, count: int) -> bytes:
        """The next samples, silence where nothing is to be said."""
        ffi = self._ffi
        buffer = ffi.new("int16_t[]", count)
        done = 0
        while self._stages and done < count:
            stage = self._stages[0]
            made = stage(buffer + done, count - done)
            done += made
            if done < count and self._stages and self._stages[0] is stage:
                self._stages.popleft()
        return bytes(ffi.buffer(buffer))

    # -- inside ---------------------------------------------------------------------------

    def _modem_stage(self, begin: Callable[[], Any], generate: Any) -> _Stage:
        state: Any = None

        def fill(buffer: Any, count: int) -> int:
            nonlocal state
            if state is None:
                state = self._keep = begin()
            return int(generate(state, buffer, count))

        return fill

    def _fast(self, carrier: Carrier, short_train: bool, get_bit: Any, user: Any) -> Any:
        modem = _fast_modem(carrier.modulation)
        state = self._fast_states.get(carrier.modulation)
        if state is None:
            state = self._ffi.gc(
                modem.tx_init(self._ffi.NULL, carrier.bit_rate, 0, get_bit, user), modem.tx_free
            )
            self._fast_states[carrier.modulation] = state
        modem.tx_set_get_bit(state, get_bit, user)
        if carrier.modulation is Modulation.V17:
            modem.tx_restart(state, carrier.bit_rate, 0, 1 if short_train else 0)
        else:
            modem.tx_restart(state, carrier.bit_rate, 0)
        return state

    def _begin_frames(self, frames: Sequence[bytes], preamble_flags: int, tail_flags: int) -> None:
        self._frames.clear()
        self._frames.extend(frames)
        self._tail_flags = tail_flags
        self._library.hdlc_tx_restart(self._hdlc)
        self._library.hdlc_tx_flags(self._hdlc, preamble_flags)

    def _next_bit(self, user: Any) -> int:
        return int(next(self._bits, _END_OF_DATA))

    def _feed(self, user: Any) -> None:
        """spandsp has run out of flags or frames: the next frame, the closing flags, the end."""
        library = self._library
        if self._frames:
            frame = self._frames.popleft()
            library.hdlc_tx_frame(self._hdlc, frame, len(frame))
        elif self._tail_flags:
            flags, self._tail_flags = self._tail_flags, 0
            library.hdlc_tx_flags(self._hdlc, flags)
        else:
            library.hdlc_tx_frame(self._hdlc, self._ffi.NULL, 0)


def _bits_of(octets: bytes) -> Any:
    for octet in octets:
        for place in range(8):
            yield octet >> place & 1
