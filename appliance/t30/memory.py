"""Owners of calls with pages in memory, for test harnesses and other short faxes.

The box keeps its pages on disk.  A harness may bring its own objects that follow ``Pages`` and ``Store``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from appliance.t4.coding import PageError, decode, encode
from appliance.t4.page import SCAN_LINE_PIXELS, CodedPage, Coding, PaperWidth, Raster, Resolution
from appliance.t30.causes import PAGE_UNAVAILABLE
from appliance.t30.conversation import (
    AskToEndLastPage,
    CallOwner,
    Ended,
    EndPermitted,
    FetchPage,
    FromCall,
    PageDelivered,
    PageStored,
    StorePage,
    ToCall,
)
from appliance.t30.parameters import Accepts, CallResult, Progress, ReceivedPage

# Most compact first.
_CODINGS = (Coding.MMR, Coding.MR, Coding.MH)
# The resolution that replaces one that is not accepted: half the rows, the same pixels across.
_COARSER = {Resolution.SUPERFINE: Resolution.FINE, Resolution.FINE: Resolution.STANDARD}


class Pages(Protocol):
    """Source of the pages to send, ``number`` from 0.

    ``fetch`` calls ``deliver(page, last)``, at once or later but on the same thread; ``deliver(None, True)``
    means that the page is not available.
    """

    def fetch(self, number: int, accepts: Accepts, deliver: Callable[[CodedPage | None, bool], None]) -> None:
        """Requests page ``number`` in a format that ``accepts`` permits."""


class Store(Protocol):
    """Takes received pages, ``number`` from 0: calls ``stored(True)`` when a page is stored, else False."""

    def store(self, number: int, page: ReceivedPage, stored: Callable[[bool], None]) -> None:
        """Stores a page, or refuses it."""


def ignore(_: object) -> None:
    """A callback that does nothing."""


def answer_from(
    pages: Pages,
    store: Store,
    answer: Callable[[ToCall], None],
    progress: Callable[[Progress], None] = ignore,
) -> Callable[[FromCall], None]:
    """A ``say`` for a ``FaxCall``: answers its requests from ``pages`` and ``store`` by ``answer``."""

    def say(message: FromCall) -> None:
        match message:
            case Progress():
                progress(message)
            case FetchPage(ticket, number, accepts):
                pages.fetch(
                    number,
                    accepts,
                    lambda page, last: answer(PageDelivered(ticket, page or PAGE_UNAVAILABLE, last)),
                )
            case StorePage(ticket, number, page):
                store.store(number, page, lambda ok: answer(PageStored(ticket, ok)))
            case AskToEndLastPage(ticket):
                answer(EndPermitted(ticket))  # nothing is recorded here

    return say


class MemoryOwner(CallOwner):
    """Owner of a call with pages in memory.

    Without ``store`` received pages are refused.  ``ended`` is called with the result.
    """

    def __init__(
        self,
        pages: Sequence[Raster | CodedPage] | Pages = (),
        store: Store | None = None,
        progress: Callable[[Progress], None] = ignore,
        ended: Callable[[CallResult], None] = ignore,
    ) -> None:
        super().__init__()
        self._pages = MemoryPages(pages) if isinstance(pages, Sequence) else pages
        self._store = store or RefusingStore()
        self._progress = progress
        self._ended = ended

    def say(self, message: FromCall) -> None:
        """Answers a request of the call at once; notes its end."""
        if isinstance(message, Ended):
            self._ended(message.result)
        else:
            answer_from(self._pages, self._store, self.answer, self._progress)(message)


class MemoryPages:
    """Rasters or coded pages to send, in order.

    A page is sent unchanged if the receiver accepts it, else in the most compact coding that it accepts,
    with rows merged in pairs if it accepts only a coarser resolution.  A page that cannot be adapted (too
    wide, or no coarser resolution) is not available.
    """

    def __init__(self, pages: Sequence[Raster | CodedPage]) -> None:
        self._pages = list(pages)

    def fetch(self, number: int, accepts: Accepts, deliver: Callable[[CodedPage | None, bool], None]) -> None:
        """Answers at once."""
        if number >= len(self._pages):
            deliver(None, True)
            return
        page = fit(self._pages[number], accepts)
        deliver(page, page is None or number == len(self._pages) - 1)


class RefusingStore:
    """Refuses every page, for calls that only send: a received page is not confirmed."""

    def store(self, number: int, page: ReceivedPage, stored: Callable[[bool], None]) -> None:
        """Refuses the page."""
        stored(False)


class MemoryStore:
    """Keeps received pages in ``pages``."""

    def __init__(self) -> None:
        self.pages: list[ReceivedPage] = []

    def store(self, number: int, page: ReceivedPage, stored: Callable[[bool], None]) -> None:
        """Keeps the page.  It replaces any earlier one with this number, and those after it."""
        self.pages[number:] = [page]
        stored(True)

    def rasters(self) -> list[Raster]:
        """The pages as pixels.  Raises PageError for a damaged coded page."""
        return [decode(p.page) if isinstance(p.page, CodedPage) else p.page for p in self.pages]


def fit(page: Raster | CodedPage, accepts: Accepts) -> CodedPage | None:
    """The page in a format that the receiver accepts, None when there is none."""
    if page.width not in _widths(page.resolution, accepts.width):
        return None
    fits = page.resolution in accepts.resolutions
    if fits and isinstance(page, CodedPage) and page.coding in accepts.codings:
        return page
    coding = next((c for c in _CODINGS if c in accepts.codings), None)
    if coding is None:
        return None
    try:
        raster = decode(page) if isinstance(page, CodedPage) else page
        while raster.resolution not in accepts.resolutions:
            if raster.resolution not in _COARSER:
                return None
            raster = _halved(raster, _COARSER[raster.resolution])
        return encode(raster, coding)
    except PageError:
        return None


def _widths(resolution: Resolution, widest: PaperWidth) -> set[int]:
    papers = list(PaperWidth)
    fitting = papers[: papers.index(widest) + 1]
    return {SCAN_LINE_PIXELS[paper][resolution.x_dpi] for paper in fitting}


def _halved(raster: Raster, resolution: Resolution) -> Raster:
    """The raster with rows merged in pairs, black where either is: no stroke is lost."""
    step = raster.row_octets
    data = raster.data + bytes(step if raster.rows % 2 else 0)
    rows = (raster.rows + 1) // 2
    merged = bytearray()
    for row in range(rows):
        pair = data[2 * row * step : 2 * (row + 1) * step]
        both = int.from_bytes(pair[:step], "big") | int.from_bytes(pair[step:], "big")
        merged += both.to_bytes(step, "big")
    return Raster(raster.width, rows, bytes(merged), resolution)
