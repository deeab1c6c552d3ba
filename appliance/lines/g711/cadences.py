"""What the network's tones mean, by their cadence: on and off in milliseconds.  Pure, no I/O and no clock.

ITU-T E.180 Supplement 2 lists what each country uses.  Two families cover nearly all: slow pulses are busy,
quick ones congestion; the rest are rows of a table, and a few countries draw the line elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum


class NetworkTone(Enum):
    """What the network means."""

    BUSY = "busy"
    CONGESTION = "congestion"
    NO_SUCH_NUMBER = "no such number"
    NO_CIRCUIT = "no circuit"


# A cadence is believed once it has been repeated so often, and for so long: no voice and no music does that.
BELIEVED_MS, BELIEVED_TIMES = 2000, 2
# E.180 allows a tenth; the receiver is right to some 16 ms at each edge.
_TOLERANCE, _EDGE_MS = 0.1, 24.0
# Pulses with equal pauses: from so many ms on they are busy, quicker ones are congestion.
_QUICKEST_MS, _BUSY_FROM_MS, _SLOWEST_MS = 80.0, 285.0, 820.0
# Where that line lies elsewhere, by country code.  Spain pulses busy with 200 ms; Sweden, Brazil, Mexico and
# Colombia with 250 ms; Thailand's congestion has 300 ms.
_COUNTRIES = {"34": 0.0, "46": 0.0, "55": 0.0, "52": 0.0, "57": 0.0, "66": 320.0}
# China's congestion is 700 ms, between the busy tones of others (India, Singapore: 750 ms).
_CHINA_MS = (672.0, 728.0)
# The special information tone (E.180 7) is three notes of 330 ms, with at most 30 ms between them; some
# networks leave more.
_NOTE_MS, NOTES_GAP_MS = (170.0, 520.0), 100.0
# North America tells by pitch and length what the announcement will be (Telcordia GR-674, SR-2275 6.1.1.3):
# the last note is long (380 ms), and the one before as long only where circuits are short.
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


def meaning_of(ms: Sequence[float], *, paired: bool, countries: Sequence[str] = ()) -> NetworkTone | None:
    """What the last stretches of a tone mean, None as long as that is not certain.

    ``ms``: on, off, on, off ….  ``paired``: 480 and 620 Hz sounded together.
    ``countries``: country codes, the likeliest first.
    """
    for row in _ROWS:
        if row.paired in (None, paired) and _repeats(ms, row.ms):
            return row.meaning
    return _pulses(ms, countries)


def _repeats(ms: Sequence[float], cadence: tuple[float, ...]) -> bool:
    """Whether the end of ``ms`` is this cadence, often enough, whatever it began with."""
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
    """What the three notes before an announcement mean: (0, 1 or 2 by pitch, ms) each, the last three."""
    last = notes[-3:]
    if [note for note, _ in last] != [0, 1, 2]:
        return None
    if not all(_NOTE_MS[0] <= ms <= _NOTE_MS[1] for _, ms in last):
        return None
    # Notes of equal length are those of the rest of the world; no call with an announcement goes through.
    long_ones = all(ms >= _LONG_NOTE_MS for _, ms in last[1:])
    return NetworkTone.NO_CIRCUIT if long_ones else NetworkTone.NO_SUCH_NUMBER
