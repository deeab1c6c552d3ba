"""Which answer belongs to which command: a command said n times owes n answers.

T.30 numbers nothing.  A far end whose answers come later than T4 hears a command twice and answers it twice;
the second answer then arrives behind the next command and would be taken for its own.
"""

from __future__ import annotations

from enum import Enum

from appliance.t30.timers import LATE_ANSWER_MARGIN_S


class Kind(Enum):
    """Commands of different kinds have different answers, which nobody mistakes."""

    TRAINING = "training"  # DCS: CFR, FTT
    RATE = "rate"  # CTC: CTR
    MESSAGE = "message"  # MPS, EOM, EOP, PPS, RR, EOR: MCF, PPR, RNR, RTN ...


class Answers:
    """Counts what was asked and what was answered."""

    def __init__(self) -> None:
        self._kind: Kind | None = None
        self._owed_before = 0  # answers to earlier commands that may still come
        self._owed = 0  # answers to this one
        self._first_sent_at: float | None = None  # when this command first left the line
        self._sent_at = 0.0  # when it last did
        self._late_until = 0.0  # what is owed to earlier commands has come by then, if it comes

    def new_command(self, kind: Kind) -> None:
        """Another command follows."""
        self._owed_before = self._owed_before + self._owed if kind is self._kind else 0
        self._kind = kind
        self._owed = 0
        self._first_sent_at = None

    def sent(self, now: float) -> None:
        """The command has left the line, for the first time or again."""
        self._owed += 1
        self._sent_at = now
        if self._first_sent_at is None:
            self._first_sent_at = now

    def heard(self, began: float) -> bool:
        """An answer came, its carrier up since ``began``.  False when it may be an earlier command's."""
        if self._owed_before and began <= self._late_until:
            self._owed_before -= 1
            return False
        self._owed_before = 0
        self._owed = max(0, self._owed - 1)
        if self._first_sent_at is not None:
            # If this was the answer to the first saying, that to the last one is as late.
            lateness = began - self._first_sent_at
            self._late_until = self._sent_at + lateness + LATE_ANSWER_MARGIN_S
        return True
