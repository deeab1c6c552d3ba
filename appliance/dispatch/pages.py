"""Pages on their way to the line: the end of the last one is signalled only after that was recorded.

If the box dies after the record, the far end may have confirmed the whole fax: the job is UNKNOWN.  If
it died before, the far end cannot have: it is safe to send again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from appliance.t4.page import CodedPage
from appliance.t30.parameters import Accepts, PageSource


class Record(Protocol):
    """Makes the record durable, then calls ``done`` with whether it is, on the call's thread."""

    def __call__(self, done: Callable[[bool], None], /) -> None: ...


class RecordedLastPage:
    """An ``AskedPageSource`` (appliance.t30.parameters) around a page source."""

    def __init__(self, pages: PageSource, record: Record) -> None:
        self._pages = pages
        self._record = record

    def fetch(self, number: int, accepts: Accepts, deliver: Callable[[CodedPage | None, bool], None]) -> None:
        self._pages.fetch(number, accepts, deliver)

    def ask_to_end_last_page(self, given: Callable[[bool], None]) -> None:
        self._record(given)
