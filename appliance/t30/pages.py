"""The pages of a sending call: requested one ahead, and kept until they are confirmed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from appliance.causes import Cause
from appliance.t4.page import CodedPage
from appliance.t30.causes import BOX_STALLED, PAGE_UNAVAILABLE
from appliance.t30.conversation import PageDelivered
from appliance.t30.parameters import Accepts
from appliance.t30.station import Station


@dataclass(frozen=True, slots=True)
class KnownPage:
    """The reply to the request for a page: ``page`` is None when it is not available."""

    page: CodedPage | None
    last: bool


class PageDesk:
    """Requests pages and keeps those delivered, in a format that the receiver accepts.

    Page numbers count from 0.  It also asks for the permission to send the last page.
    """

    def __init__(self, station: Station) -> None:
        self._station = station
        self._accepts: Accepts | None = None
        self._expected = False  # ``_accepts`` is an assumption: the receiver has not been heard yet
        self._known: dict[int, KnownPage] = {}
        self._asked: dict[int, int] = {}  # ticket: page number
        self.failure = PAGE_UNAVAILABLE  # why the most recent page without data is not available
        self.index = 0  # number of the page to send
        self.times_sent = 0  # how often that page has been sent
        self.all_confirmed = False  # the page before ``index`` was the last one
        self.refused: Cause | None = None  # why the last page may not be sent
        self._permitted = not station.parameters.asks_to_end_last_page
        self._asked_permission = False

    @property
    def current(self) -> KnownPage | None:
        """The page to send, None while it has not been delivered."""
        return self._known.get(self.index)

    @property
    def following(self) -> KnownPage | None:
        """The page after it, likewise."""
        return self._known.get(self.index + 1)

    def confirmed(self) -> None:
        """The far end has confirmed the page: moves on to the next one."""
        had = self._known.pop(self.index, None)
        self.all_confirmed = had is not None and had.last
        self.index += 1
        self.times_sent = 0

    def permission(self, refused: Cause | None) -> None:
        """Takes the reply to the request for permission; ``refused`` is None when it is granted."""
        self.refused = refused
        self._permitted = refused is None

    def may_begin(self, known: KnownPage) -> bool:
        """Whether a delivered page may be sent.  The last one needs permission, which is requested once.

        The request is made where the far end can be kept waiting: before DCS, or before the command that ends
        the preceding page, which becomes EOM when the reply takes long.
        """
        if self._permitted or not known.last or known.page is None:
            return True
        if not self._asked_permission:
            self._asked_permission = True
            self._station.ask_to_end_last_page()
        return False

    def cause_of_lateness(self) -> Cause:
        """The cause when the page to send is not ready in time."""
        return PAGE_UNAVAILABLE if self.current is None else BOX_STALLED

    def expects(self, accepts: Accepts) -> None:
        """Assumes that the receiver accepts ``accepts``, until ``accepts`` is called."""
        self._accepts, self._expected = accepts, True

    def accepts(self, accepts: Accepts, fits: Callable[[CodedPage], bool]) -> None:
        """Takes what the receiver accepts, and drops pages that were delivered for something else.

        A page that was requested upon the assumption of ``expects`` is kept if it ``fits`` this receiver: a
        new request would bring the same.
        """
        if accepts == self._accepts:
            self._expected = False
            return
        keep, self._expected = self._expected, False
        self._accepts = accepts
        self._asked = {}
        self._known = {
            number: known
            for number, known in self._known.items()
            if (known.page is None and number == 0) or (keep and known.page is not None and fits(known.page))
        }

    def ask(self, number: int) -> None:
        """Requests a page unless it was delivered or requested already."""
        if number in self._known or number in self._asked.values() or self._accepts is None:
            return
        self._asked[self._station.fetch(number, self._accepts)] = number

    def delivered(self, event: PageDelivered) -> bool:
        """Keeps a page.  False for one requested before the receiver's capabilities changed."""
        number = self._asked.pop(event.ticket, None)
        if number is None:
            return False
        if isinstance(event.page, Cause):
            self.failure = event.page
            self._known[number] = KnownPage(None, True)
        else:
            self._known[number] = KnownPage(event.page, event.last)
        return True

    def get(self, number: int) -> KnownPage | None:
        """The page with this number, None while it has not been delivered."""
        return self._known.get(number)
