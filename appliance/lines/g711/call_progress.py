"""What the telephone network says in tones: busy, congestion, and the three notes before an announcement.

The tones are recognised by spandsp.  Samples are 16-bit linear at 8 kHz in the machine's byte order; nothing
here knows the time, it goes by samples.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from enum import Enum
from typing import Any

from appliance.spandsp import open_spandsp

_DECLARATIONS = """
typedef void (*tone_report_func_t)(void *user, int code, int level, int delay);
void *super_tone_rx_make_descriptor(void *descriptor);
int super_tone_rx_free_descriptor(void *descriptor);
int super_tone_rx_add_tone(void *descriptor);
int super_tone_rx_add_element(void *descriptor, int tone, int f1, int f2, int min, int max);
void *super_tone_rx_init(void *s, void *descriptor, tone_report_func_t report, void *user);
int super_tone_rx_free(void *s);
int super_tone_rx(void *s, const int16_t *samples, int count);
"""

_SAMPLE_RATE = 8000  # Hz
# Busy and congestion are believed once they went on for so long: four tones at least, which no voice does.
BELIEVED_S = 2.0
# The receivers tell of the three notes within so long of each other.
NOTES_S = 0.2


class NetworkTone(Enum):
    """What the network means."""

    BUSY = "busy"
    CONGESTION = "congestion"
    NO_SUCH_NUMBER = "no such number"
    NO_CIRCUIT = "no circuit"
    ANNOUNCEMENT = "announcement"  # the three notes, whatever comes behind: no call without one goes through


# A tone, as spandsp has it: elements of two frequencies in Hz (0: none) that last from so many ms to so many.
_Element = tuple[int, int, int, int]


def _pulsed(first: int, second: int, low: int, high: int) -> tuple[_Element, ...]:
    return ((first, second, low, high), (0, 0, low, high))


def _notes(*notes: tuple[int, int]) -> tuple[_Element, ...]:
    """The notes with their nominal lengths; networks keep those within a fifth."""
    return tuple((frequency, 0, ms - 70, ms + 70) for frequency, ms in notes)


# ITU-T E.180 Supplement 2, by frequency: most of the world 425 Hz, 400 and 440 to 450 some, 480 + 620 North
# America.  Busy is half a second on and off (375 ms in Britain), congestion half as long.
_BUSY_MS, _CONGESTION_MS = (350, 600), (180, 320)
_PULSES = (((400, 0),), ((425, 0), (480, 620)), ((450, 0),))
# The special information tone, ITU-T E.180 clause 7: 950, 1400 and 1800 Hz, 330 ms each.
_SPECIAL = _notes((950, 330), (1400, 330), (1800, 330))
# North America tells by pitch and length what the announcement will be (Telcordia GR-674, SR-2275 6.1.1.3).
_VACANT = _notes((985, 380), (1371, 274), (1777, 380))
_INTERCEPT = _notes((914, 274), (1371, 274), (1777, 380))
_NO_CIRCUIT = _notes((985, 380), (1429, 380), (1777, 380))
_REORDER = _notes((914, 274), (1429, 380), (1777, 380))
# One receiver each: frequencies that lie close together hide each other from one.
_RECEIVERS: tuple[tuple[tuple[NetworkTone, tuple[_Element, ...]], ...], ...] = (
    *(
        tuple(
            (kind, _pulsed(*pair, *ms))
            for pair in pairs
            for kind, ms in ((NetworkTone.BUSY, _BUSY_MS), (NetworkTone.CONGESTION, _CONGESTION_MS))
        )
        for pairs in _PULSES
    ),
    ((NetworkTone.ANNOUNCEMENT, _SPECIAL),),
    ((NetworkTone.NO_SUCH_NUMBER, _VACANT), (NetworkTone.NO_CIRCUIT, _REORDER)),
    ((NetworkTone.NO_SUCH_NUMBER, _INTERCEPT), (NetworkTone.NO_CIRCUIT, _NO_CIRCUIT)),
)
_LASTING = frozenset({NetworkTone.BUSY, NetworkTone.CONGESTION})


@functools.cache
def _spandsp() -> tuple[Any, Any]:
    return open_spandsp(_DECLARATIONS)


class _Receiver:
    """One receiver of spandsp's for some tones; ``report`` is told of each that begins, None when it ends."""

    def __init__(
        self,
        tones: tuple[tuple[NetworkTone, tuple[_Element, ...]], ...],
        report: Callable[[_Receiver, NetworkTone | None], None],
    ) -> None:
        self._report = report
        self._kinds: dict[int, NetworkTone] = {}
        ffi, library = _spandsp()
        # The descriptor lives as long as the receiver.
        self._descriptor = ffi.gc(
            library.super_tone_rx_make_descriptor(ffi.NULL), library.super_tone_rx_free_descriptor
        )
        for kind, elements in tones:
            tone = library.super_tone_rx_add_tone(self._descriptor)
            self._kinds[tone] = kind
            for element in elements:
                library.super_tone_rx_add_element(self._descriptor, tone, *element)
        self._callback = ffi.callback("tone_report_func_t", self._heard)
        self._state = ffi.gc(
            library.super_tone_rx_init(ffi.NULL, self._descriptor, self._callback, ffi.NULL),
            library.super_tone_rx_free,
        )

    def hear(self, samples: bytes) -> None:
        ffi, library = _spandsp()
        library.super_tone_rx(self._state, ffi.from_buffer("int16_t[]", samples), len(samples) // 2)

    def _heard(self, _: object, code: int, level: int, delay: int) -> None:
        self._report(self, self._kinds.get(code))


class NetworkEar:
    """Listens for the network's tones.  ``report`` is called once, with the first that is believed."""

    def __init__(self, report: Callable[[NetworkTone], None]) -> None:
        self._report: Callable[[NetworkTone], None] | None = report
        self._receivers = [_Receiver(tones, self._heard) for tones in _RECEIVERS]
        self._clock = 0  # samples heard
        self._lasting: dict[_Receiver, tuple[NetworkTone, int]] = {}  # since which sample
        self._notes: set[NetworkTone] = set()
        self._notes_at = 0

    def hear(self, samples: bytes) -> None:
        """Takes the next samples of the line."""
        if self._report is None:
            return
        for receiver in self._receivers:
            receiver.hear(samples)
        self._clock += len(samples) // 2
        if self._notes and self._clock - self._notes_at >= NOTES_S * _SAMPLE_RATE:
            # Notes of equal length fit all of North America's; only where they differ they say more.
            told = self._notes - {NetworkTone.ANNOUNCEMENT}
            self._tell(
                NetworkTone.NO_CIRCUIT if told == {NetworkTone.NO_CIRCUIT} else NetworkTone.NO_SUCH_NUMBER
            )
        for kind, since in tuple(self._lasting.values()):
            if self._clock - since >= BELIEVED_S * _SAMPLE_RATE:
                self._tell(kind)

    def _heard(self, receiver: _Receiver, kind: NetworkTone | None) -> None:
        if kind is not None and kind not in _LASTING:
            if not self._notes:
                self._notes_at = self._clock
            self._notes.add(kind)
        elif kind is None:
            self._lasting.pop(receiver, None)
        elif self._lasting.get(receiver, (None, 0))[0] is not kind:
            self._lasting[receiver] = kind, self._clock

    def close(self) -> None:
        """A fax machine was heard: nothing that comes is the network's any more."""
        self._report = None

    def _tell(self, kind: NetworkTone) -> None:
        report, self._report = self._report, None
        if report is not None:
            report(kind)
