"""The practice line: UDP over loopback to a fax machine within the box."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from appliance.causes import CANCELLED, Cause
from appliance.language import marked
from appliance.lines.causes import BUSY, LINE_FULL, LINE_STOPPED, NO_ANSWER, NUMBER_NOT_IN_SERVICE
from appliance.lines.datagram_driver import Pacing
from appliance.lines.line import (
    IncomingCall,
    IncomingHandler,
    LineKind,
    LineState,
    OutgoingCall,
    Refuse,
    Tap,
    decided,
)
from appliance.lines.practice.abilities import Abilities
from appliance.lines.practice.account import not_connected, progress
from appliance.lines.practice.numbers import PRACTICE_NUMBERS, Script, Signal, script_for
from appliance.lines.practice.settings import PRACTICE_NAME
from appliance.t30.conversation import CallOwner, Ended
from appliance.t30.parameters import CallResult
from appliance.t38.settings import T38Settings

if TYPE_CHECKING:
    from appliance.lines.practice.carrying import PracticeCallServer
    from appliance.lines.practice.machine import MachineResult

# Calls at once; each takes about one per cent of a core.  The default of a setting.
DEFAULT_CAPACITY = 30
# How many received faxes of the practice machines are kept for inspection; the oldest are deleted first.
KEEP_ARRIVALS = 100
# How long ``stop`` waits for calls to end with DCN, seconds.
STOP_S = 5.0
PRACTICE_STATION_ID = "+49 30 {number}"


@dataclass(frozen=True, slots=True)
class PracticeArrival:
    """What a practice machine received in a call that we placed."""

    number: str
    tiff: Path | None  # None when no page came
    result: MachineResult | None  # as the machine reports it; None when its process died


class PracticeLine:
    """The line of the practice numbers (appliance.lines.line.Line).

    ``speed`` runs its calls that many times faster than the real ones (``steps``).  ``arrivals`` is the
    folder for what the machines receive, a temporary one when None.  ``numbers`` may bring other scripts.
    """

    def __init__(
        self,
        name: str = PRACTICE_NAME,
        *,
        speed: float = 1.0,
        capacity: int = DEFAULT_CAPACITY,
        arrivals: Path | None = None,
        on_arrival: Callable[[PracticeArrival], None] = lambda _: None,
        numbers: Mapping[str, Script] = PRACTICE_NUMBERS,
        t38: T38Settings | None = None,
    ) -> None:
        self._name = name
        self._speed = speed
        self._capacity = capacity
        self._given_arrivals = arrivals
        self._arrivals: Path | None = None
        self._on_arrival = on_arrival
        self._numbers = numbers
        self._t38 = t38 if t38 is not None else T38Settings()
        self._carries: PracticeCallServer | None = None
        self._counter = itertools.count(1)
        self._kept: deque[Path] = deque()
        self._calls: list[CallOwner] = []
        self._deciding = 0  # calls to us about which the box has not decided yet
        self._idle = asyncio.Event()
        self._idle.set()
        self._up = False
        self._on_incoming: IncomingHandler = lambda _: Refuse(LINE_STOPPED)
        self.pacing = Pacing()

    @property
    def name(self) -> str:
        """The line's name."""
        return self._name

    @property
    def kind(self) -> LineKind:
        """Always PRACTICE."""
        return LineKind.PRACTICE

    def state(self) -> LineState:
        """The line's state now."""
        if not self._up:
            return LineState(
                False, 0, self._capacity, marked("The practice line is stopped."), self._trouble()
            )
        return LineState(
            usable=True,
            calls=self._channels,
            capacity=self._capacity,
            sentence=marked("The practice line is ready; nothing sent over it leaves the box."),
            last_error=self._trouble(),
        )

    async def start(self, on_incoming: IncomingHandler) -> None:
        """Makes the line usable; calls that its machines place go to ``on_incoming``."""
        self._on_incoming = on_incoming
        if self._given_arrivals is None:
            self._arrivals = Path(tempfile.mkdtemp(prefix="faxbox-practice-"))
        else:
            self._arrivals = self._given_arrivals
            self._arrivals.mkdir(parents=True, exist_ok=True)
            self._find_kept(self._arrivals)
        self._up = True

    async def stop(self) -> None:
        """Ends all calls, within ``STOP_S``."""
        self._up = False
        for owner in list(self._calls):
            owner.cancel()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), STOP_S)
        if self._carries is not None:
            await self._carries.stop()
        if self._arrivals is not None and self._given_arrivals is None:
            shutil.rmtree(self._arrivals, ignore_errors=True)
        self._arrivals = None

    async def place(self, call: OutgoingCall, owner: CallOwner, tap: Tap | None = None) -> CallResult:
        """Carries a call to one of its machines; returns its result."""
        digits = "".join(each for each in call.number if each.isdigit())
        script = self._numbers.get(digits)
        owner.say(progress("dialled", number=call.number))
        if not self._up:
            return not_connected(LINE_STOPPED)
        if script is None:
            return not_connected(NUMBER_NOT_IN_SERVICE)
        if self._channels >= self._capacity:
            return not_connected(LINE_FULL)
        with self._counted(owner):
            cause = await self._ring(call, owner, script)
            if cause is not None:
                return not_connected(cause)
            return await self._connected(call, owner, tap, digits, script)

    async def send_to_us(self, tiff: Path, *, caller: str = "9990", dialled: str = "") -> CallResult:
        """Has a practice machine call the box with this TIFF; returns the box's result.

        The call goes through the line's ``IncomingHandler`` as any other.
        """
        if not self._up:
            return not_connected(LINE_STOPPED)
        if self._channels >= self._capacity:
            return not_connected(LINE_FULL)
        self._deciding += 1
        try:
            answer = await decided(
                self._on_incoming(IncomingCall(self._name, dialled, caller, "Practice machine"))
            )
        finally:
            self._deciding -= 1
        if isinstance(answer, Refuse):
            return not_connected(answer.cause)
        script = script_for(caller) or PRACTICE_NUMBERS["9990"]
        owner = answer.owner
        if not self._up:
            result = not_connected(LINE_STOPPED)
            owner.say(Ended(result))
            return result
        with self._counted(owner):
            carrier = await self._carrier()
            abilities = Abilities(calls=True, send=tiff, station_id=caller)
            settings = carrier.machine_settings(script, 1, abilities)
            result = await carrier.carry(
                answer.parameters, owner, answer.tap, settings, network=script.network, we_call=False
            )
        owner.say(Ended(result))
        return result

    # -- inside ---------------------------------------------------------------------------

    @property
    def _channels(self) -> int:
        """Channels in use: running calls, and those that wait for the box's decision."""
        return len(self._calls) + self._deciding

    @contextlib.contextmanager
    def _counted(self, owner: CallOwner) -> Iterator[None]:
        self._calls.append(owner)
        self._idle.clear()
        try:
            yield
        finally:
            self._calls.remove(owner)
            if not self._calls:
                self._idle.set()

    async def _ring(self, call: OutgoingCall, owner: CallOwner, script: Script) -> Cause | None:
        """Plays the telephone exchange; returns None once somebody answered, else the cause."""
        cancelled = asyncio.Event()
        owner.on_cancel(cancelled.set)
        answers = script.signal is Signal.ANSWERS and script.ring_s <= call.ring_s
        ring_s = call.ring_s if script.signal is Signal.NO_ANSWER else min(script.ring_s, call.ring_s)
        if script.signal is not Signal.BUSY:
            owner.say(progress("ringing"))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(cancelled.wait(), ring_s / self._speed)
        if cancelled.is_set():
            return CANCELLED if self._up else LINE_STOPPED
        if script.signal is Signal.BUSY:
            return BUSY
        return None if answers else NO_ANSWER

    async def _connected(
        self, call: OutgoingCall, owner: CallOwner, tap: Tap | None, digits: str, script: Script
    ) -> CallResult:
        assert self._arrivals is not None
        tiff = self._arrivals / f"{digits}-{next(self._counter):06}.tif"
        abilities = Abilities(receive=tiff, station_id=PRACTICE_STATION_ID.format(number=digits))
        carrier = await self._carrier()
        settings = carrier.machine_settings(script, call.attempt, abilities)

        def reported(machine: MachineResult | None) -> None:
            self._keep(tiff)
            self._on_arrival(PracticeArrival(digits, tiff if tiff.exists() else None, machine))

        return await carrier.carry(
            call.parameters,
            owner,
            tap,
            settings,
            network=script.network,
            reported=reported,
            we_call=True,
        )

    async def _carrier(self) -> PracticeCallServer:
        """The carrier of the calls, loaded in a thread, so that calls of other lines continue meanwhile."""
        if self._carries is None:
            kind = await asyncio.get_running_loop().run_in_executor(None, _load_carrier)
            if self._carries is None:  # another call may have been quicker
                self._carries = kind(self._speed, self._t38, self.pacing, lambda: self._up)
        return self._carries

    def _trouble(self) -> str:
        return self._carries.trouble if self._carries is not None else ""

    def _find_kept(self, folder: Path) -> None:
        """Counts the faxes that machines received before a restart, so that they are not overwritten."""
        earlier = sorted(folder.glob("*-*.tif"), key=_serial)
        self._kept.extend(path for path in earlier if path not in self._kept)
        if earlier:
            self._counter = itertools.count(_serial(earlier[-1]) + 1)

    def _keep(self, tiff: Path) -> None:
        self._kept.append(tiff)
        while len(self._kept) > KEEP_ARRIVALS:
            self._kept.popleft().unlink(missing_ok=True)


def _serial(arrival: Path) -> int:
    digits = arrival.stem.rpartition("-")[2]
    return int(digits) if digits.isdecimal() else 0


def _load_carrier() -> type[PracticeCallServer]:
    from appliance.lines.practice.carrying import PracticeCallServer  # noqa: PLC0415 - not for a box that only stands by

    return PracticeCallServer
