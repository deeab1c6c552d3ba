"""``Panel``: what the lamps show and what the buttons ask for.  No I/O; the time is passed in.

A button's lamp answers each touch at once, whatever the box says later: it is inverted for a moment.  When
the box has done what was asked, the lamp is lit for a moment; when it could not, the lamp flashes three
times.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from appliance.panel.buttons import RESET_BUTTONS, Button, ButtonContact, Chord, Gesture, Touch
from appliance.panel.lamps import AnyLamp, Lamp, Meaning, Pattern
from appliance.panel.model import BoxContact, BoxView, meanings

# The lamp that answers each button.
ANSWERS = {
    Button.CANCEL: Lamp.ACTIVITY,
    Button.NEWEST: Lamp.INBOX,
    Button.RETRY: Lamp.FAULT,
    Button.POWER: Lamp.POWER,
}
# How long a lamp is inverted when its button goes down, seconds.
TOUCH_S = 0.15
# How long the lamp is lit when the box has done what was asked, seconds.
DONE_S = 0.8
# Three flashes: the box could not do it.
REFUSED = Pattern("refused", lit=True, seconds=(0.15, 0.15))
REFUSED_S = 0.9
# All lamps, while the buttons of the factory reset are held.
WARNING = Pattern("warning", lit=True, seconds=(0.15, 0.15))
# How long all lamps flash when a client asks the box to make itself known, seconds.
SHOWN_S = 10.0
SHOWN = Pattern("shown", lit=True, seconds=(0.3, 0.3))
# Power button down within this time after the panel's start: set-up mode, seconds.
SETUP_WINDOW_S = 10.0
# The buzzer, seconds on, off, on …
BEEP = (0.15,)
THREE_BEEPS = (0.1, 0.1, 0.1, 0.1, 0.1)


class Order(Enum):
    """What a button asks of the box."""

    CANCEL_ONE = "cancel the fax that is being sent"
    CANCEL_ALL = "cancel all faxes that are being sent or wait"
    HAND_ON_NEWEST = "print or forward the newest received fax"
    RETRY_FAILED = "send the last failed fax again"
    SEEN = "put the fault lamp out: the failed faxes have been seen"
    SHUT_DOWN = "shut the box down"
    SET_UP = "make a new set-up code"
    RESET = "put the box back to the state of delivery"


_PRESSES = {
    Button.CANCEL: Order.CANCEL_ONE,
    Button.NEWEST: Order.HAND_ON_NEWEST,
    Button.RETRY: Order.RETRY_FAILED,
}
_HOLDS = {
    Button.CANCEL: Order.CANCEL_ALL,
    Button.RETRY: Order.SEEN,
    Button.POWER: Order.SHUT_DOWN,
}


@dataclass(frozen=True, slots=True)
class _Overlay:
    """What a lamp shows instead of its meaning, until a time.  ``pattern`` None: its meaning inverted."""

    until: float
    since: float
    pattern: Pattern | None


class Panel:
    """The panel's state.  Every ``at`` is a time of one monotonic clock, seconds."""

    def __init__(self, line_lamps: int, buttons: Iterable[Button], started: float) -> None:
        self.view = BoxView()
        self._line_lamps = line_lamps
        self._contacts = {button: ButtonContact(button) for button in buttons}
        self._started = started
        self._setup_asked = False
        self._reset = Chord()
        self._overlays: dict[AnyLamp, _Overlay] = {}
        self._orders: list[tuple[Order, Button]] = []
        self._sound: list[float] = []  # times at which the buzzer changes; the first switches it on

    # -- input ---------------------------------------------------------------------------------

    def box_is(self, view: BoxView, at: float) -> None:
        """Takes the state of the box; the buzzer sounds for a fax received or failed since the last one."""
        before, self.view = self.view, view
        if BoxContact.STARTING is before.contact or view.contact is not BoxContact.ANSWERS:
            return
        if view.shown != before.shown:
            self._overlays |= {lamp: _Overlay(at + SHOWN_S, at, SHOWN) for lamp in self.meanings()}
        if view.wants_person > before.wants_person:
            self._buzz(THREE_BEEPS, at)
        elif view.unread > before.unread:
            self._buzz(BEEP, at)

    def edge(self, button: Button, pressed: bool, at: float) -> None:
        """A button's pin changed."""
        self.advance(at)  # brings the other buttons up to date
        if button in self._contacts:
            self._touched(self._contacts[button].edge(pressed, at), at)

    def advance(self, at: float) -> None:
        """Carries out what is due by ``at``."""
        self._touched([touch for contact in self._contacts.values() for touch in contact.advance(at)], at)
        self._ask_for_setup(at)
        self._overlays = {lamp: each for lamp, each in self._overlays.items() if each.until > at}

    def answered(self, button: Button, done: bool, at: float) -> None:
        """The box has done what the button asked for, or (``done`` False) could not."""
        pattern = Pattern("done", lit=True) if done else REFUSED
        self._overlays[ANSWERS[button]] = _Overlay(at + (DONE_S if done else REFUSED_S), at, pattern)

    # -- output --------------------------------------------------------------------------------

    def orders(self) -> list[tuple[Order, Button]]:
        """What was asked for since the last call, and by which button."""
        taken, self._orders = self._orders, []
        return taken

    def meanings(self) -> dict[AnyLamp, Meaning]:
        """What each lamp shows of the state of the box."""
        stuck = any(contact.stuck for contact in self._contacts.values())
        return meanings(self.view, self._line_lamps, stuck=stuck)

    def lit(self, at: float) -> dict[AnyLamp, bool]:
        """Which lamps are lit at ``at``."""
        return {lamp: self._level(lamp, said.pattern, at) for lamp, said in self.meanings().items()}

    def sounds(self, at: float) -> bool:
        """Whether the buzzer is on at ``at``."""
        past = sum(1 for change in self._sound if change <= at)
        return past % 2 == 1

    def deadline(self, at: float) -> float | None:
        """When something changes without new input; None: never."""
        times = [contact.deadline() for contact in self._contacts.values()]
        times.append(self._reset.deadline())
        if self._reset.since is not None and self._reset.warns():
            times.append(self._reset.since + (WARNING.next_change(at - self._reset.since) or 0.0))
        times += [each.until for each in self._overlays.values()]
        times += [
            each.since + change
            for each in self._overlays.values()
            if each.pattern is not None and (change := each.pattern.next_change(at - each.since)) is not None
        ]
        times += [said.pattern.next_change(at) for said in self.meanings().values()]
        times += [change for change in self._sound if change > at]
        due = [time for time in times if time is not None]
        return min(due, default=None)

    # -- internals -----------------------------------------------------------------------------

    def _level(self, lamp: AnyLamp, pattern: Pattern, at: float) -> bool:
        if self._reset.since is not None and self._reset.warns():
            return WARNING.level(at - self._reset.since)
        overlay = self._overlays.get(lamp)
        if overlay is None or overlay.until <= at:
            return pattern.level(at)
        if overlay.pattern is None:
            return not pattern.level(overlay.since)
        return overlay.pattern.level(at - overlay.since)

    def _touched(self, touches: list[Touch], at: float) -> None:
        down = [self._contacts[each].down for each in RESET_BUTTONS if each in self._contacts]
        meant = self._reset.busy
        if len(down) == len(RESET_BUTTONS) and self._reset.advance(down, at):
            self._orders.append((Order.RESET, Button.POWER))
        meant = meant or self._reset.busy
        for touch in touches:
            lamp = ANSWERS[touch.button]
            if touch.gesture is Gesture.DOWN:
                self._overlays[lamp] = _Overlay(touch.at + TOUCH_S, touch.at, None)
            order = None
            if touch.gesture is Gesture.PRESS:
                order = _PRESSES.get(touch.button)
            elif touch.gesture is Gesture.HOLD and not self._setup_asked:
                order = _HOLDS.get(touch.button)
            if order is not None and not (meant and touch.button in RESET_BUTTONS):
                self._orders.append((order, touch.button))
            if touch.gesture is Gesture.HOLD:
                self._overlays[lamp] = _Overlay(touch.at + TOUCH_S, touch.at, None)

    def _ask_for_setup(self, at: float) -> None:
        """The power button is down while the box starts: asks for set-up mode, not for shutting down.

        The order goes out once the box answers.
        """
        contact = self._contacts.get(Button.POWER)
        if contact is None:
            return
        if not contact.down:
            self._setup_asked = False
        elif at - self._started < SETUP_WINDOW_S and not self._setup_asked:
            self._setup_asked = True
            self._orders.append((Order.SET_UP, Button.POWER))

    def _buzz(self, seconds: tuple[float, ...], at: float) -> None:
        self._sound = [at]
        for length in seconds:
            self._sound.append(self._sound[-1] + length)
