"""What a call and those who keep its documents say to each other: one conversation of plain messages.

The engine yields the requests and takes the replies.  Lines, the process that carries calls and the box pass
on these very objects, so that there is one form of each.  docs/life-of-a-call.md follows them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from appliance.causes import Cause
from appliance.t4.page import CodedPage
from appliance.t30.parameters import Accepts, CallResult, Progress, ReceivedPage

# -- said by the call ------------------------------------------------------------------------------
#
# Every request has a ticket, which no other request of this process has, and its reply has the same: what
# is answered late, or to a fax that another has replaced (tones by T.38), is not taken for something else.


@dataclass(frozen=True, slots=True)
class FetchPage:
    """Asks for page ``number`` (from 0) in a form that the receiver takes.

    The engine asks one page ahead, and again when the receiver's abilities have changed.
    """

    ticket: int
    number: int
    accepts: Accepts


@dataclass(frozen=True, slots=True)
class StorePage:
    """Hands over a page that came.  It is confirmed (MCF) only after ``PageStored``."""

    ticket: int
    number: int
    page: ReceivedPage


@dataclass(frozen=True, slots=True)
class AskToEndLastPage:
    """May the last page be sent, and its end signalled (EOP, or PPS with it)?

    Until then the far end cannot confirm that page, from then on it may: who keeps books notes it durably
    first.  Asked before the last page begins, where the far end can be kept waiting for the answer.
    """

    ticket: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over: the last that it says."""

    result: CallResult


# -- said to the call ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PageDelivered:
    """Reply to ``FetchPage``: the page, or why it cannot be had.  ``last``: no further page follows."""

    ticket: int
    page: CodedPage | Cause
    last: bool


@dataclass(frozen=True, slots=True)
class PageStored:
    """Reply to ``StorePage``: whether the page is durable.  If not, the call ends with the box at fault."""

    ticket: int
    ok: bool


@dataclass(frozen=True, slots=True)
class EndPermitted:
    """Reply to ``AskToEndLastPage``.  ``refused``: why not; the call then ends before the last page."""

    ticket: int
    refused: Cause | None = None


Request = FetchPage | StorePage | AskToEndLastPage
ToCall = PageDelivered | PageStored | EndPermitted
FromCall = Request | Progress | Ended


class CallOwner:
    """Whom a call talks to: its owner, or what stands for him in this process.

    An owner defines ``say``; his replies and his wish to end the call reach it through the other methods.
    For one thread.
    """

    def __init__(self) -> None:
        self._take: Callable[[ToCall], None] | None = None
        self._on_cancel: list[Callable[[], None]] = []
        self.cancelled = False

    # -- for the call ------------------------------------------------------------------------------

    def say(self, message: FromCall) -> None:
        """The call has a request, a line of its account, or has ended."""
        raise NotImplementedError

    def listen(self, take: Callable[[ToCall], None] | None) -> None:
        """Replies go to ``take`` from now on: to the fax that is under way, to nobody for None."""
        self._take = take

    def on_cancel(self, action: Callable[[], None]) -> None:
        """Runs ``action`` when the owner ends the call, at once if that has happened."""
        if self.cancelled:
            action()
        else:
            self._on_cancel.append(action)

    def off_cancel(self, action: Callable[[], None]) -> None:
        """Forgets an action that ``on_cancel`` took, if it is still there."""
        if action in self._on_cancel:
            self._on_cancel.remove(action)

    # -- for the owner -----------------------------------------------------------------------------

    def answer(self, reply: ToCall) -> None:
        """A request's reply; dropped when the fax that asked is over."""
        if self._take is not None:
            self._take(reply)

    def cancel(self) -> None:
        """Ends the call."""
        if self.cancelled:
            return
        self.cancelled = True
        actions, self._on_cancel = self._on_cancel, []
        for action in actions:
            action()
