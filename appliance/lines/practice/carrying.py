"""Carries the practice line's calls: one end is ours, the other a machine in the practice room.

This module loads the engine and the machine's library, so it is imported at the line's first call.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

from appliance.causes import CANCELLED
from appliance.lines.calltime import CallTime, RealTime, SteppedTime
from appliance.lines.causes import LINE_STOPPED
from appliance.lines.datagram_driver import DatagramDriver, Pacing, open_udp
from appliance.lines.line import Tap
from appliance.lines.practice.abilities import Abilities
from appliance.lines.practice.account import not_connected, progress
from appliance.lines.practice.causes import PRACTICE_UNAVAILABLE
from appliance.lines.practice.machine import MachineResult, MachineSettings
from appliance.lines.practice.network import Impairment
from appliance.lines.practice.numbers import Script
from appliance.lines.practice.process import MachineCall, MachineProcess, MachineTroubleError
from appliance.lines.practice.steps import SteppedCall, Steps, WaitingFor
from appliance.t30.conversation import CallOwner
from appliance.t30.parameters import CallParameters, CallResult
from appliance.t38.fax import T38FaxCall
from appliance.t38.settings import T38Settings

_log = logging.getLogger(__name__)

# Time for a machine to report its result after the call, seconds.
REPORT_S = 5.0


class PracticeCallServer:
    """The room of machines, and the calls with them.

    ``speed``, ``t38`` and ``pacing`` are the line's; ``line_is_up`` returns whether it has not been stopped.
    """

    def __init__(
        self, speed: float, t38: T38Settings, pacing: Pacing, line_is_up: Callable[[], bool]
    ) -> None:
        self._t38 = t38
        self._pacing = pacing
        self._line_is_up = line_is_up
        self._process = MachineProcess()
        self._steps = Steps(speed, self._process.step) if speed != 1.0 else None
        self.trouble = ""  # why the last machine could not be made

    @staticmethod
    def machine_settings(script: Script, attempt: int, abilities: Abilities) -> MachineSettings:
        """The machine of this practice number at this attempt, from 1."""
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

    async def stop(self) -> None:
        """Ends the room."""
        await self._process.stop()

    async def carry(
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
        """Carries one call between our endpoint and a machine; ``reported`` gets the machine's result."""
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
                self.trouble = str(error)
                return not_connected(PRACTICE_UNAVAILABLE)
            if owner.cancelled:  # while the machine was being started
                self._process.bye(machine)
                return not_connected(CANCELLED if self._line_is_up() else LINE_STOPPED)
            owner.say(progress("answered"))
            try:
                result = await self._talk(parameters, owner, tap, machine, sock)
            finally:
                self._process.bye(machine)
        reported(await self._report(machine))
        return result

    async def _talk(
        self,
        parameters: CallParameters,
        owner: CallOwner,
        tap: Tap | None,
        machine: MachineCall,
        sock: socket.socket,
    ) -> CallResult:
        """Carries a call whose machine answers."""
        with self._time_of(owner, machine) as (time, box, pacing):
            fax = T38FaxCall(
                parameters,
                self._t38,
                box.say,
                wake=lambda: driver.wake(),  # noqa: PLW0108 - made below
            )
            box.listen(fax.answer)
            place = ("127.0.0.1", machine.port)
            driver = DatagramDriver(fax, sock, place, latch=False, tap=tap, time=time, pacing=pacing)
            # First receives what it sent before it hung up.
            machine.ended.add_done_callback(lambda _: time.at(time.now(), driver.hang_up))
            owner.on_cancel(driver.cancel)
            return await driver.run()

    @contextlib.contextmanager
    def _time_of(
        self, owner: CallOwner, machine: MachineCall
    ) -> Iterator[tuple[CallTime, CallOwner | WaitingFor, Pacing]]:
        """The clock for a call, its owner and its pacing; a stepped clock needs to know whether the call
        waits for the box.
        """
        if self._steps is None:
            yield RealTime(), owner, self._pacing
            return
        box = WaitingFor(owner)
        stepped = SteppedCall(machine.number, SteppedTime(), box)
        owner.on_cancel(box.give_up)
        self._steps.join(stepped)
        try:
            # Packets sent in steps say nothing about the box's punctuality.
            yield stepped.time, box, Pacing()
        finally:
            self._steps.leave(stepped)

    async def _report(self, machine: MachineCall) -> MachineResult | None:
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(asyncio.shield(machine.ended), REPORT_S)
        return None
