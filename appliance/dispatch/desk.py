"""``CallDesk``: owner of a call in the box, answers its requests from disk."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

from appliance.box import Box
from appliance.causes import Cause
from appliance.lines.line import KeepPackets
from appliance.spool.model import PACKETS
from appliance.spool.settings import KeptPackets, StorageSettings
from appliance.t30.causes import INTERNAL_FAULT, PAGE_UNAVAILABLE, RECORD_FAILED
from appliance.t30.conversation import (
    AskToEndLastPage,
    CallOwner,
    Ended,
    EndPermitted,
    FetchPage,
    FromCall,
    PageDelivered,
    PageStored,
    Request,
    StorePage,
    ToCall,
)
from appliance.t30.parameters import Accepts, CallResult, Progress, ReceivedPage

_log = logging.getLogger(__name__)

# Progress events that are passed on as transient events; all are in the call's trace.
_NEWS = frozenset(
    {
        "dialled",
        "ringing",
        "connected",
        "answered",
        "remote_id",
        "dis",
        "dcs",
        "training",
        "trained",
        "step_down",
        "retrain",
        "page_sending",
        "page_confirmed",
        "page_receiving",
        "page_received",
        "ppr",
        "ended",
    }
)


class CallDesk(CallOwner):
    """Owner of one call, for the event loop.  Each request is answered by a task of its own.

    A subclass overrides ``page``, ``store`` and ``permit_end`` if its calls need them; the defaults refuse.
    """

    def __init__(self) -> None:
        super().__init__()
        self._tasks: set[asyncio.Task[None]] = set()

    # -- what a kind of call adds ------------------------------------------------------------------

    def progress(self, line: Progress) -> None:
        """Takes a progress event of the call."""
        raise NotImplementedError

    def ended(self, result: CallResult) -> None:
        """Takes the end of the call.  Not called for calls that the box places: ``place`` returns it."""

    async def page(self, ticket: int, number: int, accepts: Accepts) -> PageDelivered:
        """Page ``number`` (from 0) in a format that the receiver accepts, or why it is not available."""
        return PageDelivered(ticket, PAGE_UNAVAILABLE, last=True)

    async def store(self, number: int, page: ReceivedPage, *, last: bool) -> bool:
        """Stores page ``number`` (from 0) durably; returns whether that succeeded.  ``last`` as in
        ``StorePage``.
        """
        return False

    async def permit_end(self) -> Cause | None:
        """Records durably that the far end may receive the last page; returns None, or why that failed."""
        return RECORD_FAILED

    # -- inside ------------------------------------------------------------------------------------

    async def settled(self) -> None:
        """Waits until every request has been answered."""
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def say(self, message: FromCall) -> None:
        """Takes a message of the call: progress, its end, or a request, which is answered later."""
        match message:
            case Progress():
                self.progress(message)
            case Ended(result):
                self.ended(result)
            case _:
                task = asyncio.get_running_loop().create_task(self._answer(message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _answer(self, request: Request) -> None:
        try:
            reply = await self._reply(request)
        except Exception:  # a bug here must not leave the call waiting
            _log.exception("a call's request could not be answered")
            reply = _refusal(request)
        self.answer(reply)

    async def _reply(self, request: Request) -> ToCall:
        match request:
            case FetchPage(ticket, number, accepts):
                return await self.page(ticket, number, accepts)
            case StorePage(ticket, number, page, last):
                return PageStored(ticket, await self.store(number, page, last=last))
            case AskToEndLastPage(ticket):
                return EndPermitted(ticket, await self.permit_end())


def _refusal(request: Request) -> ToCall:
    match request:
        case FetchPage(ticket):
            return PageDelivered(ticket, PAGE_UNAVAILABLE, last=True)
        case StorePage(ticket):
            return PageStored(ticket, False)
        case AskToEndLastPage(ticket):
            return EndPermitted(ticket, INTERNAL_FAULT)


def tell_live(box: Box, fax_id: int | None, owner: str, line: Progress) -> None:
    """Passes a progress event on as a transient one to ``owner``, if it is one of those that are."""
    if line.event in _NEWS:
        data = {"event": line.event, **dict(line.fields)}
        box.spool.announce(box.clock(), "call.progress", fax_id, owner, data)


def packets_of(box: Box, name: str) -> KeepPackets | None:
    """Where the packets of a call are kept, by the settings; None when they are not."""
    wanted = box.settings.section(StorageSettings).packets
    if wanted is KeptPackets.NONE:
        return None
    path = (box.data / PACKETS / f"{name}.pcap").absolute()
    return KeepPackets(path, always=wanted is KeptPackets.ALL)


async def write(writers: Executor, work: Callable[[Path], None], path: Path) -> None:
    """Lets a thread of ``writers`` do ``work`` with the file ``path``, at the end of a call.

    Where no thread can be started it is done here: the call must end.
    """
    try:
        done = asyncio.get_running_loop().run_in_executor(writers, work, path)
    except RuntimeError:
        work(path)
    else:
        await done
