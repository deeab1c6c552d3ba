"""A line for tests of the dispatcher only: its far ends do as a script says, in milliseconds.

It uses pages, store, progress and cancel as a real line does; fax calls themselves are tested over the
real lines.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.causes import CANCELLED, DELIVERED, PAGE_UNAVAILABLE, RECEIVED, STORE_FAILED, Cause
from appliance.lines.line import (
    Answer,
    IncomingCall,
    IncomingHandler,
    LineKind,
    LineState,
    OutgoingCall,
    Refuse,
)
from appliance.t4.page import CodedPage, PaperLength, PaperWidth, Raster, Resolution
from appliance.t4.page import Coding as PageCoding
from appliance.t30.dce import Carrier
from appliance.t30.parameters import Accepts, AskedPageSource, CallResult, Progress, ReceivedPage

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

    async def place(self, call: OutgoingCall) -> CallResult:
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
            return await self._carry(call, end)
        finally:
            self._up -= 1
            self.at_once[call.number] -= 1

    async def _carry(self, call: OutgoingCall, end: End) -> CallResult:
        sent = 0
        stopped = asyncio.Event()
        call.cancel.on_pull(stopped.set)
        while end.pages is None or sent < end.pages:
            page, last = await _fetch(call, sent)
            if page is None:
                return CallResult(PAGE_UNAVAILABLE, pages_sent=sent)
            call.progress(Progress(0.0, "page_sending", (("page", sent + 1),)))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), end.page_s)
            if stopped.is_set():
                return CallResult(CANCELLED, pages_sent=sent)
            if last:
                if not await _leave(call):
                    return CallResult(PAGE_UNAVAILABLE, pages_sent=sent)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopped.wait(), end.mcf_s)
                if stopped.is_set():
                    return CallResult(CANCELLED, pages_sent=sent)
            sent += 1
            self.taken[call.number].append(page)
            self.confirmed(call, sent, last)
            call.progress(Progress(0.0, "page_confirmed", (("page", sent),)))
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
    ) -> Cause:
        """A call comes in and brings ``pages`` pages."""
        assert self._handler is not None
        answer = self._handler(IncomingCall(self.name, dialled, caller))
        if isinstance(answer, Refuse):
            return answer.cause
        return await self._bring(answer, pages, cause, confirmed)

    async def _bring(
        self, answer: Answer, pages: int, cause: Cause, confirmed: Callable[[int], None]
    ) -> Cause:
        for number in range(pages):
            stored: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            raster = Raster(1728, 4, bytes([number]) * (216 * 4))
            answer.store.store(number, ReceivedPage(raster), stored.set_result)
            if not await stored:
                answer.ended(CallResult(STORE_FAILED, pages_received=number))
                return STORE_FAILED
            confirmed(number)
        answer.ended(CallResult(cause, pages_received=pages, remote_id="49 30 1"))
        return cause


async def _fetch(call: OutgoingCall, number: int) -> tuple[CodedPage | None, bool]:
    fetched: asyncio.Future[tuple[CodedPage | None, bool]] = asyncio.get_running_loop().create_future()
    call.pages.fetch(number, ACCEPTS, lambda page, last: fetched.set_result((page, last)))
    return await fetched


async def _leave(call: OutgoingCall) -> bool:
    assert call.parameters.asks_to_end_last_page
    assert isinstance(call.pages, AskedPageSource)
    given: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    call.pages.ask_to_end_last_page(given.set_result)
    return await given
