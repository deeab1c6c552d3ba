"""``CallDesk``: answers a call's requests from disk, while the call goes on."""

from __future__ import annotations

import asyncio
import logging

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
    StorePage,
    ToCall,
)
from appliance.t30.parameters import Accepts, CallResult, Progress, ReceivedPage

_log = logging.getLogger(__name__)

# What of a call's account is passed on as live news; the rest is in its trace.
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
    """Owns one call; made and used on the event loop.  Each request is answered by a task of its own.

    What a kind of call does not have (``page``, ``store``, ``permit_end``) is refused.
    """

    def __init__(self) -> None:
        super().__init__()
        self._tasks: set[asyncio.Task[None]] = set()

    # -- what a kind of call adds ------------------------------------------------------------------

    def progress(self, line: Progress) -> None:
        """A line of the call's account."""
        raise NotImplementedError

    def ended(self, result: CallResult) -> None:
        """The call is over; not said of calls that we placed."""

    async def page(self, ticket: int, number: int, accepts: Accepts) -> PageDelivered:
        """Page ``number`` as the receiver takes it, or why not."""
        return PageDelivered(ticket, PAGE_UNAVAILABLE, last=True)

    async def store(self, number: int, page: ReceivedPage) -> bool:
        """Makes a page durable; whether it is."""
        return False

    async def permit_end(self) -> Cause | None:
        """Notes durably that the far end may come to hold every page; None, or why that was not done."""
        return RECORD_FAILED

    # -- inside ------------------------------------------------------------------------------------

    async def settled(self) -> None:
        """Waits until every request has its answer."""
        if self._tasks:
            await asyncio.wait(set(self._tasks))

    def say(self, message: FromCall) -> None:
        match message:
            case Progress():
                self.progress(message)
            case Ended(result):
                self.ended(result)
            case _:
                task = asyncio.get_running_loop().create_task(self._answer(message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _answer(self, request: FetchPage | StorePage | AskToEndLastPage) -> None:
        try:
            reply = await self._reply(request)
        except Exception:  # a bug here must not leave the call waiting
            _log.exception("a call's request could not be answered")
            reply = _refusal(request)
        self.answer(reply)

    async def _reply(self, request: FetchPage | StorePage | AskToEndLastPage) -> ToCall:
        match request:
            case FetchPage(ticket, number, accepts):
                return await self.page(ticket, number, accepts)
            case StorePage(ticket, number, page):
                return PageStored(ticket, await self.store(number, page))
            case AskToEndLastPage(ticket):
                return EndPermitted(ticket, await self.permit_end())


def _refusal(request: FetchPage | StorePage | AskToEndLastPage) -> ToCall:
    match request:
        case FetchPage(ticket):
            return PageDelivered(ticket, PAGE_UNAVAILABLE, last=True)
        case StorePage(ticket):
            return PageStored(ticket, False)
        case AskToEndLastPage(ticket):
            return EndPermitted(ticket, INTERNAL_FAULT)


def tell_live(box: Box, fax_id: int | None, owner: str, line: Progress) -> None:
    """Passes a line of a call's account on as live news."""
    if line.event in _NEWS:
        data = {"event": line.event, **dict(line.fields)}
        box.spool.news(box.clock(), "call.progress", fax_id, owner, data)


def packets_of(box: Box, name: str) -> KeepPackets | None:
    """Whether and where the packets of a call are kept."""
    wanted = box.settings.section(StorageSettings).packets
    if wanted is KeptPackets.NONE:
        return None
    path = (box.data / PACKETS / f"{name}.pcap").absolute()
    return KeepPackets(path, always=wanted is KeptPackets.ALL)
