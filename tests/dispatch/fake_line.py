"""A line for tests of the dispatcher, with scripted far ends; calls take milliseconds.

It uses pages, store, progress and cancel as a real line does; fax calls themselves are tested over the
real lines.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from appliance.causes import CANCELLED, DELIVERED, RECEIVED, Cause
from appliance.lines.line import (
    Accept,
    IncomingCall,
    IncomingHandler,
    LineKind,
    LineState,
    OutgoingCall,
    Refuse,
    Tap,
)
from appliance.t4.page import CodedPage, PaperLength, PaperWidth, Raster, Resolution
from appliance.t4.page import Coding as PageCoding
from appliance.t30.causes import PAGE_UNAVAILABLE, STORE_FAILED
from appliance.t30.conversation import (
    AskToEndLastPage,
    CallOwner,
    Ended,
    EndPermitted,
    FetchPage,
    PageDelivered,
    PageStored,
    Request,
    StorePage,
    ToCall,
)
from appliance.t30.dce import Carrier
from appliance.t30.parameters import Accepts, CallResult, Progress, ReceivedPage

ACCEPTS = Accepts(frozenset(PageCoding), frozenset(Resolution), PaperWidth.A3, PaperLength.UNLIMITED)


@dataclass
class End:
    """What the far end does: takes ``pages`` pages (None: all), then ``cause``."""

    cause: Cause = DELIVERED
    pages: int | None = None
    page_s: float = 0.0
    mcf_s: float = 0.0  # from the end of the last page to its confirmation
    raises: bool = False


@dataclass
class FakeLine:
    """``scripts``: for each number the ends of its attempts in order; the last is for all later ones."""

    name: str = "fake"
    kind: LineKind = LineKind.T38
    capacity: int = 2
    usable: bool = True
    scripts: dict[str, list[End]] = field(default_factory=dict)
    default: Callable[[], End] = End
    confirmed: Callable[[OutgoingCall, int, bool], None] = lambda call, page, last: None
    placed: list[OutgoingCall] = field(default_factory=list)
    taken: dict[str, list[CodedPage]] = field(default_factory=lambda: defaultdict(list))
    most_at_once: int = 0
    at_once: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    collisions: int = 0
    _tries: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _up: int = 0
    _handler: IncomingHandler | None = None

    def state(self) -> LineState:
        return LineState(self.usable, self._up, self.capacity, "a fake line")

    async def start(self, on_incoming: IncomingHandler) -> None:
        self._handler = on_incoming

    async def stop(self) -> None:
        self.usable = False

    async def place(self, call: OutgoingCall, owner: CallOwner, tap: Tap | None = None) -> CallResult:
        self.placed.append(call)
        ends = self.scripts.get(call.number) or [self.default()]
        end = ends[min(self._tries[call.number], len(ends) - 1)]
        self._tries[call.number] += 1
        self._up += 1
        self.at_once[call.number] += 1
        self.most_at_once = max(self.most_at_once, self._up)
        self.collisions += self.at_once[call.number] > 1
        try:
            if end.raises:
                raise RuntimeError("the fake line broke, as it was told to")
            return await self._carry(call, owner, end)
        finally:
            self._up -= 1
            self.at_once[call.number] -= 1

    async def _carry(self, call: OutgoingCall, owner: CallOwner, end: End) -> CallResult:
        asked = Asked(owner)
        sent = 0
        stopped = asyncio.Event()
        owner.on_cancel(stopped.set)
        while end.pages is None or sent < end.pages:
            page, last = await asked.page(sent)
            if isinstance(page, Cause):
                return CallResult(page, pages_sent=sent)
            owner.say(Progress(0.0, "page_sending", (("page", sent + 1),)))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), end.page_s)
            if stopped.is_set():
                return CallResult(CANCELLED, pages_sent=sent)
            if last:
                assert call.parameters.asks_to_end_last_page
                if not await asked.end():
                    return CallResult(PAGE_UNAVAILABLE, pages_sent=sent)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopped.wait(), end.mcf_s)
                if stopped.is_set():
                    return CallResult(CANCELLED, pages_sent=sent, last_page_out=True)
            sent += 1
            self.taken[call.number].append(page)
            self.confirmed(call, sent, last)
            owner.say(Progress(0.0, "page_confirmed", (("page", sent),)))
            if last:
                break
        carrier = Carrier.V17_14400 if sent else None
        return CallResult(end.cause, pages_sent=sent, remote_id="fake", carrier=carrier, ecm=True)

    async def ring(
        self,
        caller: str,
        pages: int,
        *,
        dialled: str = "",
        cause: Cause = RECEIVED,
        confirmed: Callable[[int], None] = lambda page: None,
        stays: bool = False,
    ) -> Cause:
        """A call comes in and brings ``pages`` pages; it ``stays`` until it is ended here."""
        assert self._handler is not None
        answer = self._handler(IncomingCall(self.name, dialled, caller))
        if isinstance(answer, Refuse):
            return answer.cause
        ended = asyncio.Event()
        if stays:
            answer.owner.on_cancel(ended.set)
        else:
            ended.set()
        return await self._bring(answer, pages, cause, confirmed, ended)

    async def _bring(
        self,
        answer: Accept,
        pages: int,
        cause: Cause,
        confirmed: Callable[[int], None],
        ended: asyncio.Event,
    ) -> Cause:
        asked = Asked(answer.owner)
        for number in range(pages):
            raster = Raster(1728, 4, bytes([number]) * (216 * 4))
            last = number == pages - 1 and cause is RECEIVED
            if not await asked.store(number, ReceivedPage(raster), last):
                answer.owner.say(Ended(CallResult(STORE_FAILED, pages_received=number)))
                return STORE_FAILED
            confirmed(number)
        await ended.wait()
        answer.owner.say(Ended(CallResult(cause, pages_received=pages, remote_id="49 30 1")))
        return cause


class Asked:
    """The requests of one call, and their replies."""

    def __init__(self, owner: CallOwner) -> None:
        self._owner = owner
        self._tickets = count(1)
        self._replies: dict[int, asyncio.Future[ToCall]] = {}
        owner.listen(lambda reply: self._replies.pop(reply.ticket).set_result(reply))

    async def page(self, number: int) -> tuple[CodedPage | Cause, bool]:
        reply = await self._ask(lambda ticket: FetchPage(ticket, number, ACCEPTS))
        assert isinstance(reply, PageDelivered)
        return reply.page, reply.last

    async def store(self, number: int, page: ReceivedPage, last: bool) -> bool:
        reply = await self._ask(lambda ticket: StorePage(ticket, number, page, last))
        assert isinstance(reply, PageStored)
        return reply.ok

    async def end(self) -> bool:
        reply = await self._ask(AskToEndLastPage)
        assert isinstance(reply, EndPermitted)
        return reply.refused is None

    async def _ask(self, request: Callable[[int], Request]) -> ToCall:
        ticket = next(self._tickets)
        reply = self._replies[ticket] = asyncio.get_running_loop().create_future()
        self._owner.say(request(ticket))
        return await reply
