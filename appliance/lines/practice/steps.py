"""Practice calls that run faster than real time: both ends advance in common steps of line time.

With faster clocks instead, a processor delay of 300 ms would be three seconds in a call at ten times real
time, and T.30's timers would expire through no fault of either end.  So each end advances by one step of line
time, and neither begins the next before the other has finished.  A busy machine makes such calls slower, but
does not change their course.

A call whose engine waits for the box (a page, storage of a page, permission to end the last one) does not
advance meanwhile: that wait is in real time, and would be ten times as long on the line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from appliance.lines.calltime import SteppedTime
from appliance.lines.practice.abilities import TICK_S
from appliance.t30.conversation import CallOwner, FromCall, Request, ToCall

# Line time of a step, seconds: the delay of a packet in a good network, or two ticks of spandsp.  Each step
# costs both processes a context switch.
STEP_S = 2 * TICK_S
# How long the box may take to answer before the line's time continues without it, seconds of real time.
PATIENCE_S = 30.0
# Delays by a busy machine are caught up with, up to this much, seconds of real time.
MAKE_UP_S = 0.05
# After this many calls of a step the event loop runs other tasks, for which time does not stand still.
TURN_CALLS = 4
# Interval of checks while every call waits for the box, seconds.
WAIT_S = 0.001


class WaitingFor:
    """Passes messages between a call and its ``conversation``, and records whether a reply is pending."""

    def __init__(self, owner: CallOwner) -> None:
        self._owner = owner
        self._open = 0
        self._since = 0.0
        self._given_up = False
        self._loop = asyncio.get_running_loop()

    @property
    def waiting(self) -> bool:
        """Whether an answer is pending and was not given up."""
        return self._open > 0 and not self._given_up and self._loop.time() < self._since + PATIENCE_S

    def give_up(self) -> None:
        """Gives up pending answers, because the call is to end: its time continues."""
        self._given_up = True

    def say(self, message: FromCall) -> None:
        """As of ``CallOwner``."""
        if isinstance(message, Request):
            self._open += 1
            self._since = self._loop.time()
        self._owner.say(message)

    def listen(self, take: Callable[[ToCall], None]) -> None:
        """As of ``CallOwner``."""

        def receive(reply: ToCall) -> None:
            self._open -= 1
            take(reply)

        self._owner.listen(receive)


@dataclass(frozen=True, slots=True)
class SteppedCall:
    """A call in the steps: its number in the machines' process, its time here, and whether it waits for
    the box.
    """

    number: int
    time: SteppedTime
    box: WaitingFor


class Steps:
    """Advances the calls of one line, at most ``speed`` times as fast as real time.

    ``there(numbers, seconds)`` advances the machines of these calls by a step, and returns when that is done.
    """

    def __init__(self, speed: float, there: Callable[[Sequence[int], float], Awaitable[None]]) -> None:
        self._speed = speed
        self._there = there
        self._calls: list[SteppedCall] = []
        self._task: asyncio.Task[None] | None = None

    def join(self, call: SteppedCall) -> None:
        """Adds a call to those that are stepped together."""
        self._calls.append(call)
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def leave(self, call: SteppedCall) -> None:
        """Removes a call."""
        self._calls.remove(call)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while self._calls:
            moving = [call for call in self._calls if not call.box.waiting]
            if not moving:
                await asyncio.sleep(WAIT_S)
                continue
            there = asyncio.ensure_future(self._there([call.number for call in moving], STEP_S))
            for turn, call in enumerate(moving, 1):
                call.time.step(STEP_S)
                if turn % TURN_CALLS == 0:
                    await asyncio.sleep(0)
            await there
            due = max(due + STEP_S / self._speed, loop.time() - MAKE_UP_S)
            await asyncio.sleep(max(0.0, due - loop.time()))
