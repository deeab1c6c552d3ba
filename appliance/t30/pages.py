"""The pages of a sending call: asked for one ahead, kept until they are confirmed."""

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
    """What was said of a page: ``page`` is None when it cannot be had."""

    page: CodedPage | None
    last: bool


class PageDesk:
    """Asks for pages and keeps those that came, in the format that the receiver takes."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._accepts: Accepts | None = None
        self._expected = False  # nothing was heard of it yet
        self._known: dict[int, KnownPage] = {}
        self._asked: dict[int, int] = {}  # ticket: page
        self.failure = PAGE_UNAVAILABLE  # why the last page that cannot be had cannot
        self.index = 0  # page to send
        self.times_sent = 0  # that page
        self.all_confirmed = False  # the page before ``index`` was the last
        self.refused: Cause | None = None  # why the last page may not be sent
        self._permitted = not station.parameters.asks_to_end_last_page
        self._asked_permission = False

    @property
    def current(self) -> KnownPage | None:
        """The page to send, None while it is awaited."""
        return self._known.get(self.index)

    @property
    def following(self) -> KnownPage | None:
        """The page behind it, likewise."""
        return self._known.get(self.index + 1)

    def confirmed(self) -> None:
        """The far end has the page: the next one is to send."""
        had = self._known.pop(self.index, None)
        self.all_confirmed = had is not None and had.last
        self.index += 1
        self.times_sent = 0

    def permission(self, refused: Cause | None) -> None:
        """The last page may be sent, or may not."""
        self.refused = refused
        self._permitted = refused is None

    def may_begin(self, known: KnownPage) -> bool:
        """Whether a page that is here may be sent; the last one needs permission, which is asked for once.

        It is asked for where the far end can be kept waiting: before DCS, or before the command that ends
        the page before, which is EOM when the answer takes long.
        """
        if self._permitted or not known.last or known.page is None:
            return True
        if not self._asked_permission:
            self._asked_permission = True
            self._station.ask_to_end_last_page()
        return False

    def cause_of_lateness(self) -> Cause:
        """Why the page to send is late."""
        return PAGE_UNAVAILABLE if self.current is None else BOX_STALLED

    def expects(self, accepts: Accepts) -> None:
        """What the receiver will take if it takes all that we can send; nothing is known of it yet."""
        self._accepts, self._expected = accepts, True

    def accepts(self, accepts: Accepts, fits: Callable[[CodedPage], bool]) -> None:
        """What the receiver takes; what came in another format is forgotten.

        What was asked for as the best of receivers takes it is kept if this one takes it, too: it would be
        asked for in the same form.
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
        """Asks for a page unless it is here or on its way."""
        if number in self._known or number in self._asked.values() or self._accepts is None:
            return
        self._asked[self._station.fetch(number, self._accepts)] = number

    def delivered(self, event: PageDelivered) -> bool:
        """Keeps a page.  False for one that was asked for before the receiver's abilities changed."""
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
        """The page, None while it is awaited."""
        return self._known.get(number)
