"""``Reception``: decides which incoming calls are answered, and completes the faxes that they bring."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from appliance.box import Box
from appliance.causes import CANCELLED, Cause
from appliance.dispatch.causes import NOT_RECEIVING
from appliance.dispatch.desk import CallDesk, packets_of, tell_live, write
from appliance.dispatch.outgoing import SETTLE_AGAIN_S
from appliance.dispatch.polling import OfferedPages
from appliance.dispatch.pool import ManagedLine
from appliance.dispatch.trace import Trace
from appliance.durable import DiskFullError
from appliance.lines.causes import LINE_STOPPED
from appliance.lines.line import Accept, IncomingCall, Refuse
from appliance.services.contacts import name_of_caller
from appliance.spool import offers
from appliance.spool.causes import INTERRUPTED, STORAGE_FULL, STORAGE_READ_ONLY
from appliance.spool.errors import SpoolClosedError, SpoolFailedError
from appliance.spool.incoming import IncomingFax
from appliance.spool.model import Room
from appliance.spool.settings import StorageSettings
from appliance.station import StationSettings
from appliance.t30.conversation import PageDelivered
from appliance.t30.parameters import Accepts, CallParameters, CallResult, Progress, ReceivedPage, Role

_log = logging.getLogger(__name__)

# Whether to refuse a call before it is answered (junk rules): the cause, or None.  On the loop: must not
# block.
Screen = Callable[[IncomingCall], Cause | None]


class IncomingFaxDesk(CallDesk):
    """Owner of an incoming call: stores the pages that it brings, and serves documents on offer."""

    def __init__(self, box: Box, fax: IncomingFax, trace: Trace) -> None:
        super().__init__()
        self._box = box
        self.fax = fax
        self.trace = trace
        self.over: asyncio.Future[CallResult] = asyncio.get_running_loop().create_future()
        self.on_offer = box.polling.by_name()
        self.offered = OfferedPages(box, self.on_offer)

    def progress(self, line: Progress) -> None:
        """Notes the progress of its call."""
        self.trace.add(line)
        self.offered.hear(line)
        tell_live(self._box, None, "", line)

    def ended(self, result: CallResult) -> None:
        """The call has ended with ``result``."""
        self.over.set_result(result)

    async def page(self, ticket: int, number: int, accepts: Accepts) -> PageDelivered:
        """The answer to the request ``ticket``: page ``number`` (from 0) of the document that is polled."""
        loop = asyncio.get_running_loop()
        return PageDelivered(ticket, *await loop.run_in_executor(None, self.offered.get, number, accepts))

    async def store(self, number: int, page: ReceivedPage, *, last: bool) -> bool:
        """Makes page ``number`` (from 0) durable; whether it is."""
        return await self.fax.store(number, page, last=last)


class Reception:
    """Decides on incoming calls, and completes the faxes that they bring.  For the event loop."""

    def __init__(self, box: Box, writers: ThreadPoolExecutor, screen: Screen | None) -> None:
        self._box = box
        self._writers = writers
        self._screen = screen
        self._stopping = False
        self._calls: dict[asyncio.Task[None], IncomingFaxDesk] = {}

    def stopping(self) -> None:
        """To be called when the box stops: no more calls are answered."""
        self._stopping = True

    @property
    def tasks(self) -> list[asyncio.Task[None]]:
        """A task for each call, done when its fax is recorded: for ``Dispatcher.stop`` to wait for."""
        return list(self._calls)

    def cancel_all(self) -> None:
        """Ends every call as the box stops."""
        for call in list(self._calls.values()):
            call.cancel()

    def take(self, managed: ManagedLine, call: IncomingCall) -> Accept | Refuse:
        """Answers or refuses a call.  Does not block: the decision needs no disk access."""
        station = self._box.settings.section(StationSettings)
        storage = self._box.settings.section(StorageSettings)
        if self._stopping or not station.receive or not managed.receive:
            return Refuse(NOT_RECEIVING)
        if self._box.guard.room(storage.reserve_mb, storage.warn_mb) is Room.FULL:
            return Refuse(STORAGE_READ_ONLY if self._box.guard.read_only else STORAGE_FULL)
        refused = self._screen(call) if self._screen is not None else None
        if refused is not None:
            return Refuse(refused)
        fax = IncomingFax(
            self._box.spool,
            self._writers,
            self._box.clock,
            line=call.line,
            line_kind=managed.line.kind.value,
            caller=call.caller,
            caller_name=name_of_caller(call.caller, self._box.rules) or call.caller_name,
            dialled=call.dialled,
        )
        trace = Trace(
            {
                "line": call.line,
                "caller": call.caller,
                "dialled": call.dialled,
                "at": self._box.clock(),
            }
        )
        owner = IncomingFaxDesk(self._box, fax, trace)
        task = asyncio.get_running_loop().create_task(self._carry(owner))
        self._calls[task] = owner
        task.add_done_callback(self._calls.pop)
        parameters = CallParameters(
            role=Role.ANSWERS,
            station_id=station.station_id,
            offers_pages=bool(owner.on_offer),
            on_offer=frozenset(owner.on_offer),
        )
        return Accept(parameters, owner, packets=packets_of(self._box, Path(fax.trace_path).stem))

    async def _carry(self, owner: IncomingFaxDesk) -> None:
        """Records the fax of a call once the call is over."""
        result = await owner.over
        if self._stopping and result.cause in (CANCELLED, LINE_STOPPED):
            result = replace(result, cause=INTERRUPTED)  # by us: nobody else can cancel a call that comes in
        fax = owner.fax
        await write(self._writers, owner.trace.write, self._box.data / fax.trace_path)
        await owner.settled()
        while True:
            try:
                finished = await fax.finish(result)
                break
            except SpoolClosedError:
                return  # the next start recovers it
            except (DiskFullError, SpoolFailedError) as error:
                _log.error("the end of a received fax could not be written: %s", error)
                if not fax.has_row:
                    return
                await asyncio.sleep(SETTLE_AGAIN_S)
        offer = owner.offered.chosen
        with contextlib.suppress(SpoolClosedError, SpoolFailedError, DiskFullError):
            if offer is not None and result.pages_sent >= offer.pages:
                caller = finished.caller or finished.tsi
                await self._box.spool.ado(offers.fetched, offer.id, caller, self._box.clock())
