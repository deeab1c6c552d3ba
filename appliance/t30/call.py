"""One fax call: the T.30 engine, the DCE that carries it, and the messages about its pages.

Every line drives a ``FaxCall``, whether T.38, a modem or G.711: it passes orders to the DCE and events to the
engine until neither has any left.  It reads no clock and does no I/O.  Times are seconds on a monotonic clock
of the caller's.
"""

from __future__ import annotations

import logging
import traceback
from collections import deque
from collections.abc import Callable
from typing import Protocol

from appliance.causes import CANCELLED, Cause
from appliance.t30 import causes
from appliance.t30.conversation import FromCall, Request, ToCall
from appliance.t30.dce import HangUp, LineEvent, LineOrder
from appliance.t30.fields import Facilities
from appliance.t30.parameters import CallParameters, CallResult, Role
from appliance.t30.receiver import Receiver
from appliance.t30.sender import Sender
from appliance.t30.station import Station

_log = logging.getLogger(__name__)

# Rounds of orders and events within one ``pump``.  A page takes a few dozen; this many mean that DCE and
# engine answer each other without end, which is a bug.
_ROUNDS_LIMIT = 10_000


class Dce(Protocol):
    """Carries a call; ``appliance.t30.dce`` states the rules that it must follow."""

    def order(self, order: LineOrder, now: float) -> None:
        """Carries out an order of the engine."""
        ...

    def handle_timer(self, now: float) -> None:
        """Does what is due at ``now``, seconds of a monotonic clock."""
        ...

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` is to be called next; None: not before the next order or input."""
        ...

    def take_events(self) -> list[LineEvent]:
        """What has happened on the line since the last call, oldest first."""
        ...


class LosableDce(Dce, Protocol):
    """A DCE within a call that is signalled elsewhere (SIP) and may end at any time."""

    def line_lost(self, cause: Cause | None) -> None:
        """The surrounding call has ended; ``cause``: why the line failed, None when the far end hung up."""
        ...


def nobody_sleeps() -> None:
    """The default of ``wake``, for drivers that call ``pump`` anyway."""


class FaxCall:
    """Runs one call from the moment it is connected to its end.

    ``say`` receives the call's requests and progress events (``conversation``); the replies go to ``answer``.
    ``wake`` is called when a reply arrives while no method of the call is running: the driver then calls
    ``pump``.  After each method call the driver asks for ``next_deadline``.  For one thread.

    An exception within the engine or the DCE is logged and ends this call alone (``internal_fault``).
    """

    def __init__(
        self,
        parameters: CallParameters,
        dce: Dce,
        say: Callable[[FromCall], None],
        *,
        wake: Callable[[], None] = nobody_sleeps,
    ) -> None:
        self._parameters = parameters
        self._station = Station(parameters, say)
        self._sender = Sender(self._station, self._poll)
        self._receiver = Receiver(self._station, self._polled)
        calls = parameters.role is Role.CALLS
        self._station.part = self._sender.identification if calls else self._receiver.identification
        self._dce = dce
        self._say = say
        self._wake = wake
        self._inbox: deque[ToCall] = deque()
        self._pumping = False

    @property
    def result(self) -> CallResult | None:
        """The result of the call, None while it lasts."""
        return self._station.result

    def start(self, now: float) -> None:
        """Starts T.30.  To be called once, when the call is connected."""
        self._guarded(lambda: self._begin(now), now)
        self.pump(now)

    def answer(self, reply: ToCall) -> None:
        """Takes the reply to a request, from within ``say`` or later, on the call's own thread."""
        self._inbox.append(reply)
        if not self._pumping:
            self._wake()

    def pump(self, now: float) -> None:
        """Passes on all pending orders, events and replies.

        To be called after the transport has fed the DCE, and after ``wake``.
        """
        if self._pumping:
            return  # called from within ``say``: the reply is in the inbox, and the outer call handles it
        self._pumping = True
        try:
            self._guarded(lambda: self._until_quiet(now), now)
        finally:
            self._pumping = False

    def handle_timer(self, now: float) -> None:
        """Handles the timers that are due.  To be called at the time of ``next_deadline`` or later."""
        self._guarded(lambda: self._dce.handle_timer(now), now)
        self.pump(now)
        self._guarded(lambda: self._station.handle_timer(now), now)
        self.pump(now)

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` is due, seconds on the caller's clock; None when no timer runs."""
        deadlines = (self._station.next_deadline(), self._dce.next_deadline())
        return min((d for d in deadlines if d is not None), default=None)

    def cancel(self, now: float, cause: Cause = CANCELLED) -> None:
        """Ends the call because its owner cancelled it: DCN, if the far end can receive it, then hangs up.

        If the response to a page is pending it is waited for: the page may be confirmed.
        """
        self._guarded(lambda: self._leave(cause, now), now)
        self.pump(now)

    def _begin(self, now: float) -> None:
        self._station.begin(now)
        if self._parameters.role is Role.CALLS:
            self._sender.identification.call()
        else:
            self._receiver.identification.answer(offers_pages=self._parameters.offers_pages)

    def _leave(self, cause: Cause, now: float) -> None:
        self._station.now = now
        self._station.leave(cause)

    def _poll(self, theirs: Facilities) -> None:
        self._receiver.identification.poll(theirs)

    def _polled(self, wanted: Facilities) -> None:
        self._sender.identification.begin(wanted)

    def _guarded(self, act: Callable[[], None], now: float) -> None:
        """Runs ``act``.  An exception in it is a bug: it is logged and ends this call, but no other."""
        try:
            act()
        except Exception:
            _log.exception("a fax call ended by a fault of ours")
            self._station.now = now
            self._station.note("fault", what=traceback.format_exc(limit=-4))
            self._station.hang_up(causes.INTERNAL_FAULT)
            self._hang_up(now)

    def _hang_up(self, now: float) -> None:
        """Drops pending orders and hangs up."""
        self._station.take_orders()
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
        """Passes on what is pending now; False when nothing was."""
        moved = False
        for order in self._station.take_orders():
            moved = True
            if isinstance(order, Request):
                self._say(order)
            else:
                self._dce.order(order, now)
        for event in self._dce.take_events():
            moved = True
            self._station.handle(event, now)
        while self._inbox:
            moved = True
            self._station.handle(self._inbox.popleft(), now)
        return moved


class FaxWithinCall(FaxCall):
    """A fax in a call that is signalled elsewhere (SIP), and may be ended there at any time."""

    _dce: LosableDce

    def hang_up(self, now: float) -> None:
        """To be called when the far end has hung up (BYE)."""
        self.line_lost(None, now)

    def line_lost(self, cause: Cause | None, now: float) -> None:
        """To be called when the surrounding call has ended.

        ``cause`` is why the line failed, None when the far end hung up.
        """
        self._dce.line_lost(cause)
        self.pump(now)
