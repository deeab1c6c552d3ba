"""One fax call: the T.30 engine, a DCE that carries it, and the conversation about its pages.

``FaxCall`` is what every line drives, the same for T.38, a modem and G.711: it moves orders to the DCE
and events to the engine until both are quiet.  It reads no clock and does no I/O.
"""

from __future__ import annotations

import logging
import traceback
from collections import deque
from collections.abc import Callable
from typing import Protocol

from appliance.causes import CANCELLED, Cause
from appliance.t30 import causes
from appliance.t30.conversation import AskToEndLastPage, FetchPage, FromCall, StorePage, ToCall
from appliance.t30.dce import HangUp, LineEvent, LineOrder
from appliance.t30.fields import Facilities
from appliance.t30.parameters import CallParameters, CallResult, Role
from appliance.t30.receiver import Receiver
from appliance.t30.sender import Sender
from appliance.t30.station import Station

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


def _nobody_sleeps() -> None:
    pass


class FaxCall:
    """Drives one call from the moment it is connected to its end.

    ``say`` takes its requests and the lines of its account as they come (``conversation``); the replies go
    to ``answer``.  ``wake`` is called for a reply outside of ``pump`` and its kin, so that the driver may
    call ``pump`` soon.  After each call of a method the driver asks ``next_deadline``.
    """

    def __init__(
        self,
        parameters: CallParameters,
        dce: Dce,
        say: Callable[[FromCall], None],
        *,
        wake: Callable[[], None] = _nobody_sleeps,
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
        """How the call ended, None while it lasts."""
        return self._station.result

    def start(self, now: float) -> None:
        """The call is connected."""
        self._guarded(lambda: self._begin(now), now)
        self.pump(now)

    def answer(self, reply: ToCall) -> None:
        """The reply to a request; at once or later, on the call's own thread."""
        self._inbox.append(reply)
        if not self._pumping:
            self._wake()

    def pump(self, now: float) -> None:
        """Moves everything that waits: after the transport fed the DCE, or a reply came."""
        if self._pumping:
            return  # from within: what came is in the inbox
        self._pumping = True
        try:
            self._guarded(lambda: self._until_quiet(now), now)
        finally:
            self._pumping = False

    def handle_timer(self, now: float) -> None:
        """The time of ``next_deadline`` has come (or later)."""
        self._guarded(lambda: self._dce.handle_timer(now), now)
        self.pump(now)
        self._guarded(lambda: self._station.handle_timer(now), now)
        self.pump(now)

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` is due, seconds on the caller's clock; None when nothing is awaited."""
        deadlines = (self._station.next_deadline(), self._dce.next_deadline())
        return min((d for d in deadlines if d is not None), default=None)

    def cancel(self, now: float, cause: Cause = CANCELLED) -> None:
        """The owner ends the call: DCN where the far end can hear it, then hang up.

        Where the answer to the last page is due it is heard first: the fax may be delivered.
        """
        self._guarded(lambda: self._leave(cause, now), now)
        self.pump(now)

    def _begin(self, now: float) -> None:
        self._station.begin(now)
        if self._parameters.role is Role.CALLS:
            self._sender.call()
        else:
            self._receiver.identification.answer(offers_pages=self._parameters.offers_pages)

    def _leave(self, cause: Cause, now: float) -> None:
        self._station.now = now
        self._station.leave(cause)

    def _poll(self, theirs: Facilities) -> None:
        self._station.part = self._receiver.identification
        self._receiver.identification.poll(theirs)

    def _polled(self, wanted: Facilities) -> None:
        self._sender.answer_poll(wanted)

    def _guarded(self, act: Callable[[], None], now: float) -> None:
        """Runs ``act``; a fault of ours in it ends this call and nothing else."""
        try:
            act()
        except Exception:
            _log.exception("a fax call ended by a fault of ours")
            self._station.now = now
            self._station.note("fault", what=traceback.format_exc(limit=-4))
            self._station.hang_up(causes.INTERNAL_FAULT)
            self._hang_up(now)

    def _hang_up(self, now: float) -> None:
        """What is left to order is the end of the call."""
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
        """One round: True when something moved."""
        moved = False
        for order in self._station.take_orders():
            moved = True
            if isinstance(order, FetchPage | StorePage | AskToEndLastPage):
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


class DrivenFax:
    """What an object that is a whole fax machine on one session passes on to its ``FaxCall`` and ``dce``.

    Those that are (``T38FaxCall``, ``ToneFaxCall``) add ``start``, datagrams and deadlines.
    """

    def __init__(self, call: FaxCall, dce: LosableDce) -> None:
        self._call = call
        self._driven = dce

    @property
    def result(self) -> CallResult | None:
        """How the call ended; None while it is under way."""
        return self._call.result

    def answer(self, reply: ToCall) -> None:
        """The reply to a request of the call."""
        self._call.answer(reply)

    def pump(self, now: float) -> None:
        """To be called after ``wake``."""
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
