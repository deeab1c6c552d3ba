"""The owner's rules for which calls to a modem's line are answered."""

from __future__ import annotations

from dataclasses import dataclass

MAX_RINGS = 20


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """The rules of one line.  Raises ValueError unless ``rings`` is 1 to MAX_RINGS."""

    answer: bool = True  # False: this line only sends; calls are left to the telephone
    rings: int = 2  # answered on this ring; 2 lets the caller's number arrive, which comes after the first
    # Distinctive rings that are faxes; empty: any ring.  As RING names them, or the number of bursts in a
    # ring where the modem reports only the cadence.
    kinds: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not 1 <= self.rings <= MAX_RINGS:
            raise ValueError(f"answer after {self.rings} rings: 1 to {MAX_RINGS} are possible")
