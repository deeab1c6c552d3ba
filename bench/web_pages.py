"""The web pages: size and round trips of the first one, the cost of views, open tabs, long lists.

Browsers and tabs reach the box from outside, over loopback; processor time is that of all its processes.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import random
import statistics
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page

from appliance.api.rest.stream import HEARTBEAT_S
from appliance.causes import RECEIVED
from appliance.configuration import open_box, open_settings
from appliance.settings import secrets
from appliance.settings.accounts import UserRole
from appliance.spool import received
from appliance.spool.model import ReceivedPageFile
from appliance.spool.store import Spool
from appliance.spool.transaction import Tx
from appliance.t4.page import Resolution
from bench import marked, spool_size
from bench.running import Running, running
from bench.spool_size import DAY_S
from tests.web.browser import OWNER, PASSWORD, PATIENCE_MS, chromium

# Least duration of each response in the browser's emulation of a slow network, seconds.  It includes the
# box's own time, which is far shorter.
LATENCY_S = 2.0
# Loads of a page, of which the median counts.
_LOADS = 3
# Views of each page whose processor time is measured.
VIEWS = 100
VIEWED = ("/", "/received", "/sent", "/lines", "/settings", "/charts")
# The cheapest of all responses.
LEAST = "/api/v1/health"
TABS = 50
# Seconds for which tabs are open without news (at least two heartbeats), and faxes received afterwards.
QUIET_S = 2 * HEARTBEAT_S + 5
FAXES = 3
# A busy office: a fax arrives every minute.
FAX_EVERY_S = 60.0
# As in live.js: news within this time are answered by one request.
GATHER_S = 0.25
SMALL, LARGE = 1_000, 100_000
# Requests for each list in each box, in turn.
TURNS = 30
_FILL = 1000
_SETTLE_S = 3.0
# Whether a page has fetched what it preloads for the next one.
_PRELOADED = """() => [...document.querySelectorAll("link[rel=modulepreload]")].every((link) =>
  performance.getEntriesByName(link.href).some((entry) => entry.responseEnd > 0))"""
_LIMIT_S = 120.0


@dataclass(frozen=True, slots=True)
class First:
    """The page after signing in: octets on the wire with headers, round trips until its scripts have run."""

    octets: int
    files: int
    trips_cold: float  # opened by its address in a browser with an empty cache
    trips: float  # opened by signing in, for the first time
    trips_again: float


@dataclass(frozen=True, slots=True)
class Tabs:
    """Open tabs: share of a core without news, processor seconds per received fax, threads per tab."""

    quiet_share: float
    fax_s: float
    threads: float
    fetched: int

    @property
    def share(self) -> float:
        """Share of a core in a busy office."""
        return self.quiet_share + self.fax_s / FAX_EVERY_S


@dataclass(frozen=True, slots=True)
class Length:
    """One list: its response times with few faxes and with many, medians in seconds."""

    path: str
    small_s: float
    large_s: float

    @property
    def ratio(self) -> float:
        return self.large_s / self.small_s


@contextlib.contextmanager
def _box(data: Path) -> Iterator[Running]:
    """A box with an owner."""
    data.mkdir(parents=True, exist_ok=True)
    secrets.add_user(open_settings(data), OWNER, PASSWORD, role=UserRole.ADMIN)
    with running(data, {"practice.speed": "10", "practice.wait_s": "0.1"}) as box:
        yield box


class Visitor:
    """A signed-in user with one connection."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_LIMIT_S)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request("POST", "/sign-in", f"name={OWNER}&password={PASSWORD}".encode(), form)
        answer = self._connection.getresponse()
        answer.read()
        self.cookie = str(answer.getheader("Set-Cookie")).partition(";")[0]

    def get(self, path: str) -> bytes:
        """The page at ``path``.  Raises RuntimeError for a response that is no page."""
        self._connection.request("GET", path, headers={"Cookie": self.cookie})
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != http.client.OK:
            raise RuntimeError(f"{path}: {answer.status}")
        return content

    def close(self) -> None:
        self._connection.close()


# -- the first page --------------------------------------------------------------------------------


def first(scratch: Path) -> First:
    """Measures in Chromium, on a network where each response takes ``LATENCY_S``."""
    with _box(scratch / "first") as box, chromium() as browser:
        cookie = Visitor(box.port).cookie
        octets, files = _weight(browser, box, cookie)
        slow = [_usable_s(browser, box, cookie, before) for before in ("", "/sign-in", "/")]
    return First(octets, files, *(seconds / LATENCY_S for seconds in slow))


