"""Runs the endpoints of one SIP call (the wait for a fax, digits, a fax) on its sockets, one at a time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable

from appliance.lines.causes import LINE_FAULT
from appliance.lines.datagram_driver import DatagramDriver, Endpoint, Pacing, SideDoor
from appliance.lines.line import Tap
from appliance.lines.peer_address import Address, Judge
from appliance.lines.sip.trunk_memory import UdptlWay
from appliance.t30.parameters import CallResult, Phase

_log = logging.getLogger(__name__)


class EndpointRunner:
    """Has at most one driver at a time.

    ``tap`` and ``pacing`` are for every driver (see ``DatagramDriver``).
    """

    def __init__(self, tap: Tap | None, pacing: Pacing | None) -> None:
        self._tap = tap
        self._pacing = pacing
        self._task: asyncio.Task[None] | None = None
        self._side: SideDoor | None = None
        self.driver: DatagramDriver | None = None  # of the endpoint that runs
        self.began = time.monotonic()  # when it was started: zero of its clock

    async def start(
        self,
        endpoint: Endpoint,
        sock: socket.socket,
        remote: Address | None,
        *,
        judge: Judge,
        result: Callable[[CallResult], None] | None = None,
        side: SideDoor | None = None,
        offset: int = 0,
    ) -> None:
        """Stops the endpoint that runs and starts this one; ``result`` is called when it is over.

        The other arguments are those of ``DatagramDriver``.
        """
        await self.stop()
        self.began = time.monotonic()
        self._side = side
        self.driver = DatagramDriver(
            endpoint,
            sock,
            remote,
            tap=self._tap,
            pacing=self._pacing,
            judge=judge,
            side=side,
            offset=offset,
        )
        self._task = asyncio.create_task(self._run(self.driver, result))

    async def _run(self, driver: DatagramDriver, report: Callable[[CallResult], None] | None) -> None:
        try:
            result = await driver.run()
        except Exception:
            _log.exception("the media of a call failed")
            result = CallResult(LINE_FAULT, phase=Phase.A)
        if report is not None:
            report(result)

    async def stop(self) -> None:
        """Ends the endpoint that runs, without a result."""
        task, self._task, self.driver = self._task, None, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def wake(self) -> None:
        """Has the endpoint pumped, because it was given something."""
        if self.driver is not None:
            self.driver.wake()

    def udptl_way(self) -> tuple[str, UdptlWay] | None:
        """The signalled host, and where its packets came from; None while no host was signalled."""
        if self.driver is None or self.driver.peer.signalled is None:
            return None
        aside = self._side is not None and self._side.peer is not None
        return self.driver.peer.signalled[0], UdptlWay(self.driver.peer.learned_offset, aside)
