"""The messages between a call and its owner, who has the pages to send and stores those received.

The engine makes the requests and takes the replies.  Lines, the exchange process and the box pass these same
objects on, so that each message has one form.  docs/life-of-a-call.md follows them through a call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from appliance.causes import Cause
from appliance.t4.page import CodedPage
from appliance.t30.parameters import Accepts, CallResult, Progress, ReceivedPage

# -- from the call ---------------------------------------------------------------------------------
#
# Every request has a ticket that is unique within the process, and its reply has the same one.  So a reply
# that is late, or meant for a medium that has been replaced (G.711 by T.38), is not taken for another one.


@dataclass(frozen=True, slots=True)
class FetchPage:
    """Requests page ``number`` (from 0) in a format that the receiver accepts.

    The engine requests one page ahead, and requests a page again when the receiver's capabilities have
    changed.
    """

    ticket: int
    number: int
    accepts: Accepts


@dataclass(frozen=True, slots=True)
class StorePage:
    """Requests storage of a received page, ``number`` from 0.  MCF is sent only after ``PageStored``.

    ``last``: the far end has said that no page follows (EOP), and none before is missing: with this page the
    fax is whole, however the call ends.
    """

    ticket: int
    number: int
    page: ReceivedPage
    last: bool = False


@dataclass(frozen=True, slots=True)
class AskToEndLastPage:
    """Requests permission to send the last page and to signal its end (EOP or PPS-EOP).

    From the permission on the far end may confirm the fax as a whole, so the owner records that durably
    before replying.  Requested before the last page begins, when the far end can be kept waiting.
    """

    ticket: int


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over.  The last message of a call."""

    result: CallResult


# -- to the call -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PageDelivered:
    """Reply to ``FetchPage``: the page, or why there is none.  ``last``: no further page follows."""

    ticket: int
    page: CodedPage | Cause
    last: bool


@dataclass(frozen=True, slots=True)
class PageStored:
    """Reply to ``StorePage``: whether the page is durable.  If not, the call ends with ``STORE_FAILED``."""

    ticket: int
    ok: bool


@dataclass(frozen=True, slots=True)
class EndPermitted:
    """Reply to ``AskToEndLastPage``.  ``refused``: the cause by which the call ends before the last page."""

    ticket: int
    refused: Cause | None = None


Request = FetchPage | StorePage | AskToEndLastPage
ToCall = PageDelivered | PageStored | EndPermitted
FromCall = Request | Progress | Ended


class CallOwner:
    """Base of the owners of calls, and of what represents an owner in the exchange process.

    A subclass defines ``say``, and calls ``answer`` and ``cancel``.  For one thread.
    """

    def __init__(self) -> None:
        self._take: Callable[[ToCall], None] | None = None
        self._on_cancel: list[Callable[[], None]] = []
        self.cancelled = False

    # -- for the call ------------------------------------------------------------------------------

    def say(self, message: FromCall) -> None:
        """Takes a message of the call."""
        raise NotImplementedError

    def listen(self, take: Callable[[ToCall], None] | None) -> None:
        """Sends replies to ``take`` from now on; None drops them."""
        self._take = take

    def on_cancel(self, action: Callable[[], None]) -> None:
        """Runs ``action`` when the owner ends the call, or at once if it has done so."""
        if self.cancelled:
            action()
        else:
            self._on_cancel.append(action)

    def off_cancel(self, action: Callable[[], None]) -> None:
        """Removes an action added by ``on_cancel``, if it has not run."""
        if action in self._on_cancel:
            self._on_cancel.remove(action)

    # -- for the owner -----------------------------------------------------------------------------

    def answer(self, reply: ToCall) -> None:
        """Passes a reply to the call; dropped when nothing listens."""
        if self._take is not None:
            self._take(reply)

    def cancel(self) -> None:
        """Ends the call.  A second time does nothing."""
        if self.cancelled:
            return
        self.cancelled = True
        actions, self._on_cancel = self._on_cancel, []
        for action in actions:
            action()
