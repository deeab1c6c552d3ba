"""Classifies tones of the network by their cadence, on and off in milliseconds.  No I/O and no clock.

ITU-T E.180 Supplement 2 lists the tones of each country.  Two families cover nearly all: slow pulses are
busy, quick ones congestion; the rest are rows of a table, and a few countries have another limit between the
two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class NetworkTone(Enum):
    """The meaning of a tone."""

    BUSY = "busy"
    CONGESTION = "congestion"
    NO_SUCH_NUMBER = "no such number"
    NO_CIRCUIT = "no circuit"


# A cadence is recognised after this many repetitions and this duration, ms, which speech and music do not
# have.
BELIEVED_MS, BELIEVED_TIMES = 2000, 2
# E.180 allows a deviation of a tenth; the receiver is exact to some 16 ms at each edge.
_TOLERANCE, _EDGE_MS = 0.1, 24.0
# Pulses with equal pauses, ms: busy from the second value on, shorter ones are congestion.
_QUICKEST_MS, _BUSY_FROM_MS, _SLOWEST_MS = 80.0, 285.0, 820.0
# Countries with another limit, by country code.  Busy pulses have 200 ms in Spain; 250 ms in Sweden, Brazil,
# Mexico and Colombia; Thailand's congestion has 300 ms.
_COUNTRIES = {"34": 0.0, "46": 0.0, "55": 0.0, "52": 0.0, "57": 0.0, "66": 320.0}
# China's congestion is 700 ms, between the busy tones of others (India, Singapore: 750 ms).
_CHINA_MS = (672.0, 728.0)
# The special information tone (E.180 7) is three notes of 330 ms, with at most 30 ms between them; some
# networks leave more.
_NOTE_MS, NOTES_GAP_MS = (170.0, 520.0), 100.0
# In North America pitch and length give the kind of announcement (Telcordia GR-674, SR-2275 6.1.1.3): the
# last note is long (380 ms), and the one before is as long only when no circuit is free.
_LONG_NOTE_MS = 372.0


@dataclass(frozen=True, slots=True)
class _Cadence:
    meaning: NetworkTone
    ms: tuple[float, ...]  # on, off, on, off …
    paired: bool | None = None  # of 480 and 620 Hz together; None: either


_ROWS = (
    _Cadence(NetworkTone.BUSY, (300, 200), paired=False),  # Argentina
    _Cadence(NetworkTone.CONGESTION, (300, 200), paired=True),  # Korea
    _Cadence(NetworkTone.CONGESTION, (250, 750)),  # Sweden
    _Cadence(NetworkTone.CONGESTION, (400, 350, 225, 525)),  # Britain
    _Cadence(NetworkTone.CONGESTION, (250, 250, 750, 250)),  # Brazil
    _Cadence(NetworkTone.CONGESTION, (200, 200, 200, 200, 200, 600)),  # Spain
    _Cadence(NetworkTone.CONGESTION, (200, 200, 200, 200, 200, 200, 600, 200)),  # Turkey
    _Cadence(NetworkTone.NO_SUCH_NUMBER, (75, 100, 75, 100, 75, 100, 75, 400)),  # New Zealand
    _Cadence(NetworkTone.NO_SUCH_NUMBER, (2500, 500)),  # Australia, Malaysia, South Africa
    _Cadence(NetworkTone.NO_SUCH_NUMBER, (2800, 200)),  # India
)


def meaning_of(ms: Sequence[float], *, paired: bool, countries: Sequence[str]) -> NetworkTone | None:
    """The meaning of a tone by its last periods, None while that is not certain.

    ``ms``: on, off, on, off ….  ``paired``: 480 and 620 Hz sounded together.
    ``countries``: country codes, the likeliest first.
    """
    for row in _ROWS:
        if row.paired in (None, paired) and _repeats(ms, row.ms):
            return row.meaning
    return _pulses(ms, countries)


def _repeats(ms: Sequence[float], cadence: tuple[float, ...]) -> bool:
    """Whether the end of ``ms`` is this cadence, repeated often enough."""
    count = len(cadence)
    times = max(BELIEVED_TIMES, -(-BELIEVED_MS // round(sum(cadence))))
    last = ms[-count * times :]
    if len(last) < count * times:
        return False
    begins_off = (len(ms) - len(last)) % 2
    return any(
        all(_near(each, cadence[(begin + at) % count]) for at, each in enumerate(last))
        for begin in range(begins_off, count, 2)
    )


def _near(measured: float, nominal: float) -> bool:
    return abs(measured - nominal) <= max(_EDGE_MS, _TOLERANCE * nominal)


def _pulses(ms: Sequence[float], countries: Sequence[str]) -> NetworkTone | None:
    """Pulses with equal pauses."""
    if len(ms) < 2:
        return None
    pulse = (ms[-1] + ms[-2]) / 2
    if not _QUICKEST_MS <= pulse <= _SLOWEST_MS or not _repeats(ms, (pulse, pulse)):
        return None
    if not any(country in _COUNTRIES for country in countries) and _CHINA_MS[0] <= pulse <= _CHINA_MS[1]:
        return NetworkTone.CONGESTION
    busy_from = next((_COUNTRIES[each] for each in countries if each in _COUNTRIES), _BUSY_FROM_MS)
    return NetworkTone.BUSY if pulse >= busy_from else NetworkTone.CONGESTION


def meaning_of_notes(notes: Sequence[tuple[int, float]]) -> NetworkTone | None:
    """The meaning of the last three notes before an announcement, each (0, 1 or 2 by pitch, ms)."""
    last = notes[-3:]
    if [note for note, _ in last] != [0, 1, 2]:
        return None
    if not all(_NOTE_MS[0] <= ms <= _NOTE_MS[1] for _, ms in last):
        return None
    # Notes of equal length are those outside North America; a call with an announcement is not connected.
    long_ones = all(ms >= _LONG_NOTE_MS for _, ms in last[1:])
    return NetworkTone.NO_CIRCUIT if long_ones else NetworkTone.NO_SUCH_NUMBER
