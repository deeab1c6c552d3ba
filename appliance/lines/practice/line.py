"""The practice line: real UDP on loopback to a fax machine that never leaves the box."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from appliance.causes import CANCELLED, Cause
from appliance.lines.calltime import CallTime, RealTime, SteppedTime
from appliance.lines.causes import BUSY, LINE_FULL, LINE_STOPPED, NO_ANSWER, NUMBER_NOT_IN_SERVICE
from appliance.lines.datagram_driver import DatagramDriver, Pacing, open_udp
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
from appliance.lines.practice.causes import PRACTICE_UNAVAILABLE
from appliance.lines.practice.machine import MachineResult, MachineSettings
from appliance.lines.practice.numbers import PRACTICE_NUMBERS, Script, Signal, script_for
from appliance.lines.practice.process import MachineCall, MachineProcess, MachineTroubleError
from appliance.lines.practice.spandsp_fax import Abilities
from appliance.lines.practice.steps import SteppedCall, Steps, WaitingFor
from appliance.lines.practice.virtual import Impairment
from appliance.t30.conversation import CallOwner, Ended
from appliance.t30.parameters import CallParameters, CallResult, Phase, Progress
from appliance.t38.fax import T38FaxCall
from appliance.t38.settings import T38Settings

_log = logging.getLogger(__name__)

# Calls at once; each takes about one per cent of a core.  Own choice, a setting of the line.
DEFAULT_CAPACITY = 30
# What the practice machines received is kept for looking at: this many faxes, the oldest go first.
KEEP_ARRIVALS = 100
# How long a machine has to report after the call.
REPORT_S = 5.0
# How long ``stop`` waits for calls to end with a DCN.
STOP_S = 5.0
PRACTICE_STATION_ID = "+49 30 {number}"


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a practice machine got from a call that we placed."""

    number: str
    tiff: Path | None  # None when no page came
    result: MachineResult | None  # in the machine's own words; None when its process died


