"""A button: edges of its contact go in with their time, presses and holds come out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

# A contact bounces for some milliseconds; what is shorter than this is no press, seconds.
DEBOUNCE_S = 0.03
# A press is a press when the finger leaves before this, seconds; what lasts longer is a hold or nothing.
PRESS_LIMIT_S = 1.5
# Long enough not to be a press that came out slow, seconds.
HOLD_S = 2.0
# Shutting the box down, seconds: nobody leans on a button for as long by chance.
HOLD_POWER_S = 4.0
# Nobody presses for so long, seconds: the button is stuck, or something lies on it.
STUCK_S = 30.0
# After a press no other counts for so long, seconds: an impatient finger asks once.
QUIET_S = 1.0


class Button(Enum):
    CANCEL = "cancel"
    NEWEST = "newest"
    RETRY = "retry"
    POWER = "power"


# Buttons for which a hold means something, and after how many seconds.
HOLDS = {Button.CANCEL: HOLD_S, Button.RETRY: HOLD_S, Button.POWER: HOLD_POWER_S}

# Both down for so long: back to the state of delivery, seconds.  The lamps warn all the while.
RESET_BUTTONS = (Button.CANCEL, Button.POWER)
RESET_S = 10.0


class Gesture(Enum):
    DOWN = "down"  # the finger is there: answer it with light
    PRESS = "press"  # down and up again
    HOLD = "hold"  # down for as long as it takes
    STUCK = "stuck"
    FREE = "free"  # a stuck button came up


@dataclass(frozen=True, slots=True)
class Touch:
    """What a person did to a button, at a time of the caller's clock, seconds."""

    button: Button
    gesture: Gesture
    at: float


class Contact:
    """One button's contact.  Times are those of one monotonic clock, seconds."""

    def __init__(self, button: Button) -> None:
        self.button = button
        self.stuck = False
        self._raw = False  # as the pin is
        self._raw_since = 0.0
        self._down = False  # as a finger is
        self._down_since = 0.0
        self._used = False  # this time down was a hold already
        self._too_soon = False  # it began too soon after a press to be one
        self._quiet_until = 0.0

    @property
    def down(self) -> bool:
        return self._down

    def edge(self, pressed: bool, at: float) -> list[Touch]:
        """The pin changed.  What was due before comes out first."""
        touches = self.advance(at)
        if pressed != self._raw:
            self._raw = pressed
            self._raw_since = at
        return touches

    def advance(self, at: float) -> list[Touch]:
        """What has become true by ``at``."""
        touches: list[Touch] = []
        settled = self._raw_since + DEBOUNCE_S
        if self._raw != self._down and at >= settled:
            touches += self._holds(settled)
            touches += self._went_down(settled) if self._raw else self._came_up(settled)
        return touches + self._holds(at)

    def deadline(self) -> float | None:
        """When ``advance`` will have something to say without an edge; None: never."""
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
    """Buttons that are down together mean something else than each of them.  Times as a contact's."""

    def __init__(self) -> None:
        self.since: float | None = None  # all are down
        self.busy = False  # from then until all are up: what each alone would mean does not count
        self._done = False

    def advance(self, down: Iterable[bool], at: float) -> bool:
        """``down``: whether each of the buttons is; whether they have just been down for RESET_S."""
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
        """Whether something will come of it if they stay down."""
        return self.since is not None and not self._done

    def deadline(self) -> float | None:
        """When ``advance`` will have something to say; None: never."""
        return None if self.since is None or self._done else self.since + RESET_S
