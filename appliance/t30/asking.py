"""Which answer belongs to which command: a command said n times owes n answers.

T.30 numbers nothing.  A far end whose answers come later than T4 hears a command twice and answers it twice;
the second answer then arrives behind the next command and would be taken for its own.
"""

from __future__ import annotations

from enum import Enum

from appliance.t30.timers import LATE_ANSWER_S


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
        self._asked_at = 0.0

    def new_command(self, kind: Kind, now: float) -> None:
        """A command is said for the first time."""
        stale = self._kind is not kind or now - self._asked_at > LATE_ANSWER_S
        self._owed_before = 0 if stale else self._owed_before + self._owed
        self._kind = kind
        self._owed = 0
        self.said(now)

    def said(self, now: float) -> None:
        """The command is said, or said again."""
        self._owed += 1
        self._asked_at = now

    def heard(self) -> bool:
        """An answer came.  False when it may be an earlier command's."""
        if self._owed_before:
            self._owed_before -= 1
            return False
        self._owed = max(0, self._owed - 1)
        return True
