"""``Dispatcher``: the scheduler, lines and calls of a running box."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from appliance.box import Box
from appliance.dispatch.clock import JobClock
from appliance.dispatch.outgoing import OutgoingCalls
from appliance.dispatch.pool import LinePool, ManagedLine
from appliance.dispatch.reception import Reception, Screen
from appliance.dispatch.scheduler import Scheduler
from appliance.spool.incoming import WRITERS
from appliance.spool.model import Event, TransientEvent

# How long calls may take to end with DCN when the box stops, seconds.
STOP_S = 15.0
# Events after which a job may be due.
_WAKING = frozenset({"job.waiting", "job.rescheduled", "job.cancelled", "job.woken", "line.state"})


class Dispatcher:
    """Places and answers the box's calls over ``lines``, in the owner's order.  For the event loop.

    ``screen`` may refuse incoming calls.
    """

    def __init__(self, box: Box, lines: list[ManagedLine], screen: Screen | None = None) -> None:
        self._box = box
        self._loop: asyncio.AbstractEventLoop | None = None
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="pages")
        clock = JobClock(box)
        self.reception = Reception(box, self._writers, screen)
        self.pool = LinePool(box, lines, self.reception.take, self.wake)
        self.outgoing = OutgoingCalls(box, clock, self._writers, self.wake)
        self.scheduler = Scheduler(box, clock, self.pool, self.outgoing)

    def wake(self) -> None:
        """Has the scheduler look for jobs that are due.  On the loop."""
        self.scheduler.wake()

    async def start(self) -> None:
        """Opens the lines and begins to send.  The spool must have been recovered."""
        self._loop = asyncio.get_running_loop()
        self._box.spool.hub.call(self._heard)
        await self.pool.start()
        self.scheduler.start()

    async def stop(self) -> None:
        """Ends every call (with DCN if the far end can receive it), settles all jobs, closes the lines."""
        self.reception.stopping()
        self.pool.stopping()
        await self.scheduler.stop()
        self.outgoing.cancel_all()
        self.reception.cancel_all()
        tasks = [*self.outgoing.tasks, *self.reception.tasks]
        if tasks:
            await asyncio.wait(tasks, timeout=STOP_S)
        await self.pool.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.pool.report()
        self._writers.shutdown(wait=True)

    def _heard(self, item: Event | TransientEvent) -> None:
        """Takes an event of the spool, on its writer's thread."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        if item.kind == "job.cancelling" and item.fax_id is not None:
            loop.call_soon_threadsafe(self.outgoing.cancel, item.fax_id)
        elif item.kind in _WAKING:
            loop.call_soon_threadsafe(self.wake)
