"""Pages on their way to the line: the last one goes out only after that was recorded.

If the box dies after the record, the far end may have the whole fax: the job is UNKNOWN.  If it died
before, the far end cannot have confirmed the last page: it is safe to send again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from appliance.t4.page import CodedPage
from appliance.t30.parameters import Accepts, PageSource

Deliver = Callable[[CodedPage | None, bool], None]


class Record(Protocol):
    """Makes the record durable, then calls ``done`` with whether it is, on the call's thread."""

    def __call__(self, done: Callable[[bool], None], /) -> None: ...


class RecordedLastPage:
    """A ``PageSource`` around another."""

    def __init__(self, pages: PageSource, record: Record) -> None:
        self._pages = pages
        self._record = record
        self._recorded = False

    def fetch(self, number: int, accepts: Accepts, deliver: Deliver) -> None:
        def check(page: CodedPage | None, last: bool) -> None:
            if page is None or not last or self._recorded:
                deliver(page, last)
            else:
                self._record(lambda ok: recorded(page, ok))

        def recorded(page: CodedPage, ok: bool) -> None:
            self._recorded = ok
            deliver(page if ok else None, True)

        self._pages.fetch(number, accepts, check)
