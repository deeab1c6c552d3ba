"""Impairments of one direction of a poor line: seeded, and synchronised with the signals of the call.

A burst is a stretch of signal between silences: for an answering fax machine 1 is CED, 2 its DIS, 3 CFR
and so on; for a calling one CNG comes first, then DCS, TCF, page ...  The same burst is met in each run.
"""

from __future__ import annotations

import array
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.softmodem.library import SILENT_TICK

# Speech-band signals of the soft modems lie near -14 dBm0 (some 4,500 of 32,767); silence is exact.
_SIGNAL = 200
_GAP_TICKS = 2  # 40 ms of silence end a burst: T.30 leaves 75 ± 20 ms between signals


@dataclass
class Bursts:
    """Numbers bursts; ``act`` gets (number, tick within it, audio) while one lasts, number 0 in silence."""

    act: Callable[[int, int, bytes], bytes]
    number: int = 0
    _tick: int = 0
    _quiet: int = _GAP_TICKS
    seen: list[int] = field(default_factory=list)  # ticks that each burst lasted

    def __call__(self, audio: bytes) -> bytes:
        loud = max(map(abs, array.array("h", audio)), default=0) > _SIGNAL
        if loud:
            if self._quiet >= _GAP_TICKS:
                self.number += 1
                self._tick = 0
                self.seen.append(0)
            self._quiet = 0
            self.seen[-1] += 1
        else:
            self._quiet += 1
        if self._quiet >= _GAP_TICKS:
            return self.act(0, 0, audio)
        self._tick += 1
        return self.act(self.number, self._tick, audio)


def lost(*numbers: int) -> Bursts:
    """These bursts never arrive."""
    return Bursts(lambda number, _tick, audio: SILENT_TICK if number in numbers else audio)


def cut(number: int, after_ticks: int) -> Bursts:
    """This burst breaks off after some 20 ms ticks, as when a carrier is lost."""
    return Bursts(lambda n, tick, audio: SILENT_TICK if n == number and tick > after_ticks else audio)


def noise(seed: int, amplitude: int, *numbers: int, after_ticks: int = 0) -> Bursts:
    """White noise over these bursts from some tick on, or over everything when none is named."""
    rng = random.Random(seed)

    def act(number: int, tick: int, audio: bytes) -> bytes:
        if numbers and (number not in numbers or tick <= after_ticks):
            return audio
        samples = array.array("h", audio)
        for place, sample in enumerate(samples):
            loud = sample + rng.gauss(0.0, amplitude)
            samples[place] = max(-32768, min(32767, round(loud)))
        return samples.tobytes()

    return Bursts(act)


def dropped(seed: int, share: float, first_burst: int = 1) -> Bursts:
    """Packets of 20 ms go missing; the gateway repeats the one before, as good ones do."""
    rng = random.Random(seed)
    last = [SILENT_TICK]

    def act(number: int, _tick: int, audio: bytes) -> bytes:
        if number >= first_burst and rng.random() < share:
            return last[0]
        last[0] = audio
        return audio

    return Bursts(act)


def faint(decibels: float) -> Bursts:
    """A long line."""
    factor = 10 ** (-decibels / 20)

    def act(_number: int, _tick: int, audio: bytes) -> bytes:
        return array.array("h", (round(s * factor) for s in array.array("h", audio))).tobytes()

    return Bursts(act)


def _a_law(sample: int) -> int:
    """A sample through G.711 A-law and back: 13 segments, 8 bits."""
    magnitude = min(abs(sample), 32767) >> 3  # 12 bits
    step = 2 if magnitude < 64 else 1 << (magnitude.bit_length() - 5)
    coarse = (magnitude // step * step + step // 2) << 3
    return coarse if sample >= 0 else -coarse


def a_law() -> Bursts:
    """An exchange that is digital inside."""
    return Bursts(
        lambda _n, _t, audio: array.array("h", (_a_law(s) for s in array.array("h", audio))).tobytes()
    )
