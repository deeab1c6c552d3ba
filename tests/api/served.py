"""A whole box with its HTTP server in this process, and a plain client for it."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any

from appliance.api.application import MakeDoor
from appliance.api.server import HttpServer
from appliance.box import Box
from appliance.configuration import open_box
from appliance.core import Core
from appliance.daemon.main import run
from appliance.lines.practice.settings import PracticeSettings
from appliance.net.settings import ApiSettings, HttpSettings
from appliance.settings import secrets
from appliance.settings.accounts import Scope
from appliance.settings.tickets import issue_local_ticket

PREFIX = "/api/v1"
TIMEOUT_S = 120.0  # only for hangs
# The time zone of this process, in which boxes run, before any of them sets its own.
SYSTEM_ZONE = os.environ.get("TZ")
_BOUNDARY = "a-boundary-that-no-file-has"


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Message  # names in any case
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class Served:
    """A running box.  ``admin`` is a sign-in that may do everything."""

    box: Box
    server: HttpServer
    core: Core
    admin: str
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return self.server.port

    def key(self, name: str, *scopes: Scope, **more: Any) -> str:
        """The token of a key with these scopes, made at the first call."""
        if name not in self.tokens:
            _, self.tokens[name] = secrets.add_key(self.box.settings, name, scopes=scopes, **more)
        return self.tokens[name]

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        prefix: str = PREFIX,
    ) -> Reply:
        """One request; ``body`` as JSON unless it is octets.  ``token``: the administrator's when None."""
        sent = dict(headers or {})
        given = self.admin if token is None else token
        if given:
            sent.setdefault("Authorization", f"Bearer {given}")
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, prefix + path, body, sent)
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def form(
        self, path: str, fields: list[tuple[str, str]], files: list[tuple[str, bytes]], **more: Any
    ) -> Reply:
        """Posts a form with files in parts called ``file``."""
        headers = {**more.pop("headers", {}), "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
        return self.ask("POST", path, form_body(fields, files), headers=headers, **more)

    def wait(self, done: Callable[[], bool], limit_s: float = TIMEOUT_S) -> None:
        end = time.monotonic() + limit_s
        while not done():
            assert time.monotonic() < end, "it never happened"
            time.sleep(0.05)

    @contextlib.contextmanager
    def no_second_try(self) -> Iterator[None]:
        """Practice faxes that fail are retried after a day, so that tests can act on them meanwhile."""
        before = self.box.settings.section(PracticeSettings)
        self._practice(wait_s=86400.0, calls_at_once=before.calls_at_once + 1)
        try:
            yield
        finally:
            self._practice(wait_s=before.wait_s, calls_at_once=before.calls_at_once)

    def _practice(self, *, wait_s: float | None, calls_at_once: int) -> None:
        """Changes the practice line.  A new number of calls at once shows when the new line is there."""
        self.box.settings.change(PracticeSettings, {"wait_s": wait_s, "calls_at_once": calls_at_once})
        self.wait(
            lambda: [line["capacity"] for line in self.ask("GET", "/lines").json["lines"]] == [calls_at_once]
        )

    def ended(self, fax_id: int) -> dict[str, Any]:
        """The fax, once it has ended."""
        self.wait(lambda: self.ask("GET", f"/faxes/{fax_id}").json["ended_at"] is not None)
        found: dict[str, Any] = self.ask("GET", f"/faxes/{fax_id}").json
        return found


def form_body(fields: list[tuple[str, str]], files: list[tuple[str, bytes]]) -> bytes:
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields
    ]
    parts += [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, content in files
    ]
    return b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()


@contextlib.contextmanager
def serving(
    data: Path, *, http: Mapping[str, str] | None = None, doors: Mapping[str, MakeDoor] | None = None
) -> Iterator[Served]:
    """A box in ``data`` with a fast practice line and wide limits.

    ``http``: settings of that section.  ``doors``: those besides the programming interfaces.
    """
    box = open_box(data)
    secrets.first_start(box.settings)
    box.settings.change(PracticeSettings, {"speed": 10.0, "wait_s": 0.1})
    box.settings.change(ApiSettings, {"requests_per_hour": 0, "burst": 0, "requests_at_once": 1000})
    box.settings.change(HttpSettings, http or {})
    up = threading.Event()
    found: dict[str, Any] = {}

    def make(core: Core) -> HttpServer:
        found["core"], found["server"] = core, HttpServer(core, "127.0.0.1", 0, doors)
        server: HttpServer = found["server"]
        return server

    handle: dict[str, Any] = {}

    async def live() -> None:
        handle["stop"], handle["loop"] = asyncio.Event(), asyncio.get_running_loop()
        await run(box, handle["stop"], [make], started=lambda _: up.set())

    thread = threading.Thread(target=lambda: asyncio.run(live()), daemon=True)
    thread.start()
    assert up.wait(TIMEOUT_S)
    try:
        admin = issue_local_ticket(box.settings, time.time(), 3600)
        yield Served(box, found["server"], found["core"], admin)
    finally:
        handle["loop"].call_soon_threadsafe(handle["stop"].set)
        thread.join(TIMEOUT_S)
        box.close()
