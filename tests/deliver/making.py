"""Boxes with faxes that have ended, for tests of deliveries."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from appliance.box import Box
from appliance.causes import RECEIVED, Cause
from appliance.configuration import open_box
from appliance.lines.causes import BUSY
from appliance.net.settings import ApiSettings
from appliance.numbers import NumberSettings
from appliance.services.faxes import Request
from appliance.services.rules import To
from appliance.spool import decisions, received
from appliance.spool.model import Job, Received, ReceivedPageFile
from appliance.t4.page import Raster, Resolution
from appliance.t4.tiff import write_tiff

NUMBER = "+493012345"
START = 1_800_000_000.0


class Clock:
    """Unix time that a test moves."""

    def __init__(self, now: float = START) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def make_box(data: Path, clock: Callable[[], float] = time.time) -> Box:
    box = open_box(data, clock=clock)
    box.settings.change(ApiSettings, {"private_urls": True})
    box.settings.change(NumberSettings, {"daily_calls": 0, "daily_calls_each": 0, "daily_abroad": 0})
    return box


def submit(box: Box, **more: object) -> Job:
    file = box.documents.store_file(b"hello", name="hello.txt", media_type="text/plain")
    more.setdefault("owner", "ada")
    return box.faxes.submit(Request(to=(To(NUMBER),), files=(file,), **more)).jobs[0]  # type: ignore[arg-type]


def fail(box: Box, job: Job, cause: Cause = BUSY) -> Job:
    return box.spool.do(decisions.fail, job.id, cause, box.clock())


def receive(
    box: Box, *, pages: int = 1, line: str = "trunk", complete: bool = True, noise: bool = False, **facts: str
) -> Received:
    """A received fax of ``pages`` pages with a black bar each, or ``noise``, which does not compress."""
    ending = {key: facts.pop(key) for key in ("tsi", "sub_address") if key in facts}
    uuid = f"fax-{time.monotonic_ns()}"
    fax = box.spool.do(received.begin, uuid, line, "t38", box.clock(), **facts)
    for number in range(pages):
        path = f"received/{uuid}-{number}.tiff"
        bar = bytes(216 * 100) + b"\xff" * 216 * 20 + bytes(216 * 980)
        content = random.Random(number).randbytes(len(bar)) if noise else bar
        image = Raster(1728, 1100, content, Resolution.STANDARD)
        write_tiff(box.data / path, [image])
        page = ReceivedPageFile(number, path, image.width, image.rows, "STANDARD", 0, 0, box.clock())
        box.spool.do(received.add_page, fax.id, page)
    return box.spool.do(received.finish, fax.id, RECEIVED, complete=complete, now=box.clock(), **ending)


def until(condition: Callable[[], object], limit_s: float = 100.0) -> None:
    """Waits until ``condition`` holds; fails after ``limit_s``, which only a hang reaches."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("it never came to that")
        time.sleep(0.01)


@dataclass
class Hook:
    """A program's webhook receiver.  ``answers``: the status of each request in order, then 200."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    hold: threading.Event | None = None  # answers only when it is set
    at_once: int = 0
    most_at_once: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextlib.contextmanager
def hook_server(hook: Hook) -> Iterator[Hook]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with hook.lock:
                hook.bodies.append(body)
                hook.headers.append(dict(self.headers.items()))
                status = hook.answers.pop(0) if hook.answers else 200
                hook.at_once += 1
                hook.most_at_once = max(hook.most_at_once, hook.at_once)
            if hook.hold is not None:
                hook.hold.wait(120)
            with hook.lock:
                hook.at_once -= 1
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Length", "4")
                if status in (301, 302, 307):
                    self.send_header("Location", hook.url + "/elsewhere")
                self.end_headers()
                self.wfile.write(b"said")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    hook.url = f"http://127.0.0.1:{server.server_port}/hook"
    try:
        yield hook
    finally:
        if hook.hold is not None:
            hook.hold.set()
        server.shutdown()
        server.server_close()