def _page(browser: Browser, box: Running, cookie: str) -> Page:
    context = browser.new_context(base_url=f"http://127.0.0.1:{box.port}")
    _sign_in(context, box, cookie)
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()


def _sign_in(context: BrowserContext, box: Running, cookie: str) -> None:
    name, _, value = cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": f"http://127.0.0.1:{box.port}"}])


def _weight(browser: Browser, box: Running, cookie: str) -> tuple[int, int]:
    page = _page(browser, box, cookie)
    sizes: list[int] = []
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    page.goto("/")
    page.wait_for_load_state("load")
    page.context.close()
    return sum(sizes), len(sizes)


def _usable_s(browser: Browser, box: Running, cookie: str, before: str) -> float:
    """Median seconds from opening the page to the end of its first scripts, after page ``before``."""
    found = []
    for _ in range(_LOADS):
        page = _page(browser, box, cookie)
        if before:
            if before == "/sign-in":  # redirects a user who is signed in
                page.context.clear_cookies()
            page.goto(before)
            page.wait_for_load_state("load")
            page.wait_for_function(_PRELOADED)
            _sign_in(page.context, box, cookie)
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        slow = {
            "offline": False,
            "latency": LATENCY_S * 1000,
            "downloadThroughput": -1,
            "uploadThroughput": -1,
        }
        network.send("Network.emulateNetworkConditions", slow)
        page.goto("/")
        usable = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
        found.append(float(page.evaluate(usable)) / 1000)
        page.context.close()
    return statistics.median(found)


# -- what a view costs -----------------------------------------------------------------------------


def views(scratch: Path) -> dict[str, float]:
    """Processor seconds for each page and for ``LEAST``."""
    data = scratch / "views"
    with contextlib.closing(open_box(data)) as made:
        fill(made.spool, SMALL)
    with _box(data) as box:
        visitor = Visitor(box.port)
        costs = {}
        for path in (*VIEWED, LEAST):
            visitor.get(path)
            before = box.cpu_s()
            for _ in range(VIEWS):
                visitor.get(path)
            costs[path] = (box.cpu_s() - before) / VIEWS
        visitor.close()
    return costs


# -- open tabs -------------------------------------------------------------------------------------


@dataclass
class Tab(threading.Thread):
    """Behaves as live.js on the page of received faxes: follows events, and fetches the list after news."""

    port: int
    fetched: int = field(default=0, init=False)
    up: threading.Event = field(default_factory=threading.Event, init=False)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self._visitor = Visitor(self.port)
        self._stream = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_LIMIT_S)
        self._timer: threading.Timer | None = None

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            self._stream.request(
                "GET", "/api/v1/events?named=false", headers={"Cookie": self._visitor.cookie}
            )
            answer = self._stream.getresponse()
            self.up.set()
            while line := answer.readline():
                kind = json.loads(line[6:]).get("kind") if line.startswith(b"data: ") else None
                if kind is not None:
                    self._heard(kind)

    def _heard(self, kind: str) -> None:
        shown = kind.startswith(("job", "received", "line")) and not kind.endswith((".progress", "job.page"))
        if not shown:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(GATHER_S, self._look)
        self._timer.start()

    def _look(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            self._visitor.get("/received")
            self.fetched += 1

    def close(self) -> None:
        if self._stream.sock is not None:
            self._stream.sock.close()
        self._visitor.close()


def tabs(scratch: Path, count: int = TABS) -> Tabs:
    """Opens ``count`` tabs, each as a separate browser: the windows of one browser share a stream."""
    with _box(scratch / "tabs") as box:
        _faxes_come(box, 1)
        time.sleep(_SETTLE_S)
        alone_share = _quiet_share(box)
        alone_s = _faxes_come(box, FAXES)
        threads = _threads(box)
        open_tabs = [Tab(box.port) for _ in range(count)]
        for tab in open_tabs:
            tab.start()
        if not all(tab.up.wait(_LIMIT_S) for tab in open_tabs):
            raise RuntimeError("not every tab hears of events")
        time.sleep(_SETTLE_S)
        more = _threads(box) - threads
        share = _quiet_share(box)
        fax_s = _faxes_come(box, FAXES)
        for tab in open_tabs:
            tab.close()
        fetched = sum(tab.fetched for tab in open_tabs)
    return Tabs(share - alone_share, (fax_s - alone_s) / FAXES, more / count, fetched)


def _quiet_share(box: Running) -> float:
    cpu, begun = box.cpu_s(), time.monotonic()
    time.sleep(QUIET_S)
    return (box.cpu_s() - cpu) / (time.monotonic() - begun)


def _threads(box: Running) -> int:
    return sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in box.tree())


