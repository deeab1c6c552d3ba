"""A whole fax machine as far as T.30 goes: sender and receiver, and who of them is in charge."""

from __future__ import annotations

from collections.abc import Callable

from appliance.causes import Cause
from appliance.t30.fields import Facilities
from appliance.t30.parameters import CallParameters, CallResult, Progress, Role
from appliance.t30.receiver import Receiver
from appliance.t30.sender import Sender
from appliance.t30.station import Event, Order, Station


class Engine:
    """One end of a call.  Events and the time go in; orders and the next deadline come out.

    ``take_orders`` also yields requests for pages and pages to store (``station.FetchPage``,
    ``station.StorePage``), answered by ``PageDelivered`` and ``PageStored``.
    """

    def __init__(self, parameters: CallParameters, progress: Callable[[Progress], None]) -> None:
        self._parameters = parameters
        self._station = Station(parameters, progress)
        self._sender = Sender(self._station, self._poll)
        self._receiver = Receiver(self._station, self._polled)
        calls = parameters.role is Role.CALLS
        self._station.part = self._sender if calls else self._receiver

    @property
    def result(self) -> CallResult | None:
        """How the call ended, None while it lasts."""
        return self._station.result

    def start(self, now: float) -> None:
        """The call is connected."""
        self._station.now = now
        if self._parameters.role is Role.CALLS:
            self._sender.call()
        else:
            self._receiver.answer(offers_pages=self._parameters.offers_pages)

    def handle(self, event: Event, now: float) -> None:
        """Something happened on the line, or a page came or was stored."""
        self._station.handle(event, now)

    def handle_timer(self, now: float) -> None:
        """Time has passed."""
        self._station.handle_timer(now)

    def next_deadline(self) -> float | None:
        """When ``handle_timer`` is due."""
        return self._station.next_deadline()

    def take_orders(self) -> list[Order]:
        """Orders since the last call, oldest first."""
        return self._station.take_orders()

    def cancel(self, now: float, cause: Cause) -> None:
        """The owner ends the call."""
        self._station.now = now
        self._station.finish(cause)

    def abandon(self, cause: Cause, now: float, why: str) -> None:
        """Hangs up at once, for a reason that only the trace tells."""
        self._station.now = now
        self._station.note("fault", what=why)
        self._station.hang_up(cause)

    def _poll(self, theirs: Facilities) -> None:
        self._station.part = self._receiver
        self._receiver.poll(theirs)

    def _polled(self, wanted: Facilities) -> None:
        self._station.part = self._sender
        self._sender.answer_poll(wanted)
