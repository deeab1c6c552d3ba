"""Buttons: the edges of a contact and their times in, presses and holds out.  No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

# Contact bounce: a change that is shorter than this is ignored, seconds.
DEBOUNCE_S = 0.03
# The longest press, seconds; what lasts longer is a hold, or nothing.
PRESS_LIMIT_S = 1.5
# The shortest hold, seconds; well above PRESS_LIMIT_S, so that a slow press is not taken for one.
HOLD_S = 2.0
# The hold that shuts the box down, seconds: too long to happen by accident.
HOLD_POWER_S = 4.0
# A button that is down for so long is stuck, or something lies on it, seconds.
STUCK_S = 30.0
# After a press, further ones are ignored for so long, seconds: an impatient user means one.
QUIET_S = 1.0


class Button(Enum):
    """The buttons of the panel."""

    CANCEL = "cancel"
    NEWEST = "newest"
    RETRY = "retry"
    POWER = "power"


# The buttons whose hold has a meaning, and how long it takes, seconds.
HOLDS = {Button.CANCEL: HOLD_S, Button.RETRY: HOLD_S, Button.POWER: HOLD_POWER_S}

# Both held for RESET_S seconds: factory reset.  The lamps warn meanwhile.
RESET_BUTTONS = (Button.CANCEL, Button.POWER)
RESET_S = 10.0


class Gesture(Enum):
    """What a user did to a button."""

    DOWN = "down"  # the lamp answers it at once
    PRESS = "press"  # down and up again
    HOLD = "hold"  # down for the button's hold time
    STUCK = "stuck"
    FREE = "free"  # a stuck button was released


@dataclass(frozen=True, slots=True)
class Touch:
    """A gesture on a button, at a time of the caller's monotonic clock, seconds."""

    button: Button
    gesture: Gesture
    at: float


class ButtonContact:
    """One button's contact.  Times are those of one monotonic clock, seconds."""

    def __init__(self, button: Button) -> None:
        self.button = button
        self.stuck = False
        self._raw = False  # state of the pin
        self._raw_since = 0.0
        self._down = False  # state after debouncing
        self._down_since = 0.0
        self._used = False  # a hold was reported since it went down
        self._too_soon = False  # it went down within QUIET_S after a press
        self._quiet_until = 0.0

    @property
    def down(self) -> bool:
        """Whether the button is down, after debouncing."""
        return self._down

    def edge(self, pressed: bool, at: float) -> list[Touch]:
        """The pin changed to ``pressed`` at ``at``; returns what has happened by then, earliest first."""
        touches = self.advance(at)
        if pressed != self._raw:
            self._raw = pressed
            self._raw_since = at
        return touches

    def advance(self, at: float) -> list[Touch]:
        """What has happened by ``at`` without an edge."""
        touches: list[Touch] = []
        settled = self._raw_since + DEBOUNCE_S
        if self._raw != self._down and at >= settled:
            touches += self._holds(settled)
            touches += self._went_down(settled) if self._raw else self._came_up(settled)
        return touches + self._holds(at)

    def deadline(self) -> float | None:
        """When ``advance`` is to be called if no edge comes before; None: no need."""
        if self._raw != self._down:
            return self._raw_since + DEBOUNCE_S
        if not self._down or self.stuck:
            return None
        hold = HOLDS.get(self.button)
        if hold is not None and not self._used:
            return self._down_since + hold
        return self._down_since + STUCK_S

    def _went_down(self, at: float) -> list[Touch]:
        self._down, self._down_since = True, at
        self._used, self._too_soon = False, at < self._quiet_until
        return [Touch(self.button, Gesture.DOWN, at)]

    def _came_up(self, at: float) -> list[Touch]:
        self._down = False
        if self.stuck:
            self.stuck = False
            return [Touch(self.button, Gesture.FREE, at)]
        if self._used or self._too_soon or at - self._down_since > PRESS_LIMIT_S:
            return []
        self._quiet_until = at + QUIET_S
        return [Touch(self.button, Gesture.PRESS, at)]

    def _holds(self, at: float) -> list[Touch]:
        if not self._down or self.stuck:
            return []
        touches = []
        hold = HOLDS.get(self.button)
        if hold is not None and not self._used and at >= self._down_since + hold:
            self._used = True
            self._quiet_until = at + QUIET_S
            touches.append(Touch(self.button, Gesture.HOLD, self._down_since + hold))
        if at >= self._down_since + STUCK_S:
            self.stuck = True
            touches.append(Touch(self.button, Gesture.STUCK, self._down_since + STUCK_S))
        return touches


class Chord:
    """Buttons that are held down together, which means something else than each alone.

    Times as in `Contact`.
    """

    def __init__(self) -> None:
        self.since: float | None = None  # when all were down
        self.busy = False  # from then until all are up; the gestures of each alone are ignored meanwhile
        self._done = False

    def advance(self, down: Iterable[bool], at: float) -> bool:
        """Takes whether each button is ``down``; whether all have now been down for RESET_S, said once."""
        states = list(down)
        if not states or not all(states):
            self.since = None
            self.busy = self.busy and any(states)
            self._done = self._done and self.busy
            return False
        if self.since is None:
            self.since, self.busy = at, True
        if self._done or at < self.since + RESET_S:
            return False
        self._done = True
        return True

    def warns(self) -> bool:
        """Whether all are down and RESET_S is running."""
        return self.since is not None and not self._done

    def deadline(self) -> float | None:
        """When ``advance`` is to be called next; None: no need."""
        return None if self.since is None or self._done else self.since + RESET_S