class PracticeLine:
    """The line of the practice numbers (appliance.lines.line.Line).

    ``speed`` runs its calls that many times faster than the real ones (``steps``).  ``arrivals`` is the
    folder for what the machines receive, a temporary one when None.  ``numbers`` may bring other scripts.
    """

    def __init__(
        self,
        name: str = "practice",
        *,
        speed: float = 1.0,
        capacity: int = DEFAULT_CAPACITY,
        arrivals: Path | None = None,
        on_arrival: Callable[[Arrival], None] = lambda _: None,
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
        self._process = MachineProcess()
        self._steps = Steps(speed, self._process.step) if speed != 1.0 else None
        self._counter = itertools.count(1)
        self._kept: deque[Path] = deque()
        self._calls: list[CallOwner] = []
        self._idle = asyncio.Event()
        self._idle.set()
        self._up = False
        self._last_error = ""
        self._on_incoming: IncomingHandler = lambda _: Refuse(LINE_STOPPED)
        self.pacing = Pacing()

    @property
    def name(self) -> str:
        return self._name

    @property
    def kind(self) -> LineKind:
        return LineKind.PRACTICE

    def state(self) -> LineState:
        if not self._up:
            return LineState(False, 0, self._capacity, "The practice line is stopped.", self._last_error)
        return LineState(
            usable=True,
            calls=len(self._calls),
            capacity=self._capacity,
            sentence="The practice line is ready; nothing sent over it leaves the box.",
            last_error=self._last_error,
        )

    async def start(self, on_incoming: IncomingHandler) -> None:
        self._on_incoming = on_incoming
        if self._given_arrivals is None:
            self._arrivals = Path(tempfile.mkdtemp(prefix="faxbox-practice-"))
        else:
            self._arrivals = self._given_arrivals
            self._arrivals.mkdir(parents=True, exist_ok=True)
            self._find_kept(self._arrivals)
        self._up = True

    async def stop(self) -> None:
        self._up = False
        for owner in list(self._calls):
            owner.cancel()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), STOP_S)
        await self._process.stop()
        if self._arrivals is not None and self._given_arrivals is None:
            shutil.rmtree(self._arrivals, ignore_errors=True)
        self._arrivals = None

    async def place(self, call: OutgoingCall, owner: CallOwner, tap: Tap | None = None) -> CallResult:
        digits = "".join(each for each in call.number if each.isdigit())
        script = self._numbers.get(digits)
        owner.say(_progress("dialled", number=call.number))
        if not self._up:
            return _not_connected(LINE_STOPPED)
        if script is None:
            return _not_connected(NUMBER_NOT_IN_SERVICE)
        if len(self._calls) >= self._capacity:
            return _not_connected(LINE_FULL)
        with self._counted(owner):
            cause = await self._ring(call, owner, script)
            if cause is not None:
                return _not_connected(cause)
            return await self._connected(call, owner, tap, digits, script)

    async def send_to_us(
        self,
        tiff: Path,
        *,
        caller: str = "9990",
        dialled: str = "",
        attempt: int = 1,
        settings: MachineSettings | None = None,
    ) -> CallResult:
        """A practice machine calls the box with this TIFF; how the call ended for the box.

        The call goes through the line's ``IncomingHandler`` as any other.  ``settings`` overrules
        the machine's (its ``send`` and ``calls`` are set here).
        """
        if not self._up:
            return _not_connected(LINE_STOPPED)
        if len(self._calls) >= self._capacity:
            return _not_connected(LINE_FULL)
        answer = await decided(
            self._on_incoming(IncomingCall(self._name, dialled, caller, "Practice machine"))
        )
        if isinstance(answer, Refuse):
            return _not_connected(answer.cause)
        script = script_for(caller) or PRACTICE_NUMBERS["9990"]
        if settings is None:
            settings = _settings(script, attempt, Abilities(calls=True, send=tiff, station_id=caller))
        owner = answer.owner
        with self._counted(owner):
            result = await self._carry(
                answer.parameters, owner, answer.tap, settings, network=script.network, we_call=False
            )
        owner.say(Ended(result))
        return result

    # -- inside ---------------------------------------------------------------------------

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
        """The exchange's part of the call; None once somebody answered."""
        cancelled = asyncio.Event()
        owner.on_cancel(cancelled.set)
        answers = script.signal is Signal.ANSWERS and script.ring_s <= call.ring_s
        ring_s = call.ring_s if script.signal is Signal.NO_ANSWER else min(script.ring_s, call.ring_s)
        if script.signal is not Signal.BUSY:
            owner.say(_progress("ringing"))
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
        settings = _settings(script, call.attempt, abilities)

        def reported(machine: MachineResult | None) -> None:
            self._keep(tiff)
            self._on_arrival(Arrival(digits, tiff if tiff.exists() else None, machine))

        return await self._carry(
            call.parameters,
            owner,
            tap,
            settings,
            network=script.network,
            reported=reported,
            we_call=True,
        )

    async def _carry(
        self,
        parameters: CallParameters,
        owner: CallOwner,
        tap: Tap | None,
        settings: MachineSettings,
        *,
        network: Impairment,
        reported: Callable[[MachineResult | None], None] = lambda _: None,
        we_call: bool,
    ) -> CallResult:
        """One call between our endpoint and a machine; ``reported`` hears how the machine saw it."""
        with contextlib.closing(open_udp()) as sock:
            try:
                machine = await self._process.open(
                    settings,
                    stepped=self._steps is not None,
                    to_machine=network,
                    from_machine=replace(network, seed=network.seed + 1),
                    peer=None if we_call else sock.getsockname(),
                )
            except (MachineTroubleError, OSError) as error:
                _log.error("practice machine: %s", error)
                self._last_error = str(error)
                return _not_connected(PRACTICE_UNAVAILABLE)
            if owner.cancelled:  # while the machine was made ready
                self._process.bye(machine)
                return _not_connected(CANCELLED if self._up else LINE_STOPPED)
            owner.say(_progress("answered"))
            try:
                with self._time_of(owner, machine) as (time, box, pacing):
                    fax = T38FaxCall(
                        parameters,
                        self._t38,
                        box.say,
                        wake=lambda: driver.wake(),  # noqa: PLW0108 - made below
                    )
                    box.listen(fax.answer)
                    driver = DatagramDriver(
                        fax,
                        sock,
                        ("127.0.0.1", machine.port),
                        latch=False,
                        tap=tap,
                        time=time,
                        pacing=pacing,
                    )
                    # What it sent before it hung up is heard first.
                    machine.ended.add_done_callback(lambda _: time.at(time.now(), driver.hang_up))
                    owner.on_cancel(driver.cancel)
                    result = await driver.run()
            finally:
                self._process.bye(machine)
        reported(await self._report(machine))
        return result

    @contextlib.contextmanager
    def _time_of(
        self, owner: CallOwner, machine: MachineCall
    ) -> Iterator[tuple[CallTime, CallOwner | WaitingFor, Pacing]]:
        """The clock for a call, and what goes with it: a stepped one needs to know what it waits for."""
        if self._steps is None:
            yield RealTime(), owner, self.pacing
            return
        box = WaitingFor(owner)
        stepped = SteppedCall(machine.number, SteppedTime(), box)
        owner.on_cancel(box.give_up)
        self._steps.join(stepped)
        try:
            # Packets that leave in steps say nothing about how punctual the box is.
            yield stepped.time, box, Pacing()
        finally:
            self._steps.leave(stepped)

    async def _report(self, machine: MachineCall) -> MachineResult | None:
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(asyncio.shield(machine.ended), REPORT_S)
        return None

    def _find_kept(self, folder: Path) -> None:
        """What machines received before a restart stays, is counted, and is not written over."""
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


def _settings(script: Script, attempt: int, abilities: Abilities) -> MachineSettings:
    return MachineSettings(
        abilities=replace(
            abilities,
            ecm=script.ecm,
            modems=script.modems,
            compressions=script.compressions,
            resolutions=script.resolutions,
        ),
        manners=script.manners,
        faults=script.faults(attempt),
    )


def _progress(event: str, **facts: str | int) -> Progress:
    """A line of the account from before the call is connected, where its clock stands at 0."""
    return Progress(0.0, event, tuple(facts.items()))


def _not_connected(cause: Cause) -> CallResult:
    return CallResult(cause=cause, phase=Phase.A)
