"""``Transmitter``: transmission of silence, tones, V.21 bursts and fast carriers with spandsp's modems.

Time is counted in samples; no clock is read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from appliance.lines.g711 import modems
from appliance.t30.dce import Carrier, Modulation, Tone

# Between the frames of a V.21 burst.  One would do (T.30 5.3.6); receivers that lost the frame before
# to a lost packet find the next one the sooner, and some want as many as five again.
_V21_FLAGS_BETWEEN = 5
_END_OF_DATA = int(modems.ModemStatus.END_OF_DATA)


# Fills a buffer with at most so many samples; fewer mean that it is done.
_Stage = Callable[[Any, int], int]


class Transmitter:
    """Sends silence, tones, V.21 bursts and fast carriers, one after the other."""

    def __init__(self) -> None:
        self._ffi, self._library = ffi, library = modems.spandsp()
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
        """Whether it has something to send."""
        return bool(self._stages)

    def stop(self) -> None:
        """Changes to silence at once."""
        self._stages.clear()
        self._frames.clear()

    def silence(self, seconds: float) -> None:
        """Queues silence of so many seconds."""
        left = round(seconds * modems.SAMPLE_RATE)

        def fill(buffer: Any, count: int) -> int:
            nonlocal left
            count = min(count, left)
            self._ffi.memmove(buffer, bytes(2 * count), 2 * count)
            left -= count
            return count

        self._stages.append(fill)

    def tone(self, tone: Tone) -> None:
        """CNG goes on until ``stop``; CED ends by itself."""
        code = modems.TONE_CNG if tone is Tone.CNG else modems.TONE_CED
        ffi, library = self._ffi, self._library
        state = ffi.gc(
            library.modem_connect_tones_tx_init(ffi.NULL, code), library.modem_connect_tones_tx_free
        )
        self._stages.append(lambda buffer, count: int(library.modem_connect_tones_tx(state, buffer, count)))

    def v21(self, frames: Sequence[bytes], preamble_flags: int, tail_flags: int) -> None:
        """Queues V.21 frames (without FCS) with flags before and after them."""
        ffi, library = self._ffi, self._library

        def begin() -> Any:
            self._hdlc = self._slow_hdlc
            self._begin_frames(frames, preamble_flags, tail_flags)
            specification = ffi.addressof(library.preset_fsk_specs[modems.V21_CHANNEL_2])
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
        """Queues HDLC frames (without FCS) on a fast carrier, with training before them."""

        def begin() -> Any:
            self._hdlc = self._fast_hdlc
            self._begin_frames(frames, preamble_flags, tail_flags)
            return self._fast(carrier, short_train, self._hdlc_get_bit, self._hdlc)

        self._stages.append(self._modem_stage(begin, modems.fast_modem(carrier.modulation).tx))

    def fast_bits(self, carrier: Carrier, *, short_train: bool, octets: bytes) -> None:
        """Queues octets on a fast carrier, with training before them."""

        def begin() -> Any:
            self._bits = _bits_of(octets)
            return self._fast(carrier, short_train, self._get_bit, self._ffi.NULL)

        self._stages.append(self._modem_stage(begin, modems.fast_modem(carrier.modulation).tx))

    def speak(self, count: int) -> bytes:
        """The next samples; silence when there is nothing to send."""
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
        modem = modems.fast_modem(carrier.modulation)
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
