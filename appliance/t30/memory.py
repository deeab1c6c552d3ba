"""The owner's end of a call in memory: pages, a store, and what answers a call with them.

For test harnesses and other short faxes.  The box itself keeps pages on disk; these hold every page of the
call at once.  A harness brings any objects that have ``fetch`` or ``store``.
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

# From the most compact on.
_CODINGS = (Coding.MMR, Coding.MR, Coding.MH)
# What a page becomes when its resolution is not accepted: half the rows at the same pixels across.
_COARSER = {Resolution.SUPERFINE: Resolution.FINE, Resolution.FINE: Resolution.STANDARD}


class Pages(Protocol):
    """Where a harness's call gets its pages.

    ``fetch`` answers, at once or later but on the same thread, with ``deliver(page, last)``;
    ``deliver(None, True)`` says that the page cannot be had.
    """

    def fetch(
        self, number: int, accepts: Accepts, deliver: Callable[[CodedPage | None, bool], None]
    ) -> None: ...


class Store(Protocol):
    """Where a harness's call puts its pages: it says ``stored(True)`` when a page is safe."""

    def store(self, number: int, page: ReceivedPage, stored: Callable[[bool], None]) -> None: ...


def ignore(_: object) -> None:
    """For owners who do not watch."""


def answer_from(
    pages: Pages,
    store: Store,
    answer: Callable[[ToCall], None],
    progress: Callable[[Progress], None] = ignore,
) -> Callable[[FromCall], None]:
    """What a call may say its messages to: requests are answered from ``pages`` and ``store``."""

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
                answer(EndPermitted(ticket))  # no books are kept

    return say


class MemoryOwner(CallOwner):
    """Owns a call whose pages are in memory; without ``store`` none is taken.  ``ended`` hears the end."""

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
        if isinstance(message, Ended):
            self._ended(message.result)
        else:
            answer_from(self._pages, self._store, self.answer, self._progress)(message)


class MemoryPages:
    """Rasters or coded pages, in the order of sending.

    A page goes out as it is where the receiver takes it so, else in the most compact coding that it
    takes, and with rows merged in pairs where it takes only a coarser resolution.  A page that cannot be
    fitted (too wide, or of a resolution that has no coarser one) is one that cannot be had.
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
    """For a call that only sends: a page that came nevertheless is not confirmed."""

    def store(self, number: int, page: ReceivedPage, stored: Callable[[bool], None]) -> None:
        stored(False)


class MemoryStore:
    """Keeps what it gets in ``pages``."""

    def __init__(self) -> None:
        self.pages: list[ReceivedPage] = []

    def store(self, number: int, page: ReceivedPage, stored: Callable[[bool], None]) -> None:
        """Keeps the page; one that comes again under its number replaces the earlier."""
        self.pages[number:] = [page]
        stored(True)

    def rasters(self) -> list[Raster]:
        """The pages as pixels.  Raises PageError for a damaged coded page."""
        return [decode(p.page) if isinstance(p.page, CodedPage) else p.page for p in self.pages]


def fit(page: Raster | CodedPage, accepts: Accepts) -> CodedPage | None:
    """The page in a form that the receiver takes, None when there is none."""
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
    """Rows merged in pairs, black where either was: no stroke is lost."""
    step = raster.row_octets
    data = raster.data + bytes(step if raster.rows % 2 else 0)
    rows = (raster.rows + 1) // 2
    merged = bytearray()
    for row in range(rows):
        pair = data[2 * row * step : 2 * (row + 1) * step]
        both = int.from_bytes(pair[:step], "big") | int.from_bytes(pair[step:], "big")
        merged += both.to_bytes(step, "big")
    return Raster(raster.width, rows, bytes(merged), resolution)
