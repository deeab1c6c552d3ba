"""Detects tones of the telephone network: busy, congestion, and the three notes before an announcement.

spandsp detects the tones, ``cadences`` classifies them.  Samples are 16-bit linear at 8 kHz in the
machine's byte order; time is counted in samples.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from appliance.lines.g711.cadences import NOTES_GAP_MS, NetworkTone, meaning_of, meaning_of_notes
from appliance.spandsp import open_spandsp

_DECLARATIONS = """
typedef void (*tone_report_func_t)(void *user, int code, int level, int delay);
typedef void (*tone_segment_func_t)(void *user, int f1, int f2, int duration);
void *super_tone_rx_make_descriptor(void *descriptor);
int super_tone_rx_free_descriptor(void *descriptor);
int super_tone_rx_add_tone(void *descriptor);
int super_tone_rx_add_element(void *descriptor, int tone, int f1, int f2, int min, int max);
void *super_tone_rx_init(void *s, void *descriptor, tone_report_func_t report, void *user);
void super_tone_rx_segment_callback(void *s, tone_segment_func_t report);
int super_tone_rx_free(void *s);
int super_tone_rx(void *s, const int16_t *samples, int count);
"""

# Frequencies in Hz; spandsp's receivers accept some 50 Hz to each side.  One receiver each, because a
# receiver does not detect frequencies that are close together.
_ONE = (425,)  # 400 to 450 Hz: most of the world
_PAIR = (480, 620)  # North America
_NOTES = (950, 1400, 1800)  # ITU-T E.180 clause 7
_SILENCE = -1  # spandsp's value for no frequency
# Periods of a tone that are kept: the longest cadence has eight, twice.
_KEPT = 32
# Length of a tone in the descriptors, ms: any, since only frequencies are used here.
_ANY_MS = (10, 10_000)


@functools.cache
def _spandsp() -> tuple[Any, Any]:
    return open_spandsp(_DECLARATIONS)


class _Receiver:
    """One receiver of spandsp's; ``report`` gets each stretch that has ended: which of the frequencies
    sounded (as indexes), and its ms."""

    def __init__(self, frequencies: Sequence[int], report: Callable[[frozenset[int], float], None]) -> None:
        self._report = report
        ffi, library = _spandsp()
        # The descriptor lives as long as the receiver.
        self._descriptor = ffi.gc(
            library.super_tone_rx_make_descriptor(ffi.NULL), library.super_tone_rx_free_descriptor
        )
        for each in frequencies:
            tone = library.super_tone_rx_add_tone(self._descriptor)
            library.super_tone_rx_add_element(self._descriptor, tone, each, 0, *_ANY_MS)
        self._no_tones = ffi.callback("tone_report_func_t", lambda *_: None)
        self._callback = ffi.callback("tone_segment_func_t", self._ended)
        self._state = ffi.gc(
            library.super_tone_rx_init(ffi.NULL, self._descriptor, self._no_tones, ffi.NULL),
            library.super_tone_rx_free,
        )
        library.super_tone_rx_segment_callback(self._state, self._callback)

    def hear(self, samples: bytes) -> None:
        ffi, library = _spandsp()
        library.super_tone_rx(self._state, ffi.from_buffer("int16_t[]", samples), len(samples) // 2)

    def _ended(self, _: object, first: int, second: int, ms: int) -> None:
        self._report(frozenset((first, second)) - {_SILENCE}, ms)


class _Pulses:
    """Listens for a tone that pulses: ``wanted`` frequencies together."""

    def __init__(
        self, frequencies: Sequence[int], countries: Sequence[str], report: Callable[[NetworkTone], None]
    ) -> None:
        self._wanted = frozenset(range(len(frequencies)))
        self._countries = countries
        self._report = report
        self._ms: deque[float] = deque(maxlen=_KEPT)  # on, off, on, off …
        self.receiver = _Receiver(frequencies, self._ended)

    def _ended(self, sounded: frozenset[int], ms: float) -> None:
        on_expected = len(self._ms) % 2 == 0
        if sounded and (sounded != self._wanted or not on_expected):
            self._ms.clear()  # another signal
            return
        if not sounded and on_expected:
            return  # silence before the tone
        self._ms.append(ms)
        meaning = meaning_of(tuple(self._ms), paired=len(self._wanted) > 1, countries=self._countries)
        if meaning is not None:
            self._report(meaning)
        if len(self._ms) == _KEPT:  # removed in pairs, so that the first one stays an "on"
            self._ms.popleft()
            self._ms.popleft()


class _Notes:
    """Listens for the three notes before an announcement."""

    def __init__(self, report: Callable[[NetworkTone], None]) -> None:
        self._report = report
        self._notes: deque[tuple[int, float]] = deque(maxlen=len(_NOTES))
        self.receiver = _Receiver(_NOTES, self._ended)

    def _ended(self, sounded: frozenset[int], ms: float) -> None:
        if len(sounded) == 1:
            self._notes.append((min(sounded), ms))
            meaning = meaning_of_notes(tuple(self._notes))
            if meaning is not None:
                self._report(meaning)
        elif sounded or ms > NOTES_GAP_MS:
            self._notes.clear()


class NetworkEar:
    """Listens for the network's tones.  ``report`` is called once, with the first recognised one.

    ``countries``: the country codes whose tones these may be, the likeliest first.
    """

    def __init__(self, report: Callable[[NetworkTone], None], countries: Sequence[str] = ()) -> None:
        self._report: Callable[[NetworkTone], None] | None = report
        self._listeners = (
            _Pulses(_PAIR, countries, self._recognised),
            _Pulses(_ONE, countries, self._recognised),
            _Notes(self._recognised),
        )

    def hear(self, samples: bytes) -> None:
        """Takes the next samples of the line."""
        for listener in self._listeners:
            if self._report is None:
                return
            listener.receiver.hear(samples)

    def close(self) -> None:
        """A fax machine was detected: ends the detection of network tones."""
        self._report = None

    def _recognised(self, kind: NetworkTone) -> None:
        report, self._report = self._report, None
        if report is not None:
            report(kind)
