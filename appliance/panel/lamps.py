"""The lamp patterns: one `Meaning` for each state that is to be seen from across the room.

Steady: all is well, or something waits.  Blinking: something happens, or a person is needed.  Idle, only
the power lamp and the lamps of the lines are lit.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Lamp(Enum):
    """The lamps, apart from those of the lines."""

    POWER = "power"
    ACTIVITY = "activity"
    INBOX = "inbox"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class LineLamp:
    """The lamp of a line, counted from 0 in the order of the lines."""

    line: int


AnyLamp = Lamp | LineLamp


@dataclass(frozen=True, slots=True)
class Pattern:
    """A rhythm: seconds lit, dark, lit, dark …, repeated.  Without ``seconds`` it is steady."""

    name: str
    lit: bool  # the level of a steady one
    seconds: tuple[float, ...] = ()

    def level(self, at: float) -> bool:
        """Whether the lamp is lit at ``at``, seconds since any fixed moment."""
        return self._place(at)[0]

    def next_change(self, at: float) -> float | None:
        """When the level next changes after ``at``; None: never."""
        return None if not self.seconds else at + self._place(at)[1]

    def _place(self, at: float) -> tuple[bool, float]:
        """Whether it is lit at ``at``, and for how many seconds more."""
        if not self.seconds:
            return self.lit, 0.0
        rest = at % sum(self.seconds)
        lit = True
        for length in self.seconds:
            if rest < length:
                return lit, length - rest
            rest -= length
            lit = not lit
        return True, self.seconds[0]  # rounding reached the end, which is the beginning


# Slow for ordinary activity, fast for alarms; at most 3 flashes a second (WCAG 2.3.1, photosensitivity).
OFF = Pattern("off", lit=False)
ON = Pattern("steady", lit=True)
SLOW = Pattern("slow blink", lit=True, seconds=(1.0, 1.0))
EVEN = Pattern("even blink", lit=True, seconds=(0.5, 0.5))
FAST = Pattern("fast blink", lit=True, seconds=(0.2, 0.2))
SINGLE = Pattern("single flash", lit=True, seconds=(0.2, 1.8))
DOUBLE = Pattern("double flash", lit=True, seconds=(0.2, 0.2, 0.2, 1.0))
EVEN_AND_DOUBLE = Pattern("even blink, then double flash", lit=True, seconds=(0.5, 0.5, 0.2, 0.2, 0.2, 1.0))


@dataclass(frozen=True, slots=True)
class Meaning:
    """A state that a lamp shows: the lamp, its pattern, and what it says as a sentence."""

    lamp: str
    pattern: Pattern
    sentence: str


POWER_READY = Meaning("power", ON, "The box is ready.")
POWER_CHANGING = Meaning("power", SLOW, "The box is starting or stopping.")
POWER_SETUP = Meaning("power", EVEN, "Set-up mode: the box waits for its first owner, or for a new one.")
POWER_ALONE = Meaning("power", DOUBLE, "The box does not answer the panel.")
LINE_READY = Meaning("line", ON, "The line is ready.")
LINE_BUSY = Meaning("line", EVEN, "A call is on the line.")
LINE_DOWN = Meaning("line", SINGLE, "The line does not work.")
LINE_NONE = Meaning("line", OFF, "There is no such line.")
ACTIVITY_NONE = Meaning("activity", OFF, "No fax is on its way.")
ACTIVITY_SENDING = Meaning("activity", EVEN, "A fax is being sent.")
ACTIVITY_RECEIVING = Meaning("activity", DOUBLE, "A fax is coming in.")
ACTIVITY_BOTH = Meaning("activity", EVEN_AND_DOUBLE, "Faxes are being sent and are coming in.")
INBOX_EMPTY = Meaning("inbox", OFF, "Every received fax has been read.")
INBOX_UNREAD = Meaning("inbox", ON, "A received fax has not been read.")
FAULT_NONE = Meaning("fault", OFF, "Nothing needs a person.")
FAULT_FAX = Meaning("fault", SINGLE, "A fax has failed, or waits for a person.")
FAULT_WARNING = Meaning("fault", ON, "A line is down, or the disk is nearly full.")
FAULT_FAILING = Meaning("fault", FAST, "No line works, or the disk is full: nothing can be sent.")
FAULT_BUTTON = Meaning("fault", SLOW, "A button is stuck.")

LANGUAGE = tuple(value for value in tuple(globals().values()) if isinstance(value, Meaning))
