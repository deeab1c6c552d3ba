"""One fax call: the T.30 engine, a DCE that carries it, pages in, pages out.

``FaxCall`` is what every line drives, the same for T.38, a modem and G.711: it moves orders to the DCE
and events to the engine until both are quiet.  It reads no clock and does no I/O.
"""

from __future__ import annotations

import logging
import traceback
from collections import deque
from collections.abc import Callable
from typing import Protocol

from appliance import causes
from appliance.causes import Cause
from appliance.t4.page import CodedPage
from appliance.t30.dce import HangUp, LineEvent, LineOrder
from appliance.t30.engine import Engine
from appliance.t30.parameters import (
    Accepts,
    AskedPageSource,
    CallParameters,
    CallResult,
    PageSource,
    PageStore,
    Progress,
    ReceivedPage,
)
from appliance.t30.station import (
    AskToEndLastPage,
    EndPermitted,
    FetchPage,
    PageDelivered,
    PageStored,
    StorePage,
)

_log = logging.getLogger(__name__)

# Rounds of orders and events at one moment.  Each page takes a few dozen; more is a DCE that answers
# without end, a fault of ours.
_ROUNDS_LIMIT = 10_000


class Dce(Protocol):
    """What carries a call (``appliance.t30.dce`` says how it must behave)."""

    def order(self, order: LineOrder, now: float) -> None: ...

    def handle_timer(self, now: float) -> None: ...

    def next_deadline(self) -> float | None: ...

    def take_events(self) -> list[LineEvent]: ...


class LosableDce(Dce, Protocol):
    """A DCE whose line ends with a call around it (SIP)."""

    def line_lost(self, cause: Cause | None) -> None: ...


class NoPages:
    """A page source with nothing to send: for a call that only receives."""

    def fetch(self, number: int, accepts: Accepts, deliver: Callable[[CodedPage | None, bool], None]) -> None:
        deliver(None, True)


class RefusingStore:
    """A page store for a call that only sends: a page that came nevertheless is not confirmed."""

    def store(self, number: int, page: ReceivedPage, stored: Callable[[bool], None]) -> None:
        stored(False)


def _nobody_watches(_: Progress) -> None:
    pass


def _nobody_sleeps() -> None:
    pass


class FaxCall:
    """Drives one call from the moment it is connected to its end.

    ``wake`` is called when a page is delivered or stored outside of ``pump`` and its kin, so that the
    driver may call ``pump`` soon.  After each call of a method the driver asks ``next_deadline``.
    """

    def __init__(
        self,
        parameters: CallParameters,
        dce: Dce,
        pages: PageSource,
        store: PageStore,
        progress: Callable[[Progress], None] = _nobody_watches,
        *,
        wake: Callable[[], None] = _nobody_sleeps,
    ) -> None:
        self._engine = Engine(parameters, progress)
        self._dce = dce
        self._pages = pages
        self._store = store
        self._wake = wake
        self._inbox: deque[PageDelivered | PageStored | EndPermitted] = deque()
        self._pumping = False

    @property
    def result(self) -> CallResult | None:
        """How the call ended, None while it lasts."""
        return self._engine.result

    def start(self, now: float) -> None:
        """The call is connected."""
        self._guarded(lambda: self._engine.start(now), now)
        self.pump(now)

    def pump(self, now: float) -> None:
        """Moves everything that waits: after the transport fed the DCE, or a page came or was stored."""
        if self._pumping:
            return  # a callback from within: its news is in the inbox
        self._pumping = True
        try:
            self._guarded(lambda: self._until_quiet(now), now)
        finally:
            self._pumping = False

    def handle_timer(self, now: float) -> None:
        """The time of ``next_deadline`` has come (or later)."""
        self._guarded(lambda: self._dce.handle_timer(now), now)
        self.pump(now)
        self._guarded(lambda: self._engine.handle_timer(now), now)
        self.pump(now)

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` is due, seconds on the caller's clock; None when nothing is awaited."""
        deadlines = (self._engine.next_deadline(), self._dce.next_deadline())
        return min((d for d in deadlines if d is not None), default=None)

    def cancel(self, now: float, cause: Cause = causes.CANCELLED) -> None:
        """The owner ends the call: DCN where the far end can hear it, then hang up."""
        self._guarded(lambda: self._engine.cancel(now, cause), now)
        self.pump(now)

    def _guarded(self, act: Callable[[], None], now: float) -> None:
        """Runs ``act``; a fault of ours in it ends this call and nothing else."""
        try:
            act()
        except Exception:
            _log.exception("a fax call ended by a fault of ours")
            self._engine.abandon(causes.INTERNAL_FAULT, now, traceback.format_exc(limit=-4))
            self._hang_up(now)

    def _hang_up(self, now: float) -> None:
        """What is left to order is the end of the call."""
        self._engine.take_orders()
        try:
            self._dce.order(HangUp(), now)
        except Exception:
            _log.exception("the line could not be hung up")

    def _until_quiet(self, now: float) -> None:
        for _ in range(_ROUNDS_LIMIT):
            if not self._step(now):
                return
        raise RuntimeError("orders and events without end")

    def _step(self, now: float) -> bool:
        """One round: True when something moved."""
        moved = False
        for order in self._engine.take_orders():
            moved = True
            match order:
                case FetchPage():
                    self._fetch(order)
                case StorePage():
                    self._keep(order)
                case AskToEndLastPage():
                    self._ask_leave()
                case _:
                    self._dce.order(order, now)
        for event in self._dce.take_events():
            moved = True
            self._engine.handle(event, now)
        while self._inbox:
            moved = True
            self._engine.handle(self._inbox.popleft(), now)
        return moved

    def _fetch(self, request: FetchPage) -> None:
        def deliver(page: CodedPage | None, last: bool) -> None:
            self._news(PageDelivered(request.ticket, page, last))

        self._pages.fetch(request.number, request.accepts, deliver)

    def _keep(self, request: StorePage) -> None:
        def stored(ok: bool) -> None:
            self._news(PageStored(request.ticket, ok))

        self._store.store(request.number, request.page, stored)

    def _ask_leave(self) -> None:
        if isinstance(self._pages, AskedPageSource):
            self._pages.ask_to_end_last_page(lambda ok: self._news(EndPermitted(ok)))
        else:
            self._news(EndPermitted(True))

    def _news(self, news: PageDelivered | PageStored | EndPermitted) -> None:
        self._inbox.append(news)
        if not self._pumping:
            self._wake()


class DrivenFax:
    """What an object that is a whole fax machine on one session passes on to its ``FaxCall`` and ``dce``.

    Those that are (``T38Fax``, ``ToneFax``) add ``start``, datagrams and deadlines.
    """

    def __init__(self, call: FaxCall, dce: LosableDce) -> None:
        self._call = call
        self._driven = dce

    @property
    def result(self) -> CallResult | None:
        """How the call ended; None while it is under way."""
        return self._call.result

    def pump(self, now: float) -> None:
        """To be called when a page source or store answered."""
        self._call.pump(now)

    def cancel(self, now: float) -> None:
        """The owner ends the call: DCN, then the end."""
        self._call.cancel(now)

    def hang_up(self, now: float) -> None:
        """The far end hung up (BYE)."""
        self.line_lost(None, now)

    def line_lost(self, cause: Cause | None, now: float) -> None:
        """The call around the session ended: the far end hung up (None), or why the line failed."""
        self._driven.line_lost(cause)
        self._call.pump(now)
