"""Practice calls that run faster than real time: both ends advance in common steps of line time.

With fast clocks instead, a delay of 300 ms by the processor would be three seconds in a call at ten times
real time, and timers of T.30 would expire without fault of either end.  So each end advances by one step of
line time, and neither begins the next before the other has finished.  A busy machine makes such calls slower,
but not different.

A call whose engine waits for the box (a page, a page's storage, permission for the last page) does not
advance meanwhile: that wait is in real time, and would be ten times as long on the line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from appliance.lines.calltime import SteppedTime
from appliance.lines.practice.abilities import TICK_S
from appliance.t30.conversation import CallOwner, FromCall, Request, ToCall

# Line time of a step: what a packet may be under way on a good network; two ticks of spandsp.  Each costs
# both processes a turn at the processor.
STEP_S = 2 * TICK_S
# The box gets so long, seconds of real time, for an answer before the line's time goes on without it.
PATIENCE_S = 30.0
# What a busy machine cost is made up for up to so much, seconds of real time; the rest is lost.
MAKE_UP_S = 0.05
# After so many calls of a step the loop looks after others, for whom time does not stand still.
TURN_CALLS = 4
# With every call waiting for the box, how soon to look again, seconds.
WAIT_S = 0.001


class WaitingFor:
    """Stands between a call and its ``conversation``, and knows whether a reply is still to come."""

    def __init__(self, owner: CallOwner) -> None:
        self._owner = owner
        self._open = 0
        self._since = 0.0
        self._given_up = False
        self._loop = asyncio.get_running_loop()

    @property
    def waiting(self) -> bool:
        """Whether an answer is open and not given up."""
        return self._open > 0 and not self._given_up and self._loop.time() < self._since + PATIENCE_S

    def give_up(self) -> None:
        """The call is to end: time goes on, whatever the box still owes it."""
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
    """A call that takes part: its number in the machines' process, its time here, what it waits for."""

    number: int
    time: SteppedTime
    box: WaitingFor


class Steps:
    """Moves the calls of one line on, ``speed`` times as fast as real time at most.

    ``there(numbers, seconds)`` has the machines of these calls live through a step, and returns when they
    have.
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