def _faxes_come(box: Running, count: int) -> float:
    """Processor seconds for ``count`` faxes that arrive in succession, with everything that follows."""
    cpu = box.cpu_s()
    with contextlib.closing(box.client()) as client:

        def whole() -> int:
            return sum(
                each["state"] == "complete" for each in client.ask("GET", "/received").json["received"]
            )

        for number in range(count):
            file = {"name": "a.tif", "content": base64.b64encode(marked.document(number)).decode()}
            before = whole()
            client.ask("POST", "/practice/receive", {"caller": "+49301234", "files": [file]})
            end = time.monotonic() + _LIMIT_S
            while whole() == before:
                if time.monotonic() > end:
                    raise RuntimeError("no fax comes in")
                time.sleep(0.5)
            time.sleep(_SETTLE_S)
    return box.cpu_s() - cpu


# -- long lists ------------------------------------------------------------------------------------

# Search words: in most faxes, in one, in none, only in the other list, of two letters, and with a filter.
LISTS = (
    "/sent",
    "/sent?q=4930",
    "/sent?q=0000123",
    "/sent?q=nobody",
    "/sent?show=failed",
    "/sent?q=4940",
    "/sent?q=49",
    "/sent?q=zq",
    "/sent?q=%2B49300000123",
    "/sent?q=4930&show=failed",
    "/received",
    "/received?q=4940",
    "/received?q=0000123",
    "/received?q=nobody",
    "/received?show=unread",
    "/received?q=4930",
    "/received?q=49",
    "/received?q=zq",
    "/received?q=%2B49400000123",
    "/received?q=4940&show=unread",
)


def lists(scratch: Path, large: int = LARGE) -> tuple[Length, ...]:
    """Compares two boxes in turn; half of the faxes were sent, half received."""
    folders = [scratch / f"lists-{count}" for count in (SMALL, large)]
    for data, count in zip(folders, (SMALL, large), strict=True):
        with contextlib.closing(open_box(data)) as made:
            fill(made.spool, count)
    with contextlib.ExitStack() as stack:
        boxes = [stack.enter_context(_box(data)) for data in folders]
        # Both connect last: the box closes an idle connection.
        visitors = [Visitor(box.port) for box in boxes]
        return tuple(_length(path, *visitors) for path in LISTS)


def _length(path: str, small: Visitor, large: Visitor) -> Length:
    took: tuple[list[float], list[float]] = ([], [])
    for turn in range(TURNS + 1):
        for times, visitor in zip(took, (small, large), strict=True):
            begun = time.perf_counter()
            visitor.get(path)
            if turn:  # the first warms the caches
                times.append(time.perf_counter() - begun)
    return Length(path, statistics.median(took[0]), statistics.median(took[1]))


def fill(spool: Spool, count: int) -> None:
    """Adds ``count`` faxes of the last month, half of them sent, half received."""
    spool_size.fill(spool, count // 2)
    chance, now = random.Random(count), time.time()

    def some(tx: Tx, first: int, number: int) -> None:
        for each in range(first, first + number):
            at = now - 30 * DAY_S * (1 - each / (count // 2))
            name = uuid.UUID(int=chance.getrandbits(128)).hex
            fax = received.begin(tx, name, "trunk", "t38", at, caller=f"+4940{each:07}", dialled="+493055")
            page = ReceivedPageFile(1, "received/none", 1728, 2200, Resolution.FINE.name, 0, 0, at)
            received.add_page(tx, fax.id, page)
            received.finish(tx, fax.id, RECEIVED, complete=True, now=at, tsi=f"+49 40 {each:07}")
            if each < count // 2 - 20:  # the newest are unread
                received.mark_read(tx, fax.id, True, at)

    for first_one in range(0, count // 2, _FILL):
        spool.do(some, first_one, min(_FILL, count // 2 - first_one))
    # A running box has handled these events when they occurred; one that starts would read each first.
    spool.do(lambda tx: tx.db.execute("DELETE FROM event") and None)
