"""The panel's process: state of the box and edges of the buttons into the core, lamps and orders out."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from appliance.panel.box_client import ApiError, ButtonActions, Watcher
from appliance.panel.buttons import Button
from appliance.panel.core import Order, Panel
from appliance.panel.lamps import AnyLamp
from appliance.panel.model import BoxView

_log = logging.getLogger(__name__)

# Time between two attempts to open a board that failed, seconds.
BOARD_AGAIN_S = 30.0
# The longest sleep of the loop, seconds; nothing depends on it.
IDLE_S = 60.0
# The longest queue of edges and views: a chattering contact must not fill the memory.
BACKLOG = 1000


class BoardError(Exception):
    """The panel cannot be shown: no GPIO chip, no permission, a pin in use or named twice."""


class Face(Protocol):
    """Where the panel is shown: a board with pins, or a terminal."""

    def show(self, lit: dict[AnyLamp, bool], sounds: bool) -> None:
        """Shows the lamps and the buzzer.  Raises BoardError when it no longer can."""

    def close(self) -> None:
        """Switches everything off and releases what ``show`` needed."""


@dataclass(frozen=True, slots=True)
class _Edge:
    button: Button
    pressed: bool
    at: float


@dataclass(frozen=True, slots=True)
class _Answer:
    order: Order
    button: Button
    done: bool
    words: str


class PanelService:
    """Runs a panel until it is told to stop.

    ``open_face`` is called with the function that takes edges; it raises BoardError when there is no
    board, and is called again every BOARD_AGAIN_S.  ``view_changed`` gets each new view, for a display.
    ``started``: when the box was started, on the monotonic clock, seconds; None: now.
    """

    def __init__(
        self,
        line_lamps: int,
        buttons: Iterable[Button],
        open_face: Callable[[Callable[[Button, bool], None]], Face],
        *,
        view_changed: Callable[[BoxView], None] = lambda _: None,
        started: float | None = None,
    ) -> None:
        self.panel = Panel(line_lamps, buttons, time.monotonic() if started is None else started)
        self._open_face = open_face
        self._view_changed = view_changed
        self._inbox: queue.Queue[_Edge | _Answer | BoxView | None] = queue.Queue(BACKLOG)
        self._orders: queue.Queue[tuple[Order, Button] | None] = queue.Queue(BACKLOG)
        self._face: Face | None = None
        self._face_at = 0.0  # when to open it next, monotonic

    # -- called from other threads -------------------------------------------------------------

    def edge(self, button: Button, pressed: bool) -> None:
        """A button's contact changed."""
        self._put(_Edge(button, pressed, time.monotonic()))

    def box_is(self, view: BoxView) -> None:
        """The state of the box changed."""
        self._put(view)

    def stop(self) -> None:
        """Ends ``run``."""
        self._put(None)

    def _put(self, item: _Edge | _Answer | BoxView | None) -> None:
        try:
            self._inbox.put_nowait(item)
        except queue.Full:
            _log.warning("the panel is behind: something was passed over")

    # -- the loop ------------------------------------------------------------------------------

    def run(self, hands: ButtonActions, watcher: Watcher) -> None:
        """Runs until ``stop``; then the lamps are off and the pins released."""
        worker = threading.Thread(target=self._work, args=(hands, watcher), name="orders", daemon=True)
        worker.start()
        watcher.start()
        _log.info("the panel is on")
        try:
            while self._step():
                pass
        finally:
            watcher.stop()
            self._orders.put(None)
            if self._face is not None:
                self._face.close()

    def _step(self) -> bool:
        now = time.monotonic()
        self.panel.advance(now)
        for order in self.panel.orders():
            self._orders.put(order)
        self._show(now)
        due = self.panel.deadline(now)
        if self._face is None:
            due = self._face_at if due is None else min(due, self._face_at)
        try:
            item = self._inbox.get(timeout=IDLE_S if due is None else max(0.0, min(due - now, IDLE_S)))
        except queue.Empty:
            return True
        return self._take(item)

    def _take(self, item: _Edge | _Answer | BoxView | None) -> bool:
        match item:
            case None:
                return False
            case _Edge():
                self.panel.edge(item.button, item.pressed, item.at)
            case _Answer():
                _log.info("%s: %s", item.order.value, item.words)
                self.panel.answered(item.button, item.done, time.monotonic())
            case BoxView():
                self.panel.box_is(item, time.monotonic())
                self._view_changed(item)
        return True

    def _show(self, now: float) -> None:
        try:
            if self._face is None and now >= self._face_at:
                self._face_at = now + BOARD_AGAIN_S
                self._face = self._open_face(self.edge)
            if self._face is not None:
                self._face.show(self.panel.lit(now), self.panel.sounds(now))
        except BoardError as error:
            _log.warning(
                "the panel's board cannot be used, it is tried again in %.0f s: %s", BOARD_AGAIN_S, error
            )
            if self._face is not None:
                self._face.close()
                self._face = None

    def _work(self, hands: ButtonActions, watcher: Watcher) -> None:
        """Carries out orders one after the other, in a thread of its own."""
        while (asked := self._orders.get()) is not None:
            order, button = asked
            try:
                words = hands.carry_out(order)
            except ApiError as error:
                self._put(_Answer(order, button, False, str(error)))
                continue
            except Exception as error:  # a bug must not end the panel
                _log.exception("a button's order failed")
                self._put(_Answer(order, button, False, str(error)))
                continue
            if order is Order.SET_UP:  # the code must not get into the log
                words = "A new set-up code was made."
            watcher.look_again()
            self._put(_Answer(order, button, True, words))
